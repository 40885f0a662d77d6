#!/usr/bin/env python3
"""Sessions and memory are the machine's, over all processes, and what a process
held comes back however it ends."""

import signal
import subprocess
import sys
import time

import standin

ENCODE = [*standin.CUDA, "-i", standin.h264_clip(), "-vf", "scale_cuda=640:360"]
ONE = [*ENCODE, "-c:v", "h264_nvenc", "-f", "null", "-"]
MEMORY = "out of memory (10)"


class Sessions(standin.Case):
    # A process that is stopped keeps its session: what is held stays held.

    def wait_for(self, predicate):
        end = time.monotonic() + standin.PATIENCE
        while not predicate(self.machine.counters()):
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def start(self, slow_encode=100):
        child = self.machine.start(*ONE, slow_encode=slow_encode)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        return child

    def hold(self, used=1):
        """An encoder with a session, stopped so that it stays as long as it takes."""
        before = self.machine.total()["encoded"]
        child = self.start()
        self.wait_for(lambda c: c["sessions_used"] == used and c["total"]["encoded"] > before)
        self.assertTrue(self.machine.hold(child.pid))
        return child

    def test_four_processes_on_three_sessions__one_is_refused(self):
        children = [self.hold(n + 1) for n in range(3)]
        status, _, error = self.machine.ffmpeg(*ONE)
        self.assertNotEqual(status, 0)
        self.assertIn("OpenEncodeSessionEx failed: " + MEMORY, error)
        for child in children:
            child.send_signal(signal.SIGCONT)
        for child in children:
            _, error = child.communicate(timeout=standin.PATIENCE)
            self.assertEqual(child.returncode, 0, error)
        total = self.machine.total()
        self.assertEqual(total["sessions_peak"], 3)
        self.assertEqual(total["sessions_refused"], 1)
        self.assertEqual(total["encoded"], 90)
        self.assertEqual(self.machine.counters()["sessions_used"], 0)

    def test_four_processes_at_once__three_are_served(self):
        children = [self.start(slow_encode=250) for _ in range(4)]
        self.wait_for(lambda c: c["total"]["sessions_refused"] == 1)
        ends = [(child.communicate(timeout=standin.PATIENCE)[1], child.returncode)
                for child in children]
        self.assertEqual(sorted(status == 0 for _, status in ends), [False, True, True, True])

    def test_one_process_with_four_sessions__is_refused(self):
        status, _, error = self.machine.ffmpeg(
            *standin.CUDA, "-i", standin.h264_clip(), "-filter_complex",
            "scale_cuda=320:180,split=4[a][b][c][d]",
            *(w for l in "abcd" for w in ("-map", f"[{l}]", "-c:v", "h264_nvenc", "-f", "null",
                                          "-")))
        self.assertNotEqual(status, 0)
        self.assertIn(MEMORY, error)

    def test_newer_drivers__answer_21(self):
        self.hold()
        status, _, error = self.machine.ffmpeg(*ONE, sessions=1, session_error=21)
        self.assertNotEqual(status, 0)
        self.assertIn("OpenEncodeSessionEx failed: incompatible client key (21)", error)

    def test_foreign_sessions__count(self):
        status, _, error = self.machine.ffmpeg(*ONE, foreign_sessions=3)
        self.assertNotEqual(status, 0)
        self.assertIn(MEMORY, error)
        self.succeed(*ONE, foreign_sessions=2)

    def test_killed_process__frees_its_session(self):
        child = self.hold()
        status, _, _ = self.machine.ffmpeg(*ONE, sessions=1)
        self.assertNotEqual(status, 0)
        child.kill()
        child.communicate()
        self.succeed(*ONE, sessions=1)
        state = self.machine.counters()
        self.assertEqual((state["processes_killed"], state["vram_used"]), (1, 0))
        # What it had counted is not lost with it.
        self.assertEqual(state["total"]["contexts"], 3)

    def test_machines__do_not_see_each_other(self):
        self.hold()
        status, _, error = standin.Machine().ffmpeg(*ONE, sessions=1)
        self.assertEqual(status, 0, error)

    def test_counters_of_ended_processes__are_written(self):
        self.succeed(*ONE)
        text = (self.machine.folder / "ended.jsonl").read_text()
        self.assertIn('"program":"ffmpeg","ended":"exited"', text)


class Memory(standin.Case):
    def refuse(self, expected, **settings):
        status, _, error = self.machine.ffmpeg(*ONE, **settings)
        self.assertNotEqual(status, 0)
        self.assertIn(expected, error)
        self.assertEqual(self.machine.counters()["vram_used"], 0)

    def test_no_room_for_a_context(self):
        self.refuse("CUDA_ERROR_OUT_OF_MEMORY", vram=32)

    def test_no_room_for_the_surfaces(self):
        self.refuse("out of memory", vram=66)

    def test_no_room_for_a_session(self):
        self.refuse("OpenEncodeSessionEx failed: " + MEMORY, vram=90, session_vram=64, session_fixed_vram=64)

    def test_no_room_for_a_sessions_pictures(self):
        self.refuse("InitializeEncoder failed: " + MEMORY, vram=90, session_vram=4096)

    def test_foreign_memory__counts(self):
        self.refuse("CUDA_ERROR_OUT_OF_MEMORY", foreign_vram=4090)

    def test_peak__is_what_was_used(self):
        self.succeed(*ONE)
        peak = self.machine.total()["vram_peak"]
        self.assertGreater(peak, (64 + 16) << 20)
        self.assertLess(peak, (64 + 16 + 32) << 20)

    def test_memory_of_a_session__goes_by_its_size(self):
        self.succeed(*ONE)
        small = self.machine.total()["vram_peak"]
        self.machine = standin.Machine()
        self.succeed(*ONE, session_fixed_vram=48)
        # 640x360 is a ninth of what the rest is for
        self.assertAlmostEqual(self.machine.total()["vram_peak"] - small, (32 << 20) * 8 // 9, delta=1 << 20)

    def test_context_memory__can_be_set(self):
        self.succeed(*ONE, context_vram=300, session_vram=10)
        self.assertGreater(self.machine.total()["vram_peak"], 310 << 20)


LEAK = """
import ctypes
cuda = ctypes.CDLL("libcuda.so.1")
handle, array = ctypes.c_void_p(), (ctypes.c_ulonglong * 64)()
cuda.cuInit(0)
for n in range(2):
    cuda.cuCtxCreate_v2(ctypes.byref(handle), 0, 0)
for n in range(3):
    cuda.cuMemAlloc_v2(ctypes.byref(array, 8 * n), ctypes.c_size_t(1 << 20))
"""


class Leaks(standin.Case):
    def test_what_is_left_at_exit__is_counted(self):
        subprocess.run([sys.executable, "-c", LEAK], check=True, env=self.machine.environment())
        state = self.machine.counters()
        self.assertEqual(state["total"]["leaked_contexts"], 2)
        self.assertEqual(state["total"]["leaked_allocations"], 3)
        self.assertEqual(state["vram_used"], 0)


if __name__ == "__main__":
    standin.main()
