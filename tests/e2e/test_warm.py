#!/usr/bin/env python3
"""Workers that stand ready ahead of their jobs, on a stand-in's card."""

import signal

import gpucase
import harness
from harness import wait_until


class WarmCase(gpucase.GpuCase):
    def start(self, configuration=None, worker=None, **settings):
        environment = self.machine.environment(**settings)
        # the programs have their own sanitizers
        environment.pop("LD_PRELOAD", None)
        if "sticky" not in settings:  # FFmpeg does not free an encoder whose context it cannot enter
            environment.pop("ASAN_OPTIONS", None)
        configuration = dict(configuration or {})
        if worker:
            configuration["worker"] = str(worker)
        return self.service(configuration, environment=environment)

    def script(self, text):
        """A worker that does `text`, a shell's, where it is to stand ready on a card."""
        path = self.folder / "worker"
        path.write_text(f'#!/bin/sh\ncase "$*" in *--warm*)\n{text}\n;; esac\nexec "{harness.WORKER}" "$@"\n')
        path.chmod(0o755)
        return path

    def stand(self, service, mark="--warm"):
        """The pids of those that stand ready."""
        return [pid for pid, line in service.children().items() if mark in line]

    def wait_for_one(self, service, other_than=None):
        """That stands ready on the card, with its context made."""
        def ready():
            return [p["pid"] for p in self.processes()
                    if p["contexts"] and p["pid"] in self.stand(service) and p["pid"] != other_than]
        return wait_until(ready, f"one stands ready\n{service.words()}")[0]

    def wait_for_plain_one(self, service):
        """That stands ready for jobs without use for the card."""
        pids = wait_until(lambda: self.stand(service, "--device cpu"), "a plain one stands ready")
        self.assertEqual(len(pids), 1)
        return pids

    def wait_for_gpu(self, service):
        wait_until(lambda: len(service.call("Devices")["parameters"]["devices"]) > 1, "the survey")

    def processes(self):
        return self.machine.counters()["processes"]

    def process(self, pid):
        return next((p for p in self.processes() if p["pid"] == pid), None)

    def ended(self, pid):
        """What one that has ended had done."""
        return next((e for e in self.endings() if e["pid"] == pid), None)

    def endings(self):
        path = self.machine.folder / "ended.jsonl"
        return [harness.json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def attempt_of(self, shown):
        self.assertEqual(shown["state"], "succeeded", shown)
        self.assertEqual(len(shown["attempts"]), 1, shown)
        return shown["attempts"][0]


class Standing(WarmCase):
    def test_start__one_stands_on_the_card__and_holds_no_session(self):
        service = self.start()
        process = self.process(self.wait_for_one(service))
        self.assertEqual(process["contexts"], 1)
        self.assertEqual(process["sessions"], 0)
        self.assertEqual(process["decoders"], 0)
        self.assertEqual(len(self.stand(service)), 1)
        self.wait_for_plain_one(service)
        # what it takes is known, and is ours
        devices = service.call("Devices")["parameters"]["devices"]
        self.assertEqual(devices[1]["gpu"]["sessions"]["own"], 0, devices)

    def test_job__that_may_use_the_card__is_done_by_it__and_another_comes(self):
        service = self.start()
        pid = self.wait_for_one(service)
        plain = self.wait_for_plain_one(service)
        film = harness.film(seconds=1)
        attempt = self.attempt_of(service.wait_for(service.submit(self.job(film, "out.mp4", hardware="require"))))
        self.assertEqual(attempt["device"], "cuda:0", attempt)
        self.wait_for_one(service, other_than=pid)
        done = wait_until(lambda: self.ended(pid), "it has ended")
        self.assertEqual((done["sessions"], done["contexts"]), (1, 1), done)
        self.assertEqual(self.stand(service, "--device cpu"), plain)

    def test_job__without_use_for_the_card__leaves_it_alone(self):
        service = self.start()
        pid = self.wait_for_one(service)
        film = harness.film(seconds=1)
        for i, (output, fields) in enumerate((({}, {"hardware": "none"}),
                                              (harness.COPY, {}),
                                              ({"video": {"codec": "none"}}, {}))):
            with self.subTest(output=output, **fields):
                job = self.job(film, {"path": f"out{i}.mp4", **output}, **fields)
                self.assertEqual(service.wait_for(service.submit(job))["state"], "succeeded")
        self.assertEqual(self.stand(service), [pid])
        self.assertEqual(self.process(pid)["contexts"], 1)

    def test_crash__of_one_that_stands__is_made_good(self):
        service = self.start()
        pid = self.wait_for_one(service)
        harness.os.kill(pid, signal.SIGSEGV)
        self.wait_for_one(service, other_than=pid)


class Away(WarmCase):
    def test_vram_asked_back__it_goes__and_comes_again(self):
        service = self.start()
        pid = self.wait_for_one(service)
        service.configure({"gpu": {"vram_reserve": "4000M"}})
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not self.stand(service), f"it has gone\n{service.words()}")
        wait_until(lambda: self.machine.counters()["vram_used"] == 0, "its VRAM is free")
        # that was no fault of its own
        self.assertNotIn("a worker without a job died", service.words())
        service.configure({})
        service.process.send_signal(signal.SIGHUP)
        self.wait_for_one(service, other_than=pid)

    def test_samples__of_what_it_holds__do_not_drive_it_away(self):
        # where as much more in others' hands would
        service = self.start({"gpu": {"vram_reserve": "0"}}, foreign_vram=3556)
        pid = self.wait_for_one(service)

        def look():
            return service.call("Devices")["parameters"]["devices"][1]["gpu"]
        seen = set()
        wait_until(lambda: (gpu := look())["vram_used"] and seen.add(gpu["sampled"]) or len(seen) > 2, "three samples")
        self.assertEqual(self.stand(service), [pid])
        self.assertIn(pid, [p["pid"] for p in look()["processes"]])

    def test_job__that_needs_the_vram_of_it__gets_it(self):
        # room for the job, or for it and little else
        service = self.start({"gpu": {"vram_reserve": "3556M"}})
        self.wait_for_one(service)
        film = harness.film(seconds=1)
        first = service.submit(self.job(film, "a.mp4", hardware="require"))
        second = service.submit(self.job(film, "b.mp4", hardware="require"))
        for id in (first, second):
            self.assertEqual(self.attempt_of(service.wait_for(id))["device"], "cuda:0")
        self.wait_for_one(service)

    def test_device_lost__none_stands__until_a_survey_finds_it_well(self):
        service = self.start(fail_decode=3, sticky=2)
        self.wait_for_one(service)
        film = harness.film(seconds=1)
        shown = service.wait_for(service.submit(self.job(film, "out.mp4")))
        self.assertEqual(shown["state"], "succeeded", shown)
        self.assertEqual(shown["attempts"][-1]["device"], "cpu", shown)
        wait_until(lambda: not self.stand(service), f"none stands\n{service.words()}")
        gpu = service.call("Devices")["parameters"]["devices"][1]
        self.assertRegex(gpu["health"], "^in quarantine: ")
        self.machine.control("reset")
        self.wait_for_one(service)

    def test_no_driver__none_stands(self):
        service = self.start(no_driver=1)
        wait_until(lambda: "the CPU does everything" in service.words(), "the survey")
        self.attempt_of(service.wait_for(service.submit(self.job(harness.film(seconds=1), "out.mp4"))))
        self.assertEqual(self.stand(service), [])


class Cold(WarmCase):
    """Where none stands ready a job is done all the same, and pays for it."""

    def do_a_job(self, service):
        film = harness.film(seconds=1)
        attempt = self.attempt_of(service.wait_for(service.submit(self.job(film, "out.mp4", hardware="require"))))
        self.assertEqual(attempt["device"], "cuda:0", attempt)

    def test_driver__that_hangs_over_a_context__costs_no_job(self):
        service = self.start(worker=self.script("exec sleep 1000"))
        self.wait_for_gpu(service)
        self.do_a_job(service)

    def test_driver__is_started_before_the_worker_is_sealed(self):
        """By a driver that asks for what sealed workers are refused."""
        service = self.start({"limits": {"start_timeout": "600s"}}, worker=self.script("exec sleep 1000"),
                             init_socket=1)
        self.wait_for_gpu(service)
        self.do_a_job(service)
        # a context that was tried before, and the job's own
        wait_until(lambda: [e["contexts"] for e in self.endings() if e["sessions"] == e["decoders"] == 1] == [2],
                   "it has ended")

    def test_worker__that_is_told_a_cpu__starts_no_driver(self):
        for device, processes in ("cpu", 0), ("cuda", 1):
            with self.subTest(device):
                environment = self.machine.environment(init_socket=1)
                for name in ("LD_PRELOAD", "ASAN_OPTIONS"):
                    environment.pop(name, None)
                self.machine.folder.mkdir(exist_ok=True)
                harness.subprocess.run([harness.WORKER, "--device", device, "--open", gpucase.P1000["uuid"],
                                        "--sandbox-path", self.machine.folder, "--probe-sandbox"],
                                       env=environment, check=True, capture_output=True)
                self.assertEqual([e["contexts"] for e in self.endings()], [1] * processes)

    def test_context__that_cannot_be_made__is_tried_again(self):
        gate = self.folder / "gate"
        service = self.start(worker=self.script(f'[ -e "{gate}" ] || {{ echo no memory >&2; exit 1; }}'))
        wait_until(lambda: "a worker without a job died: status=1 signal=0 no memory" in service.words(),
                   service.words())
        self.do_a_job(service)
        gate.touch()
        self.wait_for_one(service)


if __name__ == "__main__":
    harness.main()
