#!/usr/bin/env python3
"""Whatever fails of a GPU, and whenever: jobs end well, nobody hears of drivers,
and nothing is left over. More combinations are in tests/soak/soak_gpu.py."""

import pathlib

import faultcase
import harness
from faultcase import COUNTED, CPU, LADDER, MOMENTS, NO_DECODER, NO_ENCODER, OPENING, SMALL, WHOLE, attempts
from harness import wait_until


class One(faultcase.FaultCase):
    """A job alone, with each fault at each moment."""

    def test_allocations__each_of_several__job_succeeds(self):
        count = self.count_healthy()["allocations"]
        for number in (1, count // 2, 3 * count // 4):  # threads share them: the last ones vary
            with self.subTest(number, of=count):
                self.card.strike(fail_alloc=number)
                went = self.succeed_without("no_memory", (NO_DECODER, NO_ENCODER, CPU))
                self.assertLessEqual(len(went), 3, went)


class Required(faultcase.FaultCase):
    """A job that wants a GPU and nothing else."""

    limits = {"tries": 1}


class Together(faultcase.FaultCase):
    """A ladder, or ten jobs at once, each with the fault."""

    limits = {"cpu_jobs": 4}


class Luck(faultcase.FaultCase):
    """Once bitten."""

    def test_memory_is_short_for_a_while__job_that_prefers_a_gpu__gets_it_again(self):
        self.card.strike(first=1, fail_alloc=5)
        job = self.card.job("again", hardware="prefer", overwrite=True)
        for _ in range(4):  # the worker that it befalls stands ready, or will for the next job
            went = attempts(self.card.service.wait_for(self.card.service.submit(job)))
            if went != [("done", WHOLE)]:
                break
        self.assertEqual(went, [("no_memory", WHOLE), ("done", WHOLE)])
        self.whole(job)
        self.settle()

    def test_encoder_and_decoder_fail__one_after_the_other__the_cpu_is_last(self):
        self.card.strike(fail_encode=10, fail_decode=70)
        job = self.card.job("both")
        events = self.card.events(job)
        shown = self.card.service.show(events[-1]["job"])
        self.assertEqual(attempts(shown), [("device_lost", WHOLE), ("device_lost", NO_ENCODER), ("done", CPU)])
        self.assertEqual([(e["from"], e["to"]) for e in self.read(events)], [("cuda:0", "cuda:0"), ("cuda:0", "cpu")])
        self.whole(job)
        self.settle()

    def test_growing_output__is_whole_up_to_where_its_outcome_says(self):
        self.card.strike(fail_encode=100, slow_encode=10)
        job = self.card.job("growing", suffix="mkv", delivery="growing")
        with self.card.service.connect() as v:
            for reply in v.stream("Submit", {"job": job}):
                event = reply["parameters"]["event"]
        self.assertEqual((event["event"], event["outcome"]), ("outcome", "device_lost"), event)
        self.assertRegex(event["text"], r"the output is whole up to \d+\.\d s$")
        seconds = float(event["text"].split()[-2])
        self.assertGreater(seconds, 0, event)
        # whoever watches it goes on from there
        kept = pathlib.Path(job["outputs"][0]["path"])
        self.assertGreaterEqual(harness.frames(kept), int(seconds * 25))
        (output,) = event["outputs"]
        self.assertEqual((output["path"], output["size"]), (str(kept), kept.stat().st_size))
        kept.unlink()
        self.assertEqual(attempts(self.card.service.show(event["job"])), [("device_lost", WHOLE)])
        self.settle()

    def test_growing_output__cut_off_at_the_hundredth_frame__is_whole_as_far_as_was_told(self):
        brisk = {**SMALL, "keyframe_interval": 1}
        # who crashes cannot tell any more, so it goes slowly: some progress comes behind the first cluster
        for outcome, suffix, fault in (("crashed", "mkv", {"crash_encode": 100, "slow_encode": 20}),
                                       ("stalled", "mp4", {"hang_encode": 100}),
                                       ("device_lost", "ts", {"fail_encode": 100, "sticky": 1})):
            with self.subTest(outcome, suffix=suffix):
                self.card.strike(**fault)
                job = self.card.job("cut", (brisk,), suffix=suffix, delivery="growing")
                events = self.card.events(job)
                ended, told = events[-1], [e for e in events if e["event"] == "progress"][-1]
                self.assertEqual(ended["outcome"], outcome, ended)
                self.assertEqual(ended["whole"], told["whole"])
                self.assertGreater(ended["whole"], 0, ended)
                self.assertGreaterEqual(ended["whole"], told["out_time"] - 1.5, told)
                wait_until(self.card.is_idle, "it is kept")
                self.assertGreaterEqual(harness.frames(job["outputs"][0]["path"]), ended["whole"] * 25 - 0.01)
        self.settle()

    def test_growing_output__not_begun_yet__begins_elsewhere(self):
        self.card.strike(open_error=8)
        job = self.card.job("late", suffix="mkv", delivery="growing")
        events = self.card.events(job)
        self.assertEqual(events[-1]["outcome"], "done", events[-1])
        self.assertIn("fallback", [e["event"] for e in events])
        self.whole(job)
        self.settle()

    def test_card_is_lost__one_quarantine_for_ten_jobs__until_a_good_survey(self):
        self.card.strike(fail_encode=5, sticky=2)
        self.ten(frames=30)
        self.assertEqual(self.card.said("cuda:0 is in quarantine"), 1, self.card.service.words())
        self.assertIn("quarantine", self.card.device()["health"])
        self.card.fate.write_text("")
        self.card.machine.control("reset")
        wait_until(lambda: self.card.device()["health"] == "ok", "the survey finds it well")
        self.assertEqual(self.card.said("cuda:0 is well again"), 1)
        shown = self.card.service.show(self.card.events(self.card.job("after"))[-1]["job"])
        self.assertEqual(attempts(shown), [("done", WHOLE)])

    def test_session_is_refused__limit_is_learned_once(self):
        self.card.strike(sessions=1, slow_encode=20)
        ids = [self.card.service.submit(self.card.job("holder", hardware="require"))]
        with self.card.held(ids[0]):  # so that they overlap
            ids += [self.card.service.submit(self.card.job(f"job{n}", frames=30, hardware="require")) for n in range(3)]
            wait_until(lambda: self.card.device()["gpu"]["sessions"]["limit"] == 1, "it is learned")
        for id in ids:
            shown = self.card.service.wait_for(id)
            self.assertEqual(shown["state"], "succeeded", shown)
            self.assertEqual(attempts(shown)[-1], ("done", WHOLE), shown)
        refused = sum(o == "no_session" for id in ids for o, _ in attempts(self.card.service.show(id)))
        self.assertLessEqual(refused, 2)  # those that were on their way when it was learned
        self.settle()


class Patience(faultcase.FaultCase):
    """A job that waits for a GPU, for so long and no longer."""

    limits = {"prefer_wait": "4s"}

    def test_memory_is_short_for_good__job_that_prefers_a_gpu__waits_and_goes_to_the_cpu(self):
        self.card.strike(fail_alloc=5)  # and no figure shows it
        job = self.card.job("wait", hardware="prefer")
        shown = self.card.service.show(self.card.events(job)[-1]["job"])
        self.assertEqual(attempts(shown), [("no_memory", WHOLE)] * 2 + [("done", CPU)], shown)
        self.assertGreaterEqual(shown["ended"] - shown["created"], 4000000)
        self.whole(job)
        self.settle()


class Memory(faultcase.FaultCase):
    def test_fifty_jobs_that_fail_on_the_gpu__daemon_does_not_grow(self):
        self.card.strike(fail_decode=5)
        self.fall_back(30)
        early = self.card.resident()
        self.fall_back(50)
        self.assertLess(self.card.resident() - early, faultcase.GROWTH_MOST)
        self.settle()


def at_open(fault):
    settings, outcome, plan = OPENING[fault]

    def test(self):
        self.card.strike(**settings)
        went = self.succeed_without(outcome, (plan,))
        self.assertEqual(len(went), 2, went)
    return test


def at(fault, moment):
    counted = COUNTED[fault]

    def test(self):
        self.card.strike(**counted.settings(moment, self.count_healthy()))
        went = self.succeed_without(counted.outcome, (counted.plan,))
        self.assertEqual(len(went), 2, went)
    return test


def required(settings, plan):
    def test(self):
        self.card.strike(**settings)
        self.require(plan)
    return test


def ladder(fault):
    counted = COUNTED[fault]

    def test(self):
        self.card.strike(**counted.settings("tenth", self.count_healthy(LADDER, 30)))
        self.all_succeed([self.card.job("ladder", LADDER, frames=30)], 30)
    return test


def together_at_open(fault):
    settings, outcome, _ = OPENING[fault]

    def test(self):
        self.card.strike(**settings)
        jobs = [self.card.job("ladder", LADDER, frames=12)]
        jobs += [self.card.job(f"job{n}", frames=12) for n in range(10)]
        self.assertIn((outcome, WHOLE), self.all_succeed(jobs, 12))
    return test


def ten(fault):
    counted = COUNTED[fault]

    def test(self):
        self.card.strike(**counted.settings("tenth", self.count_healthy((SMALL,), 30)))
        self.ten(frames=30)
    return test


for fault, (settings, _, plan) in OPENING.items():
    setattr(One, f"test_{fault}__at_open__job_succeeds", at_open(fault))
    setattr(Together, f"test_{fault}__at_open__ladder_and_ten_jobs_succeed", together_at_open(fault))
for fault, counted in COUNTED.items():
    for moment in MOMENTS:
        setattr(One, f"test_{fault}__{moment}__job_succeeds", at(fault, moment))
    setattr(Together, f"test_{fault}__ladder__succeeds", ladder(fault))
    setattr(Together, f"test_{fault}__ten_jobs__succeed", ten(fault))
for fault in ("no_driver", "no_encoder", "decoder_refused", "encoder_refused"):
    setattr(Required, f"test_{fault}__is_done_or_fails_in_words", required(OPENING[fault][0], OPENING[fault][2]))
for fault in ("decode", "launch", "encode", "hang", "crash"):
    setattr(Required, f"test_{fault}__is_done_or_fails_in_words",
            required({COUNTED[fault].setting: 10}, COUNTED[fault].plan))


if __name__ == "__main__":
    harness.main()
