#!/usr/bin/env python3
"""The shipped units say what they must, as files: no systemd is needed."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness
import units
from units import PATTERN, UNITS

NEIGHBOURS = "jellyfin", "immich-server", "immich-machine-learning"
# What the service stands and falls with, beside the access to the card.
NEEDED = {
    "Unit": {"Requires": "transcoded.socket", "Wants": "transcoded-device-nodes.service",
             "After": "transcoded-device-nodes.service",
             "StartLimitIntervalSec": "2min", "StartLimitBurst": "5"},
    "Service": {"NotifyAccess": "main", "WatchdogSec": "30s", "ExecReload": "/bin/kill -HUP $MAINPID",
                "Restart": "on-failure", "RestartPreventExitStatus": "2 78", "OOMPolicy": "continue",
                "Slice": "transcoded.slice", "Delegate": "cpu memory pids",
                "DevicePolicy": "closed", "PrivateNetwork": "yes", "RestrictAddressFamilies": "AF_UNIX",
                "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
                "CapabilityBoundingSet": "", "NoNewPrivileges": "yes",
                "StateDirectory": "transcoded", "StateDirectoryMode": "0700", "UMask": "0002"},
}


def readme_rows():
    """The rows of README's table of the pattern: name to list of entries."""
    section = (harness.TOP / "README.md").read_text().split("## As a service")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return {name.strip(): cell.strip().split(", ") for name, cell in rows}


class Units(harness.TestCase):
    def test_pattern__is_complete(self):
        counts = [len(PATTERN[k]) for k in ("devices", "groups", "environment")]
        self.assertEqual(counts, [7, 2, 5])

    def test_service__has_exactly_the_pattern(self):
        self.assertEqual(units.access(UNITS / "transcoded.service"), units.expected("transcoded"))

    def test_drop_ins__have_exactly_the_pattern(self):
        self.assertEqual(sorted(p.parent.name for p in UNITS.glob("*.d/transcoded.conf")
                                if p.parent.suffixes == [".service", ".d"]),
                         sorted(n + ".service.d" for n in NEIGHBOURS))
        for name in NEIGHBOURS:
            with self.subTest(name):
                path = UNITS / f"{name}.service.d/transcoded.conf"
                self.assertEqual(units.access(path), units.expected(name))
                unit = units.read(path)
                self.assertEqual(unit["Service"]["PrivateDevices"], ["no"])
                for order in "Wants", "After":
                    self.assertEqual(unit["Unit"][order], ["transcoded-device-nodes.service"])

    def test_additions__stand_behind_a_line_that_says_so(self):
        for name, added in PATTERN["additions"].items():
            path = UNITS / ("transcoded.service" if name == "transcoded"
                            else f"{name}.service.d/transcoded.conf")
            text = path.read_text()
            marked = text.index("# Additions:")
            for kind in added.values():
                for word in kind:
                    self.assertGreater(text.index(word), marked, word)
            for word in [*PATTERN["devices"], *PATTERN["environment"]]:
                self.assertLess(text.index(word), marked, word)

    def test_readme__names_exactly_the_pattern(self):
        rows = readme_rows()
        self.assertEqual(rows["DeviceAllow, all rw"], list(PATTERN["devices"]))
        self.assertEqual(set(PATTERN["devices"].values()), {"rw"})
        self.assertEqual(rows["SupplementaryGroups"], PATTERN["groups"])
        self.assertEqual(rows["Environment"], [f"{k}={v}" for k, v in PATTERN["environment"].items()])
        added = PATTERN["additions"]
        self.assertEqual(rows["added for transcoded"],
                         [f"DeviceAllow={k} {v}" for k, v in added["transcoded"]["devices"].items()])
        self.assertEqual(rows["added for Immich's machine learning"],
                         [f"{k}={v}" for k, v in added["immich-machine-learning"]["environment"].items()])

    def test_readme__commands__are_of_what_is_installed(self):
        text = (harness.TOP / "README.md").read_text()
        for unit in re.findall(r"transcoded[\w-]*\.(?:socket|service)", text):
            self.assertTrue((UNITS / unit).exists(), unit)

    def test_service__has_what_it_needs(self):
        unit = units.read(UNITS / "transcoded.service")
        for section, keys in NEEDED.items():
            for key, value in keys.items():
                with self.subTest(key):
                    self.assertIn(value, unit[section].get(key, []))

    def test_units__known_traps__are_avoided(self):
        service = units.read(UNITS / "transcoded.service")["Service"]
        self.assertNotIn("RuntimeDirectory", service)  # it would take the socket's folder away
        self.assertNotEqual(service.get("PrivateDevices"), ["yes"])  # hides the nodes
        self.assertNotIn("PrivateUsers", service)  # every client would be nobody
        self.assertNotIn("ProtectClock", service)  # allows a device more
        self.assertNotIn("RestrictSUIDSGID", service)  # openat2() is refused with it
        self.assertEqual(service["Type"], ["notify"])  # notify-reload is none to systemd 252
        self.assertEqual(service["KillMode"], ["mixed"])  # the daemon stops its workers itself
        socket = units.read(UNITS / "transcoded.socket")["Socket"]
        self.assertEqual(socket["ListenStream"], ["/run/transcoded/io.transcoded"])
        nodes = units.read(UNITS / "transcoded-device-nodes.service")["Unit"]
        self.assertEqual(socket["SocketMode"], ["0660"])
        for name in ("transcoded", *NEIGHBOURS):
            self.assertIn(name + ".service", nodes["Before"][0].split())


if __name__ == "__main__":
    harness.main()
