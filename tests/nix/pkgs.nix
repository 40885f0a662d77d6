# A package set of names: what a package is built from can be looked at, and
# nothing can be built. A path in the store stands for each, as in a real
# evaluation.
{ lib }:
let
  inherit (builtins) functionArgs intersectAttrs isFunction isPath mapAttrs;

  derivation =
    attributes:
    let
      name = attributes.name or "${attributes.pname}-${attributes.version}";
    in
    attributes
    // (attributes.passthru or { })
    // {
      inherit name;
      type = "derivation";
      outPath = "/nix/store/00000000000000000000000000000000-${name}";
      overrideAttrs =
        change: derivation (attributes // (if isFunction change then change attributes else change));
    };

  # Like nixpkgs', it remembers how to be called with other arguments.
  callWith =
    function: arguments:
    let
      result = function arguments;
    in
    result // { override = changes: callWith function (arguments // changes); };
  callPackage =
    function: changes:
    let
      called = if isPath function then import function else function;
    in
    callWith called (intersectAttrs (functionArgs called) pkgs // changes);

  named =
    versions:
    mapAttrs (
      pname: version:
      derivation {
        inherit pname version;
        meta.mainProgram = pname;
      }
    ) versions;

  headers =
    version:
    derivation {
      pname = "nv-codec-headers";
      inherit version;
    };

  ffmpeg =
    pname: version:
    callWith
      (
        { nv-codec-headers-12 }:
        derivation {
          inherit pname version;
          buildInputs = [
            pkgs.zlib
            nv-codec-headers-12
          ];
        }
      )
      { inherit (pkgs) nv-codec-headers-12; };

  json =
    with lib.types;
    oneOf [
      (nullOr (oneOf [ bool int float str path ]))
      (attrsOf json)
      (listOf json)
    ];

  pkgs =
    named {
      addDriverRunpath = "1";
      cmocka = "1.1.7";
      coreutils = "9.7";
      cuda_cudart = "12.8";
      jansson = "2.14";
      libseccomp = "2.6.0";
      libuv = "1.51";
      mandoc = "1.14";
      ollama = "0.32";
      pkg-config = "0.29";
      python3 = "3.13";
      sqlite = "3.50";
      systemd = "257";
      zlib = "1.3";
      zsh = "5.9";
    }
    // {
      inherit callPackage lib;
      stdenv = {
        mkDerivation = derivation;
        hostPlatform.system = "x86_64-linux";
      };
      config = { };
      fetchurl = fetched: fetched;
      testers.runNixOSTest = test: derivation { name = "vm-test"; inherit test; };

      nv-codec-headers-11 = headers "11.1.5.2";
      nv-codec-headers-12 = headers "12.1.14.0";
      ffmpeg = ffmpeg "ffmpeg" "8.0";
      ffmpeg-headless = ffmpeg "ffmpeg-headless" "8.0";
      ffmpeg_7-headless = ffmpeg "ffmpeg-headless" "7.1.1";
      ollama-cuda = pkgs.ollama.overrideAttrs { buildInputs = [ pkgs.cuda_cudart ]; };

      linuxPackages.nvidiaPackages =
        let
          # an open kernel module is among what newer drivers come with
          driver = version: open: derivation { pname = "nvidia-x11"; inherit version open; };
        in
        {
          stable = driver "580.95.05" (named { nvidia-open = "580.95.05"; }).nvidia-open;
          legacy_470 = driver "470.256.02" null;
          legacy_535 = driver "535.274.02" (named { nvidia-open = "535.274.02"; }).nvidia-open;
        };

      runCommand = name: environment: command: derivation { inherit name environment command; };
      linkFarm = name: entries: derivation { inherit name entries; };
      formats.json = _: {
        type = json;
        generate = name: value: derivation { inherit name value; };
      };
    };
in
pkgs
