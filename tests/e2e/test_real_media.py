#!/usr/bin/env python3
"""Clips that people, cameras and other programs made: copied and transcoded as
the ffmpeg CLI does it. They lie in $TRANSCODED_TEST_MEDIA, and are no part of
the project."""

import os
import pathlib
import unittest

import harness
from harness import COPY, FAST, ffmpeg, frames, streams
from mediacase import MediaCase

FOLDER = os.environ.get("TRANSCODED_TEST_MEDIA")
SUFFIXES = {".mp4", ".mkv", ".ts", ".webm", ".mov", ".m4a"}


@unittest.skipUnless(FOLDER, "TRANSCODED_TEST_MEDIA names no folder with clips")
class RealMedia(MediaCase):
    def clips(self):
        found = sorted(p for p in pathlib.Path(FOLDER).iterdir() if p.suffix in SUFFIXES)
        self.assertTrue(found, f"{FOLDER} has clips")
        return found

    def theirs(self, name, *arguments):
        path = self.folder / name
        ffmpeg(*arguments, path, check=False)  # it counts what it could not decode as failure
        return path

    def copy(self, source, kinds):
        output = {"path": f"{source.stem}.mkv",
                  "video": COPY["video"] if "video" in kinds else {"codec": "none"},
                  "audio": COPY["audio"] if "audio" in kinds else []}
        self.run_job(source, output)
        theirs = self.theirs(f"{source.stem}.mkv", "-i", source, "-map_chapters", -1, "-sn", "-dn", "-c", "copy")
        self.assertLikeTheirs(self.out / output["path"], theirs)

    def transcode(self, source, kinds):
        output = {"path": f"{source.stem}.mp4",
                  "video": {**FAST["video"], "max_height": 180} if "video" in kinds else {"codec": "none"},
                  "audio": FAST["audio"] if "audio" in kinds else []}
        self.run_job(source, output)
        ours = self.out / output["path"]
        # without repeating pictures to fill what is missing: neither do we
        theirs = self.theirs(f"{source.stem}.mp4", "-i", source, "-map_chapters", -1, "-sn", "-dn", "-c:v",
                             "libx264", "-preset", "ultrafast", "-vf", "scale=-2:180", "-fps_mode", "vfr", "-ac", 2)
        self.assertLikeTheirs(ours, theirs)
        if "video" in kinds:
            self.assertAlmostEqual(frames(ours), frames(theirs), delta=1)
            shapes = [streams(p, "video")[0]["display_aspect_ratio"] for p in (ours, theirs)]
            self.assertEqual(*shapes)

    def test_copy__is_ffmpegs(self):
        for source in self.clips():
            with self.subTest(clip=source.name):
                self.copy(source, {s["codec_type"] for s in streams(source)})

    def test_transcode__is_ffmpegs(self):
        for source in self.clips():
            with self.subTest(clip=source.name):
                self.transcode(source, {s["codec_type"] for s in streams(source)})


if __name__ == "__main__":
    harness.main()
