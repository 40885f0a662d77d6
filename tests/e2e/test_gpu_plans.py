#!/usr/bin/env python3
"""A worker on the stand-in for NVIDIA's driver: plans, and what they move."""

import gpucase
import harness
import standin


class Plans(gpucase.GpuCase):
    def test_h264__stays_in_the_cards_memory(self):
        plan, total = self.succeed(standin.h264_clip(), {"path": "a.mp4", "video": {"max_height": 120}, "audio": []})
        self.assertEqual(plan, ["nvdec>scale_cuda>h264_nvenc"])
        self.assertEqual((total["large_uploads"], total["large_downloads"]), (0, 0))
        self.assertEqual((total["decoded"], total["encoded"]), (30, 30))


if __name__ == "__main__":
    harness.main()
