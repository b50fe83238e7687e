#!/usr/bin/env python3
"""The server works wherever it is started: few cores or many, IPv6, no io_uring, no SO_REUSEPORT, few descriptors."""
import errno
import pathlib
import resource
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Refused, Server, Shared, SockJsSocket, Stomp, WebSocket, check, equal, eventually, expect, request, run, seccomp, tokens
from harness.rooms import history, post


def talk(server, readers=12):
    """A room on which several cores have readers: all get everything, over WebSocket, SockJS and REST."""
    clients = [Stomp(server, f"u-{i}", room="everywhere") for i in range(readers)]
    query = {"token": tokens.token("u-sockjs"), "roomId": "everywhere"}
    clients.append(Stomp(server, "u-sockjs", room="everywhere", socket=SockJsSocket(server, "/ws-chat", "xhr_streaming", **query)))
    for client in clients:
        client.watch()
    for i in range(20):
        clients[i % readers].say(f"m{i}")
    equal(post(server, "everywhere", "m20").status, 201)
    for client in clients:
        equal([client.message().json()["content"] for _ in range(21)], [f"m{i}" for i in range(21)])
        client.close()
    equal(len(history(server, "everywhere", limit=100)), 21)
    equal(request(server, "GET", "/health").status, 200)


@check("one loop")
def _():
    with Server({"threads": 1}) as server:
        talk(server)


@check("64 loops, many more than cores", limit=60)
def _():
    with Server({"threads": 64}) as server:
        talk(server, readers=80)


@check("IPv6: [::1], its address in the ready line, its own rate")
def _():
    with Server({"rate.enabled": "true", "rate.handshake": "20/1h"}, listen="[::1]:0") as server:
        equal(server.host, "[::1]")
        talk(server)
        statuses = set()
        for _ in range(20):
            try:
                WebSocket(server, "/ws-chat", token=tokens.token("u-7"), roomId="r-1").close()
            except Refused as refused:
                statuses.add(refused.response.status)
        equal(statuses, {429})


@check("IPv6 and IPv4 at once: [::]")
def _():
    with Server({"public.enabled": "off"}, listen="[::]:0") as server:
        talk(server)
        with Connection(server.port, "127.0.0.1") as connection:
            equal(request(server, "GET", "/health", connection=connection).status, 200)


@check("no io_uring: bytes go by writev, and the log says why")
def _():
    for error in (errno.EPERM, errno.ENOSYS):
        with Server(before_exec=seccomp.without("io_uring_setup", error)) as server:
            talk(server)
            expect("flush: writev (" in server.log(), server.log_tail())


@check("with io_uring allowed the log says what is used")
def _():
    with Server() as server:
        expect("flush: io_uring" in server.log() or "flush: writev" in server.log(), server.log_tail())


@check("no SO_REUSEPORT: one listening socket hands connections to all loops")
def _():
    with Server({"threads": 4}, before_exec=seccomp.without_reuseport()) as server:
        expect("one listening socket for all loops" in server.log(), server.log_tail())
        talk(server)
        second = Server({"threads": 4}, listen=server.listen, before_exec=seccomp.without_reuseport())
        try:
            second.start()
        except AssertionError as refusal:
            expect("cannot listen on" in str(refusal), refusal)
        else:
            raise AssertionError("two servers on one port")
        finally:
            second.close()


def few_descriptors(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


@check("out of descriptors: every further connection is told 503 with Retry-After, storing goes on, and it recovers", limit=60)
def _():
    with Server({"threads": 2}, before_exec=few_descriptors(512)) as server:
        with Stomp(server, "u-first", room="few") as first:
            open_ones, refused = [], 0
            for _ in range(600):
                connection = Connection(server.port)
                connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                answer = connection.response()
                if answer.status == 200:
                    open_ones.append(connection)
                    continue
                equal((answer.status, answer.code(), answer.header("Retry-After")), (503, "SERVER_FULL", "1"))
                refused += 1
                connection.close()
            expect(refused > 100 and len(open_ones) > 100, f"{len(open_ones)} served, {refused} refused")
            first.say("still stored")
            for connection in open_ones:
                connection.close()
            eventually(lambda: request(server, "GET", "/health").status == 200, 5, "room for a new one")
            talk(server)


@check("the soft limit on descriptors is raised to the hard one")
def _():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Server(before_exec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))) as server:
        limits = open(f"/proc/{server.process.pid}/limits").read()
        line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
        equal(line.split()[3], line.split()[4], "soft and hard limit")


if __name__ == "__main__":
    run(Shared())
