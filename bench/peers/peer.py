"""What the peers share: another server that Parley is measured beside, on free loopback ports and in a folder of its own."""
import shutil
import socket
import time

from runner.process import Failed, Program


class Unavailable(Exception):
    """The peer cannot be brought up here; the text says why."""


class Peer:
    """start() returns with the server answering at `url`; stop() ends it by its pid."""
    key = ""              # on the command line
    name = ""
    program = ""          # on PATH
    package = ""          # of Debian
    dialect = []          # options of peer_load
    ready_within = 30     # seconds
    warm_up = 1           # seconds of load before those that count
    seconds_a_client = 0  # to connect one, about
    idle_clients = 10_000
    instead = {}          # by mix: options where one core of it cannot carry the load; the report says them
    may_be_absent = False

    url = ""
    process = None

    def path(self):
        return shutil.which(self.program) or f"/usr/sbin/{self.program}"

    def prepare(self):
        """Builds or finds the program. Raises Unavailable."""
        if not shutil.which(str(self.path())):
            raise Unavailable(f"{self.program} is not installed (Debian's {self.package})")

    def start(self, folder, on, log):
        raise NotImplementedError

    def run(self, command, on, log, env=None):
        self.process = Program(command, on, log, env)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def wait_for_port(self, port):
        end = time.monotonic() + self.ready_within
        while time.monotonic() < end:
            if not self.process.alive():
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed(f"{self.name} did not answer within {self.ready_within} s: {self.process.tail()}")
