#!/usr/bin/env python3
"""Wrong settings and places: one line says what is wrong, the exit status who
is to act, and nothing has been touched."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import harness
from harness import TRANSCODED, wait_until

# text of the configuration, and what its line must name beside the file
CONFIGURATIONS = [
    ('{', ["line 1"]),
    ('[]', ["object"]),
    ('{"color": "red"}', ["color"]),
    ('{"limits": {"cpu_jobz": 1}}', ["limits.cpu_jobz", "no such limit"]),
    ('{"limits": {"cpu_jobs": 0}}', ["limits.cpu_jobs", "between 1 and 64"]),
    ('{"limits": {"stall_timeout": "soon"}}', ["limits.stall_timeout", "a duration such as 30s"]),
    ('{"limits": {"worker_memory": "much"}}', ["limits.worker_memory", "a size such as 5M"]),
    ('{"socket_mode": "rw"}', ["socket_mode", "0660"]),
    ('{"socket_mode": 432}', ["socket_mode"]),
    ('{"roots": {"read": ["media"]}}', ["roots.read[0]"]),
    ('{"roots": {"writes": []}}', ["roots.writes"]),
    ('{"log_level": "loud"}', ["log_level"]),
    ('{"worker": 3}', ["worker"]),
    ('{"log_level": "info", "log_level": "debug"}', ["log_level"]),
]
# Files below the folder of profiles.
PROFILES = [("mine.json", '{"hardware": "fast"}', ["mine.json", "hardware"]),
            ("mine.json", '{"input": {"path": "/x"}}', ["mine.json", "input"]),
            ("devices/mine.json", '{"color": "red"}', ["devices/mine.json", "color"])]
# These are only found where the service is to run.
AT_START = [('{"socket_group": "no-such-group"}', ["socket_group", "no-such-group"]),
            ('{"admin_group": "no-such-group"}', ["admin_group", "no-such-group"]),
            ('{"output_group": "no-such-group"}', ["output_group", "no-such-group"])]


def picture(folder):
    """Everything below `folder`, and what stands for its content."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else None
            for p in sorted(pathlib.Path(folder).rglob("*"))}


class BadSettings(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "place"
        self.place.mkdir()

    def run_it(self, *arguments, **keywords):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("XDG_", "LISTEN_")) and k != "JOURNAL_STREAM"}
        return subprocess.run([TRANSCODED, *map(str, arguments)], capture_output=True, text=True,
                              timeout=harness.PATIENCE, env=environment, **keywords)

    def refused(self, status, words, *arguments, **keywords):
        """One line with all `words`, that exit status, and nothing touched."""
        before = picture(self.folder)
        r = self.run_it(*arguments, **keywords)
        self.assertEqual((r.returncode, r.stdout), (status, ""), r.stderr)
        self.assertEqual(r.stderr.count("\n"), 1, r.stderr)
        for word in words:
            self.assertIn(word, r.stderr)
        self.assertEqual(picture(self.folder), before)

    def named(self, socket="socket", state="state"):
        return "--socket", self.place / socket, "--state-dir", self.place / state

    def both_ways(self, words, *arguments, **keywords):
        self.refused(2, words, *arguments, "--check-config", **keywords)
        self.refused(78, words, *arguments, **keywords)

    def configuration(self, text):
        path = self.folder / "transcoded.json"
        path.write_text(text)
        return "--config", path

    def test_configuration__file_key_and_reason(self):
        for text, words in CONFIGURATIONS:
            with self.subTest(text):
                given = self.configuration(text)
                self.both_ways(["transcoded.json", *words], *given, *self.named())

    def test_configuration__that_is_not_there__is_named(self):
        self.both_ways(["nowhere.json", "No such file"], "--config", self.folder / "nowhere.json",
                       *self.named())

    def test_profile__file_field_and_reason(self):
        given = self.configuration(json.dumps({"profiles": str(self.folder / "profiles")}))
        for name, text, words in PROFILES:
            with self.subTest(text):
                path = self.folder / "profiles" / name
                path.parent.mkdir(parents=True)
                path.write_text(text)
                self.both_ways(words, *given, *self.named())
                shutil.rmtree(self.folder / "profiles")

    def test_group__that_is_not_there__is_found_at_start(self):
        for text, words in AT_START:
            with self.subTest(text):
                given = self.configuration(text)
                self.refused(78, words, *given, *self.named())
                self.assertEqual(self.run_it(*given, "--check-config").returncode, 0)

    def test_reload__a_bad_configuration__the_old_one_stays(self):
        service = self.service({"limits": {"cpu_jobs": 1}})
        for number, (text, words) in enumerate(CONFIGURATIONS + AT_START):
            with self.subTest(text):
                service.configuration.write_text(text)
                service.process.send_signal(signal.SIGHUP)
                said = wait_until(lambda: [line for line in service.words().splitlines()
                                           if "the old configuration stays" in line][number:],
                                  "the reload has failed")
                for word in words:
                    self.assertIn(word, said[0])
        devices = service.call("Devices")["parameters"]["devices"]
        self.assertEqual([d["limit"] for d in devices if d["id"] == "cpu"], [1])

    def test_socket_path__too_long(self):
        self.both_ways(["longer than the 107 bytes", "x" * 108], *self.named("x" * 108))
        name = "x" * (107 - len(str(self.place)) - 1)
        self.assertEqual(self.run_it(*self.named(name), "--check-config").returncode, 0)

    def test_state_folder__a_file_is_in_its_way(self):
        (self.place / "file").write_text("")
        for state in "file", "file/below":
            with self.subTest(state):
                self.both_ways(["place/file", "Not a directory"], *self.named(state=state))

    @harness.unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_state_folder__not_writable(self):
        (self.folder / "bin").mkdir()
        program = harness.for_everybody(TRANSCODED, self.folder / "bin")
        shutil.copytree(harness.TOP / "profiles", self.folder / "profiles")
        (self.place / "state").mkdir(mode=0o755)
        for state in "state", "state/below":
            with self.subTest(state):
                r = []
                for more in ["--check-config"], []:
                    before = picture(self.folder)
                    r.append(subprocess.run([program, *map(str, self.named(state=state)), *more],
                                            capture_output=True, text=True, user=65534, group=65534,
                                            extra_groups=[], env={"HOME": "/nonexistent"}))
                    self.assertEqual(picture(self.folder), before)
                self.assertEqual([x.returncode for x in r], [2, 78])
                for x in r:
                    self.assertEqual(x.stderr.count("\n"), 1, x.stderr)
                    self.assertIn("place/state", x.stderr)
                    self.assertIn("Permission denied", x.stderr)

    def test_store__of_a_newer_version(self):
        service = harness.Service(self.place)
        with service:
            pass
        state = service.state
        with sqlite3.connect(state / "jobs.sqlite") as db:
            db.execute("PRAGMA user_version = 1000")
        db.close()
        self.both_ways(["jobs.sqlite", "version 1000", "newer"], "--socket", self.place / "new" / "socket",
                       "--state-dir", state)

    def test_check_config__where_nothing_is__is_content(self):
        # as in the build of a package: no home, no runtime folder
        r = self.run_it(*self.configuration("{}"), "--check-config")
        self.assertEqual((r.returncode, r.stderr), (0, ""))

    def test_check_config__touches_nothing(self):
        given = self.configuration(json.dumps({"limits": {"cpu_jobs": 3}}))
        before = picture(self.folder)
        r = self.run_it(*given, *self.named(state="a/b/c"), "--check-config")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertEqual(picture(self.folder), before)


if __name__ == "__main__":
    harness.main()
