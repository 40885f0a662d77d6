"""What the GPU suites share: a worker on the stand-in for NVIDIA's driver, given
orders as the daemon gives them, and what the driver counted of it."""

import json
import os
import socket
import subprocess
import sys
import threading

import harness

sys.path.insert(0, str(harness.TOP / "tests" / "vgpu" / "tests"))
import standin  # noqa: E402  (lies there)


def decoder(codec, depth, side=8192):
    return {"codec": codec, "depth": depth, "chroma": 420, "least_width": 48, "least_height": 16,
            "width": side, "height": side}


def encoder(codec, **more):
    return {"codec": codec, "name": f"{codec}_nvenc", "depth": 8, "least_width": 65, "least_height": 33,
            "width": 4096, "height": 4096, "b_frames": 0, "b_frame_refs": False, "temporal_aq": False,
            "lookahead": True, "dynamic_bitrate": True} | more


# What a survey finds on a Quadro P1000 with driver 470.
P1000 = {
    "id": "cuda:0", "uuid": "GPU-00000000-7667-7075-0000-000000000001", "name": "Quadro P1000", "driver": "470.256.02", "nvenc_api": "11.1",
    "compute": 61, "vram": 4096 << 20,
    "decoders": [decoder("h264", 8, 4096), decoder("hevc", 8), decoder("hevc", 10), decoder("hevc", 12),
                 decoder("vp9", 8), decoder("vp9", 10), decoder("mpeg2video", 8, 4096)],
    "encoders": [encoder("h264", least_width=33, least_height=17, level=51, b_frames=4),
                 encoder("hevc", depth=10, width=8192, height=8192, level=62)],
    "filters": ["scale_cuda", "yadif_cuda"],
    "problems": [],
}
CPU = {"device": "cpu", "sessions": 0, "decode": False, "vram": 0, "threads": 1}
FULL = {"device": "cuda:0", "sessions": 3, "decode": True, "vram": 1 << 30, "threads": 1}


class Worker:
    """One attempt, from its order to its outcome."""

    def __init__(self, machine, job, folder, device=P1000, settings=None, arguments=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.channel, opener = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control, self.job, self.folder, self.rest = ours, job, folder, b""
        environment = machine.environment(**(settings or {}))
        # the worker has its own sanitizer, and is to be searched for leaks
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):
            environment.pop(name, None)
        # what the stand-in keeps of its machine is nothing that workers know of
        machine.folder.mkdir(exist_ok=True)
        # nor what x265 leaks by itself, on the CPU as well
        (machine.folder / "leaks").write_text("leak:libx265.so\n")
        environment["LSAN_OPTIONS"] = f"suppressions={machine.folder / 'leaks'}:print_suppressions=0"
        # bash (no other knows descriptors above 9) moves the socket to 3
        command = ["bash", "-c", f'exec "$0" "$@" 3<&{theirs.fileno()}', harness.WORKER,
                   "--sandbox-path", machine.folder, "--device", device["id"] if device else "cpu", *arguments]
        self.log = open(folder / "worker.log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        self.opener = threading.Thread(target=self.serve, daemon=True)
        self.opener.start()
        self.control.settimeout(harness.PATIENCE)
        order = {"order": "job", "id": 1, "attempt": 1, "plan_only": False, "job": job,
                 "devices": [device] if device else []}
        self.order(order, [opener.fileno()])
        opener.close()

    def order(self, order, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, harness.array.array("i", fds))] if fds else []
        data = json.dumps(order).encode() + b"\0"
        sent = self.control.sendmsg([data], rights)
        self.control.sendall(data[sent:])

    def grant(self, **grant):
        self.order({"order": "grant", **grant})

    def serve(self):
        """The smallest opener that the protocol allows."""
        while True:
            try:
                request = self.channel.recv(1024).decode()
            except OSError:
                return
            if not request:
                return
            fds, reply = [], f"ok {request}"
            try:
                fds = self.act(request.split())
            except OSError as e:
                reply = f"error {request} {e.errno} {e}"
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, harness.array.array("i", fds))] if fds else []
            self.channel.sendmsg([reply.encode()], rights)
            for fd in fds:
                os.close(fd)

    def act(self, words):
        if words[0] == "input":
            return [os.open(self.job["input"]["path"], os.O_RDONLY)]
        if words[0] == "output":
            return [os.open(self.folder / f"part{words[1]}", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)]
        if words[:2] == ["done", "output"]:
            (self.folder / f"part{words[2]}").rename(self.job["outputs"][int(words[2])]["path"])
        return []

    def events(self):
        """All that it says from now on."""
        while True:
            while b"\0" not in self.rest:
                more = self.control.recv(65536)
                if not more:
                    return
                self.rest += more
            text, self.rest = self.rest.split(b"\0", 1)
            yield json.loads(text)

    def run(self, **grant):
        """Grant, and wait for the end: all events by kind."""
        said = {}
        for event in self.events():
            said.setdefault(event["event"], []).append(event)
            if event["event"] == "need":
                self.grant(**grant)
        self.process.wait(harness.PATIENCE)
        return said

    def close(self):
        self.process.kill()
        self.process.wait()
        self.control.close()
        self.channel.close()
        self.log.close()


class GpuCase(harness.TestCase):
    """A simulated machine a test."""

    def setUp(self):
        super().setUp()
        self.machine = standin.Machine()

    def attempt(self, source, *outputs, device=P1000, grant=FULL, settings=None, **fields):
        """One attempt; its events by kind."""
        job = self.job(source, *outputs, **fields)
        worker = Worker(self.machine, job, self.folder, device, settings)
        self.addCleanup(worker.close)
        said = worker.run(**grant)
        self.said = said
        self.assertEqual(worker.process.returncode, 0, self.log())
        return said

    def log(self):
        return (self.folder / "worker.log").read_text(errors="replace")[-4000:]

    def succeed(self, *arguments, **keywords):
        """The plan of an attempt that is done, and what the driver counted."""
        said = self.attempt(*arguments, **keywords)
        self.assertEqual(said["outcome"][0]["outcome"], "done", str(said["outcome"]) + self.log())
        return said["ready"][0]["plan"], self.clean()

    def clean(self):
        """The driver's counters; nothing was left over, and nothing misused."""
        total = self.machine.total()
        wrong = {k: v for k, v in total.items() if v and (k == "misuse" or k.startswith("leaked"))}
        self.assertEqual(wrong, {}, self.log())
        return total
