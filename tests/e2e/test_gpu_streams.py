#!/usr/bin/env python3
"""A worker on the stand-in for NVIDIA's driver: streams that need many surfaces,
streams that change, and how little of the card's memory they take."""

import re
import subprocess
import unittest

import gpucase
import harness
import standin
import test_decode
from gpucase import FULL, P1000

# What holds most pictures at a time, of its kind, and the surfaces that it has.
HUNGRY = {"h264_b_pyramid_open_gop": 6, "h264_many_references": 14, "h264_mbaff": 6, "h264_fields": 17,
          "h264_gaps": 3, "hevc_b_pyramid_open_gop": 6, "hevc_long_term": 5, "hevc_12bit": 6, "vp9": 11, "mpeg2": 3}


def count(path):
    return len(standin.frames(standin.software("-i", path, "-map", "0:v", "-fps_mode", "passthrough",
                                               "-f", "framemd5", "-")))


def joined(name, *parts, codec="libx264", options=("-preset", "veryfast", "-bf", "2")):
    """A recording of @parts (source, pixel format), one behind the other."""
    path = standin.FOLDER / name
    clips = [standin.clip(f"{name}-{n}.ts", "-c:v", codec, *options, source=source, pixels=pixels)
             for n, (source, pixels) in enumerate(parts)]
    path.write_bytes(b"".join(c.read_bytes() for c in clips))
    return path


class Streams(gpucase.GpuCase):
    def output(self, name="a.mkv", **video):
        return {"path": name, "video": {"width": 214, "height": 120} | video, "audio": []}

    def transcode(self, path, *outputs, frames=None, **keywords):
        outputs = outputs or (self.output(),)
        plan, total = self.succeed(path, *outputs, **keywords)
        for o in outputs:
            self.assertEqual(len(standin.probe(self.out / o["path"], "packet=pts_time")), frames or count(path))
        self.assertEqual(self.said["outcome"][0]["errors"], 0)
        return plan, total

    def test_hungry_streams__have_enough_surfaces(self):
        cases = {name: (make, settings) for name, make, settings in test_decode.CASES}
        for name, surfaces in HUNGRY.items():
            with self.subTest(name):
                self.machine = standin.Machine()
                make, settings = cases[name]
                plan, total = self.transcode(make(name), settings=settings)
                self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc"])
                self.assertEqual(total["surfaces_peak"], surfaces)
                self.assertEqual((total["large_uploads"], total["large_downloads"]), (0, 0))

    def test_many_threads_are_granted__the_cards_decoder_uses_one(self):
        """Each more would hold a surface, and wait for another picture."""
        def held(threads):
            self.machine = standin.Machine()
            _, total = self.transcode(standin.h264_clip(), grant=FULL | {"threads": threads}, frames=30)
            return total["surfaces_peak"]
        self.assertEqual(held(8), held(1))

    def test_ladder_with_rates__has_enough_surfaces(self):
        cases = {name: make for name, make, _ in test_decode.CASES}
        path = cases["h264_b_pyramid_open_gop"]("h264_b_pyramid_open_gop")
        outputs = [self.output("a.mkv", frame_rate=25), self.output("b.mkv", codec="hevc", frame_rate=25),
                   self.output("c.mkv")]
        self.transcode(path, *outputs, frames=30)

    def changing(self, path, *outputs, **keywords):
        """One that plays through, in one size and one session."""
        _, total = self.transcode(path, *outputs, **keywords)
        self.assertEqual((total["sessions"], total["large_uploads"], total["large_downloads"]), (1, 0, 0))
        sizes = {(f["width"], f["height"]) for f in standin.probe(self.out / "a.mkv", "frame=width,height")}
        self.assertEqual(sizes, {(214, 120)})
        times = [float(p["pts_time"]) for p in standin.probe(self.out / "a.mkv", "packet=pts_time")]
        self.assertEqual(len(set(times)), len(times))
        return total

    def test_size_that_changes__keeps_the_encoder(self):
        path = joined("sizes.ts", *((f"testsrc2=size={size}:rate=25:duration=0.6", "yuv420p")
                                    for size in ("320x180", "200x120", "640x360", "320x180")))
        total = self.changing(path)
        self.assertEqual(total["decoders"], 4)
        # the right picture in each part
        for at, size in (("0.2", "320x180"), ("0.8", "200x120"), ("1.4", "640x360")):
            self.assertPicture(at, 0.2, size)

    def assertPicture(self, at, moment, size):
        """At the time @at there is the one of the source's @moment."""
        still = self.folder / f"{at}.png"
        standin.software("-ss", at, "-i", self.out / "a.mkv", "-frames:v", "1", still)
        picture = standin.clip(f"{moment}-{size}.png", "-frames:v", "1",
                               source=f"testsrc2=size={size}:rate=25:duration=0.6,select=gte(t\\,{moment:.2f})",
                               pixels="rgb24")
        self.assertGreater(standin.psnr(still, picture, "scale=214:120"), 20, at)

    def test_depth_that_changes__keeps_the_encoder(self):
        source = "testsrc2=size=320x180:rate=25:duration=0.6"
        path = joined("depths.ts", (source, "yuv420p"), (source, "yuv420p10le"), codec="libx265",
                      options=("-preset", "ultrafast", "-x265-params", standin.X265))
        self.changing(path)
        for at in "0.2", "0.8":  # the same picture, of the same size
            self.assertPicture(at, 0.2, "320x180")

    def test_rate_that_changes__keeps_the_encoder(self):
        path = joined("rates.ts", ("testsrc2=size=320x180:rate=25:duration=0.6", "yuv420p"),
                      ("testsrc2=size=320x180:rate=50:duration=0.6", "yuv420p"))
        self.succeed(path, self.output("cpu.mkv", frame_rate=25), grant=gpucase.CPU)
        self.changing(path, self.output(frame_rate=25), frames=count(self.out / "cpu.mkv"))

    # Size, rate and depth of the parts of one recording, and its pictures.
    PARTS = (("256x150", 25, "yuv420p"), ("640x360", 50, "yuv420p10le"), ("320x180", 30, "yuv420p10le"),
             ("256x150", 25, "yuv420p"))
    LENGTHS = (15, 30, 18, 15)

    def everything_changes(self, *outputs, **keywords):
        """A recording of the parts plays through, each with its own pictures."""
        parts = [(f"testsrc2=size={size}:rate={rate}:duration=0.6", pixels) for size, rate, pixels in self.PARTS]
        path = joined("everything.ts", *parts, codec="libx265", options=(
            "-preset", "ultrafast", "-x265-params", standin.X265 + "bframes=0"))  # no picture moves behind the next part
        plan, total = self.transcode(path, *outputs, frames=sum(self.LENGTHS), **keywords)
        for o in outputs:
            path = self.out / o["path"]
            size = o["video"]["width"], o["video"]["height"]
            frames = standin.probe(path, "frame=width,height,pix_fmt")
            self.assertEqual({(f["width"], f["height"]) for f in frames}, {size})
            self.assertEqual(len({f["pix_fmt"] for f in frames}), 1)
            times = [float(p["pts_time"]) for p in standin.probe(path, "packet=pts_time")]
            self.assertEqual(sorted(set(times)), sorted(times))
            self.assertGreater(self.psnr(path, size), 30)
        return plan, total

    def psnr(self, path, size):
        """Of all pictures against those of the parts, in their order."""
        every = range(len(self.PARTS))
        order = "settb=1/25,setpts=N"
        chains = [f"[{n + 1}:v]scale={size[0]}:{size[1]}:flags=bicubic,format=yuv420p,setsar=1[p{n}]" for n in every]
        chains += ["".join(f"[p{n}]" for n in every) + f"concat={len(every)},{order}[parts]",
                   f"[0:v]format=yuv420p,{order}[o]", "[o][parts]psnr"]
        inputs = [word for n in every for word in ("-i", standin.FOLDER / f"everything.ts-{n}.ts")]
        r = subprocess.run(["ffmpeg", "-nostdin", "-i", path, *inputs, "-lavfi", ";".join(chains), "-f", "null", "-"],
                           capture_output=True, text=True, check=True)
        return float(re.search(r"average:(\S+) min:(\S+)", r.stderr)[2])

    def rung(self, name, codec, width, height):
        return self.output(name, codec=codec, width=width, height=height, quality=20, preset="fastest")

    def test_everything_that_changes__whatever_the_plan__plays_through(self):
        one = self.rung("a.mkv", "hevc", 214, 120)
        ladder = one, self.rung("b.mkv", "h264", 160, 96), self.rung("c.mkv", "hevc", 320, 180)
        cases = [
            # outputs, grant, filters, plan of the first, sessions, decoders
            (ladder, FULL, P1000["filters"], "nvdec>scale_cuda>hevc_nvenc", 3, 4),
            ((one,), FULL | {"decode": False}, P1000["filters"], "native>hwupload>scale_cuda>hevc_nvenc", 1, 0),
            ((one,), FULL | {"sessions": 0}, P1000["filters"], "nvdec>scale_cuda>hwdownload>libx265", 0, 4),
            ((one,), FULL, [], "nvdec>hwdownload>scale>hwupload>hevc_nvenc", 1, 4),
        ]
        for outputs, grant, filters, expect, sessions, decoders in cases:
            with self.subTest(expect):
                self.machine = standin.Machine()
                plan, total = self.everything_changes(*outputs, grant=grant, device=P1000 | {"filters": filters})
                self.assertEqual(plan[0], expect)
                self.assertEqual((total["sessions"], total["decoders"]), (sessions, decoders))
                self.assertEqual(total["encoded"], sessions * sum(self.LENGTHS))
                if "hw" not in expect:
                    self.assertEqual((total["large_uploads"], total["large_downloads"]), (0, 0))

    def test_ten_bits__become_eight_in_the_middle__the_encoder_stays_at_ten(self):
        source = "testsrc2=size=320x180:rate=25:duration=0.6"
        path = joined("shallower.ts", (source, "yuv420p10le"), (source, "yuv420p"), codec="libx265",
                      options=("-preset", "ultrafast", "-x265-params", standin.X265))
        for grant in (FULL, FULL | {"decode": False}):
            self.machine = standin.Machine()
            plan, total = self.transcode(path, self.output(codec="hevc"), grant=grant)
            self.assertEqual(total["sessions"], 1)
            self.assertEqual({f["pix_fmt"] for f in standin.probe(self.out / "a.mkv", "frame=pix_fmt")}, {"yuv420p10le"})

    def test_depth_that_the_card_lacks__is_the_decoders_fault(self):
        source = "testsrc2=size=320x180:rate=25:duration=0.6"
        path = joined("deeper.ts", (source, "yuv420p"), (source, "yuv420p10le"))
        said = self.attempt(path, self.output())
        self.assertEqual((said["outcome"][0]["outcome"], said["outcome"][0]["part"]), ("bad_input", "decode"))
        self.assertIn("does not take this: it does not decode this stream", said["outcome"][0]["text"])
        self.clean()
        # what the daemon tries next
        plan, _ = self.transcode(path, grant=FULL | {"decode": False})
        self.assertEqual(plan, ["native>hwupload>scale_cuda>h264_nvenc"])


class Memory(gpucase.GpuCase):
    """Bytes of the card at the peak of a working process, against the ffmpeg
    program's for the same renditions."""

    SOURCE = "testsrc2=size={}:rate=25:duration={}"
    # guesses of the stand-in's: smaller sessions for smaller pictures, or all alike
    SESSIONS = {"session_fixed_vram": 16}, {"session_fixed_vram": 48}

    def theirs(self, clip, heights, *options, decode=(), settings=None):
        machine = standin.Machine()
        pads = "".join(f"[i{h}]" for h in heights)
        chains = [f"[0:v]split={len(heights)}{pads}"]
        chains += [f"[i{h}]scale_cuda=-2:{h}:format=nv12[o{h}]" for h in heights]
        outputs = [word for h in heights
                   for word in ("-map", f"[o{h}]", "-c:v", "h264_nvenc", *options, self.folder / f"theirs-{h}.mp4")]
        status, _, error = machine.ffmpeg(*decode, *standin.CUDA, "-i", clip, "-filter_complex", ";".join(chains),
                                          *outputs, **(settings or {}))
        self.assertEqual(status, 0, error)
        return machine.total()["vram_peak"]

    def compare(self, clip, *heights, settings=None):
        """Ours, as a part of what an ffmpeg with a server's threads takes."""
        self.machine = standin.Machine()
        _, total = self.succeed(clip, *({"path": f"{h}.mp4", "video": {"max_height": h}, "audio": []}
                                        for h in heights), settings=settings)
        ours = total["vram_peak"]
        # the least that make bench finds among its commands
        tuned = self.theirs(clip, heights, "-surfaces", "1", "-delay", "0", decode=["-threads", "1"],
                            settings=settings)
        self.assertLessEqual(ours, tuned)
        return ours / self.theirs(clip, heights, "-bf", "2", decode=["-threads", "16"], settings=settings)

    def test_h264__takes_little(self):
        clip = standin.clip("big.mp4", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2",
                            source=self.SOURCE.format("1920x1080", 0.64))
        by_size, alike = self.SESSIONS
        self.assertLessEqual(self.compare(clip, 720, settings=by_size), 0.6)
        self.assertLessEqual(self.compare(clip, 720, 480, 360, settings=by_size), 0.6)
        self.assertLessEqual(self.compare(clip, 720, settings=alike), 0.6)
        # then half of what ffmpeg takes is contexts and sessions
        self.assertLessEqual(self.compare(clip, 720, 480, 360, settings=alike), 0.65)

    def test_hevc_of_10_bits__takes_little(self):
        clip = standin.clip("big10.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", standin.X265,
                            source=self.SOURCE.format("1920x1080", 0.64), pixels="yuv420p10le")
        self.assertLessEqual(self.compare(clip, 720), 0.6)

    @unittest.skipIf(standin.sanitizers(), "counts bytes, as the plain build does in a fraction of the time")
    def test_hevc_of_2160_lines__takes_little(self):
        clip = standin.clip("huge10.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", standin.X265,
                            source=self.SOURCE.format("3840x2160", 0.4), pixels="yuv420p10le")
        self.assertLessEqual(self.compare(clip, 1080, 720, 480), 0.6)


if __name__ == "__main__":
    harness.main()
