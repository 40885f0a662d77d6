#!/usr/bin/env python3
"""A job that cannot be: refused with the field and the reason, nothing stored."""

import grp
import json
import os
import signal
import unittest

import harness
from harness import COPY, film


class BadJobs(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.s = self.service()

    def good(self):
        return self.job(film(), {"path": "out.mp4", **COPY})

    def refuse(self, job, field, *words, detach=True):
        """Submitting `job` is InvalidJob of `field`, whose reason has `words`."""
        reply = self.s.call("Submit", {"job": job, "detach": detach}, more=not detach)
        self.assertEqual(reply.get("error"), "io.transcoded.InvalidJob", str(reply) + json.dumps(job)[:300])
        self.assertEqual(reply["parameters"]["field"], field, str(reply))
        for word in words:
            self.assertIn(word, reply["parameters"]["reason"])
        self.assertEqual(self.s.call("List")["parameters"]["jobs"], [])
        self.assertEqual(self.left(), [])

    def test_submit__one_field_wrong__names_it(self):
        # (where, value, field named)
        cases = [
            (["inputs"], [], "inputs"),
            (["overwrite"], "yes", "overwrite"),
            (["priority"], "urgent", "priority"),
            (["hardware"], 1, "hardware"),
            (["timeout"], -1, "timeout"),
            (["timeout"], "1h", "timeout"),
            (["profile"], "nosuch", "profile"),
            (["input"], None, "input"),
            (["input", "path"], None, "input.path"),
            (["input", "path"], "film.mp4", "input.path"),
            (["input", "path"], "/a/../b.mp4", "input.path"),
            (["input", "path"], "/a/" + "x" * 5000, "input.path"),
            (["input", "start"], -3, "input.start"),
            (["input", "start"], 1e300, "input.start"),
            (["input", "duration"], 0, "input.duration"),
            (["input", "duration"], "1", "input.duration"),
            (["input", "offset"], 3, "input.offset"),
            (["outputs"], [], "outputs"),
            (["outputs"], {}, "outputs"),
            (["outputs", 0], "x.mp4", "outputs[0]"),
            (["outputs", 0, "path"], "out.mp4", "outputs[0].path"),
            (["outputs", 0, "path"], "/tmp/out.xyz", "outputs[0].format"),
            (["outputs", 0, "path"], "/tmp/out/", "outputs[0].path"),
            (["outputs", 0, "format"], "avi", "outputs[0].format"),
            (["outputs", 0, "format"], "hls", "outputs[0].format"),
            (["outputs", 0, "hls"], {"segment_duration": 3}, "outputs[0].hls"),
            (["outputs", 0, "video", "codek"], "h264", "outputs[0].video.codek"),
            (["outputs", 0, "video", "codec"], "h263", "outputs[0].video.codec"),
            (["outputs", 0, "video", "stream"], -1, "outputs[0].video.stream"),
            (["outputs", 0, "video", "burn_subtitle"], 2, "outputs[0].video.burn_subtitle"),
            (["outputs", 0, "video", "deinterlace"], "on", "outputs[0].video.deinterlace"),
            (["outputs", 0, "video", "tonemap"], "on", "outputs[0].video.tonemap"),
            (["outputs", 0, "video", "rotate"], "off", "outputs[0].video.rotate"),
            (["outputs", 0, "video"], {"codec": "h264", "width": 0}, "outputs[0].video.width"),
            (["outputs", 0, "video"], {"codec": "h264", "width": 40000}, "outputs[0].video.width"),
            (["outputs", 0, "video"], {"codec": "h264", "quality": 99}, "outputs[0].video.quality"),
            (["outputs", 0, "video"], {"codec": "h264", "preset": "x264-params=qpfile=/etc/passwd"},
             "outputs[0].video.preset"),
            (["outputs", 0, "video"], {"codec": "h264", "profile": "high:stats=/tmp/x"},
             "outputs[0].video.profile"),
            (["outputs", 0, "audio", 0, "codec"], "wma", "outputs[0].audio[0].codec"),
            (["outputs", 0, "audio", 0, "channels"], 0, "outputs[0].audio[0].channels"),
            (["outputs", 0, "audio", 0, "volume"], -1, "outputs[0].audio[0].volume"),
            (["outputs", 0, "subtitles"], [{"stream": 1, "codec": "vobsub"}], "outputs[0].subtitles[0].codec"),
            (["key"], "x" * 300, "key"),
        ]
        for path, value, field in cases:
            with self.subTest(field=field, value=str(value)[:40]):
                job = self.good()
                at = job
                for step in path[:-1]:
                    at = at[step]
                at[path[-1]] = value
                self.refuse(job, field)

    def test_submit__output_is_the_input(self):
        job = self.good()
        job["outputs"][0]["path"] = job["input"]["path"]
        self.refuse(job, "outputs[0].path", "input")

    def test_submit__two_outputs_with_one_name(self):
        job = self.good()
        job["outputs"].append(dict(job["outputs"][0]))
        self.refuse(job, "outputs[1].path")

    def test_submit__growing_detached(self):
        self.refuse({**self.good(), "delivery": "growing"}, "delivery", "attached")

    def test_submit__too_large(self):
        job = self.good()
        job["outputs"] = [{"path": f"/tmp/{n}/" + "x" * 2000 + ".mp4"} for n in range(40)]
        reply = self.s.call("Submit", {"job": job, "detach": True})
        self.assertEqual(reply.get("error"), "io.transcoded.InvalidJob", reply)

    def test_submit__no_job(self):
        for parameters in ({}, {"job": None, "detach": True}, {"job": [], "detach": True}, {"detach": True},
                           {"job": self.good(), "detach": "yes"}, {"job": self.good(), "what": 1}):
            with self.subTest(parameters=str(parameters)[:60]):
                reply = self.s.call("Submit", parameters)
                self.assertIn("error", reply)
        self.assertEqual(self.s.call("List")["parameters"]["jobs"], [])

    def test_ctl__no_json__says_where(self):
        bad = self.folder / "bad.json"
        bad.write_text('{"input": {"path": "/x",}}')
        r = self.s.ctl("submit", bad)
        self.assertEqual(r.returncode, 2)
        self.assertIn("line 1", r.stderr)
        self.assertIn("bad.json", r.stderr)
        self.assertEqual(r.stdout, "")

    def test_ctl__invalid_job__names_field_and_reason(self):
        job = self.good()
        job["outputs"][0]["video"]["codek"] = "h264"
        for command in ("submit", "run", "plan"):
            with self.subTest(command=command):
                r = self.s.ctl(command, self.job_file(job))
                self.assertEqual(r.returncode, 2, r)
                self.assertIn("outputs[0].video.codek", r.stderr)

    def outcome(self, job):
        """Of a job that only its run can find out: run attached and detached."""
        r = self.s.ctl("run", self.job_file(job))
        # found before the Submit it is an error reply, after it a failed job
        self.assertIn(r.returncode, (1, 2), r)
        id = self.s.submit(job)
        shown = self.s.wait_for(id)
        self.assertEqual(shown["state"], "failed", shown)
        r2 = self.s.ctl("submit", "--follow", self.job_file(job))
        self.assertEqual(r2.returncode, 1, r2)
        self.assertEqual([n for n in self.left() if n.startswith(".")], [])
        return r.stdout + r.stderr, json.dumps(shown), r2.stdout + r2.stderr

    def test_run__what_lies_in_the_way(self):
        (self.out / "folder.mp4").mkdir()
        (self.out / "there.mp4").write_text("precious")
        os.symlink("/nonexistent/x.mp4", self.out / "dangling.mp4")
        os.mkfifo(self.out / "fifo.mp4")
        cases = [
            ({"path": "folder.mp4"}, {}, "folder.mp4"),
            ({"path": "folder.mp4"}, {"overwrite": True}, "folder.mp4"),
            ({"path": "there.mp4"}, {}, "exist"),
            ({"path": "dangling.mp4"}, {}, "exist"),
            ({"path": "fifo.mp4"}, {"overwrite": True}, "fifo.mp4"),
            ({"path": "nofolder/x.mp4"}, {}, "nofolder"),
        ]
        before = self.left()
        for output, fields, word in cases:
            with self.subTest(output=output["path"], **fields):
                job = self.job(film(), {**output, **COPY}, **fields)
                for said in self.outcome(job):
                    self.assertIn(word, said)
                self.assertEqual(self.left(), before)
                self.assertEqual((self.out / "there.mp4").read_text(), "precious")

    def test_run__inputs_that_are_no_files(self):
        os.symlink("loop.mkv", self.out / "loop.mkv")
        for path, word in (("/nonexistent/film.mkv", "No such file"), ("/tmp", "directory"),
                           ("/dev/zero", "device"), (self.out / "loop.mkv", "loop.mkv")):
            with self.subTest(path=str(path)):
                for said in self.outcome(self.job(path, {"path": "out.mkv", **COPY})):
                    self.assertIn(word, said)
                self.assertEqual(self.left(), ["loop.mkv"])


class Roots(harness.TestCase):
    """Detached jobs below configured roots, asked for by a stranger's uid."""

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        os.link(film(), self.media / "film.mp4") if film().stat().st_dev == self.media.stat().st_dev \
            else (self.media / "film.mp4").write_bytes(film().read_bytes())
        self.s = self.service({"roots": {"read": [str(self.media)], "write": [str(self.out)]}})

    def submit(self, source, target):
        job = {"input": {"path": str(source)}, "outputs": [{"path": str(target), **COPY}]}
        return self.s.call("Submit", {"job": job, "detach": True})

    def test_submit__outside_the_roots__is_refused(self):
        for source, target, field in ((film(), self.out / "x.mp4", "input.path"),
                                      (self.media / "film.mp4", self.folder / "x.mp4", "outputs[0].path"),
                                      (self.media / "film.mp4", f"{self.out}side/x.mp4", "outputs[0].path"),
                                      (f"{self.media}/../film.mp4", self.out / "x.mp4", "input.path")):
            with self.subTest(source=str(source), target=str(target)):
                reply = self.submit(source, target)
                self.assertEqual(reply.get("error"), "io.transcoded.InvalidJob", reply)
                self.assertEqual(reply["parameters"]["field"], field)
        self.assertEqual(self.s.call("List")["parameters"]["jobs"], [])

    def test_submit__below_the_roots__runs(self):
        id = self.submit(self.media / "film.mp4", self.out / "x.mp4")["parameters"]["id"]
        self.assertEqual(self.s.wait_for(id)["state"], "succeeded")
        self.assertEqual((self.out / "x.mp4").stat().st_mode & 0o7777, 0o664)

    def test_configuration__group_and_mode_of_outputs__are_heeded(self):
        roots = {"read": [str(self.media)], "write": [str(self.out)]}
        # root may give files to any group, others to their own
        group = next(g.gr_name for g in grp.getgrall() if g.gr_gid and
                     (os.geteuid() == 0 or g.gr_gid in os.getgroups()))
        self.s.configure({"roots": roots, "output_group": group, "output_mode": "0640"})
        self.s.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "configuration reloaded" in self.s.words(), "the reload")
        id = self.submit(self.media / "film.mp4", self.out / "y.mp4")["parameters"]["id"]
        self.assertEqual(self.s.wait_for(id)["state"], "succeeded")
        made = (self.out / "y.mp4").stat()
        self.assertEqual((made.st_mode & 0o7777, grp.getgrgid(made.st_gid).gr_name), (0o640, group))

    def test_submit__symbolic_link_leads_out__fails(self):
        os.symlink(film(), self.media / "link.mp4")
        os.symlink(self.folder, self.out / "away")
        for source, target in ((self.media / "link.mp4", self.out / "x.mp4"),
                               (self.media / "film.mp4", self.out / "away" / "x.mp4")):
            with self.subTest(source=str(source), target=str(target)):
                id = self.submit(source, target)["parameters"]["id"]
                shown = self.s.wait_for(id)
                self.assertEqual(shown["state"], "failed", shown)
                self.assertIn("root", json.dumps(shown))
        self.assertEqual(self.left(), ["away"])
        self.assertFalse((self.folder / "x.mp4").exists())


if __name__ == "__main__":
    harness.main()
