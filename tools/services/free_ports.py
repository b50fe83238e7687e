#!/usr/bin/env python3
"""free_ports.py [COUNT]: loopback ports that nobody listens on, below those that the kernel gives to outgoing
connections: whoever was stopped there finds its port free when it comes back."""
import random
import socket
import sys

_BELOW = 12_000


def free_ports(count=1):
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as text:
        given_from = int(text.read().split()[0])
    first = max(1024, given_from - _BELOW)
    rng, held = random.SystemRandom(), []
    try:
        while len(held) < count:
            held.append(socket.socket())
            try:
                held[-1].bind(("127.0.0.1", rng.randrange(first, given_from) if first < given_from else 0))
            except OSError:
                held.pop().close()
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
