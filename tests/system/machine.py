"""A systemd of one's own: the outer machine's, booted in throw-away namespaces
(tests/system/boot) with what `make install` has put into a folder.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile

import harness
from harness import BUILD, PATIENCE, TOP, wait_until

SYSTEMD = "/lib/systemd/systemd"


def why_not():
    """What this machine lacks, or None."""
    if os.geteuid() != 0:
        return "only root can make namespaces with a systemd in them"
    if not os.access(SYSTEMD, os.X_OK):
        return "there is no systemd here"
    known = pathlib.Path("/proc/filesystems").read_text().split()
    for needed in "overlay", "cgroup2":
        if needed not in known:
            return f"the kernel has no {needed}"
    with tempfile.TemporaryDirectory(prefix="transcoded-") as folder:
        r = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--cgroup", "--net", "--",
                            "sh", "-c", f"mount -t cgroup2 none {folder} && umount {folder} &&"
                            f" mount -t overlay none -o lowerdir=/etc:/usr {folder}"],
                           capture_output=True, text=True)
    return None if r.returncode == 0 else "no namespaces here: " + r.stderr.strip()


class Machine:
    """Booted by `with`; afterwards nothing of it is left."""

    def __init__(self, folder, prefix="/usr"):
        self.folder = pathlib.Path(folder)
        self.shared = self.folder / "shared"
        self.installed = self.folder / "installed"
        self.prefix = prefix
        self.words = self.folder / "boot.log"
        self.init = None  # process 1, as it is numbered out here

    def install(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        subprocess.run(["make", "--no-print-directory", "-o", "all",
                        f"BUILD={os.path.relpath(BUILD, TOP)}", f"DESTDIR={self.installed}",
                        f"PREFIX={self.prefix}", "install"],
                       cwd=TOP, env=environment, check=True, capture_output=True)

    def __enter__(self):
        self.shared.mkdir(parents=True)
        self.shared.chmod(0o777)
        self.install()
        with open(self.words, "wb") as words:
            self.outer = subprocess.Popen([TOP / "tests/system/boot", self.folder],
                                          stdin=subprocess.DEVNULL, stdout=words,
                                          stderr=subprocess.STDOUT)
        try:
            self.init = wait_until(self._find_init, "there is a process 1")
            wait_until(self._is_up, f"systemd is up: {self.words.read_text()}", pause=0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _children(self, pid):
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def _find_init(self):
        if self.outer.poll() is not None:
            raise AssertionError("no machine: " + self.words.read_text())
        for child in self._children(self.outer.pid):
            with contextlib.suppress(OSError):  # one of the script's steps, which has ended
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
        return None

    def _is_up(self):
        r = self.run("systemctl", "is-system-running", check=False)
        return r.stdout.strip() in ("running", "degraded")

    def __exit__(self, *_):
        if self.init:
            os.kill(self.init, signal.SIGKILL)
        else:
            self.outer.kill()
        self.outer.wait()
        group = f"transcoded-{self.folder.name}"
        # gone when its last process is, which is a matter of moments
        wait_until(lambda: subprocess.run(
            ["unshare", "--mount", "--", "sh", "-c",
             'mount -t cgroup2 none "$0"; find "$0/$1" -depth -type d -exec rmdir {} +;'
             'test ! -e "$0/$1"', self.folder / "cgroup", group],
            capture_output=True).returncode == 0, "the machine's cgroup is gone")

    def run(self, *command, check=True, user=None, **keywords):
        """One command inside, to its end."""
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        r = subprocess.run(["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net",
                            "--pid", "--cgroup", "--root", "--wd", "--", *who, *map(str, command)],
                           capture_output=True, text=True, timeout=PATIENCE,
                           env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
                           **keywords)
        if check and r.returncode:
            raise AssertionError(f"{command} ended with {r.returncode}: {r.stdout}{r.stderr}")
        return r

    def put(self, path, content, mode=0o644):
        """A file inside, with its folders."""
        data = content if isinstance(content, bytes) else content.encode()
        passed = self.shared / "put"
        passed.write_bytes(data)
        self.run("install", "-D", "-m", oct(mode)[2:], "/shared/put", path)
        passed.unlink()

    def shell(self, script, **keywords):
        return self.run("sh", "-euc", script, **keywords).stdout

    def property(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def journal(self, *matches):
        """Entries as dicts."""
        r = self.run("journalctl", "-o", "json", "--all", *matches)
        return [json.loads(line) for line in r.stdout.splitlines()]
