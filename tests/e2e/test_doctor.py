#!/usr/bin/env python3
"""transcodectl doctor on a made-up machine with a Quadro P1000, in good health,
and with one thing after the other broken.

/sys, /proc and /dev are a folder (TRANSCODED_SYSTEM_ROOT), the driver is the
stand-in. What only a kernel can do, device rules say, is in tests/ctl, where
what the service would say is made up, too.
"""

import contextlib
import json
import os
import shutil
import subprocess
import unittest

import gpucase
import harness
from harness import BUILD, TRANSCODECTL, wait_until

DRIVER = "470.256.02"
VERSION = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {DRIVER}  Thu May  2 14:37:44 UTC 2024\n"
MODULES = ("nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia", "i2c_core")
NODES = ("nvidia0", "nvidiactl", "nvidia-modeset", "nvidia-uvm", "nvidia-uvm-tools",
         "dri/card0", "dri/renderD128")
VGPU = BUILD / "vgpu"


class Machine:
    """A folder with what doctor reads of a machine."""

    def __init__(self, folder):
        self.root = folder
        self.card("0000:01:00.0", "0x10de", "0x1cb1", "nvidia")
        self.drm("card0", "0000:01:00.0")
        self.drm("renderD128", "0000:01:00.0")
        self.write("proc/modules", "".join(f"{m} 1 0 - Live 0x0 (PO)\n" for m in MODULES))
        self.write("proc/driver/nvidia/version", VERSION)
        self.write("run/nvidia-persistenced/socket", "")
        for node in NODES:
            self.write(f"dev/{node}", "")
            (self.root / "dev" / node).chmod(0o666)

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, text):
        self.path(name).write_text(text)

    def link(self, name, target):
        path = self.path(name)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.symlink_to(target)

    def card(self, slot, vendor, device, driver):
        folder = f"sys/bus/pci/devices/{slot}"
        self.write(f"{folder}/class", "0x030000\n")
        self.write(f"{folder}/vendor", vendor + "\n")
        self.write(f"{folder}/device", device + "\n")
        self.link(f"{folder}/driver", f"../../../../bus/pci/drivers/{driver}")

    def drm(self, name, slot):
        self.link(f"sys/class/drm/{name}/device", f"../../../bus/pci/devices/{slot}")

    def remove(self, name):
        path = self.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class Doctor(harness.TestCase):
    def setUp(self):
        super().setUp()
        if not (VGPU / "libcuda.so.1").exists():
            self.skipTest("the stand-in for the driver is not built: make vgpu")
        self.machine = Machine(self.folder / "machine")
        self.gpu = self.folder / "gpu"
        self.gpu.mkdir()
        self.gpu.chmod(0o777)
        self.root_environment = {"TRANSCODED_SYSTEM_ROOT": str(self.folder / "machine"),
                                 "LC_ALL": "C.UTF-8"}
        self.environment = {**self.root_environment, "VGPU_MACHINE": str(self.gpu),
                            "LD_LIBRARY_PATH": str(VGPU), "CUDA_VISIBLE_DEVICES": "0",
                            "NVIDIA_VISIBLE_DEVICES": "all",
                            "NVIDIA_DRIVER_CAPABILITIES": "compute,video,utility"}

    def start(self, configuration=None, **environment):
        configuration = configuration or {"roots": {"read": ["/"], "write": [str(self.out)]}}
        given = {k: v for k, v in {**self.environment, **environment}.items() if v is not None}
        s = self.service(configuration, environment=given)
        self.surveyed(s)
        wait_until(lambda: s.call("Diagnose")["parameters"]["process"]["layers"],
                   "the first worker has told its sandbox")
        return s

    def surveyed(self, service):
        wait_until(lambda: service.call("Diagnose")["parameters"]["surveyed"], "the GPUs are surveyed")

    def sampled(self, service):
        """Until the card's readings are there."""
        def gpu():
            devices = service.call("Devices")["parameters"]["devices"]
            return len(devices) > 1 and devices[1]["gpu"]["temperature"] is not None
        wait_until(gpu, "the card is watched")

    def ask(self, *arguments, socket=None, status=None, user=None, **environment):
        r = subprocess.run([TRANSCODECTL, "--socket", socket or self.folder / "service/io.transcoded",
                            "doctor", *arguments], capture_output=True, text=True, user=user,
                           env={**os.environ, **self.root_environment, **environment},
                           timeout=harness.PATIENCE)
        self.assertEqual(r.stderr, "")
        if status is not None:
            self.assertEqual(r.returncode, status, r.stdout)
        return r.stdout

    def findings(self, *arguments, **keywords):
        lines = self.ask("--json", *arguments, **keywords).splitlines()
        found = [json.loads(line) for line in lines]
        self.assertEqual(len(found), len({f["id"] for f in found}), "one object a check")
        for f in found:  # as transcodectl(1) has it
            self.assertEqual(set(f), {"id", "state", "found", "fix"})
            self.assertIn(f["state"], ("good", "note", "warning", "bad"))
            self.assertTrue(f["found"], f)
            if f["state"] in ("warning", "bad"):
                self.assertTrue(f["fix"], f)
        return {f["id"]: f for f in found}

    def states(self, found, *, but=()):
        return {id: f["state"] for id, f in found.items() if f["state"] != "good" and id not in but}

    # What is no matter of the machine's here: who runs the tests, in what.
    CIRCUMSTANCES = ("groups",)

    def broken(self, **keywords):
        """What is not good, with the words of what is bad."""
        found = self.findings(**keywords)
        return self.states(found, but=self.CIRCUMSTANCES), found

    def test_healthy__all_is_good(self):
        service = self.start()
        self.sampled(service)
        states, found = self.broken(status=0)
        self.assertEqual(states, {}, found)
        self.assertEqual(found["card"]["found"], "Quadro P1000 (10de:1cb1) at 0000:01:00.0")
        self.assertEqual(found["driver"]["found"], f"{DRIVER}, as expected")
        self.assertEqual(found["health"]["found"], "cuda:0: 48 °C; cuda:0: 18 W")
        self.assertIn(str(VGPU.resolve() / "libvgpu.so"), found["libraries"]["found"])
        self.assertIn("CUDA 11.4, 1 card", found["cuda"]["found"])
        self.assertIn("0 ours, 0 of others, 3 at most", found["sessions"]["found"])
        text = self.ask(status=0)
        self.assertRegex(text, r"(?m)^✓ card +Quadro P1000")
        self.assertNotIn("✗", text)

    def test_machine__each_thing_broken__its_line_changes(self):
        service = self.start()
        self.sampled(service)
        m = self.machine
        slot = "sys/bus/pci/devices/0000:01:00.0"
        cases = [
            ("nouveau", lambda: m.link(f"{slot}/driver", "../../drivers/nouveau"), {"card": "bad"}),
            ("no driver bound", lambda: m.remove(f"{slot}/driver"), {"card": "bad"}),
            ("a module missing", lambda: m.write("proc/modules", "nvidia 1 0\nnvidia_drm 1 0\nnvidia_modeset 1 0\n"),
             {"modules": "bad"}),
            ("driver and libraries differ",
             lambda: m.write("proc/driver/nvidia/version", VERSION.replace(DRIVER, "470.239.06")),
             {"driver": "warning", "match": "bad"}),
            ("an iGPU is card0", self.put_igpu_first, {"display": "warning"}),
            ("nobody keeps it awake", lambda: m.remove("run/nvidia-persistenced"), {"persistence": "warning"}),
            ("a node missing", lambda: m.remove("dev/nvidia-uvm"), {"nodes": "bad"}),
            ("a lesser node missing", lambda: m.remove("dev/dri/renderD128"), {"nodes": "warning"}),
            ("a node that cannot be opened", self.put_folder, {"access": "bad"}),
        ]
        for name, damage, expected in cases:
            with self.subTest(name):
                shutil.rmtree(m.root)
                m.__init__(m.root)
                damage()
                bad = "bad" in expected.values()
                states, found = self.broken(status=1 if bad else 0)
                self.assertEqual(states, expected, found)
                for id, state in expected.items():
                    self.assertTrue(found[id]["fix"], found[id])

    def put_igpu_first(self):
        self.machine.card("0000:00:02.0", "0x8086", "0x0412", "i915")
        self.machine.drm("card0", "0000:00:02.0")
        self.machine.drm("card1", "0000:01:00.0")

    def put_folder(self):
        self.machine.remove("dev/nvidia0")
        (self.machine.root / "dev/nvidia0").mkdir()

    def test_environment__each_thing_broken__its_line_changes(self):
        few = self.folder / "few"
        few.mkdir()
        shutil.copy(VGPU / "libvgpu.so", few)
        for name in "libcuda.so.1", "libnvcuvid.so.1", "libnvidia-ml.so.1":
            (few / name).symlink_to("libvgpu.so")
        cases = [
            ("no card visible", {"CUDA_VISIBLE_DEVICES": "-1"}, {"variables": "bad"}),
            ("container without video", {"NVIDIA_DRIVER_CAPABILITIES": "compute"}, {"variables": "warning"}),
            ("a card that is not there", {"CUDA_VISIBLE_DEVICES": "1"}, {"variables": "bad"}),
            ("a driver that does not start", {"VGPU_NO_DRIVER": "1"},
             {"cuda": "bad"}),
            ("libraries of another version", {"VGPU_INIT_ERROR": "803", "VGPU_NVML_ERROR": "18"},
             {"cuda": "bad", "match": "bad"}),
            ("no encoder library", {"LD_LIBRARY_PATH": str(few)}, {"libraries": "bad"}),
            ("others hold all sessions", {"VGPU_FOREIGN_SESSIONS": "3"}, {"sessions": "warning"}),
            ("others hold all memory", {"VGPU_FOREIGN_VRAM": "4090"}, {"memory": "bad"}),
            ("too hot", {"VGPU_TEMPERATURE": "81"}, {"health": "bad"}),
            ("power that nobody tells", {"VGPU_POWER": "0"}, {"health": "note"}),
            ("an API older than FFmpeg's", {"VGPU_NVENC_VERSION": "10.0"}, {"nvenc": "bad"}),
        ]
        blind = {"VGPU_NO_DRIVER", "VGPU_NVML_ERROR", "CUDA_VISIBLE_DEVICES"}  # no card is surveyed, nor watched
        with contextlib.ExitStack() as stack:
            # all at once: most of the time is surveys that wait
            services = [self.ward(stack, f"ward-{i}", environment)
                        for i, (_, environment, _) in enumerate(cases)]
            for service, (name, environment, expected) in zip(services, cases):
                with self.subTest(name):
                    self.look_at(service, expected, is_watched=not blind & environment.keys())

    def ward(self, stack, name, environment):
        """A service with a card of its own."""
        card = self.folder / f"{name}-card"
        card.mkdir()
        service = harness.Service(self.folder / name, {},
                                  {**self.environment, "VGPU_MACHINE": str(card), **environment})
        return stack.enter_context(service)

    def look_at(self, service, expected, is_watched):
        self.surveyed(service)
        if is_watched:
            self.sampled(service)
        states, found = self.broken(socket=service.socket)
        worse = {id: state for id, state in states.items() if state != "note" or id in expected}
        self.assertEqual(worse, expected, found)
        for id, state in expected.items():
            self.assertEqual(bool(found[id]["fix"]), state != "note", found[id])

    def test_sessions_and_memory__of_another_program__are_told_with_its_name(self):
        card = gpucase.standin.Machine()
        other = card.start("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
                           "-c:v", "h264_nvenc", "-f", "null", "-")
        self.addCleanup(other.communicate)
        self.addCleanup(other.kill)
        service = self.start(VGPU_MACHINE=str(card.folder))
        self.sampled(service)
        wait_until(lambda: "1 of others" in self.findings()["sessions"]["found"], "its session is seen",
                   pause=0.2)
        found = self.findings(status=0)
        self.assertEqual(found["sessions"]["found"], "cuda:0: 0 ours, 1 of others, 3 at most: "
                         f"ffmpeg (pid {other.pid}) h264 320x180")
        self.assertIn(f"ffmpeg (pid {other.pid}) ", found["memory"]["found"])

    def test_sandbox__keeps_the_driver_from_its_files__its_line_is_bad(self):
        service = self.service({"sandbox_paths": []}, environment=self.environment)
        self.surveyed(service)
        found = self.findings()
        if "landlock on" not in found["sandbox"]["found"]:
            self.skipTest("this kernel confines no files: " + found["sandbox"]["found"])
        self.assertEqual((found["sandbox"]["state"], found["cuda"]["state"]), ("bad", "good"), found)
        self.assertIn("the driver does not work in it: cuInit answers", found["sandbox"]["found"])
        self.assertIn("sandbox_paths", found["sandbox"]["fix"])

    def test_no_card__few_lines_and_none_is_bad(self):
        shutil.rmtree(self.machine.root)
        self.machine.root.mkdir()
        self.start(LD_LIBRARY_PATH=None)
        found = self.findings(status=0)
        self.assertEqual(found["card"]["found"], "no NVIDIA card: the CPU does the work")
        self.assertEqual(set(found), {"card", "service", "worker", "ffmpeg", "sandbox", "store",
                                      "roots", "unit", "space"})
        self.assertNotIn("✗", self.ask(status=0))

    def test_no_service__one_line_is_bad_and_the_machine_is_looked_at(self):
        found = self.findings(status=1)
        self.assertEqual(self.states(found), {"service": "bad"})
        self.assertIn("there is no socket", found["service"]["found"])
        self.assertIn("systemctl start", found["service"]["fix"])
        self.assertIn("nodes", found)
        self.assertNotIn("access", found)
        text = self.ask("--test", status=1)
        self.assertEqual(text.count("✗"), 1)

    def test_test__cpu__makes_a_second_of_film_and_leaves_nothing(self):
        shutil.rmtree(self.machine.root)
        self.machine.root.mkdir()
        self.start(LD_LIBRARY_PATH=None)
        place = self.folder / "tmp"
        place.mkdir()
        found = self.findings("--test", status=0, TMPDIR=str(place))
        self.assertRegex(found["test-cpu"]["found"], r"^25 frames in .* on cpu by native>scale>libx264$")
        self.assertEqual([id for id in found if id.startswith("test-")], ["test-cpu"])
        self.assertEqual(list(place.iterdir()), [])

    def test_test__cpu_and_card__decode_scale_and_encode(self):
        self.start()
        found = self.findings("--test", status=0)
        self.assertEqual(found["test-cpu"]["state"], "good", found["test-cpu"])
        self.assertRegex(found["test-cuda:0"]["found"], r"^25 frames in .* on cuda:0 by nvdec>scale_cuda>h264_nvenc$")

    def test_test__several_cards__each_is_tried(self):
        service = self.start(VGPU_CARDS="2", CUDA_VISIBLE_DEVICES="0,1")
        wait_until(lambda: len(service.call("Devices")["parameters"]["devices"]) == 3, "both cards are there")
        found = self.findings("--test")
        for id in "cuda:0", "cuda:1":
            self.assertRegex(found[f"test-{id}"]["found"], rf"^25 frames in .* on {id} by nvdec>scale_cuda>h264_nvenc$")
        self.assertEqual([id for id in found if id.startswith("test-")], ["test-cpu", "test-cuda:0", "test-cuda:1"])

    def test_test__card_that_the_service_does_not_find__is_said_with_the_reason(self):
        self.start(VGPU_NO_DRIVER="1")
        found = self.findings("--test", status=1)
        self.assertEqual((found["test-cpu"]["state"], found["test-gpu"]["state"]), ("good", "note"), found)
        self.assertIn("no card: NVIDIA's libraries are here", found["test-gpu"]["found"])

    def test_test__worker_that_fails__is_bad(self):
        shutil.rmtree(self.machine.root)
        self.machine.root.mkdir()
        worker = self.folder / "worker"
        worker.write_text(f'#!/bin/sh\ncase $1 in --diagnose | --survey) exec {harness.WORKER} "$@" ;; esac\n'
                          'exit 3\n')
        worker.chmod(0o755)
        self.service({"worker": str(worker)}, environment=self.root_environment)
        found = self.findings("--test", status=1)
        self.assertEqual(self.states(found, but=("card", "sandbox", "roots", "unit")), {"test-cpu": "bad"}, found)
        self.assertIn("crashed", found["test-cpu"]["found"])

    def test_test__card_that_others_keep_busy__does_not_wait(self):
        service = self.start(VGPU_FOREIGN_SESSIONS="3")
        self.sampled(service)
        found = self.findings("--test", status=1)
        self.assertEqual(found["sessions"]["state"], "warning", found)
        self.assertEqual((found["test-cpu"]["state"], found["test-cuda:0"]["state"]), ("good", "bad"), found)

    def test_folders__each_thing_broken__its_line_changes(self):
        gone, file = self.folder / "gone", self.folder / "file"
        file.write_text("")
        for roots, expected in (({"read": [str(gone)]}, {"roots": "bad"}),
                                ({"write": [str(file)]}, {"roots": "bad"})):
            with self.subTest(roots), contextlib.ExitStack() as stack:
                service = harness.Service(self.folder / "service", {"roots": roots},
                                          self.environment)
                stack.enter_context(service)
                found = self.findings(status=1)
                bad = {id: "bad" for id, f in found.items() if f["state"] == "bad"}
                self.assertEqual(bad, expected, found)

    @unittest.skipIf(os.geteuid(), "mounting needs root")
    def test_read_only_for_the_service__the_units_line_is_bad(self):
        """As ReadWritePaths= makes it: another view of the same folder."""
        service = harness.Service(self.folder / "service", {"roots": {"write": [str(self.out)]}},
                                  self.environment)
        program = self.folder / "in-a-view"
        program.write_text("#!/bin/sh\nset -e\nmount --bind \"$OUT\" \"$OUT\"\n"
                           "mount -o remount,bind,ro \"$OUT\"\n"
                           f"exec {harness.TRANSCODED} \"$@\"\n")
        program.chmod(0o755)
        unshared = self.folder / "unshared"
        unshared.write_text(f"#!/bin/sh\nexec unshare --mount {program} \"$@\"\n")
        unshared.chmod(0o755)
        service.program = unshared
        service.environment["OUT"] = str(self.out)
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
            self.skipTest("no mount namespaces here")
        with service:
            found = self.findings(status=1)
        bad = {id: f["fix"] for id, f in found.items() if f["state"] == "bad"}
        self.assertEqual(bad, {"unit": f"ReadWritePaths={self.out} in the unit"}, found)

    @unittest.skipIf(os.geteuid(), "another user needs root")
    def test_stranger__is_told_to_ask_as_root(self):
        service = self.service({"socket_mode": "0666"}, environment=self.environment)
        for path in service.folder, service.socket:
            path.chmod(0o777)
        program = harness.for_everybody(TRANSCODECTL, self.folder)
        r = subprocess.run([program, "--socket", service.socket, "doctor", "--json"], user=65534,
                           capture_output=True, text=True,
                           env={**os.environ, **self.root_environment})
        found = {f["id"]: f for f in map(json.loads, r.stdout.splitlines())}
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertEqual(found["service"]["state"], "warning")
        self.assertIn("sudo transcodectl doctor", found["service"]["fix"])

    def test_worker_that_hangs__the_answer_says_at_which_step(self):
        worker = self.folder / "worker"
        worker.write_text('#!/bin/sh\n[ "$1" = --diagnose ] || exec sleep 1000\n'
                          'printf \'{"step":"cuInit"}\\0\' >&3\nexec sleep 1000\n')
        worker.chmod(0o755)
        self.service({"worker": str(worker), "limits": {"start_timeout": "1s"}},
                     environment=self.root_environment)
        found = self.findings(status=1)
        self.assertEqual(found["worker"]["found"],
                         "a worker that was to look around: no answer within 1 s at cuInit")

    def test_worker_that_dies__is_told(self):
        worker = self.folder / "worker"
        worker.write_text('#!/bin/sh\n[ "$1" = --diagnose ] || exec sleep 1000\n'
                          'printf \'{"step":"cuInit"}\\0\' >&3\nkill -SEGV $$\n')
        worker.chmod(0o755)
        self.service({"worker": str(worker)}, environment=self.root_environment)
        self.assertIn("ended by signal 11 (Segmentation fault) at cuInit",
                      self.findings(status=1)["worker"]["found"])

    def test_texts_of_others__are_harmless_on_a_terminal(self):
        odd = self.folder / "odd\u202ename"
        self.service({"roots": {"read": [str(odd)]}}, environment=self.root_environment)
        text = self.ask(status=1)
        self.assertNotIn("\u202e", text)
        self.assertIn("odd\\u202ename", text)

    def test_other_character_sets__get_plain_marks(self):
        text = self.ask(status=1, LC_ALL="C")
        self.assertTrue(text.isascii(), text)
        self.assertRegex(text, r"(?m)^x service ")

    def test_two_ask_at_once__one_look_around_answers_both(self):
        gate, starts, worker = (self.folder / n for n in ("gate", "starts", "worker"))
        os.mkfifo(gate)
        worker.write_text(f'#!/bin/sh\nif [ "$1" = --diagnose ]; then echo >>{starts}; read x <{gate}; fi\n'
                          f'exec {harness.WORKER} "$@"\n')
        worker.chmod(0o755)
        service = self.service({"worker": str(worker)}, environment=self.environment)
        with service.connect() as one, service.connect() as two:
            one.send("Diagnose")
            two.send("Diagnose")
            service.call("Status")  # came later, so both have arrived
            gate.write_text("go\n")
            answers = [one.receive()["parameters"], two.receive()["parameters"]]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(starts.read_text(), "\n")

    def test_client_that_leaves__costs_nothing(self):
        service = self.start()
        for _ in range(3):
            with service.connect() as v:
                v.send("Diagnose")
        self.assertEqual(service.call("Diagnose")["parameters"]["process"]["step"], "")


if __name__ == "__main__":
    harness.main()
