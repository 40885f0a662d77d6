# FFmpeg whose NVENC and NVDEC work on NVIDIA's driver 470.
#
# nixpkgs builds FFmpeg 6 and later with nv-codec-headers 12, whose NVENC wants
# driver 530. Driver 470 speaks 11.1 at most; FFmpeg 6.1 and later want at least
# 11.1.5.3 of those, which is newer than nixpkgs' own 11.1. The headless FFmpeg
# has all that the workers use: NVENC, NVDEC, and scale_cuda by clang.
{
  fetchurl,
  ffmpeg_7-headless,
  nv-codec-headers-11,
}:
let
  version = "11.1.5.3";
  headers = nv-codec-headers-11.overrideAttrs {
    inherit version;
    src = fetchurl {
      url = "https://github.com/FFmpeg/nv-codec-headers/releases/download/n${version}/nv-codec-headers-${version}.tar.gz";
      hash = "sha256-KXS5EGIZfgUn3/o6rdj+O/pmga5F9f+RgbwMpkeavVk=";
    };
  };
in
ffmpeg_7-headless.override { nv-codec-headers-12 = headers; }
