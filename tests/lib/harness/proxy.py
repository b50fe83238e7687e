"""nginx and HAProxy of Debian in front of a server, configured by the lines that docs/proxies.md shows."""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .ports import free_port
from .suite import ROOT, Skip, expect, logs_dir, suite_name

PAGE = ROOT / "docs" / "proxies.md"
_PR_SET_PDEATHSIG = 1
_count = 0


def snippet(title):
    """The block of the page that is introduced by `<!-- title -->`."""
    found = re.search(rf"<!-- {re.escape(title)} -->\n```\w*\n(.*?)```", PAGE.read_text(), re.S)
    expect(found, f"{PAGE.name} has no block called {title}")
    return found.group(1)


class _Proxy:
    """A block of the page, with the addresses of this test: `listen`/`bind` is a free port, the servers are `backends`."""

    def __init__(self, title, backends):
        if shutil.which(self.program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            raise Skip(f"no {self.program} here")
        self.port, self.host = free_port(), "127.0.0.1"
        self.lines = snippet(title)
        for given, shown in zip(backends, ("127.0.0.1:8080", "127.0.0.1:8081"), strict=True):
            expect(self.lines.count(shown) == 1, f"{title}: {shown} is not there once")
            self.lines = self.lines.replace(shown, given)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-proxy-"))
        (self.folder / "conf").write_text(self.configuration())
        global _count
        _count += 1
        self.log_path = logs_dir() / f"{suite_name()}-{self.program}-{os.getpid()}-{_count}.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            preexec_fn=lambda: ctypes.CDLL("libc.so.6").prctl(_PR_SET_PDEATHSIG, signal.SIGTERM))
        self._wait()

    @property
    def door(self):
        return self.host, self.port

    def _wait(self, limit=10):
        end = time.monotonic() + limit
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(self.door, timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.program} does not listen: {self.log_path.read_text()[-600:]}")

    def reload(self):
        self.process.send_signal(self.reload_signal)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Nginx(_Proxy):
    program, reload_signal = "nginx", signal.SIGHUP

    def configuration(self):
        expect("listen 80;" in self.lines, "no `listen 80;`")
        user = "user root;\n" if os.geteuid() == 0 else ""
        temp = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # Old workers hold what is open for ever unless told otherwise: here a reload cuts everything after a moment.
        return (f"{user}worker_processes 2;\nworker_shutdown_timeout 300ms;\npid {self.folder}/pid;\nevents {{ worker_connections 4000; }}\n"
                f"http {{\n  access_log off;\n{temp}{self.lines.replace('listen 80;', f'listen {self.host}:{self.port};')}}}\n")

    def command(self):
        return ["nginx", "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "conf"), "-g", "daemon off;"]


class HaProxy(_Proxy):
    program, reload_signal = "haproxy", signal.SIGUSR2

    def configuration(self):
        expect("bind :80" in self.lines, "no `bind :80`")
        return (f"global\n    maxconn 4000\n    hard-stop-after 300ms\n    stats socket {self.folder}/stats level admin\n"
                f"{self.lines.replace('bind :80', f'bind {self.host}:{self.port}')}")

    def command(self):
        return ["haproxy", "-W", "-f", str(self.folder / "conf")]

    def tell(self, command):
        """One command of its runtime API."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self.folder / "stats"))
            stats.sendall(command.encode() + b"\n")
            return stats.recv(65536).decode()
