"""Programs that a measurement starts: on which core, until when, how much memory they use."""
import contextlib
import ctypes
import os
import queue
import resource
import signal
import subprocess
import threading
import time

# The programs' own settings do not leak in from the shell.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL("libc.so.6", use_errno=True)


class Failed(Exception):
    """A run that has no figures; the text says why."""


def raise_file_limit():
    """One descriptor a connection: as many as the machine allows a process. Inherited by what is started. Returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def cores():
    """(the server's, the load generator's): a core each where there are two, else both wherever they like."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[:1], allowed[1:2]) if len(allowed) >= 2 else (allowed, allowed)


def everywhere():
    return sorted(os.sched_getaffinity(0))


def _prepare(on):
    def prepare():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # ends with the runner, however that ends
        os.sched_setaffinity(0, on)
    return prepare


class Program:
    """A server process on the cores `on`, ended by its pid. Its output goes to the file `log`."""

    def __init__(self, command, on, log, env=None, cwd=None):
        self.name = os.path.basename(command[0])
        self.log = log
        self._lines = queue.Queue()
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=errors, env=dict(CLEAN, **(env or {})), cwd=cwd,
                                            preexec_fn=_prepare(on))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.process.pid

    def line(self, start, limit=60):
        """Waits for the line of its output that begins with `start`; raises Failed when it ends or takes too long."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                raise Failed(f"{self.name} was not ready within {limit} s: {self.tail()}") from None
            if line is None:
                raise Failed(f"{self.name} ended with {self.process.wait()}: {self.tail()}")
            if line.startswith(start):
                return line.strip()

    def _read(self):
        with open(self.log, "ab") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                self._lines.put(line.decode(errors="replace"))
        self._lines.put(None)

    def tail(self):
        with open(self.log, "rb") as text:
            return text.read()[-600:].decode(errors="replace").strip()

    def alive(self):
        return self.process.poll() is None

    @contextlib.contextmanager
    def watched(self):
        """Whatever fails in the block is told with the program's end, where that is the reason."""
        try:
            yield
        except Failed as why:
            if self.alive():
                raise
            raise Failed(f"{self.name} ended with {self.process.wait()}: {self.tail()} ({why})") from None

    def stop(self, limit=30):
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()


def run(command, on, limit):
    """Runs a load generator on the cores `on`; its exit status and output."""
    try:
        done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=CLEAN,
                              preexec_fn=_prepare(on), timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{os.path.basename(str(command[0]))} did not end within {limit:.0f} s: "
                     f"{(late.output or b'').decode(errors='replace')[-300:]}") from None
    return done.returncode, done.stdout


def memory(pid):
    """Bytes of user space that a process holds in memory of its own and of files, without what the kernel keeps."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) * 1024


class Busy:
    """How much the rest of the machine does meanwhile."""

    def __init__(self):
        self._began = time.monotonic()
        self._all, self._ours = self._read()

    @staticmethod
    def _read():
        """Seconds of CPU that the machine has used on anything, and this process with the children that ended."""
        with open("/proc/stat") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        idle = fields[3] + fields[4]
        ours = os.times()
        return (sum(fields) - idle) / os.sysconf("SC_CLK_TCK"), sum(ours[:4])

    def others(self):
        """Cores' worth of what other programs used, while none of our children is running."""
        everything, ours = self._read()
        return max(everything - self._all - (ours - self._ours), 0) / (time.monotonic() - self._began)


class Sampler:
    """Samples a process's memory each second from outside; `highest` holds after the block."""

    def __init__(self, pid, every=1.0):
        self.samples = []
        self._pid = pid
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while True:
            try:
                self.samples.append(memory(self._pid))
            except (OSError, KeyError):
                return
            if self._done.wait(self._every):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    @property
    def highest(self):
        return max(self.samples, default=0)
