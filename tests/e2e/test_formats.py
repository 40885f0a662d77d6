#!/usr/bin/env python3
"""Sizes, pixel formats, sample rates, layouts, covers and container habits
that encoders and players are particular about."""

import harness
from harness import COPY, FAST, clip, film, frames, plays, probe, psnr, streams
from mediacase import MediaCase

NONE = {"codec": "none"}


def picture(codec="h264", **fields):
    return {"video": {"codec": codec, "preset": "fastest", **fields}, "audio": []}


class Pictures(MediaCase):
    def test_pixel_formats__become_what_players_take(self):
        for format, codec in (("yuv422p10le", "ffv1"), ("yuv444p", "ffv1"), ("gbrp", "ffv1"), ("gray", "ffv1"),
                              ("yuva420p", "ffv1"), ("yuvj422p", "mjpeg"), ("yuv420p12le", "ffv1"), ("pal8", "png")):
            source = clip(f"{format}.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-frames:v", 5,
                          "-pix_fmt", format, "-c:v", codec)
            deep = "10" in format or "12" in format
            for codec, want in (("h264", "yuv420p"), ("hevc", "yuv420p10le" if deep else "yuv420p")):
                with self.subTest(format=format, codec=codec):
                    self.run_job(source, {"path": "o.mkv", **picture(codec)}, overwrite=True)
                    v = streams(self.out / "o.mkv")[0]
                    self.assertEqual((v["pix_fmt"].replace("yuvj", "yuv"), v["width"], v["height"]), (want, 160, 96))
                    self.assertEqual(frames(self.out / "o.mkv"), 5)
                    self.assertGreater(psnr(self.out / "o.mkv", source, f"format={want}"), 25)

    def test_odd_sizes__every_codec(self):
        source = clip("odd.mkv", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25,format=yuv444p,crop=319:179",
                      "-frames:v", 5, "-c:v", "ffv1")
        for codec in ("h264", "hevc", "av1", "vp9"):
            with self.subTest(codec=codec):
                self.run_job(source, {"path": f"{codec}.mkv", **picture(codec)})
                v = streams(self.out / f"{codec}.mkv")[0]
                self.assertEqual((v["width"], v["height"]), (320, 180))
                self.assertEqual(frames(self.out / f"{codec}.mkv"), 5)

    def test_sizes__wanted_one_way_or_another(self):
        source = film(seconds=0.4)  # 320x180
        cases = [({"width": 160}, (160, 90)), ({"height": 90}, (160, 90)), ({"width": 100, "height": 100}, (100, 100)),
                 ({"max_width": 160}, (160, 90)), ({"max_height": 90}, (160, 90)), ({"max_width": 640}, (320, 180)),
                 ({"max_width": 200, "max_height": 50}, (88, 50)), ({"width": 640, "max_width": 200}, (200, 112))]
        self.run_job(source, *({"path": f"{n}.mp4", **picture(**wanted)} for n, (wanted, _) in enumerate(cases)))
        for n, (wanted, size) in enumerate(cases):
            with self.subTest(wanted=wanted):
                v = streams(self.out / f"{n}.mp4")[0]
                self.assertEqual((v["width"], v["height"]), size)


class Sound(MediaCase):
    CODECS = ("aac", "ac3", "eac3", "opus", "mp3", "flac", "vorbis")

    MOST = {"ac3": 6, "eac3": 6, "mp3": 2}

    def convert(self, source, channels=None):
        audio = [{"codec": c, **({"channels": min(channels, self.MOST.get(c, 8))} if channels else {})}
                 for c in self.CODECS]
        self.run_job(source, {"path": "o.mkv", "video": NONE, "audio": audio}, overwrite=True)
        plays(self.out / "o.mkv")
        return streams(self.out / "o.mkv", "audio")

    def source(self, layout, rate=48000):
        return clip(f"{layout}-{rate}.flac", "-f", "lavfi", "-i", f"sine=440:sample_rate={rate}", "-t", 1, "-af",
                    f"aformat=channel_layouts={layout}", "-c:a", "flac")

    def test_layouts__in_every_codec(self):
        for layout, count in (("mono", 1), ("stereo", 2), ("5.1", 6), ("7.1", 8)):
            source = self.source(layout)
            with self.subTest(layout=layout, channels="as it is"):
                found = self.convert(source, channels=8)
                self.assertEqual([s["channels"] for s in found], [min(count, self.MOST.get(c, 8)) for c in self.CODECS])
            with self.subTest(layout=layout, channels="default"):
                self.assertEqual({s["channels"] for s in self.convert(source)}, {min(count, 2)})

    def test_rates__that_a_codec_does_not_take__become_the_next(self):
        cases = [(44100, {"opus": 48000}), (96000, {"opus": 48000, "ac3": 48000, "eac3": 48000, "mp3": 48000}),
                 (22050, {"opus": 24000, "ac3": 32000, "eac3": 32000}),
                 (8000, {"ac3": 32000, "eac3": 32000})]
        for rate, other in cases:
            with self.subTest(rate=rate):
                found = self.convert(self.source("stereo", rate))
                got = {c: int(s["sample_rate"]) for c, s in zip(self.CODECS, found)}
                # decoders of Opus say 48000, whatever went in
                want = {c: 48000 if c == "opus" else other.get(c, rate) for c in self.CODECS}
                self.assertEqual(got, want)


class Covers(MediaCase):
    def cover(self):
        return clip("cover.png", "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", 1)

    def test_cover__is_not_the_video(self):
        song = clip("song.m4a", "-i", self.cover(), "-f", "lavfi", "-i", harness.SOURCES["audio"], "-map", 0, "-map", 1,
                    "-t", 1, "-c:v", "copy", "-c:a", "aac", "-disposition:v:0", "attached_pic")
        self.run_job(song, "o.m4a")
        self.assertEqual([s["codec_type"] for s in streams(self.out / "o.m4a")], ["audio"])
        movie = clip("covered.mp4", "-i", self.cover(), "-i", film(), "-map", 0, "-map", 1, "-c", "copy",
                     "-disposition:v:0", "attached_pic")
        self.run_job(movie, {"path": "e.mp4", **FAST}, {"path": "c.mkv", **COPY})
        for name in ("e.mp4", "c.mkv"):
            self.assertEqual([s["codec_name"] for s in streams(self.out / name, "video")], ["h264"])
            self.assertEqual(frames(self.out / name), frames(film()))

    def test_cover__copied__stays_one(self):
        song = clip("song.m4a", "-i", self.cover(), "-f", "lavfi", "-i", harness.SOURCES["audio"], "-map", 0, "-map", 1,
                    "-t", 1, "-c:v", "copy", "-c:a", "aac", "-disposition:v:0", "attached_pic")
        for start in (0, 0.5):
            with self.subTest(start=start):
                self.run_job(song, {"path": "o.m4a", **COPY}, input={"start": start}, overwrite=True)
                v = streams(self.out / "o.m4a", "video")[0]
                self.assertEqual((v["codec_name"], v["disposition"]["attached_pic"]), ("png", 1))
                plays(self.out / "o.m4a")


class Containers(MediaCase):
    def test_one_copy__several_containers(self):
        source = film("gop.ts", seconds=6, more=("-g", "75"))
        names = [f"c.{suffix}" for suffix in ("mp4", "mkv", "ts")]
        self.run_job(source, *({"path": name, **COPY} for name in names), {"path": "e.mp4", **FAST})
        for name in names:
            with self.subTest(name=name):
                self.assertEqual(frames(self.out / name), 150)
                self.assertGreater(psnr(self.out / name, source), 90)
                plays(self.out / name)
                self.assertLikeTheirs(self.out / name, self.theirs(name, "-i", source, "-c", "copy"))
        self.assertEqual(frames(self.out / "e.mp4"), 150)
        # and back again: parameter sets and headers are put where TS has them
        self.run_job(self.out / "c.mp4", {"path": "back.ts", **COPY})
        self.assertEqual(frames(self.out / "back.ts"), 150)
        plays(self.out / "back.ts")

    def test_inputs__of_every_age(self):
        cases = {"flv": "-c:v flv1 -c:a mp3 -ar 44100", "mpg": "-c:v mpeg2video -c:a mp2",
                 "webm": "-c:v libvpx -deadline realtime -c:a libvorbis", "ogv": "-c:v libtheora -c:a libvorbis",
                 "wmv": "-c:v wmv2 -c:a wmav2", "mov": "-c:v prores_ks -c:a pcm_s16le", "nut": "-c:v ffv1 -c:a pcm_s24le",
                 "gif": "-an", "mxf": "-c:v mpeg2video -c:a pcm_s16le", "m2ts": "-c:v libx264 -c:a ac3"}
        for suffix, how in cases.items():
            with self.subTest(suffix=suffix):
                source = film(f"old.{suffix}", seconds=1, video=how.split(), audio=())
                self.run_job(source, {"path": f"{suffix}.mkv", **(FAST if "-an" not in how else picture())})
                theirs = self.theirs(f"{suffix}.mkv", "-i", source, "-c:v", "libx264", "-preset", "ultrafast",
                                     "-c:a", "aac", "-ac", 1, "-fps_mode", "vfr")
                self.assertLikeTheirs(self.out / f"{suffix}.mkv", theirs)

    def test_hevc_in_mp4__is_hvc1(self):
        hevc = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
        for suffix in ("mkv", "ts", "mp4"):
            source = film(f"hevc.{suffix}", seconds=0.4, video=hevc)
            with self.subTest(source=suffix):
                self.run_job(source, {"path": "c.mp4", **COPY}, overwrite=True)
                self.assertEqual(streams(self.out / "c.mp4", "video")[0]["codec_tag_string"], "hvc1")
                self.assertEqual(frames(self.out / "c.mp4"), 10)
        self.run_job(film(), {"path": "e.mp4", **picture("hevc")})
        self.assertEqual(streams(self.out / "e.mp4", "video")[0]["codec_tag_string"], "hvc1")

    def test_tags__of_each_stream__stay_with_it(self):
        source = clip("tagged.mkv", "-i", film(), "-f", "lavfi", "-i", "sine=880", "-map", 0, "-map", 1, "-t", 1,
                      "-c", "copy", "-c:a:1", "aac", "-metadata:s:a:0", "language=ger", "-metadata:s:a:0", "title=Ton",
                      "-metadata:s:a:1", "language=eng", "-metadata:s:a:1", "title=Comments",
                      "-disposition:a:0", "0", "-disposition:a:1", "default+comment")
        audio = [{"stream": 2, "codec": "aac"}, {"stream": 1, "codec": "copy"}]
        self.run_job(source, {"path": "o.mkv", "video": {"codec": "copy"}, "audio": audio},
                     {"path": "o.mp4", "video": {"codec": "copy"}, "audio": audio})
        for name, title in (("o.mkv", "title"), ("o.mp4", "handler_name")):
            with self.subTest(name=name):
                found = streams(self.out / name, "audio")
                self.assertEqual([s["tags"]["language"] for s in found], ["eng", "ger"])
                self.assertEqual([s["disposition"]["default"] for s in found], [1, 0])
                if title == "title":
                    self.assertEqual([s["tags"]["title"] for s in found], ["Comments", "Ton"])
                    self.assertEqual([s["disposition"]["comment"] for s in found], [1, 0])


class Progress(MediaCase):
    def test_numbers__are_right(self):
        source = film("long.mp4", seconds=60, size="640x360")
        r = self.s.ctl("--json", "run", self.job_file(self.job(source, {"path": "o.mkv", **FAST},
                                                               input={"start": 10, "duration": 40})))
        self.assertEqual(r.returncode, 0, r)
        events = [harness.json.loads(line) for line in r.stdout.splitlines()]
        progress = [e for e in events if e["event"] == "progress"]
        self.assertGreaterEqual(len(progress), 2)
        for before, after in zip(progress, progress[1:]):
            for key in ("frame", "out_time", "percent", "size"):
                self.assertGreaterEqual(after[key], before[key], key)
        for p in progress[1:]:
            self.assertAlmostEqual(p["percent"], 100 * p["out_time"] / 40, delta=0.1)
            self.assertAlmostEqual(p["frame"] / 25, p["out_time"], delta=3)  # sound may be ahead
            if p["out_time"]:
                self.assertAlmostEqual(p["bitrate"], 8 * p["size"] / p["out_time"], delta=p["bitrate"] / 100 + 1)
            if p["speed"]:
                self.assertAlmostEqual(p["eta"], (40 - p["out_time"]) / p["speed"], delta=0.1)
        done, last = events[-1], progress[-1]
        self.assertEqual((done["frames"], last["frame"]), (1000, 1000))
        self.assertAlmostEqual(last["out_time"], 40, delta=0.05)
        self.assertAlmostEqual(last["percent"], 100, delta=0.2)
        self.assertEqual(done["outputs"][0]["size"], (self.out / "o.mkv").stat().st_size)
        self.assertAlmostEqual(done["outputs"][0]["duration"], 40, delta=0.05)
        spent = (progress[-1]["time"] - events[0]["time"]) / 1e6
        self.assertLess(40 / max(p["speed"] for p in progress if p["speed"]), spent * 1.5)


if __name__ == "__main__":
    harness.main()
