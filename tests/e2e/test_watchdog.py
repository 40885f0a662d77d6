#!/usr/bin/env python3
"""What the service manager is told while jobs run, hang, and do not even die.

How a real one takes it is in tests/system.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import sqlite3
import time

import gpucase
import harness

FAKE = harness.BUILD / "tests/fake/worker"
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
PTRACE_O_TRACEEXIT = 0x40
WALL = 0x40000000  # threads, too
LATE = 5  # seconds: longer than that no silent worker may wait to be pressed


class Watched(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.inbox = harness.Inbox(self.folder / "notify")

    def start(self, **limits):
        return self.service({"worker": str(FAKE), "limits": limits},
                            environment={"NOTIFY_SOCKET": self.inbox.path, "WATCHDOG_USEC": "400000",
                                         "FAKE_GPU": str(self.folder)})

    def start_with_card(self, **limits):
        survey = {"libav": "fake", "nvenc_headers": "", "devices": [gpucase.P1000], "problems": []}
        (self.folder / "survey.json").write_text(json.dumps(survey))
        return self.start(**limits)

    def hear(self, pattern):
        """The first message that was not taken yet and matches."""
        return self.inbox.hear(pattern)

    def hear_anew(self, pattern):
        """The first message from now on that matches."""
        self.inbox.mark()
        return self.hear(pattern)

    def trace(self, request, thread, data=0):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(request, thread, None, data) < 0:
            self.skipTest(f"no process can be held here: {os.strerror(ctypes.get_errno())}")

    def script(self, words, output="out.mp4", **fields):
        return self.job("/fake/" + words, output, **fields)

    def test_ready__is_never_said__by_a_start_that_fails(self):
        def newer_store(service):
            service.state.mkdir()
            with sqlite3.connect(service.state / "jobs.sqlite") as db:
                db.execute("PRAGMA user_version = 1000")
            db.close()

        def others_socket(service):
            service.socket = self.service({"worker": str(FAKE)}).socket

        for spoil, words in (newer_store, "newer"), (others_socket, "io.transcoded"):
            with self.subTest(spoil.__name__):
                service = harness.Service(self.folder / spoil.__name__, {"worker": str(FAKE)},
                                          {"NOTIFY_SOCKET": str(self.folder / "notify")})
                spoil(service)
                service.start(wait=False)
                self.assertEqual(service.process.wait(harness.PATIENCE), 78, service.words())
                self.assertIn(words, service.words())
                self.assertEqual([m for m in self.inbox.mark() if "READY" in m], [])

    def test_reload__is_told_with_its_time(self):
        service = self.start()
        before = time.monotonic_ns() // 1000
        service.process.send_signal(signal.SIGHUP)
        told = self.hear("RELOADING=1")
        began = int(re.search("^MONOTONIC_USEC=([0-9]+)$", told, re.M)[1])
        self.assertTrue(before <= began <= time.monotonic_ns() // 1000, told)
        self.hear("READY=1")

    def assert_not_fed(self, service, complaint):
        """From the complaint on, for some beats more."""
        harness.wait_until(lambda: complaint in service.words(), "it complains")
        self.inbox.mark()
        for _ in range(3):
            message = self.inbox.heard.get(timeout=harness.PATIENCE)
            self.assertNotIn("WATCHDOG=1", message)

    def test_store__that_hangs__the_watchdog_is_not_fed(self):
        service = self.start()
        (task,) = [t for t in pathlib.Path(f"/proc/{service.process.pid}/task").iterdir()
                   if (t / "comm").read_text() == "store\n"]
        thread = int(task.name)
        # asleep it holds nothing that the loop waits for
        harness.wait_until(lambda: (task / "stat").read_text().split()[2] == "S", "it has nothing to do")
        self.trace(PTRACE_SEIZE, thread)
        self.trace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
        with service.connect() as client:
            client.send("Submit", {"job": self.script("need+ready+done"), "detach": True})
            self.assert_not_fed(service, "the store's thread hangs")
            self.trace(PTRACE_DETACH, thread)
            self.hear("WATCHDOG=1")
            id = client.receive()["parameters"]["id"]
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_silent_worker__that_nobody_presses__the_watchdog_is_not_fed(self):
        # a daemon that slept: its next beat was due before the timer of the worker
        service = self.start(stall_timeout="2s", stop_grace="100ms", tries=2)
        id = service.submit(self.script("need+ready+deaf@1+done"))
        with service.connect() as client:
            events = (r["parameters"]["event"] for r in client.stream("Follow", {"id": id}))
            ready = next(e["time"] for e in events if e["event"] == "ready")
        service.call("Drain")
        service.submit(self.script("done", "later.mp4"))  # so that all before it is stored
        service.call("Status")
        service.process.send_signal(signal.SIGSTOP)
        os.waitpid(service.process.pid, os.WUNTRACED)
        if time.time() - ready / 1e6 > 1.5:
            service.process.send_signal(signal.SIGCONT)
            self.skipTest("this machine is too busy to stop it in time")
        time.sleep(2 + LATE)
        service.process.send_signal(signal.SIGCONT)
        harness.wait_until(lambda: "the watchdog is not told" in service.words(), "it complains")
        self.hear_anew("WATCHDOG=1")  # now it is attended
        service.call("Undrain")
        self.assertEqual(service.wait_for(id)["state"], "succeeded")

    def test_status__counts_the_sessions_of_a_card(self):
        service = self.start_with_card()
        self.assertIn("; cuda:0 has 0 of 3 sessions", self.hear_anew("STATUS=.*cuda"))
        id = service.submit(self.script("gpu+ready+wait", hardware="require"))
        service.wait_for(id, "running")
        self.assertEqual(self.hear_anew("STATUS=.* 1 of"), "STATUS=1 running, 0 paused, 0 waiting; cuda:0 has 1 of 3 sessions")
        service.call("Cancel", {"id": id})

    def test_status__counts_jobs(self):
        service = self.start(cpu_jobs=1)
        running = service.submit(self.script("encode+ready+wait"))
        service.wait_for(running, "running")
        service.call("Drain")
        for i in range(3):
            service.submit(self.script("need+ready+done", f"{i}.mp4"))
        self.assertEqual(self.hear_anew("STATUS=1 running"), "STATUS=1 running, 0 paused, 3 waiting")
        service.call("Cancel", {"id": running})
        self.assertEqual(self.hear_anew("STATUS=0 running"), "STATUS=0 running, 0 paused, 3 waiting")

    def test_silent_worker__that_is_pressed__costs_the_others_nothing(self):
        service = self.start(stall_timeout="2s", stop_grace="1s", tries=1)
        hangs = service.submit(self.script("need+ready+deaf", "hangs.mp4"))
        service.wait_for(hangs, "running")
        other = service.submit(self.script("need+ready+progress+sleep:300+done", "other.mp4"))
        while service.state_of(hangs) == "running":
            self.hear_anew("WATCHDOG=1")
        self.assertEqual(service.wait_for(hangs)["outcome"], "stalled")
        self.assertEqual(service.wait_for(other)["state"], "succeeded")

    def freeze_exit(self, pid):
        """Keep `pid` where SIGKILL leaves it, as a driver's bug would."""
        self.trace(PTRACE_SEIZE, pid, PTRACE_O_TRACEEXIT)
        # a second SIGKILL lets it go
        self.addCleanup(lambda: os.path.exists(f"/proc/{pid}") and os.kill(pid, signal.SIGKILL))

    def test_worker__that_no_signal_kills__is_given_up(self):
        service = self.start(stall_timeout="1s", stop_grace="100ms", stop_timeout="1h", tries=1)
        shown = self.hang(service, self.script("need+ready+stubborn+work:silence+deaf", "hangs.mp4"))
        self.assertEqual((shown["state"], shown["outcome"]), ("failed", "stalled"))
        self.assertIn("hangs in the kernel", shown["attempts"][-1]["text"])
        self.assertIn("does not die", service.words())
        self.hear_anew("WATCHDOG=1")
        other = service.submit(self.script("need+ready+done", "other.mp4"))
        self.assertEqual(service.wait_for(other)["state"], "succeeded")
        self.assertEqual(service.stop(), 0)  # it is not waited for

    def hang(self, service, script):
        """Run `script` until no signal kills its worker any more; how it ends."""
        id = service.submit(script)
        service.wait_for(id, "running")
        self.freeze_exit(harness.wait_until(lambda: self.stubborn_one(service), "a worker is stubborn"))
        (self.folder / "silence").touch()
        return service.wait_for(id)

    def stubborn_one(self, service):
        """Of the workers that which ignores SIGTERM."""
        for pid, line in service.children().items():
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                ignored = int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16)
                if str(FAKE) in line and ignored & 1 << signal.SIGTERM - 1:
                    return pid
        return None

    def test_worker__that_no_signal_kills__takes_its_card_with_it(self):
        service = self.start_with_card(stall_timeout="1s", stop_grace="100ms", tries=1)
        shown = self.hang(service, self.script("gpu+ready+stubborn+work:silence+deaf", "hangs.mp4", hardware="require"))
        self.assertIn("hangs in the kernel", shown["attempts"][-1]["text"])
        cards = [d for d in service.call("Devices")["parameters"]["devices"] if d["id"] == "cuda:0"]
        self.assertIn("in quarantine", cards[0]["health"])
        self.hear_anew("WATCHDOG=1")
        other = service.submit(self.script("gpu+ready+done", "other.mp4"))
        self.assertEqual(service.wait_for(other)["attempts"][-1]["device"], "cpu")


if __name__ == "__main__":
    harness.main()
