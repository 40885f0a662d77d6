#!/usr/bin/env python3
"""A growing output that is cut off: its outcome says up to where it is whole,
and that much of it plays."""

import json
import os
import signal
import subprocess
import threading

import harness
from harness import COPY, FAST, TRANSCODECTL, film, frames

RATE = 25
FRAGMENT = 2  # s; a key frame, or a cluster, or less
EARLY = 0.022  # s, less than a frame: an AAC encoder's first packet lies before the start


def sound(path):
    """Seconds of it that decode."""
    r = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "quiet", "-i", str(path), "-map", "0:a:0", "-ac", "1",
                        "-ar", "8000", "-f", "s16le", "-"], stdout=subprocess.PIPE)
    return len(r.stdout) / 2 / 8000


class Growing(harness.TestCase):
    def feed(self, name):
        """A new FIFO, and whoever writes most of a film into it: it stays open, so
        what is begun is never done."""
        fifo = self.folder / f"{name}.live"
        os.mkfifo(fifo)
        fd = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, fd)
        data = film("grows.ts", seconds=12, more=("-f", "mpegts", "-g", "25")).read_bytes()
        feeder = threading.Thread(target=os.write, args=(fd, data[:len(data) * 3 // 4]), daemon=True)
        feeder.start()
        return fifo, feeder

    def begin(self, name, output, seconds=3):
        """Until so much of it is whole: client, worker, and the events so far."""
        fifo, feeder = self.feed(name)
        job = self.job(fifo, {"path": name, **output}, delivery="growing")
        client = self.enterContext(subprocess.Popen(
            [TRANSCODECTL, "--socket", self.running.socket, "--json", "run", self.job_file(job)],
            stdout=subprocess.PIPE, text=True))
        self.addCleanup(client.kill)
        events = []
        for line in client.stdout:
            events.append(json.loads(line))
            if events[-1].get("whole", 0) >= seconds:
                break
        else:
            self.fail(f"{events}\n{self.running.words()}")
        feeder.join()
        return client, self.running.worker_of(fifo), events

    def end(self, client, events):
        """The outcome, and what was told before."""
        events += map(json.loads, client.stdout)
        client.wait()
        told = [e for e in events if e["event"] == "progress"][-1]
        return events[-1], told

    def check(self, name, outcome, told):
        """It says as much as is there, and no more."""
        kept = self.out / name
        whole = outcome["whole"]
        self.assertEqual(whole, told["whole"], (outcome, told))
        self.assertIn(f"the output is whole up to {int(whole * 10) / 10:.1f} s", outcome["text"])
        self.assertGreaterEqual(whole, told["out_time"] - FRAGMENT - 0.5, told)
        self.assertLessEqual(whole, told["out_time"], told)
        self.assertGreaterEqual(frames(kept) / RATE, whole - EARLY, outcome)
        self.assertGreaterEqual(sound(kept), whole - EARLY, outcome)
        kept.unlink()

    def serve(self, **limits):
        self.running = self.service({"limits": {"stall_timeout": "600s", "tries": 1, **limits}})


    def test_worker_dies__what_was_told_is_there(self):
        self.serve()
        for name, output, number in (("o.mp4", FAST, signal.SIGKILL), ("o.mkv", FAST, signal.SIGABRT),
                                     ("o.ts", FAST, signal.SIGKILL), ("copy.mp4", COPY, signal.SIGKILL)):
            with self.subTest(name):
                client, worker, events = self.begin(name, output)
                os.kill(worker, number)
                outcome, told = self.end(client, events)
                self.assertIn(outcome["outcome"], ("killed", "crashed"))
                self.check(name, outcome, told)

    def test_worker_hangs__what_was_told_is_there(self):
        self.serve(stall_timeout="2s", stop_grace="100ms")
        client, worker, events = self.begin("o.mp4", FAST)
        os.kill(worker, signal.SIGSTOP)
        outcome, told = self.end(client, events)
        self.assertEqual(outcome["outcome"], "stalled")
        self.check("o.mp4", outcome, told)

    def test_job_is_cancelled__what_was_told_is_there(self):
        self.serve()
        client, _, events = self.begin("o.ts", FAST)
        self.assertNotIn("error", self.running.call("Cancel", {"id": events[-1]["job"]}))
        outcome, told = self.end(client, events)
        self.assertEqual(outcome["outcome"], "cancelled")
        self.check("o.ts", outcome, told)


if __name__ == "__main__":
    harness.main()
