#!/usr/bin/env python3
"""What `make install` puts there works there, and `make uninstall` takes all of
it away again."""

import os
import pathlib
import re
import subprocess

import harness
from harness import BUILD, COPY, TOP, film

PREFIX = pathlib.PurePosixPath("/opt/somewhere else")


class Install(harness.TestCase):
    def make(self, *targets):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        # "-o all": what is built is tested, and nothing is built anew
        r = subprocess.run(["make", "--no-print-directory", "-o", "all",
                            f"BUILD={os.path.relpath(BUILD, TOP)}", f"DESTDIR={self.root}",
                            f"PREFIX={PREFIX}", *targets],
                           cwd=TOP, env=environment, capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)

    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        self.installed = self.root / PREFIX.relative_to("/")
        self.make("install")

    def files(self):
        return sorted(str(p.relative_to(self.installed)) for p in self.installed.rglob("*")
                      if not p.is_dir())

    def test_install__every_kind_of_file__is_in_its_place(self):
        there = self.files()
        for name in ("bin/transcoded", "bin/transcodectl",
                     "libexec/transcoded/transcoded-worker", "libexec/transcoded/transcoded-files",
                     "share/man/man1/transcodectl.1", "share/man/man8/transcoded.8",
                     "share/bash-completion/completions/transcodectl",
                     "share/zsh/site-functions/_transcodectl",
                     "lib/systemd/system/transcoded.service", "lib/systemd/system/transcoded.socket",
                     "lib/systemd/system/transcoded-device-nodes.service",
                     "lib/sysusers.d/transcoded.conf", "lib/tmpfiles.d/transcoded.conf",
                     "libexec/transcoded/device-nodes",
                     "share/transcoded/systemd/jellyfin.service.d/transcoded.conf",
                     "share/transcoded/profiles/h264-720p.json"):
            self.assertIn(name, there)
        for name in there:
            executable = os.access(self.installed / name, os.X_OK)
            self.assertEqual(executable, name.startswith(("bin/", "libexec/")), name)

    def test_install__what_the_manuals_name__is_there(self):
        there = self.files() + ["share/transcoded/profiles", "share/transcoded/systemd"]
        for page in "man1/transcodectl.1", "man8/transcoded.8":
            text = (self.installed / "share/man" / page).read_text()
            named = re.findall(r"Pa (share/\S+)", text)
            self.assertIn("share/transcoded/profiles/job.schema.json", named)
            for name in named:
                self.assertIn(name, there)

    def test_install__units__start_what_was_installed(self):
        units = list((self.installed / "lib/systemd/system").iterdir())
        started = re.findall(r"^ExecStart=(.*)", "\n".join(u.read_text() for u in units), re.M)
        self.assertEqual(len(started), 2)
        for program in started:
            path = program.replace("\\x20", " ")  # systemd's way to write a blank
            self.assertTrue(os.access(str(self.root) + path, os.X_OK), program)

    def test_install__programs__find_each_other_and_the_profiles(self):
        service = self.service(program=self.installed / "bin/transcoded")
        job = self.job_file(self.job(film(), {"path": "out.mp4", **COPY}, profile="remux-mp4"))
        ctl = self.installed / "bin/transcodectl"
        for command in ("run", job), ("profiles", "h264-720p"):
            r = subprocess.run([ctl, "--socket", service.socket, *command],
                               capture_output=True, text=True, timeout=harness.PATIENCE)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr + service.words())
        self.assertEqual(self.left(), ["out.mp4"])
        running = []
        for worker in service.workers():
            with harness.contextlib.suppress(OSError):  # a survey that has ended
                running.append(os.readlink(f"/proc/{worker}/exe"))
        self.assertEqual([exe for exe in running if not exe.startswith(str(self.installed))], [])

    def test_uninstall__takes_everything_away(self):
        kept = self.installed / "share/transcoded/profiles/my-own.json"
        kept.write_text("{}")
        self.make("uninstall")
        self.assertEqual(self.files(), ["share/transcoded/profiles/my-own.json"])


if __name__ == "__main__":
    harness.main()
