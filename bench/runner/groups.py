"""What is measured, as groups: programs that take turns under one load, round after round."""
import dataclasses
import typing

from runner import mixes

MEMORY_BUDGET = 512 << 20
KINDS = ("A", "B", "C", "D", "threads", "idle", "readers", "storm")
EXTRA_KINDS = ("cores", "soak")
SOAK_SECONDS = 600
# Until the log's write buffers are full for the first time: growth that ends.
_SOAK_WARM_UP = 660


@dataclasses.dataclass(frozen=True)
class Turn:
    """One program's run in a round. `every`: only in each so many-th round."""
    run: typing.Callable
    seconds: float
    every: int = 1


@dataclasses.dataclass(frozen=True)
class Group:
    name: str
    says: str
    rounds: int
    turns: dict
    peer: object = None       # up while the group runs

    def order(self, number):
        """The turns of a round, another one first each time, so that none always comes after the same."""
        names = [name for name, turn in self.turns.items() if number % turn.every == 0]
        first = number % len(names)
        return names[first:] + names[:first]

    def estimate(self):
        return sum(self.turns[name].seconds for number in range(self.rounds) for name in self.order(number))


def plan(bench, wanted, pairs):
    """The groups of the names in `wanted`."""
    makers = {"A": _a, "B": _b, "C": _c, "D": _d, "threads": _threads, "idle": _idle, "readers": _readers,
              "storm": _storm, "soak": _soak}
    made = [make(bench, pairs) for name, make in makers.items() if name in wanted]
    return made + [_on_two_cores(bench, mix, pairs) for mix in mixes.ALL.values() if "cores" in wanted]


def plan_peer(bench, peer, wanted, pairs):
    """The groups of one peer: the mixes in pairs with Parley, and what an idle client costs."""
    groups = []
    if "idle" in wanted:  # first: a server that has served ten thousand keeps memory for the next
        idle = mixes.fitting(mixes.IDLE, peer.idle_clients)
        groups.append(Group(f"{peer.key} idle", f"{peer.name}, {peer.idle_clients} idle clients", 1, {
            "peer": Turn(lambda: bench.run_peer(peer, idle, seconds=1),
                         bench.estimate(mixes.IDLE, 1) + peer.idle_clients * peer.seconds_a_client)}, peer))
    for mix in mixes.ALL.values():
        if mix.name in wanted:
            groups.append(Group(f"{peer.key} {mix.name}", f"{peer.name}, {mix.says}", pairs, {
                "parley": Turn(lambda mix=mix: bench.parley(mix), bench.estimate(mix)),
                "peer": Turn(lambda mix=mix: bench.run_peer(peer, mix),
                             bench.estimate(mix, warm_up=peer.warm_up) + mix.connections * peer.seconds_a_client),
            }, peer))
    return groups


def _against_limits(bench, mix, **more):
    cost = bench.estimate(mix)
    return {"parley": Turn(lambda: bench.parley(mix), cost),
            "uring": Turn(lambda: bench.limit("uring", mix), cost),
            "send": Turn(lambda: bench.limit("send", mix), cost, every=4), **more}


def _a(bench, pairs):
    deflate = Turn(lambda: bench.parley(mixes.A, ["--deflate"]), bench.estimate(mixes.A))
    return Group("A", mixes.A.says, pairs, _against_limits(bench, mixes.A, deflate=deflate))


def _b(bench, pairs):
    return Group("B", mixes.B.says, pairs, _against_limits(bench, mixes.B))


def _c(bench, pairs):
    events = Turn(lambda: bench.parley(mixes.C, ["--typing"]), bench.estimate(mixes.C))
    bare = Turn(lambda: bench.limit("uring", mixes.C, extra=["--typing"]), bench.estimate(mixes.C))
    return Group("C", mixes.C.says, pairs, _against_limits(bench, mixes.C, events=events, events_uring=bare))


def _d(bench, pairs):
    return Group("D", mixes.D.says, pairs, _against_limits(bench, mixes.D))


def _threads(bench, pairs):
    cost = bench.estimate(mixes.C)
    return Group("threads", f"{mixes.C.says}; one thread and two, not pinned", pairs, {
        "one": Turn(lambda: bench.parley(mixes.C, spread=True), cost),
        "two": Turn(lambda: bench.parley(mixes.C, threads=2, spread=True), cost),
        "uring_two": Turn(lambda: bench.limit("uring", mixes.C, threads=2, spread=True), cost, every=4)})


def _on_two_cores(bench, mix, pairs):
    """Beside what `taskset` of one core leaves to server and limit: two threads each, on both cores with the load generator."""
    cost = bench.estimate(mix)
    return Group(f"{mix.name} cores", f"{mix.says}; on one core with one thread, on two with two", pairs, {
        "one": Turn(lambda: bench.parley(mix), cost),
        "uring_one": Turn(lambda: bench.limit("uring", mix), cost),
        "two": Turn(lambda: bench.parley(mix, threads=2, spread=True), cost),
        "uring_two": Turn(lambda: bench.limit("uring", mix, threads=2, spread=True), cost)})


def _idle(bench, pairs):
    cost = bench.estimate(mixes.IDLE, 1)
    return Group("idle", "idle, connected, subscribed clients", min(pairs, 3), {
        "parley": Turn(lambda: bench.parley(mixes.IDLE, seconds=1), cost),
        "deflate": Turn(lambda: bench.parley(mixes.IDLE, ["--deflate"], seconds=1), cost),
        "uring": Turn(lambda: bench.limit("uring", mixes.IDLE), cost)})


def _readers(bench, pairs):
    settings = [f"limits.memory={MEMORY_BUDGET >> 20}MiB"]
    cost = bench.estimate(mixes.READERS, bench.slow_seconds)
    return Group("readers", f"{mixes.READERS.says}; 10 % stalled and 10 % slow", pairs, {
        "without": Turn(lambda: bench.parley(mixes.READERS, settings=settings, seconds=bench.slow_seconds), cost),
        "with": Turn(lambda: bench.parley(mixes.READERS, ["--stalled", 10, "--slow", 10], settings,
                                          seconds=bench.slow_seconds), cost)})


def _storm(bench, pairs):
    cost = bench.estimate(mixes.STORM, bench.slow_seconds)
    return Group("storm", mixes.STORM.says, pairs, {
        "without": Turn(lambda: bench.parley(mixes.STORM, seconds=bench.slow_seconds), cost),
        "with": Turn(lambda: bench.parley(mixes.STORM, ["--storm", mixes.STORM_CONNECTS],
                                          seconds=bench.slow_seconds), cost)})


def _soak(bench, pairs):
    del pairs
    return Group("soak", mixes.SOAK.says, 1, {
        "parley": Turn(lambda: bench.parley(mixes.SOAK, seconds=SOAK_SECONDS, warm_up=_SOAK_WARM_UP, keep_samples=True),
                       bench.estimate(mixes.SOAK, SOAK_SECONDS, _SOAK_WARM_UP))})
