#!/usr/bin/env python3
"""Every fault is seen by ffmpeg as the driver's would be."""

import re
import signal
import subprocess
import time

import standin

ENCODE = [*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=640:360", "-c:v",
          "h264_nvenc"]
NULL = ["-f", "null", "-"]

# Name, settings, whether ffmpeg fails, what it says.
FAULTS = [
    ("no_driver", {"no_driver": 1}, True, "CUDA_ERROR_NO_DEVICE"),
    ("old_driver", {"nvenc_version": "10.0"}, True,
     "Driver does not support the required nvenc API version. Required: 11.1 Found: 10.0"),
    ("newer_driver", {"nvenc_version": "12.2"}, False, ""),
    ("open_refused", {"open_error": 2}, True,
     "OpenEncodeSessionEx failed: unsupported device (2)"),
    ("kernels_too_new", {"load_error": 222}, True, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
    ("create", {"fail_create": 1}, True, "decoder->cvdl->cuvidCreateDecoder"),
    ("decode", {"fail_decode": 5}, False, "decoder->cvdl->cuvidDecodePicture"),
    ("map", {"fail_map": 5}, False, "CUDA_ERROR_MAP_FAILED"),
    ("launch", {"fail_launch": 5}, True, "CUDA_ERROR_LAUNCH_FAILED"),
    ("alloc", {"fail_alloc": 3}, True, "out of memory"),
    ("encode", {"fail_encode": 5}, True, "EncodePicture failed!: generic error (20): as asked"),
    ("lock", {"fail_lock": 5}, True, "Failed locking bitstream buffer: generic error (20): as asked"),
    ("lost_while_decoding", {"fail_decode": 5, "sticky": 1}, True, "CUDA_ERROR_UNKNOWN"),
    ("lost_while_launching", {"fail_launch": 9, "sticky": 1}, True, "CUDA_ERROR_"),
    ("lost_while_encoding", {"fail_encode": 5, "sticky": 1}, True, "EncodePicture failed"),
    ("lost_with_another_error", {"fail_decode": 5, "sticky": 1, "lost_error": 700}, True,
     "CUDA_ERROR_ILLEGAL_ADDRESS"),
]


class Faults(standin.Case):
    def see(self, settings, fails, expected):
        status, _, error = self.machine.ffmpeg(*ENCODE, *NULL, **settings)
        self.assertEqual(status != 0, fails, error)
        self.assertIn(expected, error)
        self.assertEqual(self.machine.counters()["vram_used"], 0)

    def test_device_lost_for_the_machine__stays_lost_until_reset(self):
        status, _, _ = self.machine.ffmpeg(*ENCODE, *NULL, fail_encode=5, sticky=2)
        self.assertNotEqual(status, 0)
        status, _, error = self.machine.ffmpeg(*ENCODE, *NULL)
        self.assertNotEqual(status, 0)
        self.assertIn("CUDA_ERROR_UNKNOWN", error)
        self.machine.control("reset")
        self.succeed(*ENCODE, *NULL)

    def test_crash__kills_the_process_and_frees_its_session(self):
        status, _, _ = self.machine.ffmpeg(*ENCODE, *NULL, crash_encode=5)
        self.assertEqual(status, -signal.SIGSEGV)
        state = self.machine.counters()
        self.assertEqual((state["sessions_used"], state["processes_killed"]), (0, 1))
        self.assertEqual(state["total"]["encoded"], 4)

    def test_hang__ends_by_sigkill_only(self):
        child = self.machine.start(*ENCODE, *NULL, hang_encode=5)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        end = time.monotonic() + standin.PATIENCE
        while self.machine.total()["encoded"] < 4:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        child.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            child.wait(timeout=0.7)
        child.kill()
        child.wait()
        self.assertEqual(self.machine.counters()["sessions_used"], 0)

    def test_slow_encoding__takes_its_time(self):
        begin = time.monotonic()
        self.succeed(*ENCODE, *NULL, slow_encode=20)
        self.assertGreater(time.monotonic() - begin, 30 * 0.02)


class Control(standin.Case):
    """The control file reaches processes that start later."""

    def test_control_file__goes_before_the_environment(self):
        self.machine.control("set", "fail_encode = 3", "name=Test card # not the real one")
        status, _, error = self.machine.ffmpeg(*ENCODE, *NULL, fail_encode=0)
        self.assertNotEqual(status, 0)
        self.assertIn("as asked", error)
        self.machine.control("set")
        self.succeed(*ENCODE, *NULL)

    def test_unknown_setting__is_named(self):
        self.machine.control("set", "no_such_thing=1", "sessions=many")
        _, error = self.succeed(*ENCODE, *NULL)
        self.assertIn("no such setting in the control file: 'no_such_thing", error)
        self.assertIn("not a number in the control file: 'sessions", error)


class Manual(standin.Case):
    """README.md has the table of settings as it is, and every counter."""

    def setUp(self):
        super().setUp()
        self.text = (standin.TOP / "tests/vgpu/README.md").read_text()

    def test_settings__are_as_in_the_readme(self):
        out = subprocess.run([standin.LIBRARIES / "vgpuctl", "settings"], check=True,
                             capture_output=True, text=True, env=self.machine.environment())
        self.assertGreater(len(out.stdout.splitlines()), 40)
        self.assertIn(out.stdout, self.text)

    def test_counters__are_in_the_readme(self):
        names = [*self.machine.counters(), *self.machine.total()]
        self.assertEqual([n for n in names if f"`{n}`" not in self.text], [])


class Ignorance(standin.Case):
    """Nothing in the programs knows that there is a stand-in."""

    def test_sources__name_no_stand_in(self):
        found = [str(path) for folder in ("src", "include", "profiles")
                 for path in sorted((standin.TOP / folder).rglob("*"))
                 if path.is_file() and re.search(rb"vgpu|stand.in for the driver",
                                                 path.read_bytes(), re.I)]
        self.assertEqual(found, [])


def add(name, *case):
    setattr(Faults, f"test_{name}__is_seen", lambda self: self.see(*case))


for fault in FAULTS:
    add(*fault)


if __name__ == "__main__":
    standin.main()
