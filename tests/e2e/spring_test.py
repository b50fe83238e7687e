#!/usr/bin/env python3
"""Java's Spring STOMP and SockJS clients. Built by Maven on first use and when a source changed."""
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from harness import Server, Skip
from harness.suite import ROOT


def build():
    """The class path of the built clients; one build at a time, none when nothing changed."""
    sources = sorted((HERE / "java").glob("src/**/*.java")) + [HERE / "java" / "pom.xml"]
    digest = hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()[:12]
    target = ROOT / "build" / "e2e-java"
    (target / "project").mkdir(parents=True, exist_ok=True)
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = target / f"done-{digest}"
        if not done.exists():
            shutil.copytree(HERE / "java", target / "project", dirs_exist_ok=True)
            result = subprocess.run(["mvn", "--batch-mode", "--quiet", "process-classes"], cwd=target / "project", capture_output=True, text=True)
            if result.returncode:
                print(f"not ok spring: the clients build: {result.stdout[-500:]!r}")
                sys.exit(1)
            done.touch()
    return f"{target}/project/target/classes:{target}/project/target/libs/*"


if not shutil.which("java") or not shutil.which("mvn"):
    print("skipped spring: Spring's clients: java or mvn is not installed")
    sys.exit(0)
class_path = build()
try:
    with Server() as server:
        sys.exit(subprocess.run(["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dfile.encoding=UTF-8",
                                 "-Djava.util.logging.config.file=/dev/null", "-cp", class_path, "parley.e2e.SpringClients",
                                 f"127.0.0.1:{server.port}", server.token("u-spring", "스프링")], timeout=120).returncode)
except Skip as reason:
    print(f"skipped spring: Spring's clients: {reason}")
except AssertionError as error:
    print(f"not ok spring: the server starts: {error}")
    sys.exit(1)
