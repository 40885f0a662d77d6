#!/usr/bin/env python3
"""Odd times: late sound, gaps, wraps, no timestamps at all. What comes out
plays right and stays in sync; the ffmpeg CLI is the reference."""

import harness
from harness import COPY, FAST, clip, film, frames, plays, probe, streams, times
from mediacase import MediaCase

PICTURES = {"video": {"codec": "h264", "preset": "fastest"}, "audio": []}
CLI_FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-fps_mode", "vfr")
B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25")


class Offsets(MediaCase):
    def shifted(self, name, video=0, audio=0, video_seconds=3, audio_seconds=3):
        return clip(name, "-itsoffset", video, "-f", "lavfi", "-t", video_seconds, "-i", "testsrc2=size=160x96:rate=25",
                    "-itsoffset", audio, "-f", "lavfi", "-t", audio_seconds, "-i", harness.SOURCES["audio"],
                    "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")

    def test_one_stream__begins_late_or_ends_early__keeps_its_place(self):
        cases = [("late-sound", {"audio": 1}), ("late-picture", {"video": 1}), ("short-sound", {"audio_seconds": 1.5}),
                 ("short-picture", {"video_seconds": 1.5})]
        for name, how in cases:
            for suffix in ("mkv", "mp4", "ts"):
                source = self.shifted(f"{name}.{suffix}", **how)
                for target in ("mkv", "mp4", "ts"):
                    with self.subTest(name=name, source=suffix, target=target):
                        self.run_job(source, {"path": f"c.{target}", **COPY}, {"path": f"e.{target}", **FAST},
                                     overwrite=True)
                        theirs = self.theirs(f"c.{target}", "-i", source, "-c", "copy")
                        self.assertLikeTheirs(self.out / f"c.{target}", theirs, packets=3)
                        theirs = self.theirs(f"e.{target}", "-i", source, *CLI_FAST)
                        self.assertLikeTheirs(self.out / f"e.{target}", theirs, packets=3)

    def test_decoding_times_below_zero__survive_a_copy(self):
        for suffix in ("mkv", "mp4", "ts"):
            source = film(f"reordered.{suffix}", video=B_FRAMES)
            for target in ("mkv", "mp4", "ts"):
                with self.subTest(source=suffix, target=target):
                    self.run_job(source, {"path": f"c.{target}", **COPY}, overwrite=True)
                    theirs = self.theirs(f"c.{target}", "-i", source, "-c", "copy")
                    self.assertLikeTheirs(self.out / f"c.{target}", theirs)
                    self.assertEqual(frames(self.out / f"c.{target}"), frames(source))
                    plays(self.out / f"c.{target}")

    def test_clock_that_wraps__goes_on(self):
        source = film("wrap.ts", seconds=6, more=("-output_ts_offset", "95439"))  # 2^33 / 90 kHz: 95443.7 s
        self.run_job(source, {"path": "c.mp4", **COPY}, {"path": "e.mp4", **FAST})
        for name in ("c.mp4", "e.mp4"):
            self.assertEqual(frames(self.out / name), 150)
            for kind in ("v:0", "a:0"):
                first, last, _ = self.span(self.out / name, kind)
                self.assertAlmostEqual(last - first, 6, delta=0.1)
            steps = [b - a for a, b in zip(times(self.out / name), times(self.out / name)[1:])]
            self.assertLess(max(steps), 0.05)


class Unstamped(MediaCase):
    def test_raw_streams(self):
        raw = film("raw.h264", audio=("-an",), more=("-f", "h264"))
        reordered = film("reordered.h264", audio=("-an",), video=B_FRAMES, more=("-f", "h264"))
        adts = clip("raw.aac", "-f", "lavfi", "-i", harness.SOURCES["audio"], "-t", 2, "-c:a", "aac", "-f", "adts")
        for source in (raw, reordered):
            with self.subTest(source=source.name):
                self.run_job(source, {"path": "e.mp4", **PICTURES}, overwrite=True)
                self.assertEqual(frames(self.out / "e.mp4"), 50)
                self.assertAlmostEqual(float(probe(self.out / "e.mp4")["format"]["duration"]), 2, delta=0.1)
        with self.subTest(source="adts"):
            self.run_job(adts, {"path": "c.mp4", "video": {"codec": "none"}, "audio": [{"codec": "copy"}]},
                         {"path": "e.mp4", "video": {"codec": "none"}, "audio": [{"codec": "opus"}]}, overwrite=True)
            for name in ("c.mp4", "e.mp4"):
                self.assertAlmostEqual(float(probe(self.out / name)["format"]["duration"]), 2, delta=0.1)
                plays(self.out / name)

    def test_raw_streams__copied(self):
        raw = film("raw.h264", audio=("-an",), more=("-f", "h264"))
        self.run_job(raw, {"path": "c.mp4", "video": {"codec": "copy"}, "audio": []})
        self.assertEqual(frames(self.out / "c.mp4"), 50)
        self.assertAlmostEqual(float(probe(self.out / "c.mp4")["format"]["duration"]), 2, delta=0.1)

    def test_avi__has_decoding_times_only(self):
        for name, video in (("plain.avi", ("-c:v", "libx264", "-preset", "ultrafast")),
                            ("mpeg4.avi", ("-c:v", "mpeg4", "-bf", "2"))):
            source = film(name, video=video, audio=("-c:a", "mp3"))
            with self.subTest(name=name):
                self.run_job(source, {"path": "e.mkv", **FAST}, overwrite=True)
                theirs = self.theirs("e.mkv", "-i", source, *CLI_FAST)
                self.assertLikeTheirs(self.out / "e.mkv", theirs)


class Gaps(MediaCase):
    def test_variable_rate__with_huge_gaps(self):
        source = clip("gap.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25,select='not(between(t,0.5,24))'",
                      "-f", "lavfi", "-i", harness.SOURCES["audio"], "-fps_mode", "passthrough", "-t", 25,
                      "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
        self.run_job(source, {"path": "e.mkv", **FAST}, {"path": "e.mp4", **FAST}, {"path": "c.mp4", **COPY})
        want = times(source)
        for name in ("e.mkv", "e.mp4", "c.mp4"):
            ours = times(self.out / name)
            self.assertEqual(len(ours), len(want))
            for a, b in zip(ours, want):
                self.assertAlmostEqual(a - ours[0], b - want[0], delta=0.002, msg=name)

    def test_sound__with_a_gap__stays_in_place(self):
        source = clip("hole.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-f", "lavfi", "-i",
                      harness.SOURCES["audio"] + ",aselect='not(between(t,1,2))'", "-t", 3, "-c:v", "libx264",
                      "-preset", "ultrafast", "-c:a", "pcm_s16le", "-max_muxing_queue_size", 999)
        self.run_job(source, {"path": "e.mkv", **FAST})
        first, last, _ = self.span(self.out / "e.mkv", "a:0")
        self.assertAlmostEqual(last - first, 3, delta=0.06)


class Lengths(MediaCase):
    def test_one_picture(self):
        source = clip("one.mp4", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-frames:v", 1, "-c:v", "libx264")
        for target in ("mp4", "mkv", "ts"):
            with self.subTest(target=target):
                self.run_job(source, {"path": f"e.{target}", **PICTURES},
                             {"path": f"c.{target}", "video": {"codec": "copy"}, "audio": []})
                for name in ("e", "c"):
                    self.assertEqual(frames(self.out / f"{name}.{target}"), 1)

    def test_every_codec__of_a_clip_shorter_than_its_delay(self):
        source = film("short.mp4", seconds=0.2)
        for codec in ("h264", "hevc", "av1", "vp9"):
            with self.subTest(codec=codec):
                self.run_job(source, {"path": f"{codec}.mkv", "video": {"codec": codec, "preset": "fastest"}})
                self.assertEqual(frames(self.out / f"{codec}.mkv"), 5)

    def test_cuts__odd_ones_are_ffmpegs(self):
        source = film("cut.mp4", seconds=5, more=("-g", "50"))
        for start, duration in ((4.5, 2), (1.01, 0.5), (2.999, 0.013), (0, 60)):
            with self.subTest(start=start, duration=duration):
                self.run_job(source, {"path": "e.mkv", **FAST}, input={"start": start, "duration": duration},
                             overwrite=True)
                theirs = self.theirs("e.mkv", "-ss", start, "-t", duration, "-i", source, *CLI_FAST)
                self.assertLikeTheirs(self.out / "e.mkv", theirs)
                # the CLI counts the duration from the first picture it takes, which may add one
                inside = [t for t in times(source) if start <= t < start + duration]
                self.assertEqual(frames(self.out / "e.mkv"), len(inside))

    def test_cut__of_a_transport_stream_that_begins_late(self):
        source = film("offset.ts", seconds=5, more=("-g", "50", "-output_ts_offset", "1000"))
        self.run_job(source, {"path": "e.mkv", **FAST}, input={"start": 2.4, "duration": 1})
        # the CLI loses the pictures when it seeks here: let it decode up to the start
        theirs = self.theirs("e.mkv", "-i", source, "-ss", 2.4, "-t", 1, *CLI_FAST)
        self.assertLikeTheirs(self.out / "e.mkv", theirs)

    def test_chapters__are_clipped(self):
        words = self.folder / "meta"
        words.write_text(";FFMETADATA1\n" + "".join(
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={n}000\nEND={n + 1}000\ntitle=No {n}\n" for n in range(5)))
        source = self.folder / "chapters.mkv"
        harness.ffmpeg("-i", film("cut.mp4", seconds=5, more=("-g", "50")), "-i", words, "-map_metadata", 1,
                       "-c", "copy", source)
        for target in ("mkv", "mp4"):
            with self.subTest(target=target):
                self.run_job(source, {"path": f"e.{target}", **FAST}, input={"start": 1.5, "duration": 2})
                found = probe(self.out / f"e.{target}", "-show_chapters")["chapters"]
                self.assertEqual([(c["tags"]["title"], float(c["start_time"]), float(c["end_time"])) for c in found],
                                 [("No 1", 0, 0.5), ("No 2", 0.5, 1.5), ("No 3", 1.5, 2)])


if __name__ == "__main__":
    harness.main()
