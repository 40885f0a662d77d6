#!/usr/bin/env python3
"""What a person sees who hands in jobs with transcodectl: on the stand-in for
NVIDIA's driver, and the same on a machine without any driver."""

import gpucase
import harness
import standin
from harness import wait_until


class User(gpucase.GpuCase):
    def start(self, **settings):
        """A service on the simulated machine."""
        environment = self.machine.environment(**settings)
        for name in ("LD_PRELOAD", "ASAN_OPTIONS"):  # the programs have their own sanitizers
            environment.pop(name, None)
        service = self.service(environment=environment)
        wait_until(lambda: len(service.call("Devices")["parameters"]["devices"]) > 1, "the survey\n" + service.words())
        return service

    def start_without(self):
        """A service on a machine without a driver, which has found that out."""
        service = self.service()
        wait_until(lambda: "the CPU does everything" in service.words(), "the survey")
        return service

    def document(self, clip, name="a.mp4", hardware="auto", **video):
        return self.job_file(self.job(clip, {"path": name, "video": {"max_height": 120} | video, "audio": []},
                                      hardware=hardware))

    def follow(self, service, document, code=0):
        """What `submit -f` prints, without the job's number."""
        r = service.ctl("submit", "-f", document)
        self.assertEqual((r.returncode, r.stderr), (code, ""), r.stdout + service.words())
        return [line.split(": ", 1)[1] for line in r.stdout.splitlines()]

    def test_submit__reports_the_plan__and_no_frame_is_copied(self):
        service = self.start()
        names = "large_uploads", "large_downloads", "encoded"
        surveyed = [self.machine.total()[n] for n in names]  # the survey tries what copies there are
        for clip, codec in (standin.h264_clip(), "h264"), (standin.hevc10_clip(), "hevc"):
            said = self.follow(service, self.document(clip, f"{codec}.mp4", codec=codec))
            self.assertEqual([s for s in said if s.startswith(("plan", "because"))],
                             [f"plan on cuda:0: nvdec>scale_cuda>{codec}_nvenc"])
            self.assertEqual(said[-1], "done")
        service.stop()
        total = self.clean()
        self.assertEqual([total[n] - before for n, before in zip(names, surveyed)], [0, 0, 60])

    def log(self):
        return ""

    def test_submit__no_driver__is_done_by_the_cpu_with_one_line_that_says_why(self):
        service = self.start_without()
        reason, = service.call("Status")["parameters"]["problems"]
        for clip, codec in (standin.h264_clip(), "h264"), (standin.hevc10_clip(), "hevc"):
            document = self.document(clip, f"{codec}.mp4", codec=codec, preset="fastest")
            lines = [f"plan on cpu: native>scale>{'libx264' if codec == 'h264' else 'libx265'}", f"because {reason}"]
            said = self.follow(service, document)
            self.assertEqual([s for s in said if s.startswith(("plan", "because"))], lines)
            self.assertEqual(said[-1], "done")
        self.assertIn("libcuda.so.1", reason)
        self.assertEqual(service.ctl("plan", self.document(standin.h264_clip(), "plan.mp4")).stdout.splitlines(),
                         ["cpu: native>scale>libx264", f"because: {reason}"])
        said = service.ctl("submit", self.document(standin.h264_clip(), "no.mp4", hardware="require"))
        self.assertEqual((said.returncode, said.stderr),
                         (2, f"transcodectl: invalid job: hardware: there is no GPU on this machine: {reason}\n"))

    def test_submit__what_the_card_does_not_do__is_named(self):
        service = self.start()
        clip = standin.h264_clip()
        said = self.follow(service, self.document(clip, codec="av1", preset="fastest"))
        self.assertEqual([s for s in said if s.startswith(("plan", "because"))],
                         ["plan on cuda:0: nvdec>scale_cuda>hwdownload>libsvtav1", "because cuda:0 does not encode av1"])
        said = self.follow(service, self.document(clip, "b.mp4", hardware="require", codec="av1"), code=1)
        self.assertEqual(said[-1], "bad_request: cuda:0 does not encode av1")
        r = service.ctl("plan", self.document(clip, "b.mp4", hardware="require", codec="av1"))
        self.assertEqual((r.returncode, r.stderr), (2, "transcodectl: invalid job: hardware: cuda:0 does not encode av1\n"))

    def test_submit__a_part_fails__is_told_what_it_goes_on_without(self):
        service = self.start(fail_encode=5)
        said = self.follow(service, self.document(standin.h264_clip(), preset="fastest"))
        self.assertEqual([s for s in said if s.startswith(("plan", "because", "goes"))],
                         ["plan on cuda:0: nvdec>scale_cuda>h264_nvenc",
                          "goes on without a part of cuda:0: cuda:0 encoding: it failed",
                          "plan on cuda:0: nvdec>scale_cuda>hwdownload>libx264",
                          "because cuda:0 lends none of its encoder sessions to this job",
                          "because a part of cuda:0 failed this job before"])
        self.assertEqual(harness.frames(self.out / "a.mp4"), 30)

    def test_sessions_are_all_taken__even_for_the_survey__it_is_said_by_whom(self):
        service = self.start(foreign_sessions=3)
        said = self.follow(service, self.document(standin.h264_clip(), preset="fastest"))
        self.assertEqual([s for s in said if s.startswith(("plan", "because"))],
                         ["plan on cuda:0: nvdec>scale_cuda>hwdownload>libx264",
                          "because cuda:0 does not encode h264",
                          "because cuda:0: h264_nvenc: others hold all of the card's encoder sessions, or its memory"])

    def test_plan__says_what_is_clamped(self):
        service = self.start()
        r = service.ctl("plan", self.document(standin.h264_clip(), codec="hevc", b_frames=3))
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        plan, clamp = r.stdout.splitlines()
        self.assertEqual(plan, "cuda:0: nvdec>scale_cuda>hevc_nvenc")
        self.assertRegex(clamp, r"^because: outputs\[0\]\.video\.b_frames is 0 instead of 3: .+")
        self.assertEqual(list(self.out.iterdir()), [])

    def test_device_that_is_none__is_refused_with_those_there_are(self):
        document = self.job(standin.h264_clip(), "a.mp4", device="cuda:7")
        for start, others in (self.start, ", but cuda:0"), (self.start_without, ", and no other GPU"):
            with self.subTest(others):
                service = start()
                self.assertEqual(service.ctl("submit", self.job_file(document)).stderr,
                                 f"transcodectl: invalid job: device: there is no 'cuda:7'{others}\n")
                service.stop()


if __name__ == "__main__":
    harness.main()
