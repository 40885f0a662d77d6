#!/usr/bin/env python3
"""Media that cannot be transcoded: an outcome in words, and nothing left."""

import json
import random

import harness
from harness import COPY, FAST, clip, ffmpeg, film, frames


class BadMedia(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.s = self.service()

    def fails(self, source, *words, output=None, outcome="bad_input"):
        job = self.job(source, {"path": "out.mp4", **(output or FAST)})
        r = self.s.ctl("submit", "--follow", self.job_file(job))
        self.assertEqual(r.returncode, 1, r)
        self.assertEqual(self.left(), [])
        last = self.s.call("List", {"limit": 1})["parameters"]["jobs"][0]
        shown = self.s.show(last["id"])
        self.assertEqual(shown["attempts"][-1]["outcome"], outcome, shown)
        self.assertEqual(len(shown["attempts"]), 1, "bad input is not tried again")
        for word in words:
            self.assertIn(word, r.stdout + r.stderr)

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def events(self, source, *outputs, **fields):
        r = self.s.ctl("--json", "run", self.job_file(self.job(source, *outputs, **fields)))
        return [json.loads(line) for line in r.stdout.splitlines()]

    def test_run__no_media(self):
        noise = random.Random(7).randbytes
        cases = [
            ("empty.mp4", b"", ("empty",)),
            ("ten.mkv", noise(10), ()),
            ("noise.mp4", noise(100_000), ()),
            ("text.ts", b"hello, world\n" * 1000, ()),
            ("head.mp4", film().read_bytes()[:40], ()),
        ]
        for name, data, words in cases:
            for output in (COPY, FAST):
                with self.subTest(name=name, video=output["video"]["codec"]):
                    self.fails(self.file(name, data), *words, output=output)

    def test_run__truncated_without_index(self):
        whole = film().read_bytes()
        self.fails(self.file("cut.mp4", whole[:len(whole) // 2]))

    def test_run__asked_for_stream_is_missing(self):
        sound = clip("sound.m4a", "-f", "lavfi", "-i", harness.SOURCES["audio"], "-t", 1, "-c:a", "aac")
        ask = dict(outcome="bad_request")
        self.fails(sound, "video", output=FAST)
        self.fails(film(), "7", output={"video": {"codec": "h264", "stream": 7}}, **ask)
        self.fails(film(), "1", output={"video": {"codec": "copy", "stream": 1}}, **ask)
        mute = film("mute.mp4", audio=("-an",))
        self.fails(mute, "audio", output={"video": {"codec": "copy"}, "audio": [{"codec": "aac"}]})

    def test_run__sound_alone_by_default__succeeds(self):
        sound = clip("sound.m4a", "-f", "lavfi", "-i", harness.SOURCES["audio"], "-t", 1, "-c:a", "aac")
        id = self.s.submit(self.job(sound, {"path": "out.mp4"}))
        self.assertEqual(self.s.wait_for(id)["state"], "succeeded")

    def test_run__image(self):
        for name in ("picture.png", "picture.jpg", "picture.webp", "picture.bmp"):
            with self.subTest(name=name):
                picture = clip(name, "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", 1)
                self.fails(picture, "image")
                self.fails(picture, "image", output={"video": {"codec": "copy"}})

    def resized(self, suffix, width, height):
        """A film whose header says another size than its pictures have."""
        data = bytearray(film(f"size.{suffix}", seconds=0.2, size="640x360").read_bytes())
        if suffix == "mp4":
            places = [data.index(b"avc1", data.index(b"stsd")) + 28]
            places.append(places[0] + 2)
        else:  # PixelWidth and PixelHeight, two bytes each
            places = [data.index(id, data.index(b"V_MPEG4")) + 2 for id in (b"\xb0\x82", b"\xba\x82")]
        for at, side in zip(places, (width, height)):
            data[at:at + 2] = side.to_bytes(2, "big")
        return self.file(f"{width}.{suffix}", bytes(data))

    def test_run__absurd_size(self):
        y4m = b"YUV4MPEG2 W%d H%d F25:1 Ip C420jpeg\nFRAME\n" + bytes(10000)
        self.fails(self.file("huge.y4m", y4m % (40000, 40000)))
        self.fails(self.file("nought.y4m", y4m % (0, 0)))
        for suffix in ("mp4", "mkv"):
            for output in (COPY, FAST):
                with self.subTest(suffix=suffix, video=output["video"]["codec"]):
                    self.fails(self.resized(suffix, 40000, 40000), "too large", output=output)

    def test_run__no_size(self):
        for output in (COPY, FAST):
            with self.subTest(video=output["video"]["codec"]):
                # what the header leaves out, the pictures say
                job = self.job(self.resized("mp4", 0, 0), {"path": "o.mp4", **output}, overwrite=True)
                self.assertEqual(self.s.wait_for(self.s.submit(job))["state"], "succeeded")
                self.assertEqual(harness.streams(self.out / "o.mp4", "video")[0]["width"], 640)
        (self.out / "o.mp4").unlink()
        # …unless nothing of them can be read
        broken = bytearray(self.resized("mp4", 0, 0).read_bytes())
        record = broken.index(b"avcC")
        broken[record + 4:record + 24] = bytes(20)
        self.fails(self.file("none.mp4", bytes(broken)))

    def test_run__encrypted(self):
        locked = clip("locked.mp4", "-i", film(), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr",
                      "-encryption_key", "00112233445566778899aabbccddeeff",
                      "-encryption_kid", "112233445566778899aabbccddeeff00")
        self.fails(locked, "encrypted")
        self.fails(locked, "encrypted", output=COPY)

    def test_run__damage_in_the_middle__goes_on_and_counts(self):
        data = bytearray(film("damage.ts", seconds=4).read_bytes())
        rng = random.Random(3)
        for _ in range(40):
            at = rng.randrange(len(data) // 4, len(data) * 3 // 4)
            data[at:at + 20] = rng.randbytes(20)
        source = self.file("damaged.ts", bytes(data))
        events = self.events(source, {"path": "out.mp4", **FAST})
        self.assertEqual(events[-1]["outcome"], "done")
        self.assertGreater(events[-1]["errors"], 0)
        lines = [e["text"] for e in events if e["event"] == "log"]
        self.assertTrue(any(line.startswith("h264: ") for line in lines), lines)
        self.assertEqual([line for line in lines if "NULL" in line], [])
        theirs = self.folder / "theirs.mp4"
        ffmpeg("-i", source, "-c:v", "libx264", "-preset", "ultrafast", theirs, check=False)
        self.assertAlmostEqual(frames(self.out / "out.mp4"), frames(theirs), delta=3)


if __name__ == "__main__":
    harness.main()
