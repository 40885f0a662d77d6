#!/usr/bin/env python3
"""A worker on the stand-in for NVIDIA's driver: what its encoders are told, and
what comes of a driver that fails."""

import gpucase
import harness
import standin
from gpucase import CPU, FULL, P1000

CODECS = "h264", "hevc"


class Encoders(gpucase.GpuCase):
    def encode(self, clip=None, settings=None, device=P1000, **video):
        """What ffprobe says of the only stream."""
        self.plan, self.total = self.succeed(
            clip or standin.h264_clip(), {"path": "a.mp4", "video": {"max_height": 120} | video, "audio": []},
            settings=settings, device=device)
        self.path = self.out / "a.mp4"
        return standin.probe(self.path, "stream")[0]

    def types(self):
        return "".join(f["pict_type"] for f in standin.probe(self.path, "frame=pict_type"))

    def keys(self):
        return [float(p["pts_time"]) for p in standin.probe(self.path, "packet=pts_time,flags") if "K" in p["flags"]]

    def test_key_frames__are_idr_where_the_job_wants_them(self):
        for codec in CODECS:
            for b_frames in (0, 2):
                with self.subTest(f"{codec}, {b_frames} B-frames"):
                    self.machine = standin.Machine()
                    device = P1000 | {"encoders": [e | {"b_frames": 4} for e in P1000["encoders"]]}
                    self.encode(codec=codec, keyframe_interval=0.4, b_frames=b_frames, device=device,
                                settings={"hevc_b_frames": 4})
                    self.assertEqual(self.keys(), [0, 0.4, 0.8])
                    self.assertEqual(self.total["idr"], 3)
                    self.assertEqual("B" in self.types(), b_frames > 0)

    def test_group_length__is_counted_in_frames(self):
        for codec in CODECS:
            with self.subTest(codec):
                self.machine = standin.Machine()
                self.encode(codec=codec, keyframe_frames=8, b_frames=0)
                self.assertEqual(self.total["idr"], 4)

    def test_b_frames__come_in_runs_and_can_be_references(self):
        rich = P1000 | {"encoders": [e | {"b_frames": 4} for e in P1000["encoders"]]}
        for codec in CODECS:
            with self.subTest(codec):
                self.encode(codec=codec, b_frames=2, device=rich, settings={"hevc_b_frames": 4})
                self.assertIn("BBP", self.types())
        device = P1000 | {"encoders": [e | {"b_frame_refs": True} for e in P1000["encoders"]]}
        self.encode(b_frames=3, device=device, settings={"b_ref_mode": 2})
        self.assertIn("BBBP", self.types())

    def test_profile_and_level__are_in_the_stream(self):
        s = self.encode(profile="main", level="4.1")
        self.assertEqual((s["profile"], s["level"]), ("Main", 41))
        s = self.encode(profile="baseline")
        self.assertIn("Baseline", s["profile"])
        self.assertNotIn("B", self.types())
        s = self.encode(codec="hevc", level="4.1")
        self.assertEqual((s["profile"], s["level"], s["codec_tag_string"]), ("Main", 123, "hvc1"))

    def test_ten_bits__stay_ten_in_hevc_and_become_eight_in_h264(self):
        s = self.encode(standin.hevc10_clip(), codec="hevc")
        self.assertEqual((s["profile"], s["pix_fmt"]), ("Main 10", "yuv420p10le"))
        s = self.encode(standin.hevc10_clip(), codec="hevc", profile="main")
        self.assertEqual((s["profile"], s["pix_fmt"]), ("Main", "yuv420p"))
        s = self.encode(standin.hevc10_clip(), codec="h264")
        self.assertEqual((s["profile"], s["pix_fmt"]), ("High", "yuv420p"))

    def test_colours__are_said(self):
        tags = {"color_primaries": "bt2020", "color_transfer": "smpte2084", "color_space": "bt2020nc"}
        clip = standin.clip("hdr.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-color_primaries", "bt2020",
                            "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-x265-params",
                            standin.X265 + "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:"
                            "max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)"
                            "WP(15635,16450)L(10000000,1)", pixels="yuv420p10le")
        s = self.encode(clip, codec="hevc")
        self.assertEqual({k: s.get(k) for k in tags}, tags)
        self.assert_light(s["side_data_list"])
        # and in the stream itself, for who has no container that says it: on
        # each key frame, whoever encodes
        for grant, encoder in (FULL, "hevc_nvenc"), (CPU, "libx265"):
            video = {"codec": "hevc", "max_height": 120, "keyframe_interval": 0.4, "preset": "fastest"}
            plan, _ = self.succeed(clip, {"path": f"{encoder}.ts", "video": video, "audio": []}, grant=grant)
            self.assertTrue(plan[0].endswith(encoder))
            keys = [f for f in standin.probe(self.out / f"{encoder}.ts", "frame") if f["pict_type"] == "I"]
            self.assertEqual(len(keys), 3)
            for frame in keys:
                self.assert_light(frame["side_data_list"])
        full = standin.clip("full.mp4", "-c:v", "libx264", "-preset", "ultrafast", pixels="yuvj420p")
        self.assertEqual(self.encode(full)["color_range"], "pc")

    def assert_light(self, side_data):
        light = {d["side_data_type"]: d for d in side_data}
        self.assertEqual([light["Content light level metadata"][k] for k in ("max_content", "max_average")], [1000, 400])
        display = light["Mastering display metadata"]
        self.assertEqual([display[k] for k in ("red_x", "blue_y", "white_point_x", "min_luminance", "max_luminance")],
                         ["34000/50000", "3000/50000", "15635/50000", "1/10000", "10000000/10000"])

    def test_rates__are_kept(self):
        noise = standin.clip("noise.mp4", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10",
                             source="nullsrc=size=320x180:rate=25:duration=3,geq=random(1)*255:128:128")
        for codec in CODECS:
            with self.subTest(codec):
                self.machine = standin.Machine()
                for video, least, most in (({"bitrate": 500000, "max_bitrate": 500000}, 300e3, 700e3),
                                           ({"bitrate": 1000000}, 500e3, 1500e3),
                                           ({"quality": 20, "max_bitrate": 400000, "buffer_size": 200000}, 100e3, 600e3)):
                    s = self.encode(noise, codec=codec, **video)
                    self.assertTrue(least < int(s["bit_rate"]) < most, f"{video}: {s['bit_rate']}")
                coarse = int(self.encode(noise, codec=codec, quality=45)["bit_rate"])
                self.assertGreater(int(self.encode(noise, codec=codec, quality=25)["bit_rate"]), 2 * coarse)

    def test_decoding_times__are_a_few_pictures_ahead__whatever_the_rate(self):
        select = "select='not(eq(mod(n,5),2)+eq(mod(n,7),3))'"
        cases = {"film": ("24000/1001", []), "uneven": ("30", ["-vf", select, "-fps_mode", "vfr"])}
        for name, (rate, options) in cases.items():
            clip = standin.clip(f"{name}.mkv", *options, "-c:v", "libx264", "-preset", "veryfast", "-bf", 0,
                                source=f"testsrc2=size=320x180:rate={rate}:duration=1")
            for b_frames in (0, 2, 4):
                with self.subTest(name, b_frames=b_frames):
                    self.encode(clip, b_frames=b_frames)
                    packets = [(float(p["dts_time"]), float(p["pts_time"]))
                               for p in standin.probe(self.path, "packet=dts_time,pts_time")]
                    self.assertEqual([p for p in packets if p[0] > p[1]], [])
                    times = [dts for dts, _ in packets]
                    self.assertEqual(times, sorted(set(times)))
                    self.assertEqual(packets[0][0] < packets[0][1], b_frames > 0)
                    self.assertGreater(packets[0][0], -0.1)

    def test_unknown_rate__is_not_the_time_bases(self):
        clip = standin.clip("timed.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-frames:v", 2)
        blind = standin.FOLDER / "blind.webm"  # its length of a picture is an element that nobody knows
        blind.write_bytes(clip.read_bytes().replace(b"\x23\xe3\x83", b"\x23\xe3\x85"))
        self.assertEqual(standin.probe(blind, "stream")[0]["avg_frame_rate"], "0/0")
        s = self.encode(blind)
        self.assertEqual(s["level"], 11)  # at 1,000 frames a second 32

    def test_presets__are_taken(self):
        for codec in CODECS:
            with self.subTest(codec):
                self.machine = standin.Machine()
                for preset in ("fastest", "fast", "slow", "slowest", "p5", "veryslow"):
                    self.encode(codec=codec, preset=preset)
                    self.assertEqual(len(standin.probe(self.path, "packet=pts_time")), 30, preset)

    def test_what_the_chip_lacks__is_clamped_and_said(self):
        self.encode(codec="hevc", b_frames=3)
        self.assertEqual([(c["field"], c["from"], c["to"]) for c in self.said["clamp"]],
                         [("outputs[0].video.b_frames", 3, 0)])
        self.assertNotIn("B", self.types())
        self.encode(level="1", bitrate=900000)
        self.assertEqual([(c["field"], c["from"], c["to"]) for c in self.said["clamp"]],
                         [("outputs[0].video.level", 1, 1.1), ("outputs[0].video.bitrate", 900000, 240000)])
        s = self.encode(level="6.2")
        self.assertEqual(s["level"], 51)
        self.assertEqual([(c["field"], c["from"], c["to"]) for c in self.said["clamp"]],
                         [("outputs[0].video.level", 6.2, 5.1)])
        small = {"h264_width": 160, "h264_height": 160}
        device = P1000 | {"encoders": [e | {"width": 160, "height": 160} for e in P1000["encoders"]]}
        s = self.encode(device=device, settings=small)
        self.assertEqual((s["width"], s["height"]), (160, 90))
        self.assertEqual([(c["field"], c["from"], c["to"]) for c in self.said["clamp"]],
                         [("outputs[0].video.width", 214, 160), ("outputs[0].video.height", 120, 90)])


class Faults(gpucase.GpuCase):
    OUTPUT = {"path": "a.mp4", "video": {"max_height": 120}, "audio": []}

    def break_down(self, outcome, part, words="", outputs=(OUTPUT,), **settings):
        with self.subTest(f"{settings}"):
            self.machine = standin.Machine()
            said = self.attempt(standin.h264_clip(), *outputs, settings={"verbose": 0} | settings)
            end = said["outcome"][0]
            self.assertEqual((end["outcome"], end["part"]), (outcome, part), end["text"])
            self.assertIn(words, end["text"])
            self.assertFalse((self.out / "a.mp4").exists())
            if not settings.get("sticky"):
                self.clean()

    def test_sessions_run_out__is_no_session(self):
        self.break_down("no_session", "encode", "cuda:0 grants no more sessions", foreign_sessions=3)
        self.break_down("no_session", "encode", "grants no more sessions", foreign_sessions=3, session_error=21)

    def test_memory_runs_out__is_no_memory(self):
        self.break_down("no_memory", "encode", "cuda:0 has too little memory left", foreign_vram=4096 - 72)
        self.break_down("no_memory", "device", foreign_vram=4096 - 40)
        self.break_down("no_memory", "decode", fail_alloc=2)

    def test_driver_fails__names_the_part(self):
        for at in (1, 17, 30):
            self.break_down("device_lost", "decode", "cuda:0 failed", fail_decode=at)
            self.break_down("device_lost", "decode", "cuda:0 failed", fail_map=at)
            self.break_down("device_lost", "encode", "cuda:0 failed", fail_encode=at)
            self.break_down("device_lost", "device", "cuda:0 failed", fail_launch=2 * at)

    def test_device_is_lost__is_the_whole_device(self):
        # whichever part noticed it first
        for fault in ("fail_decode", "fail_map", "fail_launch", "fail_encode"):
            for sticky in (1, 2):
                self.break_down("device_lost", "device", sticky=sticky, **{fault: 9})

    def test_driver_is_not_what_was_surveyed__names_the_part(self):
        self.break_down("device_lost", "device", no_driver=1)
        self.break_down("device_lost", "encode", no_encoder=1)
        self.break_down("device_lost", "encode", "Found: 10.0", nvenc_version="10.0")
        self.break_down("bad_input", "decode", decode_h264=0)

    def test_ladder__ends_as_a_whole(self):
        outputs = [self.OUTPUT, self.OUTPUT | {"path": "b.mp4"}, self.OUTPUT | {"path": "c.mp4"}]
        self.break_down("device_lost", "encode", outputs=outputs, fail_encode=40)
        self.break_down("no_session", "encode", outputs=outputs, foreign_sessions=1)

    def test_required__is_refused_where_it_cannot_be(self):
        def refuse(words, *outputs, grant=FULL, **more):
            said = self.attempt(standin.h264_clip(), *(outputs or [self.OUTPUT]), hardware="require", grant=grant,
                                **more)
            self.assertEqual(said["outcome"][0]["outcome"], "bad_request")
            self.assertIn(words, said["outcome"][0]["text"])
            self.assertNotIn("ready", said)

        refuse("cuda:0 does not encode av1", {"path": "a.mp4", "video": {"codec": "av1"}, "audio": []})
        refuse("lends 1 of its encoder sessions", self.OUTPUT, self.OUTPUT | {"path": "b.mp4"}, grant=FULL | {"sessions": 1})
        refuse("there is none for this job", grant=CPU, device=None)

    def test_cpu_is_granted__says_why(self):
        def why(*arguments, **keywords):
            plan, total = self.succeed(standin.h264_clip(), *(arguments or [self.OUTPUT]), grant=CPU, **keywords)
            self.assertEqual((total["contexts"], total["sessions"]), (0, 0))
            return self.said["ready"][0]["why"]

        self.assertEqual(why(device=None), [])  # the daemon knows better
        self.assertEqual(why(), [])
        self.assertEqual(why(hardware="none"), [])
        broken = P1000 | {"encoders": [], "decoders": [], "problems": ["it needs NVENC API 12.0, driver 470 has 11.1"]}
        self.assertEqual(why(device=broken),
                         ["cuda:0 does not encode h264",
                          "cuda:0 does not decode h264 4:2:0 of 8 bits",
                          "cuda:0: it needs NVENC API 12.0, driver 470 has 11.1"])

    def test_need__says_what_each_device_would_do(self):
        self.succeed(standin.h264_clip(), self.OUTPUT,
                     {"path": "b.webm", "video": {"codec": "vp9", "preset": "8"}, "audio": []})
        need = self.said["need"][0]
        self.assertEqual(len(need["renditions"]), 2)
        self.assertEqual(need["devices"], [{"id": "cuda:0", "sessions": 1, "decodes": True, "surfaces": 6,
                                            "why": "cuda:0 does not encode vp9"}])


if __name__ == "__main__":
    harness.main()
