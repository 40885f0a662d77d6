#!/usr/bin/env python3
"""The path through all programs: a copied stream from transcodectl to a file."""

import harness
from harness import COPY, film, frames, plays, streams


class First(harness.TestCase):
    def test_run__copies_streams_into_a_file(self):
        service = self.service()
        job = self.job_file(self.job(film(), {"path": "out.mkv", **COPY}))
        r = service.ctl("run", job)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr + service.words())
        self.assertEqual(self.left(), ["out.mkv"])
        self.assertEqual([s["codec_name"] for s in streams(self.out / "out.mkv")], ["h264", "aac"])
        self.assertEqual(frames(self.out / "out.mkv"), frames(film()))
        plays(self.out / "out.mkv")

    def test_submit__detached_job_succeeds(self):
        service = self.service()
        id = service.submit(self.job(film(), {"path": "out.mp4", **COPY}))
        shown = service.wait_for(id)
        self.assertEqual(shown["state"], "succeeded", str(shown) + service.words())
        self.assertEqual(self.left(), ["out.mp4"])
        self.assertEqual(frames(self.out / "out.mp4"), frames(film()))


if __name__ == "__main__":
    harness.main()
