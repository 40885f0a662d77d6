"""What the suites of a GPU's bad luck share: a service on the stand-in for
NVIDIA's driver, faults for its workers, and what must be true behind each.

A fault is settings of the stand-in that the GPU's workers alone are given: the
survey and the watch see a card that is well.
"""

import contextlib
import os
import pathlib
import re
import signal
import tempfile

import harness
from gpucase import standin
from harness import wait_until

FRAMES = 110
GROWTH_MOST = 1 << 20  # bytes of a daemon's, over many jobs
# Words that belong to a driver, and to nobody who only wants a film.
DRIVER = re.compile(r"cuda_error|cu->|cuvid|nv_enc|hwaccel|encodesession|generic error|bitstream buffer", re.I)
# However slow the machine, a worker stalls only where that is the fault.
LIMITS = {"stall_timeout": "600s", "start_timeout": "600s", "stop_grace": "100ms",
          "attempts": 16, "attempts_per_uid": 16}

SMALL = {"codec": "h264", "max_height": 72, "preset": "fastest"}
LADDER = (SMALL, {**SMALL, "max_height": 64}, {**SMALL, "max_height": 48})

WHOLE = "nvdec>scale_cuda>h264_nvenc"
NO_DECODER = "native>hwupload>scale_cuda>h264_nvenc"
NO_ENCODER = "nvdec>scale_cuda>hwdownload>libx264"
CPU = "native>scale>libx264"


class Counted:
    """A fault at the n-th call of its kind, in each worker of a GPU."""

    def __init__(self, setting, counter, outcome, plan, **more):
        self.setting, self.counter, self.outcome, self.plan, self.more = setting, counter, outcome, plan, more

    def settings(self, moment, healthy):
        """At `moment` of a job of which `healthy` were the driver's counters."""
        calls = healthy[self.counter]
        each = calls // healthy["decoded"]
        return {self.setting: {"first": 1, "tenth": 10 * each, "hundredth": 100 * each, "drain": calls}[moment], **self.more}


# How a job's first attempt ends, and what the next one does without.
COUNTED = {
    "decode": Counted("fail_decode", "decoded", "device_lost", NO_DECODER),
    "map": Counted("fail_map", "mapped", "device_lost", NO_DECODER),
    "launch": Counted("fail_launch", "launches", "device_lost", CPU),
    "encode": Counted("fail_encode", "encoded", "device_lost", NO_ENCODER),
    "lock": Counted("fail_lock", "encoded", "device_lost", NO_ENCODER),
    "lost_decoding": Counted("fail_decode", "decoded", "device_lost", CPU, sticky=1),
    "lost_launching": Counted("fail_launch", "launches", "device_lost", CPU, sticky=1),
    "lost_mapping": Counted("fail_map", "mapped", "device_lost", CPU, sticky=1),
    "lost_encoding": Counted("fail_encode", "encoded", "device_lost", CPU, sticky=1),
    "lost_locking": Counted("fail_lock", "encoded", "device_lost", CPU, sticky=1),
    # for every process of the machine: the survey and the watch lose it, too
    "lost_for_all": Counted("fail_decode", "decoded", "device_lost", CPU, sticky=2),
    "hang": Counted("hang_encode", "encoded", "stalled", CPU),
    "crash": Counted("crash_encode", "encoded", "crashed", CPU),
}
MOMENTS = ("first", "hundredth", "drain")

# What goes wrong before a frame is there: settings, outcome, plan behind it.
OPENING = {
    "no_driver": ({"no_driver": 1}, "device_lost", CPU),
    "no_context": ({"vram": 32}, "no_memory", CPU),
    "no_decoder": ({"decode_h264": 0}, "bad_input", NO_DECODER),
    "decoder_refused": ({"fail_create": 1}, "device_lost", NO_DECODER),
    "too_few_surfaces": ({"surface_limit": 2}, "device_lost", NO_DECODER),
    "no_encoder": ({"no_encoder": 1}, "device_lost", NO_ENCODER),
    "encoder_refused": ({"open_error": 8}, "device_lost", NO_ENCODER),
    "old_driver": ({"nvenc_version": "10.0"}, "device_lost", NO_ENCODER),
    "no_session": ({"foreign_sessions": 3}, "no_session", NO_ENCODER),
    "no_session_of_newer_drivers": ({"foreign_sessions": 3, "session_error": 21}, "no_session", NO_ENCODER),
    "no_memory": ({"foreign_vram": 4096 - 64}, "no_memory", CPU),
    "lost_opening": ({"fail_create": 1, "sticky": 1}, "device_lost", CPU),
    "lost_for_all": ({"fail_create": 1, "sticky": 2}, "device_lost", CPU),
}


def source(frames=FRAMES):
    """With B-frames: some come out only when the decoder is drained."""
    return harness.clip("faults.mp4", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25", "-frames:v", frames,
                        "-c:v", "libx264", "-preset", "fast", "-bf", 2, "-g", 25)


class Card:
    """A simulated machine, a service on it, and what befalls its workers."""

    def __init__(self, **limits):
        self.holder = tempfile.TemporaryDirectory(prefix="transcoded-")
        self.folder = pathlib.Path(self.holder.name)
        self.out = self.folder / "out"
        self.out.mkdir()
        self.fate = self.folder / "fate"
        self.fate.touch()
        self.machine = standin.Machine()
        self.is_lost = False  # the device, at some moment
        around = self.machine.environment()
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):  # the programs have their own
            around.pop(name, None)
        # what is freed is free, and not kept aside for a while
        around["ASAN_OPTIONS"] = ":".join([os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=0",
                                           "thread_local_quarantine_size_kb=0"])
        self.configuration = {"worker": str(self.worker()), "limits": {**LIMITS, **limits}}
        self.service = harness.Service(self.folder / "service", self.configuration, around)
        self.start()

    def worker(self):
        path = self.folder / "worker"
        path.write_text(f'#!/bin/sh\ncase " $* " in *" --device cuda"*) . "{self.fate}" ;; esac\n'
                        f'exec "{harness.WORKER}" "$@"\n')
        path.chmod(0o755)
        return path

    def start(self):
        self.service.start()
        wait_until(self.device, f"cuda:0\n{self.service.words()}")

    def device(self):
        found = self.service.call("Devices")["parameters"]["devices"]
        return next((d for d in found if d["id"] == "cuda:0"), None)

    def decree(self, text, **limits):
        """What workers of a GPU run first, from now on. The service is a fresh
        one: it knows of no failure, and none stands ready that knows another
        fate."""
        self.cancel_all()
        self.stop()
        self.service.configure({**self.configuration, "limits": {**self.configuration["limits"], **limits}})
        self.machine.control("reset")
        self.fate.write_text(text)
        for mark in self.folder.glob("struck*"):
            mark.rmdir()
        for path in self.out.iterdir():
            path.unlink()
        self.start()

    def cancel_all(self):
        """What a test that failed has left would be the next one's."""
        unfinished = self.service.call("List", {"states": ["queued", "starting", "running"]})
        for job in unfinished["parameters"]["jobs"]:
            self.service.call("Cancel", {"id": job["id"]})

    def strike(self, first=0, **settings):
        """Each worker, or only so many that start first."""
        self.is_lost = "sticky" in settings
        words = "".join(f"export VGPU_{k.upper()}={v}\n" for k, v in settings.items())
        if self.is_lost:  # FFmpeg does not free an encoder whose context it cannot enter
            words += "export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0\n"
        if first:
            takes = " || ".join(f'mkdir "{self.folder}/struck{n}" 2>/dev/null' for n in range(first))
            words = f"if {takes}; then\n{words}fi\n"
        self.decree(words, **({"stall_timeout": "2s"} if "hang_encode" in settings else {}))

    @contextlib.contextmanager
    def held(self, id):
        """The worker of job `id`, the only one so far, keeps its session meanwhile."""
        with self.service.connect() as v:  # until the service knows that it is open
            for reply in v.stream("Follow", {"id": id}):
                if reply["parameters"]["event"].get("frame", 0) > 0:
                    break
        pid = wait_until(lambda: next(filter(self.machine.hold, self.machine.encoding()), None), "a session is open")
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def job(self, name, videos=(SMALL,), suffix="mp4", frames=FRAMES, **fields):
        outputs = [{"path": str(self.out / f"{name}-{n}.{suffix}"), "video": v, "audio": []}
                   for n, v in enumerate(videos)]
        return {"input": {"path": str(source(frames))}, "outputs": outputs, **fields}

    def events(self, job):
        """Of an attached job, to its end."""
        with self.service.connect() as v:
            return [r["parameters"]["event"] for r in v.stream("Submit", {"job": job})]

    def mend(self):
        """The card is well again, after it was found to be lost."""
        wait_until(lambda: "quarantine" in self.device()["health"], "it is found to be lost")
        self.machine.control("reset")

    def is_idle(self):
        below = [line for line in self.service.children().values() if "--watch" not in line]
        state = self.machine.counters()
        return (not any("transcoded-files" in line for line in below) and len(below) <= 2  # that stand ready
                and state["sessions_used"] == 0)

    def resident(self):
        """Bytes of the daemon's."""
        with open(f"/proc/{self.service.process.pid}/status") as f:
            return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.service.process.pid}/fd"))

    def said(self, words):
        return sum(words in line for line in self.service.words().splitlines())

    def stop(self):
        status = self.service.stop()
        assert status == 0, f"{status}\n{self.service.words()}"

    def close(self):
        try:
            self.stop()
            assert not re.search(r"(Sanitizer|runtime error):", self.service.words()), self.service.words()
        finally:
            if self.service.process.poll() is None:
                self.service.kill()
            self.holder.cleanup()


def attempts(shown):
    """Outcome and first plan of each."""
    return [(a["outcome"], (a["plan"] or [None])[0]) for a in shown["attempts"]]


class FaultCase(harness.TestCase):
    """One card for many tests."""

    limits = {}

    @classmethod
    def setUpClass(cls):
        cls.card = Card(**cls.limits)
        cls.addClassCleanup(cls.card.close)
        cls.healthy = {}

    def count_healthy(self, videos=(SMALL,), frames=FRAMES):
        """What the driver counts of such a job when all is well."""
        key = len(videos), frames
        if key not in self.healthy:
            self.card.decree("")
            events = self.card.events(self.card.job("healthy", videos, frames=frames))
            self.assertEqual(events[-1]["outcome"], "done", events)
            self.settle()
            self.healthy[key] = self.card.machine.total()
        return self.healthy[key]

    def settle(self):
        """Nothing is left over, of the driver's or of ours."""
        wait_until(self.card.is_idle, "nothing runs")
        total = self.card.machine.total()
        # nothing can be given back to a lost device but by the process's end
        kinds = ("misuse",) if self.card.is_lost else ("misuse", "leaked")
        wrong = {k: v for k, v in total.items() if v and k.startswith(kinds)}
        self.assertEqual(wrong, {}, self.card.service.words()[-3000:])
        hidden = [p.name for p in self.card.out.iterdir() if p.name.startswith(".")]
        self.assertEqual(hidden, [])

    def read(self, events):
        """A client's view: why it went on elsewhere, and no word of drivers."""
        told = [e for e in events if e["event"] == "fallback"]
        for e in told:
            self.assertTrue(e["from"] and e["to"] and e["reason"], e)
        words = [e.get("text") or e.get("reason") or "" for e in events
                 if e["event"] in ("log", "fallback", "outcome")]
        self.assertEqual([w for w in words if DRIVER.search(w)], [])
        return told

    def whole(self, job, frames=FRAMES):
        for output in job["outputs"]:
            self.assertEqual(harness.frames(output["path"]), frames, output["path"])

    def succeed_without(self, outcome, plans, videos=(SMALL,), **fields):
        """A job whose first attempt ends with `outcome`, and whose last one
        follows one of `plans`; how it went."""
        job = self.card.job("one", videos, **fields)
        events = self.card.events(job)
        shown = self.card.service.show(events[-1]["job"])
        went = attempts(shown)
        words = f"{went}\n{shown}"
        self.assertEqual(shown["state"], "succeeded", words)
        self.assertEqual(went[0], (outcome, WHOLE), words)
        self.assertIn(went[-1], [("done", plan) for plan in plans], words)
        told = self.read(events)
        self.assertEqual([a["fallback"] for a in shown["attempts"]], [None] + [e["reason"] for e in told])
        self.whole(job)
        self.settle()
        return went

    def require(self, plan):
        """A GPU is required: done on it where it still encodes, or failed in
        words."""
        job = self.card.job("required", hardware="require")
        events = self.card.events(job)
        shown = self.card.service.show(events[-1]["job"])
        self.read(events)
        if plan == NO_DECODER:
            self.assertEqual(attempts(shown)[-1], ("done", NO_DECODER), shown)
            self.whole(job)
        else:
            self.assertEqual((shown["state"], len(shown["attempts"])), ("failed", 1), shown)
            self.assertGreater(len(events[-1]["text"]), 10, events[-1])
            self.assertEqual(list(self.card.out.iterdir()), [])
        self.settle()

    def all_succeed(self, jobs, frames, most=4):
        """Handed in at once; none takes more than `most` attempts. All that
        they came to."""
        ids = [self.card.service.submit(job) for job in jobs]
        went = []
        for id, job in zip(ids, jobs):
            shown = self.card.service.wait_for(id)
            self.assertEqual(shown["state"], "succeeded", shown)
            self.assertLessEqual(len(shown["attempts"]), most, shown)
            self.whole(job, frames)
            went += attempts(shown)
        self.settle()
        return went

    def ten(self, frames=FRAMES, videos=(SMALL,), **fields):
        return self.all_succeed([self.card.job(f"job{n}", videos, frames=frames, **fields) for n in range(10)], frames)

    def fall_back(self, count):
        """So many jobs, a few at once."""
        job = self.card.job("many", frames=12, overwrite=True)
        waiting = []
        for n in range(count):
            job["outputs"][0]["path"] = str(self.card.out / f"many-{n}.mp4")
            waiting.append(self.card.service.submit(job))
            if len(waiting) == 4:
                self.assertEqual(self.card.service.wait_for(waiting.pop(0))["state"], "succeeded")
        for id in waiting:
            self.assertEqual(self.card.service.wait_for(id)["state"], "succeeded")
