#!/usr/bin/env python3
"""FFmpeg's kernels give what its software filters give, as near as they can."""

import standin

# Name, clip, filter on the card, downloaded format, software filter, least dB.
# A card's bicubic without a parameter is softer than swscale's.
INTERLACED = standin.SOURCE + ",interlace"
CASES = [
    ("larger", "h264", "scale_cuda=640:360", "nv12", "scale=640:360", 38),
    ("smaller", "h264", "scale_cuda=160:90", "nv12", "scale=160:90", 36),
    ("lanczos", "h264", "scale_cuda=640:360:interp_algo=lanczos", "nv12",
     "scale=640:360:flags=bicubic:param0=0:param1=0.5", 38),
    ("bilinear", "h264", "scale_cuda=160:90:interp_algo=bilinear", "nv12",
     "scale=160:90:flags=bilinear", 33),
    ("nearest", "h264", "scale_cuda=160:90:interp_algo=nearest", "nv12",
     "scale=160:90:flags=neighbor", 99),
    ("planes", "h264", "scale_cuda=format=yuv420p", "yuv420p", "null", 99),
    ("full_chroma", "h264", "scale_cuda=format=yuv444p", "yuv444p", "format=yuv444p", 38),
    ("8_to_10_bit", "h264", "scale_cuda=640:360:format=p010le", "p010le",
     "scale=640:360,format=yuv420p10", 38),
    ("10_bit", "hevc10", "scale_cuda=640:360", "p010le", "scale=640:360", 38),
    ("10_to_8_bit", "hevc10", "scale_cuda=640:360:format=nv12", "nv12",
     "scale=640:360,format=yuv420p", 38),
    ("10_to_16_bit", "hevc10", "scale_cuda=format=p016le", "p016le", "null", 60),
    ("full_chroma_16_bit", "hevc10", "scale_cuda=format=yuv444p16le", "yuv444p16le",
     "format=yuv444p16le", 38),
    ("yadif", "fields", "yadif_cuda", "nv12", "yadif", 40),
    ("yadif_each_field", "fields", "yadif_cuda=mode=send_field", "nv12",
     "yadif=mode=send_field", 40),
    ("yadif_10_bit", "hevc10", "yadif_cuda", "p010le", "yadif", 40),
]
PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le", "p016le": "yuv420p16le"}
CLIPS = {
    "h264": standin.h264_clip,
    "hevc10": standin.hevc10_clip,
    "fields": lambda: standin.clip("fields.mp4", "-c:v", "libx264", "-preset", "fast",
                                   "-x264-params", "interlaced=1", source=INTERLACED),
}


class Filters(standin.Case):
    def compare(self, clip, chain, pixels, software, least):
        path = CLIPS[clip]()
        planar = PLANAR.get(pixels, pixels)
        to = standin.FOLDER / f"{self.machine.folder.name}.nut"
        self.succeed(*standin.CUDA, "-extra_hw_frames", "4", "-i", path, "-vf",
                     f"{chain},hwdownload,format={pixels},format={planar}",
                     "-c:v", "rawvideo", to)
        self.assert_clean()
        self.assertGreater(standin.psnr(to, path, f"{software},format={planar}"), least)

    def test_overlay__lays_one_picture_over_another(self):
        path = standin.h264_clip()
        to = standin.FOLDER / "overlay.nut"
        self.succeed(
            "-init_hw_device", "cuda=c", "-filter_hw_device", "c", *standin.CUDA,
            "-extra_hw_frames", "4", "-i", path, "-f", "lavfi", "-i",
            "color=red:size=64x32:rate=25:duration=1.2", "-filter_complex",
            "[1:v]format=nv12,hwupload[o];[0:v][o]overlay_cuda=x=16:y=24,hwdownload,"
            "format=nv12,format=yuv420p", "-c:v", "rawvideo", to)
        self.assert_clean()
        self.assertGreater(
            standin.psnr(to, path, "drawbox=x=16:y=24:w=64:h=32:color=red:t=fill"), 40)

    def test_overlay_with_alpha__mixes(self):
        path = standin.h264_clip()
        to = standin.FOLDER / "alpha.nut"
        self.succeed(
            "-init_hw_device", "cuda=c", "-filter_hw_device", "c", *standin.CUDA,
            "-extra_hw_frames", "4", "-i", path, "-f", "lavfi", "-i",
            "color=red@0.5:size=64x32:rate=25:duration=1.2,format=yuva420p", "-filter_complex",
            "[0:v]scale_cuda=format=yuv420p[m];[1:v]hwupload[o];[m][o]overlay_cuda=x=16:y=24,"
            "hwdownload,format=yuv420p", "-c:v", "rawvideo", to)
        self.assertGreater(
            standin.psnr(to, path, "drawbox=x=16:y=24:w=64:h=32:color=red@0.5:t=fill"), 35)

    def test_unknown_kernel__is_an_error(self):
        status, _, error = self.machine.ffmpeg(
            *standin.CUDA, "-i", standin.h264_clip(), "-vf", "thumbnail_cuda", "-f", "null", "-")
        self.assertNotEqual(status, 0)
        self.assertIn("no kernel 'Thumbnail_", error)


def add(name, *case):
    setattr(Filters, f"test_{name}__is_like_software", lambda self: self.compare(*case))


for case in CASES:
    add(*case)


if __name__ == "__main__":
    standin.main()
