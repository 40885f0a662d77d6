#!/usr/bin/env python3
"""Who gets what of a GPU, and what becomes of a job that it fails. Workers, the
survey and the watch are tests/fake/worker: they say what the test wants."""

import json
import os
import subprocess
import time
import unittest

import gpucase
import harness
from harness import wait_until

FAKE = harness.BUILD / "tests/fake/worker"
MIB = 1 << 20
# However slow the machine, a worker stalls only where a test is about that.
LIMITS = {"stall_timeout": "600s", "start_timeout": "600s", "stop_grace": "200ms", "tries": 1}
WHOLE, ON_CPU = "cuda:0 sessions=1 decode=1", "cpu sessions=0 decode=0"


class Lending(harness.TestCase):
    def start(self, gpu=None, devices=(gpucase.P1000,), socket_mode="0600", **limits):
        self.gpus = self.folder / "gpus"
        self.gpus.mkdir(exist_ok=True)
        self.survey(*devices)
        self.settings = {"worker": str(FAKE), "gpu": gpu or {}, "limits": {**LIMITS, **limits},
                         "socket_mode": socket_mode}
        service = self.service(self.settings, environment={"FAKE_GPU": str(self.gpus)})
        wait_until(lambda: len(self.devices(service)) >= len(devices), "the survey\n" + service.words())
        return service

    def replace(self, name, document):
        draft = self.gpus / (name + ".new")
        draft.write_text(json.dumps(document))
        draft.rename(self.gpus / name)

    def survey(self, *devices):
        self.replace("survey.json", {"libav": "fake", "nvenc_headers": "", "devices": list(devices),
                                     "problems": [] if devices else ["no card today"]})

    def watch(self, service, sessions=0, vram=0):
        """What others hold on the card, from now on; until the service knows."""
        used = vram * MIB
        stamp = getattr(self, "stamp", 0) + 1
        self.stamp = stamp
        self.replace("sample.json", {
            "uuid": gpucase.P1000["uuid"], "name": "Quadro P1000", "driver": "470.256.02", "time": stamp,
            "vram_total": 4096 * MIB, "vram_used": used, "vram_free": 4096 * MIB - used,
            "session_total": sessions,
            "sessions": [{"pid": 1, "codec": "h264", "width": 64, "height": 64, "fps": 25}] * sessions,
            "processes": [{"pid": 1, "vram": used, "name": "other"}]})
        wait_until(lambda: self.devices(service)["cuda:0"]["gpu"]["sampled"] == stamp, "the sample is there")

    def devices(self, service):
        return {d["id"]: d for d in service.call("Devices")["parameters"]["devices"] if d["id"] != "cpu"}

    def problems(self, service):
        return service.call("Status")["parameters"]["problems"]

    def script(self, words, output="out.mp4", **fields):
        return self.job("/fake/" + words, output, **fields)

    def go(self, name="go"):
        (self.gpus / name).touch()

    def submit(self, service, words, count=1, **fields):
        self.outputs = getattr(self, "outputs", 0)
        ids = []
        for _ in range(count):
            self.outputs += 1
            ids.append(service.submit(self.script(words, f"{self.outputs}.mp4", **fields)))
        return ids

    def ended(self, service, words, **fields):
        return service.wait_for(self.submit(service, words, **fields)[0])

    def running(self, service, ids, device):
        return [i for i in ids for s in [service.show(i)] if s["state"] == "running"
                and s["attempts"][-1]["device"] == device]

    def plans(self, shown):
        return [a["plan"][0] if a["plan"] else None for a in shown["attempts"]]

    def attached(self, service, words, **fields):
        with service.connect() as v:
            return [r["parameters"]["event"] for r in
                    v.stream("Submit", {"job": self.script(words, **fields)})]


class Wishes(Lending):
    def test_idle_card__each_wish__gets_what_it_wished(self):
        service = self.start()
        for hardware, plan in (("auto", WHOLE), ("prefer", WHOLE), ("require", WHOLE), ("none", "copy")):
            with self.subTest(hardware):
                shown = self.ended(service, "gpu+ready+done", hardware=hardware)
                self.assertEqual((shown["state"], self.plans(shown)), ("succeeded", [plan]), shown)
        shown = self.ended(service, "gpu+ready+done")
        given = shown["attempts"][0]["given"]
        self.assertEqual((given["device"], given["sessions"], given["decode"], given["vram"]),
                         ("cuda:0", 1, True, 320 * MIB))
        self.assertEqual((shown["attempts"][0]["why"], shown["attempts"][0]["fallback"]), ([], None))

    def test_two_cards__job_that_names_one__gets_no_other(self):
        second = {**gpucase.P1000, "id": "cuda:1", "uuid": "GPU-00000000-7667-7075-0000-000000000002"}
        service = self.start(devices=(gpucase.P1000, second), attempts=12)
        on_second = "cuda:1 sessions=1 decode=1"
        holders = self.submit(service, "gpu+ready+progress+until:go+done", 3, hardware="require", device="cuda:1")
        wait_until(lambda: len(self.running(service, holders, "cuda:1")) == 3, "three run on the second")
        shown = self.ended(service, "gpu+ready+done", device="cuda:1")
        self.assertEqual((self.plans(shown), shown["attempts"][0]["why"]),
                         ([ON_CPU], ["cuda:1 has no encoder session free"]))
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done", hardware="require")), [WHOLE])
        waiting = self.submit(service, "gpu+ready+done", hardware="require", device="cuda:1")[0]
        plan = service.call("Plan", {"job": self.script("gpu+ready+done", "p.mp4", hardware="require",
                                                        device="cuda:1")})["parameters"]
        self.assertEqual(plan["device"], "cuda:1", plan)
        self.go()
        self.assertEqual(self.plans(service.wait_for(waiting)), [on_second])

    def test_card_that_is_none__is_refused_with_those_there_are(self):
        second = {**gpucase.P1000, "id": "cuda:1", "uuid": "GPU-00000000-7667-7075-0000-000000000002"}
        service = self.start(devices=(gpucase.P1000, second))
        cases = ({"device": "cuda:2"}, "there is no 'cuda:2', but cuda:0, cuda:1"), \
                ({"device": "cpu"}, "is for GPUs; 'hardware': 'none' asks for the CPU"), \
                ({"device": "cuda:1", "hardware": "none"}, "contradicts 'hardware': 'none' uses no GPU")
        for fields, reason in cases:
            for method in "Plan", "Submit":
                with self.subTest(fields, method=method):
                    more = {"detach": True} if method == "Submit" else {}
                    reply = service.call(method, {"job": self.script("gpu+ready+done", **fields), **more})
                    self.assertEqual((reply["error"], reply["parameters"]),
                                     ("io.transcoded.InvalidJob", {"field": "device", "reason": reason}))

    def test_busy_card__each_wish__waits_goes_elsewhere_or_fails(self):
        service = self.start(prefer_wait="400ms", attempts=12, stall_timeout="20s")
        holders = self.submit(service, "gpu+ready+progress+until:go+done", 3, hardware="require")
        wait_until(lambda: len(self.running(service, holders, "cuda:0")) == 3, "three run there")
        shown = self.ended(service, "gpu+ready+done", hardware="auto")
        self.assertEqual(self.plans(shown), [ON_CPU], shown)
        self.assertEqual(shown["attempts"][0]["why"], ["cuda:0 has no encoder session free"])
        shown = self.ended(service, "gpu+ready+done", hardware="prefer")
        self.assertEqual(self.plans(shown), [ON_CPU])
        self.assertGreater(shown["ended"] - shown["created"], 400000)
        shown = self.ended(service, "gpu+ready+done", hardware="require", priority="realtime")
        self.assertEqual((shown["state"], shown["outcome"]), ("failed", "no_session"))
        self.assertEqual(shown["attempts"][0]["text"], "cuda:0 has no encoder session free")
        shown = self.ended(service, "gpu:4+ready+done", hardware="require")
        self.assertEqual((shown["state"], shown["outcome"]), ("failed", "no_session"))
        waiting = self.submit(service, "gpu+ready+done", hardware="require")[0]
        time.sleep(0.5)  # longer than any other wish would have waited
        self.assertEqual(service.state_of(waiting), "starting")
        plan = service.call("Plan", {"job": self.script("gpu+ready+done", "p.mp4", hardware="require")})
        self.assertEqual(plan["parameters"]["device"], "cuda:0", plan)
        self.assertIn("it would wait: cuda:0 has no encoder session free", plan["parameters"]["why"])
        self.go()
        self.assertEqual(self.plans(service.wait_for(waiting)), [WHOLE])

    def test_ladders__wait_for_all_or_take_what_is_free(self):
        service = self.start(attempts=12)
        holder = self.submit(service, "gpu+ready+progress+until:go+done", hardware="require")
        wait_until(lambda: self.running(service, holder, "cuda:0"), "one runs there")
        shown = self.ended(service, "gpu:3+ready+done", hardware="auto")
        self.assertEqual(self.plans(shown), ["cuda:0 sessions=2 decode=1"])
        self.assertEqual(shown["attempts"][0]["why"], ["cuda:0 grants 2 of 3 encoder sessions"])
        ladder = self.submit(service, "gpu:3+ready+done", hardware="require")[0]
        self.assertEqual(self.ended(service, "gpu+ready+done", hardware="require")["state"], "succeeded")
        self.assertEqual(service.state_of(ladder), "starting")  # it was overtaken
        self.go()
        self.assertEqual(self.plans(service.wait_for(ladder)), ["cuda:0 sessions=3 decode=1"])
        # more than there are: the CPU does the rest
        shown = self.ended(service, "gpu:5+ready+done", hardware="prefer")
        self.assertEqual(self.plans(shown), ["cuda:0 sessions=3 decode=1"])

    def test_many_jobs_that_need_the_cpu__do_not_keep_one_from_the_card(self):
        service = self.start(attempts=4, cpu_jobs=1, stall_timeout="20s")
        holder = self.submit(service, "encode+ready+until:go+done", hardware="none")
        service.wait_for(holder[0], "running")
        # the card encodes nothing of these, which shows when they are inspected
        many = self.submit(service, "encode+ready+done", 5) + self.submit(service, "encode+ready+done", 5, hardware="prefer")
        crash = self.submit(service, "gpu+ready+crash@1+output+done", 2)  # of a kind that fails there
        shown = self.ended(service, "gpu+ready+done")
        self.assertEqual(self.plans(shown), [WHOLE], shown)
        self.assertEqual(service.state_of(holder[0]), "running")
        self.go()
        for id in many:
            shown = service.wait_for(id)
            self.assertEqual((shown["state"], shown["attempts"][-1]["device"]), ("succeeded", "cpu"), shown)
            for a in shown["attempts"][:-1]:
                self.assertEqual((a["outcome"], a["text"]),
                                 ("interrupted", "it has to wait, and left its place to others"))
        for id in crash:
            shown = service.wait_for(id)
            self.assertEqual(shown["state"], "succeeded", shown)
            self.assertEqual(self.plans(shown)[0::len(shown["attempts"]) - 1], [WHOLE, ON_CPU], shown)

    def test_no_gpu__require__is_refused_with_the_reason(self):
        service = self.start(devices=())
        wait_until(lambda: self.problems(service) == ["no card today"], "the survey has ended")
        reply = service.call("Submit", {"job": self.script("gpu+ready+done", hardware="require"), "detach": True})
        self.assertEqual((reply["error"], reply["parameters"]["field"]), ("io.transcoded.InvalidJob", "hardware"))
        self.assertIn("no card today", reply["parameters"]["reason"])
        shown = self.ended(service, "encode+ready+done", hardware="prefer")
        self.assertEqual(shown["state"], "succeeded")

    def test_card_is_gone_for_good__who_requires_one_fails_with_the_reason(self):
        service = self.start()
        service.call("Drain")
        id = self.submit(service, "gpu+ready+done", hardware="require")[0]
        service.stop()
        self.survey()  # it was taken out
        service.start()
        shown = service.wait_for(id)
        self.assertEqual((shown["outcome"], shown["attempts"][0]["text"]), ("bad_request", "no card today"))

    def test_configured_sessions__bound_what_is_lent(self):
        for sessions, most in ((1, 1), (8, 3), ({gpucase.P1000["uuid"]: 2}, 2), (None, 3)):
            with self.subTest(sessions=sessions):
                service = self.start({"sessions": sessions}, attempts=12, prefer_wait="600s")
                ids = self.submit(service, "gpu+ready+progress+until:go+done", 5, hardware="prefer")
                wait_until(lambda: len(self.running(service, ids, "cuda:0")) == most, f"{most} run there")
                self.assertEqual(self.devices(service)["cuda:0"]["gpu"]["sessions"]["own"], most)
                self.go()
                for i in ids:
                    self.assertEqual(self.plans(service.wait_for(i)), [WHOLE])
                (self.gpus / "go").unlink()
                service.stop()

    def test_ten_more_jobs_than_sessions__each_session_is_always_used(self):
        service = self.start(prefer_wait="600s")
        ids = {self.submit(service, f"gpu+ready+progress+until:go{n}+done", hardware="prefer")[0]: f"go{n}"
               for n in range(13)}
        waiting = dict(ids)
        while waiting:
            busy = min(3, len(waiting))
            running = wait_until(
                lambda: (r := self.running(service, waiting, "cuda:0")) and len(r) == busy and r,
                f"{busy} of {len(waiting)} jobs have a session")
            self.go(waiting.pop(running[0]))
            self.assertEqual(service.wait_for(running[0])["state"], "succeeded")
        self.assertEqual({p for i in ids for p in self.plans(service.show(i))}, {WHOLE})


class Fallbacks(Lending):
    def test_failures_of_a_device__the_same_plan_without_what_failed(self):
        service = self.start()
        encode, decode = "cuda:0 sessions=0 decode=1", "cuda:0 sessions=1 decode=0"
        cases = [
            # what the attempts say, the wish, the plans, the end, the reason told
            ("say:device_lost:encode@1", "auto", [WHOLE, encode], "done", "cuda:0 encoding: it failed"),
            ("say:device_lost:decode@1", "auto", [WHOLE, decode], "done", "cuda:0 decoding: it failed"),
            ("say:no_memory:decode@1", "prefer", [WHOLE, WHOLE], "done", None),
            ("say:no_memory:device@1", "auto", [WHOLE, ON_CPU], "done", "cuda:0: its memory did not suffice"),
            ("say:no_session:encode@1", "prefer", [WHOLE, WHOLE], "done", None),
            ("say:no_session:encode@1", "require", [WHOLE, WHOLE], "done", None),
            ("say:no_session:encode@1", "auto", [WHOLE, encode], "done", "cuda:0 encoding: no encoder session was free"),
            ("crash@1", "auto", [WHOLE, ON_CPU], "done", "cuda:0: the worker crashed on it"),
            ("kill@1", "prefer", [WHOLE, ON_CPU], "done", "cuda:0: the worker was killed on it"),
            ("deaf@1", "auto", [WHOLE, ON_CPU], "done", "cuda:0: it hung"),
            ("say:device_lost:decode@1", "require", [WHOLE, decode], "done", "cuda:0 decoding: it failed"),
            ("say:device_lost:encode@1", "require", [WHOLE], "device_lost", None),
            # another may take it
            ("say:bad_input:decode@1", "auto", [WHOLE, decode], "done", "cuda:0 decoding: it does not take this"),
            ("say:bad_request:encode@1", "prefer", [WHOLE, encode], "done", "cuda:0 encoding: it does not take this"),
            ("say:bad_request:encode@1", "require", [WHOLE], "bad_request", None),
            ("crash@1", "require", [WHOLE], "crashed", None),
            # no fault of a device's
            ("say:bad_input@1", "auto", [WHOLE], "bad_input", None),
            ("say:bad_request@1", "auto", [WHOLE], "bad_request", None),
        ]
        for words, hardware, plans, outcome, reason in cases:
            with self.subTest(words, hardware=hardware):
                self.mend(service, **({"stall_timeout": "1s"} if words == "deaf@1" else {}))
                shown = self.ended(service, f"gpu+ready+{words}+progress+output+done", hardware=hardware)
                self.assertEqual((self.plans(shown), shown["outcome"]), (plans, outcome), shown)
                self.assertEqual(shown["attempts"][-1]["fallback"], reason)
                if reason:
                    self.assertIn("after", service.ctl("show", shown["id"]).stdout)

    def mend(self, service, **limits):
        """A device without a past: what a case taught is not for the next."""
        service.stop()
        service.configure({**self.settings, "limits": {**self.settings["limits"], **limits}})
        service.start()
        wait_until(lambda: self.devices(service), "the survey")

    def test_one_part_after_the_other__at_last_all_cpu(self):
        service = self.start()
        shown = self.ended(service, "gpu+ready+say:device_lost:encode@1+say:no_memory:decode@2+output+done")
        self.assertEqual((self.plans(shown), shown["state"]),
                         ([WHOLE, "cuda:0 sessions=0 decode=1", ON_CPU], "succeeded"))
        self.assertEqual((self.out / "1.mp4").read_text(), "fake")
        self.assertEqual(self.left(), ["1.mp4"])

    def test_client__is_told_a_fallback_and_nothing_of_drivers(self):
        service = self.start()
        events = self.attached(service, "gpu+ready+progress+log@1+say:device_lost:encode@1+progress+output+done")
        kinds = [e["event"] for e in events]
        self.assertEqual(events[-1]["outcome"], "done")
        told = next(e for e in events if e["event"] == "fallback")
        self.assertEqual((told["from"], told["to"], told["reason"], told["attempt"]),
                         ("cuda:0", "cuda:0", "cuda:0 encoding: it failed", 2))
        self.assertNotIn("log", kinds)
        self.assertNotIn("queued", [e.get("state") for e in events[1:]])
        self.assertNotIn("by script", json.dumps(events[:-1]))
        ready = [e for e in events if e["event"] == "ready"][-1]
        self.assertEqual(ready["why"], ["a part of cuda:0 failed this job before"])

    def test_client__one_fallback_and_a_wait__is_told_of_one(self):
        service = self.start()
        words = "gpu+ready+say:device_lost:decode@1+say:no_memory:device@2+progress+output+done"
        events = self.attached(service, words, hardware="prefer")
        told = [(e["attempt"], e["reason"]) for e in events if e["event"] == "fallback"]
        self.assertEqual((events[-1]["outcome"], events[-1]["attempt"]), ("done", 3))
        self.assertEqual(told, [(2, "cuda:0 decoding: it failed")])

    def test_growing_output__ends_and_says_how_far_it_is_whole(self):
        service = self.start()
        events = self.attached(service, "gpu+ready+progress+say:device_lost:device", delivery="growing")
        self.assertEqual(events[-1]["outcome"], "device_lost")
        self.assertEqual(events[-1]["text"], "cuda:0: it failed; the output is whole up to 0.0 s")

    def test_growing_output__starts_again_while_nobody_can_have_read_of_it(self):
        service = self.start()
        cases = [
            # what the first attempt does, and how often there is one
            ("say:device_lost:device@1", 2),    # it says that it wrote nothing
            ("say:device_lost:device:7@1", 1),  # seven bytes
            ("crash@1", 1),                     # it does not say
        ]
        for words, attempts in cases:
            with self.subTest(words):
                self.mend(service)
                events = self.attached(service, f"gpu+ready+{words}+progress+output+done", delivery="growing")
                self.assertEqual(events[-1]["attempt"], attempts, events)
                self.assertEqual(events[-1]["outcome"] == "done", attempts == 2, events)

    def test_job_that_a_device_fails__our_words_for_its_owner_the_drivers_in_the_log(self):
        service = self.start()
        for words, text in (("no_memory:decode", "cuda:0 decoding: its memory did not suffice"),
                            ("no_session:encode", "cuda:0 encoding: no encoder session was free"),
                            ("device_lost:encode", "cuda:0 encoding: it failed")):
            with self.subTest(words):
                self.mend(service)
                events = self.attached(service, f"gpu+ready+log+say:{words}", hardware="require")
                self.assertEqual((events[-1]["event"], events[-1]["text"]), ("outcome", text))
                self.assertNotIn("by script", json.dumps(events))
                last = service.show(events[-1]["job"])["attempts"][-1]
                self.assertEqual((last["text"], last["log"][-1]), (text, "by script"))
                self.assertIn("by script", service.words())

    def test_cancel_and_pause__while_it_falls_back__are_heard(self):
        service = self.start()
        id = self.submit(service, "gpu+ready+say:device_lost:device@1+until:go+done")[0]
        wait_until(lambda: len(service.show(id)["attempts"]) == 2, "the second attempt")
        service.wait_for(id, "starting", "running")
        self.assertNotIn("error", service.call("Cancel", {"id": id}))
        self.assertEqual(service.wait_for(id)["state"], "cancelled")


class Quarantine(Lending):
    def test_lost_device__cpu_serves_until_a_survey_finds_it_well(self):
        service = self.start()
        lost = [self.submit(service, "gpu+ready+until:lose+say:device_lost:device@1+output+done")[0] for _ in range(3)]
        wait_until(lambda: len(self.running(service, lost, "cuda:0")) == 3, "three run there")
        self.survey()  # it is off the bus
        self.go("hold")  # which nobody finds out before we looked
        self.go("lose")
        for i in lost:
            self.assertEqual(self.plans(service.wait_for(i)), [WHOLE, ON_CPU])
        self.assertEqual(service.words().count("cuda:0 is in quarantine"), 1, service.words())
        self.assertIn("in quarantine: by script", self.devices(service)["cuda:0"]["health"])
        self.assertTrue(any("cuda:0 in quarantine" in p for p in self.problems(service)), self.problems(service))
        self.assertIn("in quarantine", service.ctl("status").stdout)
        shown = self.ended(service, "gpu+ready+done", hardware="prefer")
        self.assertEqual(shown["attempts"][0]["device"], "cpu")
        waiting = self.submit(service, "gpu+ready+done", hardware="require")[0]
        (self.gpus / "hold").unlink()
        # the first survey comes in vain, and pauses grow
        wait_until(lambda: "no card today" in self.problems(service), "a survey")
        self.assertEqual(service.state_of(waiting), "queued")
        self.survey(gpucase.P1000)
        wait_until(lambda: self.devices(service)["cuda:0"]["health"] == "ok", "it is well again")
        self.assertEqual(self.plans(service.wait_for(waiting)), [WHOLE])
        self.assertEqual(self.problems(service), [])

    @unittest.skipIf(os.geteuid(), "another user needs root")
    def test_lost_device__strangers__hear_nothing_of_what_its_worker_said(self):
        service = self.start(socket_mode="0666")
        self.go("hold")
        self.ended(service, "gpu+ready+say:device_lost:device@1+done")
        program = harness.for_everybody(harness.TRANSCODECTL, self.folder)
        service.folder.chmod(0o755)

        def ask(method):
            return subprocess.run([program, "--socket", service.socket, "--json", method], user=65534, group=65534,
                                  extra_groups=[], cwd="/", capture_output=True, text=True, check=True).stdout
        for method, words in ("devices", '"in quarantine: it failed"'), ("status", '"cuda:0 in quarantine: it failed"'):
            said = ask(method)
            self.assertIn(words, said)
            self.assertNotIn("by script", said)  # which may quote its job
            self.assertIn("by script", service.ctl(method).stdout)

    def test_lost_encoder__its_decoder_serves_on(self):
        service = self.start()
        self.go("hold")  # no survey ends its quarantine before we looked
        for _ in range(2):
            self.ended(service, "gpu+ready+say:device_lost:encode@1+done")
        self.assertIn("encoder in quarantine", self.devices(service)["cuda:0"]["health"])
        shown = self.ended(service, "gpu+ready+done", hardware="prefer")
        self.assertEqual(self.plans(shown), ["cuda:0 sessions=0 decode=1"])
        (self.gpus / "hold").unlink()
        wait_until(lambda: self.devices(service)["cuda:0"]["health"] == "ok", "it is well again")
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done")), [WHOLE])

    def test_many_for_a_lost_card__do_not_keep_others_from_the_one_that_is_well(self):
        second = {**gpucase.P1000, "id": "cuda:1", "uuid": "GPU-00000000-7667-7075-0000-000000000002"}
        service = self.start(devices=(gpucase.P1000, second), attempts=4)
        self.go("hold")  # no survey ends its quarantine before we looked
        on_second = {"hardware": "require", "device": "cuda:1"}
        self.assertEqual(self.ended(service, "gpu+ready+say:device_lost:device@1+done", **on_second)["state"], "failed")
        self.assertIn("in quarantine", self.devices(service)["cuda:1"]["health"])
        many = self.submit(service, "gpu+ready+done", 12, **on_second)
        for fields in {"hardware": "require"}, {"hardware": "require", "device": "cuda:0"}, {}:
            self.assertEqual(self.plans(self.ended(service, "gpu+ready+done", **fields)), [WHOLE])
        self.assertEqual({service.state_of(i) for i in many} - {"queued", "starting"}, set())
        (self.gpus / "hold").unlink()
        for i in many:
            shown = service.wait_for(i)
            self.assertEqual((shown["state"], shown["attempts"][-1]["device"]), ("succeeded", "cuda:1"), shown)

    def test_jobs_that_it_does_not_take__are_no_failures_of_it(self):
        service = self.start()
        for words in ("say:bad_request:encode@1", "say:bad_input:decode@1", "say:bad_input:device@1"):
            for _ in range(4):
                shown = self.ended(service, f"gpu+ready+{words}+done")
                self.assertEqual((shown["state"], self.plans(shown)[0]), ("succeeded", WHOLE), shown)
        self.assertEqual(self.devices(service)["cuda:0"]["health"], "ok")


class Neighbours(Lending):
    def test_foreign_sessions__come_and_go(self):
        service = self.start()
        self.watch(service, sessions=2)
        ids = self.submit(service, "gpu+ready+progress+until:go+done", 3, hardware="require")
        wait_until(lambda: self.running(service, ids, "cuda:0"), "one runs there")
        sessions = self.devices(service)["cuda:0"]["gpu"]["sessions"]
        self.assertEqual(sessions, {"own": 1, "foreign": 2, "limit": 3})
        self.assertEqual(len(self.running(service, ids, "cuda:0")), 1)
        self.watch(service, sessions=1)
        wait_until(lambda: len(self.running(service, ids, "cuda:0")) == 2, "a second one")
        self.watch(service, sessions=0)
        wait_until(lambda: len(self.running(service, ids, "cuda:0")) == 3, "all of them")
        self.go()
        for i in ids:
            self.assertEqual(self.plans(service.wait_for(i)), [WHOLE])

    def test_refused_session__teaches_the_limit(self):
        service = self.start({"sessions": 3})
        holder = self.submit(service, "gpu+ready+progress+until:go+done", hardware="require")
        wait_until(lambda: self.running(service, holder, "cuda:0"), "one runs there")
        second = self.submit(service, "gpu+ready+say:no_session:encode@1+done", hardware="require")[0]
        wait_until(lambda: self.devices(service)["cuda:0"]["gpu"]["sessions"]["limit"] == 1, "it was learned")
        wait_until(lambda: len(service.show(second)["attempts"]) == 2, "it is tried again")
        self.assertEqual(service.state_of(second), "starting")  # it waits for the one that there is
        self.go()
        self.assertEqual(self.plans(service.wait_for(second)), [WHOLE, WHOLE])

    def test_immich_and_ollama__take_memory_and_give_it_back(self):
        service = self.start()
        self.watch(service, vram=0)
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done")), [WHOLE])
        self.watch(service, vram=2048)  # a model of Immich's
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done")), [WHOLE])
        self.watch(service, vram=3686)  # Ollama
        shown = self.ended(service, "gpu+ready+done")
        self.assertEqual(self.plans(shown), [ON_CPU])
        self.assertEqual(shown["attempts"][0]["why"], ["cuda:0 has not enough of its memory free"])
        waiting = self.submit(service, "gpu+ready+done", hardware="require")[0]
        service.wait_for(waiting, "starting")
        self.watch(service, vram=100)
        self.assertEqual(self.plans(service.wait_for(waiting)), [WHOLE])
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done")), [WHOLE])

    def test_reserve__is_kept_for_neighbours(self):
        service = self.start({"vram_reserve": "3900M"})
        self.assertEqual(self.plans(self.ended(service, "gpu+ready+done")), [ON_CPU])


if __name__ == "__main__":
    harness.main()
