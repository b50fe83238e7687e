"""A small Spring Boot STOMP server with the simple broker (spring/), built by Maven on first use."""
import hashlib
import pathlib
import shutil
import subprocess

from free_ports import free_ports
from peers.peer import Peer, Unavailable

_SOURCE = pathlib.Path(__file__).resolve().parent / "spring"
_BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "peers" / "spring"


class Spring(Peer):
    key = "spring"
    name = "Spring Boot"
    program = "java"
    package = "openjdk-17-jdk-headless"
    dialect = ["--dialect", "stomp", "--path", "/ws", "--prefix", "/topic/", "--no-receipts"]
    ready_within = 60
    warm_up = 4
    seconds_a_client = 0.002
    idle_clients = 2000
    instead = {"B": ("--rate", 20),
               "D": ("--connections", 2000, "--rooms", 20, "--senders", 20, "--rate", 100)}
    may_be_absent = True

    def prepare(self):
        super().prepare()
        if not shutil.which("mvn"):
            raise Unavailable("mvn is not installed")
        sources = sorted(_SOURCE.rglob("*.java")) + [_SOURCE / "pom.xml"]
        digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
        done = _BUILD / f"done-{digest}"
        if done.exists():
            return
        shutil.rmtree(_BUILD, ignore_errors=True)
        shutil.copytree(_SOURCE, _BUILD)
        built = subprocess.run(["mvn", "--batch-mode", "--quiet", "process-classes"], cwd=_BUILD, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if built.returncode != 0:
            raise Unavailable(f"Maven could not build it: {built.stdout[-400:]}")
        done.touch()

    def start(self, folder, on, log):
        port, = free_ports(1)
        classes = f"{_BUILD}/target/classes:{_BUILD}/target/libs/*"
        self.run([self.path(), "-Xmx4g", f"-XX:ActiveProcessorCount={len(on)}", "-cp", classes,
                  "parley.peer.SpringPeer", port], on, log)
        self.process.line("ready", self.ready_within)
        self.url = f"127.0.0.1:{port}"
