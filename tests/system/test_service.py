#!/usr/bin/env python3
"""The shipped units under a real systemd, installed as README.md says."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness
import units
from harness import film, wait_until
from machine import Machine, why_not

SERVICE, SOCKET, NODES = "transcoded.service", "transcoded.socket", "transcoded-device-nodes.service"
DROP_INS = "/etc/systemd/system/transcoded.service.d"
FAKE = "/usr/libexec/transcoded/fake-worker"
# In place of a worker: what one would see, then nothing more.
PROBE = """#!/bin/sh
exec >/var/lib/transcoded/probe.new
for node in $(find /dev -type c); do
  error=$( { : <"$node"; } 2>&1 ) && error=open
  echo "$node $error"
done
echo "groups $(id -Gn)"
env | sed 's/^/environment /'
echo "network $(tail -n +3 /proc/net/dev | sed 's/:.*//' | tr -d ' \\n') $(readlink /proc/self/ns/net)"
for place in /etc /usr /shared /home /var/lib/transcoded /shared/out; do
  touch "$place/probe" 2>/dev/null && echo "writable $place"
done
echo "privileges $(grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status | tr -d '\\t\\n')"
echo "sandbox $(/usr/libexec/transcoded/transcoded-worker --probe-sandbox)"
mv /var/lib/transcoded/probe.new /var/lib/transcoded/probe
exec sleep 1000
"""
# A worker that starts another process, once it is where it belongs.
FORKS = f"""#!/bin/sh
while ! grep -q worker- /proc/self/cgroup; do :; done
sleep 1000 &
exec {FAKE} "$@"
"""
# As a driver and udev leave them: who is in the groups may, others may not.
OWN_NODES = """
chgrp video /dev/nvidia* && chmod 0660 /dev/nvidia*
chgrp render /dev/dri/* && chmod 0660 /dev/dri/*
test -e /dev/fuse || mknod -m 0666 /dev/fuse c 10 229
"""
SANDBOX = json.loads(subprocess.run([harness.WORKER, "--probe-sandbox"], check=True,
                                    capture_output=True).stdout)


def commands_of_readme():
    """The shell lines of the section on the service, without `make` and names
    of other people's programs."""
    section = (harness.TOP / "README.md").read_text().split("## As a service")[1]
    block = re.search(r"^```sh\n(.*?)^```", section, re.S | re.M).group(1)
    lines = [line.split("    #")[0] for line in block.splitlines()]
    assert lines[0].startswith("make install PREFIX=/usr"), lines
    return [line for line in lines[1:] if not line.startswith("usermod")]


@unittest.skipIf(why_not(), why_not())
class Service(harness.TestCase):
    """One machine for all; each test begins with a stopped service of no jobs."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="transcoded-")
        cls.addClassCleanup(holder.cleanup)
        cls.machine = m = Machine(holder.name)
        m.__enter__()
        cls.addClassCleanup(m.__exit__)
        m.put(FAKE, (harness.BUILD / "tests/fake/worker").read_bytes(), 0o755)
        m.put("/usr/libexec/transcoded/probe", PROBE, 0o755)
        m.put("/etc/sysusers.d/people.conf", "u alice 2000\nu mallory 2001\nm alice transcoded\n")
        install, enable = commands_of_readme()
        m.shell(install)
        m.shell(enable.replace("--now", ""))
        m.shell("install -d -m 0777 /shared/out && install -d -o alice /shared/alice")
        m.put(f"{DROP_INS}/roots.conf", "[Service]\nReadWritePaths=/shared/out\n")
        m.put(f"{DROP_INS}/faster.conf", "[Service]\nRestartSec=100ms\n")
        m.shell("systemctl daemon-reload; " + OWN_NODES)
        shutil.copy(film(), m.shared / "film.mp4")

    def setUp(self):
        super().setUp()
        self.machine.shell(f"""
            systemctl stop {SOCKET} {SERVICE} {NODES} 2>/dev/null
            systemctl reset-failed 2>/dev/null || true
            rm -rf /var/lib/transcoded /shared/out/*""")

    def configure(self, **settings):
        limits = {"stop_timeout": "1s", "stop_grace": "200ms", **settings.pop("limits", {})}
        self.machine.put("/etc/transcoded/transcoded.json", json.dumps(
            {"roots": {"read": ["/shared", "/fake"], "write": ["/shared/out"]}, "limits": limits,
             **settings}))

    def start(self, **settings):
        self.configure(**settings)
        self.machine.shell(f"systemctl start {SOCKET} {SERVICE}")

    def start_fake(self, **settings):
        self.start(worker=FAKE, **settings)

    def ctl(self, *words, user="alice", check=True, **keywords):
        return self.machine.run("transcodectl", *words, user=user, check=check, **keywords)

    def submit(self, source, output="out.mp4", **fields):
        job = {"input": {"path": source}, "outputs": [{"path": f"/shared/out/{output}"}], **fields}
        return int(self.ctl("submit", "-", input=json.dumps(job)).stdout)

    def show(self, id):
        return json.loads(self.ctl("--json", "show", id).stdout)

    def wait_for(self, id, *states):
        states = states or ("succeeded", "failed", "cancelled")
        return wait_until(lambda: (s := self.show(id))["state"] in states and s,
                          f"job {id} is {states}", pause=0.1)

    def main_pid(self):
        return int(self.machine.property(SERVICE, "MainPID"))

    def assert_active(self, unit=SERVICE):
        self.assertEqual(self.machine.property(unit, "ActiveState"), "active")

    def said(self, text, since):
        """Lines of the service since then that have `text`."""
        return [e["MESSAGE"] for e in self.machine.journal(f"--since=@{since}", "-u", SERVICE)
                if text in e.get("MESSAGE", "")]


class Units(Service):
    def test_verify__has_nothing_to_say(self):
        r = self.machine.run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                             SERVICE, SOCKET, NODES, check=False)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "", ""))

    def test_security__score_is_good(self):
        r = self.machine.run("systemd-analyze", "security", "--offline=true", "--threshold=20",
                             "/usr/lib/systemd/system/transcoded.service", check=False)
        score = float(re.search(r"exposure level for transcoded.service: (\S+)", r.stdout).group(1))
        self.assertEqual(r.returncode, 0, r.stdout)
        self.assertLessEqual(score, 2.0)

    def test_access__is_the_pattern__as_systemd_reads_it(self):
        show = self.machine.property
        devices = dict(re.findall(r"(\S+) (\w+)", show(SERVICE, "DeviceAllow")))
        expected = units.expected("transcoded")
        self.assertEqual(devices, expected["devices"])
        self.assertEqual(show(SERVICE, "SupplementaryGroups").split(), expected["groups"])
        self.assertEqual(dict(v.split("=", 1) for v in show(SERVICE, "Environment").split()),
                         expected["environment"])
        self.assertEqual(show(SERVICE, "DevicePolicy"), "closed")

    def test_drop_ins__give_a_neighbour_the_pattern(self):
        text = (harness.TOP / "README.md").read_text()
        copy = re.search(r"`(cp -r /usr/share/transcoded/systemd/\S+ \S+)`", text).group(1)
        self.addCleanup(self.machine.shell, "rm -rf /etc/systemd/system/jellyfin.service* "
                        "/etc/systemd/system/immich*; systemctl daemon-reload")
        self.machine.put("/etc/systemd/system/jellyfin.service", """[Service]
            Type=oneshot
            User=alice
            ExecStart=/bin/sh -c '(: </dev/nvidia0); (: </dev/dri/renderD129); true' """)
        self.machine.shell(copy + "; systemctl daemon-reload")
        devices = dict(re.findall(r"(\S+) (\w+)", self.machine.property("jellyfin", "DeviceAllow")))
        self.assertEqual(devices, units.expected("jellyfin")["devices"])
        self.machine.run("systemctl", "start", "jellyfin", check=False)
        said = "\n".join(e["MESSAGE"] for e in self.machine.journal("-u", "jellyfin"))
        self.assertRegex(said, "nvidia0: No such device or address")  # no driver, but allowed
        self.assertRegex(said, "renderD129: (Operation not permitted|Permission denied)")

    def test_device_nodes__are_made_before_the_service(self):
        m = self.machine
        self.addCleanup(m.shell, "umount /proc/devices")
        m.put("/run/devices", "Character devices:\n195 nvidia-frontend\n511 nvidia-uvm\n")
        m.shell("mount --bind /run/devices /proc/devices; rm /dev/nvidia*")
        self.start(worker="/usr/libexec/transcoded/probe")
        self.assert_active(NODES)
        made = m.shell("cd /dev && stat -c '%n %t %T %a' nvidia*").splitlines()
        self.assertEqual(sorted(made), sorted([
            "nvidia0 c3 0 666", "nvidiactl c3 ff 666", "nvidia-modeset c3 fe 666",
            "nvidia-uvm 1ff 0 666", "nvidia-uvm-tools 1ff 1 666"]))
        found = self.probe()
        for node in units.PATTERN["devices"]:
            self.assertNotIn("not permitted", found[node], node)
        m.shell("mknod -m 0666 /dev/nvidia1 c 195 1; " + OWN_NODES)

    def probe(self):
        """What a process of the service finds: word to the rest of the line;
        `environment` and `writable` are lists."""
        text = wait_until(lambda: self.machine.run("cat", "/var/lib/transcoded/probe", check=False).stdout,
                          "the probe has looked around")
        found = {"environment": [], "writable": []}
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word in ("environment", "writable"):
                found[word].append(rest)
            else:
                found[word] = rest
        return found

    def test_inside__seven_nodes_and_nothing_else(self):
        self.start(worker="/usr/libexec/transcoded/probe")
        found = self.probe()
        # there is no driver behind them, so that is what an allowed one says
        for node in units.PATTERN["devices"]:
            self.assertIn("No such device or address", found[node], node)
        for node in "/dev/nvidia1", "/dev/dri/card1", "/dev/dri/renderD129", "/dev/fuse":
            self.assertIn("not permitted", found[node], node)
        self.assertEqual(sorted(found["groups"].split()), ["render", "transcoded", "video"])
        for name, value in units.PATTERN["environment"].items():
            self.assertIn(f"{name}={value}", found["environment"])
        devices, namespace = found["network"].split()
        self.assertEqual(devices, "lo")
        self.assertNotEqual(namespace, self.machine.shell("readlink /proc/self/ns/net").strip())
        self.assertEqual(found["writable"], ["/var/lib/transcoded", "/shared/out"])
        # what a worker puts around itself holds in here as it does out there
        self.assertEqual(json.loads(found["sandbox"]), SANDBOX)
        self.assertEqual(found["privileges"], "CapBnd:0000000000000000NoNewPrivs:1")


class Life(Service):
    def test_socket__starts_the_service__for_its_group(self):
        self.configure()
        self.machine.shell(f"systemctl start {SOCKET}")
        self.assertEqual(self.machine.property(SERVICE, "ActiveState"), "inactive")
        socket = self.machine.shell("stat -c '%U %G %a' /run/transcoded/io.transcoded").strip()
        self.assertEqual(socket, "root transcoded 660")
        r = self.ctl("status", user="mallory", check=False)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertEqual(self.machine.property(SERVICE, "ActiveState"), "inactive")
        self.ctl("status")
        self.assert_active()
        self.machine.shell(f"systemctl stop {SERVICE}")
        self.ctl("status")  # the socket outlives the service
        self.assert_active()

    def test_start__is_ready_when_it_listens__and_says_what_it_does(self):
        self.start_fake()
        self.assertEqual(self.machine.property(SERVICE, "StatusText"), "0 running, 0 paused, 0 waiting")
        id = self.submit("/fake/need+ready+wait")
        self.wait_for(id, "running")
        wait_until(lambda: self.machine.property(SERVICE, "StatusText").startswith("1 running"),
                   "the status tells of the job")

    def test_job__detached_and_attached__make_their_outputs(self):
        has_all = all(layer["state"] == "on" for layer in SANDBOX.values())
        self.start(sandbox="required" if has_all else "auto")
        shown = self.wait_for(self.submit("/shared/film.mp4"))
        self.assertEqual(shown["state"], "succeeded", shown)
        self.assertEqual(harness.frames(self.machine.shared / "out/out.mp4"), 50)
        # her own rights and her own folder, which the service does not see
        self.machine.shell("install -d -o alice -m 0700 /home/alice; cp /shared/film.mp4 /home/alice/in.mp4;"
                           "chown alice /home/alice/in.mp4")
        job = {"input": {"path": "/home/alice/in.mp4"}, "outputs": [{"path": "/home/alice/out.mp4"}]}
        self.ctl("run", "-", input=json.dumps(job))
        made = self.machine.shell("stat -c '%U' /home/alice/out.mp4").strip()
        self.assertEqual(made, "alice")

    def test_journal__tells_the_story_of_a_job(self):
        self.start_fake(limits={"tries": 2})
        id = self.submit("/fake/need+ready+noise+crash@1+done")
        other = self.submit("/fake/need+ready+done", "other.mp4")
        self.assertEqual(self.wait_for(id)["state"], "succeeded")
        self.wait_for(other)
        pid = self.main_pid()
        story = wait_until(lambda: (e := self.machine.journal(f"TRANSCODED_JOB={id}", f"_PID={pid}"))
                           and "TRANSCODED_OUTCOME" in e[-1] and e, "the story is in the journal")
        self.assertIn("accepted", story[0]["MESSAGE"])
        self.assertEqual({e["_SYSTEMD_UNIT"] for e in story}, {SERVICE})
        attempts = [(e.get("TRANSCODED_ATTEMPT"), e.get("TRANSCODED_DEVICE"), e.get("TRANSCODED_OUTCOME"))
                    for e in story]
        self.assertIn(("1", "cpu", None), attempts)
        self.assertIn(("1", "cpu", "crashed"), attempts)
        self.assertEqual(attempts[-1], ("2", "cpu", "done"))
        self.assertEqual({e["PRIORITY"] for e in story}, {"4", "6"})
        self.assertTrue(any("of noise" in e["MESSAGE"] for e in story))
        self.assertEqual(self.machine.journal("TRANSCODED_OUTCOME=crashed", f"_PID={pid}")[0]["TRANSCODED_JOB"],
                         str(id))

    def jobs_for_a_death(self):
        """One that runs, one that waits for its slot."""
        self.start_fake(limits={"cpu_jobs": 1, "stall_timeout": "600s"})
        running = self.submit("/fake/encode+ready+wait@1+done", "running.mp4")
        self.wait_for(running, "running")
        waiting = self.submit("/fake/encode+ready+done", "waiting.mp4")
        return running, waiting

    def assert_replaced(self, old, jobs):
        wait_until(lambda: self.main_pid() not in (0, old)
                   and self.machine.property(SERVICE, "ActiveState") == "active", "it is replaced")
        for id in jobs:
            self.assertEqual(self.wait_for(id)["state"], "succeeded", self.show(id))
        self.assertEqual(len(self.show(jobs[0])["attempts"]), 2)
        self.assert_active(SOCKET)

    def test_watchdog__a_daemon_that_hangs__is_replaced_and_no_job_is_lost(self):
        # only here, for it is short where much else is going on
        self.machine.put(f"{DROP_INS}/watchdog.conf", "[Service]\nWatchdogSec=5s\n")
        self.addCleanup(self.machine.shell, f"rm {DROP_INS}/watchdog.conf; systemctl daemon-reload")
        self.machine.shell("systemctl daemon-reload")
        jobs = self.jobs_for_a_death()
        pid = self.main_pid()
        began = time.time()
        self.machine.shell(f"kill -STOP {pid}")
        self.assert_replaced(pid, jobs)
        wait_until(lambda: self.said("Watchdog timeout", began), "systemd says why")

    def test_sigkill__is_replaced_and_no_job_is_lost(self):
        jobs = self.jobs_for_a_death()
        pid = self.main_pid()
        self.machine.shell(f"kill -KILL {pid}")
        self.assert_replaced(pid, jobs)

    def test_reload__takes_the_new_configuration__or_keeps_the_old(self):
        self.start_fake(limits={"cpu_jobs": 1})
        id = self.submit("/fake/need+ready+wait")
        self.wait_for(id, "running")
        pid = self.main_pid()

        def cpu_jobs():
            devices = json.loads(self.ctl("--json", "devices").stdout)
            return [d["limit"] for d in devices["devices"] if d["id"] == "cpu"][0]

        self.configure(worker=FAKE, limits={"cpu_jobs": 5})
        self.machine.shell(f"systemctl reload {SERVICE}")
        wait_until(lambda: cpu_jobs() == 5, "the new limit is told")
        began = time.time()
        self.configure(color="red", limits={"cpu_jobs": 7})
        self.machine.shell(f"systemctl reload {SERVICE}")
        said = wait_until(lambda: self.said("the old configuration stays", began), "it complains")
        self.assertIn("/etc/transcoded/transcoded.json", said[0])
        self.assertIn("color", said[0])
        self.assertEqual(cpu_jobs(), 5)
        self.assert_active()
        self.assertEqual((self.main_pid(), self.show(id)["state"]), (pid, "running"))

    def test_stop__lets_what_can_end__and_ends_in_time(self):
        self.start_fake(limits={"stall_timeout": "600s", "stop_timeout": "3s"})
        ends = self.submit("/fake/need+ready+sleep:500+done", "ends.mp4")
        hangs = self.submit("/fake/need+ready+deaf@1+done", "hangs.mp4")
        for id in ends, hangs:
            self.wait_for(id, "running")
        self.machine.shell(f"systemctl stop {SOCKET} {SERVICE}")
        # systemd did not have to help
        self.assertEqual(self.machine.property(SERVICE, "Result"), "success")
        self.start_fake()
        self.assertEqual(len(self.wait_for(ends)["attempts"]), 1)
        self.assertEqual(self.wait_for(hangs)["state"], "succeeded")
        self.assertEqual(len(self.show(hangs)["attempts"]), 2)

    def test_configuration__that_is_wrong__is_not_tried_again(self):
        self.configure(color="red")
        self.machine.shell(f"systemctl start {SOCKET}")
        began = time.time()
        r = self.machine.run("systemctl", "start", SERVICE, check=False)
        self.assertNotEqual(r.returncode, 0)
        show = self.machine.property
        self.assertEqual((show(SERVICE, "ExecMainStatus"), show(SERVICE, "NRestarts")), ("78", "0"))
        said = wait_until(lambda: self.said("color", began), "the reason is in the journal")
        self.assertEqual(len(said), 1)
        self.assert_active(SOCKET)
        self.configure()
        self.ctl("status")  # mended, the next client starts it

    def test_starts__that_fail_too_often__end__until_the_operator_says_so(self):
        text = (harness.TOP / "README.md").read_text()
        mend = re.search(r"`(systemctl reset-failed \S+)`", text).group(1)
        self.configure(color="red")
        self.machine.shell(f"systemctl start {SOCKET}")
        for _ in range(6):
            self.machine.run("systemctl", "start", SERVICE, check=False)
        wait_until(lambda: self.machine.property(SOCKET, "ActiveState") == "failed", "the socket is given up, too")
        self.configure()
        r = self.machine.run("systemctl", "start", SERVICE, check=False)
        self.assertNotEqual(r.returncode, 0)
        self.machine.shell(mend)
        self.machine.shell(f"systemctl start {SOCKET} {SERVICE}")
        self.ctl("status")

    def groups(self):
        """Path of each group of the service, and the pids in it."""
        text = self.machine.shell("cd /sys/fs/cgroup/transcoded.slice/transcoded.service; grep -r . "
                                  "--include=cgroup.procs . || true")
        found = {}
        for line in text.splitlines():
            path, _, pid = line.partition("/cgroup.procs:")
            found.setdefault(path.removeprefix("./"), []).append(int(pid))
        return found

    def test_worker__has_a_group_of_its_own__that_dies_with_it(self):
        self.machine.put("/usr/libexec/transcoded/forks", FORKS, 0o755)
        self.start(worker="/usr/libexec/transcoded/forks", limits={"stall_timeout": "600s"})
        id = self.submit("/fake/need+ready+deaf")
        self.wait_for(id, "running")
        groups = self.groups()
        self.assertIn(self.main_pid(), groups.pop("daemon"))
        first = min(groups, key=lambda name: min(groups[name]))  # the older one, which has the job
        mine = groups[first]
        self.assertEqual(len(mine), 2, groups)  # the worker, and what it has started
        for name, pids in groups.items():
            self.assertIn(f"worker-{min(pids)}", name)
        self.ctl("cancel", id)
        self.assertEqual(self.wait_for(id)["outcome"], "cancelled")
        wait_until(lambda: not set(mine) & {p for pids in self.groups().values() for p in pids},
                   "both are dead")
        self.wait_for(self.submit("/fake/need+ready+done"))  # when the next worker comes, at the latest,
        wait_until(lambda: first not in self.machine.shell(
            "ls /sys/fs/cgroup/transcoded.slice/transcoded.service"), "their group is gone")

    def test_worker__limits__where_the_kernel_hands_them_down(self):
        if not {"memory", "pids"} <= set(self.machine.shell("cat /sys/fs/cgroup/cgroup.controllers").split()):
            self.skipTest("the outer machine keeps memory and pids to itself")
        self.start_fake(limits={"worker_memory": "1G", "worker_tasks": 77})
        (name,) = wait_until(lambda: [g for g in self.groups() if g.startswith("worker-")], "one is warm")
        files = self.machine.shell(f"cd /sys/fs/cgroup/transcoded.slice/transcoded.service/{name};"
                                   "cat memory.max pids.max").split()
        self.assertEqual(files, [str(1 << 30), "77"])

    def test_groups__without_limits__are_told_of_once(self):
        began = time.time()
        self.start_fake()
        wait_until(lambda: self.said("listening", began), "the start is in the journal")
        self.assertEqual(len(self.said("control group", began)), 1)


del Service  # is no suite by itself

if __name__ == "__main__":
    harness.main()
