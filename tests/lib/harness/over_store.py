"""What holds over the embedded store holds over a database: the same suites with everything in it (log.kind=store)."""
import os
import pathlib
import subprocess
import sys

from . import services
from .suite import ROOT, Skip, suite_name

SUITES = ("rooms", "resume", "rest", "rest_rights", "accounts")


def main(kind):
    try:
        env = {**os.environ, "PARLEY_TEST_STORE": f"{kind} {services.shared(kind).url}"}
    except Skip as why:
        print(f"skipped {suite_name()}: {why}")
        return 0
    status = 0
    for suite in SUITES:
        ran = subprocess.run([pathlib.Path(ROOT) / "tests" / "conformance" / f"{suite}_test.py", *sys.argv[1:]], env=env, capture_output=True,
                             text=True)
        sys.stderr.write(ran.stderr)
        for line in ran.stdout.splitlines():
            for outcome in ("ok ", "not ok ", "skipped "):
                if line.startswith(outcome):
                    line = f"{outcome}{suite_name()}/{line.removeprefix(outcome)}"
                    break
            print(line, flush=True)
        if ran.returncode and not any(line.startswith("not ok ") for line in ran.stdout.splitlines()) and len(sys.argv) == 1:
            print(f"not ok {suite_name()}/{suite}: exit status {ran.returncode}", flush=True)
        status = status or ran.returncode
    return status
