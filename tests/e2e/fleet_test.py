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
    """(the process of the script, the servers as (pid, address of the operators' door), the port), when it says that the fleet is ready."""
    env = {**os.environ, "PARLEY_BIN": str(binary()), "PARLEY_FLEET_DIR": folder, "PORT": str(free_port()), **more}
    fleet = subprocess.Popen([ROOT / "tools" / "fleet.sh"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, servers = [], []
    for line in fleet.stdout:
        said.append(line)
        servers += [(int(pid), door) for pid, door in re.findall(r"^Server .* process (\d+), .* operators at (\S+) ", line)]
        if line.startswith("fleet ready "):
            return fleet, servers, env["PORT"]
        if line.startswith("kafka.sh: ") and "cannot be had" in line:
            raise Skip(line.strip())
    raise AssertionError("".join(said)[-600:])


def sessions(door):
    """How many are connected to a server, as it tells its operators."""
    with urllib.request.urlopen(door + "/metrics", timeout=30) as answer:
        return int(float(re.search(r"^parley_sessions (\S+)$", answer.read().decode(), re.MULTILINE)[1]))


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
        fleet, servers, port = start(folder)
        script = subprocess.Popen(["node", str(npm.FOLDER / "page.cjs"), f"127.0.0.1:{port}", str(logs_dir()), shutil.which("chromium")],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for line in script.stdout:
                if line.startswith("! apart"):
                    each = [sessions(door) for _, door in servers]
                    print("yes" if min(each) > 0 else "no", file=script.stdin, flush=True)
                elif line.startswith("! restart"):
                    os.kill(servers.pop()[0], signal.SIGKILL)
                    print("done", file=script.stdin, flush=True)
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
