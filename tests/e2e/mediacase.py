"""What the media suites share: jobs that run to success, and comparisons with
what the ffmpeg CLI makes of the same input."""

import harness
from harness import ffmpeg, probe, streams


class MediaCase(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.room = harness.tempfile.TemporaryDirectory(prefix="transcoded-")
        cls.addClassCleanup(cls.room.cleanup)
        cls.s = harness.Service(cls.room.name + "/service")
        cls.s.start()
        cls.addClassCleanup(cls.s.__exit__, None)

    def run_job(self, source, *outputs, **fields):
        """Run it to success; the outcome event comes back."""
        r = self.s.ctl("--json", "run", self.job_file(self.job(source, *outputs, **fields)), timeout=120)
        self.assertEqual(r.returncode, 0, r.stdout[-3000:] + r.stderr + self.s.words()[-2000:])
        events = [harness.json.loads(line) for line in r.stdout.splitlines()]
        self.assertEqual(events[-1]["event"], "outcome")
        self.plan = next(e["plan"] for e in events if e["event"] == "ready")
        return events[-1]

    def theirs(self, name, *arguments):
        path = self.folder / name
        ffmpeg(*arguments, path)
        return path

    def assertInSync(self, path, tolerance=0.06):
        """Sound and pictures begin and end together."""
        found = {s["codec_type"]: s for s in streams(path)}
        v, a = found["video"], found["audio"]
        self.assertAlmostEqual(float(v.get("start_time", 0)), float(a.get("start_time", 0)), delta=tolerance)

    def span(self, path, selector):
        """When the first packet of a stream is shown, when the last one ends,
        and how many there are. Packets that are only decoded do not count."""
        packets = [p for p in probe(path, "-show_packets", "-select_streams", selector)["packets"]
                   if "pts_time" in p and "D" not in p["flags"]]
        starts = [float(p["pts_time"]) for p in packets]
        return min(starts), max(float(p["pts_time"]) + float(p.get("duration_time", 0)) for p in packets), len(starts)

    def assertLikeTheirs(self, ours, theirs, tolerance=0.05, packets=2):
        """The same streams at the same times, counted from the file's start."""
        self.assertEqual([s["codec_type"] for s in streams(ours)], [s["codec_type"] for s in streams(theirs)])
        spans = {}
        for path in (ours, theirs):
            spans[path] = [self.span(path, str(n)) for n in range(len(streams(path)))]
        for path, found in spans.items():
            first = min(s[0] for s in found)
            spans[path] = [(s[0] - first, s[1] - first, s[2]) for s in found]
        for n, (mine, other) in enumerate(zip(spans[ours], spans[theirs])):
            words = f"stream {n}: ours {mine}, theirs {other}"
            self.assertAlmostEqual(mine[0], other[0], delta=tolerance, msg=words)
            self.assertAlmostEqual(mine[1], other[1], delta=tolerance, msg=words)
            self.assertAlmostEqual(mine[2], other[2], delta=packets, msg=words)
