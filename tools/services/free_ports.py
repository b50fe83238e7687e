#!/usr/bin/env python3
"""free_ports.py [COUNT]: loopback ports that nobody listens on, below those that the kernel gives to outgoing
connections: whoever was stopped there finds its port free when it comes back. They are given in turn, whoever asks:
a broker takes seconds before it listens on its own, and nobody else is told the same one meanwhile."""
import fcntl
import os
import socket
import sys
import tempfile

_BELOW = 12_000


def _range():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as text:
        given_from = int(text.read().split()[0])
    return max(1024, given_from - _BELOW), given_from


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count=1):
    first, end = _range()
    if first >= end:
        raise SystemExit("free_ports.py: net.ipv4.ip_local_port_range leaves no port below itself")
    found = []
    turn = os.open(os.path.join(tempfile.gettempdir(), f"parley-ports-{os.getuid()}"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        last = os.pread(turn, 8, 0)
        port = int(last) if last.strip().isdigit() else first
        for _ in range(end - first):
            port = port + 1 if first <= port < end - 1 else first
            if _is_free(port):
                found.append(port)
            if len(found) == count:
                break
        os.pwrite(turn, b"%-8d" % port, 0)
    finally:
        os.close(turn)
    if len(found) < count:
        raise SystemExit(f"free_ports.py: {len(found)} ports from {first} to {end - 1} are free, {count} were wanted")
    return found


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
