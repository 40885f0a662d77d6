#!/usr/bin/env python3
"""A worker whose decoder was taken over by its input.

tests/exploit is loaded into the real worker and does what the media tells it
to: each deed is refused, the job ends with an outcome, and others run on. The
same deeds with the sandbox off show that they would have succeeded. Nobody is
who runs it, for root may do too much.
"""

import errno
import json
import os
import shutil
import socket
import subprocess
import unittest

import harness
from harness import FAST, TestCase, clip, film, for_everybody, wait_until

NOBODY = 65534
EXPLOIT = harness.BUILD / "tests" / "exploit" / "exploit.so"
NO_SECCOMP = harness.BUILD / "tests" / "exploit" / "no_seccomp.so"
ROOM = "room" * 50  # for what a film says
NO = "Permission denied"
NOT_PERMITTED = "Operation not permitted"
NO_SUCH_CALL = os.strerror(errno.ENOSYS)  # what makes the C library take clone() instead
KILLED = "Bad system call"

# The deed, what it is done to, and how it ends: words, or the end of the worker.
DEEDS = [
    ("read", "/etc/passwd", NO),
    ("read", "{sibling}", NO),
    ("write", "{out}/planted", NO),
    ("write", "{cache}/planted", NO),
    ("unlink", "{another}", NO),
    ("chmod", "{sibling}", NOT_PERMITTED),
    ("reopen-input", "", NO),
    ("connect-out", "{port}", NO),
    ("connect", "{socket}", NO),
    ("signal-daemon", "", NOT_PERMITTED),
    ("starve-daemon", "", NOT_PERMITTED),
    ("outlive", "", NOT_PERMITTED),
    ("open-memory", "", NO),
    ("system", "{out}/ran-by-system", "No such file"),
    ("fork", "", NOT_PERMITTED),
    ("clone3", "", NO_SUCH_CALL),
    ("allocate", "", "Cannot allocate memory"),
    ("exec", "{out}/ran", KILLED),
    ("ptrace", "", KILLED),
    ("peek", "", KILLED),
]


def landlock():
    """Its version, 0 where the kernel has none."""
    said = json.loads(subprocess.run([harness.WORKER, "--probe-sandbox"], capture_output=True, check=True).stdout)
    return said["landlock"]["state"] == "on" and int(said["landlock"]["text"].rpartition(" ")[2])


class SandboxCase(TestCase):
    def setUp(self):
        super().setUp()
        self.out.chmod(0o777)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.home.chmod(0o777)
        self.programs = self.folder / "programs"  # profiles lie beside it
        self.programs.mkdir()
        shutil.copytree(harness.TOP / "profiles", self.folder / "profiles")
        for program in ("transcoded-worker", "transcoded-files"):
            for_everybody(harness.BUILD / program, self.programs)

    def service_of_nobody(self, environment=None, **configuration):
        """A transcoded that is no more than any other program here."""
        folder = self.home / "service"
        s = harness.Service(folder, {"socket_mode": "0666", **configuration},
                            environment=environment, program=for_everybody(harness.TRANSCODED, self.programs))
        folder.chmod(0o777)
        self.user = NOBODY if os.geteuid() == 0 else None
        s.start(user=self.user)
        self.addCleanup(s.__exit__, None)
        return s

    def lines(self, shown):
        return "\n".join(line for attempt in shown["attempts"] for line in attempt["log"])


@unittest.skipUnless(landlock() >= 6, "this kernel's Landlock lacks what the deeds are refused by")
class Exploited(SandboxCase):
    HARDWARE = "none"
    DEEDS = DEEDS

    def setUp(self):
        super().setUp()
        self.siblings = [self.folder / "sibling.txt", self.folder / "another.txt"]
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.places = {"out": self.out, "sibling": self.siblings[0], "another": self.siblings[1],
                       "port": listener.getsockname()[1]}
        self.start = film("start.mp4", seconds=1, audio=())
        self.template = clip("exploit.mp4", "-i", self.start, "-c", "copy", "-bsf:v",
                             f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{ROOM}")

    def media(self, number, deed, argument):
        """A film whose first packet says what is to be done. (The SEI of H.264
        has room for a stranger's text.)"""
        made = self.folder / f"{number}-{deed}.mp4"
        text = f"exploit@{deed}@{argument}!".encode()
        self.assertLessEqual(len(text), len(ROOM))
        made.write_bytes(self.template.read_bytes().replace(ROOM.encode(), text.ljust(len(ROOM), b"x")))
        made.chmod(0o666)
        return made

    def do_all(self, s, deeds):
        """Each deed in a job of its own, side by side: deed to job."""
        for sibling in self.siblings:
            sibling.write_text("private")
        if self.user:
            for place in (self.folder, *self.siblings):
                os.chown(place, self.user, self.user)
        cache = s.state / "cuda"
        cache.mkdir(exist_ok=True)
        cache.chmod(0o777)
        (cache / "kernel").write_text("compiled")
        places = dict(self.places, socket=s.socket, cache=cache)
        ids = {}
        for number, (deed, argument, _) in enumerate(deeds):
            source = self.media(number, deed, argument.format(**places))
            ids[number] = self.submit(s, self.made_into(source, f"{number}.mp4"))
        ids["good"] = self.submit(s, self.made_into(self.start, "good.mp4"))
        return {number: s.wait_for(id) for number, id in ids.items()}

    def made_into(self, source, output):
        fast = FAST if self.HARDWARE == "none" else {"video": {"max_height": 144}}
        return self.job(source, {"path": output, **fast, "audio": []}, overwrite=True, hardware=self.HARDWARE)

    def submit(self, s, job):
        """As the service's own user, who may name any path."""
        program = for_everybody(harness.TRANSCODECTL, self.programs)
        r = subprocess.run([program, "--socket", s.socket, "submit", "-"], input=json.dumps(job), text=True,
                           capture_output=True, user=self.user, cwd="/")
        self.assertEqual(r.returncode, 0, r.stderr)
        return int(r.stdout)

    def exploited_service(self, environment=None, **configuration):
        library = for_everybody(EXPLOIT, self.programs)
        return self.service_of_nobody({"LD_PRELOAD": str(library), "HOME": str(self.home), **(environment or {})},
                                      limits={"tries": 1, "worker_memory": "1G", "log_lines": 50}, **configuration)

    def test_deeds__with_the_sandbox__are_refused_and_nobody_else_is_harmed(self):
        s = self.exploited_service(sandbox="required")
        jobs = self.do_all(s, self.DEEDS)
        self.assertEqual(jobs.pop("good")["state"], "succeeded")
        for number, (deed, argument, end) in enumerate(self.DEEDS):
            with self.subTest(deed=deed, argument=argument):
                shown = jobs[number]
                lines = self.lines(shown)
                self.assertIn(f"exploit {deed}: begins", lines, shown)
                if end != "done":
                    self.assertNotIn(f"exploit {deed}: done", lines)
                if end == KILLED:
                    self.assertEqual(shown["state"], "failed", shown)
                    self.assertEqual(shown["attempts"][-1]["outcome"], "crashed", shown)
                    self.assertIn(KILLED, shown["attempts"][-1]["text"])
                else:
                    self.assertIn(f"exploit {deed}: {end}", lines)
                    self.assertEqual(shown["state"], "succeeded", shown)
        self.assertEqual([sibling.read_text() for sibling in self.siblings], ["private"] * 2)
        self.assertEqual([name for name in self.left() if not name.endswith(".mp4")], [])
        self.assertIsNone(s.process.poll())

    def test_debug__names_the_system_call(self):
        s = self.exploited_service(sandbox_debug=True)
        exec_ = next(d for d in DEEDS if d[0] == "exec")
        shown = self.do_all(s, [exec_])[0]
        self.assertEqual(shown["attempts"][-1]["outcome"], "crashed", shown)
        self.assertIn("no row allows the system call 'execve'", self.lines(shown))

    def test_deeds__without_the_sandbox__would_have_been_done(self):
        # nothing is left of a process that became another to say so
        deeds = [d for d in self.DEEDS if d[0] != "exec"]
        s = self.exploited_service(sandbox="off")
        self.assertIn("the sandbox is off", s.words())
        jobs = self.do_all(s, deeds)
        for number, (deed, argument, _) in enumerate(deeds):
            with self.subTest(deed=deed, argument=argument):
                self.assertIn(f"exploit {deed}: done", self.lines(jobs[number]), jobs[number])


class ExploitedOnGpu(Exploited):
    """The same in a worker of a card, with a stand-in for its driver."""

    HARDWARE = "require"
    # memory is not bounded there by what a process asks for
    DEEDS = [d for d in DEEDS if d[0] != "allocate"] + [("read", "{cache}/kernel", "done")]
    test_debug__names_the_system_call = None  # nor are these any other there
    test_deeds__without_the_sandbox__would_have_been_done = None

    def exploited_service(self, **configuration):
        libraries = self.folder / "libraries"
        libraries.mkdir()
        shutil.copy(harness.BUILD / "vgpu" / "libvgpu.so", libraries)
        for name in ("libcuda.so.1", "libnvcuvid.so.1", "libnvidia-encode.so.1", "libnvidia-ml.so.1"):
            (libraries / name).symlink_to("libvgpu.so")
        machine = self.folder / "machine"
        machine.mkdir()
        machine.chmod(0o777)
        s = super().exploited_service(environment={"LD_LIBRARY_PATH": str(libraries), "VGPU_MACHINE": str(machine)},
                                      sandbox_paths=[str(machine)], **configuration)
        wait_until(lambda: len(s.call("Devices")["parameters"]["devices"]) > 1, f"the survey\n{s.words()}")
        return s


class Settings(SandboxCase):
    """What the configuration says of it."""

    def without_seccomp(self):
        """A worker in a process that may put on no filter, as in some containers."""
        program = self.programs / "worker-without-seccomp"
        program.write_text("#!/usr/bin/env python3\n"
                           "import os, sys\n"
                           f"os.environ['LD_PRELOAD'] = {str(for_everybody(NO_SECCOMP, self.programs))!r}\n"
                           f"os.execv({str(self.programs / 'transcoded-worker')!r}, ['worker', *sys.argv[1:]])\n")
        program.chmod(0o755)
        return str(program)

    def run_film(self, s):
        return s.wait_for(s.submit(self.job(film(), {"path": "out.mp4", **FAST}, overwrite=True)))

    def test_layer__missing__ends_jobs_only_where_it_is_required(self):
        for mode, state, words in (("auto", "succeeded", "workers are less confined"),
                                   ("required", "failed", "no job can be done")):
            with self.subTest(mode=mode):
                s = self.service({"sandbox": mode, "worker": self.without_seccomp(), "limits": {"tries": 1}})
                wait_until(lambda: words in s.words(), "the service says so at its start")
                self.assertIn("'seccomp' is not available", s.words())
                shown = self.run_film(s)
                self.assertEqual(shown["state"], state, shown)
                if state == "failed":
                    self.assertIn("the sandbox's layer 'seccomp' is not available", shown["attempts"][-1]["text"])
                layers = {l["name"]: l for l in s.call("Diagnose")["parameters"]["process"]["layers"]}
                self.assertEqual(layers["seccomp"]["state"], "not available")
                self.assertEqual(layers["landlock"]["state"], "on" if landlock() else "not available")
                s.stop()
                shutil.rmtree(s.folder)

    def test_reload__changes_how_workers_are_confined(self):
        s = self.service({})
        def state():
            found = {l["name"]: l["state"] for l in s.call("Diagnose")["parameters"]["process"]["layers"]}
            return found.get("seccomp")
        wait_until(lambda: state() == "on", "workers are confined")
        s.configure({"sandbox": "off"})
        s.process.send_signal(harness.signal.SIGHUP)
        wait_until(lambda: state() == "off", "workers are not confined")
        self.assertIn("the sandbox is off", s.words())
        self.assertEqual(self.run_film(s)["state"], "succeeded")

    def test_standalone_worker__is_confined_too(self):
        said = json.loads(subprocess.run([harness.WORKER, "--standalone", "--probe-sandbox"], capture_output=True,
                                         text=True, check=True).stdout)
        self.assertEqual(said["seccomp"]["state"], "on")
        self.assertEqual(said["memory"]["state"], "on")


if __name__ == "__main__":
    harness.main()
