# The options of NixOS that our module sets or reads, with the types and the
# defaults that they have there.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  texts = option (types.listOf types.str) [ ];
  flag = option types.bool false;
  modules = options: option (types.attrsOf (types.submodule { inherit options; })) { };

  # Of a unit's setting: lists are joined, all else must agree.
  setting =
    let
      scalar = with types; oneOf [ bool int float str path ];
      list = types.listOf scalar;
    in
    {
      description = "unit setting";
      check = _: true;
      merge =
        path: values:
        if lib.any builtins.isList values then
          list.merge path (map (v: if builtins.isList v then v else [ v ]) values)
        else
          scalar.merge path values;
    };
  section = option (types.attrsOf setting) { };

  unit = {
    description = option types.str "";
    documentation = texts;
    requires = texts;
    wants = texts;
    after = texts;
    before = texts;
    wantedBy = texts;
    unitConfig = section;
  };
  unset = type: mkOption { inherit type; };
in
{
  options = {
    assertions = option (types.listOf (types.attrsOf (types.oneOf [ types.bool types.str ]))) [ ];
    warnings = texts;

    boot.kernelModules = texts;
    boot.kernelPackages = option (types.attrsOf (types.attrsOf types.package)) pkgs.linuxPackages;
    nixpkgs.config = option (types.attrsOf (pkgs.formats.json { }).type) { };

    environment.etc = modules { source = unset types.path; };
    environment.systemPackages = option (types.listOf types.package) [ ];

    hardware.graphics.enable = flag;
    hardware.nvidia = {
      enabled = mkOption {
        type = types.bool;
        readOnly = true;
        default = lib.elem "nvidia" config.services.xserver.videoDrivers;
      };
      package = option types.package pkgs.linuxPackages.nvidiaPackages.stable;
      # without a driver it has no value there, either
      open = option (types.nullOr types.bool) (
        if config.hardware.nvidia.enabled then null else throw "there is no driver"
      );
      gsp.enable = option types.bool (
        lib.versionAtLeast config.hardware.nvidia.package.version "555"
      );
      nvidiaPersistenced = flag;
    };

    services.xserver.videoDrivers = texts;
    services.jellyfin.enable = flag;
    services.immich = {
      enable = flag;
      accelerationDevices = option (types.nullOr (types.listOf types.str)) [ ];
    };
    services.ollama = {
      enable = flag;
      package = option types.package pkgs.ollama;
      # has a value where it is old, and none where it has been removed
      acceleration = mkOption {
        type = types.str;
        default = "removed";
        apply =
          value: if value == "removed" then throw "services.ollama.acceleration has been removed" else value;
      };
    };

    systemd.services = modules (
      unit
      // {
        environment = option (types.attrsOf types.str) { };
        reloadTriggers = option (types.listOf types.package) [ ];
        serviceConfig = section;
      }
    );
    systemd.sockets = modules (unit // { socketConfig = section; });
    systemd.tmpfiles.rules = texts;

    users.groups = modules { members = texts; };
    users.users = modules {
      isSystemUser = flag;
      isNormalUser = flag;
      description = option types.str "";
      home = option types.str "/var/empty";
      group = option types.str "";
      extraGroups = texts;
    };
    virtualisation.oci-containers.containers = modules {
      image = unset types.str;
      extraOptions = texts;
      environment = option (types.attrsOf types.str) { };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf config.services.jellyfin.enable {
      systemd.services.jellyfin.serviceConfig = {
        ExecStart = "/nix/store/jellyfin/bin/jellyfin";
        User = "jellyfin";
        SupplementaryGroups = [ "video" ];
        DeviceAllow = [ "char-drm rw" ];
      };
    })
    (lib.mkIf config.services.immich.enable {
      systemd.services = lib.genAttrs [ "immich-server" "immich-machine-learning" ] (_: {
        serviceConfig = {
          ExecStart = "/nix/store/immich/bin/server";
          User = "immich";
          Group = "immich";
          PrivateDevices = config.services.immich.accelerationDevices == [ ];
        };
      });
    })
  ];
}
