"""The server under test and the yardstick, each a process of its own on given cores, ended by pid."""
import pathlib
import re
import tempfile
import urllib.request

from runner import stats
from runner.process import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Folder:
    """A folder for one run, on the disk the checkout is on: /tmp may be memory."""

    def __init__(self):
        place = ROOT / "build" / "bench-data"
        place.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(prefix="run-", dir=place, ignore_cleanup_errors=True)
        self.path = pathlib.Path(self._folder.name)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        self._folder.cleanup()


class Parley:
    """A server with default settings, but for the limits on sessions and rates, and how many threads it has."""

    def __init__(self, binary, folder, on, threads=1, settings=()):
        self.binary = binary
        self.data = folder / "data"
        set_ = [f"threads={threads}", "rate.enabled=false", "limits.max_sessions=100000", *settings]
        self.process = Program([binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.data,
                                 *(word for key in set_ for word in ("--set", key))], on, folder / "server.log")
        self.url = self.process.line("parley ready ").split()[2]

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return self.url.split("://", 1)[1].rstrip("/")

    def metrics(self):
        with urllib.request.urlopen(self.url + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()


def median_commit_ms(before, after):
    """The median time of a commit between two readings of the metrics; None: there was none."""
    buckets = []
    for name, value in after.items():
        found = re.fullmatch(r'parley_log_commits_by_time\{up_to="(\w+)"\}', name)
        if found:
            bound = float("inf") if found[1] == "more" else float(found[1].removesuffix("us")) / 1000
            buckets.append((bound, value - before.get(name, 0)))
    return stats.bucket_median(sorted(buckets))


class Limit:
    """A bare fan-out program (bench/limit) with the server's number of threads."""

    def __init__(self, binary, folder, on, threads=1):
        self.process = Program([binary, "--listen", "127.0.0.1:0", "--threads", threads], on, folder / "limit.log")
        self.url = "tcp://" + self.process.line("limit ready ").split()[-1]

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
