#!/usr/bin/env python3
"""The service finds out what GPUs there are: on the stand-in for NVIDIA's
driver, on a machine without any, and by surveys that misbehave."""

import json
import os
import signal
import subprocess

import gpucase
import harness
import standin
from harness import wait_until


class SurveyCase(gpucase.GpuCase):
    def start(self, limits=None, worker=None, **settings):
        """A service on the simulated machine."""
        environment = self.machine.environment(**settings)
        # the programs have their own sanitizers
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):
            environment.pop(name, None)
        configuration = {"limits": limits or {}}
        if worker:
            configuration["worker"] = str(worker)
        return self.service(configuration, environment=environment)

    def script(self, text):
        """A worker whose survey is `text`, a shell's; for the rest it is one."""
        path = self.folder / "worker"
        path.write_text(f'#!/bin/sh\nif [ "$1" = --survey ]; then\n{text}\nfi\nexec "{harness.WORKER}" "$@"\n')
        path.chmod(0o755)
        return path

    def forget(self, service):
        service.stop()
        (service.state / "survey.json").unlink()

    def gpus(self, service):
        reply = service.call("Devices")["parameters"]["devices"]
        return {d["id"]: d for d in reply if d["id"] != "cpu"}

    def wait_for_gpu(self, service):
        return wait_until(lambda: self.gpus(service).get("cuda:0"), f"cuda:0\n{service.words()}")

    def wait_for_words(self, service, words):
        wait_until(lambda: words in service.words(), f"'{words}' in\n{service.words()}")

    def do_a_job(self, service):
        film = harness.film(seconds=1)
        shown = service.wait_for(service.submit(self.job(film, "out.mp4", hardware="none")))
        self.assertEqual(shown["state"], "succeeded", shown)


class Stand(SurveyCase):
    def test_devices__p1000__is_there(self):
        service = self.start()
        device = self.wait_for_gpu(service)
        self.assertEqual(device["name"], "Quadro P1000")
        self.assertEqual(device["health"], "ok", device)
        self.assertIn("Quadro P1000", service.ctl("devices").stdout)
        self.assertRegex(service.words(), r"cuda:0: Quadro P1000 driver=470\.256\.02 decoders=\d+ encoders=2")
        # CUDA's kernel cache has its place, where workers will look for it
        self.assertTrue((service.state / "cuda").is_dir())

    def test_restart__same_driver__opens_no_session(self):
        service = self.start()
        self.wait_for_gpu(service)
        opened = self.machine.total()["sessions"]
        self.assertGreater(opened, 0)
        service.stop()
        service.start()
        self.assertEqual(self.wait_for_gpu(service)["health"], "ok")
        self.assertEqual(self.machine.total()["sessions"], opened)

    def test_restart__filters_that_do_not_run__opens_no_session(self):
        for fault in ({"fail_launch": 1}, {"load_error": 222}):
            with self.subTest(fault):
                self.machine = standin.Machine()
                service = self.start(**fault)
                before = self.wait_for_gpu(service)
                self.assertIn("scale_cuda does not run: ", "\n".join(before["gpu"]["problems"]))
                opened = self.machine.total()["sessions"]
                self.assertGreater(opened, 0)
                service.stop()
                service.start()
                self.assertEqual(self.wait_for_gpu(service)["gpu"]["encoders"], ["h264", "hevc"])
                self.assertEqual(self.machine.total()["sessions"], opened)
                self.forget(service)

    def test_restart__cache_or_driver_is_another__surveys_anew(self):
        def spoil():
            (service.state / "survey.json").write_text('{"libav":')

        def update():
            service.environment["VGPU_DRIVER_VERSION"] = "470.223.02"

        def lose_kernels():
            (service.state / "cuda").rmdir()

        service = self.start()
        self.wait_for_gpu(service)
        for change in (spoil, update, lose_kernels):
            with self.subTest(change.__name__):
                before = self.machine.total()["sessions"]
                service.stop()
                change()
                service.start()
                self.wait_for_gpu(service)
                self.assertGreater(self.machine.total()["sessions"], before)
                json.loads((service.state / "survey.json").read_text())

    def test_kernels__are_kept_by_the_survey__and_only_read_by_workers(self):
        said = subprocess.run([harness.WORKER, "--probe-sandbox"], capture_output=True, check=True).stdout
        if json.loads(said)["landlock"]["state"] != "on":
            self.skipTest("this kernel confines no files")
        service = self.start(jit_cache=1)
        self.wait_for_gpu(service)
        cache = service.state / "cuda"
        kept = sorted(cache.iterdir())
        self.assertTrue(kept)
        self.do_on_gpu(service, "read.mp4")
        self.assertEqual(sorted(cache.iterdir()), kept)
        for kernel in kept:
            kernel.unlink()
        self.do_on_gpu(service, "fill.mp4")
        self.assertEqual(list(cache.iterdir()), [])
        # with nothing in its way a worker would, and with what the survey had
        service.configure({"sandbox": "off"})
        service.process.send_signal(harness.signal.SIGHUP)
        self.wait_for_words(service, "the sandbox is off")
        self.do_on_gpu(service, "free.mp4")
        filled = set(cache.iterdir())
        self.assertTrue(filled)
        self.assertLessEqual(filled, set(kept))

    def do_on_gpu(self, service, output):
        job = self.job(harness.film(seconds=1), {"path": output, "video": {"max_height": 144}}, hardware="require")
        shown = service.wait_for(service.submit(job))
        self.assertEqual((shown["state"], shown["attempts"][-1]["device"]), ("succeeded", "cuda:0"), shown)
        self.assertIn("scale_cuda", shown["attempts"][-1]["plan"][0])

    def test_misfit__libraries_of_another_version__is_said(self):
        service = self.start(init_error=803, nvml_error=18)
        self.wait_for_words(service, "the driver that the kernel has loaded is of version")
        self.assertIn("restart the machine, or load the driver again", service.words())
        self.assertEqual(self.gpus(service), {})

    def test_misfit__headers_too_new__is_said(self):
        service = self.start(nvenc_version="10.0")
        self.wait_for_gpu(service)
        self.assertIn("use an FFmpeg built with nv-codec-headers 10.0", service.words())
        for _ in "first", "after a restart":
            device = self.wait_for_gpu(service)
            self.assertEqual(device["health"], "it cannot encode: this build of FFmpeg needs NVENC API 11.1, but driver "
                             "470.256.02 has 10.0: use an FFmpeg built with nv-codec-headers 10.0")
            self.assertIn(f"health      {device['health']}\n", service.ctl("devices").stdout)
            service.stop()
            service.start()

    def test_doubted_card__is_tried__whatever_is_known_of_it(self):
        service = self.start()
        self.wait_for_gpu(service)
        self.machine.control("set", "open_error=20")
        # the first has a worker that stood ready before
        for n in range(3):
            job = self.job(harness.film(seconds=1), {"path": f"{n}.mp4", "video": {"max_height": 144}})
            self.assertEqual(service.wait_for(service.submit(job))["state"], "succeeded")
        self.wait_for_words(service, "cuda:0 is in quarantine")
        wait_until(lambda: not self.gpus(service)["cuda:0"]["gpu"]["encoders"], "a survey that tries")
        self.machine.control("set")
        service.stop()
        service.start()  # nothing of that is remembered
        self.assertEqual(self.wait_for_gpu(service)["health"], "ok")

    def test_part_of_a_card__is_what_it_is_good_for(self):
        nothing = {f"decode_{codec}": 0 for codec in ("h264", "hevc", "vp9", "mpeg2")}
        for settings, words in (({"no_encoder": 1}, "it cannot encode: h264_nvenc: the card has no encoder (NVENC)"),
                                (nothing, "it cannot decode: the card decodes nothing that FFmpeg would give it"),
                                (nothing | {"no_encoder": 1}, "the card decodes nothing that FFmpeg would give it")):
            with self.subTest(words):
                self.machine = standin.Machine()
                service = self.start(**settings)
                self.assertEqual(self.wait_for_gpu(service)["health"], words)
                self.forget(service)

    def test_claims_that_are_not_kept__plans_are_without_them(self):
        service = self.start(hevc_10bit=0, hevc_claims_10bit=1, h264_b_frames=1, h264_claims_b_frames=4)
        self.wait_for_gpu(service)
        for codec in "h264", "hevc":
            job = self.job(standin.hevc10_clip(), {"path": f"{codec}.mp4", "video": {
                "max_height": 144, "codec": codec, "b_frames": 1}, "audio": []}, hardware="require")
            shown = service.wait_for(service.submit(job))
            self.assertEqual((shown["state"], len(shown["attempts"])), ("succeeded", 1), shown)
            stream, = harness.streams(self.out / f"{codec}.mp4")
            self.assertEqual((stream["pix_fmt"], stream["has_b_frames"]), ("yuv420p", 0))

    def test_driver__exchanged_while_it_runs__is_surveyed_again(self):
        gate, surveys = self.folder / "gate", self.folder / "surveys"
        gate.touch()
        service = self.start({}, self.script(f'echo >>"{surveys}"; while [ ! -e "{gate}" ]; do sleep 0.05; done'),
                             cards=2)
        self.wait_for_gpu(service)

        def exchange(version, begun):
            # whoever has the old driver loaded does not see the new one
            self.machine.control("set", f"driver_version={version}", "cards=1")
            for pid in wait_until(lambda: [pid for pid, line in service.children().items()
                                           if line.rstrip().endswith("--watch")], "it is watched"):
                os.kill(pid, signal.SIGKILL)
            self.wait_for_words(service, f"cuda:0: its driver is {version} now, and was 470.256.02: surveying again")
            wait_until(lambda: surveys.read_text().count("\n") == begun, "a survey")

        gate.unlink()
        exchange("470.223.02", 2)
        exchange("470.239.06", 2)  # one is under way: another follows it
        gate.touch()
        wait_until(lambda: surveys.read_text().count("\n") == 3, "another survey")
        wait_until(lambda: self.gpus(service)["cuda:0"]["gpu"]["driver"] == "470.239.06", "its end")
        self.assertEqual(self.gpus(service)["cuda:1"]["health"], "the last survey did not find it")
        self.assertEqual(json.loads((service.state / "survey.json").read_text())["devices"][0]["driver"], "470.239.06")

    def test_others_hold_all_sessions__it_is_surveyed_again_until_it_is_whole(self):
        service = self.start({"survey_again": "100ms"}, foreign_sessions=3)
        self.assertEqual(self.wait_for_gpu(service)["gpu"]["encoders"], [])
        self.machine.control("set", "foreign_sessions=0")
        wait_until(lambda: self.gpus(service)["cuda:0"]["gpu"]["encoders"], "another survey")
        self.assertIn("others hold all of the card's encoder sessions", service.words())


class Without(SurveyCase):
    def test_no_driver__cpu_only__and_one_line_that_says_why(self):
        service = self.service()
        self.wait_for_words(service, "the CPU does everything")
        lines = [line for line in service.words().splitlines() if "NVIDIA" in line or "CPU does" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("libcuda.so.1", lines[0])
        self.assertEqual(self.gpus(service), {})
        self.do_a_job(service)

    def test_no_kernel_module__is_told_apart(self):
        service = self.start({"survey_again": "100ms"}, no_driver=1)
        self.wait_for_words(service, "NVIDIA's libraries are here, but")
        self.assertEqual(self.gpus(service), {})
        self.machine.control("set", "no_driver=0")  # it is loaded after the service
        self.wait_for_gpu(service)
        self.assertEqual(service.words().count("NVIDIA's libraries are here, but"), 1)


class Bad(SurveyCase):
    def hanging(self, service):
        return [line for line in service.children().values() if "sleep 1000" in line]

    def test_hang__costs_the_service_nothing(self):
        service = self.start({"survey_timeout": "600s", "survey_wait": "0s"}, self.script("exec sleep 1000"))
        wait_until(lambda: self.hanging(service), "it hangs")
        self.do_a_job(service)
        self.assertTrue(self.hanging(service))

    def test_hang__is_killed_in_time(self):
        service = self.start({"survey_timeout": "1s"}, self.script("exec sleep 1000"))
        self.wait_for_words(service, "took longer than 1 s and was stopped")
        wait_until(lambda: not self.hanging(service), "the survey is gone")

    def test_nonsense__is_survived_and_named(self):
        for text, words in (("kill -SEGV $$", "crashed (signal 11"),
                            ("echo oh no >&2; exit 3", "failed (exit status 3): oh no"),
                            ("echo '{'; exit 0", "makes no sense"),
                            ("echo '{\"devices\":7}'; exit 0", "makes no sense"),
                            ("exit 0", "makes no sense"),
                            ("exec yes", "failed (exit status 1)")):
            with self.subTest(text):
                service = self.start(worker=self.script(text))
                self.wait_for_words(service, words)
                self.assertEqual(self.gpus(service), {})
                self.assertEqual(service.stop(), 0)
                service.log.unlink()

    def test_survey_that_cannot_begin__begins_later(self):
        path = self.folder / "worker"
        service = self.start({"survey_wait": "0s", "survey_again": "100ms"}, path)
        self.wait_for_words(service, f"cannot start '{path}'")
        path.symlink_to(harness.WORKER)
        self.wait_for_gpu(service)

    def test_first_job__waits_for_the_survey(self):
        gate = self.folder / "gate"
        worker = self.script(f'while [ ! -e "{gate}" ]; do sleep 0.05; done')
        service = self.start({"survey_wait": "600s"}, worker)
        film = harness.film(seconds=1)
        id = service.submit(self.job(film, "out.mp4"))
        with service.connect() as v:
            v.send("Plan", {"job": self.job(film, "plan.mp4")})
            self.assertEqual(service.state_of(id), "queued")
            self.assertEqual(service.call("Status")["parameters"]["jobs"]["queued"], 1)
            gate.touch()
            self.assertIn("plan", v.receive()["parameters"])
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_first_job__waits_no_longer_than_survey_wait(self):
        service = self.start({"survey_wait": "300ms"}, self.script("exec sleep 1000"))
        self.do_a_job(service)
        self.assertIn("not waiting for the survey", service.words())

    def test_shutdown__under_a_survey__answers_a_waiting_plan(self):
        service = self.start({"survey_wait": "600s"}, self.script("exec sleep 1000"))
        with service.connect() as v:
            v.send("Plan", {"job": self.job(harness.film(seconds=1), "plan.mp4")})
            service.call("Status")
            self.assertEqual(service.stop(), 0)
            self.assertEqual(v.receive()["error"], "io.transcoded.ShuttingDown")


if __name__ == "__main__":
    harness.main()
