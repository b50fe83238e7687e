#!/usr/bin/env python3
"""A server under ThreadSanitizer and load: senders, receivers, SockJS sessions, churn, draining. PARLEY_BIN is that build."""
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from harness import Server, SockJsSocket, Stomp, check, equal, expect, request, run, run_parley
from harness import tokens


def churn(server, number):
    """People who come and go by each transport, while the rooms are busy."""
    for i in range(10):
        member = f"u-{number}-{i}"
        transport = ("websocket", "xhr_streaming", "xhr")[i % 3]
        socket = SockJsSocket(server, "/ws-chat", transport, token=tokens.token(member), roomId="churn")
        with Stomp(server, member, room="churn", socket=socket) as client:
            client.watch(after_seq="0")
            client.say("in", type="JOIN")
            client.say(f"hello {number} {i}")
        request(server, "GET", "/api/rooms/churn/members", token=tokens.token(member))
        request(server, "GET", "/metrics")


def knock(server, over):
    """Comes back as clients do whose server goes: connects and asks, until it is over."""
    while not over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(b"GET /ready HTTP/1.1\r\nHost: parley\r\n\r\n")
                connection.recv(100)
        except OSError:
            over.wait(0.01)


@check("a server that ends while others connect has no data race", limit=120)
def _():
    with Server({"threads": "4"}) as server:
        over = threading.Event()
        knocking = [threading.Thread(target=knock, args=(server, over)) for _ in range(4)]
        for thread in knocking:
            thread.start()
        status = server.stop(limit=30)
        over.set()
        for thread in knocking:
            thread.join()
        equal(status, 0, "exit status")
        expect("ThreadSanitizer" not in server.log(), "a race: " + server.log()[:2000])


@check("a loaded server has no data race", limit=300)
def _():
    with Server({"limits.max_sessions": "2000", "threads": "4"}) as server:
        people = [threading.Thread(target=churn, args=(server, n)) for n in range(3)]
        for person in people:
            person.start()
        done = run_parley("bench", "--listen", f"127.0.0.1:{server.port}", "--secret", tokens.SECRET, "--connections", "80",
                          "--rooms", "8", "--in-flight", "4", "--churn", "10", "--churn-resume", "--slow", "10", "--warm-up", "0", "--messages", "20000", limit=240)
        equal(done.returncode, 0, done.stderr[-500:])
        for person in people:
            person.join()
        equal(server.stop(limit=30), 0, "exit status")
        expect("ThreadSanitizer" not in server.log(), "a race: " + server.log()[:2000])


if __name__ == "__main__":
    run()
