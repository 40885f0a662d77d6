#!/usr/bin/env python3
"""Live input: a FIFO, whose writer comes when it likes."""

import os
import pathlib
import subprocess

import harness
from harness import COPY, PATIENCE, TRANSCODECTL, film, frames, plays, wait_until


class Live(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.fifo = self.folder / "live"
        os.mkfifo(self.fifo)

    def begin(self, stall_timeout="600s"):
        """Until a worker reads the FIFO, or has given up."""
        self.running = self.service({"limits": {"stall_timeout": stall_timeout, "tries": 1}})
        self.start("out.mkv")
        wait_until(self.is_read, "a worker reads the FIFO")

    def start(self, name, **fields):
        job = self.job(self.fifo, {"path": name, **COPY}, **fields)
        self.client = subprocess.Popen(
            [TRANSCODECTL, "--socket", self.running.socket, "run", self.job_file(job)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.client.communicate)
        self.addCleanup(self.client.kill)

    def is_read(self):
        """Has a worker opened it, or given up?"""
        reads = any(harness.is_open(worker, self.fifo) for worker in self.running.workers())
        return reads or self.client.poll() is not None

    def open(self):
        # an error, instead of waiting for a reader that has given up
        fd = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(fd, True)
        return open(fd, "wb", buffering=0)

    def write(self, data):
        with self.open() as fifo:
            fifo.write(data)

    def end(self):
        words, _ = self.client.communicate(timeout=PATIENCE)
        return self.client.returncode, words

    def test_writer__that_comes_late__is_waited_for(self):
        source = film("live.ts", more=("-f", "mpegts"))
        self.begin()
        self.write(pathlib.Path(source).read_bytes())
        status, words = self.end()
        self.assertEqual(status, 0, words + self.running.words())
        self.assertEqual(frames(self.out / "out.mkv"), frames(source))

    def test_growing_output__can_be_played_while_it_grows(self):
        self.begin()
        self.write(b"")
        self.end()
        data = film("live10.ts", seconds=10, more=("-f", "mpegts", "-g", "25")).read_bytes()
        for suffix in ("mkv", "ts", "mp4"):
            with self.subTest(suffix=suffix):
                out = self.out / f"grows.{suffix}"
                self.start(out.name, delivery="growing")
                wait_until(self.is_read, "a worker reads the FIFO")
                with self.open() as fifo:
                    fifo.write(data[:len(data) * 3 // 4])
                    wait_until(out.exists, "it has begun")
                    # a key frame a second: no more than the last two are still held back
                    wait_until(lambda: self.frames_of(out) >= 125, "most of it can be seen")
                    fifo.write(data[len(data) * 3 // 4:])
                self.assertEqual(self.end()[0], 0)
                self.assertEqual(frames(out), 250)
                plays(out)

    def frames_of(self, path):
        try:
            return frames(path)
        except (AssertionError, LookupError):
            return 0

    def test_writer__that_stops_in_the_middle__stalls(self):
        data = film("live.ts", seconds=20, more=("-f", "mpegts")).read_bytes()
        self.begin(stall_timeout="4s")
        fifo = self.enterContext(self.open())
        fifo.write(data[:len(data) * 3 // 4])
        status, words = self.end()
        self.assertEqual(status, 1, words)
        self.assertIn("stalled", words)
        self.assertEqual(self.left(), [])

    def test_writer__that_writes_nothing__is_bad_input(self):
        self.begin()
        self.write(b"")
        status, words = self.end()
        self.assertEqual(status, 1, words)
        self.assertEqual(self.left(), [])

    def test_interrupted__while_nobody_writes__ends_at_once(self):
        self.begin()
        self.client.send_signal(2)
        status, words = self.end()
        self.assertEqual(status, 130, words)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    harness.main()
