#!/usr/bin/env python3
"""What holds over the embedded store holds over PostgreSQL: rooms, history, resume, REST and accounts with everything in a
real database (log.kind=store, store.kind=postgres)."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Skip, services
from harness.suite import suite_name

SUITES = ("rooms", "resume", "rest", "rest_rights", "accounts")


def main():
    try:
        env = {**os.environ, "PARLEY_TEST_POSTGRES": services.shared("postgres").url}
    except Skip as why:
        print(f"skipped {suite_name()}: {why}")
        return 0
    status = 0
    for suite in SUITES:
        ran = subprocess.run([pathlib.Path(__file__).with_name(f"{suite}_test.py"), *sys.argv[1:]], env=env, capture_output=True, text=True)
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


if __name__ == "__main__":
    sys.exit(main())
