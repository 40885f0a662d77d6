# What runs: the units of systemd/ in NixOS' words. tests/nix compares the two
# field by field; why each setting is there is told in systemd/*.service.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkIf optionals optionalAttrs;
  cfg = config.services.transcoded;
  pattern = import ./pattern.nix;
  json = pkgs.formats.json { };

  hasCard = cfg.devices != [ ];
  nodesUnit = "transcoded-device-nodes.service";

  readRoots = cfg.settings.roots.read or [ ];
  writeRoots = cfg.settings.roots.write or [ ];
  # A folder that is not there costs its own jobs, not the service.
  ifThere = map (folder: "-${folder}");

  document = json.generate "transcoded.json" cfg.settings;
  # What `transcoded` would not start with fails the build, in its own words.
  configuration = pkgs.runCommand "transcoded-configuration" { } ''
    ${lib.getExe' cfg.finalPackage "transcoded"} --config ${document} --check-config
    cp ${document} $out
  '';

  profiles = pkgs.linkFarm "transcoded-profiles" (
    lib.mapAttrsToList (name: profile: {
      name = "${name}.json";
      path = json.generate "${name}.json" profile;
    }) cfg.profiles
  );

  service = {
    description = "Hardware transcoding service";
    documentation = [
      "man:transcoded(8)"
      "man:transcodectl(1)"
    ];
    requires = [ "transcoded.socket" ];
    wants = optionals hasCard [ nodesUnit ];
    after = [ "transcoded.socket" ] ++ optionals hasCard [ nodesUnit ];
    wantedBy = [ "multi-user.target" ];
    reloadTriggers = [ configuration ];
    environment = optionalAttrs hasCard pattern.environment;

    unitConfig = {
      StartLimitIntervalSec = "2min";
      StartLimitBurst = 5;
      RequiresMountsFor = readRoots ++ writeRoots;
    };

    serviceConfig = {
      Type = "notify";
      NotifyAccess = "main";
      ExecStart = lib.getExe' cfg.finalPackage "transcoded";
      ExecReload = "${lib.getExe' pkgs.coreutils "kill"} -HUP $MAINPID";
      Restart = "on-failure";
      RestartSec = "500ms";
      RestartPreventExitStatus = "2 78";
      WatchdogSec = "30s";
      TimeoutStopSec = "45s";
      KillMode = "mixed";
      OOMPolicy = "continue";

      User = "transcoded";
      Group = "transcoded";
      UMask = "0002";
      StateDirectory = "transcoded";
      StateDirectoryMode = "0700";
      ConfigurationDirectory = "transcoded";
      ReadOnlyPaths = ifThere (lib.filter (folder: !lib.elem folder writeRoots) readRoots);
      ReadWritePaths = ifThere writeRoots;

      Slice = "transcoded.slice";
      Delegate = "cpu memory pids";

      DevicePolicy = "closed";
      DeviceAllow = optionals hasCard (map (node: "${node} rw") (cfg.devices ++ pattern.deviceClasses));
      SupplementaryGroups = optionals hasCard pattern.groups;

      PrivateNetwork = true;
      RestrictAddressFamilies = "AF_UNIX";
      IPAddressDeny = "any";

      PrivateDevices = false;
      PrivateTmp = true;
      ProtectSystem = "strict";
      ProtectHome = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectProc = "invisible";
      ProcSubset = "all";
      CapabilityBoundingSet = "";
      NoNewPrivileges = true;
      LockPersonality = true;
      RemoveIPC = true;
      RestrictNamespaces = true;
      RestrictRealtime = true;
      SystemCallArchitectures = "native";
      SystemCallErrorNumber = "EPERM";
      SystemCallFilter = [
        "@system-service"
        "~@privileged"
        "@chown seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"
      ];
    };
  };

  socket = {
    description = "Socket of the hardware transcoding service";
    documentation = [ "man:transcoded(8)" ];
    wantedBy = [ "sockets.target" ];
    socketConfig = {
      ListenStream = "/run/transcoded/io.transcoded";
      FileDescriptorName = "io.transcoded";
      DirectoryMode = "0755";
      SocketMode = cfg.settings.socket_mode or "0660";
      SocketGroup = "transcoded";
    };
  };

  # The driver of nixpkgs makes most nodes by udev rules; this waits for none of
  # them, and makes what is missing.
  deviceNodes = {
    description = "Device nodes of NVIDIA's driver";
    documentation = [ "man:transcoded(8)" ];
    after = [ "systemd-modules-load.service" ];
    before = [
      "transcoded.service"
      "jellyfin.service"
      "immich-server.service"
      "immich-machine-learning.service"
    ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${cfg.finalPackage}/libexec/transcoded/device-nodes";
      ProtectHome = true;
      ProtectSystem = "full";
      PrivateNetwork = true;
      PrivateTmp = true;
      RestrictAddressFamilies = "AF_UNIX AF_NETLINK";
      CapabilityBoundingSet = "CAP_MKNOD CAP_SYS_MODULE CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE";
    };
  };

  neighbour = name: {
    wants = [ nodesUnit ];
    after = [ nodesUnit ];
    environment =
      pattern.environment
      // optionalAttrs (pattern.caches ? ${name}) (
        lib.genAttrs pattern.caches.${name}.variables (_: pattern.caches.${name}.folder)
      );
    serviceConfig = {
      DeviceAllow = map (node: "${node} rw") cfg.devices;
      SupplementaryGroups = pattern.groups;
      # with true the nodes above would not be seen
      PrivateDevices = lib.mkForce false;
    };
  };

  cacheRule =
    name:
    let
      inherit (config.systemd.services.${name}) serviceConfig;
      user = serviceConfig.User or "root";
    in
    "d ${pattern.caches.${name}.folder} 0750 ${user} ${serviceConfig.Group or user} -";
in
{
  config = mkIf cfg.enable {
    services.transcoded.settings = {
      roots = { inherit (cfg.roots) read write; };
      output_group = cfg.outputs.group;
      output_mode = cfg.outputs.mode;
      profiles = mkIf (cfg.profiles != { }) "${profiles}";
    };

    environment.etc."transcoded/transcoded.json".source = configuration;
    environment.systemPackages = [ cfg.finalPackage ];

    systemd.services = lib.mkMerge [
      { transcoded = service; }
      (mkIf hasCard { transcoded-device-nodes = deviceNodes; })
      (mkIf hasCard (lib.genAttrs cfg.gpu.neighbours neighbour))
    ];
    systemd.sockets.transcoded = socket;
    systemd.tmpfiles.rules =
      [ "d /run/transcoded 0755 root root -" ]
      ++ map cacheRule (lib.filter (name: pattern.caches ? ${name}) cfg.gpu.neighbours);

    users.users.transcoded = {
      isSystemUser = true;
      description = "Hardware transcoding service";
      home = "/var/lib/transcoded";
      group = "transcoded";
      extraGroups = optionals (cfg.outputs.group != null) [ cfg.outputs.group ];
    };
    users.groups.transcoded.members = cfg.clients;
  };
}
