#!/usr/bin/env python3
"""ffmpeg decodes, filters and encodes without a frame crossing the bus, and the
picture is the software path's within 35 dB."""

import bitstream
import standin

INPUTS = {"h264": standin.h264_clip, "hevc": standin.hevc_clip, "hevc10": standin.hevc10_clip}
SIZES = {"larger": "480:270", "smaller": "214:120"}
TIMES = "packet=pts_time"


def times(path):
    return sorted(p["pts_time"] for p in standin.probe(path, TIMES))


class Transcode(standin.Case):
    def transcode(self, source, encoder, size, *options):
        path = INPUTS[source]()
        to = standin.FOLDER / f"{self.machine.folder.name}.mp4"
        pixels = ":format=nv12" if source == "hevc10" and encoder == "h264_nvenc" else ""
        # Without a filter that copies, the encoder holds the decoder's surfaces.
        chain = [] if size is None else ["-vf", f"scale_cuda={size}{pixels}"]
        self.succeed(*standin.CUDA, "-extra_hw_frames", "8", "-i", path, *chain,
                     "-c:v", encoder, "-b:v", "4M", *options, to)
        total = self.assert_clean()
        self.assertEqual(total["large_uploads"] + total["large_downloads"], 0)
        self.assertEqual(times(to), times(path))
        self.assertEqual(total["encoded"], 30)
        software = f"scale={size}" if size else "null"
        self.assertGreater(standin.psnr(to, path, software), 35)
        return to, total


def add(source, encoder, name, size):
    setattr(Transcode, f"test_{source}_to_{encoder}_{name}__keeps_picture_and_times",
            lambda self: self.transcode(source, encoder, size))


for source in INPUTS:
    for encoder in ("h264_nvenc", "hevc_nvenc"):
        for name, size in SIZES.items():
            add(source, encoder, name, size)
        if (source, encoder) != ("hevc10", "h264_nvenc"):
            add(source, encoder, "unfiltered", None)
        else:
            add(source, encoder, "converted", "320:180")


class Ladder(standin.Case):
    def test_three_renditions_of_one_decode__take_three_sessions(self):
        sizes = ["480:270", "320:180", "214:120"]
        split = "[0:v]split=3" + "".join(f"[s{n}]" for n in range(3))
        chains = [f"[s{n}]scale_cuda={size}:passthrough=0[o{n}]"
                  for n, size in enumerate(sizes)]
        outputs = [standin.FOLDER / f"rendition-{n}.mp4" for n in range(3)]
        self.succeed(*standin.CUDA, "-extra_hw_frames", "8", "-i", standin.h264_clip(),
                     "-filter_complex", ";".join([split, *chains]),
                     *(w for n, to in enumerate(outputs)
                       for w in ("-map", f"[o{n}]", "-c:v", "h264_nvenc", "-b:v", "4M", to)))
        total = self.assert_clean()
        self.assertEqual(total["sessions_peak"], 3)
        self.assertEqual((total["decoded"], total["encoded"]), (30, 90))
        # each filter loads its kernels, each encoder asks for its functions
        self.assertEqual((total["modules"], total["encoder_apis"]), (3, 3))
        self.assertEqual(total["large_uploads"] + total["large_downloads"], 0)
        for size, to in zip(sizes, outputs):
            self.assertGreater(standin.psnr(to, standin.h264_clip(), f"scale={size}"), 35)


class Pictures(Transcode):
    """Which pictures the encoder makes."""

    def types(self, path):
        return [f["pict_type"] for f in standin.probe(path, "frame=pict_type")]

    def test_b_frames__come_in_runs(self):
        to, _ = self.transcode("h264", "h264_nvenc", "480:270", "-bf", "2")
        self.assertEqual("".join(self.types(to)).count("BBP"), 9)

    def test_hevc_b_frames__can_be_switched_on(self):
        to = standin.FOLDER / "hevc-b.mp4"
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     "-c:v", "hevc_nvenc", "-bf", "3", to, hevc_b_frames=4)
        self.assertIn("B", self.types(to))
        self.assertEqual(len(times(to)), 30)
        self.assert_clean()

    def test_group_of_pictures__begins_with_idr(self):
        _, total = self.transcode("h264", "h264_nvenc", "480:270", "-g", "8")
        self.assertEqual(total["idr"], 4)

    def test_b_frames_and_groups__keep_all_pictures(self):
        _, total = self.transcode("h264", "h264_nvenc", "480:270", "-g", "8", "-bf", "3")
        self.assertEqual(total["idr"], 4)

    FORCED = ["-force_key_frames", "0.4,0.8"]

    def test_forced_key_frame_without_forced_idr__is_an_i_picture(self):
        for encoder in ("h264_nvenc", "hevc_nvenc"):
            with self.subTest(encoder):
                self.machine = standin.Machine()
                to, total = self.transcode("h264", encoder, "480:270", *self.FORCED)
                self.assertEqual(total["idr"], 1)
                types = self.types(to)
                self.assertEqual([types[i] for i in (0, 10, 20)], ["I", "I", "I"])

    def test_forced_key_frame_with_forced_idr__is_an_idr_picture(self):
        for encoder in ("h264_nvenc", "hevc_nvenc"):
            with self.subTest(encoder):
                self.machine = standin.Machine()
                _, total = self.transcode("h264", encoder, "480:270", *self.FORCED,
                                          "-forced-idr", "1")
                self.assertEqual(total["idr"], 3)

    def units(self, encoder, *options):
        to = standin.FOLDER / f"{self.machine.folder.name}.{encoder[:4]}"
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     "-c:v", encoder, "-g", "10", *options, to)
        shift = 0 if encoder == "h264_nvenc" else 1
        return [u[0] >> shift & (31 if shift == 0 else 63)
                for u in bitstream.split(to.read_bytes())]

    def test_parameter_sets__go_before_each_idr_picture(self):
        for encoder, sps, idr in (("h264_nvenc", 7, {5}), ("hevc_nvenc", 33, {19, 20})):
            with self.subTest(encoder):
                kinds = self.units(encoder)
                self.assertEqual(kinds.count(sps), 3)
                self.assertEqual(sum(k in idr for k in kinds), 3)

    def test_delimiters__come_when_asked_for(self):
        self.assertEqual(self.units("h264_nvenc", "-aud", "1").count(9), 30)


class Rates(standin.Case):
    """What the settings of quality and rate do to the size."""

    def size(self, encoder, *options):
        to = standin.FOLDER / f"{self.machine.folder.name}-{len(options)}.mp4"
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     "-c:v", encoder, *options, to)
        return to.stat().st_size

    def test_constant_qp__decides_the_size(self):
        for encoder in ("h264_nvenc", "hevc_nvenc"):
            with self.subTest(encoder):
                small = self.size(encoder, "-rc", "constqp", "-qp", "40")
                large = self.size(encoder, "-rc", "constqp", "-qp", "18")
                self.assertGreater(large, 3 * small)

    def test_quality__decides_the_size(self):
        small = self.size("h264_nvenc", "-rc", "vbr", "-cq", "40", "-b:v", "0")
        large = self.size("h264_nvenc", "-rc", "vbr", "-cq", "18", "-b:v", "0")
        self.assertGreater(large, 3 * small)

    def test_bit_rate__is_met(self):
        for encoder in ("h264_nvenc", "hevc_nvenc"):
            for mode in ("cbr", "vbr"):
                with self.subTest(encoder, mode=mode):
                    size = self.size(encoder, "-rc", mode, "-b:v", "1M", "-maxrate", "1M",
                                     "-bufsize", "1M")
                    # 1.2 seconds, so the buffer alone may double it
                    self.assertLess(size, 2.3 * 150_000)
                    self.assertGreater(size, 0.3 * 150_000)


class HostFrames(standin.Case):
    """Encoding what comes from the host works, and is seen to be an upload."""

    def test_software_frames__are_uploaded(self):
        for encoder in ("h264_nvenc", "hevc_nvenc"):
            with self.subTest(encoder):
                self.machine = standin.Machine()
                to = standin.FOLDER / f"host-{encoder}.mp4"
                self.succeed("-i", standin.h264_clip(), "-c:v", encoder, "-b:v", "4M", to)
                self.assertEqual(self.assert_clean()["large_uploads"], 30)
                self.assertGreater(standin.psnr(to, standin.h264_clip(), "null"), 35)

    def test_hwupload__is_counted(self):
        self.succeed("-init_hw_device", "cuda=c", "-filter_hw_device", "c", "-i",
                     standin.h264_clip(), "-vf", "format=nv12,hwupload", "-c:v", "h264_nvenc",
                     "-f", "null", "-")
        self.assertEqual(self.assert_clean()["large_uploads"], 60)

    def test_download__is_counted(self):
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf",
                     "hwdownload,format=nv12", "-f", "null", "-")
        self.assertEqual(self.assert_clean()["large_downloads"], 60)


class Capabilities(standin.Case):
    """What the card cannot do is refused with NVENC's own words."""

    def refuse(self, expected, *options, chain="scale_cuda=480:270", **settings):
        status, _, error = self.machine.ffmpeg(
            *standin.CUDA, "-i", standin.h264_clip(), "-vf", chain, *options, "-f", "null", "-",
            level="verbose", **settings)
        self.assertNotEqual(status, 0)
        self.assertIn(expected, error)

    def test_hevc_b_frames(self):
        self.refuse("Max B-frames 2 exceed 0", "-c:v", "hevc_nvenc", "-bf", "2")

    def test_h264_five_b_frames(self):
        self.refuse("Max B-frames 5 exceed 4", "-c:v", "h264_nvenc", "-bf", "5")

    def test_h264_10bit(self):
        self.refuse("10 bit encode not supported", "-c:v", "h264_nvenc",
                    chain="scale_cuda=format=p010le")

    def test_claims_that_are_not_kept(self):
        refusal = "InitializeEncoder failed: unsupported param (12): no 10 bit"
        self.refuse(refusal, "-c:v", "hevc_nvenc", chain="scale_cuda=format=p010le", hevc_10bit=0,
                    hevc_claims_10bit=1)
        for codec, most in (("h264", 1), ("hevc", 0)):
            refusal = f"InitializeEncoder failed: invalid param (8): 3 B-frames in a row, at most {most}"
            self.refuse(refusal, "-c:v", f"{codec}_nvenc", "-bf", "3",
                        **{f"{codec}_b_frames": most, f"{codec}_claims_b_frames": 4})

    def test_claims_that_are_less__take_nothing_away(self):
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270", "-c:v", "h264_nvenc",
                     "-bf", "3", "-f", "null", "-", h264_claims_b_frames=1)

    def test_h264_width(self):
        self.refuse("Width 4160 exceeds 4096", "-c:v", "h264_nvenc", chain="scale_cuda=4160:64")

    def test_hevc_temporal_aq(self):
        self.refuse("Temporal AQ not supported", "-c:v", "hevc_nvenc", "-temporal-aq", "1")

    def test_b_frames_as_references(self):
        options = ["-c:v", "h264_nvenc", "-bf", "2", "-b_ref_mode", "middle"]
        self.refuse("B frames as references are not supported", *options)
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     *options, "-f", "null", "-", b_ref_mode=2)

    def test_several_references(self):
        options = ["-c:v", "h264_nvenc", "-refs", "3"]
        self.refuse("Multiple reference frames are not supported", *options)
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     *options, "-f", "null", "-", multiple_refs=1)

    def test_b_frames_of_the_presets(self):
        arguments = [*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=480:270",
                     "-c:v", "h264_nvenc"]
        for wanted in (0, 2):
            with self.subTest(preset_b_frames=wanted):
                to = standin.FOLDER / f"preset-{wanted}.mp4"
                self.succeed(*arguments, to, preset_b_frames=wanted)
                types = [f["pict_type"] for f in standin.probe(to, "frame=pict_type")]
                self.assertEqual("B" in types, wanted > 0)

    def test_too_small(self):
        self.refuse("InitializeEncoder failed: invalid param (8)", "-c:v", "h264_nvenc",
                    chain="scale_cuda=32:16")

    def test_smallest_size__can_be_set(self):
        self.succeed(*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=32:16",
                     "-c:v", "h264_nvenc", "-f", "null", "-", h264_min_width=16,
                     h264_min_height=16)

    def test_level_too_low(self):
        self.refuse("InitializeEncoder failed: invalid param (8)", "-c:v", "h264_nvenc",
                    "-level", "1.0")

    def test_no_encoder_at_all(self):
        self.refuse("OpenEncodeSessionEx failed", "-c:v", "h264_nvenc", no_encoder=1)


if __name__ == "__main__":
    standin.main()
