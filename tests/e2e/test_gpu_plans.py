#!/usr/bin/env python3
"""A worker on the stand-in for NVIDIA's driver: its plans, what they move, and
the pictures that come out of them."""

import gpucase
import harness
import standin
from gpucase import FULL, P1000
from harness import streams

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2"]


def small(height=120, **video):
    return {"max_height": height, "bitrate": 4000000} | video


def output(name="a.mp4", **video):
    return {"path": name, "video": small(**video), "audio": []}


class Plans(gpucase.GpuCase):
    def transcode(self, source, *outputs, **keywords):
        """What is true of every plan: all frames, and the right ones."""
        plan, total = self.succeed(source, *outputs, **keywords)
        for o in outputs:
            path = self.out / o["path"]
            s = next(s for s in streams(path) if s["codec_type"] == "video")
            self.assertEqual(len(standin.probe(path, "packet=pts_time")), 30)
            scale = f"scale={s['width']}:{s['height']}:flags=bicubic"
            self.assertGreater(standin.psnr(path, source, scale), 33)
        return plan, total

    def assertNoCopies(self, total):
        self.assertEqual((total["large_uploads"], total["large_downloads"]), (0, 0))

    def test_one_rendition__never_leaves_the_card(self):
        clips = {"h264": standin.h264_clip(), "hevc": standin.hevc_clip(), "hevc10": standin.hevc10_clip()}
        for name, clip in clips.items():
            for codec in ("h264", "hevc"):
                with self.subTest(f"{name} to {codec}"):
                    self.machine = standin.Machine()
                    plan, total = self.transcode(clip, output(f"{name}-{codec}.mp4", codec=codec))
                    self.assertEqual(plan, [f"nvdec>scale_cuda>{codec}_nvenc"])
                    self.assertNoCopies(total)
                    self.assertEqual((total["decoded"], total["encoded"], total["contexts"]), (30, 30, 1))

    def test_ladder__is_decoded_once(self):
        plan, total = self.transcode(standin.h264_clip(), output("a.mp4", height=160), output("b.mp4"),
                                     output("c.mp4", height=136, codec="hevc"))
        self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc"] * 2 + ["nvdec>scale_cuda>hevc_nvenc"])
        self.assertNoCopies(total)
        self.assertEqual((total["decoded"], total["encoded"]), (30, 90))
        self.assertEqual((total["sessions"], total["sessions_peak"], total["contexts"]), (3, 3, 1))
        self.assertEqual(total["launches"], 3 * 2 * 30)  # luma and chroma of each

    def test_same_size__is_exact_up_to_the_encoder(self):
        plan, total = self.transcode(standin.h264_clip(), output(height=180))
        self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc"])
        self.assertNoCopies(total)

    def test_threads_of_a_grant__cost_the_card_nothing(self):
        for threads in 1, 16:
            self.machine = standin.Machine()
            plan, total = self.transcode(standin.h264_clip(), output(), grant=FULL | {"threads": threads})
            self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc"])
            # no more than it said that it would take
            self.assertEqual(total["surfaces_peak"], self.said["need"][0]["devices"][0]["surfaces"])

    def test_mixed_grants__run(self):
        none = FULL | {"sessions": 0}
        blind = FULL | {"decode": False}
        cases = [
            (standin.h264_clip(), none, {}, ["nvdec>scale_cuda>hwdownload>libx264"], (0, 30)),
            (standin.hevc10_clip(), none, {"codec": "hevc"}, ["nvdec>scale_cuda>hwdownload>scale>libx265"], (0, 30)),
            (standin.h264_clip(), blind, {}, ["native>hwupload>scale_cuda>h264_nvenc"], (30, 0)),
            (standin.hevc10_clip(), blind, {"codec": "hevc"}, ["native>hwupload>scale_cuda>hevc_nvenc"], (30, 0)),
            (standin.h264_clip(), blind, {"height": 180}, ["native>hwupload>scale_cuda>h264_nvenc"], (30, 0)),
        ]
        for clip, grant, video, expect, moved in cases:
            with self.subTest(str(expect)):
                self.machine = standin.Machine()
                plan, total = self.transcode(clip, output(**video, preset="fastest"), grant=grant)
                self.assertEqual(plan, expect)
                self.assertEqual((total["large_uploads"] > 0, total["large_downloads"] > 0),
                                 (moved[0] > 0, moved[1] > 0))

    def test_fewer_sessions_than_renditions__rest_is_the_cpus(self):
        plan, total = self.transcode(standin.h264_clip(), output("a.mp4", height=160, preset="fastest"),
                                     output("b.mp4", preset="fastest"), grant=FULL | {"sessions": 1})
        self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc", "nvdec>scale_cuda>hwdownload>libx264"])
        self.assertEqual((total["decoded"], total["encoded"], total["sessions"]), (30, 30, 1))
        self.assertEqual(self.said["ready"][0]["why"],
                         ["cuda:0 lends 1 of its encoder sessions to this job"])

    def test_what_nvdec_lacks__is_decoded_by_the_cpu(self):
        deep = standin.clip("high10.mp4", *X264, "-profile:v", "high10", pixels="yuv420p10le")
        vp8 = standin.clip("vp8.webm", "-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime")
        for clip, words in ((deep, "h264 4:2:0 of 10 bits"), (vp8, "vp8 4:2:0 of 8 bits")):
            with self.subTest(words):
                self.machine = standin.Machine()
                plan, total = self.transcode(clip, output())
                self.assertEqual(plan, ["native>hwupload>scale_cuda>h264_nvenc"])
                self.assertEqual(self.said["ready"][0]["why"], [f"cuda:0 does not decode {words}"])
                self.assertEqual((total["decoded"], total["encoded"]), (0, 30))

    def test_scaler_that_does_not_run_here__is_the_cpus(self):
        plan, total = self.transcode(standin.h264_clip(), output(), device=P1000 | {"filters": ["yadif_cuda"]})
        self.assertEqual(plan, ["nvdec>hwdownload>scale>hwupload>h264_nvenc"])
        self.assertEqual((total["decoded"], total["encoded"], total["launches"]), (30, 30, 0))

    def test_turned_picture__is_turned_by_the_cpu(self):
        upright = standin.h264_clip()
        turned = standin.FOLDER / "turned.mp4"
        standin.software(*harness.turning(upright), turned)
        plan, _ = self.transcode(turned, output(height=320))
        self.assertEqual(plan, ["nvdec>hwdownload>transpose>hwupload>h264_nvenc"])

    def test_frame_rate__is_changed_on_the_card(self):
        plan, total = self.succeed(standin.h264_clip(), output(frame_rate=50))
        self.assertEqual(plan, ["nvdec>fps>scale_cuda>h264_nvenc"])
        self.assertNoCopies(total)
        here, _ = self.succeed(standin.h264_clip(), output("b.mp4", frame_rate=50, preset="fastest"),
                               grant=gpucase.CPU)
        self.assertEqual(here, ["native>fps>scale>libx264"])
        times = [standin.probe(self.out / n, "packet=pts_time") for n in ("a.mp4", "b.mp4")]
        self.assertEqual(*[sorted(p["pts_time"] for p in t) for t in times])
        self.assertEqual((total["decoded"], total["encoded"]), (30, len(times[0])))


if __name__ == "__main__":
    harness.main()
