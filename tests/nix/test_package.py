#!/usr/bin/env python3
"""The package, its FFmpeg, the flake and the VM test, as far as they can be
looked at without nixpkgs; and the example of nix/README.md."""

import re
import subprocess

import nix  # which knows where the next one is
import harness
from nix import FILES, HERE, TOP, evaluate, run

README = (TOP / "nix/README.md").read_text()
PACKAGES = f"let lib = import {HERE}/lib.nix; pkgs = import {HERE}/pkgs.nix {{ inherit lib; }}; in "
# pkg-config's names where nixpkgs has others.
NAMES = {"sqlite3": "sqlite", "libsystemd": "systemd"}


class Files(nix.TestCase):
    def test_files__each__parses(self):
        self.assertGreater(len(FILES), 10)
        for path in FILES:
            with self.subTest(path.name):
                run("--parse", path)

    def test_broken_file__does_not_parse(self):
        for text in "{ a = 1 }", "{ a = unknown; }", "let a = 1; in { inherit (a b; }":
            path = self.folder / "broken.nix"
            path.write_text(text)
            with self.subTest(text), self.assertRaises(nix.Refused):
                run("--parse", path)


class Package(nix.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.package = evaluate(PACKAGES + f"""
            let p = pkgs.callPackage {TOP}/nix/package.nix {{ }}; in
            removeAttrs p [ "outPath" "override" "overrideAttrs" "passthru" "tests" ]""")

    def inputs(self, *kinds):
        return {re.search(r"\d{32}-(.*)-[\d.]+$", path).group(1) for kind in kinds for path in self.package[kind]}

    def test_version__is_that_of_the_programs(self):
        r = subprocess.run([harness.TRANSCODED, "--version"], capture_output=True, text=True)
        self.assertEqual(r.stdout, f"transcoded {self.package['version']}\n")

    def test_inputs__are_what_the_makefile_links(self):
        listed = re.findall(r"^PACKAGES_(\w+) :=(.*)$", (TOP / "Makefile").read_text(), re.M)
        modules = {m for floor, row in listed if floor != "bench" for m in row.split() if not m.startswith("$")}
        self.assertIn("libuv", modules)
        self.assertLessEqual({NAMES.get(m, m) for m in modules}, self.inputs("buildInputs"))
        self.assertIn("ffmpeg", self.inputs("buildInputs"))  # of $(LIBAV)

    def test_build__follows_the_conventions(self):
        self.assertIs(self.package["strictDeps"], True)
        self.assertEqual(self.inputs("nativeBuildInputs"), {"addDriverRunpath", "pkg-config"})
        self.assertEqual(self.package["meta"]["license"]["spdxId"], "gpl2Plus")
        vm = evaluate(PACKAGES + f"(pkgs.callPackage {TOP}/nix/package.nix {{ }}).passthru.tests.vm.test")
        self.assertTrue(vm.endswith("-vm-test.nix"), vm)

    def test_check__target__is_in_the_makefile(self):
        self.assertIs(self.package["doCheck"], True)
        self.assertRegex((TOP / "Makefile").read_text(), rf"(?m)^{self.package['checkTarget']}:")
        self.assertEqual(self.inputs("checkInputs", "nativeCheckInputs"),
                         {"cmocka", "ffmpeg", "mandoc", "python3", "zsh"})

    def test_source__what_the_build_and_its_check_read__is_there(self):
        files = {path.removeprefix(f"{TOP}/") for path in self.package["src"]["files"]}
        self.assertLessEqual({"Makefile", "include", "src", "profiles", "systemd", "tests", "LICENSE"}, files)
        for name in files:
            self.assertTrue((TOP / name).exists(), name)

    def test_programs__that_the_package_names__are_installed(self):
        worker = re.search(r"addDriverRunpath \$out/(\S+)", self.package["postFixup"]).group(1)
        r = subprocess.run(["make", "-n", "-o", "all", "install", f"DESTDIR={self.folder}", "PREFIX=/p"],
                           cwd=TOP, capture_output=True, text=True)
        self.assertIn(f":{worker}", r.stdout)
        self.assertIn(f":bin/{self.package['meta']['mainProgram']}", r.stdout)


class Legacy(nix.TestCase):
    def test_ffmpeg__is_built_with_headers_of_driver_470(self):
        found = evaluate(PACKAGES + f"""
            let
              ffmpeg = pkgs.callPackage {TOP}/nix/ffmpeg-legacy.nix {{ }};
              headers = lib.findFirst (p: lib.getName p == "nv-codec-headers") null ffmpeg.buildInputs;
            in {{ inherit (ffmpeg) version; headers = headers.version; inherit (headers) src; }}""")
        # 11.1 at most, and of those what FFmpeg since 6.1 asks for
        self.assertEqual(found["headers"], "11.1.5.3")
        self.assertGreaterEqual(int(found["version"].split(".")[0]), 7)
        self.assertEqual(found["src"]["url"].count("11.1.5.3"), 2)
        self.assertRegex(found["src"]["hash"], r"^sha256-[A-Za-z0-9+/]{43}=$")


class Flake(nix.TestCase):
    def test_outputs__are_there(self):
        show = evaluate(PACKAGES + f"""
            let
              flake = import {TOP}/flake.nix;
              outputs = flake.outputs {{
                self = outputs;
                nixpkgs = {{ inherit lib; legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (_: pkgs); }};
              }};
              names = lib.mapAttrs (_: lib.mapAttrs (_: p: p.name));
            in {{
              packages = names outputs.packages;
              checks = names outputs.checks;
              module = toString outputs.nixosModules.default;
              overlaid = map (p: p.name) (outputs.overlays.default pkgs pkgs).transcoded.buildInputs;
            }}""")
        version = evaluate(PACKAGES + f"(pkgs.callPackage {TOP}/nix/package.nix {{ }}).version")
        self.assertEqual(show["packages"]["x86_64-linux"],
                         {"default": f"transcoded-{version}", "ffmpeg-legacy": "ffmpeg-headless-7.1.1"})
        self.assertEqual(show["checks"]["x86_64-linux"],
                         {"package": f"transcoded-{version}", "vm": "vm-test"})
        self.assertEqual(show["module"], str(TOP / "nix/module.nix"))
        self.assertIn("ffmpeg-headless-8.0", show["overlaid"])


class VmTest(nix.TestCase):
    def test_machine__has_a_service_and_no_complaint(self):
        c = nix.machine(f"(import {TOP}/nix/vm-test.nix).nodes.machine", show="""{
            failed = lib.filter (a: !a.assertion) config.assertions;
            inherit (config.services.transcoded.settings) roots;
            inherit (config.systemd.services.transcoded.serviceConfig) ExecStart DeviceAllow;
        }""")
        self.assertEqual((c["failed"], c["DeviceAllow"]), ([], []))
        self.assertTrue(c["ExecStart"].endswith("/bin/transcoded"))
        self.assertEqual(c["roots"], {"read": ["/srv/media"], "write": ["/srv/media/out"]})

    def test_script__is_python_and_speaks_of_commands_that_exist(self):
        script = evaluate(f"(import {TOP}/nix/vm-test.nix).testScript")
        compile(script, "vm-test", "exec")
        commands = re.findall(r"transcodectl (\w+)", script)
        self.assertGreaterEqual(len(commands), 3)
        for command in commands:
            r = subprocess.run([harness.TRANSCODECTL, command, "--help"], capture_output=True, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)


class Readme(nix.TestCase):
    def setUp(self):
        super().setUp()
        self.flake, self.configuration = (self.folder / n for n in ("flake.nix", "configuration.nix"))
        blocks = re.findall(r"^```nix\n(.*?)^```", README, re.S | re.M)
        for path, text in zip((self.flake, self.configuration), blocks, strict=True):
            path.write_text(text)
        self.modules = f"""(((import {self.flake}).outputs {{
              nixpkgs.lib.nixosSystem = system: system;
              transcoded = (import {TOP}/flake.nix).outputs {{ self = null; nixpkgs = null; }};
            }}).nixosConfigurations.server.modules)"""

    def example(self, show):
        return evaluate(f"""
            let
              lib = import {HERE}/lib.nix;
              config = import {HERE}/machine.nix {self.modules};
            in {show}""")

    def test_example__is_accepted_without_a_complaint(self):
        c = self.example("{ failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);"
                         "  inherit (config) warnings; }")
        self.assertEqual(c, {"failed": [], "warnings": []})

    def test_example__does_what_its_words_say(self):
        c = self.example("""{
            driver = config.hardware.nvidia.package.version;
            headers = (lib.findFirst (p: lib.getName p == "nv-codec-headers") null
              config.services.transcoded.ffmpeg.buildInputs).version;
            services = lib.mapAttrs (_: s: s.serviceConfig) config.systemd.services;
            inherit (config.users.groups.transcoded) members;
            inherit (config.users.users.transcoded) extraGroups;
            inherit (config.virtualisation.oci-containers.containers) films;
        }""")
        self.assertEqual((c["driver"], c["headers"]), ("470.256.02", "11.1.5.3"))
        for name in "transcoded", "jellyfin", "immich-server", "immich-machine-learning":
            self.assertIn("/dev/nvidia0 rw", c["services"][name]["DeviceAllow"], name)
            self.assertIs(c["services"][name]["PrivateDevices"], False)
        self.assertEqual(c["services"]["transcoded"]["ReadWritePaths"], ["-/srv/media/transcoded"])
        self.assertEqual((c["members"], c["extraGroups"]), (["jellyfin"], ["media"]))
        self.assertIn("--device=/dev/nvidia0", c["films"]["extraOptions"])

    def test_settings__are_a_configuration(self):
        settings = self.example("builtins.toJSON (removeAttrs config.services.transcoded.settings [ \"profiles\" ])")
        path = self.folder / "transcoded.json"
        path.write_text(settings)
        r = subprocess.run([harness.TRANSCODED, "--config", path, "--check-config"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)

    def test_options__each__is_in_the_table(self):
        table = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
        told = set(re.findall(r"`([\w.]+)`", "\n".join(line.split("|")[1] for line in table.splitlines())))
        there = evaluate(f"""
            let
              lib = import {HERE}/lib.nix;
              pkgs = import {HERE}/pkgs.nix {{ inherit lib; }};
              options = (lib.evalModules {{
                modules = [ {HERE}/nixos.nix {TOP}/nix/module.nix ];
                specialArgs = {{ inherit pkgs; }};
              }}).options.services.transcoded;
              names = prefix: lib.concatMap (n: let o = prefix.set.${{n}}; p = prefix.name + n; in
                if o ? _type then [ p ] else names {{ set = o; name = "${{p}}."; }}) (lib.attrNames prefix.set);
            in names {{ set = options; name = ""; }}""")
        self.assertEqual(told, set(there) - {"finalPackage"})


if __name__ == "__main__":
    harness.main()
