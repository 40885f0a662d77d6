#!/usr/bin/env python3
"""The machine of nix/vm-test.nix, without NixOS: what the module makes of it is
written down as units, users and folders of a throw-away systemd, and the test's
own script runs there."""

import contextlib
import json

import nix  # which knows where the next ones are
import harness
import machine
from harness import wait_until
from nix import TOP

VM = f"(import {TOP}/nix/vm-test.nix)"
SHOW = """{
  inherit (config.systemd) services sockets;
  inherit (config.systemd.tmpfiles) rules;
  inherit (config.users) users groups;
  inherit (config.services.transcoded) settings profiles;
  package = config.services.transcoded.finalPackage.outPath;
  tools = pkgs.coreutils.outPath;
}"""


class Machine(machine.Machine):
    """Installed as the module says instead of as `make install` does."""

    def __init__(self, folder, config):
        super().__init__(folder)
        self.config = config

    def write(self, path, text):
        path = self.installed / path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = text.replace(self.config["package"], self.prefix).replace(self.config["tools"], "")
        path.write_text(text)

    def write_unit(self, name, unit):
        lines = []
        for section, keys in nix.sections(unit).items():
            lines += [f"[{section}]", *(f"{k}={v}" for k, values in keys.items() for v in values)]
        self.write(f"etc/systemd/system/{name}", "\n".join(lines) + "\n")

    def write_users(self):
        users, groups = self.config["users"], self.config["groups"]
        lines = [f"g {name} -" for name in groups]
        for name, user in users.items():
            shell = "/bin/sh" if user["isNormalUser"] else "-"
            lines.append(f'u {name} - "{user["description"]}" {self.home(name)} {shell}')
            lines += [f"m {name} {group}" for group in user["extraGroups"]]
        lines += [f"m {name} {group}" for group, g in groups.items() for name in g["members"]]
        self.write("usr/lib/sysusers.d/machine.conf", "\n".join(lines) + "\n")

    def home(self, name):
        user = self.config["users"][name]
        return f"/home/{name}" if user["isNormalUser"] else user["home"]

    def install(self):
        super().install()
        for folder in "systemd/system", "sysusers.d", "tmpfiles.d":
            for path in (self.installed / "usr/lib" / folder).glob("transcoded*"):
                path.unlink()
        for kind in "service", "socket":
            for name, unit in self.config[f"{kind}s"].items():
                self.write_unit(f"{name}.{kind}", unit)
        self.write_users()
        homes = [f"d {self.home(n)} 0700 {n} {n} -" for n, u in self.config["users"].items() if u["isNormalUser"]]
        self.write("usr/lib/tmpfiles.d/machine.conf", "\n".join(self.config["rules"] + homes) + "\n")
        profiles = "etc/transcoded/profiles"
        settings = {**self.config["settings"], "profiles": f"/{profiles}"}
        self.write("etc/transcoded/transcoded.json", json.dumps(settings))
        for name, profile in self.config["profiles"].items():
            self.write(f"{profiles}/{name}.json", json.dumps(profile))

    def start(self):
        wanted = [f"{name}.{kind}" for kind in ("socket", "service")
                  for name, unit in self.config[f"{kind}s"].items() if unit["wantedBy"]]
        self.shell("systemd-sysusers; systemd-tmpfiles --create machine.conf; systemctl daemon-reload")
        self.run("systemctl", "start", *wanted)

    # What a script of a NixOS test may say:

    def succeed(self, command):
        return self.shell(command)

    def fail(self, command):
        r = self.run("sh", "-euc", command, check=False)
        if r.returncode == 0:
            raise AssertionError(f"'{command}' should fail: {r.stdout}")
        return r.stdout

    def wait_for_unit(self, unit):
        wait_until(lambda: self.property(unit, "ActiveState") == "active", f"{unit} is active")


class Vm(nix.TestCase):
    def test_script__on_the_units_of_the_module__passes(self):
        why = machine.why_not()
        if why:
            self.skipTest(why)
        config = nix.machine(f"{VM}.nodes.machine", show=SHOW)
        script = compile(nix.evaluate(f"{VM}.testScript"), "vm-test.nix", "exec")
        told = []

        @contextlib.contextmanager
        def subtest(name):
            yield
            told.append(name)

        with Machine(self.folder / "machine", config) as vm:
            vm.start()
            try:
                exec(script, {"machine": vm, "subtest": subtest})
            except AssertionError as e:
                raise AssertionError(f"{e}\n" + vm.run("journalctl", "-u", "transcoded*", check=False).stdout) from e
        self.assertGreaterEqual(len(told), 5)


if __name__ == "__main__":
    harness.main()
