#!/usr/bin/env python3
"""transcodectl doctor beside the shipped unit under a real systemd: device rules,
groups and the unit's view of the file system are what it says they are.

The card on the PCI bus is made up, its nodes are there, and no driver is behind
them: what the unit permits is answered by ENXIO, what it refuses by EPERM.
"""

import json

import test_service
from test_service import DROP_INS, SERVICE, SOCKET, harness

CARD = "/made-up/sys/bus/pci/devices/0000:01:00.0"


class Doctor(test_service.Units.__base__):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        m = cls.machine
        for name, text in (("class", "0x030000"), ("vendor", "0x10de"), ("device", "0x1cb1")):
            m.put(f"{CARD}/{name}", text + "\n")
        m.shell(f"""
            ln -s ../drivers/nvidia {CARD}/driver
            ln -s /dev /made-up/dev
            install -d -o transcoded /shared/films /home/films""")

    def setUp(self):
        super().setUp()
        self.machine.shell(f"rm -f {DROP_INS}/doctor.conf; systemctl daemon-reload")

    def begin(self, drop_in="", **roots):
        if drop_in:
            self.machine.put(f"{DROP_INS}/doctor.conf", f"[Service]\n{drop_in}\n")
            self.machine.shell("systemctl daemon-reload")
        self.start(roots={"read": ["/shared"], "write": ["/shared/out"], **roots})

    def findings(self, user=None):
        r = self.machine.run("env", "TRANSCODED_SYSTEM_ROOT=/made-up", "transcodectl", "doctor", "--json",
                             user=user, check=False)
        self.assertEqual(r.stderr, "")
        return {f["id"]: f for f in map(json.loads, r.stdout.splitlines())}

    def without_unit(self):
        """What of the sandbox this kernel has: layer to its state."""
        return json.loads(self.machine.run("/usr/libexec/transcoded/transcoded-worker",
                                           "--probe-sandbox").stdout)

    def start(self, **settings):
        self.machine.put("/etc/transcoded/transcoded.json", json.dumps(settings))
        self.machine.shell(f"systemctl start {SOCKET} {SERVICE}")

    def test_shipped_unit__only_the_driver_is_missing(self):
        self.begin()
        # the first worker tells its layers a moment after the service is ready
        harness.wait_until(lambda: "does not tell" not in self.findings()["sandbox"]["found"],
                           "a worker tells its sandbox")
        found = self.findings()
        for id in "service", "worker", "groups", "variables", "store", "roots", "unit", "space":
            self.assertEqual(found[id]["state"], "good", found[id])
        # the unit's own filter leaves workers theirs
        for layer, told in self.without_unit().items():
            self.assertIn(f"{layer} {told['state']}", found["sandbox"]["found"])
        self.assertIn("as 'transcoded', a system service", found["service"]["found"])
        self.assertEqual(found["groups"]["found"], "'transcoded' is in video and render")
        self.assertEqual(found["access"]["found"].count("no driver is behind it"), 7, found["access"])
        self.assertIn("nvidia0", found["nodes"]["found"])
        self.assertIn("crw-rw---- root:video", found["nodes"]["found"])

    def test_device_rules__lack_a_node__it_is_named(self):
        self.begin("DeviceAllow=\nDeviceAllow=/dev/nvidia0 rw\nDeviceAllow=/dev/nvidiactl rw")
        access = self.findings()["access"]
        self.assertIn("/dev/nvidia-uvm: the unit's device rules refuse it", access["found"])
        self.assertIn("/dev/nvidia0: no driver is behind it", access["found"])

    def test_private_devices__hide_all_nodes(self):
        self.begin("PrivateDevices=yes")
        access = self.findings()["access"]
        self.assertIn("/dev/nvidia0: the service cannot see it", access["found"])
        self.assertIn("PrivateDevices=no", access["fix"])

    def test_groups__missing__are_named(self):
        self.begin("SupplementaryGroups=\nSupplementaryGroups=video")
        found = self.findings()
        self.assertEqual(found["groups"]["state"], "warning")
        self.assertIn("'transcoded' is not in group render", found["groups"]["found"])
        self.assertIn("/dev/dri/renderD128: its mode and group keep the service out", found["access"]["found"])

    def test_root_to_write__not_in_the_unit__the_setting_is_told(self):
        self.begin(write=["/shared/out", "/shared/films"])
        found = self.findings()
        self.assertEqual((found["unit"]["state"], found["unit"]["fix"]),
                         ("bad", "ReadWritePaths=/shared/films in the unit"))
        self.assertEqual(found["roots"]["state"], "good")

    def test_root_to_write__in_the_unit__is_good(self):
        self.begin("ReadWritePaths=/shared/films", write=["/shared/out", "/shared/films"])
        self.assertEqual(self.findings()["unit"]["state"], "good")

    def test_paths_of_the_unit__that_are_no_roots__are_told(self):
        self.begin("ReadWritePaths=/shared/films\nReadOnlyPaths=/shared -/run/opengl-driver -/srv")
        found = self.findings()
        self.assertEqual(found["unit"]["state"], "warning")
        self.assertIn("/shared/films is in the unit's ReadWritePaths=, and is no root", found["unit"]["found"])
        self.assertIn("/srv is in the unit's ReadOnlyPaths=, and is no root", found["unit"]["found"])
        self.assertNotIn("opengl", found["unit"]["found"])
        self.assertIn("roots.write", found["unit"]["fix"])

    def test_device_rules__refuse_the_driver_its_nodes__the_survey_says_so(self):
        self.machine.put("/usr/lib/vgpu/libvgpu.so", (harness.BUILD / "vgpu/libvgpu.so").read_bytes())
        for name in "libcuda.so.1", "libnvcuvid.so.1", "libnvidia-encode.so.1", "libnvidia-ml.so.1":
            self.machine.shell(f"ln -sf libvgpu.so /usr/lib/vgpu/{name}")
        self.begin("DeviceAllow=\nDeviceAllow=/dev/nvidia0 rw\nEnvironment=LD_LIBRARY_PATH=/usr/lib/vgpu "
                   "VGPU_OPEN_NODES=1 VGPU_MACHINE=/var/lib/transcoded/machine")
        def problem():
            devices = json.loads(self.machine.run("transcodectl", "--json", "devices").stdout.splitlines()[-1])
            return devices.get("problem", "")
        harness.wait_until(lambda: "/dev/nvidiactl" in problem(), "the survey's words")
        self.assertIn("'/dev/nvidiactl' is not permitted to this service: add it to DeviceAllow= of its unit", problem())
        found = self.findings()
        self.assertIn("/dev/nvidiactl: the unit's device rules refuse it", found["access"]["found"])
        self.assertEqual(found["cuda"]["state"], "bad", found["cuda"])

    def test_root_at_home__the_unit_hides_it__and_the_fix_helps(self):
        self.begin(read=["/home/films"])
        found = self.findings()
        self.assertEqual((found["unit"]["state"], found["unit"]["fix"]),
                         ("bad", "ProtectHome=tmpfs and BindReadOnlyPaths=/home/films in the unit"))
        self.machine.shell(f"systemctl stop {SOCKET} {SERVICE}")
        self.begin("ProtectHome=tmpfs\nBindReadOnlyPaths=/home/films", read=["/home/films"])
        found = self.findings()
        self.assertEqual((found["unit"]["state"], found["roots"]["state"]), ("good", "good"), found)

    def test_client__who_is_no_operator__is_told_to_ask_as_root(self):
        self.begin()
        found = self.findings(user="alice")
        self.assertEqual(found["service"]["state"], "warning")
        self.assertIn("sudo", found["service"]["fix"])

    def test_service__not_running__is_told(self):
        self.machine.shell(f"systemctl stop {SOCKET} {SERVICE}")
        found = self.findings()
        self.assertEqual(found["service"]["state"], "bad")
        self.assertIn("systemctl start transcoded.socket", found["service"]["fix"])


if __name__ == "__main__":
    harness.main()
