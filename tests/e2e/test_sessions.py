#!/usr/bin/env python3
"""The service on a simulated card whose driver grants few sessions and has
little memory, beside neighbours that take both: no job fails of it, no client
hears of drivers, and no session is idle while a job waits for it."""

import json
import subprocess
import sys
import threading

import gpucase
import harness
import standin
from harness import wait_until

MIB = 1 << 20
LIMITS = {"attempts": 16, "attempts_per_uid": 16, "cpu_jobs": 1, "stop_grace": "500ms"}
UNKNOWN_CARD = {"name": "Card of 2031"}  # no profile says what its driver grants

# A program that takes memory of the card until its input ends.
TAKER = """
import ctypes, sys
cuda = ctypes.CDLL("libcuda.so.1")
context, memory = ctypes.c_void_p(), ctypes.c_void_p()
assert cuda.cuInit(0) == 0
assert cuda.cuCtxCreate_v2(ctypes.byref(context), 0, 0) == 0
assert cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(int(sys.argv[1]) << 20)) == 0
print("taken", flush=True)
sys.stdin.read()
"""


class Sessions(gpucase.GpuCase):
    def start(self, gpu=None, limits=None, **settings):
        """A service on the machine; the one before has ended."""
        if getattr(self, "running", None):
            self.running.stop()
            harness.shutil.rmtree(self.running.state)
        environment = self.machine.environment(**settings)
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):  # the programs have their own sanitizers
            environment.pop(name, None)
        service = self.service({"gpu": gpu or {}, "limits": {**LIMITS, **(limits or {})}}, environment=environment)
        self.running = service
        wait_until(lambda: self.gpu(service), f"the survey\n{service.words()}")
        return service

    def log(self):
        return (self.folder / "service" / "log").read_text(errors="replace")[-4000:]

    def gpu(self, service):
        devices = service.call("Devices")["parameters"]["devices"]
        return next((d for d in devices if d["id"] == "cuda:0"), None)

    def sessions(self, service):
        return self.gpu(service)["gpu"]["sessions"]

    def listen(self, service):
        """Everything that clients are told from now on."""
        heard = []
        connection = self.enterContext(service.connect())

        def hear():
            with harness.contextlib.suppress(OSError):
                for reply in connection.stream("Follow"):
                    heard.append(reply["parameters"]["event"])
        threading.Thread(target=hear, daemon=True).start()
        return heard

    def video(self, name, renditions=1):
        return [{"path": f"{name}-{i}.mp4", "video": {"height": 90 + 30 * i}, "audio": []} for i in range(renditions)]

    def submit(self, service, count, renditions=1, **fields):
        self.made = getattr(self, "made", 0)
        ids = []
        for _ in range(count):
            self.made += 1
            ids.append(service.submit(self.job(self.source(self.made), *self.video(str(self.made), renditions),
                                               **fields)))
        return ids

    def source(self, number):
        """A job's own, by which its worker is known."""
        path = self.folder / f"source-{number}.mp4"
        if not path.exists():
            harness.shutil.copy(standin.h264_clip(), path)
        return path

    def finish(self, service, ids):
        """All of them succeed; what each did in its last attempt."""
        shown = [service.wait_for(i) for i in ids]
        for s in shown:
            self.assertEqual(s["state"], "succeeded", f"{s}\n{service.words()}")
        return [s["attempts"][-1] for s in shown]

    def neighbour(self, seconds=600):
        """Another program that encodes on the card."""
        other = self.machine.start("-re", "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={seconds}",
                                   "-c:v", "h264_nvenc", "-f", "null", "-")
        self.addCleanup(other.communicate)
        self.addCleanup(other.kill)
        wait_until(lambda: any(p["pid"] == other.pid and p["sessions_open"]
                               for p in self.machine.counters()["processes"]), "its session")
        return other

    def take(self, mib):
        taker = subprocess.Popen([sys.executable, "-c", TAKER, str(mib)], env=self.machine.environment(),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(taker.communicate)
        self.assertEqual(taker.stdout.readline(), "taken\n")
        return taker

    def assert_no_drivers_words(self, heard):
        said = json.dumps([e for e in heard if e["event"] != "state"])
        for word in ("OpenEncodeSession", "out of memory", "CUDA_ERROR", "no_session", "(10)", "(21)"):
            self.assertNotIn(word, said)


class Limits(Sessions):
    def test_ten_more_jobs_than_sessions__whatever_is_believed(self):
        cases = [
            # what the machine is, what is configured, sessions at most, refused
            ("right", {}, {}, 3, 0),
            ("too low", {}, {"sessions": 1}, 1, 0),
            ("too high, listed", {}, {"sessions": 8}, 3, 0),
            ("too high", UNKNOWN_CARD, {"sessions": 8}, 3, 5),
            ("not known", UNKNOWN_CARD, {}, 3, 5),
            ("not known, a newer driver's error", UNKNOWN_CARD | {"session_error": 21}, {}, 3, 5),
            ("listed too high", {"sessions": 2}, {}, 2, 5),
        ]
        for name, settings, gpu, most, refused in cases:
            with self.subTest(name):
                self.machine = standin.Machine()
                service = self.start(gpu, slow_encode=25, **settings)
                surveyed = self.machine.total()
                heard = self.listen(service)
                ids = self.submit(service, most + 10, hardware="prefer")
                self.let_meet(service, heard, most, learns=refused > 0)
                attempts = self.finish(service, ids)
                total = self.machine.total()
                self.assertEqual({a["plan"][0] for a in attempts}, {"nvdec>scale_cuda>h264_nvenc"})
                self.assertEqual(total["sessions_peak"], max(most, surveyed["sessions_peak"]))
                self.assertLessEqual(total["sessions_refused"] - surveyed["sessions_refused"], refused)
                if total["sessions_refused"] > surveyed["sessions_refused"]:
                    self.assertEqual(self.sessions(service)["limit"], most)
                self.assertEqual(self.sessions(service)["own"], 0)
                self.assert_no_drivers_words(heard)
                self.clean()

    def let_meet(self, service, heard, most, learns):
        """No session is closed before so many are open at once, and the service
        has learned that there are no more."""
        held = []

        def has_told(pid):
            # until it does, no session is lent that may be one too many
            begun = {e["job"] for e in list(heard) if e["event"] == "progress" and e["frame"] > 0}
            return any(harness.is_open(pid, service.show(id)["job"]["input"]["path"]) for id in begun)

        def are_there():
            for pid in set(self.machine.encoding()) - set(held):
                if has_told(pid) and self.machine.hold(pid):
                    held.append(pid)
            return len(held) == most
        try:
            wait_until(are_there, f"{most} sessions are open")
            if learns:
                wait_until(lambda: self.sessions(service)["limit"] == most, "it has learned")
        finally:
            for pid in held:
                harness.os.kill(pid, harness.signal.SIGCONT)

    def test_neighbours__take_and_free_sessions(self):
        service = self.start()
        heard = self.listen(service)
        others = [self.neighbour(), self.neighbour()]
        ids = self.submit(service, 5, hardware="require")
        self.finish(service, ids[:2])
        wait_until(lambda: self.sessions(service)["foreign"] == 2, "they are seen")
        self.assertEqual(self.sessions(service)["limit"], 3)
        ids += self.submit(service, 8, hardware="prefer")
        for other in others:
            other.kill()
        self.finish(service, ids)
        wait_until(lambda: self.sessions(service)["foreign"] == 0, "they are gone")
        self.assertEqual(self.sessions(service)["limit"], 3)
        self.assert_no_drivers_words(heard)

    def test_ladder__takes_a_session_a_rendition(self):
        service = self.start()
        other = self.neighbour()
        wait_until(lambda: self.sessions(service)["foreign"] == 1, "it is seen")
        ladder = self.submit(service, 1, 3, hardware="require")
        single = self.submit(service, 2, hardware="require")
        self.finish(service, single)  # they overtake it
        self.assertEqual(service.state_of(ladder[0]), "starting")
        other.kill()
        attempt, = self.finish(service, ladder)
        self.assertEqual(attempt["plan"], ["nvdec>scale_cuda>h264_nvenc"] * 3)
        self.assertEqual(attempt["given"]["sessions"], 3)
        # four are more than there ever are
        id, = self.submit(service, 1, 4, hardware="require")
        self.assertEqual(service.wait_for(id)["outcome"], "no_session")
        attempt, = self.finish(service, self.submit(service, 1, 4, hardware="prefer"))
        self.assertEqual([p.rsplit(">", 1)[1] for p in attempt["plan"]], ["h264_nvenc"] * 3 + ["libx264"])


class Memory(Sessions):
    def test_immich_and_ollama__jobs_go_to_the_cpu_and_come_back(self):
        service = self.start()
        attempt, = self.finish(service, self.submit(service, 1))
        self.assertEqual(attempt["device"], "cuda:0")
        immich = self.take(2048)
        wait_until(lambda: (self.gpu(service)["gpu"]["vram_used"] or 0) > 2048 * MIB, "it is seen")
        attempt, = self.finish(service, self.submit(service, 1))
        self.assertEqual(attempt["device"], "cuda:0")
        immich.communicate()
        ollama = self.take(3686)
        wait_until(lambda: (self.gpu(service)["gpu"]["vram_used"] or 0) > 3600 * MIB, "it is seen")
        attempt, = self.finish(service, self.submit(service, 1))
        self.assertEqual((attempt["device"], attempt["plan"]), ("cpu", ["native>scale>libx264"]))
        self.assertIn("cuda:0 has not enough of its memory free", attempt["why"])
        # the worker that stands ready has given up what it had
        wait_until(lambda: len(self.machine.counters()["processes"]) == 2, "only Ollama and the watch are there")
        waiting = self.submit(service, 1, hardware="require")
        ollama.communicate()
        attempt, = self.finish(service, waiting)
        self.assertEqual(attempt["device"], "cuda:0")


class Failures(Sessions):
    def test_driver_errors__the_job_goes_on_and_its_file_is_whole(self):
        cases = [
            # what fails, and what the attempts did
            ({"open_error": 10}, "native|nvdec", "libx264"),
            ({"fail_encode": 10}, "nvdec", "libx264"),
            ({"fail_decode": 10}, "native", "h264_nvenc"),
            ({"fail_launch": 10}, None, None),
            ({"crash_encode": 10}, "native", "libx264"),
        ]
        for settings, decoder, encoder in cases:
            with self.subTest(**settings):
                self.machine = standin.Machine()
                service = self.start(limits={"tries": 1})
                self.machine.control("set", *(f"{k.upper()}={v}".lower() for k, v in settings.items()))
                self.renew_warm(service)
                heard = self.listen(service)
                id, = self.submit(service, 1)
                attempt, = self.finish(service, [id])
                if decoder:
                    self.assertRegex(attempt["plan"][0], f"^({decoder})>.*>{encoder}$")
                    self.assertTrue(attempt["fallback"])
                self.assertEqual(harness.frames(self.out / f"{self.made}-0.mp4"), 30)
                self.assert_no_drivers_words(heard)
                self.assertFalse([p for p in self.left() if p.startswith(".")])

    def renew_warm(self, service):
        """Workers that stand ready have read the settings already."""
        for pid, line in service.children().items():
            if "--warm" in line:
                harness.os.kill(pid, harness.signal.SIGKILL)


if __name__ == "__main__":
    harness.main()
