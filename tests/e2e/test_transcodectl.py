#!/usr/bin/env python3
"""transcodectl and the real service: what people see, and what scripts get."""

import json
import signal
import subprocess

import harness
from harness import COPY, FAST, PATIENCE, TRANSCODECTL, film, long_film, wait_until


class Ctl(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.service()

    def ctl(self, *arguments, status=0, **keywords):
        r = self.daemon.ctl(*arguments, **keywords)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr + self.daemon.words())
        return r

    def lines_of(self, r, id):
        """What was said of job `id`, without its name in front."""
        mark = f"job {id}: "
        for line in r.stdout.splitlines():
            self.assertTrue(line.startswith(mark), line)
        return [line.removeprefix(mark) for line in r.stdout.splitlines()]

    def start(self, *arguments):
        child = subprocess.Popen([TRANSCODECTL, "--socket", self.daemon.socket, *map(str, arguments)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def until_running(self, child):
        seen = ""
        while "running" not in seen:
            line = child.stdout.readline()
            if not line:
                self.fail(f"it ended: {seen}{child.stderr.read()}")
            seen += line

    def finish(self, child):
        """Its status, and the rest of what it says."""
        said, complaints = child.stdout.read(), child.stderr.read()
        return child.wait(PATIENCE), said, complaints

    def test_submit_follow__good_job__tells_plan_outputs_and_ends_with_0(self):
        job = self.job_file(self.job(film(), {"path": "out.mp4", **FAST}))
        said = self.lines_of(self.ctl("submit", "--follow", job), 1)
        self.assertIn("plan on cpu: native>libx264", said)
        self.assertEqual(said[0], "queued")
        self.assertRegex(said[-2], rf"^{self.out}/out.mp4, [\d.]+K, 2.0s$")
        self.assertRegex(said[-1], "^done")
        self.assertEqual(self.left(), ["out.mp4"])

    def test_submit_follow__bad_input__ends_with_1_and_words(self):
        noise = self.folder / "noise.mkv"
        noise.write_bytes(b"no film at")
        said = self.lines_of(
            self.ctl("submit", "-f", self.job_file(self.job(noise, "out.mp4")), status=1), 1)
        self.assertRegex(said[-1], "^bad_input: ")
        self.assertEqual(self.left(), [])

    def test_submit_follow__json__is_events_one_a_line(self):
        job = self.job_file(self.job(film(), {"path": "out.mkv", **COPY}))
        events = [json.loads(line) for line in
                  self.ctl("--json", "submit", "-f", job).stdout.splitlines()]
        self.assertEqual({e["job"] for e in events}, {1})
        self.assertEqual(events[-1]["event"], "outcome")
        self.assertEqual(events[-1]["outputs"][0]["path"], str(self.out / "out.mkv"))

    def test_refused__by_the_service__ends_with_2_and_names_the_field(self):
        for job, words in (
            (self.job("in.mkv", "out.mp4"), "invalid job: input.path: "),
            ({**self.job(film(), "out.mp4"), "colour": 1}, "invalid job: colour: "),
            (self.job(film(), "out.mp4", profile="none-such"), "invalid job: profile: "),
        ):
            for command in ("submit", "run", "plan"):
                with self.subTest(command=command, words=words):
                    r = self.ctl(command, self.job_file(job), status=2)
                    self.assertTrue(r.stderr.startswith("transcodectl: " + words), r.stderr)
        self.assertEqual(self.left(), [])

    def test_run__ctrl_c__cancels_and_leaves_nothing(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            with self.subTest(signal=number):
                child = self.start("run", self.job_file(self.job(long_film(), "out.mp4")))
                self.until_running(child)
                child.send_signal(number)
                status, said, complaints = self.finish(child)
                self.assertEqual(status, 130, said + complaints)
                self.assertRegex(said.splitlines()[-1], "^job [0-9]+: cancelled")
                self.assertEqual(self.left(), [])
        states = [j["state"] for j in
                  json.loads(self.ctl("--json", "list").stdout)["jobs"]]
        self.assertEqual(states, ["cancelled"] * 3)

    def test_submit_follow__ctrl_c__leaves_the_job_alone(self):
        child = self.start("submit", "-f", self.job_file(self.job(long_film(), "out.mp4")))
        self.until_running(child)
        child.send_signal(signal.SIGINT)
        status, _, complaints = self.finish(child)
        self.assertEqual(status, 130)
        self.assertIn("job 1 goes on, 'transcodectl follow 1' shows it", complaints)
        self.assertEqual(self.daemon.state_of(1), "running")
        follower = self.start("follow", 1)
        self.until_running(follower)
        self.ctl("cancel", 1)
        self.assertEqual(self.finish(follower)[0], 1)

    def test_pause_resume_cancel_retry__change_the_state(self):
        self.ctl("submit", self.job_file(self.job(long_film(), "out.mp4")))
        self.daemon.wait_for(1, "running")
        for command, state in (("pause", "paused"), ("resume", "running"),
                               ("cancel", "cancelled"), ("retry", "running")):
            self.ctl(command, 1)
            self.daemon.wait_for(1, state)
        r = self.ctl("retry", 1, status=2)
        self.assertEqual(r.stderr, "transcodectl: not possible, the job is: running\n")
        r = self.ctl("cancel", 1, 99, status=2)
        self.assertIn("no such job: 99", r.stderr)
        self.daemon.wait_for(1, "cancelled")

    def test_drain__keeps_jobs_until_undrain(self):
        self.ctl("drain")
        self.assertIn("no, it is drained", self.ctl("status").stdout)
        job = self.job_file(self.job(film(), {"path": "out.mkv", **COPY}))
        self.assertEqual(self.ctl("submit", "--priority", "batch", job).stdout, "1\n")
        self.assertRegex(self.ctl("list", "--state", "queued").stdout, r"\n 1  queued  batch ")
        self.ctl("undrain")
        self.daemon.wait_for(1, "succeeded")
        wait_until(lambda: "succeeded   1" in self.ctl("status").stdout, "status counts it")

    def test_list__pages__by_limit_and_before(self):
        self.ctl("drain")
        job = self.job_file(self.job(film(), {"path": "out.mkv", **COPY}, overwrite=True))
        for _ in range(5):
            self.ctl("submit", job)

        def ids(*options):
            reply = json.loads(self.ctl("--json", "list", *options).stdout)
            return [j["id"] for j in reply["jobs"]]

        self.assertEqual(ids(), [5, 4, 3, 2, 1])
        self.assertEqual(ids("-n", 2), [5, 4])
        self.assertEqual(ids("-n", 2, "--before", 4), [3, 2])
        self.assertEqual(ids("--state", "failed"), [])

    def test_show_devices_profiles__are_readable(self):
        self.ctl("submit", "-f", self.job_file(self.job(film(), {"path": "out.mkv", **COPY})))
        page = self.ctl("show", 1).stdout
        self.assertRegex(page, r"^job 1: succeeded\n")
        self.assertRegex(page, rf"\n  output +{self.out}/out.mkv\n")
        self.assertRegex(page, r"\nattempt 1 on cpu\n  plan +copy\n")
        self.assertRegex(self.ctl("devices").stdout, r"\ncpu +0/\d+ +- ")
        for line in self.ctl("profiles").stdout.splitlines()[1:]:
            document = json.loads(self.ctl("--json", "profiles", line.split()[0]).stdout)
            self.assertIn("outputs", document)

    def test_daemon__gone__ends_with_3(self):
        self.daemon.stop()
        r = self.ctl("status", status=3)
        self.assertIn("is transcoded running?", r.stderr)


if __name__ == "__main__":
    harness.main()
