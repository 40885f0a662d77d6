#!/usr/bin/env python3
"""The socket: varlink as others speak it, its limits, and who may do what."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

import harness
from harness import COPY, FAST, Service, TestCase, Varlink, film, long_film, wait_until

NOBODY = 65534
METHODS = {"Submit", "Plan", "List", "Show", "Follow", "Cancel", "Pause", "Resume", "Retry", "Devices", "Profiles",
           "Status", "Drain", "Undrain"}


class Interface(TestCase):
    def test_get_info__and_the_interface_describe_the_service(self):
        s = self.service()
        info = s.call("org.varlink.service.GetInfo")["parameters"]
        self.assertEqual(set(info["interfaces"]), {"org.varlink.service", "io.transcoded"})
        self.assertTrue(info["vendor"] and info["product"] and info["version"] and "url" in info)
        text = s.call("org.varlink.service.GetInterfaceDescription", {"interface": "io.transcoded"})
        text = text["parameters"]["description"]
        for method in METHODS:
            self.assertRegex(text, rf"(?m)^method {method}\(")
        for error in ("InvalidJob", "NoSuchJob", "WrongState", "NotPermitted", "TooMany", "ShuttingDown"):
            self.assertRegex(text, rf"(?m)^error {error}\s*\(")
        # each method that is described is served, and no other
        for line in text.splitlines():
            if line.startswith("method "):
                name = line.split()[1].split("(")[0]
                reply = s.call(name, {"no such parameter": 1})
                self.assertEqual(reply.get("error"), "org.varlink.service.InvalidParameter", (name, reply))
        self.assertEqual(s.call("Frobnicate").get("error"), "org.varlink.service.MethodNotFound")
        self.assertEqual(s.call("com.example.Foo").get("error"), "org.varlink.service.InterfaceNotFound")
        reply = s.call("org.varlink.service.GetInterfaceDescription", {"interface": "x.y"})
        self.assertEqual(reply.get("error"), "org.varlink.service.InterfaceNotFound")

    def test_pipelined_calls__are_answered_in_order(self):
        s = self.service()
        with s.connect() as v:
            for _ in range(50):
                v.send("Status")
                v.send("Show", {"id": 12345})
            for _ in range(50):
                self.assertIn("version", v.receive()["parameters"])
                self.assertEqual(v.receive()["error"], "io.transcoded.NoSuchJob")

    def test_oneway__gets_no_reply(self):
        s = self.service()
        with s.connect() as v:
            v.send("Status", oneway=True)
            v.send("Status")
            self.assertIn("version", v.receive()["parameters"])
            v.socket.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                v.socket.recv(1)


class Limits(TestCase):
    def hung_up(self, v):
        end = time.monotonic() + harness.PATIENCE
        while time.monotonic() < end:
            try:
                reply = v.receive()
            except (ConnectionError, TimeoutError):
                return True
            if reply is None:
                return True
        return False

    def test_junk__ends_that_connection_and_no_other(self):
        s = self.service()
        with s.connect() as good:
            good.call("Status")
            for junk in (b"\0", b"hello\0", b"[]\0", b"{}\0", b'{"method":7}\0', b'{"method":"a.B","parameters":[]}\0',
                         b"\xff\xfe{\0", b'{"method":"io.transcoded.Status"' + b" " * 100 + b"\0",
                         b"[" * 100000 + b"\0"):
                with self.subTest(junk=junk[:30]), s.connect() as v:
                    v.socket.sendall(junk)
                    self.assertTrue(self.hung_up(v))
                    self.assertIn("version", good.call("Status")["parameters"])

    def test_message_too_large__ends_that_connection(self):
        s = self.service()
        with s.connect() as v, s.connect() as good:
            with contextlib.suppress(OSError):
                for _ in range(40):
                    v.socket.sendall(b"x" * 65536)
            self.assertTrue(self.hung_up(v))
            self.assertIn("version", good.call("Status")["parameters"])

    def test_descriptors__unasked_or_too_many_end_the_connection(self):
        s = self.service()
        s.settle()
        before = len(os.listdir(f"/proc/{s.process.pid}/fd"))
        for count in (1, 5, 50):
            with self.subTest(count=count), s.connect() as v:
                with contextlib.suppress(OSError):
                    v.send("Status", fds=[0] * count)
                self.assertTrue(self.hung_up(v))
        wait_until(lambda: len(os.listdir(f"/proc/{s.process.pid}/fd")) <= before, "no descriptor leaks")

    def test_flood_of_connections__costs_nobody_else(self):
        s = self.service({"limits": {"clients": 20, "clients_per_uid": 20}})
        with s.connect() as good, contextlib.ExitStack() as stack:
            good.call("Status")
            many = [stack.enter_context(s.connect()) for _ in range(60)]
            self.assertIn("version", good.call("Status")["parameters"])
            refused = 0
            for v in many[30:]:
                with contextlib.suppress(OSError):
                    v.send("Status")
                reply = None
                with contextlib.suppress(OSError):
                    reply = v.receive()
                refused += reply is None or reply.get("error") == "io.transcoded.TooMany"
            self.assertEqual(refused, 30)
            self.assertIn("version", good.call("Status")["parameters"])
        wait_until(s.answers, "the flood is over")

    def test_client_that_does_not_read__is_dropped_and_costs_nobody_else(self):
        s = self.service({"limits": {"write_queue": "256K"}})
        with s.connect() as mute, s.connect() as good:
            mute.socket.setblocking(False)
            data = json.dumps({"method": "io.transcoded.Profiles"}).encode() + b"\0"
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 20_000_000:
                    try:
                        sent += mute.socket.send(data * 100)
                    except BlockingIOError:
                        self.assertIn("version", good.call("Status")["parameters"])
                        break
            self.assertIn("version", good.call("Status")["parameters"])
            rss = int(next(l for l in open(f"/proc/{s.process.pid}/status") if l.startswith("VmRSS")).split()[1])
            if "address" not in str(harness.BUILD):
                self.assertLess(rss, 64 * 1024)


def as_nobody(s, *arguments, **keywords):
    program = harness.for_everybody(harness.TRANSCODECTL, s.folder.parent)
    return subprocess.run([program, "--socket", s.socket, "--json", *map(str, arguments)], user=NOBODY, group=NOBODY,
                          extra_groups=[], text=True, capture_output=True, cwd="/", **keywords)


@unittest.skipIf(os.geteuid() != 0, "needs root to become somebody else")
class Access(TestCase):
    def setUp(self):
        super().setUp()
        self.s = self.service({"socket_mode": "0666"})
        self.out.chmod(0o777)

    def test_strangers__see_state_and_times_only(self):
        job = self.job(film(), {"path": "out.mp4", **COPY}, key="secret-key")
        id = self.s.submit(job)
        self.s.wait_for(id)
        shown = json.loads(as_nobody(self.s, "show", id).stdout)
        text = json.dumps(shown)
        self.assertIn("succeeded", text)
        for secret in (str(film()), "out.mp4", "secret-key", "h264"):
            self.assertNotIn(secret, text)
        listed = as_nobody(self.s, "list").stdout
        self.assertIn("succeeded", listed)
        self.assertNotIn("out.mp4", listed)
        followed = as_nobody(self.s, "follow", id).stdout
        self.assertNotIn("out.mp4", followed)

    def test_strangers__may_not_change_anything(self):
        id = self.s.submit(self.job(long_film(), {"path": "out.mp4", **FAST}))
        self.s.wait_for(id, "running")
        for command in (("cancel", id), ("pause", id), ("resume", id), ("retry", id), ("drain",), ("undrain",)):
            with self.subTest(command=command[0]):
                r = as_nobody(self.s, *command)
                self.assertEqual(r.returncode, 2, r)
                self.assertIn("permit", r.stderr.lower() + r.stdout.lower())
        self.assertEqual(self.s.state_of(id), "running")
        self.assertNotIn("error", self.s.call("Cancel", {"id": id}))
        self.assertEqual(self.s.wait_for(id)["state"], "cancelled")
        self.assertEqual(self.left(), [])

    def test_strangers__without_roots_may_name_nothing(self):
        job = self.job_file(self.job(film(), {"path": "out.mp4", **COPY}))
        job.chmod(0o644)
        r = as_nobody(self.s, "submit", job)
        self.assertEqual(r.returncode, 2, r)
        self.assertIn("roots", r.stderr + r.stdout)

    def test_strangers__run_with_their_own_rights(self):
        source = self.folder / "film.mp4"
        source.write_bytes(film().read_bytes())
        job = self.job_file(self.job(source, {"path": "out.mp4", **COPY}))
        job.chmod(0o644)
        source.chmod(0o600)
        r = as_nobody(self.s, "run", job)
        self.assertIn(r.returncode, (1, 2), r)
        self.assertIn("Permission denied", r.stdout + r.stderr)
        self.assertEqual(self.left(), [])
        source.chmod(0o644)
        r = as_nobody(self.s, "run", job)
        self.assertEqual(r.returncode, 0, r)
        self.assertEqual((self.out / "out.mp4").stat().st_uid, NOBODY)

    def test_socket_mode__decides_who_connects(self):
        s = Service(self.folder / "closed", {"socket_mode": "0600"})
        self.enterContext(s)
        r = as_nobody(s, "status")
        self.assertEqual(r.returncode, 3, r)
        self.assertIn(str(s.socket), r.stderr)

    def test_socket_group__may_connect(self):
        import grp
        group = grp.getgrgid(NOBODY).gr_name
        s = Service(self.folder / "shared", {"socket_mode": "0660", "socket_group": group})
        self.enterContext(s)
        self.assertEqual(as_nobody(s, "status").returncode, 0)

    def test_admin_group__may(self):
        import grp
        group = grp.getgrgid(NOBODY).gr_name
        s = Service(self.folder / "admins", {"socket_mode": "0666", "admin_group": group})
        self.enterContext(s)
        self.assertEqual(as_nobody(s, "drain").returncode, 0)
        self.assertEqual(as_nobody(s, "undrain").returncode, 0)


class Life(TestCase):
    def test_key__is_idempotent(self):
        s = self.service()
        job = self.job(film(), {"path": "out.mp4", **COPY}, key="mine", overwrite=True)
        first = s.submit(job)
        self.assertEqual(s.submit(job), first)
        s.wait_for(first)
        self.assertEqual(s.submit(job), first)
        other = {**job, "overwrite": False}
        reply = s.call("Submit", {"job": other, "detach": True})
        self.assertEqual(reply.get("error"), "io.transcoded.InvalidJob", reply)
        self.assertEqual(reply["parameters"]["field"], "key")
        self.assertEqual(len(s.call("List")["parameters"]["jobs"]), 1)

    def test_pause_resume_cancel_retry(self):
        s = self.service()
        job = self.job(long_film(60), {"path": "out.mp4", **FAST})
        id = s.submit(job)
        s.wait_for(id, "running")
        self.assertNotIn("error", s.call("Pause", {"id": id}))
        s.wait_for(id, "paused")
        self.assertEqual(s.call("Pause", {"id": id}).get("error"), "io.transcoded.WrongState")
        self.assertNotIn("error", s.call("Resume", {"id": id}))
        s.wait_for(id, "running")
        self.assertEqual(s.call("Retry", {"id": id}).get("error"), "io.transcoded.WrongState")
        self.assertNotIn("error", s.call("Cancel", {"id": id}))
        self.assertEqual(s.wait_for(id)["state"], "cancelled")
        self.assertEqual(self.left(), [])
        self.assertEqual(s.call("Cancel", {"id": id}).get("error"), "io.transcoded.WrongState")
        self.assertNotIn("error", s.call("Retry", {"id": id}))
        s.wait_for(id, "running")
        s.call("Cancel", {"id": id})
        for method in ("Show", "Cancel", "Pause", "Resume", "Retry"):
            reply = s.call(method, {"id": 987654})
            self.assertEqual(reply.get("error"), "io.transcoded.NoSuchJob", method)

    def test_pause__of_a_running_job__survives_a_restart_as_queued(self):
        s = self.service()
        id = s.submit(self.job(long_film(60), {"path": "out.mp4", **FAST}))
        s.wait_for(id, "running")
        s.call("Pause", {"id": id})
        s.wait_for(id, "paused")
        s.kill()
        s.start()
        self.assertEqual(s.state_of(id), "queued")
        other = s.submit(self.job(film(), {"path": "other.mp4", **COPY}))
        s.wait_for(other)
        self.assertEqual(s.state_of(id), "queued")
        s.call("Resume", {"id": id})
        self.assertEqual(s.wait_for(id)["state"], "succeeded")

    def test_drain__accepts_keeps_and_starts_nothing(self):
        s = self.service()
        s.call("Drain")
        id = s.submit(self.job(film(), {"path": "out.mp4", **COPY}))
        status = s.call("Status")["parameters"]
        self.assertTrue(status["drained"])
        self.assertEqual(status["jobs"]["queued"], 1)
        self.assertEqual(s.state_of(id), "queued")
        s.call("Undrain")
        self.assertEqual(s.wait_for(id)["state"], "succeeded")

    def test_follow__of_a_job_and_of_all(self):
        s = self.service()
        with s.connect() as everything:
            everything.send("Follow", {}, more=True)
            id = s.submit(self.job(film(), {"path": "out.mp4", **COPY}))
            with s.connect() as v:
                kinds = [r["parameters"].get("event", r["parameters"]) for r in v.stream("Follow", {"id": id})]
            kinds = [k["event"] if isinstance(k, dict) else k for k in kinds]
            self.assertEqual(kinds[0], "state")
            self.assertEqual(kinds[-1], "outcome")
            seen = []
            while not seen or seen[-1] != "outcome":
                p = everything.receive()["parameters"]
                e = p["event"] if isinstance(p.get("event"), dict) else p
                self.assertEqual(e["job"], id)
                seen.append(e["event"])
            self.assertIn("ready", seen)

    def test_order__realtime_before_normal_before_batch(self):
        s = self.service({"limits": {"attempts": 1}})
        s.call("Drain")
        ids = {}
        for n, priority in enumerate(("batch", "normal", "realtime", "normal")):
            ids[s.submit(self.job(film(), {"path": f"{n}.mp4", **COPY}, priority=priority))] = n
        s.call("Undrain")
        ended = {n: s.wait_for(id)["attempts"][0]["started"] for id, n in ids.items()}
        self.assertEqual(sorted(ended, key=ended.get), [2, 1, 3, 0])

    def test_plan__says_what_and_writes_nothing(self):
        s = self.service()
        small = {"path": "s.mp4", "video": {"codec": "h264", "max_height": 90}, "audio": []}
        job = self.job(film(), {"path": "o.mp4", **FAST}, small, {"path": "c.mkv", **COPY})
        r = s.ctl("--json", "plan", self.job_file(job))
        self.assertEqual(r.returncode, 0, r)
        self.assertEqual(json.loads(r.stdout)["plan"],
                         ["native>libx264", "aac>aresample>aac", "native>scale>libx264", "copy", "copy"])
        self.assertIn("there is no driver of NVIDIA's", " ".join(json.loads(r.stdout)["why"]))
        for job in (self.job(film(), {"path": "c.mkv", **COPY}), {**job, "hardware": "none"}):
            self.assertEqual(json.loads(s.ctl("--json", "plan", self.job_file(job)).stdout).get("why", []), [])
        self.assertEqual(self.left(), [])
        self.assertEqual(s.call("List")["parameters"]["jobs"], [])

    def test_output_of_a_running_job__is_refused(self):
        s = self.service()
        id = s.submit(self.job(long_film(60), {"path": "out.mp4", **FAST}))
        s.wait_for(id, "running")
        reply = s.call("Submit", {"job": self.job(film(), {"path": "out.mp4", **COPY}, overwrite=True), "detach": True})
        self.assertEqual(reply.get("error"), "io.transcoded.InvalidJob", reply)
        self.assertEqual(reply["parameters"]["field"], "outputs[0].path")
        s.call("Cancel", {"id": id})

    def test_timeout__ends_the_job(self):
        s = self.service()
        id = s.submit(self.job(long_film(60), {"path": "out.mp4", **FAST}, timeout=0.5))
        shown = s.wait_for(id)
        self.assertEqual(shown["state"], "failed")
        self.assertEqual(shown["attempts"][-1]["outcome"], "timed_out")
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    harness.main()
