#!/usr/bin/env python3
"""The Autobahn test suite itself against /echo. It needs Python 2.7 and is skipped where there is none; the suites
websocket*_test.py check the same case classes with our own client. The long tier runs all cases, the other leaves out
most of the slow ones (classes 9, 12 and 13)."""
import fcntl
import glob
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from harness import Server, Skip, long_tier
from harness.suite import ROOT, logs_dir

CASES = ["*"] if long_tier() else ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "9.1.1", "9.2.1", "9.3.9", "9.5.5", "12.1.3", "12.4.5", "13.1.2", "13.5.4"]
ACCEPTED = {"OK", "NON-STRICT", "INFORMATIONAL"}
PINNED = HERE / "autobahn-requirements.txt"
# --target leaves namespace packages to .pth files, which only a site directory reads
START = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; run()"


def python27():
    candidates = [os.environ.get("PARLEY_PYTHON27"), shutil.which("python2.7")]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        candidates += sorted(glob.glob(f"{root}/versions/2.7*/bin/python2.7"))
    for candidate in filter(None, candidates):
        asked = subprocess.run([candidate, "-c", "import sys, pip; print(sys.version_info[:2])"], capture_output=True, text=True)
        if asked.stdout.strip() == "(2, 7)":
            return candidate
    raise Skip("no Python 2.7 with pip (set PARLEY_PYTHON27)")


def installed(python):
    home = ROOT / "build" / f"autobahn-{hashlib.sha256(PINNED.read_bytes()).hexdigest()[:12]}"
    home.parent.mkdir(exist_ok=True)
    with open(str(home) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            result = subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(home), "-r", str(PINNED)], capture_output=True, text=True)
            if result.returncode:
                raise Skip(f"the Autobahn suite does not install here: {result.stderr[-200:]!r}")
            (home / "ready").touch()
    return str(home)


def main():
    python = python27()
    home = installed(python)
    reports = logs_dir() / "autobahn"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    with Server(flags=["--enable-test-endpoints"]) as server:
        spec = {"outdir": str(reports), "servers": [{"agent": "parley", "url": f"ws://127.0.0.1:{server.port}/echo"}], "cases": CASES,
                "exclude-cases": [], "exclude-agent-cases": {}}
        (reports / "spec.json").write_text(json.dumps(spec))
        with open(reports / "wstest.log", "w") as log:
            subprocess.run([python, "-c", START, home, "-m", "fuzzingclient", "-s", str(reports / "spec.json")], stdout=log, stderr=log, cwd=reports, timeout=3600)
    cases = json.loads((reports / "index.json").read_text())["parley"]
    failed = 0
    for case, result in sorted(cases.items(), key=lambda item: [int(n) for n in item[0].split(".")]):
        good = result["behavior"] in ACCEPTED and result["behaviorClose"] in ACCEPTED
        failed += not good
        print(f"{'ok' if good else 'not ok'} autobahn: case {case}" + ("" if good else f": {result['behavior']}, close {result['behaviorClose']} ({result['remoteCloseCode']})"))
    return 1 if failed or not cases else 0


try:
    sys.exit(main())
except Skip as reason:
    print(f"skipped autobahn: all cases: {reason}")
except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
    print(f"not ok autobahn: the suite runs: {type(error).__name__} {str(error)[:300]!r}")
    sys.exit(1)
