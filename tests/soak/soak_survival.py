#!/usr/bin/env python3
"""Hours of bad luck in minutes: the daemon, its workers and its openers are
killed at random moments while jobs of all sorts come in. In the end every
acknowledged job has ended well, with one whole output, and nothing is left.

SOAK_ROUNDS kills (300) and SOAK_SEED choose how long and which.
"""

import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness
from harness import COPY, FAST, Service, TestCase, film, frames, wait_until

ROUNDS = int(os.environ.get("SOAK_ROUNDS", 300))
SEED = int(os.environ.get("SOAK_SEED", time.time()))


class Survival(TestCase):
    def strike(self, rng, s):
        """Kill something; most of all the daemon."""
        below = s.children()
        victim = rng.choice(["daemon", "daemon", "worker", "opener"])
        if victim == "daemon":
            s.kill()
            s.start()
            return
        name = "transcoded-worker" if victim == "worker" else "transcoded-files"
        for pid in [p for p, line in below.items() if name in line][:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it was quicker

    def hand_in(self, s, job):
        """Its id; what would be watched now and cannot start waits instead."""
        reply = s.call("Submit", {"job": job, "detach": True})
        if reply.get("error", "").endswith(".TooMany"):
            return s.submit(job | {"priority": "normal"})
        return reply["parameters"]["id"]

    def test_random_kills__lose_nothing(self):
        print(f"# SOAK_SEED={SEED} SOAK_ROUNDS={ROUNDS}")
        rng = random.Random(SEED)
        # what is killed on purpose may be tried as often as it takes
        s = Service(self.folder / "service", {"limits": {"tries": 100, "interruptions": 1000}})
        self.enterContext(s)
        source = film(seconds=2)
        jobs = {}
        for n in range(ROUNDS):
            name = f"{n:04}.{rng.choice(['mp4', 'mkv', 'ts'])}"
            how = rng.choice([COPY, FAST])
            priority = rng.choice(["realtime", "normal", "batch"])
            jobs[self.hand_in(s, self.job(source, {"path": name, **how}, priority=priority))] = name
            time.sleep(rng.random() * 0.3)
            self.strike(rng, s)
        for id, name in jobs.items():
            shown = s.wait_for(id, patience=600)
            self.assertEqual(shown["state"], "succeeded", (SEED, shown, s.words()[-2000:]))
            self.assertEqual(frames(self.out / name), frames(source), (SEED, name))
        self.assertEqual(self.left(), sorted(jobs.values()))

    def test_thousand_jobs__daemon_does_not_grow(self):
        s = self.service()

        def resident():
            with open(f"/proc/{s.process.pid}/status") as f:
                return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

        def work(count, start):
            ids = [s.submit(self.job(film(seconds=1), {"path": f"{start + n}.mkv", **COPY})) for n in range(count)]
            for id in ids:
                self.assertEqual(s.wait_for(id)["state"], "succeeded")

        work(100, 0)
        early, descriptors = resident(), len(os.listdir(f"/proc/{s.process.pid}/fd"))
        work(1000, 1000)
        self.assertLess(resident(), early + 4096, "KiB over 1,000 jobs")
        wait_until(lambda: len(os.listdir(f"/proc/{s.process.pid}/fd")) <= descriptors + 2, "no descriptor is left over")


if __name__ == "__main__":
    harness.main()
