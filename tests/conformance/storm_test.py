#!/usr/bin/env python3
"""Very many handshakes at once: each is answered, and who is connected goes on. 1 000 of them; 10 000 in the long tier."""
import pathlib
import resource
import selectors
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, check, equal, expect, http, long_tier, request, run, tokens

COUNT = 10_000 if long_tier() else 1_000
HEADERS = [("Host", "127.0.0.1"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


class Storm:
    """Connects `count` times at once, each with a token of its own, and keeps the connections until it is closed."""

    def __init__(self, server, count, within=60):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        requests = [http.head_bytes("GET", http.with_query("/ws-chat", token=tokens.token(f"u-storm-{i}"), roomId=f"r-{i % 100}"), HEADERS)
                    for i in range(count)]
        self.sockets, self.answers = [], []
        began = time.monotonic()
        with selectors.DefaultSelector() as waiting:
            for data in requests:
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", server.port))
                self.sockets.append(one)
                waiting.register(one, selectors.EVENT_WRITE, data)
            while waiting.get_map() and time.monotonic() < began + within:
                for key, events in waiting.select(1):
                    if events & selectors.EVENT_WRITE:
                        key.fileobj.send(key.data)
                        waiting.modify(key.fileobj, selectors.EVENT_READ)
                    else:
                        self.answers.append(key.fileobj.recv(65536))
                        waiting.unregister(key.fileobj)
        self.took = time.monotonic() - began

    def statuses(self):
        """How often each status; what is neither 101 nor a refusal that says when to come back fails."""
        counts = {}
        for answer in self.answers:
            status = int(answer[9:12] or 0)
            expect(status == 101 or (status == 503 and b"\r\nRetry-After: " in answer), f"answered {answer[:300]!r}")
            counts[status] = counts.get(status, 0) + 1
        return counts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()


class Talk:
    """Somebody connected who goes on talking meanwhile."""

    def __init__(self, server):
        self.client = Stomp(server, "u-before", room="before")
        self.subscription, _ = self.client.watch()
        self.took, self.end = [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.is_set():
            began = time.monotonic()
            self.client.say(f"m{len(self.took)}")
            self.client.message(self.subscription)
            self.took.append(time.monotonic() - began)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
        self.client.close()


@check("a storm of handshakes with tokens: all served, and who was there goes on", limit=120)
def _():
    with Server({"limits.max_sessions": 20_000}) as server, Talk(server) as talk, Storm(server, COUNT) as storm:
        equal(storm.statuses(), {101: COUNT}, "answers")
        expect(talk.took and max(talk.took) < 5, f"{len(talk.took)} messages, the slowest {max(talk.took, default=0):.2f} s")
        slow = sorted(talk.took)
        print(f"# {COUNT} handshakes in {storm.took:.2f} s; {len(slow)} messages meanwhile, median {slow[len(slow) // 2] * 1e3:.1f} ms, "
              f"slowest {slow[-1] * 1e3:.0f} ms", file=sys.stderr)


@check("a storm above limits.max_sessions: those it has room for are served, each other one is told 503 and when to come back", limit=120)
def _():
    with Server({"limits.max_sessions": COUNT // 4}) as server, Talk(server):
        with Storm(server, COUNT) as storm:
            counts = storm.statuses()
            equal(sum(counts.values()), COUNT, "answers")
            expect(0 < counts[101] < COUNT // 4, f"{counts}")
            equal(request(server, "GET", "/health").status, 200)
        with Stomp(server, "u-after", room="after") as after:
            after.say("there is room again")


@check("a storm above the limit on descriptors: the same", limit=120)
def _():
    with Server({"limits.max_sessions": 20_000}, before_exec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (800, 800))) as server:
        with Talk(server) as talk, Storm(server, COUNT) as storm:
            counts = storm.statuses()
            equal(sum(counts.values()), COUNT, "answers")
            expect(counts[101] > 100, f"{counts}")
        expect(talk.took, "nobody could talk")


if __name__ == "__main__":
    run(Shared())
