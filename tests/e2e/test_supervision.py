#!/usr/bin/env python3
"""The service against workers that behave in every way they should not.

The worker is tests/fake/worker: it does what the name of its input says.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time

import harness
from harness import wait_until

FAKE = harness.BUILD / "tests/fake/worker"
# However slow the machine, a worker stalls only where a test is about that.
LIMITS = {"stall_timeout": "600s", "start_timeout": "600s", "stop_grace": "200ms", "tries": 2}
SILENCE = {"stall_timeout": "1s", "start_timeout": "1s"}


class Scripted(harness.TestCase):
    def start(self, **limits):
        # where the workers look for files
        return self.service({"worker": str(FAKE), "limits": {**LIMITS, **limits}},
                            environment={"FAKE_GPU": str(self.folder)})

    def go(self):
        """For workers that wait until:go."""
        (self.folder / "go").touch()

    def send(self, service, v, method, parameters):
        """A call whose reply will take a while, until the service has heard it."""
        v.call("Status")  # it knows the connection
        v.send(method, parameters)
        service.call("Status")  # came later

    def script(self, words, output="out.mp4", **fields):
        return self.job("/fake/" + words, output, **fields)

    def ended(self, service, words, **fields):
        """What Show says when a job with this script has ended."""
        return service.wait_for(service.submit(self.script(words, **fields)))

    def attached(self, service, words, **fields):
        with service.connect() as v:
            return [r["parameters"]["event"] for r in
                    v.stream("Submit", {"job": self.script(words, **fields)})]

    def fakes(self, service):
        return [p for p, line in service.children().items()
                if "tests/fake/worker" in line and "--survey" not in line]


class Supervision(Scripted):
    def test_worker__ends_as_it_must(self):
        self.check_ends(self.start(), [
            # script, outcome, attempts, words in its text
            ("need+ready+done", "done", 1, "by script"),
            ("need+ready+say:bad_input", "bad_input", 1, "by script"),
            ("say:bad_request", "bad_request", 1, "by script"),
            ("need+ready+say:output_failed", "output_failed", None, "by script"),
            ("need+ready+crash", "crashed", 2, "Segmentation fault"),
            ("need+ready+kill", "killed", 2, "out of memory"),
            ("need+ready+exit:3", "crashed", 2, "exit status 3"),
            ("need+ready+mute", "crashed", 2, "without an outcome"),
            ("crash", "crashed", 2, "Segmentation fault"),
            ("need+ready+babble", "crashed", 2, "babbles"),
            ("need+ready+junk+wait", "crashed", 2, "JSON"),
            ("need+ready+huge", "crashed", 2, "broke the protocol"),
            ("need+ready+hangup", "crashed", 2, "broke the protocol"),
            ("lie+wait", "crashed", 2, "'outcome' at the wrong time"),
            ("ready+wait", "crashed", 2, "'ready' at the wrong time"),
            ("need+ready+need+wait", "crashed", 2, "'need' at the wrong time"),
            ("need+ready+released+wait", "crashed", 2, "'released' at the wrong time"),
            ("need+ready+done+released+deaf", "done", 1, "by script"),
            ("need+ready+say:stalled", "crashed", 2, ""),
            ("need+ready+say:cancelled", "crashed", 2, ""),
            ("need+ready+crash@1+done", "done", 2, "by script"),
            ("need+ready+noise+done", "done", 1, "by script"),
        ])

    def test_silent_worker__stalls(self):
        self.check_ends(self.start(**SILENCE), [
            ("need+ready+wait", "stalled", 2, "said nothing"),
            ("wait", "stalled", 2, "said nothing"),
            ("need+ready+deaf", "stalled", 2, "said nothing"),
        ])

    def check_ends(self, service, cases):
        ids = [service.submit(self.script(c[0], f"{i}.mp4")) for i, c in enumerate(cases)]
        for id, (script, outcome, attempts, words) in zip(ids, cases):
            with self.subTest(script):
                shown = service.wait_for(id)
                last = shown["attempts"][-1]
                self.assertEqual((last["outcome"], shown["outcome"]), (outcome, outcome), shown)
                self.assertIn(words, last["text"])
                self.assertEqual(shown["state"], "succeeded" if outcome == "done" else "failed")
                if attempts:
                    self.assertEqual(len(shown["attempts"]), attempts, shown)
        wait_until(lambda: len(self.fakes(service)) <= 1, "only the warm worker is left")

    def test_noise__keeps_last_lines(self):
        service = self.start(log_lines=3)
        shown = self.ended(service, "need+ready+noise+crash@1+done")
        self.assertEqual(shown["attempts"][0]["log"],
                         [f"line {n} of noise" for n in (19997, 19998, 19999)])

    def test_attached__events_in_order_outcome_last(self):
        service = self.start()
        events = self.attached(service, "need+ready+progress+log+done")
        self.assertEqual([e["event"] for e in events],
                         ["state", "state", "state", "ready", "progress", "log", "state", "outcome"])
        self.assertEqual([e["state"] for e in events if e["event"] == "state"],
                         ["queued", "starting", "running", "succeeded"])
        self.assertEqual({e["job"] for e in events}, {1})
        self.assertTrue(all(e["time"] > 0 for e in events))

    def test_attached__second_try__is_told(self):
        service = self.start()
        events = self.attached(service, "need+ready+crash@1+need+ready+done")
        (text,) = [e["text"] for e in events if e["event"] == "log"]
        self.assertIn("attempt 1 crashed", text)
        self.assertIn("trying again", text)

    def test_attached__without_more__is_an_error(self):
        service = self.start()
        reply = service.call("Submit", {"job": self.script("need+ready+done")})
        self.assertEqual(reply["error"], "org.varlink.service.ExpectedMore")

    def test_hang_up__kills_at_once(self):
        service = self.start(stop_grace="60s")  # a rung of the ladder takes as long as our patience
        v = service.connect()
        v.send("Submit", {"job": self.script("need+ready+deaf")}, more=True)
        reply = v.receive()
        while reply["parameters"]["event"].get("state") != "running":
            reply = v.receive()
        v.close()
        wait_until(lambda: service.state_of(1) == "cancelled", "the job is cancelled")
        wait_until(lambda: len(self.fakes(service)) <= 1, "its worker is gone")

    def test_hang_up__of_queued_attached_job__cancels_it(self):
        service = self.start()
        service.call("Drain")
        v = service.connect()
        v.send("Submit", {"job": self.script("need+ready+done")}, more=True)
        self.assertEqual(v.receive()["parameters"]["id"], 1)
        v.close()
        wait_until(lambda: service.state_of(1) == "cancelled", "the job is cancelled")
        self.assertEqual(service.show(1)["attempts"], [])

    def test_detach_with_more__outlives_its_client(self):
        service = self.start()
        v = service.connect()
        v.send("Submit", {"job": self.script("need+ready+until:go+done"), "detach": True}, more=True)
        self.assertEqual(v.receive()["parameters"]["id"], 1)
        v.close()
        self.go()
        self.assertEqual(service.wait_for(1)["state"], "succeeded")

    def test_output__by_the_files_program(self):
        service = self.start()
        self.assertEqual(self.ended(service, "need+ready+output+done")["state"], "succeeded")
        self.assertEqual((self.out / "out.mp4").read_text(), "fake")
        self.assertEqual(self.left(), ["out.mp4"])

    def test_daemon_killed__after_the_output_has_its_name__it_is_the_jobs_own(self):
        service = self.start()
        id = service.submit(self.script("need+ready+output+deaf@1+done"))
        wait_until(lambda: (self.out / "out.mp4").exists(), "the output has its name")
        service.kill()
        service.start()
        shown = service.wait_for(id)
        self.assertEqual((shown["outcome"], len(shown["attempts"])), ("done", 2), shown)
        self.assertEqual(self.left(), ["out.mp4"])

    def test_output__committed_and_killed_before_the_outcome__is_not_in_the_way(self):
        service = self.start()
        shown = self.ended(service, "need+ready+output+kill@1+done")
        self.assertEqual(shown["state"], "succeeded", shown)
        self.assertEqual(len(shown["attempts"]), 2)
        self.assertEqual(self.left(), ["out.mp4"])

    def test_cancel__in_every_state(self):
        service = self.start()
        cases = [("need+ready+wait", "running"), ("need+ready+deaf", "running"),
                 ("wait", "starting"), ("deaf", "starting"), ("encode+wait", "starting")]
        for script, state in cases:
            with self.subTest(script):
                id = service.submit(self.script(script, f"{script}.mp4"))
                service.wait_for(id, state)
                self.assertEqual(service.call("Cancel", {"id": id}), {"parameters": {}})
                shown = service.show(id)
                self.assertEqual((shown["state"], shown["outcome"]), ("cancelled", "cancelled"))
                reply = service.call("Cancel", {"id": id})
                self.assertEqual(reply["error"], "io.transcoded.WrongState")
                self.assertEqual(reply["parameters"]["state"], "cancelled")
        service.call("Drain")
        id = service.submit(self.script("need"))
        self.assertEqual(service.call("Cancel", {"id": id}), {"parameters": {}})
        self.assertEqual(service.show(id)["state"], "cancelled")

    def test_cancel__that_comes_too_late__says_so(self):
        service = self.start(stop_grace="60s")
        # it does not read orders while it waits for us, and is done after that
        id = service.submit(self.script("need+ready+until:go+done"))
        service.wait_for(id, "running")
        with service.connect() as v:
            self.send(service, v, "Cancel", {"id": id})
            self.go()
            reply = v.receive()
        self.assertEqual(reply.get("error"), "io.transcoded.WrongState", service.show(id))
        self.assertEqual(reply["parameters"]["state"], "succeeded")

    def test_unknown_job__NoSuchJob(self):
        service = self.start()
        for method in ("Show", "Cancel", "Pause", "Resume", "Retry"):
            reply = service.call(method, {"id": 4711})
            self.assertEqual((reply["error"], reply["parameters"]),
                             ("io.transcoded.NoSuchJob", {"id": 4711}), method)
        with service.connect() as v:
            self.assertEqual([r["error"] for r in v.stream("Follow", {"id": 4711})],
                             ["io.transcoded.NoSuchJob"])

    def test_cancel__that_crosses_with_ready__what_is_done_is_done(self):
        service = self.start(stop_grace="60s")
        with service.connect() as v, service.connect() as other:
            # it is granted its job, does not read for a while, and is done
            script = self.script("need+log+until:go+output+ready+done")
            replies = v.stream("Submit", {"job": script, "detach": True})
            while next(replies)["parameters"]["event"]["event"] != "log":
                pass
            self.send(service, other, "Cancel", {"id": 1})
            self.go()
            reply = other.receive()
        self.assertEqual(reply.get("error"), "io.transcoded.WrongState", service.show(1))
        self.assertEqual(service.state_of(1), "succeeded")
        self.assertEqual(self.left(), ["out.mp4"])

    def test_pause_and_resume__of_a_running_job(self):
        service = self.start(stall_timeout="2s")
        id = service.submit(self.script("need+ready+work"))
        service.wait_for(id, "running")
        self.assertEqual(service.call("Pause", {"id": id}), {"parameters": {}})
        self.assertEqual(service.state_of(id), "paused")
        time.sleep(2.3)  # the requirement: a paused worker may be silent
        self.assertEqual(service.state_of(id), "paused")
        self.assertEqual(service.call("Pause", {"id": id})["error"], "io.transcoded.WrongState")
        self.assertEqual(service.call("Resume", {"id": id}), {"parameters": {}})
        self.assertEqual(service.state_of(id), "running")
        self.assertEqual(service.call("Resume", {"id": id})["error"], "io.transcoded.WrongState")
        service.call("Cancel", {"id": id})

    def test_pause_and_resume__of_a_queued_job(self):
        service = self.start()
        service.call("Drain")
        id = service.submit(self.script("need+ready+done"))
        self.assertEqual(service.call("Pause", {"id": id}), {"parameters": {}})
        service.call("Undrain")
        other = service.submit(self.script("need+ready+done", "other.mp4"))
        service.wait_for(other)
        self.assertEqual(service.state_of(id), "queued")
        self.assertEqual(service.call("Resume", {"id": id}), {"parameters": {}})
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_pause__of_a_starting_job__holds_it(self):
        service = self.start()
        id = service.submit(self.script("log+wait@1+need+ready+done"))
        service.wait_for(id, "starting")
        self.assertEqual(service.call("Pause", {"id": id}), {"parameters": {}})
        self.assertEqual(service.state_of(id), "queued")
        self.assertEqual(service.call("Resume", {"id": id}), {"parameters": {}})
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_retry__same_id_attempts_from_the_start(self):
        service = self.start()
        id = service.submit(self.script("need+ready+say:bad_input@1+done"))
        self.assertEqual(service.wait_for(id)["state"], "failed")
        self.assertEqual(service.call("Retry", {"id": id}), {"parameters": {}})
        shown = service.wait_for(id)
        self.assertEqual((shown["state"], len(shown["attempts"])), ("failed", 1))
        done = service.submit(self.script("need+ready+wait", "b.mp4"))
        self.assertEqual(service.call("Retry", {"id": done})["error"], "io.transcoded.WrongState")
        service.call("Cancel", {"id": done})

    def test_retry__of_a_job_that_crashed_too_often__has_all_its_tries_again(self):
        service = self.start()
        id = service.submit(self.script("need+ready+crash"))
        self.assertEqual(len(service.wait_for(id)["attempts"]), 2)
        self.assertEqual(service.call("Retry", {"id": id}), {"parameters": {}})
        self.assertEqual(len(service.wait_for(id)["attempts"]), 2)

    def test_retry__above_the_cap_of_jobs__gets_TooMany(self):
        service = self.start(jobs_per_uid=1)
        id = service.submit(self.script("say:bad_input"))
        service.wait_for(id)
        service.call("Drain")
        service.submit(self.script("need", "b.mp4"))
        reply = service.call("Retry", {"id": id})
        self.assertEqual((reply["error"], reply["parameters"]), ("io.transcoded.TooMany", {"limit": 1}))
        self.assertEqual(service.state_of(id), "failed")

    def test_follow__from_the_present_state_to_the_outcome(self):
        service = self.start()
        id = service.submit(self.script("need+ready+until:go+progress+done"))
        service.wait_for(id, "running")
        with service.connect() as v:
            replies = v.stream("Follow", {"id": id})
            events = [next(replies)["parameters"]["event"]]
            self.go()
            events += [r["parameters"]["event"] for r in replies]
        self.assertEqual([e["event"] for e in events], ["state", "progress", "state", "outcome"])
        self.assertEqual(events[0]["state"], "running")
        with service.connect() as v:
            again = [r["parameters"]["event"] for r in v.stream("Follow", {"id": id})]
        self.assertEqual([e["event"] for e in again], ["state", "outcome"])
        self.assertEqual(again[-1], events[-1])

    def test_follow_all__tells_of_every_job(self):
        service = self.start()
        with service.connect() as v:
            v.send("Follow", more=True)
            ids = [service.submit(self.script("need+ready+done", f"{i}.mp4")) for i in range(3)]
            ends = set()
            while ends != set(ids):
                event = v.receive()["parameters"]["event"]
                if event["event"] == "outcome":
                    ends.add(event["job"])

    def test_follow__without_more__is_an_error(self):
        service = self.start()
        self.assertEqual(service.call("Follow")["error"], "org.varlink.service.ExpectedMore")

    def test_key__again__starts_nothing(self):
        service = self.start()
        job = self.script("need+ready+done", key="k1")
        id = service.submit(job)
        self.assertEqual(service.submit(job), id)
        service.wait_for(id)
        self.assertEqual(service.submit(job), id)
        self.assertEqual(len(service.call("List")["parameters"]["jobs"]), 1)
        reply = service.call("Submit", {"job": self.script("need+done", key="k1"), "detach": True})
        self.assertEqual(reply["error"], "io.transcoded.InvalidJob")
        self.assertEqual(reply["parameters"]["field"], "key")

    def test_key__again_while_it_runs__starts_nothing(self):
        service = self.start()
        job = self.script("need+ready+wait", key="k1")
        id = service.submit(job)
        service.wait_for(id, "running")
        self.assertEqual(service.submit(job), id)
        reply = service.call("Submit", {"job": self.script("need", key="k1"), "detach": True})
        self.assertEqual(reply["parameters"]["field"], "key")
        service.call("Cancel", {"id": id})

    def test_submit__what_attached_and_detached_jobs_may_not_have(self):
        service = self.start()
        with service.connect() as v:
            v.send("Submit", {"job": self.script("need", key="k1")}, more=True)
            self.assertEqual(v.receive()["parameters"]["field"], "key")
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with near, far, service.connect() as v:
            v.send("Submit", {"job": self.script("need"), "detach": True}, fds=[far.fileno()])
            self.assertIn("channel", v.receive()["parameters"]["reason"])
        self.assertEqual(service.call("List")["parameters"]["jobs"], [])

    def test_output_path__of_a_running_job__is_refused(self):
        service = self.start()
        id = service.submit(self.script("need+ready+wait"))
        service.wait_for(id, "running")
        reply = service.call("Submit", {"job": self.script("need+ready+done"), "detach": True})
        self.assertEqual(reply["error"], "io.transcoded.InvalidJob")
        self.assertEqual(reply["parameters"]["field"], "outputs[0].path")
        service.call("Cancel", {"id": id})
        self.assertEqual(self.ended(service, "need+ready+done")["state"], "succeeded")

    def test_output_path__of_ones_own_job_that_lost_its_client__is_free(self):
        service = self.start(stop_grace="10s")
        v = service.connect()
        v.send("Submit", {"job": self.script("need+ready+wait")}, more=True)
        service.wait_for(v.receive()["parameters"]["id"], "running")
        wait_until(lambda: len(self.fakes(service)) == 2, "another one stands ready")
        (opener,) = [p for p, line in service.children().items() if "transcoded-files" in line]
        os.kill(opener, signal.SIGSTOP)  # so that it stays between running and ended
        v.close()
        wait_until(lambda: len(self.fakes(service)) == 1, "only the warm worker is left")
        reply = service.call("Submit", {"job": self.script("need+ready+output+done"), "detach": True})
        self.assertEqual(service.state_of(1), "running")
        os.kill(opener, signal.SIGCONT)
        self.assertNotIn("error", reply)
        self.assertEqual(service.wait_for(reply["parameters"]["id"])["state"], "succeeded")
        self.assertEqual(service.wait_for(1)["state"], "cancelled")
        self.assertEqual(self.left(), ["out.mp4"])

    def test_slots__bound_encoders_but_not_copies(self):
        service = self.start(cpu_jobs=2)
        encoders = [service.submit(self.script("encode+ready+wait", f"{i}.mp4")) for i in range(2)]
        for id in encoders:
            service.wait_for(id, "running")
        third = service.submit(self.script("encode+ready+done", "third.mp4"))
        service.wait_for(third, "starting")
        copy = service.submit(self.script("need+ready+done", "copy.mp4"))
        self.assertEqual(service.wait_for(copy)["state"], "succeeded")
        self.assertEqual(service.state_of(third), "starting")
        service.call("Cancel", {"id": encoders[0]})
        self.assertEqual(service.wait_for(third)["state"], "succeeded")
        service.call("Cancel", {"id": encoders[1]})

    def test_waiting__no_more_inspected_jobs_than_slots(self):
        service = self.start(cpu_jobs=1)
        running = service.submit(self.script("encode+ready+wait", "r.mp4"))
        service.wait_for(running, "running")
        ids = [service.submit(self.script("encode+ready+done", f"{i}.mp4")) for i in range(4)]
        service.wait_for(ids[0], "starting")
        self.assertEqual([service.state_of(i) for i in ids[1:]], ["queued"] * 3)
        service.call("Cancel", {"id": running})
        for id in ids:
            self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_classes__realtime_first_batch_last(self):
        service = self.start(cpu_jobs=1)
        service.call("Drain")
        priorities = ("batch", "normal", "realtime")
        ids = {p: service.submit(self.script("encode+ready+done", p + ".mp4", priority=p))
               for p in priorities}
        service.call("Undrain")
        began = {p: service.wait_for(id)["attempts"][0]["started"] for p, id in ids.items()}
        self.assertLess(began["realtime"], began["normal"])
        self.assertLess(began["normal"], began["batch"])

    def test_realtime__above_the_cap__gets_TooMany(self):
        service = self.start(attempts=1)
        id = service.submit(self.script("need+ready+wait"))
        service.wait_for(id, "running")
        job = self.script("need+ready+done", "b.mp4", priority="realtime")
        reply = service.call("Submit", {"job": job, "detach": True})
        self.assertEqual((reply["error"], reply["parameters"]),
                         ("io.transcoded.TooMany", {"limit": 1}))
        waits = service.submit(self.script("need+ready+done", "c.mp4"))
        self.assertEqual(service.state_of(waits), "queued")
        service.call("Cancel", {"id": id})
        self.assertEqual(service.wait_for(waits)["state"], "succeeded")

    def test_batch__is_nice(self):
        service = self.start()
        id = service.submit(self.script("need+ready+wait", priority="batch"))
        service.wait_for(id, "running")
        niceness = [int((harness.pathlib.Path("/proc") / str(pid) / "stat").read_text()
                        .rsplit(")", 1)[1].split()[16]) for pid in self.fakes(service)]
        self.assertIn(10, niceness)
        service.call("Cancel", {"id": id})

    def test_timeout__ends_the_job(self):
        service = self.start()
        shown = self.ended(service, "need+ready+wait", timeout=0.3)
        self.assertEqual((shown["outcome"], len(shown["attempts"])), ("timed_out", 1))

    def test_timeout__stands_still_while_paused(self):
        service = self.start()
        id = service.submit(self.script("need+ready+wait", timeout=2))
        service.wait_for(id, "running")
        self.assertEqual(service.call("Pause", {"id": id}), {"parameters": {}})
        time.sleep(2.3)  # the requirement: longer than its time limit
        self.assertEqual(service.state_of(id), "paused")
        self.assertEqual(service.call("Resume", {"id": id}), {"parameters": {}})
        self.assertEqual(service.wait_for(id)["outcome"], "timed_out")

    def test_growing_output__that_may_have_been_read__is_not_begun_anew(self):
        service = self.start()
        events = self.attached(service, "need+ready+crash@1+done", delivery="growing")
        self.assertEqual(events[-1]["outcome"], "crashed")
        events = self.attached(service, "need+crash@1+ready+done", delivery="growing")
        self.assertEqual(events[-1]["outcome"], "done")

    def test_retry__of_an_attached_job__is_refused(self):
        service = self.start()
        self.attached(service, "say:bad_input")
        self.assertEqual(service.wait_for(1)["state"], "failed")
        self.assertEqual(service.call("Retry", {"id": 1})["error"], "io.transcoded.NotPermitted")

    def test_plan__opens_nothing_and_stores_nothing(self):
        service = self.start()
        reply = service.call("Plan", {"job": self.script("need+ready+output+done")})
        self.assertEqual(reply["parameters"], {"device": "cpu", "plan": ["copy"],
                                               "why": ["it is a fake"]})
        reply = service.call("Plan", {"job": self.script("say:bad_input")})
        self.assertEqual(reply["error"], "io.transcoded.InvalidJob")
        self.assertIn("by script", reply["parameters"]["reason"])
        self.assertEqual(self.left(), [])
        self.assertEqual(service.call("List")["parameters"]["jobs"], [])

    def test_plan__above_the_cap__gets_TooMany_and_ends_with_its_client(self):
        service = self.start(attempts=1)
        with service.connect() as v:
            v.send("Plan", {"job": self.script("deaf")})
            wait_until(lambda: len(self.fakes(service)) == 2, "it plans")
            reply = service.call("Plan", {"job": self.script("need+ready+done")})
            self.assertEqual((reply["error"], reply["parameters"]),
                             ("io.transcoded.TooMany", {"limit": 1}))
        plan = {"job": self.script("need+ready+done")}
        wait_until(lambda: "plan" in service.call("Plan", plan)["parameters"], "it ended with its client")

    def test_warm_worker__is_there_and_replaced(self):
        service = self.start()
        wait_until(lambda: len(self.fakes(service)) == 1, "one stands ready")
        (warm,) = self.fakes(service)
        id = service.submit(self.script("need+ready+wait"))
        service.wait_for(id, "running")
        wait_until(lambda: len(self.fakes(service)) == 2, "it was replaced")
        self.assertIn(warm, self.fakes(service))
        service.call("Cancel", {"id": id})

    def test_worker__is_out_of_reach_of_the_terminals_keys(self):
        service = self.start()
        wait_until(lambda: len(self.fakes(service)) == 1, "one stands ready")
        (warm,) = self.fakes(service)
        self.assertEqual(os.getsid(warm), warm)

    def test_warm_worker__that_dies__is_replaced_without_haste(self):
        service = self.start()
        dead = []

        def successor():
            return [pid for pid in self.fakes(service) if pid not in dead]

        for _ in range(2):
            dead += wait_until(successor, "one stands ready")
            began = time.monotonic()
            os.kill(dead[-1], signal.SIGKILL)
        wait_until(successor, "one stands ready")
        self.assertGreater(time.monotonic() - began, 0.4, "the second pause is longer")
        self.assertEqual(service.words().count("a worker without a job died"), 2)

    def test_worker_program__missing__costs_no_job(self):
        service = self.service({"worker": str(self.folder / "nothing"), "limits": LIMITS})
        id = service.submit(self.script("need+ready+done"))
        wait_until(lambda: "cannot start jobs" in service.words(), "the log says so")
        self.assertEqual(service.state_of(id), "queued")
        (self.folder / "nothing").symlink_to(FAKE)
        self.assertEqual(service.wait_for(id)["state"], "succeeded")
        self.assertEqual(len(service.show(id)["attempts"]), 1)


class Ends(Scripted):
    """How the service itself goes down and comes back."""

    def begin_to_stop(self, service):
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in service.words(), "it stops")

    def test_sigterm__lets_end_what_can(self):
        service = self.start(stop_timeout="1h")
        short = service.submit(self.script("need+ready+until:go+done"))
        service.wait_for(short, "running")
        service.call("Drain")
        queued = service.submit(self.script("need+ready+done", "q.mp4"))
        self.begin_to_stop(service)
        self.go()
        self.assertEqual(service.process.wait(harness.PATIENCE), 0)
        service.start()
        self.assertEqual(service.show(short)["state"], "succeeded")
        self.assertEqual(service.wait_for(queued)["state"], "succeeded")

    def test_sigterm__requeues_detached_and_ends_attached(self):
        service = self.start(stop_timeout="300ms")
        detached = service.submit(self.script("need+ready+wait@1+done"))
        service.wait_for(detached, "running")
        v = self.enterContext(service.connect())
        v.send("Submit", {"job": self.script("need+ready+wait", "a.mp4")}, more=True)
        attached = v.receive()["parameters"]["id"]
        service.wait_for(attached, "running")
        service.process.send_signal(signal.SIGTERM)
        replies = []
        while (reply := v.receive()) is not None:
            replies.append(reply["parameters"]["event"])
        self.assertEqual(replies[-1]["outcome"], "interrupted")
        self.assertEqual(service.process.wait(harness.PATIENCE), 0)
        service.start()
        self.assertEqual(service.show(attached)["state"], "failed")
        self.assertEqual(service.show(attached)["outcome"], "interrupted")
        shown = service.wait_for(detached)
        self.assertEqual((shown["state"], len(shown["attempts"])), ("succeeded", 2))
        self.assertEqual(shown["attempts"][0]["outcome"], "interrupted")

    def test_sigterm__attached_job_that_would_be_tried_again__ends(self):
        service = self.start(stop_timeout="1h")
        with service.connect() as v:
            v.send("Submit", {"job": self.script("need+ready+until:go+crash")}, more=True)
            v.receive()
            service.wait_for(1, "running")
            self.begin_to_stop(service)
            self.go()
            while (reply := v.receive()) and reply.get("continues"):
                pass
            self.assertEqual(reply["parameters"]["event"]["outcome"], "interrupted")
        self.assertEqual(service.process.wait(harness.PATIENCE), 0)

    def test_sigterm__again__does_not_wait(self):
        service = self.start(stop_timeout="1h")
        id = service.submit(self.script("need+ready+wait"))
        service.wait_for(id, "running")
        self.begin_to_stop(service)
        self.assertEqual(service.stop(), 0)
        service.start().wait_for(id, "running")
        service.call("Cancel", {"id": id})

    def test_sigterm__ends_a_plan_at_once(self):
        service = self.start(stop_timeout="1h")
        with service.connect() as v:
            v.send("Plan", {"job": self.script("deaf")})
            wait_until(lambda: len(self.fakes(service)) == 2, "it plans")
            self.assertEqual(service.stop(), 0)
            self.assertEqual(v.receive()["error"], "io.transcoded.ShuttingDown")

    def test_history__is_pruned_at_the_start(self):
        service = self.start()
        id = service.submit(self.script("need+ready+done"))
        service.wait_for(id)
        service.stop()
        service.configure({"worker": str(FAKE), "limits": {**LIMITS, "history_age": "0s"}})
        service.start()
        wait_until(lambda: service.call("Show", {"id": id}).get("error") == "io.transcoded.NoSuchJob",
                   "it is forgotten")

    def test_sigterm__refuses_new_jobs(self):
        service = self.start(stop_timeout="1h")
        id = service.submit(self.script("need+ready+until:go+done"))
        service.wait_for(id, "running")
        with service.connect() as v:
            v.call("Status")
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not service.socket.exists(), "it listens no more")
            reply = v.call("Submit", {"job": self.script("need", "b.mp4"), "detach": True})
            self.assertEqual(reply["error"], "io.transcoded.ShuttingDown")
        self.go()
        self.assertEqual(service.process.wait(harness.PATIENCE), 0)

    def test_sigterm__paused_job_waits_for_resume_after_the_restart(self):
        service = self.start(stop_timeout="100ms")
        id = service.submit(self.script("need+ready+wait@1+done"))
        service.wait_for(id, "running")
        service.call("Pause", {"id": id})
        self.assertEqual(service.stop(), 0)
        service.start()
        other = service.submit(self.script("need+ready+done", "b.mp4"))
        service.wait_for(other)
        self.assertEqual(service.state_of(id), "queued")
        service.call("Resume", {"id": id})
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_sigkill__in_every_state__nothing_is_lost(self):
        service = self.start(cpu_jobs=1)
        scripts = ["encode+ready+sleep:500+output+done", "encode+ready+output+done",
                   "encode+ready+output+done", "need+ready+sleep:100+output+sleep:300+done"]
        ids = [service.submit(self.script(s, f"{i}.mp4")) for i, s in enumerate(scripts)]
        service.wait_for(ids[0], "running", "succeeded")
        service.kill()
        service.start()
        for id in ids:
            self.assertEqual(service.wait_for(id)["state"], "succeeded", service.show(id))
        self.assertEqual(self.left(), [f"{i}.mp4" for i in range(4)])

    def test_sigkill__takes_its_workers_along(self):
        service = self.start()
        id = service.submit(self.script("need+ready+deaf"))
        service.wait_for(id, "running")
        pids = self.fakes(service)
        service.kill()
        for pid in pids:
            wait_until(lambda: harness.is_gone(pid), "the worker is gone")
        service.start()
        service.call("Cancel", {"id": id})

    def test_interruptions__are_bounded(self):
        service = self.start(interruptions=1)
        id = service.submit(self.script("need+ready+deaf"))
        for _ in range(2):
            service.wait_for(id, "running")
            service.kill()
            service.start()
        shown = service.wait_for(id)
        self.assertEqual((shown["state"], shown["outcome"]), ("failed", "interrupted"))

    def test_sighup__reloads_and_keeps_running_jobs(self):
        service = self.start(cpu_jobs=1)
        ids = [service.submit(self.script("encode+ready+wait", f"{i}.mp4")) for i in range(2)]
        service.wait_for(ids[0], "running")
        service.configure({"worker": str(FAKE), "limits": {**LIMITS, "cpu_jobs": 2}})
        service.process.send_signal(signal.SIGHUP)
        service.wait_for(ids[1], "running")
        self.assertEqual(service.state_of(ids[0]), "running")
        service.configuration.write_text('{"no_such_key": 1}')
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "no_such_key" in service.words(), "the log says what is wrong")
        self.assertEqual(service.state_of(ids[0]), "running")
        for id in ids:
            service.call("Cancel", {"id": id})

    def test_stale_socket__is_replaced_and_a_live_one_is_not(self):
        service = self.start()
        service.kill()
        self.assertTrue(service.socket.exists())
        service.start()
        second = harness.Service(self.folder / "second", {"worker": str(FAKE)})
        second.socket = service.socket
        second.start(wait=False)
        self.assertEqual(second.process.wait(harness.PATIENCE), 78)
        self.assertIn("already", second.words())

    def test_store__in_use__is_refused(self):
        service = self.start()
        second = harness.Service(self.folder / "second", {"worker": str(FAKE)})
        second.state = service.state
        second.start(wait=False)
        self.assertEqual(second.process.wait(harness.PATIENCE), 78)


class Disk(Scripted):
    def test_store__on_a_full_disk__takes_a_refused_pause_back(self):
        state = self.small_disk()
        service = self.start(stop_timeout="0s")
        running = service.submit(self.script("need+ready+wait", "running.mp4"))
        service.wait_for(running, "running")
        service.call("Drain")
        queued = service.submit(self.script("need+ready+done", "queued.mp4"))
        ballast = self.fill(state)
        for id in (running, queued):
            with self.subTest(id):
                refused, opposite = self.refused(service, id)
                reply = service.call(opposite, {"id": id})
                self.assertEqual(reply.get("error"), "io.transcoded.WrongState",
                                 f"{refused} was refused, but stays in effect")
        ballast.unlink()

    @staticmethod
    def refused(service, id):
        """Pause and Resume until there is no room left: what failed, and the other."""
        for _ in range(200):
            for method, opposite in (("Pause", "Resume"), ("Resume", "Pause")):
                reply = service.call(method, {"id": id})
                if "error" in reply:
                    assert reply["error"] == "io.transcoded.Unavailable", reply
                    return method, opposite
        raise AssertionError("the disk is never full")

    @staticmethod
    def fill(state):
        ballast = state / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
            while True:
                f.write(bytes(4096))
        return ballast

    def small_disk(self):
        state = self.folder / "service" / "state"
        state.mkdir(parents=True)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", state],
                           capture_output=True, text=True)
        if r.returncode:
            self.skipTest(f"cannot mount: {r.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", state])
        return state

    def test_store__on_a_full_disk__acknowledges_nothing(self):
        state = self.small_disk()
        service = self.start(log_lines=1000)
        before = service.submit(self.script("need+ready+done"))
        service.wait_for(before)
        ending = service.submit(self.script("need+ready+until:go+noise+done", "ending.mp4"))
        service.wait_for(ending, "running")
        service.call("Drain")
        ballast = self.fill(state)
        refused = None
        for i in range(200):  # what room is left in the store's own files is used first
            job = self.script("need+ready+done", f"{i}.mp4")
            reply = service.call("Submit", {"job": job, "detach": True})
            if "error" in reply:
                refused = reply
                break
        self.assertEqual(refused["error"], "io.transcoded.Unavailable")
        self.assertTrue(refused["parameters"]["reason"])
        count = len(service.call("List", {"limit": 1000})["parameters"]["jobs"])
        self.assertEqual(count, 2 + i, "each is stored or refused")
        self.go()
        wait_until(lambda: "cannot be stored" in service.words(), "an end is not stored")
        ballast.unlink()
        self.assertEqual(service.wait_for(ending)["state"], "succeeded")
        after = service.submit(self.script("need+ready+done", "after.mp4"))
        service.call("Undrain")
        self.assertEqual(service.wait_for(after)["state"], "succeeded")
        self.assertEqual(service.stop(), 0)


class Clients(Scripted):
    """Clients that behave in every way they should not."""

    def test_junk__hangs_up_on_its_sender_only(self):
        service = self.start()
        with service.connect() as good:
            for junk in (b"\0", b"{}\0", b"[1]\0", b'{"method":1}\0', b"\xff\xfe\0",
                         b'{"method":"a","method":"b"}\0', b"[" * 100000 + b"\0"):
                v = service.connect()
                v.socket.sendall(junk)
                self.assertIsNone(v.receive(), junk)
                v.close()
            self.assertIn("parameters", good.call("Status"))

    def test_message__over_the_limit__is_refused_with_words(self):
        service = self.start()
        with service.connect() as v:
            with contextlib.suppress(OSError):
                v.socket.sendall(b"x" * (3 << 20))
            reply = v.receive()
            self.assertEqual(reply["error"], "io.transcoded.InvalidJob")
            self.assertIn("1048576", reply["parameters"]["reason"])
        self.assertIn("parameters", service.call("Status"))

    def test_reader__that_does_not_read__is_hung_up_on(self):
        service = self.start(write_queue="64K")
        with service.connect() as lazy:
            lazy.send("Follow", more=True)
            for _ in range(3):
                self.attached(service, "need+ready+log:600+done")
            wait_until(lambda: "does not read" in service.words(), "it is hung up on")
        self.assertIn("parameters", service.call("Status"))

    @staticmethod
    def is_heard(held):
        with contextlib.suppress(OSError):
            if "error" not in (held[-1].call("Status") or {"error": "hung up"}):
                return True
        held.pop().close()
        return False

    def test_connections__above_the_cap__are_told_so(self):
        self.check_cap(self.start(clients=3))

    def test_connections__above_the_cap_of_a_uid__are_told_so(self):
        self.check_cap(self.start(clients_per_uid=3))

    def test_connections__more_than_the_soft_limit_of_descriptors(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, hard))
        try:
            service = self.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(service.connect()) for _ in range(50)]
            for v in held:
                self.assertIn("parameters", v.call("Status"))

    def check_cap(self, service):
        held = []
        for _ in range(3):
            # the harness's own connection may not have been missed yet
            wait_until(lambda: held.append(service.connect()) or self.is_heard(held), "there is room")
        with service.connect() as v:
            self.assertEqual(v.receive()["error"], "io.transcoded.TooMany")
            self.assertIsNone(v.receive())
        held.pop().close()
        wait_until(service.answers, "there is room again")
        for v in held:
            v.close()

    def test_calls__in_a_row__are_answered_in_order(self):
        service = self.start()
        with service.connect() as v:
            for i in range(50):
                v.send("Submit", {"job": self.script("need+ready+done", f"{i}.mp4"), "detach": True})
                v.send("Status")
            for i in range(50):
                self.assertEqual(v.receive()["parameters"]["id"], i + 1)
                self.assertIn("version", v.receive()["parameters"])

    def test_descriptors__unasked__close_the_connection(self):
        service = self.start()
        with open(os.devnull) as f:
            for method, count in (("Status", 1), ("Plan", 9)):
                with service.connect() as v:
                    with contextlib.suppress(BrokenPipeError):  # it was faster
                        v.send(method, fds=[f.fileno()] * count)
                    self.assertIsNone(v.receive())
        wait_until(lambda: len(os.listdir(f"/proc/{service.process.pid}/fd")) < 40, "no leak")

    def test_wrong_calls__get_varlinks_errors(self):
        service = self.start()
        cases = [("io.transcoded.Fly", {}, "MethodNotFound"), ("com.example.X", {}, "InterfaceNotFound"),
                 ("Show", {}, "InvalidParameter"), ("Show", {"id": "1"}, "InvalidParameter"),
                 ("Status", {"x": 1}, "InvalidParameter"), ("List", {"states": ["x"]}, "InvalidParameter"),
                 ("List", {"limit": 0}, "InvalidParameter"), ("Submit", {}, "InvalidParameter")]
        for method, parameters, error in cases:
            with self.subTest(method, parameters=parameters):
                reply = service.call(method, parameters)
                self.assertEqual(reply["error"], "org.varlink.service." + error)

    def test_jobs_of_a_uid__are_capped(self):
        service = self.start(jobs_per_uid=2)
        service.call("Drain")
        for i in range(2):
            service.submit(self.script("need", f"{i}.mp4"))
        reply = service.call("Submit", {"job": self.script("need", "x.mp4"), "detach": True})
        self.assertEqual((reply["error"], reply["parameters"]), ("io.transcoded.TooMany", {"limit": 2}))

    def test_jobs_of_a_uid__sent_at_once__are_capped_too(self):
        service = self.start(jobs_per_uid=2)
        service.call("Drain")
        connections = [service.connect() for _ in range(8)]
        for i, v in enumerate(connections):
            v.send("Submit", {"job": self.script("need", f"{i}.mp4"), "detach": True})
        replies = [v.receive() for v in connections]
        for v in connections:
            v.close()
        self.assertEqual(sorted(r.get("error", "") for r in replies),
                         [""] * 2 + ["io.transcoded.TooMany"] * 6)

    def test_key__repeated_at_the_cap__gets_its_id(self):
        service = self.start(jobs_per_uid=1)
        service.call("Drain")
        job = self.script("need", key="night")
        id = service.submit(job)
        again = service.call("Submit", {"job": job, "detach": True})
        self.assertEqual(again["parameters"], {"id": id})
        other = self.script("need", "b.mp4", key="day")
        reply = service.call("Submit", {"job": other, "detach": True})
        self.assertEqual((reply["error"], reply["parameters"]), ("io.transcoded.TooMany", {"limit": 1}))
        self.assertEqual(len(service.call("List")["parameters"]["jobs"]), 1)

    def test_list__pages_newest_first(self):
        service = self.start()
        service.call("Drain")
        ids = [service.submit(self.script("need", f"{i}.mp4")) for i in range(5)]
        first = [j["id"] for j in service.call("List", {"limit": 2})["parameters"]["jobs"]]
        self.assertEqual(first, ids[:2:-1])
        rest = service.call("List", {"before": first[-1]})["parameters"]["jobs"]
        self.assertEqual([j["id"] for j in rest], ids[2::-1])
        self.assertEqual(service.call("List", {"states": ["failed"]})["parameters"]["jobs"], [])


class Socket(Scripted):
    def test_listen_fds__takes_over_systemds_socket(self):
        service = harness.Service(self.folder / "service", {"worker": str(FAKE)})
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(str(service.socket))
        listening.listen()
        run = ("import os,sys; os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
               "os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])")
        program = ["python3", "-c", run, str(listening.fileno()), harness.TRANSCODED,
                   "--config", service.configuration, "--state-dir", service.state]
        with open(service.log, "wb") as log:
            service.process = subprocess.Popen(program, pass_fds=[listening.fileno()],
                                               stdout=log, stderr=log)
        wait_until(service.answers, "it answers")
        self.assertEqual(service.stop(), 0)
        self.assertTrue(service.socket.exists(), "it is systemd's, not ours to remove")

    def test_socket__mode_and_length(self):
        service = self.service({"worker": str(FAKE), "socket_mode": "0600"})
        self.assertEqual(service.socket.stat().st_mode & 0o777, 0o600)
        r = subprocess.run([harness.TRANSCODED, "--socket", "/tmp/" + "x" * 200, "--state-dir",
                            self.folder / "s2"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 78)
        self.assertIn("longer than", r.stderr)

    def test_notify__ready_after_listening_and_stopping(self):
        inbox = harness.Inbox(self.folder / "notify")
        service = harness.Service(self.folder / "service", {"worker": str(FAKE)},
                                  {"NOTIFY_SOCKET": inbox.path, "WATCHDOG_USEC": "400000"})
        service.start(wait=False)
        self.addCleanup(service.__exit__, None)
        inbox.hear("READY=1")
        self.assertTrue(service.answers())
        inbox.hear("WATCHDOG=1")
        inbox.hear("WATCHDOG=1")
        service.process.send_signal(signal.SIGHUP)
        inbox.hear("RELOADING=1\nMONOTONIC_USEC=")
        inbox.hear("READY=1")
        warm = wait_until(lambda: self.fakes(service), "one stands ready")
        environment = open(f"/proc/{warm[0]}/environ").read()
        self.assertNotIn("NOTIFY_SOCKET", environment)
        self.assertNotIn("WATCHDOG_USEC", environment)
        self.assertEqual(service.stop(), 0)
        inbox.hear("STOPPING=1")


class CommandLine(harness.TestCase):
    def run_it(self, *arguments, **keywords):
        return subprocess.run([harness.TRANSCODED, *arguments], capture_output=True, text=True, **keywords)

    def test_usage__exit_status(self):
        for arguments in (["--frobnicate"], ["--socket"], ["--check-config=yes"], ["extra"]):
            with self.subTest(arguments):
                r = self.run_it(*arguments)
                self.assertEqual(r.returncode, 2)
                self.assertTrue(r.stderr)
        self.assertEqual(self.run_it("--version").returncode, 0)
        self.assertIn("--state-dir", self.run_it("--help").stdout)

    def test_configuration__checked_and_printed(self):
        good = self.folder / "good.json"
        good.write_text('{"limits": {"cpu_jobs": 7}}')
        self.assertEqual(self.run_it("--config", good, "--check-config").returncode, 0)
        printed = harness.json.loads(self.run_it("--config", good, "--print-config").stdout)
        self.assertEqual(str(printed["limits"]["cpu_jobs"]), "7")
        for text in ("{", '{"limits": {"cpu_jobs": 0}}', '{"x": 1}'):
            bad = self.folder / "bad.json"
            bad.write_text(text)
            start = ["--socket", self.folder / "s", "--state-dir", self.folder / "t"]
            for more, status in (["--check-config"], 2), (["--print-config"], 2), (start, 78):
                r = self.run_it("--config", bad, *more)
                self.assertEqual(r.returncode, status, text)
                self.assertIn("bad.json", r.stderr)

    def test_profile__that_no_start_would_take__is_found(self):
        profiles = self.folder / "profiles"
        profiles.mkdir()
        (profiles / "mine.json").write_text('{"hardware": "fast"}')
        configuration = self.folder / "transcoded.json"
        configuration.write_text(harness.json.dumps({"profiles": str(profiles)}))
        r = self.run_it("--config", configuration, "--check-config")
        self.assertEqual(r.returncode, 2)
        self.assertIn("hardware", r.stderr)
        self.assertIn("mine.json", r.stderr)

    def test_state_folder__that_cannot_be__is_said(self):
        (self.folder / "file").write_text("")
        r = self.run_it("--socket", self.folder / "s", "--state-dir", self.folder / "file" / "state")
        self.assertEqual(r.returncode, 78)
        self.assertIn("file", r.stderr)


if __name__ == "__main__":
    harness.main()
