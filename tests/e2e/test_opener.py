#!/usr/bin/env python3
"""transcoded-files, the opener of jobs without a file channel, as a program."""

import array
import errno
import json
import os
import signal
import socket
import subprocess
import sys

import harness
from harness import BUILD, PATIENCE, wait_until

OPENER = BUILD / "transcoded-files"
# Starts it with the channel as descriptor 3, whatever number it has here.
LAUNCH = ["bash", "-c", 'exec "$0" 3<&"$1" "${@:2}"']
START = [*LAUNCH, OPENER]


class Worker:
    """The other end of a file channel, and the opener behind it."""

    def __init__(self, assignment, user=None, program=OPENER):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(PATIENCE)
        with theirs:
            self.opener = subprocess.Popen(
                [*LAUNCH, program, str(theirs.fileno())], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()], user=user)
        self.opener.stdin.write(json.dumps(assignment).encode() + b"\0")
        self.opener.stdin.flush()  # and stays open: the NUL is the end

    def ask(self, request):
        """The reply, and the descriptor that came with it or None."""
        self.channel.send(request.encode())
        reply, control, _, _ = self.channel.recvmsg(1024, socket.CMSG_SPACE(4))
        descriptors = array.array("i")
        for _, _, data in control:
            descriptors.frombytes(data)
        return reply.decode(), descriptors[0] if descriptors else None

    def begin(self, text):
        """Begin output 0 and write to it."""
        reply, descriptor = self.ask("output 0")
        assert reply == "ok output 0", reply
        os.write(descriptor, text)
        os.close(descriptor)

    def end(self):
        """Exit status and words, once the channel has hung up."""
        self.channel.close()
        _, words = self.opener.communicate(timeout=PATIENCE)
        return self.opener.returncode, words.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        if self.opener.poll() is None:
            self.opener.kill()
        self.opener.communicate()


class Opener(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.input = self.folder / "input"
        self.input.write_text("film")

    def assignment(self, **fields):
        return {"job": {"input": {"path": str(self.input)},
                        "outputs": [{"path": str(self.out / "film.mkv")}]},
                "read_roots": [str(self.folder)], "write_roots": [str(self.out)], **fields}

    def test_job__below_the_roots__is_served_to_its_end(self):
        with Worker(self.assignment()) as worker:
            reply, descriptor = worker.ask("input 0")
            self.assertEqual(reply, "ok input 0")
            self.assertEqual(os.read(descriptor, 10), b"film")
            os.close(descriptor)
            worker.begin(b"new")
            self.assertEqual(worker.ask("done output 0"), ("ok done output 0", None))
            self.assertEqual(worker.end(), (0, ""))
        self.assertEqual(self.left(), ["film.mkv"])

    def test_job__outside_the_roots__gets_words(self):
        for fields, request, words in (
                ({"read_roots": []}, "input 0", "'roots.read'"),
                ({"write_roots": []}, "output 0", "'roots.write'"),
                ({"read_roots": [str(self.out)]}, "input 0", "below none of the roots")):
            with self.subTest(request=request), Worker(self.assignment(**fields)) as worker:
                reply, descriptor = worker.ask(request)
                self.assertIsNone(descriptor)
                self.assertTrue(reply.startswith(f"error {request} 13 "), reply)
                self.assertIn(words, reply)

    def test_any__opens_what_its_uid_may(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to become nobody")
        self.folder.chmod(0o755)
        self.input.chmod(0o600)
        fields = {"read_roots": [], "write_roots": [], "any": True}
        with Worker(self.assignment(**fields)) as worker:
            self.assertEqual(worker.ask("input 0")[0], "ok input 0")
        program = harness.for_everybody(OPENER, self.folder)
        with Worker(self.assignment(**fields), user=65534, program=program) as worker:
            self.assertIn("Permission denied", worker.ask("input 0")[0])
            self.assertIn("Permission denied", worker.ask("output 0")[0])

    def test_hang_up__half_an_output__is_left_only_where_it_was_read_already(self):
        for delivery, data, left in (("complete", b"half", 0), ("growing", b"", 0), ("growing", b"half", 1)):
            assignment = self.assignment()
            assignment["job"]["delivery"] = delivery
            with self.subTest(delivery=delivery, data=data), Worker(assignment) as worker:
                worker.begin(data)
                self.assertEqual(worker.end(), (0, ""))
                self.assertEqual([(self.out / n).read_bytes() for n in self.left()], [b"half"] * left)

    def test_sigterm__half_an_output__is_as_a_hang_up(self):
        for delivery, left in ("complete", []), ("growing", ["film.mkv"]):
            assignment = self.assignment()
            assignment["job"]["delivery"] = delivery
            with self.subTest(delivery=delivery), Worker(assignment) as worker:
                worker.begin(b"half")
                worker.opener.send_signal(signal.SIGTERM)
                self.assertEqual(worker.channel.recv(1), b"")
                self.assertEqual(worker.end(), (0, ""))
                self.assertEqual(self.left(), left)

    def test_sigkill__half_an_output__leaves_nothing(self):
        with Worker(self.assignment()) as worker:
            worker.begin(b"half")
            worker.opener.kill()
            worker.opener.wait(PATIENCE)
            self.assertEqual(self.left(), [])

    def test_parent_killed__it_is_gone_too(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE)
        # a parent in between, which says whose it is and then waits to be killed
        parent = subprocess.Popen(
            [sys.executable, "-c",
             "import subprocess, sys; subprocess.Popen(sys.argv[1:], close_fds=False).wait()",
             *map(str, START), str(theirs.fileno())],
            stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
        theirs.close()
        parent.stdin.write(json.dumps(self.assignment()).encode() + b"\0")
        parent.stdin.flush()
        ours.send(b"input 0")
        self.assertEqual(ours.recv(1024), b"ok input 0")  # it is up
        parent.kill()
        parent.wait(PATIENCE)
        self.assertEqual(ours.recv(1024), b"")
        parent.stdin.close()
        ours.close()

    def test_descriptors__are_its_own_four(self):
        with Worker(self.assignment()) as worker:
            worker.ask("attempt 1")
            listed = os.listdir(f"/proc/{worker.opener.pid}/fd")
            self.assertEqual(sorted(map(int, listed)), [0, 1, 2, 3])

    def test_mark__same_job_again__replaces_its_own_output(self):
        try:
            os.setxattr(self.input, "user.x", b"")
        except OSError as e:
            self.skipTest(f"no extended attributes here: {e}")
        for text, mark, expect in ((b"first", "17", "ok output 0"),
                                   (b"again", "17", "ok output 0"),
                                   (b"other", "18", "error output 0 17 ")):
            with Worker(self.assignment(mark=mark)) as worker:
                reply, descriptor = worker.ask("output 0")
                self.assertTrue(reply.startswith(expect), reply)
                if descriptor is not None:
                    os.write(descriptor, text)
                    os.close(descriptor)
                    self.assertEqual(worker.ask("done output 0")[0], "ok done output 0")
        self.assertEqual((self.out / "film.mkv").read_bytes(), b"again")

    def test_worker__that_breaks_the_protocol__is_left(self):
        with Worker(self.assignment()) as worker:
            worker.channel.send(b"output /etc/passwd")
            self.assertEqual(worker.channel.recv(1), b"")
            status, words = worker.end()
            self.assertEqual(status, 1)
            self.assertIn("not a request of the file channel", words)

    def test_assignment__invalid__says_what_is_wrong(self):
        for assignment, words in (({}, "job"), ([], "object"), (self.assignment(x=1), "x: ")):
            with self.subTest(words=words), Worker(assignment) as worker:
                status, said = worker.end()
                self.assertEqual(status, 1)
                self.assertIn("transcoded-files: ", said)
                self.assertIn(words, said)

    def test_started_by_hand__says_what_it_is(self):
        r = subprocess.run([OPENER], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=PATIENCE)
        self.assertEqual(r.returncode, 1)
        self.assertIn("no file channel", r.stderr)
        r = subprocess.run([OPENER, "file"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(r.returncode, 1)
        self.assertIn("started by transcoded", r.stderr)
        r = subprocess.run([OPENER, "--version"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((r.returncode, r.stdout.split()[0]), (0, "transcoded-files"))

    def diagnose(self, asked, user=None):
        """What it tells of each folder."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            program = harness.for_everybody(OPENER, self.folder)
            r = subprocess.run(["sh", "-c", f'exec "$0" --diagnose 3<&{theirs.fileno()}', program],
                               input=asked, capture_output=True, pass_fds=[theirs.fileno()], user=user,
                               timeout=PATIENCE)
            theirs.close()
            told = b"".join(iter(lambda: ours.recv(65536), b""))
        return r, [json.loads(text) for text in told.split(b"\0")[:-1]]

    def test_diagnose__tells_of_each_folder_and_leaves_nothing(self):
        for name, mode in (("store", 0o777), ("media", 0o755), ("closed", 0o700), ("out", 0o777)):
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name).chmod(mode)
        (self.folder / "file").write_text("")
        paths = {n: str(self.folder / n) for n in ("store", "media", "closed", "out", "file", "gone")}
        asked = {"store": paths["store"], "read_roots": [paths["media"], paths["closed"], paths["gone"]],
                 "write_roots": [paths["out"], paths["media"], paths["file"]]}
        stranger = None if os.geteuid() else 65534
        r, told = self.diagnose(json.dumps(asked).encode(), stranger)
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        denied = errno.EACCES if stranger else 0
        self.assertEqual([(f["role"], f["path"], f["error"]) for f in told], [
            ("store", paths["store"], 0), ("read", paths["media"], 0), ("read", paths["closed"], denied),
            ("read", paths["gone"], errno.ENOENT), ("write", paths["out"], 0),
            ("write", paths["media"], denied), ("write", paths["file"], errno.ENOTDIR)])
        self.assertGreater(told[4]["total"], told[4]["free"])
        self.assertEqual([p.name for n in ("store", "media", "out") for p in (self.folder / n).iterdir()], [])

    def test_diagnose__nonsense__is_refused_in_words(self):
        for asked in b"", b"{", b"{}", b'{"store": 1}':
            with self.subTest(asked):
                r, told = self.diagnose(asked)
                self.assertEqual((r.returncode, told), (1, []))
                self.assertIn(b"transcoded-files: ", r.stderr)


if __name__ == "__main__":
    harness.main()
