{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.transcoded;
  pattern = import ./pattern.nix;
  json = pkgs.formats.json { };
  folder = types.strMatching "/.*";
in
{
  options.services.transcoded = {
    enable = lib.mkEnableOption "transcoded, the transcoding service for a server with an NVIDIA card";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package of transcoded; its FFmpeg is replaced by that of {option}`ffmpeg`.";
    };

    ffmpeg = mkOption {
      type = types.package;
      default =
        if cfg.gpu.driver == "legacy_470" then
          pkgs.callPackage ./ffmpeg-legacy.nix { }
        else
          pkgs.ffmpeg-headless;
      defaultText = literalExpression ''
        if config.services.transcoded.gpu.driver == "legacy_470"
        then pkgs.callPackage ./ffmpeg-legacy.nix { }
        else pkgs.ffmpeg-headless'';
      description = ''
        The FFmpeg whose libraries the workers use. The headers of NVENC that it was built with must not be
        newer than the driver; an assertion sees to that.
      '';
    };

    finalPackage = mkOption {
      type = types.package;
      readOnly = true;
      default = cfg.package.override { inherit (cfg) ffmpeg; };
      defaultText = literalExpression "package.override { inherit ffmpeg; }";
      description = "What runs: {option}`package` with {option}`ffmpeg`.";
    };

    settings = mkOption {
      type = types.submodule { freeformType = json.type; };
      default = { };
      example = {
        admin_group = "wheel";
        limits.cpu_jobs = 4;
      };
      description = ''
        The configuration, see {manpage}`transcoded(8)`. It is checked when the system is built. Folders belong in
        {option}`roots`, which opens them to the service, too.
      '';
    };

    profiles = mkOption {
      type = types.attrsOf json.type;
      default = { };
      example.tablet = {
        outputs = [ { video.max_height = 720; } ];
      };
      description = "Profiles by name, beside the shipped ones and instead of those of the same name.";
    };

    clients = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "jellyfin" ];
      description = "Users who may connect: they become members of the socket's group.";
    };

    roots = {
      read = mkOption {
        type = types.listOf folder;
        default = [ ];
        example = [ "/srv/media" ];
        description = ''
          Folders below which jobs may name inputs that the service opens itself, which are those of all detached
          jobs. Access by owner and group is for you to give, for example by
          `users.users.transcoded.extraGroups`.
        '';
      };
      write = mkOption {
        type = types.listOf folder;
        default = [ ];
        example = [ "/srv/media/transcoded" ];
        description = "Folders below which the service may write outputs; all else is read-only to it.";
      };
    };

    outputs = {
      group = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "media";
        description = "The group of outputs; the service's user becomes a member. Null is that of each output's folder.";
      };
      mode = mkOption {
        type = types.strMatching "0?[0-7]{3}";
        default = "0664";
        description = "The mode of outputs.";
      };
    };

    devices = mkOption {
      type = types.listOf (types.strMatching "/dev/.+");
      default = pattern.devices;
      defaultText = literalExpression "the nodes of the first NVIDIA card, card0 and renderD128";
      description = ''
        Device nodes that the service may open. Where a processor with graphics of its own shifts the numbers of
        the DRM nodes, `transcodectl doctor` says which are the card's. An empty list is for a machine without a
        card: everything is done on the CPU then.
      '';
    };

    gpu = {
      driver = mkOption {
        type = types.enum [
          "auto"
          "legacy_470"
        ];
        default = "auto";
        description = ''
          `"legacy_470"` for cards that you run on driver 470: FFmpeg is built with the headers that this driver speaks,
          and what it does not have (the open kernel module, GSP firmware) is off. `"auto"` takes the
          driver of {option}`hardware.nvidia.package` as it is.
        '';
      };
      memory = mkOption {
        type = types.ints.positive;
        default = 4;
        example = 8;
        description = "The memory of the card in GiB; a Quadro P1000 has 4.";
      };
      neighbours = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [
          "jellyfin"
          "immich-server"
          "immich-machine-learning"
        ];
        description = "Other services of this system that get the same devices, groups and variables.";
      };
    };

    containerOptions = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      default = map (node: "--device=${node}") cfg.devices;
      defaultText = literalExpression "--device= for each of devices";
      description = ''
        For containers that shall use the card:
        `virtualisation.oci-containers.containers.NAME.extraOptions = config.services.transcoded.containerOptions;`
      '';
    };

    containerEnvironment = mkOption {
      type = types.attrsOf types.str;
      readOnly = true;
      default = {
        inherit (pattern.environment) NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES;
      };
      defaultText = literalExpression "NVIDIA's two variables";
      description = "Likewise for `virtualisation.oci-containers.containers.NAME.environment`.";
    };

    libraryAccess = mkOption {
      type = types.attrsOf (types.listOf types.str);
      readOnly = true;
      default.ReadOnlyPaths = pattern.libraries;
      defaultText = literalExpression "ReadOnlyPaths of the driver's libraries";
      description = ''
        For services that need the driver's libraries and no device:
        `systemd.services.NAME.serviceConfig = config.services.transcoded.libraryAccess;`
      '';
    };
  };
}
