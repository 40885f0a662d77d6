#!/usr/bin/env python3
"""The combinations that `make check` has no time for: each fault of a GPU at
each moment, for one job, for a ladder and for ten at once, on a GPU that is
wished for and one that is required; and a thousand jobs that fall back.

SOAK_JOBS chooses how many (1,000).
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import faultcase
import harness
from faultcase import COUNTED, CPU, LADDER, MOMENTS, NO_DECODER, NO_ENCODER, OPENING, SMALL, WHOLE

JOBS = int(os.environ.get("SOAK_JOBS", 1000))
SHAPES = {"one": (1, (SMALL,)), "ladder": (1, LADDER), "ten": (10, (SMALL,))}


class Combinations(faultcase.FaultCase):
    limits = {"cpu_jobs": 4, "tries": 1}

    def each(self, settings, outcome, shape):
        """Whoever met the fault goes on elsewhere."""
        count, videos = SHAPES[shape]
        self.card.strike(**settings)
        jobs = [self.card.job(f"{shape}{n}", videos) for n in range(count)]
        went = self.all_succeed(jobs, faultcase.FRAMES, most=6)
        self.assertIn((outcome, WHOLE), went)

    def give_up(self, id):
        """A ladder that was refused waits until its lesson is forgotten, in ten
        minutes."""
        def refused():
            return "no_session" in [a["outcome"] for a in self.card.service.show(id)["attempts"]]
        harness.wait_until(refused, "it is refused")
        self.assertNotIn("error", self.card.service.call("Cancel", {"id": id}))

    def each_required(self, settings, outcome, shape):
        """Done on the GPU, or failed with a reason; never half."""
        count, videos = SHAPES[shape]
        is_lost_for_all = settings.get("sticky") == 2
        self.card.strike(first=int(is_lost_for_all), **settings)
        jobs = {}
        for n in range(count):
            job = self.card.job(f"{shape}{n}", videos, hardware="require")
            jobs[self.card.service.submit(job)] = job
        if is_lost_for_all and count > 1:  # who has not begun waits for it to be well
            self.card.mend()
        for id, job in jobs.items():
            if shape == "ladder" and outcome == "no_session":
                self.give_up(id)
            shown = self.card.service.wait_for(id)
            if shown["state"] == "succeeded":
                self.assertIn("h264_nvenc", shown["attempts"][-1]["plan"][0])
                self.whole(job)
                continue
            failed = [a for a in shown["attempts"] if a["outcome"] != "cancelled"]  # by give_up()
            self.assertGreater(len(failed[-1]["text"]), 10, shown)
            left = [o["path"] for o in job["outputs"] if os.path.exists(o["path"])]
            self.assertEqual(left, [], shown)
        self.settle()

    def test_allocations__each__job_succeeds(self):
        count = self.count_healthy()["allocations"]
        for number in range(1, count - 2):
            with self.subTest(number, of=count):
                self.card.strike(fail_alloc=number)
                self.succeed_without("no_memory", (NO_DECODER, NO_ENCODER, CPU))


class Memory(faultcase.FaultCase):
    def test_many_jobs_that_fail_on_the_gpu__daemon_does_not_grow(self):
        self.card.strike(fail_decode=5)
        self.fall_back(100)
        early, descriptors = self.card.resident(), self.card.descriptors()
        self.fall_back(JOBS)
        self.assertLess(self.card.resident() - early, 4 * faultcase.GROWTH_MOST)
        self.settle()
        harness.wait_until(lambda: self.card.descriptors() <= descriptors + 2, "no descriptor is left over")


def at(settings, outcome, shape):
    def test(self):
        self.each(settings(self), outcome, shape)
        self.each_required(settings(self), outcome, shape)
    return test


def counted(fault, moment, shape):
    f = COUNTED[fault]
    return at(lambda self: f.settings(moment, self.count_healthy(SHAPES[shape][1])), f.outcome, shape)


for shape in SHAPES:
    for fault, (settings, outcome, _) in OPENING.items():
        setattr(Combinations, f"test_{shape}__{fault}__at_open", at(lambda self, s=settings: s, outcome, shape))
    for fault in COUNTED:
        for moment in MOMENTS:
            setattr(Combinations, f"test_{shape}__{fault}__{moment}", counted(fault, moment, shape))


if __name__ == "__main__":
    harness.main()
