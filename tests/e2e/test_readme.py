#!/usr/bin/env python3
"""What README.md says is true: its commands, files, job and configuration."""

import json
import re
import subprocess

import harness
from harness import TOP, TRANSCODECTL, TRANSCODED, film, streams

README = (TOP / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def commands(program):
    """The words behind `program` in the shell blocks."""
    lines = "\n".join(blocks("sh")).splitlines()
    return [line.split("#")[0].split()[1:] for line in lines if line.split()[:1] == [program]]


def dependencies():
    """The rows of the table of what it stands on: four cells each."""
    section = README.split("## What it stands on")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


class Readme(harness.TestCase):
    def test_dependencies__each_has_a_line__and_no_other(self):
        listed = []
        for what, why, debian, nixpkgs in dependencies():
            self.assertTrue(what and why and nixpkgs, what)
            listed += debian.split(", ")
        needed = re.findall(r"^([\w.+-]+) +(?:command|module|file|clang-runtime) ",
                            (TOP / "tests/deps").read_text(), re.M)
        self.assertGreater(len(needed), 10)
        self.assertCountEqual(listed, needed)

    def test_make__targets__are_in_the_makefile(self):
        rules = (TOP / "Makefile").read_text()
        for words in commands("make"):
            self.assertRegex(rules, rf"(?m)^{words[0]}:")

    def test_transcodectl__commands_and_options__are_known(self):
        for words in commands("transcodectl"):
            r = subprocess.run([TRANSCODECTL, *words, "--help"], capture_output=True, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)

    def test_files__all_exist(self):
        names = re.findall(r"`([\w./-]+)`", README)
        # words of a job or a configuration have neither slash nor dot
        files = [n for n in names if re.search("[/.]", n) or n.isupper()]
        self.assertGreater(len(files), 5)
        for name in files:
            if not name.startswith(("/", "~")):
                self.assertTrue((TOP / name).exists(), name)

    def test_job__plan_and_run__make_its_output(self):
        job = json.loads(blocks("json")[0])
        job["input"]["path"] = str(film(size="1920x1080", seconds=1))
        job["outputs"][0]["path"] = str(self.out / "film-720p.mp4")
        service = self.service()
        for command in ("plan", "run"):
            r = service.ctl(command, self.job_file(job))
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr + service.words())
        self.assertEqual(self.left(), ["film-720p.mp4"])
        video = streams(self.out / "film-720p.mp4", "video")[0]
        self.assertEqual((video["codec_name"], video["height"]), ("h264", 720))

    def test_configuration__is_accepted(self):
        path = self.folder / "transcoded.json"
        path.write_text(blocks("json")[1])
        r = subprocess.run([TRANSCODED, "--config", path, "--check-config"],
                           capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)


if __name__ == "__main__":
    harness.main()
