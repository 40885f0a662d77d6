#!/usr/bin/env python3
"""A worker as a client's own child: orders in, events out, files by channel."""

import json
import os
import socket
import subprocess
import threading
import time

import harness
from harness import COPY, FAST, TestCase, film, frames, long_film, wait_until


class Opener(threading.Thread):
    """The smallest opener that the protocol allows."""

    def __init__(self, channel, job, folder):
        super().__init__(daemon=True)
        self.channel, self.job, self.folder = channel, job, folder
        self.asked = []

    def run(self):
        while True:
            try:
                request = self.channel.recv(1024).decode()
            except OSError:
                return
            if not request:
                return
            self.asked.append(request)
            fds = []
            words = request.split()
            if words[0] == "input":
                fds = [os.open(self.job["input"]["path"], os.O_RDONLY)]
            elif words[0] == "output":
                path = self.folder / f"part{words[1]}"
                fds = [os.open(path, os.O_RDWR | os.O_CREAT, 0o644)]
            elif words[:2] == ["done", "output"]:
                (self.folder / f"part{words[2]}").rename(self.job["outputs"][int(words[2])]["path"])
            with_fds = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, harness.array.array("i", fds))] if fds else []
            self.channel.sendmsg([f"ok {request}".encode()], with_fds)
            for fd in fds:
                os.close(fd)


class Standalone(TestCase):
    def start(self, job):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # a shell moves the channel to descriptor 3, where the worker wants it
        command = ["sh", "-c", f'exec "$0" --standalone 3<&{theirs.fileno()}', harness.WORKER]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  pass_fds=[theirs.fileno()])
        theirs.close()
        opener = Opener(ours, job, self.folder)
        opener.start()
        order = {"order": "job", "id": 1, "attempt": 1, "plan_only": False, "job": job}
        worker.stdin.write(json.dumps(order).encode() + b"\0")
        worker.stdin.flush()
        self.addCleanup(ours.close)
        return worker, ours, opener

    def test_standalone__runs_a_job_without_any_daemon(self):
        job = self.job(film(), {"path": "out.mp4", **FAST})
        worker, _, opener = self.start(job)
        # standard input stays open: end of orders would mean that the parent died
        events = []
        rest = b""
        while True:
            chunk = os.read(worker.stdout.fileno(), 65536)
            if not chunk:
                break
            rest += chunk
            *texts, rest = rest.split(b"\0")
            events += map(json.loads, texts)
        self.assertEqual(worker.wait(harness.PATIENCE), 0, worker.stderr.read())
        kinds = [e["event"] for e in events]
        self.assertIn("ready", kinds, events)
        self.assertEqual(kinds[-1], "outcome")
        self.assertEqual(events[-1]["outcome"], "done")
        self.assertEqual(frames(self.out / "out.mp4"), frames(film()))
        self.assertEqual(opener.asked[0], "attempt 1")
        self.assertIn("done output 0", opener.asked)
        worker.stdin.close(), worker.stdout.close(), worker.stderr.close()

    def hang_up(self, side):
        """Seconds until the worker has ended of it."""
        job = self.job(long_film(120), {"path": "out.mp4", **FAST})
        worker, channel, _ = self.start(job)
        part = self.folder / "part0"
        wait_until(lambda: part.exists() and part.stat().st_size, "it writes")
        start = time.monotonic()
        if side == "channel":
            channel.shutdown(socket.SHUT_RDWR)
            channel.close()
        else:
            worker.stdin.close()
        worker.wait(harness.PATIENCE)
        took = time.monotonic() - start
        worker.stdin.close(), worker.stdout.close(), worker.stderr.close()
        part.unlink()
        return took

    def test_hang_up__of_either_side_ends_the_worker_at_once(self):
        for side in ("channel", "orders"):
            with self.subTest(side=side):
                # the requirement is a time, and a busy machine's own delays do not count
                self.assertLessEqual(harness.best(lambda: self.hang_up(side), 0.1), 0.1)


if __name__ == "__main__":
    harness.main()
