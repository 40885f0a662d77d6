# As much of nixpkgs' `lib` as nix/ uses, for tests: no nixpkgs is at hand here.
# It refuses what nixpkgs refuses (unknown options, wrong types, definitions that
# disagree, options without a value), but it is a small thing of our own: what
# passes here has not been tried with the real one.
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    concatStringsSep
    elem
    filter
    foldl'
    functionArgs
    hasAttr
    head
    intersectAttrs
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    listToAttrs
    map
    mapAttrs
    match
    removeAttrs
    split
    stringLength
    substring
    ;

  lib = {
    inherit
      all
      any
      attrNames
      concatMap
      concatStringsSep
      elem
      filter
      functionArgs
      head
      listToAttrs
      mapAttrs
      removeAttrs
      ;

    ## Values
    optional = condition: x: if condition then [ x ] else [ ];
    optionals = condition: xs: if condition then xs else [ ];
    optionalAttrs = condition: xs: if condition then xs else { };
    findFirst =
      wanted: default: xs:
      let
        found = filter wanted xs;
      in
      if found == [ ] then default else head found;
    unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: f: listToAttrs (map (name: lib.nameValuePair name (f name)) names);
    mapAttrs' = f: xs: listToAttrs (map (name: f name xs.${name}) (attrNames xs));
    mapAttrsToList = f: xs: map (name: f name xs.${name}) (attrNames xs);
    hasPrefix = prefix: s: substring 0 (stringLength prefix) s == prefix;
    removePrefix =
      prefix: s:
      if lib.hasPrefix prefix s then substring (stringLength prefix) (stringLength s) s else s;
    splitString = by: s: filter isString (split by s);
    versionAtLeast = a: b: builtins.compareVersions a b >= 0;
    versionOlder = a: b: builtins.compareVersions a b < 0;

    ## Packages
    isDerivation = x: isAttrs x && x.type or "" == "derivation";
    getName = package: package.pname or (builtins.parseDrvName package.name).name;
    getBin = package: package.bin or package;
    getExe = package: lib.getExe' package package.meta.mainProgram;
    getExe' = package: program: "${lib.getBin package}/bin/${program}";
    licenses = lib.genAttrs [ "gpl2Plus" "mit" ] (name: { spdxId = name; });
    platforms.linux = [ "x86_64-linux" ];
    # Which files are meant is all that can be said without a store.
    fileset = {
      unions = files: files;
      toSource = { root, fileset }: { inherit root; files = map toString fileset; };
    };

    ## Options
    mkOption = option: option // { _type = "option"; };
    mkEnableOption =
      what:
      lib.mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${what}.";
      };
    literalExpression = text: { _type = "literalExpression"; inherit text; };
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkDefault = lib.mkOverride 1000;
    mkForce = lib.mkOverride 50;

    inherit evalModules types;
  };

  isA = type: v: isAttrs v && v._type or "" == type;

  # What a definition comes to: [{ priority, value }], nothing where a condition
  # does not hold.
  discharge =
    priority: v:
    if isA "if" v then
      if v.condition then discharge priority v.content else [ ]
    else if isA "merge" v then
      concatMap (discharge priority) v.contents
    else if isA "override" v then
      discharge v.priority v.content
    else
      [ { inherit priority; value = v; } ];

  # Of several definitions those of the highest rank, which is the lowest number.
  strongest =
    defs:
    let
      best = foldl' (a: d: if d.priority < a then d.priority else a) 9999 defs;
    in
    map (d: d.value) (filter (d: d.priority == best) defs);

  # Names and members of a set of definitions, without asking the conditions
  # around it: those may depend on what is being defined.
  namesIn =
    v:
    if isA "if" v || isA "override" v then
      namesIn v.content
    else if isA "merge" v then
      concatMap namesIn v.contents
    else
      attrNames v;
  member =
    name: v:
    if isA "if" v then
      map (lib.mkIf v.condition) (member name v.content)
    else if isA "override" v then
      map (lib.mkOverride v.priority) (member name v.content)
    else if isA "merge" v then
      concatMap (member name) v.contents
    else
      lib.optional (hasAttr name v) v.${name};

  shown = concatStringsSep ".";

  ## Types: { description; check; merge = path: values: value; }

  checked =
    type: path: values:
    let
      bad = filter (v: !type.check v) values;
    in
    if bad == [ ] then
      values
    else
      throw "A definition for option `${shown path}' is not of type `${type.description}'";

  # Of types whose definitions must agree.
  scalar =
    description: check:
    let
      type = {
        inherit description check;
        merge =
          path: values:
          let
            good = checked type path values;
          in
          if all (v: v == head good) good then
            head good
          else
            throw "The option `${shown path}' has conflicting definition values";
      };
    in
    type;

  types = {
    bool = scalar "boolean" isBool;
    int = scalar "signed integer" isInt;
    float = scalar "floating point number" isFloat;
    str = scalar "string" isString;
    path = scalar "absolute path" (
      v: isPath v || lib.isDerivation v || isString v && substring 0 1 v == "/"
    );
    package = scalar "package" lib.isDerivation;
    enum = values: scalar "one of ${concatStringsSep ", " (map builtins.toJSON values)}" (v: elem v values);
    strMatching =
      pattern: scalar "string matching the pattern ${pattern}" (v: isString v && match pattern v != null);
    ints.positive = scalar "positive integer, meaning >0" (v: isInt v && v > 0);

    listOf =
      of:
      let
        type = {
          description = "list";
          check = isList;
          merge =
            path: values:
            concatMap (v: concatMap (e: map (d: of.merge path [ d.value ]) (discharge 100 e)) v) (
              checked type path values
            );
        };
      in
      type;

    attrsOf =
      of:
      let
        type = {
          description = "attribute set";
          check = isAttrs;
          merge =
            path: values:
            let
              good = checked type path values;
              found = name: concatMap (v: concatMap (discharge 100) (member name v)) good;
              names = filter (name: found name != [ ]) (lib.unique (concatMap namesIn good));
            in
            lib.genAttrs names (name: of.merge (path ++ [ name ]) (strongest (found name)));
        };
      in
      type;

    nullOr = of: {
      description = "null or ${of.description}";
      check = v: v == null || of.check v;
      merge = path: values: if all (v: v == null) values then null else of.merge path values;
    };

    oneOf =
      ofs:
      let
        type = {
          description = concatStringsSep " or " (map (t: t.description) ofs);
          check = v: any (t: t.check v) ofs;
          merge =
            path: values:
            let
              good = checked type path values;
            in
            (head (filter (t: all t.check good) ofs ++ [ (scalar type.description type.check) ])).merge path
              good;
        };
      in
      type;

    submodule = module: {
      description = "submodule";
      check = v: isAttrs v || isFunction v;
      merge =
        path: values:
        (evaluate {
          inherit path;
          modules = [ module ] ++ values;
          arguments = { };
        }).config;
    };
  };

  ## Modules

  # A module and those that it imports, each as { options; config; freeformType }.
  collect =
    arguments: module:
    let
      read = if isPath module || isString module then import module else module;
      called = if isFunction read then read (intersectAttrs (functionArgs read) arguments) else read;
      parts = [ "imports" "freeformType" ];
      rest = removeAttrs called parts;
      stray = attrNames (removeAttrs rest [ "options" "config" ]);
      # without these two, a module is nothing but what it sets
      isWhole = called ? options || called ? config;
    in
    if isWhole && stray != [ ] then
      throw "a module has an unsupported attribute `${head stray}'"
    else
      concatMap (collect arguments) (called.imports or [ ])
      ++ [ ((if isWhole then rest else { config = rest; }) // removeAttrs called (attrNames rest)) ];

  mergeOptions =
    a: b:
    a
    // mapAttrs (
      name: new:
      if !hasAttr name a then
        new
      else if isA "option" new || isA "option" a.${name} then
        throw "The option `${name}' is declared twice"
      else
        mergeOptions a.${name} new
    ) b;

  mergeOption =
    path: option: definitions:
    let
      given = concatMap (discharge 100) definitions;
      found =
        given
        ++ lib.optional (option ? default) {
          priority = 1500;
          value = option.default;
        };
    in
    if option.readOnly or false && given != [ ] then
      throw "The option `${shown path}' is read-only, but it is set"
    else if found == [ ] then
      throw "The option `${shown path}' was accessed but has no value defined"
    else
      (option.apply or (v: v)) (option.type.merge path (strongest found));

  mergeTree =
    path: options: freeform: definitions:
    let
      names = lib.unique (concatMap namesIn definitions);
      unknown = filter (name: !hasAttr name options) names;
      inside = name: concatMap (member name) definitions;
      known = mapAttrs (
        name: option:
        if isA "option" option then
          mergeOption (path ++ [ name ]) option (inside name)
        else
          mergeTree (path ++ [ name ]) option null (inside name)
      ) options;
    in
    if unknown == [ ] then
      known
    else if freeform == null then
      throw "The option `${shown (path ++ [ (head unknown) ])}' does not exist"
    else
      known
      // freeform.merge path (
        map (v: lib.genAttrs (filter (n: !hasAttr n options) (namesIn v)) (n: lib.mkMerge (member n v))) definitions
      );

  evaluate =
    { modules, arguments, path }:
    let
      found = concatMap (collect (arguments // { inherit config lib options; })) modules;
      options = foldl' mergeOptions { } (map (m: m.options or { }) found);
      freeform = head (concatMap (m: lib.optional (m ? freeformType) m.freeformType) found ++ [ null ]);
      config = mergeTree path options freeform (map (m: m.config or { }) found);
    in
    {
      inherit config options;
    };

  evalModules =
    { modules, specialArgs ? { } }:
    evaluate {
      inherit modules;
      arguments = specialArgs;
      path = [ ];
    };
in
lib
