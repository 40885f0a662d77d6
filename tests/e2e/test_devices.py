#!/usr/bin/env python3
"""GPUs as the operator sees them: devices, report and bench, on the stand-in for
NVIDIA's driver and without any."""

import contextlib
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import time
import unittest

import gpucase
import harness
from harness import BUILD, WORKER, film, wait_until


class Devices(gpucase.GpuCase):
    def start(self, configuration=None, **settings):
        """A service on the machine, whose driver has `settings`."""
        environment = self.machine.environment(**settings)
        roots = {"read": ["/"], "write": [str(self.out)]}
        keep = ("LD_LIBRARY_PATH", "VGPU_MACHINE")
        service = self.service({"roots": roots, **(configuration or {})}, environment={
            k: v for k, v in environment.items() if k in keep or k.startswith("VGPU_")})
        return service

    def gpu(self, service):
        """The GPU in Devices, or None."""
        for device in service.call("Devices")["parameters"]["devices"]:
            if device["gpu"]:
                return device
        return None

    def sampled(self, service):
        def ready():
            device = self.gpu(service)
            return device if device and device["gpu"]["sampled"] else None
        return wait_until(ready, "the GPU is sampled\n" + service.words())

    def test_devices__p1000__has_readings_marks_and_abilities(self):
        service = self.start(foreign_sessions=1, foreign_vram=512, temperature=71, throttle=4)
        device = self.sampled(service)
        gpu = device["gpu"]
        self.assertEqual((device["id"], device["name"]), ("cuda:0", "Quadro P1000"))
        self.assertEqual((gpu["driver"], gpu["nvenc_api"]), ("470.256.02", "11.1"))
        self.assertEqual(gpu["sessions"], {"own": 0, "foreign": 1, "limit": 3})
        self.assertIn((1, 512 << 20), [(p["pid"], p["vram"]) for p in gpu["processes"]])
        # and what a worker of ours holds that stands ready, or comes or goes just now
        self.assertIn(gpu["vram_used"] >> 20, range(512, 512 + 256))
        self.assertEqual((gpu["temperature"], gpu["power"], gpu["clock"]), (71, 18.5, 1303))
        self.assertEqual(gpu["throttle"], ["its power limit"])
        self.assertEqual(gpu["marks"]["temperature"], "bad")
        self.assertEqual(gpu["marks"]["power"], "ok")
        self.assertIn("h264", gpu["encoders"])
        said = service.ctl("devices").stdout
        self.assertRegex(said, r"\ncuda:0 +0 +0\+1/3 +0% +0% +0% +\d+/4096 MiB +71 °C +18.5 W +Quadro")
        self.assertIn("note        71 °C is above the healthy 35 to 70 °C\n", said)
        self.assertNotIn("\033", said)

    @unittest.skipIf(os.geteuid(), "another user needs root")
    def test_devices__stranger__sees_how_much_is_used_and_not_by_whom(self):
        service = self.start({"socket_mode": "0666"}, foreign_vram=512)
        self.sampled(service)
        program = harness.for_everybody(harness.TRANSCODECTL, self.folder)
        service.folder.chmod(0o755)

        def ask(*arguments):
            return subprocess.run([program, "--socket", service.socket, *arguments, "devices"], user=65534, group=65534,
                                  extra_groups=[], cwd="/", capture_output=True, text=True, check=True).stdout
        seen = [d["gpu"]["processes"] for d in json.loads(ask("--json"))["devices"] if d["gpu"]][0]
        self.assertIn({"pid": 0, "vram": 512 << 20, "name": ""}, seen)
        self.assertEqual([p for p in seen if p["pid"] or p["name"]], [])
        self.assertIn("a program (which: not permitted), 512.0M\n", ask())

    def test_devices__card_that_cuda_hides__readings_are_of_the_other(self):
        """NVML knows nothing of CUDA_VISIBLE_DEVICES."""
        first, second = (f"GPU-00000000-7667-7075-0000-00000000000{n}" for n in (1, 2))
        service = self.start(cards=2, foreign_vram=2048)  # of the first
        for order, uuids in ("1", [second]), ("1,0", [second, first]):
            with self.subTest(order):
                service.stop()
                service.environment["CUDA_VISIBLE_DEVICES"] = order
                service.start()

                def sampled():
                    gpus = [d["gpu"] for d in service.call("Devices")["parameters"]["devices"] if d["gpu"]]
                    return len(gpus) == len(uuids) and all(g["sampled"] for g in gpus) and gpus
                gpus = wait_until(sampled, "all are sampled\n" + service.words())
                self.assertEqual([g["uuid"] for g in gpus], uuids)
                for gpu in gpus:
                    self.assertEqual(gpu["vram_used"] >= 2048 << 20, gpu["uuid"] == first, gpu)

    def test_devices__what_the_driver_lacks__is_not_available(self):
        service = self.start(power=0, sm_clock=0, memory_clock=0, video_clock=0, throttle=-1)
        gpu = self.sampled(service)["gpu"]
        for name in "power", "clock", "memory_clock", "video_clock", "throttle":
            self.assertIsNone(gpu[name], name)
        self.assertEqual([gpu["marks"][n] for n in ("power", "clock", "throttle")], ["none"] * 3)
        self.assertRegex(service.ctl("devices").stdout, r"48 °C +- +Quadro")

    def test_devices__warm_under_load__is_marked(self):
        # for minutes, as the profile has it: here from the first on
        card = json.loads((harness.TOP / "profiles" / "devices" / "quadro-p1000.json").read_text())
        card["temperature"]["warm_for"] = 0
        profiles = self.folder / "profiles" / "devices"
        profiles.mkdir(parents=True)
        (profiles / "quadro-p1000.json").write_text(json.dumps(card))
        service = self.start({"profiles": str(profiles.parent)}, temperature=66, slow_encode=50)
        self.assertEqual(self.sampled(service)["gpu"]["marks"]["temperature"], "ok")
        id = service.submit(self.job(film(), {"path": "a.mp4", "audio": []}, hardware="require"))
        gpu = wait_until(lambda: (gpu := self.gpu(service)["gpu"])["marks"]["temperature"] == "warn" and gpu, "it warns")
        self.assertRegex(gpu["notes"][0], "^above 65 °C under load for ")
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def on_terminal(self, service, *arguments):
        """What transcodectl shows there."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen([harness.TRANSCODECTL, "--socket", service.socket, *arguments], stdout=theirs,
                                 env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"})
        os.close(theirs)
        shown = b""
        with open(ours, "rb", buffering=0) as f, contextlib.suppress(OSError):  # EIO: its end
            while chunk := f.read(65536):
                shown += chunk
        self.assertEqual(child.wait(), 0)
        return shown.decode()

    def test_devices__colours__are_for_what_is_wrong(self):
        for settings, expect in (
                ({"temperature": 30, "power": 4000, "sm_clock": 0}, {}),  # idle, and one reading is missing
                ({"temperature": 71, "power": 0}, {"71 °C": "31"}),
                ({"temperature": 70, "power": 46000}, {"46.0 W": "33"})):
            with self.subTest(**settings):
                self.machine = gpucase.standin.Machine()
                service = self.start(**settings)
                self.sampled(service)
                table = self.on_terminal(service, "devices").split("\r\n\r\n")[0]
                self.assertIn(f"{settings['temperature']} °C", table)
                self.assertEqual({text.strip(): colour for colour, text in re.findall("\033\\[(\\d+)m([^\033]*)", table)},
                                 expect)
                service.stop()

    def test_devices__nobody_watches__is_not_available(self):
        worker = self.folder / "worker"
        worker.write_text(f'#!/bin/sh\n[ "$1" != --watch ] || exec sleep 1000\nexec "{WORKER}" "$@"\n')
        worker.chmod(0o755)
        service = self.start({"worker": str(worker)}, foreign_sessions=1, foreign_vram=512)
        device = wait_until(lambda: self.gpu(service), "the survey")
        gpu = device["gpu"]
        self.assertEqual((device["health"], device["load"], gpu["sampled"]), ("ok", None, None))
        self.assertEqual(gpu["sessions"], {"own": 0, "foreign": None, "limit": 3})
        self.assertEqual({gpu[n] for n in ("vram_total", "vram_used", "temperature", "power", "encoder_load")}, {None})
        self.assertEqual(set(gpu["marks"].values()), {"none"})
        said = service.ctl("devices").stdout
        self.assertIn("\n  readings    not available\n", said)
        self.assertRegex(said, r"\ncuda:0 +0 +0/3 +- +- +- +- +- +- +Quadro")

    def test_devices__job_runs__its_session_is_ours(self):
        service = self.start(slow_encode=50, foreign_sessions=1)
        self.sampled(service)
        id = service.submit(self.job(film(), {"path": "a.mp4", "audio": []}, hardware="require"))

        def busy():
            gpu = self.gpu(service)["gpu"]
            return gpu["sessions"]["own"] == 1 and gpu["processes"] and gpu
        gpu = wait_until(busy, "a session of ours")
        self.assertEqual(gpu["sessions"]["foreign"], 1)
        wait_until(lambda: "transcoded-work" in [p["name"] for p in self.gpu(service)["gpu"]["processes"]],
                   "the worker has VRAM")
        self.assertEqual(service.wait_for(id)["state"], "succeeded")
        report = service.call("Report", {"days": 1})["parameters"]
        self.assertIn({"device": "cuda:0", "video": True, "outcome": "done", "reason": "", "count": 1},
                      report["tallies"])
        self.assertIn("cuda:0 did 1 of 1 video job.\n", service.ctl("report").stdout)

    def test_report__no_session__says_why_the_cpu_encoded(self):
        service = self.start(foreign_sessions=3)
        self.sampled(service)
        id = service.submit(self.job(film(), {"path": "a.mp4", "audio": []}))
        self.assertEqual(service.wait_for(id)["state"], "succeeded")
        tally, = service.call("Report")["parameters"]["tallies"]
        # NVDEC needs no session
        self.assertEqual((tally["device"], tally["outcome"], tally["count"]), ("cuda:0", "done", 1))
        self.assertIn("session", tally["reason"])
        self.assertIn(f"\n1 did not get all of cuda:0: {tally['reason']}.\n", service.ctl("report").stdout)

    def test_report__survives_a_restart__with_the_readings(self):
        service = self.start(temperature=52)
        self.sampled(service)
        service.stop()  # hands over what it has sampled
        service.start()
        periods = service.call("Report", {"days": 1})["parameters"]["periods"]
        self.assertEqual({p["device"] for p in periods}, {"cuda:0"})
        self.assertEqual(periods[0]["temperature"], {"least": 52, "mean": 52, "most": 52})
        self.assertRegex(service.ctl("report", "--days", 1).stdout, r"cuda:0 +0 +.* 52 52 52 °C")

    def test_report__steps_sums_and_kinds__of_a_year(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        service.stop()
        now = int(time.time()) // 3600
        hours = [now - 2, now - 3, now - 24 * 30, now - 24 * 390, now - 24 * 404]
        with contextlib.closing(sqlite3.connect(service.state / "jobs.sqlite")) as db, db:
            db.executemany("INSERT INTO reading VALUES (?, 'cuda:0', 'power', ?, ?, ?, ?)",
                           [(hour, 10 + n, 20 + n, 15 * 4, 4) for n, hour in enumerate(hours)])
            db.executemany("INSERT INTO tally VALUES (?, ?, 1, ?, ?, ?)", [
                (hours[0], "cuda:0", "done", "", 5), (hours[1], "cuda:0", "done", "", 2),
                (hours[0], "cuda:0", "done", "no session", 3), (hours[1], "cuda:0", "crashed", "", 7)])
        service.start()

        def report(**parameters):
            return service.call("Report", parameters)["parameters"]
        for days, step, count in ((1, 1, 2), (2, 1, 2), (3, 24, None), (92, 24, None), (93, 168, None),
                                  (396, 168, None), (1000, 168, None)):
            r = report(days=days)
            self.assertEqual(r["step"], step * 3600, days)
            self.assertEqual(r["from"] % (step * 3600 * 10**6), 0)
            # no later than so long ago, and no step earlier
            age = now * 3600 * 10**6 - r["from"] - min(days, 396) * 24 * 3600 * 10**6
            self.assertLess(abs(age), (step + 1) * 3600 * 10**6)
            if count:
                self.assertEqual(len(r["periods"]), count)
            power = [p["power"] for p in r["periods"]]
            self.assertEqual({p["mean"] for p in power}, {15})
            self.assertEqual(max(p["most"] for p in power), 23 if days >= 396 else 22 if days >= 92 else 21)
        jobs = {p["time"] // 3600 // 10**6: p["jobs"] for p in report(days=1)["periods"]}
        self.assertEqual(jobs, {hours[0]: 8, hours[1]: 2})  # what crashed is not done
        self.assertEqual(sorted((t["outcome"], t["reason"], t["count"]) for t in report(days=1)["tallies"]),
                         [("crashed", "", 7), ("done", "", 7), ("done", "no session", 3)])

    def test_watch__killed__is_started_again(self):
        service = self.start()
        self.sampled(service)

        def watcher():
            return [pid for pid, line in service.children().items() if line.rstrip().endswith("--watch")]
        first = watcher()
        self.assertEqual(len(first), 1)
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: watcher() and watcher() != first, "another one")
        self.sampled(service)

    def test_no_driver__nothing_watches_and_devices_says_why(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        reply = wait_until(lambda: (r := service.call("Devices")["parameters"])["problem"] and
                           "not been surveyed" not in r["problem"] and r, "surveyed")
        self.assertEqual([d["id"] for d in reply["devices"]], ["cpu"])
        self.assertEqual([line for line in service.children().values() if "--watch" in line], [])
        self.assertIn(reply["problem"], service.ctl("devices").stdout)

    def test_worker_watch__no_library__says_so_and_ends(self):
        r = subprocess.run([WORKER, "--watch"], capture_output=True, text=True,
                           env={k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"})
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertEqual(len(r.stderr.splitlines()), 1)
        self.assertIn("no NVIDIA driver: libnvidia-ml.so.1", r.stderr)

    def test_worker_watch__card_is_lost__says_so_and_ends(self):
        environment = self.machine.environment()
        child = subprocess.Popen([WORKER, "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={
            k: environment[k] for k in ("LD_LIBRARY_PATH", "VGPU_MACHINE")})
        self.addCleanup(child.kill)
        sample = b""
        while not sample.endswith(b"\0"):
            sample += child.stdout.read(1)
        self.assertEqual(json.loads(sample[:-1])["temperature"], 48)
        self.machine.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:duration=0.5", "-c:v", "h264_nvenc",
                            "-f", "null", "-", fail_encode=3, sticky=2)
        out, words = child.communicate(timeout=harness.PATIENCE)
        self.assertEqual(child.returncode, 1)
        self.assertRegex(words.decode(), r"^card 0: .*lost.*\nno card answers\n$")

    # bench

    def small_films(self):
        """A PATH whose ffmpeg makes a tenth of the size: a test has no minutes."""
        folder = self.folder / "bin"
        folder.mkdir()
        script = folder / "ffmpeg"
        real = subprocess.run(["which", "ffmpeg"], capture_output=True, text=True, check=True).stdout.strip()
        script.write_text("#!/usr/bin/env bash\n"
                          'a=("${@/3840x2160/384x216}")\n'
                          f'exec {real} "${{a[@]/1920x1080/192x108}}"\n')
        script.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def bench(self, service, path, *arguments):
        service.environment["PATH"] = path
        return service.ctl(*arguments, "bench", "--seconds", 1, "--streams", 2)

    def test_bench__gpu_and_cpu__beside_what_is_expected(self):
        service = self.start()
        self.sampled(service)
        temporary = self.folder / "tmp"
        temporary.mkdir()
        service.environment["TMPDIR"] = str(temporary)
        r = self.bench(service, self.small_films(), "--json")
        self.assertEqual(r.returncode, 0, r.stderr)
        board = json.loads(r.stdout)
        self.assertEqual((board["gpu"], board["problem"]), ("cuda:0, Quadro P1000", ""))
        names = [t["name"] for t in board["tests"]]
        self.assertEqual(len(names), 3)
        self.assertEqual([t["expected"] for t in board["tests"]],
                         [{"gpu": [120, 150], "cpu": [25, 30]}, {"gpu": [200, 250], "cpu": [60, 80]},
                          {"gpu": [4, 6], "cpu": [1, 2]}])
        for test in board["tests"]:
            for side in "gpu", "cpu":
                self.assertIsNotNone(test[side], r.stdout + r.stderr)
        self.assertGreater(board["tests"][0]["gpu"], 0)
        self.assertEqual(list(temporary.iterdir()), [])
        self.assertGreater(self.machine.total()["encoded"], 0)

    def test_bench__no_gpu__says_why_and_measures_the_cpu(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        r = self.bench(service, self.small_films())
        self.assertEqual(r.returncode, 0, r.stderr)
        figure = r"[0-9.]+ (fps|streams?)"
        self.assertRegex(r.stdout, f"^TEST +GPU +EXPECTED +CPU +EXPECTED\n"
                                   f"4K HEVC to 1080p H.264 +- +120-150 +{figure} +25-30\n"
                                   f"1080p H.264 to 720p H.264 +- +200-250 +{figure} +60-80\n"
                                   f"the latter, streams in real time +- +4-6 +{figure} +1-2\n\n"
                                   "EXPECTED of a Quadro P1000, and of a CPU: Intel Core i7-4770\n")
        self.assertIn("\nGPU not measured: ", r.stdout)

    def test_bench__jobs_that_fail__are_no_figures(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "ffmpeg").write_text('#!/bin/sh\nfor last; do :; done\necho noise > "$last"\n')
        (folder / "ffmpeg").chmod(0o755)
        r = self.bench(service, f"{folder}:{os.environ['PATH']}")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertRegex(r.stdout, r"\n4K HEVC to 1080p H.264 +- +120-150 +- +25-30\n")
        self.assertIn("\n4K HEVC to 1080p H.264: bad_input: ", r.stdout)

    def test_bench__ctrl_c__leaves_nothing(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        temporary = self.folder / "tmp"
        temporary.mkdir()
        environment = dict(service.environment, TMPDIR=str(temporary), PATH=self.small_films())
        for moment in "clips", "job":
            with self.subTest(moment=moment):
                child = subprocess.Popen([harness.TRANSCODECTL, "--socket", service.socket, "bench", "--seconds", "60"],
                                         env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         start_new_session=True)
                self.addCleanup(child.kill)
                if moment == "job":
                    wait_until(lambda: service.call("Status")["parameters"]["jobs"]["running"], "it runs")
                else:
                    wait_until(lambda: list(temporary.glob("*/*")), "ffmpeg writes")
                os.killpg(child.pid, signal.SIGINT)  # as a terminal does
                child.communicate(timeout=harness.PATIENCE)
                self.assertEqual(child.returncode, 130)
                self.assertEqual(list(temporary.iterdir()), [])
        wait_until(lambda: not service.call("Status")["parameters"]["jobs"]["running"], "its job is cancelled")

    def test_bench__no_ffmpeg__says_what_to_install(self):
        service = self.service({"roots": {"read": ["/"], "write": [str(self.out)]}})
        r = self.bench(service, str(self.folder))
        self.assertEqual(r.returncode, 2)
        self.assertIn("the program ffmpeg, which is not here: install it", r.stderr)


if __name__ == "__main__":
    harness.main()
