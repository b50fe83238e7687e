"""`parley worker` as a process of its own: stopped, killed and started again by pid."""
import atexit
import itertools
import os
import subprocess

from .ports import free_port
from .server import binary, die_with_parent
from .suite import equal, logs_dir, suite_name
from .tokens import SECRET

_numbers = itertools.count(1)


class Worker:
    """With the settings of a server; requests may be sent to its worker.listen."""
    host = "127.0.0.1"

    def __init__(self, settings, *roles):
        self.roles, self.port = roles, free_port()
        settings = {"auth.secret": SECRET, "worker.listen": f"{self.host}:{self.port}", **settings}
        self.flags = [f"--set={name}={value}" for name, value in settings.items()]
        self.process = None
        self.log_path = logs_dir() / f"{suite_name()}-worker-{os.getpid()}-{next(_numbers)}.log"
        atexit.register(self.kill)

    def start(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([binary(), "worker", *[f"--role={role}" for role in self.roles], *self.flags], env=env,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=die_with_parent)
        equal(self.process.stdout.readline(), f"parley worker ready {','.join(self.roles)}\n")
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def stop(self, limit=60):
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        self.process.communicate(timeout=limit)
        return self.process.returncode

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        atexit.unregister(self.kill)
        try:
            self.stop()
        finally:
            self.kill()
