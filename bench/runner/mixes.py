"""The loads: who sends how much to how many. Names and shapes A to D are the ones of `parley bench --mix`."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Mix:
    name: str
    says: str            # for people
    options: tuple       # of the load generator
    connections: int
    set_up: float = 1    # seconds until all are connected, about


A = Mix("A", "1 room × 1000, one sender with 64 in flight", ("--mix", "A"), 1000)
B = Mix("B", "1 room × 1000, 100 messages/s", ("--mix", "B"), 1000)
C = Mix("C", "500 rooms × 10, 500 senders, one in flight each", ("--mix", "C"), 5000, 2)
D = Mix("D", "100 rooms × 100, 500 messages/s in all", ("--mix", "D"), 10_000, 4)
ALL = {mix.name: mix for mix in (A, B, C, D)}

# What a stalled reader's kernel buffers take has to fill up within the run: fewer readers, larger messages.
READERS = Mix("readers", "1 room × 200, 100 messages/s of 8 KiB",
              ("--connections", 200, "--rooms", 1, "--senders", 1, "--rate", 100, "--payload", 8192), 200)
STORM = Mix("storm", "20 rooms × 50, 200 messages/s in all, then 10 000 connects at once",
            ("--connections", 1000, "--rooms", 20, "--senders", 20, "--rate", 200, "--payload", 64), 1000)
STORM_CONNECTS = 10_000
IDLE = Mix("idle", "nobody sends", ("--idle", "--connections", 10_000, "--rooms", 100, "--payload", 64), 10_000, 4)
# Chat-like traffic for a long time, as many connections as a process may have here.
SOAK = Mix("soak", "19 000 connections, 1000 rooms, chat-like sizes, 500 messages/s in all",
           ("--connections", 19_000, "--rooms", 1000, "--senders", 1000, "--rate", 500, "--payload", "chat"), 19_000, 10)


def fitting(mix, most):
    """`mix` with at most `most` connections: a process may have no more descriptors here."""
    if mix.connections <= most:
        return mix
    return dataclasses.replace(mix, connections=most, says=f"{mix.says}; {most} connections fit here",
                               options=(*mix.options, "--connections", most))
