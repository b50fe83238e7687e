"""Starts a fresh server, loads it once, ends it: every single run of the bench."""
import contextlib

from runner import load, mixes, process
from runner.process import Sampler
from runner.servers import Folder, Limit, Parley, median_commit_ms

LIMITS = {"uring": "limit_uring", "send": "limit_send"}
_SMOKE = ("--connections", 20, "--rooms", 2, "--senders", 2, "--in-flight", 1, "--payload", 64, "--seconds", 1,
          "--warm-up", 0)


class Workbench:
    """Knows the programs, the cores and how long a run takes. A server has one core and the load generator the other,
    unless a run says `spread`: then both go where the scheduler puts them."""

    def __init__(self, parley, peer_load, limits, seconds, warm_up, slow_seconds):
        self.parley_binary = parley
        self.peer_load = peer_load
        self.limits = limits          # folder with limit_send and limit_uring
        self.seconds = seconds
        self.warm_up = warm_up
        self.slow_seconds = slow_seconds
        self.most = process.raise_file_limit() - 500
        self.server_core, self.load_core = process.cores()

    def estimate(self, mix, seconds=None, warm_up=None):
        return mix.set_up + (seconds or self.seconds) + (self.warm_up if warm_up is None else warm_up) + 1.5

    def _window(self, seconds, warm_up):
        return ("--seconds", seconds or self.seconds, "--warm-up", self.warm_up if warm_up is None else warm_up)

    def _cores(self, spread):
        return (process.everywhere(), process.everywhere()) if spread else (self.server_core, self.load_core)

    def parley(self, mix, extra=(), settings=(), threads=1, spread=False, seconds=None, warm_up=None,
               keep_samples=False):
        """One run of Parley; `extra` are options of `parley bench`, after the mix's own."""
        mix = mixes.fitting(mix, self.most)
        on, load_on = self._cores(spread)
        with Folder() as folder, Parley(self.parley_binary, folder, on, threads, settings) as server:
            before = server.metrics()
            with Sampler(server.pid) as memory:
                answer = load.parley(self.parley_binary, server, folder, load_on,
                                     [*mix.options, *self._window(seconds, warm_up), *extra],
                                     (seconds or self.seconds) + (self.warm_up if warm_up is None else warm_up))
            figures = load.figures(answer)
            commit = median_commit_ms(before, server.metrics())
        if commit is not None:
            figures["commit"] = round(commit, 4)
        figures["highest_memory"] = memory.highest
        if keep_samples:
            figures["samples"] = answer["samples"]
            figures["memory_samples"] = memory.samples
        return figures

    def limit(self, kind, mix, threads=1, spread=False, extra=()):
        """One run of a limit program, with the frames that Parley sends under this load."""
        mix = mixes.fitting(mix, self.most)
        on, load_on = self._cores(spread)
        with Folder() as folder, Limit(self.limits / LIMITS[kind], folder, on, threads) as server:
            answer = load.peer(self.peer_load, server, folder, load_on,
                               [*mix.options, *self._window(None, None), *extra], self.seconds + self.warm_up,
                               ["--dialect", "bare"])
            return load.figures(answer)

    @contextlib.contextmanager
    def peer(self, peer):
        """A peer that answers and has been seen to deliver what was sent, until the end of the block."""
        peer.prepare()
        with Folder() as folder:
            try:
                peer.start(folder, self.server_core, folder / "peer.log")
                self.run_peer(peer, mixes.Mix("smoke", "", _SMOKE, 20), seconds=1)
                yield peer
            finally:
                peer.stop()

    def run_peer(self, peer, mix, seconds=None):
        mix = mixes.fitting(mix, self.most)
        options = [*mix.options, *self._window(seconds, peer.warm_up), *peer.instead.get(mix.name, ())]
        with Folder() as folder:
            answer = load.peer(self.peer_load, peer, folder, self.load_core, options,
                               (seconds or self.seconds) + peer.warm_up, peer.dialect)
        return load.figures(answer)
