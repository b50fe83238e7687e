"""Links that can be cut, in a network of the suite's own: everything is on its loopback, and what a process of one user sends to one
port can be made to vanish, as where a cable was pulled. Nobody is told; only time shows it."""
import atexit
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import tempfile

from .server import binary
from .suite import Skip

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_NOWHERE = "99"  # a routing table whose packets nobody takes


class Links:
    """Made before anything is started, on the main thread, once: this process and what it starts from then on are in a network of their own.
    Skips where that is not allowed."""

    def __init__(self):
        self._libc = ctypes.CDLL("libc.so.6", use_errno=True)
        self._users = itertools.count(61_001)
        if self._libc.unshare(_CLONE_NEWNET):
            raise Skip(f"no network of its own here: {os.strerror(ctypes.get_errno())}")
        self._ip("link set lo up")
        # Before the rule that delivers what is for this machine.
        self._ip("rule add pref 100 lookup local")
        self._ip("rule del pref 0")
        self._ip("link add nowhere type veth peer name void")
        # Who has no other address than loopback's is told of none (AI_ADDRCONFIG).
        self._ip("addr add 192.0.2.1/32 dev nowhere")
        for end in ("nowhere", "void"):
            self._ip(f"link set {end} up")
        self._ip("neigh add 127.0.0.1 lladdr 02:00:00:00:00:01 dev nowhere")
        self._ip(f"route add 127.0.0.0/8 dev nowhere src 127.0.0.1 table {_NOWHERE}")
        # Other users than root have to be able to run it.
        self._folder = tempfile.mkdtemp(prefix="parley-links-")
        os.chmod(self._folder, 0o755)
        atexit.register(shutil.rmtree, self._folder, True)
        self.program = shutil.copy2(binary(), self._folder)

    def _ip(self, line):
        ran = subprocess.run(["ip", *line.split()], capture_output=True, text=True)
        if ran.returncode:
            raise Skip(f"ip {line}: {ran.stderr.strip()}")

    def own(self, server):
        """Its process gets a user of its own, which `cut` knows it by. Before it starts."""
        server.user = next(self._users)
        server.program = self.program
        os.chown(server.data_dir, server.user, server.user)

        def become():
            os.setgroups([])
            os.setgid(server.user)
            os.setuid(server.user)
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        server.before_exec = become
        return server

    def cut(self, server, port):
        self._ip(f"rule add pref 10 uidrange {server.user}-{server.user} ipproto tcp dport {port} lookup {_NOWHERE}")

    def mend(self, server, port):
        self._ip(f"rule del pref 10 uidrange {server.user}-{server.user} ipproto tcp dport {port} lookup {_NOWHERE}")
