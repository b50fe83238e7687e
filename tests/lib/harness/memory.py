"""What a process has, seen from outside."""
import threading


def resident(pid):
    """Bytes of VmRSS."""
    with open(f"/proc/{pid}/status") as status:
        return int(status.read().split("VmRSS:")[1].split()[0]) * 1024


class Watch:
    """Samples a server's memory, twenty times a second, as long as it is open."""

    def __init__(self, server):
        self.pid, self.highest, self.samples = server.process.pid, 0, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._end.wait(0.05):
            try:
                self.highest = max(self.highest, resident(self.pid))
            except (OSError, IndexError):
                return
            self.samples += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
