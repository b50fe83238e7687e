"""Real servers that Parley works with, by the scripts of tools/services/: each in a directory of its own, on a free loopback
port, ended with the suite however that ends."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile

from .suite import ROOT, Skip


def store_settings(kind, url, name):
    """Of servers that share the database at `url`, in tables of their own; over Kafka of one that has its messages there."""
    if kind == "kafka":
        return {"log.kind": "kafka", "kafka.brokers": url, "kafka.topics.chat": name, "kafka.partitions": 3}
    store, tables = {"postgres": ("postgres", "postgres.schema"), "mongo": ("mongodb", "mongodb.database")}[kind]
    return {"log.kind": "store", "store.kind": store, f"{store}.url": url, tables: name}


class Service:
    """`postgres`, `mongo`, `redis`, `kafka`. Skips the check where it is not installed."""

    def __init__(self, name, **environment):
        self._environment = environment  # what the script is told, such as NODES="3"
        self._script = str(ROOT / "tools" / "services" / f"{name}.sh")
        self.dir = tempfile.mkdtemp(prefix=f"parley-{name}-")
        atexit.register(self.close)
        self.url = None
        self.start()

    def start(self):
        """Also after stop() or kill(): the same port, the same data."""
        ran = self._run("start")
        if ran.returncode == 3:
            raise Skip(ran.stderr.strip())
        if ran.returncode:
            raise AssertionError(f"{self._script} start: {ran.stderr[-600:]}")
        self.url = ran.stdout.split()[-1]
        return self

    def stop(self):
        self._run("stop")

    def control(self, what, *more):
        """Another command of the script: `stop-node 1`."""
        ran = self._run(what, *more)
        if ran.returncode:
            raise AssertionError(f"{self._script} {what}: {ran.stderr[-600:]}")

    def relayed_ports(self):
        """Of a Kafka that was told RELAYS: where these have to lead to."""
        with open(os.path.join(self.dir, "relayed-brokers"), encoding="ascii") as file:
            return [int(address.rpartition(":")[2]) for address in file.read().split(",")]

    def signal(self, number, pid_file="pid"):
        with open(os.path.join(self.dir, pid_file), encoding="ascii") as file:
            os.kill(int(file.read()), number)

    def kill(self):
        """As a crash: nothing is written any more, and the next start recovers. (PostgreSQL takes its helpers along.)"""
        self.signal(signal.SIGQUIT if "postgres" in self._script else signal.SIGKILL)
        self._run("stop")

    def sql(self, statement):
        """PostgreSQL's answer in plain text."""
        ran = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url], capture_output=True, text=True, timeout=30)
        if ran.returncode:
            raise AssertionError(f"{statement}: {ran.stderr}")
        return ran.stdout.strip()

    def command(self, *words):
        """Redis's answer in plain text."""
        ran = subprocess.run(["redis-cli", "-u", self.url, *words], capture_output=True, text=True, timeout=30)
        if ran.returncode or ran.stdout.startswith("(error)"):
            raise AssertionError(f"{words}: {ran.stdout}{ran.stderr}")
        return ran.stdout.strip()

    def listening(self, channel):
        """What others publish on a channel of Redis, from now on."""
        return Listening(self.url, channel)

    def close(self):
        atexit.unregister(self.close)
        self._run("stop")
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, what, *more):
        env = {**os.environ, **self._environment, "SERVICE_OWNER": str(os.getpid())}
        # The first start of one may fetch it.
        return subprocess.run([self._script, what, self.dir, *more], env=env, capture_output=True, text=True, timeout=300)


class Listening:
    def __init__(self, url, channel):
        self._process = subprocess.Popen(["redis-cli", "-u", url, "--json", "SUBSCRIBE", channel], stdout=subprocess.PIPE, text=True)
        self._line()  # subscribed

    def _line(self):
        for line in self._process.stdout:
            if line.startswith("["):
                return json.loads(line)
        raise AssertionError("redis-cli ended")

    def json(self):
        """The next message, read as JSON."""
        return json.loads(self._line()[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate()


_shared = {}


def shared(name):
    """One for the whole suite."""
    if name not in _shared:
        _shared[name] = Service(name)
    return _shared[name]
