#!/usr/bin/env python3
"""NVML tells what all processes of the machine are doing."""

import ctypes
import json
import subprocess
import sys
import time

import standin

# So long that it is still at it when somebody looks.
ENCODE = [*standin.CUDA, "-stream_loop", 1000, "-i", standin.h264_clip(), "-vf", "scale_cuda=640:360", "-c:v",
          "hevc_nvenc", "-f", "null", "-"]


class Session(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint) for n in
                ("id", "pid", "instance", "codec", "width", "height", "fps", "latency")]


class Process(ctypes.Structure):
    _fields_ = [("pid", ctypes.c_uint), ("memory", ctypes.c_ulonglong),
                ("a", ctypes.c_uint), ("b", ctypes.c_uint)]


class Memory(ctypes.Structure):
    _fields_ = [(n, ctypes.c_ulonglong) for n in ("total", "free", "used")]


def ask(card):
    """What NVML says of a card, as a dictionary. Runs in a process of its own."""
    nvml = ctypes.CDLL("libnvidia-ml.so.1")
    status = nvml.nvmlInit_v2()
    if status:
        return {"init": status}
    device = ctypes.c_void_p()
    answer = {"handle": nvml.nvmlDeviceGetHandleByIndex_v2(card, ctypes.byref(device))}
    if answer["handle"]:
        return answer

    def text(function, *before):
        room = ctypes.create_string_buffer(96)
        function(*before, room, 96)
        return room.value.decode()

    def number(function, *more):
        value = ctypes.c_uint()
        status = function(device, *more, ctypes.byref(value))
        return value.value if status == 0 else -status

    memory = Memory()
    nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory))
    count = ctypes.c_uint(0)
    nvml.nvmlDeviceGetEncoderSessions(device, ctypes.byref(count), None)
    sessions = (Session * max(1, count.value))()
    nvml.nvmlDeviceGetEncoderSessions(device, ctypes.byref(count), sessions)
    room = ctypes.c_uint(64)
    processes = (Process * 64)()
    nvml.nvmlDeviceGetComputeRunningProcesses_v2(device, ctypes.byref(room), processes)
    load = []
    for function in (nvml.nvmlDeviceGetEncoderUtilization, nvml.nvmlDeviceGetDecoderUtilization):
        value, period = ctypes.c_uint(), ctypes.c_uint()
        function(device, ctypes.byref(value), ctypes.byref(period))
        time.sleep(0.3)
        function(device, ctypes.byref(value), ctypes.byref(period))
        load.append(value.value)
    return answer | {
        "driver": text(nvml.nvmlSystemGetDriverVersion),
        "name": text(nvml.nvmlDeviceGetName, device),
        "uuid": text(nvml.nvmlDeviceGetUUID, device),
        "total": memory.total, "used": memory.used, "free": memory.free,
        "temperature": number(nvml.nvmlDeviceGetTemperature, 0),
        "power": number(nvml.nvmlDeviceGetPowerUsage),
        "capacity": number(nvml.nvmlDeviceGetEncoderCapacity, 0),
        "sessions": [[s.pid, s.codec, s.width, s.height] for s in sessions[:count.value]],
        "processes": [[p.pid, p.memory] for p in processes[:room.value]],
        "encoder": load[0], "decoder": load[1],
    }


class Nvml(standin.Case):
    def ask(self, card=0, **settings):
        r = subprocess.run([sys.executable, __file__, "--ask", str(card)], text=True, check=True,
                           capture_output=True, env=self.machine.environment(**settings))
        return json.loads(r.stdout)

    def busy(self, **settings):
        """An encoder that has begun."""
        child = self.machine.start(*ENCODE, slow_encode=100, **settings)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        end = time.monotonic() + standin.PATIENCE
        while not self.machine.total()["encoded"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        return child

    def test_idle_card__is_a_p1000(self):
        answer = self.ask()
        self.assertEqual(answer["name"], "Quadro P1000")
        self.assertEqual(answer["driver"], "470.256.02")
        self.assertEqual((answer["total"], answer["used"]), (4096 << 20, 0))
        self.assertEqual((answer["temperature"], answer["power"]), (48, 18500))
        self.assertEqual((answer["sessions"], answer["processes"]), ([], []))
        self.assertEqual(answer["capacity"], 100)

    def test_sessions__have_pid_codec_and_size(self):
        child = self.busy()
        answer = self.ask()
        self.assertEqual(answer["sessions"], [[child.pid, 1, 640, 360]])
        self.assertEqual([p[0] for p in answer["processes"]], [child.pid])
        self.assertGreater(answer["processes"][0][1], 80 << 20)  # a context and a small session
        self.assertEqual(answer["used"], answer["processes"][0][1])
        self.assertIn(answer["encoder"], range(1, 101))

    def test_killed_process__is_gone(self):
        child = self.busy()
        child.kill()
        child.wait()
        answer = self.ask()
        self.assertEqual((answer["sessions"], answer["processes"]), ([], []))
        self.assertEqual(answer["used"], 0)

    def test_foreign_use__is_shown(self):
        answer = self.ask(foreign_sessions=2, foreign_vram=512)
        self.assertEqual(len(answer["sessions"]), 2)
        self.assertEqual(answer["used"], 512 << 20)
        self.assertEqual(answer["processes"], [[1, 512 << 20]])

    def test_missing_driver__is_said(self):
        self.assertEqual(self.ask(no_driver=1), {"init": 9})

    def test_mismatch__is_said(self):
        self.assertEqual(self.ask(nvml_error=18), {"init": 18})

    def test_cards__have_what_is_theirs(self):
        child = self.busy(cards=2)
        first, second = self.ask(0, cards=2), self.ask(1, cards=2)
        self.assertEqual([c["uuid"][-2:] for c in (first, second)], ["01", "02"])
        self.assertEqual([[p[0] for p in c["processes"]] for c in (first, second)], [[child.pid], []])
        self.assertEqual([len(c["sessions"]) for c in (first, second)], [1, 0])
        self.assertEqual(second["used"], 0)
        self.assertEqual(self.ask(2, cards=2), {"handle": 2})
        self.assertEqual(self.ask(1), {"handle": 2})

    def test_second_card__is_used_alone(self):
        child = self.machine.start("-init_hw_device", "cuda=second:1", "-hwaccel", "cuda", "-hwaccel_device", "second",
                                   *ENCODE[ENCODE.index("-hwaccel_output_format"):], slow_encode=100, cards=2)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        end = time.monotonic() + standin.PATIENCE
        while not self.machine.total()["encoded"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        first, second = self.ask(0, cards=2), self.ask(1, cards=2)
        self.assertEqual([len(c["sessions"]) for c in (first, second)], [0, 1])
        self.assertEqual([p[0] for p in second["processes"]], [child.pid])
        self.assertEqual(first["used"], 0)
        self.assertGreater(second["processes"][0][1], (64 + 16) << 20)

    def test_power__may_be_unsupported(self):
        self.assertEqual(self.ask(power=0)["power"], -3)

    def test_readings__may_be_missing(self):
        foreign = {"foreign_sessions": 2, "foreign_vram": 512}
        answer = self.ask(nvml_lacks=7, **foreign)
        self.assertEqual((answer["total"], answer["sessions"]), (0, []))
        self.assertEqual(answer["processes"], [[1, 2**64 - 1]])
        self.assertEqual(answer["uuid"][:4], "GPU-")
        answer = self.ask(nvml_lacks=8, **foreign)
        self.assertEqual((answer["uuid"], answer["total"], len(answer["sessions"])), ("", 4096 << 20, 2))

    def test_lost_device__is_said(self):
        self.machine.ffmpeg(*ENCODE, fail_encode=3, sticky=2)
        self.assertEqual(self.ask()["handle"], 15)


if __name__ == "__main__":
    if "--ask" in sys.argv:
        print(json.dumps(ask(int(sys.argv[-1]))))
    else:
        standin.main()
