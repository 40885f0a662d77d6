#!/usr/bin/env python3
"""What comes out plays right and stays in sync: codecs, containers, cuts and
the oddities of real media. The ffmpeg CLI is the reference."""

import harness
from harness import COPY, FAST, clip, ffmpeg, film, frames, plays, probe, psnr, streams, times
from mediacase import MediaCase


class Codecs(MediaCase):
    def test_video__every_codec_in_every_container_that_takes_it(self):
        names = {"h264": "h264", "hevc": "hevc", "av1": "av1", "vp9": "vp9"}
        containers = {"mp4": names, "mkv": names, "ts": {"h264": "h264", "hevc": "hevc"},
                      "webm": {"vp9": "vp9", "av1": "av1"}}
        source = film(seconds=1, size="160x96")
        for suffix, codecs in containers.items():
            for codec in codecs:
                with self.subTest(codec=codec, container=suffix):
                    name = f"{codec}.{suffix}"
                    audio = "opus" if suffix == "webm" else "aac"
                    done = self.run_job(source, {"path": name, "video": {"codec": codec, "preset": "fastest"},
                                                 "audio": [{"codec": audio}]})
                    self.assertEqual([s["codec_name"] for s in streams(self.out / name)], [names[codec], audio])
                    self.assertEqual(frames(self.out / name), frames(source))
                    self.assertEqual(done["frames"], frames(source))
                    self.assertGreater(psnr(self.out / name, source), 28)
                    self.assertInSync(self.out / name)

    def test_audio__every_codec(self):
        source = film()
        for codec, name in (("aac", "aac"), ("ac3", "ac3"), ("eac3", "eac3"), ("opus", "opus"), ("mp3", "mp3"),
                            ("flac", "flac"), ("vorbis", "vorbis"), ("copy", "aac")):
            with self.subTest(codec=codec):
                path = f"{codec}.mkv"
                self.run_job(source, {"path": path, "video": {"codec": "none"}, "audio": [{"codec": codec}]})
                found = streams(self.out / path)
                self.assertEqual([s["codec_name"] for s in found], [name])
                plays(self.out / path)
                length = float(probe(self.out / path)["format"]["duration"])
                self.assertAlmostEqual(length, 2, delta=0.1)

    def test_audio__downmix_rate_volume_and_several_tracks(self):
        source = clip("surround.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-f", "lavfi", "-i",
                      "sine=440:sample_rate=48000,pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0", "-f", "lavfi", "-i",
                      "sine=880:sample_rate=44100", "-map", "0", "-map", "1", "-map", "2", "-t", 2,
                      "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "ac3")
        self.run_job(source, {"path": "o.mkv", "video": {"codec": "copy"}, "audio": [
            {"stream": 1, "codec": "aac"}, {"stream": 2, "codec": "opus", "sample_rate": 48000, "channels": 1},
            {"stream": 1, "codec": "flac", "channels": 6, "volume": 0.5}, {"stream": 1, "codec": "copy"}]})
        got = [(s["codec_name"], s["channels"], s["sample_rate"]) for s in streams(self.out / "o.mkv", "audio")]
        self.assertEqual(got, [("aac", 2, "48000"), ("opus", 1, "48000"), ("flac", 6, "48000"), ("ac3", 6, "48000")])

        def loudness(n):
            r = harness.subprocess.run(["ffmpeg", "-nostdin", "-i", self.out / "o.mkv", "-map", f"0:a:{n}", "-af",
                                        "volumedetect", "-f", "null", "-"], capture_output=True, text=True)
            return float(harness.re.search(r"mean_volume: (\S+) dB", r.stderr).group(1))
        self.assertAlmostEqual(loudness(3) - loudness(2), 6.02, delta=0.5)

    def test_streams__default_choice_is_ffmpegs(self):
        source = clip("choice.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-f", "lavfi", "-i",
                      "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=440", "-f", "lavfi", "-i",
                      "sine=880,pan=stereo|c0=c0|c1=c0", "-map", 0, "-map", 1, "-map", 2, "-map", 3, "-t", 1,
                      "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac")
        self.run_job(source, "o.mkv")
        theirs = self.theirs("t.mkv", "-i", source, "-preset", "ultrafast")
        for kind, keys in (("video", ("width", "height")), ("audio", ("channels",))):
            self.assertEqual([[s[k] for k in keys] for s in streams(self.out / "o.mkv", kind)],
                             [[s[k] for k in keys] for s in streams(theirs, kind)])
        self.run_job(source, {"path": "first.mkv", "video": {"stream": 0, "codec": "copy"}, "audio": []})
        self.assertEqual([(s["codec_type"], s["width"]) for s in streams(self.out / "first.mkv")], [("video", 160)])

    def test_video__rate_control_and_key_frames(self):
        source = film("motion.mp4", seconds=6, size="640x360")
        self.run_job(source, {"path": "o.mp4", "video": {"codec": "h264", "preset": "fast", "bitrate": 400000,
                                                          "max_bitrate": 500000, "buffer_size": 500000,
                                                          "keyframe_interval": 1, "profile": "main", "level": "3.1",
                                                          "b_frames": 0}, "audio": []})
        v = streams(self.out / "o.mp4")[0]
        self.assertEqual((v["profile"], v["level"], v["has_b_frames"]), ("Main", 31, 0))
        self.assertLess(float(v["bit_rate"]), 560000)
        self.assertGreater(float(v["bit_rate"]), 250000)
        packets = probe(self.out / "o.mp4", "-show_packets", "-select_streams", "v:0")["packets"]
        keys = [float(p["pts_time"]) for p in packets if "K" in p["flags"]]
        for second in range(6):
            self.assertTrue(any(abs(k - second) < 0.001 for k in keys), f"a key frame at {second} s: {keys}")

    def test_video__level_of_hevc_and_nvencs_preset(self):
        self.run_job(film(), {"path": "o.mp4", "video": {"codec": "hevc", "preset": "p1", "level": "4.1"}, "audio": []})
        self.assertEqual(streams(self.out / "o.mp4")[0]["level"], 123)

    def test_video__own_preset_and_ten_bit(self):
        source = clip("ten.mkv", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25,format=yuv420p10le", "-t", 1,
                      "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
        self.run_job(source, {"path": "o.mkv", "video": {"codec": "hevc", "preset": "superfast", "profile": "main10"},
                              "audio": []})
        self.assertEqual(streams(self.out / "o.mkv")[0]["pix_fmt"], "yuv420p10le")
        self.run_job(source, {"path": "8.mp4", "video": {"codec": "h264", "preset": "fastest"}, "audio": []})
        self.assertEqual(streams(self.out / "8.mp4")[0]["pix_fmt"], "yuv420p")

    def test_ladder__one_decode_three_renditions(self):
        source = film(size="640x360")
        sizes = [(640, 360), (320, 180), (160, 90)]
        self.run_job(source, *({"path": f"{h}.mp4", "video": {"codec": "h264", "preset": "fastest", "max_height": h}}
                               for _, h in sizes))
        for w, h in sizes:
            v = streams(self.out / f"{h}.mp4", "video")[0]
            self.assertEqual((v["width"], v["height"]), (w, h))
            self.assertEqual(frames(self.out / f"{h}.mp4"), frames(source))
            self.assertGreater(psnr(self.out / f"{h}.mp4", source, f"scale={w}:{h}:flags=bicubic"), 28)

    def test_profiles__each_one_runs(self):
        source = film(size="640x360")
        for profile in self.s.call("Profiles")["parameters"]["profiles"]:
            name = profile["name"]
            outputs = len(profile["document"].get("outputs", [{}])) or 1
            with self.subTest(profile=name):
                suffix = "m4a" if name.startswith("audio") else "mp4" if "mp4" in name else "mkv"
                paths = [f"{name}-{n}.{suffix}" for n in range(outputs)]
                self.run_job(source, *paths, profile=name)
                for path in paths:
                    plays(self.out / path)


class Cuts(MediaCase):
    def test_start_and_duration__exact_to_the_frame(self):
        source = film("cut.mp4", seconds=5, more=("-g", "50"))
        for start, duration in ((0, 1), (1.0, 1.0), (1.48, 0.6), (3.2, None), (0.04, 0.04)):
            with self.subTest(start=start, duration=duration):
                cut = {"start": start, **({"duration": duration} if duration else {})}
                self.run_job(source, {"path": "o.mkv", **FAST}, input=cut, overwrite=True)
                limit = ("-t", duration) if duration else ()
                theirs = self.theirs("t.mkv", "-ss", start, *limit, "-i", source, "-c:v", "libx264", "-preset",
                                     "ultrafast")
                self.assertEqual(len(times(self.out / "o.mkv")), len(times(theirs)))
                # the very same pictures: one frame off drops the PSNR of testsrc2
                self.assertGreater(psnr(self.out / "o.mkv", theirs), 35)
                self.assertInSync(self.out / "o.mkv")

    def test_start__of_a_copy__begins_at_the_key_frame_before(self):
        source = film("cut.mp4", seconds=5, more=("-g", "50"))
        self.run_job(source, {"path": "o.mkv", **COPY}, input={"start": 3.0})
        self.assertIn("K", probe(self.out / "o.mkv", "-show_packets", "-select_streams", "v:0")["packets"][0]["flags"])
        self.assertGreaterEqual(frames(self.out / "o.mkv"), 50)
        self.assertLessEqual(frames(self.out / "o.mkv"), 76)

    def test_start__beyond_the_end__fails_in_words(self):
        r = self.s.ctl("run", self.job_file(self.job(film(), {"path": "o.mkv", **FAST}, input={"start": 100})))
        self.assertEqual(r.returncode, 1, r)
        self.assertEqual(self.left(), [])

    def test_timestamps__copy_keeps_them(self):
        source = film("late.ts", more=("-output_ts_offset", "100"))
        self.run_job(source, {"path": "copy.ts", **FAST, "timestamps": "copy"}, {"path": "zero.ts", **FAST})
        start = {n: float(streams(self.out / n, "video")[0]["start_time"]) for n in ("copy.ts", "zero.ts")}
        first = float(streams(source, "video")[0]["start_time"])
        self.assertAlmostEqual(start["copy.ts"], first, delta=1.5)
        self.assertLess(start["zero.ts"], 3)


class Delivery(MediaCase):
    def test_growing__appears_at_once_and_plays(self):
        source = film("grow.mp4", seconds=10, size="640x360")
        for name in ("o.mp4", "o.mkv", "o.ts"):
            with self.subTest(name=name):
                self.run_job(source, {"path": name, **FAST}, delivery="growing")
                self.assertEqual(frames(self.out / name), frames(source))
                plays(self.out / name)
        data = (self.out / "o.mp4").read_bytes()
        self.assertIn(b"moof", data)
        # its beginning alone plays already
        (self.out / "half.mp4").write_bytes(data[:len(data) // 2])
        self.assertGreater(frames(self.out / "half.mp4"), 20)

    def test_complete__mp4_has_its_index_in_front(self):
        large = clip("large.mp4", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25,noise=alls=60:allf=t", "-t", 2,
                     "-f", "lavfi", "-i", "sine", "-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-qp", 10,
                     "-pix_fmt", "yuv420p", "-c:a", "aac")
        for source in (film(), large):
            with self.subTest(source=source):
                self.run_job(source, {"path": "o.mp4", **COPY}, overwrite=True)
                data = (self.out / "o.mp4").read_bytes()
                self.assertLess(data.index(b"moov"), data.index(b"mdat"))
                self.assertEqual(frames(self.out / "o.mp4"), frames(source))
                plays(self.out / "o.mp4")


class Oddities(MediaCase):
    def test_pixels_not_square__keep_their_shape(self):
        source = clip("sar.mp4", "-f", "lavfi", "-i", "testsrc2=size=360x288:rate=25,setsar=64/45", "-t", 1,
                      "-c:v", "libx264", "-preset", "ultrafast")
        self.run_job(source, {"path": "o.mp4", "video": {"codec": "h264", "preset": "fastest"}},
                     {"path": "half.mp4", "video": {"codec": "h264", "preset": "fastest", "max_height": 144}})
        for name in ("o.mp4", "half.mp4"):
            self.assertEqual(streams(self.out / name)[0]["display_aspect_ratio"], "16:9")

    def test_full_range_and_colours__stay_tagged(self):
        source = clip("full.mp4", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25,scale=out_range=full,format=yuvj420p,"
                      "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
                      "-t", 1, "-c:v", "libx264", "-preset", "ultrafast", "-color_primaries", "bt709",
                      "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "pc")
        for codec, name in (("h264", "o.mp4"), ("hevc", "o.mkv")):
            with self.subTest(codec=codec):
                self.run_job(source, {"path": name, "video": {"codec": codec, "preset": "fastest", "max_height": 48}})
                v = streams(self.out / name)[0]
                self.assertEqual([v.get(k) for k in ("color_range", "color_space", "color_transfer", "color_primaries")],
                                 ["pc", "bt709", "bt709", "bt709"])
                self.assertGreater(psnr(self.out / name, source, "scale=80:48:flags=bicubic"), 25)

    def test_rotation__is_upright_when_encoded_and_kept_when_copied(self):
        plain = film("upright.mp4", audio=("-an",), seconds=1)
        source = clip("turned.mp4", *harness.turning(plain))
        self.run_job(source, {"path": "o.mp4", "video": {"codec": "h264", "preset": "fastest"}},
                     {"path": "c.mp4", "video": {"codec": "copy"}})
        v = streams(self.out / "o.mp4")[0]
        self.assertEqual((v["width"], v["height"]), (180, 320))
        self.assertEqual(v.get("side_data_list", []), [])
        theirs = self.theirs("t.mp4", "-i", source, "-preset", "ultrafast")
        self.assertGreater(psnr(self.out / "o.mp4", theirs), 35)
        self.assertEqual([d["rotation"] for d in streams(self.out / "c.mp4")[0]["side_data_list"]],
                         [d["rotation"] for d in streams(source)[0]["side_data_list"]])

    def test_variable_frame_rate__stays_variable(self):
        source = clip("vfr.mkv", "-f", "lavfi", "-i",
                      "testsrc2=size=160x96:rate=25,select='not(between(mod(n,10),3,6))'", "-fps_mode", "passthrough",
                      "-t", 3, "-c:v", "libx264", "-preset", "ultrafast")
        for name in ("o.mkv", "o.mp4"):
            with self.subTest(name=name):
                self.run_job(source, {"path": name, "video": {"codec": "h264", "preset": "fastest"}})
                ours = times(self.out / name)
                want = times(source)
                self.assertEqual(len(ours), len(want))
                for a, b in zip(ours, want):
                    self.assertAlmostEqual(a - ours[0], b - want[0], delta=0.002)
        self.run_job(source, {"path": "cfr.mkv", "video": {"codec": "h264", "preset": "fastest", "frame_rate": 25}})
        steps = [b - a for a, b in zip(times(self.out / "cfr.mkv"), times(self.out / "cfr.mkv")[1:])]
        self.assertLess(max(steps), 0.0421)
        self.run_job(film(), {"path": "slow.mkv", "video": {"codec": "h264", "preset": "fastest", "max_frame_rate": 12.5}})
        self.assertAlmostEqual(frames(self.out / "slow.mkv"), 25, delta=1)

    def test_edit_list__is_honoured(self):
        # a stream copy that begins between key frames leaves an edit list
        source = clip("edited.mp4", "-ss", 1.32, "-i", film("cut.mp4", seconds=5, more=("-g", "50")), "-c", "copy")
        self.run_job(source, {"path": "o.mp4", **FAST})
        theirs = self.theirs("t.mp4", "-i", source, "-preset", "ultrafast")
        self.assertEqual(len(times(self.out / "o.mp4")), len(times(theirs)))
        self.assertGreater(psnr(self.out / "o.mp4", theirs), 35)
        self.assertInSync(self.out / "o.mp4")

    def test_stream_begins_inside_a_gop(self):
        whole = film("gop.ts", seconds=6, more=("-g", "75")).read_bytes()
        source = self.folder / "middle.ts"
        at = len(whole) // 8 // 188 * 188
        source.write_bytes(whole[at:])
        self.run_job(source, {"path": "o.mkv", **FAST})
        # pictures whose references are missing are left out, not shown grey;
        # the sound plays from its beginning, and both end together
        self.assertEqual(frames(self.out / "o.mkv"), 75)
        plays(self.out / "o.mkv")
        self.assertGreater(psnr(self.out / "o.mkv", film("gop.ts", seconds=6, more=("-g", "75")),
                                "select='gte(n,75)'"), 30)
        first, last = {}, {}
        for kind in ("v", "a"):
            stamps = times(self.out / "o.mkv", f"{kind}:0")
            first[kind], last[kind] = stamps[0], stamps[-1]
        self.assertAlmostEqual(last["v"], last["a"], delta=0.1)
        lead = min(times(source, "v:0")[-1], times(source, "a:0")[-1]) - times(source, "a:0")[0]
        self.assertAlmostEqual(last["a"] - first["a"], lead, delta=0.1)
        self.run_job(source, {"path": "c.mkv", **COPY})

    def test_timestamps_that_jump__play_on_in_sync(self):
        a = film("one.ts", seconds=2)
        b = film("two.ts", seconds=2, more=("-output_ts_offset", "5000"))
        source = self.folder / "jump.ts"
        source.write_bytes(a.read_bytes() + b.read_bytes())
        self.run_job(source, {"path": "o.mp4", **FAST})
        plays(self.out / "o.mp4")
        length = {n: float(streams(self.out / "o.mp4", n)[0]["duration"]) for n in ("video", "audio")}
        self.assertAlmostEqual(length["video"], 4, delta=0.3)
        self.assertAlmostEqual(length["audio"], 4, delta=0.3)
        self.assertAlmostEqual(frames(self.out / "o.mp4"), 100, delta=2)

    def test_size_changes_midstream__graph_is_rebuilt(self):
        a = film("one.ts", seconds=1)
        b = film("small.ts", seconds=1, size="160x90")
        source = self.folder / "change.ts"
        source.write_bytes(a.read_bytes() + b.read_bytes())
        self.run_job(source, {"path": "o.mp4", "video": {"codec": "h264", "preset": "fastest"}, "audio": []})
        v = streams(self.out / "o.mp4")[0]
        self.assertEqual((v["width"], v["height"]), (320, 180))
        self.assertAlmostEqual(frames(self.out / "o.mp4"), 50, delta=2)

    def test_subtitles__copied_and_converted(self):
        text = self.folder / "words.srt"
        text.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello <i>there</i>\n\n"
                        "2\n00:00:01,600 --> 00:00:01,900\nUmlaut: ä\n")
        source = self.folder / "subs.mkv"
        ffmpeg("-i", film(), "-i", text, "-map", 0, "-map", 1, "-c", "copy", "-c:s", "srt",
               "-metadata:s:s:0", "language=ger", source)
        stamps = harness.re.findall(r"[\d:,]+ --> [\d:,]+", self.theirs("s.srt", "-i", source).read_text())
        for codec, suffix, name in (("copy", "mkv", "subrip"), ("srt", "mkv", "subrip"), ("ass", "mkv", "ass"),
                                    ("mov_text", "mp4", "mov_text"), ("webvtt", "mkv", "webvtt")):
            with self.subTest(codec=codec):
                path = f"{codec}.{suffix}"
                self.run_job(source, {"path": path, **COPY, "subtitles": [{"stream": 2, "codec": codec}]})
                s = streams(self.out / path, "subtitle")
                self.assertEqual([x["codec_name"] for x in s], [name])
                self.assertEqual(s[0]["tags"]["language"], "ger")
                back = self.theirs(f"{codec}.srt", "-i", self.out / path, "-map", "0:s:0").read_text()
                self.assertIn("Hello", back)
                self.assertIn("Umlaut: ä", back)
                self.assertEqual(harness.re.findall(r"[\d:,]+ --> [\d:,]+", back), stamps)

    def test_metadata_and_chapters__kept_or_dropped(self):
        words = self.folder / "meta"
        words.write_text(";FFMETADATA1\ntitle=Ein Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Eins\n"
                         "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Zwei\n")
        source = self.folder / "meta.mkv"
        ffmpeg("-i", film(), "-i", words, "-map_metadata", 1, "-c", "copy", "-metadata:s:a:0", "language=fre",
               "-disposition:a:0", "default", source)
        self.run_job(source, {"path": "keep.mkv", **COPY}, {"path": "keep.mp4", **FAST},
                     {"path": "drop.mkv", **COPY, "metadata": "drop"})
        for name in ("keep.mkv", "keep.mp4"):
            found = probe(self.out / name, "-show_chapters")
            self.assertEqual(found["format"]["tags"]["title"], "Ein Film")
            self.assertEqual([c["tags"]["title"] for c in found["chapters"]], ["Eins", "Zwei"])
            self.assertEqual(streams(self.out / name, "audio")[0]["tags"]["language"], "fre")
        found = probe(self.out / "drop.mkv", "-show_chapters")
        self.assertNotIn("title", found["format"].get("tags", {}))
        self.assertEqual(found["chapters"], [])

    def test_sound_and_picture_stay_together(self):
        """A flash and a beep at the same moment still meet after encoding."""
        source = clip("flash.mp4", "-f", "lavfi", "-i",
                      "color=black:size=160x96:rate=25,drawbox=c=white:t=fill:enable='between(t,2,2.2)'", "-f", "lavfi",
                      "-i", "aevalsrc='if(between(t,2,2.2),sin(2*PI*1000*t),0)':s=48000", "-t", 4, "-c:v", "libx264",
                      "-preset", "ultrafast", "-c:a", "aac")
        for name in ("o.mp4", "o.mkv", "o.ts"):
            with self.subTest(name=name):
                self.run_job(source, {"path": name, **FAST}, input={"start": 0.48})
                r = harness.subprocess.run(["ffmpeg", "-nostdin", "-i", self.out / name, "-vf", "blackdetect=d=0.1",
                                            "-af", "silencedetect=n=-30dB:d=0.1", "-f", "null", "-"],
                                           capture_output=True, text=True).stderr
                flash = float(harness.re.search(r"black_end:(\S+)", r).group(1))
                beep = float(harness.re.search(r"silence_end: (\S+)", r).group(1))
                self.assertAlmostEqual(flash, beep, delta=0.05)


if __name__ == "__main__":
    harness.main()
