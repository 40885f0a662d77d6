# What NVIDIA's driver must be like. Each mistake here is one that a person would
# otherwise find at night, in a log: it is said when the system is built instead,
# with the setting that mends it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.services.transcoded;
  hasCard = cfg.devices != [ ];
  isLegacy = cfg.gpu.driver == "legacy_470";
  driver = config.hardware.nvidia.package;

  # The first driver that speaks what nv-codec-headers of a version ask for, as
  # their READMEs say; the newest first.
  firstDrivers = [
    { headers = "13.0"; driver = "570.0"; }
    { headers = "12.2"; driver = "550.54.14"; }
    { headers = "12.1"; driver = "530.41.03"; }
    { headers = "12.0"; driver = "520.56.06"; }
    { headers = "11.1"; driver = "470.57.02"; }
    { headers = "11.0"; driver = "455.28"; }
    { headers = "10.0"; driver = "445.87"; }
    { headers = "9.1"; driver = "435.21"; }
    { headers = "0"; driver = "390.25"; }
  ];

  isCalled = prefix: package: lib.isDerivation package && lib.hasPrefix prefix (lib.getName package);
  inputOf = package: prefix: lib.findFirst (isCalled prefix) null (package.buildInputs or [ ]);

  # Null where FFmpeg was built without NVENC, or in a way that does not tell.
  headers = inputOf cfg.ffmpeg "nv-codec-headers";
  neededDriver =
    (lib.findFirst (row: lib.versionAtLeast headers.version row.headers) null firstDrivers).driver;

  isOn = value: lib.elem value [ true 1 "yes" "true" "on" "1" ];
  hidesDevices = name: isOn (config.systemd.services.${name}.serviceConfig.PrivateDevices or false);
  sharers = [ "transcoded" ] ++ cfg.gpu.neighbours;

  hiddenByHome = lib.filter (
    folder: lib.any (home: folder == home || lib.hasPrefix "${home}/" folder) [ "/home" "/root" "/run/user" ]
  ) (cfg.roots.read ++ cfg.roots.write);
  hidesHome = !lib.elem (config.systemd.services.transcoded.serviceConfig.ProtectHome or false) [
    false
    "no"
    "false"
    "read-only"
  ];

  # Drivers without an open kernel module are those that want the licence accepted.
  wantsLicence = driver.open or null == null;
  mayBeUnfree =
    pkgs.config.allowUnfree or false || (pkgs.config.allowUnfreePredicate or (_: false)) driver;

  # Of a removed option the value throws; then the package says it.
  acceleration = builtins.tryEval (config.services.ollama.acceleration or null);
  ollamaUsesCuda =
    config.services.ollama.enable or false
    && (
      acceleration.success && acceleration.value == "cuda"
      || inputOf config.services.ollama.package "cuda" != null
      || pkgs.config.cudaSupport or false
    );

  say = message: "services.transcoded: ${builtins.replaceStrings [ "\n" ] [ " " ] message}";
  requirements = [
    {
      assertion = config.hardware.graphics.enable or config.hardware.opengl.enable or false;
      message = ''
        graphics are not enabled, so that /run/opengl-driver, where the driver's libraries are looked for, is not
        made. Set hardware.graphics.enable = true;'';
    }
    {
      assertion =
        config.hardware.nvidia.enabled or (lib.elem "nvidia" config.services.xserver.videoDrivers);
      message = ''
        no NVIDIA driver is chosen. Set services.xserver.videoDrivers = [ "nvidia" ]; (on a server without a screen,
        too), or services.transcoded.devices = [ ]; for a machine without a card.'';
    }
    {
      assertion = isLegacy -> lib.hasPrefix "470." driver.version;
      message = ''
        gpu.driver is "legacy_470", but hardware.nvidia.package is driver ${driver.version}.
        Set hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.legacy_470; or gpu.driver = "auto";'';
    }
    {
      assertion = isLegacy -> config.hardware.nvidia.open != true;
      message = ''
        driver 470 has no open kernel module, and Pascal cards are not served by any. Set hardware.nvidia.open = false;'';
    }
    {
      assertion = isLegacy -> !config.hardware.nvidia.gsp.enable;
      message = ''
        Pascal cards have no GSP, and driver 470 brings no firmware for one. Set hardware.nvidia.gsp.enable = false;'';
    }
    {
      assertion = mayBeUnfree && (wantsLicence -> pkgs.config.nvidia.acceptLicense or false);
      message = ''
        NVIDIA's licence is not accepted, without which driver ${driver.version} is not built. If you accept it, set
        nixpkgs.config.allowUnfree = true; and nixpkgs.config.nvidia.acceptLicense = true;'';
    }
  ]
  ++ lib.optional (headers != null) {
    assertion = lib.versionAtLeast driver.version neededDriver;
    message = ''
      ffmpeg was built with nv-codec-headers ${headers.version}, which need driver ${neededDriver}; hardware.nvidia.package is
      ${driver.version}. Every NVENC session would fail. Set services.transcoded.gpu.driver = "legacy_470"; for driver 470,
      or services.transcoded.ffmpeg to an FFmpeg with older headers.'';
  }
  ++ map (name: {
    assertion = !hidesDevices name;
    message = ''
      PrivateDevices is set for ${name}.service and hides the nodes of the card.
      Set systemd.services.${name}.serviceConfig.PrivateDevices = lib.mkForce false;'';
  }) sharers
  ++ map (name: {
    assertion = config.systemd.services.${name}.serviceConfig ? ExecStart;
    message = "gpu.neighbours names ${name}, and there is no such service here.";
  }) cfg.gpu.neighbours;
in
{
  config = mkIf cfg.enable {
    assertions =
      map (r: r // { message = say r.message; }) (
        lib.optionals hasCard requirements
        ++ [
          {
            assertion = hiddenByHome == [ ] || !hidesHome;
            message = ''
              the root ${lib.concatStringsSep ", " hiddenByHome} lies in a home folder, which ProtectHome hides from the service. Move it, or
              set systemd.services.transcoded.serviceConfig.ProtectHome = lib.mkForce false;'';
          }
        ]
      );

    warnings = lib.optional (hasCard && ollamaUsesCuda && cfg.gpu.memory <= 4) (say ''
      services.ollama uses CUDA on a card of ${toString cfg.gpu.memory} GiB: while a model is loaded, jobs are done on the CPU. Give
      ollama a package without CUDA, or say services.transcoded.gpu.memory if the card has more.'');

    # What the service may open must be there when it starts, on a server without
    # a screen, too.
    boot.kernelModules = mkIf hasCard [
      "nvidia"
      "nvidia_modeset"
      "nvidia_drm"
    ];

    hardware.nvidia = mkIf (hasCard && isLegacy) {
      open = mkDefault false;
      gsp.enable = mkDefault false;
    };
  };
}
