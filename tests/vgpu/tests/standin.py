"""What the suites share: a machine of their own, clips, ffmpeg on the stand-in.

Suites are unittest modules that end with `standin.main()`, which prints TAP.
The libraries are those below $TRANSCODED_BUILD (build/ by default); where they
are built with the address sanitizer, its runtime is loaded ahead.
"""

import atexit
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("TRANSCODED_BUILD", TOP / "build")).resolve()
LIBRARIES = BUILD / "vgpu"
PATIENCE = 120  # seconds, for what takes one

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

CUDA = ["-hwaccel", "cuda", "-hwaccel_output_format", "cuda"]
SOURCE = "testsrc2=size=320x180:rate=25:duration=1.2"


@functools.cache
def sanitizers():
    """The sanitizers' runtimes that the library wants, for LD_PRELOAD."""
    ldd = subprocess.run(["ldd", LIBRARIES / "libvgpu.so"], capture_output=True,
                         text=True, check=True)
    return re.findall(r"=> (\S*lib(?:asan|ubsan)\S*)", ldd.stdout)


class Machine:
    """One simulated machine. Settings are passed by name."""

    count = 0

    def __init__(self):
        Machine.count += 1
        self.folder = FOLDER / f"machine-{Machine.count}"

    def environment(self, **settings):
        e = {k: v for k, v in os.environ.items() if not k.startswith("VGPU_")}
        e |= {"VGPU_MACHINE": str(self.folder), "LD_LIBRARY_PATH": str(LIBRARIES),
              "ASAN_OPTIONS": "detect_leaks=0", "AV_LOG_FORCE_NOCOLOR": "1"}
        preload = sanitizers()
        if preload:
            e["LD_PRELOAD"] = ":".join(preload)
        return e | {f"VGPU_{k.upper()}": str(v) for k, v in settings.items()}

    def start(self, *arguments, level="warning", **settings):
        command = ["ffmpeg", "-nostdin", "-y", "-v", level, *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment(**settings), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ffmpeg(self, *arguments, **keywords):
        """Returns exit status, standard output and standard error."""
        child = self.start(*arguments, **keywords)
        try:
            out, error = child.communicate(timeout=PATIENCE)
        finally:
            child.kill()
        return child.returncode, out, error

    def control(self, *words):
        subprocess.run([LIBRARIES / "vgpuctl", *words], env=self.environment(),
                       check=True)

    def counters(self):
        out = subprocess.run([LIBRARIES / "vgpuctl", "counters"], check=True,
                             env=self.environment(), capture_output=True, text=True)
        return json.loads(out.stdout)

    def total(self):
        return self.counters()["total"]

    def is_locked(self):
        """By a process that looks at the machine's state, or changes it."""
        wish = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        with open(self.folder / "state", "r+b") as state:
            found = fcntl.fcntl(state, fcntl.F_OFD_GETLK, wish)
        return struct.unpack("hhqqi", found)[0] != fcntl.F_UNLCK


    def encoding(self):
        """The pids of those that have a session open."""
        return [p["pid"] for p in self.counters()["processes"] if p["sessions_open"]]

    def hold(self, pid):
        """Stop a process that has a session open, so that it keeps it; but not
        while it keeps all others from the machine. False: it has none any more."""
        try:
            self.halt(pid)
            while self.is_locked():
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
                self.halt(pid)
        except (ProcessLookupError, FileNotFoundError):
            return False
        if pid in self.encoding():
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    @staticmethod
    def halt(pid):
        os.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + PATIENCE
        while pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "TZ":
            assert time.monotonic() < end, f"{pid} does not stop"
            time.sleep(0.001)


def software(*arguments):
    """ffmpeg without any stand-in."""
    r = subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", *map(str, arguments)],
                       capture_output=True, text=True)
    if r.returncode:
        raise AssertionError(f"ffmpeg {arguments}: {r.stderr}")
    return r.stdout


def clip(name, *encoder, source=SOURCE, pixels="yuv420p"):
    """The path of a clip, made by its first user."""
    path = FOLDER / name
    if not path.exists():
        software("-f", "lavfi", "-i", source, "-pix_fmt", pixels, *encoder, path)
    return path


X265 = "log-level=none:pools=2:frame-threads=1:"


def h264_clip():
    return clip("h264.mp4", "-c:v", "libx264", "-preset", "fast", "-bf", "2", "-g", "20")


def hevc_clip():
    return clip("hevc.mp4", "-c:v", "libx265", "-preset", "fast", "-x265-params",
                X265 + "keyint=20")


def hevc10_clip():
    return clip("hevc10.mp4", "-c:v", "libx265", "-preset", "fast", "-x265-params",
                X265 + "keyint=20", pixels="yuv420p10le")


def frames(text):
    """Time stamp and hash of each frame, of the framemd5 format."""
    return [(f[2].strip(), f[5].strip()) for f in
            (line.split(",") for line in text.splitlines() if line[:1].isdigit())]


def probe(path, entries):
    """Rows of what ffprobe says of the video's frames or packets."""
    section = entries.split("=")[0]
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
                          entries, "-of", "json", path], capture_output=True, text=True,
                         check=True)
    return json.loads(out.stdout)[section + "s"]


def psnr(path, reference, chain):
    """dB of @path against @reference behind the filters @chain."""
    r = subprocess.run(["ffmpeg", "-nostdin", "-v", "info", "-i", path, "-i", reference,
                        "-lavfi", f"[1:v]{chain}[r];[0:v][r]psnr", "-f", "null", "-"],
                       capture_output=True, text=True, check=True)
    return float(re.search(r"average:(\S+)", r.stderr)[1])


class Tap(unittest.TestResult):
    number = 0

    def line(self, verdict, test, note="", text=""):
        self.number += 1
        name = test.id().removeprefix("__main__.")
        print(f"{verdict} {self.number} - {name}{note}", flush=True)
        for line in text.splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test, text=self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.line("not ok", subtest, text=self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")


class Case(unittest.TestCase):
    """One machine a test."""

    def setUp(self):
        self.machine = Machine()

    def succeed(self, *arguments, **keywords):
        status, out, error = self.machine.ffmpeg(*arguments, **keywords)
        self.assertEqual(status, 0, error)
        return out, error

    def assert_clean(self):
        """No client did what a driver need not forgive, and nothing leaked."""
        total = self.machine.total()
        wrong = {k: v for k, v in total.items()
                 if v and (k == "misuse" or k.startswith("leaked"))}
        self.assertEqual(wrong, {})
        return total


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = Tap()
    suite.run(result)
    print(f"1..{result.number}")
    sys.exit(not result.wasSuccessful())
