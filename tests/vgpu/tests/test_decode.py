#!/usr/bin/env python3
"""Decoding is bit for bit what software decodes, on streams with all that makes
it hard."""

import h264_streams
import hevc_streams
import standin

FADE = standin.SOURCE + ",fade=in:0:25"
INTERLACED = standin.SOURCE + ",interlace"


def x264(parameters, *more, source=standin.SOURCE):
    return lambda name: standin.clip(
        name + ".mkv", "-c:v", "libx264", "-preset", "fast", "-x264-params", parameters,
        *more, source=source)


def x265(parameters, pixels="yuv420p", source=standin.SOURCE):
    return lambda name: standin.clip(
        name + ".mkv", "-c:v", "libx265", "-preset", "fast", "-x265-params",
        standin.X265 + parameters, source=source, pixels=pixels)


def plain_h264():
    return standin.clip("plain.h264", "-c:v", "libx264", "-preset", "fast", "-x264-params",
                        "bframes=0:ref=2:keyint=25:scenecut=0:weightp=0")


def plain_hevc():
    return standin.clip("plain.hevc", "-c:v", "libx265", "-preset", "fast", "-x265-params",
                        standin.X265 + "keyint=-1:bframes=0:ref=3:scenecut=0:wpp=0")


def changed(original, change):
    def make(name):
        source = original()
        path = standin.FOLDER / (name + source.suffix)
        path.write_bytes(change(source.read_bytes()))
        return path
    return make


def fields(name):
    path = standin.FOLDER / (name + ".h264")
    path.write_bytes(h264_streams.make_fields())
    return path


def other(suffix, *encoder, pixels="yuv420p", source=standin.SOURCE):
    return lambda name: standin.clip(name + suffix, *encoder, pixels=pixels, source=source)


def two_sizes(name):
    """The decoder is made anew in mid-stream."""
    path = standin.FOLDER / (name + ".h264")
    parts = [standin.clip(f"{size}.h264", "-c:v", "libx264", "-bf", "2",
                          source=f"testsrc2=size={size}:duration=0.6")
             for size in ("320x180", "200x120")]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


# Name, how it is made, settings of the machine.
CASES = [
    ("h264_b_pyramid_open_gop", x264("open-gop=1:bframes=3:b-pyramid=normal:keyint=10"), {}),
    ("h264_slices", x264("slices=4:bframes=2"), {}),
    ("h264_mbaff", x264("interlaced=1:slices=2:bframes=2", source=INTERLACED), {}),
    ("h264_mbaff_cavlc", x264("interlaced=1:cabac=0:bframes=2:weightb=1", source=INTERLACED), {}),
    ("h264_progressive_in_fields", x264("fake-interlaced=1:bframes=2"), {}),
    ("h264_cavlc", x264("cabac=0:bframes=2"), {}),
    ("h264_baseline", x264("ref=4", "-profile:v", "baseline"), {}),
    ("h264_weighted", x264("weightp=2:weightb=1:bframes=2", source=FADE), {}),
    ("h264_scaling_lists", x264("cqm=jvt:8x8dct=1:bframes=2"), {}),
    ("h264_scaling_lists_4x4", x264("cqm=jvt:8x8dct=0"), {}),
    ("h264_many_references", x264("ref=12:bframes=3:direct=temporal"), {}),
    ("h264_intra_refresh", x264("intra-refresh=1:keyint=10"), {}),
    ("h264_constrained_intra", x264("constrained-intra=1:bframes=2"), {}),
    ("h264_lossless", x264("qp=0"), {}),
    ("h264_long_term", changed(plain_h264, h264_streams.make_long_term), {}),
    ("h264_gaps", changed(plain_h264, h264_streams.make_gaps), {}),
    ("h264_fields", fields, {}),
    ("h264_two_sizes", two_sizes, {}),
    ("hevc_b_pyramid_open_gop", x265("open-gop=1:bframes=4:b-pyramid=1:keyint=10"), {}),
    ("hevc_slices", x265("slices=3:bframes=2"), {}),
    ("hevc_wpp", x265("wpp=1:bframes=2"), {}),
    ("hevc_weighted", x265("weightp=1:weightb=1:bframes=2", source=FADE), {}),
    ("hevc_scaling_lists", x265("scaling-list=default"), {}),
    ("hevc_transform_skip", x265("tskip=1:cu-lossless=1:signhide=1"), {}),
    ("hevc_small_blocks", x265("ctu=16:min-cu-size=8:rect=1:amp=1"), {}),
    ("hevc_10bit", x265("bframes=3", pixels="yuv420p10le"), {}),
    ("hevc_12bit", x265("bframes=3", pixels="yuv420p12le"), {}),
    ("hevc_rewritten", x265("open-gop=1:bframes=4:b-pyramid=1:keyint=10:slices=3"),
     {"hevc_rewrite": 1}),
    ("hevc_sets_in_sps", changed(plain_hevc, hevc_streams.make_sets), {}),
    ("hevc_long_term", changed(plain_hevc, hevc_streams.make_long_term), {}),
    ("vp9", other(".webm", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime",
                  "-auto-alt-ref", "1", "-lag-in-frames", "10"), {}),
    ("vp9_10bit", other(".webm", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline",
                        "realtime", pixels="yuv420p10le"), {}),
    ("mpeg2", other(".m2v", "-c:v", "mpeg2video", "-bf", "2", "-q:v", "4"), {}),
    ("mpeg2_interlaced", other(".m2v", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-bf", "2",
                               "-q:v", "4", source=INTERLACED), {}),
]

# Pixel format that is downloaded and what it becomes, by the software's.
FORMATS = {
    "yuv420p": "format=nv12,format=yuv420p",
    "yuv420p10le": "format=p010le,format=yuv420p10le",
    "yuv420p12le": "format=p016le,format=yuv420p12le",
}


def pixel_format(path):
    return standin.probe(path, "stream=pix_fmt")[0]["pix_fmt"]


class Decode(standin.Case):
    def compare(self, name, make, settings):
        path = make(name)
        md5 = ["-map", "0:v", "-autoscale", "0", "-fps_mode", "passthrough", "-f", "framemd5", "-"]
        expected = standin.frames(standin.software("-i", path, *md5))
        out, error = self.succeed(
            *standin.CUDA, "-extra_hw_frames", "4", "-i", path, "-vf",
            "hwdownload," + FORMATS[pixel_format(path)], *md5, **settings)
        self.assertGreater(len(expected), 10)
        self.assertEqual(standin.frames(out), expected, error)
        total = self.assert_clean()
        self.assertGreaterEqual(total["decoded"], len(expected))
        # The decoder behind the decoder must not come here again.
        self.assertEqual(total["contexts"], 1)


def add(name, make, settings):
    setattr(Decode, "test_" + name + "__is_bit_exact",
            lambda self: self.compare(name, make, settings))


for case in CASES:
    add(*case)


class Streams(standin.Case):
    """That the streams made by hand are what they are meant to be."""

    def hashes(self, path):
        return standin.frames(standin.software("-i", path, "-f", "framemd5", "-"))

    def test_long_term_h264__decodes_to_something_else(self):
        path = changed(plain_h264, h264_streams.make_long_term)("long")
        self.assertNotEqual(self.hashes(path), self.hashes(plain_h264()))

    def test_long_term_hevc__decodes_to_something_else(self):
        path = changed(plain_hevc, hevc_streams.make_long_term)("long")
        self.assertNotEqual(self.hashes(path), self.hashes(plain_hevc()))

    def test_sets_in_sps__decode_to_the_same(self):
        path = changed(plain_hevc, hevc_streams.make_sets)("sets")
        self.assertEqual(self.hashes(path), self.hashes(plain_hevc()))


class Refused(standin.Case):
    """What the card does not decode, ffmpeg decodes in software."""

    def fall_back(self, path, **settings):
        out, _ = self.succeed("-hwaccel", "cuda", "-i", path, "-f", "framemd5", "-", **settings)
        self.assertGreater(len(standin.frames(out)), 10)
        self.assertEqual(self.assert_clean()["decoded"], 0)

    def test_h264_10bit__falls_back(self):
        self.fall_back(standin.clip("h264-10.mkv", "-c:v", "libx264", pixels="yuv420p10le"))

    def test_hevc_444__falls_back(self):
        self.fall_back(standin.clip("hevc-444.mkv", "-c:v", "libx265", "-x265-params",
                                    standin.X265, pixels="yuv444p"))

    def test_codec_switched_off__falls_back(self):
        self.fall_back(standin.h264_clip(), decode_h264=0)

    def test_too_small__falls_back(self):
        self.fall_back(standin.clip("small.mkv", "-c:v", "libx265", "-x265-params", standin.X265,
                                    source="testsrc2=size=128x128:duration=1"))

    def test_surface_limit__can_be_set(self):
        arguments = [*standin.CUDA, "-i", standin.h264_clip(), "-vf", "hwdownload,format=nv12",
                     "-f", "null", "-"]
        self.succeed(*arguments, surface_limit=32)
        status, _, _ = self.machine.ffmpeg(*arguments, surface_limit=4)
        self.assertNotEqual(status, 0)


if __name__ == "__main__":
    standin.main()
