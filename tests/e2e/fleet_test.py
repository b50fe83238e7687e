#!/usr/bin/env python3
"""`make fleet` as a new user tries it: the chat page in two browsers, behind the proxy, one of the two servers killed in mid-sentence; and
whether it starts without Kafka."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Skip, npm
from harness.ports import free_port
from harness.server import binary
from harness.suite import ROOT, logs_dir

LIMIT_S = 240


def start(folder, **more):
    """(the process of the script, the servers' pids, the port), when it says that the fleet is ready."""
    env = {**os.environ, "PARLEY_BIN": str(binary()), "PARLEY_FLEET_DIR": folder, "PORT": str(free_port()), **more}
    fleet = subprocess.Popen([ROOT / "tools" / "fleet.sh"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, pids = [], []
    for line in fleet.stdout:
        said.append(line)
        pids += [int(pid) for pid in re.findall(r"^Server .* process (\d+)", line)]
        if line.startswith("fleet ready "):
            return fleet, pids, env["PORT"]
        if line.startswith("kafka.sh: ") and "cannot be had" in line:
            raise Skip(line.strip())
    raise AssertionError("".join(said)[-600:])


def without_kafka():
    with tempfile.TemporaryDirectory(prefix="parley-fleet-", ignore_cleanup_errors=True) as folder:
        fleet, _, port = start(folder, KAFKA="no")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30) as answer:
                print(f"{'ok' if answer.status == 200 else 'not ok'} fleet: it starts without Kafka", flush=True)
        finally:
            fleet.terminate()
            fleet.wait(60)


def main():
    missing = [program for program in ("chromium", "haproxy", "redis-server", "java", "mvn") if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        raise Skip(f"not installed: {', '.join(missing)}")
    npm.install()
    without_kafka()
    with tempfile.TemporaryDirectory(prefix="parley-fleet-", ignore_cleanup_errors=True) as folder:
        fleet, pids, port = start(folder)
        script = subprocess.Popen(["node", str(npm.FOLDER / "page.cjs"), f"127.0.0.1:{port}", str(logs_dir()), shutil.which("chromium")],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for line in script.stdout:
                if line.startswith("! restart"):
                    os.kill(pids.pop(), signal.SIGKILL)
                    script.stdin.write("done\n")
                    script.stdin.flush()
                else:
                    print(line.replace("ok ", "ok fleet/", 1), end="", flush=True)
            return script.wait(LIMIT_S)
        finally:
            script.kill()
            fleet.terminate()
            fleet.wait(60)
            for log in pathlib.Path(folder).glob("*.log"):
                shutil.copy(log, logs_dir() / f"fleet-page-{log.name}")


try:
    sys.exit(main())
except Skip as reason:
    print(f"skipped fleet: all: {reason}")
except AssertionError as error:
    print(f"not ok fleet: it starts: {error}")
    sys.exit(1)
