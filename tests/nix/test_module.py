#!/usr/bin/env python3
"""The NixOS module: it makes the units of systemd/, refuses what cannot work,
and passes a configuration on that `transcoded --check-config` has seen."""

import json
import os
import re
import subprocess

import nix  # which knows where the next ones are
import harness
import units
from nix import MODULE, machine

STORE = "/nix/store/" + 32 * "0" + "-"
ENABLED = "{ services.transcoded.enable = true; }"
# A machine with a P1000 on driver 470, as nix/README.md wants it.
LEGACY = """
{ pkgs, ... }:
{
  hardware.graphics.enable = true;
  hardware.nvidia.package = pkgs.linuxPackages.nvidiaPackages.legacy_470;
  services.xserver.videoDrivers = [ "nvidia" ];
  nixpkgs.config = { allowUnfree = true; nvidia.acceptLicense = true; };
  services.transcoded = { enable = true; gpu.driver = "legacy_470"; };
}"""
COMPLAINTS = """{
  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  inherit (config) warnings;
}"""


def setting(text):
    """A module that sets what `text` says."""
    return f"{{ config, lib, pkgs, ... }}: {{ {text} }}"


def complaints(*modules):
    found = machine(MODULE, *modules, show=COMPLAINTS)
    return found["failed"], found["warnings"]


# Of these, several words in one line and several lines are the same to systemd.
WORDS = {"Documentation", "Requires", "Wants", "After", "Before", "WantedBy", "SupplementaryGroups",
         "RequiresMountsFor"}
# Of these, the order says nothing.
SETS = {"After", "Environment"}


def plain(key, values):
    """Values of a unit's key, in one form for files and modules."""
    texts = [re.sub(r"@PREFIX@|/nix/store/[^/]+", "", t) for t in values]
    if key in WORDS:
        texts = [word for t in texts for word in t.split()]
    return sorted(texts) if key in SETS else texts


def of_file(path):
    sections = units.read(path)
    sections.get("Install", {}).pop("Also", None)  # NixOS knows what belongs together
    return {name: {k: plain(k, v) for k, v in keys.items()} for name, keys in sections.items()}


def of_module(unit):
    return {name: {k: plain(k, v) for k, v in keys.items()} for name, keys in nix.sections(unit).items()}


class Units(nix.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        neighbours = 'services.transcoded.gpu.neighbours = [ "jellyfin" "immich-server" "immich-machine-learning" ];'
        cls.config = machine(MODULE, LEGACY, setting(neighbours), show="""{
            inherit (config.systemd) services sockets tmpfiles;
            inherit (config.users) users groups;
            inherit (config.boot) kernelModules;
        }""")

    def test_units__field_by_field__are_the_shipped_ones(self):
        services = self.config["services"]
        for name in "transcoded", "transcoded-device-nodes":
            with self.subTest(name):
                self.assertEqual(of_module(services[name]), of_file(units.UNITS / f"{name}.service"))
        self.assertEqual(of_module(self.config["sockets"]["transcoded"]),
                         of_file(units.UNITS / "transcoded.socket"))

    def test_shipped_units__each_one__is_compared(self):
        shipped = {p.name for p in units.UNITS.iterdir() if p.suffix in (".service", ".socket")}
        self.assertEqual(shipped, {"transcoded.service", "transcoded-device-nodes.service", "transcoded.socket"})

    def test_neighbours__field_by_field__have_the_shipped_drop_ins(self):
        for folder in sorted(units.UNITS.glob("*.service.d")):
            with self.subTest(folder.name):
                name = folder.name.removesuffix(".service.d")
                self.assertEqual(of_module(self.config["services"][name]), of_file(folder / "transcoded.conf"))

    def test_pattern__is_that_of_the_table(self):
        for name, unit in self.config["services"].items():
            if name == "transcoded-device-nodes":
                continue
            given = {"devices": dict(d.split() for d in unit["serviceConfig"]["DeviceAllow"]),
                     "groups": unit["serviceConfig"]["SupplementaryGroups"],
                     "environment": unit["environment"]}
            with self.subTest(name):
                self.assertEqual(given, units.expected(name))

    def test_user_and_folders__are_the_shipped_ones(self):
        user = self.config["users"]["transcoded"]
        text = (units.UNITS / "sysusers.d/transcoded.conf").read_text()
        self.assertIn(f'u transcoded - "{user["description"]}" {user["home"]}\n', text)
        self.assertEqual((user["isSystemUser"], user["group"]), (True, "transcoded"))
        self.assertEqual(self.config["kernelModules"], ["nvidia", "nvidia_modeset", "nvidia_drm"])
        rules = self.config["tmpfiles"]["rules"]
        self.assertIn(rules[0], (units.UNITS / "tmpfiles.d/transcoded.conf").read_text().splitlines())
        self.assertEqual(rules[1:], ["d /var/cache/immich-machine-learning 0750 root root -"])


class Options(nix.TestCase):
    def test_roots__configuration_and_unit__agree(self):
        c = machine(MODULE, ENABLED, setting("""services.transcoded = {
              roots.read = [ "/srv/media" "/srv/both" ];
              roots.write = [ "/srv/out" "/srv/both" ];
              outputs = { group = "media"; mode = "0640"; };
            };"""), show="""{
              inherit (config.services.transcoded) settings;
              inherit (config.systemd.services.transcoded) serviceConfig unitConfig;
              user = config.users.users.transcoded;
            }""")
        self.assertEqual(c["settings"], {
            "roots": {"read": ["/srv/media", "/srv/both"], "write": ["/srv/out", "/srv/both"]},
            "output_group": "media", "output_mode": "0640"})
        # what may be written must not be listed as what may only be read
        self.assertEqual(c["serviceConfig"]["ReadOnlyPaths"], ["-/srv/media"])
        self.assertEqual(c["serviceConfig"]["ReadWritePaths"], ["-/srv/out", "-/srv/both"])
        self.assertEqual(c["unitConfig"]["RequiresMountsFor"],
                         ["/srv/media", "/srv/both", "/srv/out", "/srv/both"])
        self.assertEqual(c["user"]["extraGroups"], ["media"])

    def test_roots__in_settings__open_the_unit_too(self):
        c = machine(MODULE, ENABLED, setting('services.transcoded.settings.roots.write = [ "/srv/more" ];'),
                    show="config.systemd.services.transcoded.serviceConfig.ReadWritePaths")
        self.assertEqual(c, ["-/srv/more"])

    def test_clients__are_members_of_the_sockets_group(self):
        c = machine(MODULE, ENABLED, setting('services.transcoded.clients = [ "jellyfin" "alice" ];'),
                    show="{ inherit (config.users.groups.transcoded) members;"
                         "  group = config.systemd.sockets.transcoded.socketConfig.SocketGroup; }")
        self.assertEqual(c, {"members": ["jellyfin", "alice"], "group": "transcoded"})

    def test_devices__none__is_a_machine_without_a_card(self):
        c = machine(MODULE, ENABLED, setting("services.transcoded.devices = [ ];"), show=f"""{{
              unit = config.systemd.services.transcoded;
              services = lib.attrNames config.systemd.services;
              inherit (config.boot) kernelModules;
              complaints = {COMPLAINTS};
            }}""")
        self.assertEqual(c["services"], ["transcoded"])
        self.assertEqual(c["kernelModules"], [])
        self.assertEqual(c["unit"]["environment"], {})
        self.assertEqual(c["unit"]["wants"], [])
        for key in "DeviceAllow", "SupplementaryGroups":
            self.assertEqual(c["unit"]["serviceConfig"][key], [])
        self.assertEqual(c["complaints"], {"failed": [], "warnings": []})

    def test_devices__others__are_the_units_and_the_containers(self):
        nodes = ["/dev/nvidia1", "/dev/nvidiactl", "/dev/dri/renderD129"]
        c = machine(MODULE, ENABLED, setting(f"services.transcoded.devices = [ {' '.join(map(json.dumps, nodes))} ];"),
                    show="{ allowed = config.systemd.services.transcoded.serviceConfig.DeviceAllow;"
                         "  container = config.services.transcoded.containerOptions; }")
        added = units.PATTERN["additions"]["transcoded"]["devices"]
        self.assertEqual(c["allowed"], [f"{n} rw" for n in [*nodes, *added]])
        self.assertEqual(c["container"], [f"--device={n}" for n in nodes])

    def test_containers_and_libraries__are_patterns_2_and_3(self):
        c = machine(MODULE, ENABLED, show="{ inherit (config.services.transcoded)"
                                          "  containerOptions containerEnvironment libraryAccess; }")
        self.assertEqual(c["containerOptions"], [f"--device={d}" for d in units.PATTERN["devices"]])
        self.assertEqual(c["containerEnvironment"], {k: v for k, v in units.PATTERN["environment"].items()
                                                     if k.startswith("NVIDIA_")})
        self.assertEqual(c["libraryAccess"], {"ReadOnlyPaths": ["/run/opengl-driver", "/run/opengl-driver-32"]})

    def test_configuration__that_changes__reloads_the_service(self):
        c = machine(MODULE, ENABLED, show="""{
              triggers = map (p: p.name) config.systemd.services.transcoded.reloadTriggers;
              file = config.environment.etc."transcoded/transcoded.json".source.name;
              programs = map (p: p.pname) config.environment.systemPackages;
            }""")
        self.assertEqual(c["triggers"], [c["file"]])
        self.assertEqual(c["programs"], ["transcoded"])

    def test_neighbours__services_of_others__keep_their_own(self):
        c = machine(MODULE, LEGACY, setting("""
              services.jellyfin.enable = true;
              services.immich.enable = true;
              services.transcoded.gpu.neighbours = [ "jellyfin" "immich-machine-learning" ];"""),
                    show=f"{{ inherit (config.systemd) services tmpfiles; complaints = {COMPLAINTS}; }}")
        jellyfin, immich = (c["services"][n]["serviceConfig"] for n in ("jellyfin", "immich-machine-learning"))
        self.assertIn("char-drm rw", jellyfin["DeviceAllow"])
        self.assertIn("/dev/nvidia0 rw", jellyfin["DeviceAllow"])
        self.assertEqual(immich["PrivateDevices"], False)
        self.assertIn("d /var/cache/immich-machine-learning 0750 immich immich -", c["tmpfiles"]["rules"])
        self.assertEqual(c["services"]["immich-server"]["serviceConfig"]["PrivateDevices"], True)
        self.assertEqual(c["complaints"], {"failed": [], "warnings": []})

    def test_ffmpeg__is_the_drivers__and_what_the_package_is_built_with(self):
        show = """let t = config.services.transcoded; in {
            of = map (p: p.name) t.finalPackage.buildInputs;
            headers = (lib.findFirst (p: lib.getName p == "nv-codec-headers") null t.ffmpeg.buildInputs).version;
        }"""
        auto = machine(MODULE, ENABLED, show=show)
        self.assertEqual(auto["headers"], "12.1.14.0")
        self.assertIn("ffmpeg-headless-8.0", auto["of"])
        legacy = machine(MODULE, LEGACY, show=show)
        self.assertEqual(legacy["headers"], "11.1.5.3")
        self.assertIn("ffmpeg-headless-7.1.1", legacy["of"])

    def test_legacy_470__open_module_and_gsp__are_off_if_nothing_is_said(self):
        show = "{ inherit (config.hardware.nvidia) open; gsp = config.hardware.nvidia.gsp.enable; }"
        self.assertEqual(machine(MODULE, LEGACY, show=show), {"open": False, "gsp": False})


class Refused(nix.TestCase):
    def test_values__of_a_wrong_kind__are_named(self):
        for text, words in (
                ('enabel = true;', "services.transcoded.enabel' does not exist"),
                ('gpu.driver = "nouveau";', "services.transcoded.gpu.driver' is not of type"),
                ('gpu.memory = 0;', "services.transcoded.gpu.memory' is not of type"),
                ('devices = "/dev/nvidia0";', "services.transcoded.devices' is not of type"),
                ('devices = [ "nvidia0" ];', "services.transcoded.devices' is not of type"),
                ('roots.read = [ "media" ];', "services.transcoded.roots.read' is not of type"),
                ('roots.execute = [ "/media" ];', "services.transcoded.roots.execute' does not exist"),
                ('outputs.mode = "rw-rw-r--";', "services.transcoded.outputs.mode' is not of type"),
                ('clients = [ 7 ];', "services.transcoded.clients' is not of type"),
                ('containerOptions = [ ];', "services.transcoded.containerOptions' is read-only"),
                ('settings = { limits.cpu_jobs = x: x; };', "services.transcoded.settings.limits.cpu_jobs' is not"),
                ('package = "transcoded";', "services.transcoded.package' is not of type")):
            with self.subTest(text), self.assertRaises(nix.Refused) as refused:
                machine(MODULE, ENABLED, setting(f"services.transcoded = {{ {text} }};"),
                        show="{ t = removeAttrs config.services.transcoded [ \"finalPackage\" ];"
                             "  p = config.services.transcoded.package.name; }")
            self.assertIn(words, str(refused.exception))

    def test_machine__as_it_should_be__has_no_complaint(self):
        self.assertEqual(complaints(LEGACY), ([], []))

    def test_driver__that_cannot_work__is_explained(self):
        driver = "hardware.nvidia.package = lib.mkForce pkgs.linuxPackages.nvidiaPackages"
        auto = 'services.transcoded.gpu.driver = lib.mkForce "auto";'
        for text, words, remedy in (
                ("hardware.graphics.enable = lib.mkForce false;",
                 "graphics are not enabled", "hardware.graphics.enable = true"),
                ("services.xserver.videoDrivers = lib.mkForce [ ];",
                 "no NVIDIA driver is chosen", 'services.xserver.videoDrivers = [ "nvidia" ]'),
                (f"{driver}.stable;",
                 "hardware.nvidia.package is driver 580.95.05", "nvidiaPackages.legacy_470"),
                ("services.transcoded.ffmpeg = pkgs.ffmpeg-headless;",
                 "nv-codec-headers 12.1.14.0, which need driver 530.41.03", "services.transcoded.ffmpeg"),
                (auto, "hardware.nvidia.package is 470.256.02", 'gpu.driver = "legacy_470"'),
                ("hardware.nvidia.open = true;", "no open kernel module", "hardware.nvidia.open = false"),
                ("hardware.nvidia.gsp.enable = true;", "no firmware", "hardware.nvidia.gsp.enable = false"),
                ("nixpkgs.config = lib.mkForce { allowUnfree = true; };",
                 "licence is not accepted", "nvidia.acceptLicense = true"),
                ("nixpkgs.config = lib.mkForce { nvidia.acceptLicense = true; };",
                 "licence is not accepted", "allowUnfree = true"),
                ("systemd.services.transcoded.serviceConfig.PrivateDevices = lib.mkForce true;",
                 "PrivateDevices is set for transcoded.service", "PrivateDevices = lib.mkForce false"),
                ('systemd.services.transcoded.serviceConfig.PrivateDevices = lib.mkForce "yes";',
                 "PrivateDevices is set for transcoded.service", "PrivateDevices = lib.mkForce false"),
                ('services.jellyfin.enable = true; services.transcoded.gpu.neighbours = [ "jellyfin" ];'
                 "systemd.services.jellyfin.serviceConfig.PrivateDevices = lib.mkOverride 10 true;",
                 "PrivateDevices is set for jellyfin.service", "systemd.services.jellyfin.serviceConfig"),
                ('services.transcoded.gpu.neighbours = [ "jelyfin" ];', "jelyfin", "no such service"),
                ('services.transcoded.roots.write = [ "/home/alice/films" ];',
                 "/home/alice/films lies in a home folder", "ProtectHome = lib.mkForce false"),
                ('services.transcoded.roots.read = [ "/root" ];',
                 "/root lies in a home folder", "ProtectHome = lib.mkForce false")):
            with self.subTest(text):
                failed, _ = complaints(LEGACY, setting(text))
                self.assertEqual(len(failed), 1, failed)
                self.assertTrue(failed[0].startswith("services.transcoded: "), failed)
                self.assertIn(words, failed[0])
                self.assertIn(remedy, failed[0])

    def test_headers__each__need_their_driver(self):
        for headers, driver in (("13.0.19.0", "570.0"), ("12.2.72.0", "550.54.14"), ("12.1.14.0", "530.41.03"),
                                ("12.0.16.1", "520.56.06"), ("11.1.5.3", None), ("11.0.10.3", None)):
            with self.subTest(headers):
                failed, _ = complaints(LEGACY, setting(f"""services.transcoded.ffmpeg = pkgs.ffmpeg-headless.override {{
                      nv-codec-headers-12 = pkgs.nv-codec-headers-12.overrideAttrs {{ version = "{headers}"; }};
                    }};"""))
                self.assertEqual([re.search(r"need driver (\S+);", f)[1] for f in failed],
                                 [driver] if driver else [])

    def test_driver__that_works_otherwise__is_let_be(self):
        driver = "hardware.nvidia.package = lib.mkForce pkgs.linuxPackages.nvidiaPackages"
        auto = 'services.transcoded.gpu.driver = lib.mkForce "auto";'
        for text in (f"{driver}.stable; {auto}", f"{driver}.legacy_535; {auto}",
                     # whoever has an open kernel module need not accept the licence by name
                     f"{driver}.stable; {auto} nixpkgs.config = lib.mkForce {{ allowUnfree = true; }};",
                     "services.transcoded.ffmpeg = pkgs.zlib;",  # tells nothing of headers
                     'services.transcoded.roots.read = [ "/home/alice" ];'
                     "systemd.services.transcoded.serviceConfig.ProtectHome = lib.mkForce false;",
                     'services.transcoded.roots.read = [ "/homes" ];'):
            with self.subTest(text):
                self.assertEqual(complaints(LEGACY, setting(text)), ([], []))

    def test_ollama__on_a_small_card__is_warned_of(self):
        enabled = "services.ollama.enable = true;"
        cuda = f"{enabled} services.ollama.package = pkgs.ollama-cuda;"
        for text, expected in ((enabled, 0), (cuda, 1), (f"{enabled} nixpkgs.config.cudaSupport = true;", 1),
                               (f'{enabled} services.ollama.acceleration = "cuda";', 1),
                               (f"{cuda} services.transcoded.gpu.memory = 8;", 0),
                               ("services.ollama.package = pkgs.ollama-cuda;", 0)):
            with self.subTest(text):
                failed, warnings = complaints(LEGACY, setting(text))
                self.assertEqual((failed, len(warnings)), ([], expected))
                for warning in warnings:
                    self.assertIn("services.ollama uses CUDA on a card of 4 GiB", warning)


class Settings(nix.TestCase):
    def build(self, text):
        """Run the command that makes the configuration, with what is built here:
        its result, and what it has made."""
        c = machine(MODULE, ENABLED, setting(f"services.transcoded = {{ {text} }};"), show="""
            let t = config.services.transcoded; in {
              inherit (config.environment.etc."transcoded/transcoded.json".source) command;
              inherit (t) settings profiles;
              package = t.finalPackage.outPath;
            }""")
        package, profiles = self.folder / "package", self.folder / "profiles"
        for folder in package / "bin", profiles:
            folder.mkdir(parents=True)
        (package / "bin/transcoded").symlink_to(harness.TRANSCODED)
        for name, profile in c["profiles"].items():
            (profiles / f"{name}.json").write_text(json.dumps(profile))
        document = self.folder / "transcoded.json"
        document.write_text(json.dumps(c["settings"]).replace(f"{STORE}transcoded-profiles", str(profiles)))
        command = c["command"].replace(c["package"], str(package)) \
            .replace(f"{STORE}transcoded.json", str(document))
        self.assertNotIn("/nix/store", command)
        out = self.folder / "result"
        r = subprocess.run(["bash", "-eu", "-c", command], env={**os.environ, "out": str(out)},
                           capture_output=True, text=True)
        return r, json.loads(out.read_text()) if out.exists() else None

    def test_build__good_settings__makes_them_the_configuration(self):
        r, made = self.build("""
            roots.read = [ "/srv/media" ];
            settings = { admin_group = "wheel"; limits.cpu_jobs = 4; };
            profiles.tablet = { outputs = [ { video.max_height = 720; } ]; };""")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(made.pop("profiles"), str(self.folder / "profiles"))
        self.assertEqual(made, {
            "admin_group": "wheel", "limits": {"cpu_jobs": 4}, "output_group": None, "output_mode": "0664",
            "roots": {"read": ["/srv/media"], "write": []}})

    def test_build__nothing_said__passes(self):
        r, made = self.build("")
        self.assertEqual((r.returncode, made is None), (0, False), r.stderr)

    def refuse(self, text, *words):
        r, made = self.build(text)
        self.assertNotEqual(r.returncode, 0)
        self.assertIsNone(made)
        for word in words:
            self.assertIn(word, r.stderr)

    def test_build__unknown_setting__fails(self):
        self.refuse("settings.sockets = 1;", "sockets", "there is no such field")

    def test_build__bad_limit__fails(self):
        self.refuse("settings.limits.cpu_jobs = 0;", "limits.cpu_jobs", "not between 1 and 64")

    def test_build__bad_mode__fails(self):
        self.refuse('outputs.mode = "0444";', "output_mode", "must let the owner read and write")

    def test_build__bad_profile__fails(self):
        self.refuse('profiles.mine = { hardware = "fast"; };', "mine.json", "hardware")


if __name__ == "__main__":
    harness.main()
