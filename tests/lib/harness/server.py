"""A Parley server as a process of its own: started on a free loopback port with its own data
directory, stopped or killed by pid, started again on the same port and data."""
import atexit
import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from . import services, tokens
from .http import tls_ports
from .ports import free_port
from .suite import ROOT, logs_dir, suite_name

_PR_SET_PDEATHSIG = 1
_count = 0
# PARLEY_TEST_TLS=1 runs a suite over https and wss: clients follow the port.
OVER_TLS = bool(os.environ.get("PARLEY_TEST_TLS"))


def binary():
    path = pathlib.Path(os.environ.get("PARLEY_BIN", ROOT / "build" / "release" / "bin" / "parley"))
    if not path.exists():
        raise AssertionError(f"no server at {path}: make build, or set PARLEY_BIN")
    return str(path)


def die_with_parent():
    ctypes.CDLL("libc.so.6").prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _shared_store(data_dir):
    """With PARLEY_TEST_STORE="KIND URL" every server keeps everything in that database, in tables that belong to its data directory."""
    kind, _, url = os.environ.get("PARLEY_TEST_STORE", "").partition(" ")
    return services.store_settings(kind, url, "t_" + hashlib.md5(data_dir.encode()).hexdigest()[:16]) if kind else {}


def run_parley(*arguments, env=None, cwd=None, limit=20, stdin=None):
    """Runs a sub-command to its end."""
    full_env = {k: v for k, v in os.environ.items() if k != "PARLEY_BIN" and not k.startswith("PARLEY_")}
    full_env.update(env or {})
    return subprocess.run([binary(), *arguments], env=full_env, cwd=cwd, timeout=limit, input=stdin,
                          capture_output=True, text=True, errors="replace", preexec_fn=die_with_parent)


class Server:
    """Settings become `--set key=value`; auth.secret is the tests' own and rates are off unless given."""

    def __init__(self, settings=None, flags=(), data_dir=None, listen=None, env=None, program=None, before_exec=None):
        self.settings = {"auth.secret": tokens.SECRET, "rate.enabled": "false"}
        self._own_dir = data_dir is None
        self.data_dir = str(data_dir or tempfile.mkdtemp(prefix="parley-e2e-"))
        self.settings.update(_shared_store(self.data_dir))
        self.settings.update(settings or {})
        self.flags = list(flags)
        self.listen = listen = listen or f"127.0.0.1:{free_port()}"
        if OVER_TLS and "://" not in listen and not listen.startswith("unix:"):
            self.listen = "https://" + listen
            self.settings["tls.self_signed"] = "true"
        self.env = env or {}
        self.program = program
        self.before_exec = before_exec  # runs in the child before it becomes the server
        self.process = None
        self.port = None
        global _count
        _count += 1
        atexit.register(self.close)  # whatever way the suite ends
        self.log_path = logs_dir() / f"{suite_name()}-{os.getpid()}-{_count}.log"

    def command(self):
        line = [self.program or binary(), "serve", "--listen", self.listen, "--data-dir", self.data_dir, *self.flags]
        for key, value in self.settings.items():
            if value is not None:
                line += ["--set", f"{key}={value}"]
        return line

    def start(self, limit=30):
        log = open(self.log_path, "ab")
        env = {k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}
        env.update(self.env)
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                        env=env, cwd=self.data_dir if os.path.isdir(self.data_dir) else None,
                                        preexec_fn=self._prepare_child)
        log.close()
        self._ready = threading.Event()
        self._ready_line = None
        threading.Thread(target=self._read_stdout, args=(self.process, self._ready), daemon=True).start()
        self._ready.wait(limit)
        if not self._ready_line:
            status = self.process.poll()
            self.kill()
            raise AssertionError(f"the server did not get ready (exit status {status}): {self.log_tail()}")
        self.scheme, _, address = self._ready_line.split()[-1].partition("://")
        self.host, port = address.rstrip("/").rsplit(":", 1)
        self.port = int(port)
        if self.scheme == "https":
            tls_ports.add(self.port)
        self.listen = f"{self.scheme}://{self.host}:{port}" + "".join(self.listen.partition(" ")[1:])
        return self

    def _prepare_child(self):
        die_with_parent()
        if self.before_exec:
            self.before_exec()

    def _read_stdout(self, process, ready):
        with open(self.log_path, "ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if line.startswith(b"parley ready ") and process is self.process:
                    self._ready_line = line.decode()
                    ready.set()
        ready.set()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def answers(self):
        """Alive, and not a process that is just being torn down after a crash."""
        if not self.alive():
            return False
        try:
            socket.create_connection((self.host, self.port), timeout=5).close()
            return True
        except OSError:
            return False

    def kill(self):
        """SIGKILL, as a crash does."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, limit=20):
        """SIGTERM; returns the exit status."""
        if not self.alive():
            return self.process.poll() if self.process else None
        self.process.terminate()
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {limit} s after SIGTERM") from None

    def restart(self, limit=30):
        self.stop()
        return self.start(limit)

    def close(self):
        atexit.unregister(self.close)
        self.kill()
        if self._own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.close()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self, size=600):
        return self.log()[-size:] if self.log_path.exists() else ""

    def token(self, member="u-7", nickname=None, **more):
        return tokens.token(member, nickname, **more)

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}"


class Shared:
    """The one server of a suite; a check that finds it dead gets a fresh one, and its killer has failed."""

    def __init__(self, settings=None, flags=(), **more):
        self._make = lambda: Server(settings, flags, **more).start()
        self._server = None

    def get(self):
        if self._server is None or not self._server.answers():
            if self._server:
                self._server.close()
            self._server = self._make()
        return self._server

    def close(self):
        if self._server:
            self._server.close()
