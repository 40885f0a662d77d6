#!/usr/bin/env python3
"""What a card does without its encoder, as cards of data centres have none: it is
found, watched, decodes and scales. On the stand-in for NVIDIA's driver, and on a
real card and driver where TRANSCODED_TEST_GPU=real says that there are any."""

import os
import unittest

import gpucase
import harness
import standin
from harness import wait_until

REAL = os.environ.get("TRANSCODED_TEST_GPU") == "real"
# one that has an encoder, too, uses it
PLAN = "^nvdec>scale_cuda>(hwdownload>libx264|h264_nvenc)$"
SIZE = 214, 120


class Card:
    """The tests, whatever the card is."""

    def setUp(self):
        super().setUp()
        self.running = self.service(environment=self.environment())
        self.gpu()

    def gpu(self):
        """The card in Devices, once it is surveyed and watched."""
        def look():
            devices = self.running.call("Devices")["parameters"]["devices"]
            return next((d["gpu"] for d in devices if d["gpu"] and d["gpu"]["sampled"]), None)
        return wait_until(look, "the card is found\n" + self.running.words())

    def convert(self, clip, **video):
        """The clip, decoded and scaled by the card; what it did."""
        width, height = SIZE
        id = self.running.submit(self.job(
            clip, {"path": "a.mp4", "video": {"width": width, "height": height, "quality": 20} | video, "audio": []},
            hardware="prefer"))
        shown = self.running.wait_for(id)
        self.assertEqual(shown["state"], "succeeded", f"{shown}\n{self.running.words()}")
        attempt, = shown["attempts"]
        self.assertRegex(attempt["plan"][0], PLAN)
        self.assertEqual(harness.frames(self.out / "a.mp4"), harness.frames(clip))
        self.assertGreater(standin.psnr(self.out / "a.mp4", clip, f"scale={width}:{height}"), 30)
        return attempt

    def test_survey__finds_what_it_decodes_and_filters(self):
        gpu = self.gpu()
        self.assertRegex(gpu["uuid"], "^GPU-[0-9a-f-]{36}$")
        self.assertIn("h264", gpu["decoders"])
        self.assertIn("hevc", gpu["decoders"])
        self.assertIn("scale_cuda", gpu["filters"])

    def test_watch__reads_its_memory_and_temperature(self):
        gpu = self.gpu()
        self.assertGreater(gpu["vram_total"], 1 << 30)
        self.assertGreater(gpu["vram_free"], 0)
        self.assertIn(int(gpu["temperature"]), range(10, 110))
        self.assertRegex(self.running.ctl("devices").stdout, r"(?m)^cuda:0 ")

    def test_h264__is_decoded_and_scaled(self):
        self.convert(standin.h264_clip())

    def test_hevc_of_10_bits__is_decoded_and_scaled(self):
        self.convert(standin.hevc10_clip())


class StandIn(Card, gpucase.GpuCase):
    def environment(self):
        environment = self.machine.environment(no_encoder=1)
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):  # the programs have their own sanitizers
            environment.pop(name, None)
        return environment

    def log(self):
        return self.running.words()[-4000:]

    def tearDown(self):
        self.running.stop()
        self.clean()
        super().tearDown()


@unittest.skipUnless(REAL, "TRANSCODED_TEST_GPU=real is not set: a real card")
class Real(Card, harness.TestCase):
    def environment(self):
        return None


if __name__ == "__main__":
    harness.main()
