#!/usr/bin/env python3
"""The measuring tools: `parley bench` against a server, `peer_load` against bench/limit, and both checks against servers that cheat."""
import json
import pathlib
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Shared, check, equal, expect, run, run_parley
from harness.server import binary
from harness.tokens import SECRET

ONE_ROOM = ("--connections", "20", "--rooms", "1", "--senders", "1", "--warm-up", "0", "--seconds", "1")
SMALL = ("--connections", "40", "--rooms", "4", "--senders", "8", "--warm-up", "0", "--seconds", "1")


def tool(name):
    path = pathlib.Path(binary()).parent / name
    expect(path.exists(), f"no {path}: ninja limit_send limit_uring peer_load")
    return str(path)


def bench(server, *arguments, status=0):
    """Runs it and returns its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        done = run_parley("bench", "--listen", server.listen, "--secret", SECRET, "--pid", str(server.process.pid),
                          "--json", str(report), *(arguments or SMALL), limit=60)
        equal(done.returncode, status, done.stdout + done.stderr[-500:])
        return json.loads(report.read_text())


def peer_load(address, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        done = subprocess.run([tool("peer_load"), "--dialect", "bare", "--url", address, "--json", report, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        expect(report.exists(), done.stderr)
        return done.returncode, json.loads(report.read_text())


@check("every way of talking is loaded and found good", limit=120)
def _(server):
    for way in ((), ("--transport", "sockjs"), ("--deflate",), ("--typing",), ("--payload", "chat", "--message-ids"), ("--rate", "200")):
        report = bench(server, *SMALL, *way)
        expect(report["check"]["good"] and report["delivered"] > 100, f"{way}: {report}")
        expect(report["receipt"]["count"] > 0 and report["delivery"]["p50_ms"] > 0, f"{way}: {report}")


TRANSPORTS = ("xhr-streaming", "xhr-polling", "eventsource", "htmlfile", "jsonp", "sse", "longpoll", "longpoll-all", "polling",
              "room", "direct")


@check("every transport is loaded, and loses, doubles and reorders nothing", limit=120)
def _(server):
    for transport in TRANSPORTS:
        report = bench(server, *SMALL, "--in-flight", "2", "--poll-every", "50", "--transport", transport)
        expect(report["check"]["good"] and report["delivered"] > 100, f"{transport}: {report}")
        expect(report["connect"]["round_trips"] >= 2 and report["connect"]["sent_bytes"] > 100, report["connect"])


@check("readers over HTTP may have senders over STOMP, and come back behind what they have seen", limit=60)
def _(server):
    for transport in ("sse", "longpoll"):
        report = bench(server, "--connections", "40", "--rooms", "2", "--senders", "4", "--rate", "200", "--seconds", "1",
                       "--churn", "40", "--churn-resume", "--transport", transport, "--send-by", "stomp")
        expect(report["check"]["churned"] > 10, report["check"])


@check("the figures add up: each message reached each receiver, and the server's CPU was seen")
def _(server):
    report = bench(server, "--connections", "20", "--rooms", "2", "--senders", "4", "--messages", "2000")
    equal(report["check"]["acknowledged"], 2000, "acknowledged")
    equal(report["check"]["delivered"], 20000, "delivered")
    expect(report["server_cpu_seconds"] > 0, "no CPU seconds")
    equal(report["receipt"]["count"], 2000, "receipts timed")


@check("connections that come and go, slow and stalled ones lose nothing", limit=60)
def _(server):
    report = bench(server, "--connections", "50", "--rooms", "2", "--senders", "2", "--rate", "300", "--seconds", "2",
                   "--churn", "20", "--churn-resume", "--slow", "10", "--stalled", "10")
    expect(report["check"]["churned"] > 10, report["check"])


@check("a storm on a full server is refused politely and counted; one on another is served")
def _(server):
    storm = bench(server, "--connections", "60", "--rooms", "4", "--senders", "8", "--seconds", "1", "--storm", "30")["storm"]
    equal((storm["served"], storm["refused"], storm["took"]["count"]), (0, 30, 30), "served, refused, timed")
    storm = bench(server, *SMALL, "--storm", "10")["storm"]
    equal((storm["served"], storm["refused"]), (10, 0), "served, refused")


@check("idle connections show what one costs")
def _(server):
    report = bench(server, "--connections", "50", "--rooms", "5", "--idle", "--seconds", "1")
    expect(report["memory"]["connected"]["resident_bytes"] > 0, report["memory"])
    equal(report["check"]["sent"], 0, "sent")


@check("what cannot be begun is exit status 2 with one line")
def _(server):
    for wrong in (("--payload", "5"), ("--senders", "200"), ("--connections", "999999"), ("--deflate", "--transport", "sse"),
                  ("--connections", "3", "--transport", "direct")):
        done = run_parley("bench", "--listen", server.listen, "--secret", SECRET, *wrong)
        equal(done.returncode, 2, wrong)
        equal(done.stderr.count("\n"), 1, done.stderr)


class Cheat(threading.Thread):
    """What bench/limit does, but for one frame: `spoil` makes of it what the receivers get instead."""

    def __init__(self, spoil):
        super().__init__(daemon=True)
        self.spoil = spoil
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        rooms, frames = {}, 0
        ready = selectors.DefaultSelector()
        ready.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is self.listener:
                    client, _ = self.listener.accept()
                    ready.register(client, selectors.EVENT_READ, data=[None, b""])
                    continue
                bytes_ = key.fileobj.recv(65536)
                if not bytes_:
                    ready.unregister(key.fileobj)
                    for members in rooms.values():
                        if key.fileobj in members:
                            members.remove(key.fileobj)
                    continue
                if key.data[0] is None:
                    room, _, bytes_ = bytes_.partition(b"\n")
                    key.data[0] = room
                    rooms.setdefault(room, []).append(key.fileobj)
                    key.fileobj.sendall(b"ok\n")
                key.data[1] += bytes_
                while len(key.data[1]) >= 4:
                    size = 4 + int.from_bytes(key.data[1][2:4], "big")
                    if len(key.data[1]) < size:
                        break
                    frame, key.data[1] = key.data[1][:size], key.data[1][size:]
                    frames += 1
                    spoilt = self.spoil(frames, frame)
                    for at, member in enumerate(rooms[key.data[0]]):
                        member.sendall(frame if at == 0 else spoilt)


held = []


def reorder(number, frame):
    """The fiftieth goes out behind the one that comes after it."""
    if number == 50:
        held.append(frame)
        return b""
    return frame + held.pop() if held else frame


@check("a server that delivers everything once passes the check of other servers' load")
def _():
    status, report = peer_load(Cheat(lambda number, frame: frame).address, *ONE_ROOM)
    equal((status, report["check"]["good"]), (0, True), report["check"])


for what, spoil, fault in (("lost", lambda number, frame: b"" if number == 50 else frame, "gaps"),
                           ("doubled", lambda number, frame: frame * 2 if number == 50 else frame, "repeats"),
                           ("reordered", reorder, "repeats"),
                           ("not ours", lambda number, frame: frame.replace(b"bm.", b"bn.") if number == 50 else frame, "unreadable")):
    @check(f"one delivery {what} among hundreds fails the run")
    def _(spoil=spoil, fault=fault):
        status, report = peer_load(Cheat(spoil).address, *ONE_ROOM)
        equal(status, 1, "exit status")
        expect(report["check"][fault] > 0, report["check"])


class SpoiltOnce(threading.Thread):
    """Between the generator and a server: passes everything on, but for the first match of `pattern` in what comes back."""

    def __init__(self, server, pattern, instead):
        super().__init__(daemon=True)
        self.port, self.pattern, self.instead, self.spoilt = server.port, pattern, instead, False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "ws://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        ready = selectors.DefaultSelector()
        ready.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is self.listener:
                    client, _ = self.listener.accept()
                    there = socket.create_connection(("127.0.0.1", self.port))
                    ready.register(client, selectors.EVENT_READ, data=(there, False))
                    ready.register(there, selectors.EVENT_READ, data=(client, True))
                    continue
                other, comes_back = key.data
                bytes_ = key.fileobj.recv(1 << 20)
                if not bytes_:
                    for end in (key.fileobj, other):
                        ready.unregister(end)
                        end.close()
                    break
                if comes_back and not self.spoilt:
                    bytes_, count = re.subn(self.pattern, self.instead, bytes_, count=1)
                    self.spoilt = count > 0
                other.sendall(bytes_)


# As long as what it stands for, so that lengths hold. An event that begins with a colon is a comment.
for transport, what, pattern, instead, faults in (
        ("sse", "lost", rb"\nid: (\d5)\n", rb"\n: x \1\n", ("gaps",)),
        ("longpoll", "doubled", rb'(\[[^\r]*"seq":\d)6', rb"\g<1>5", ("repeats", "mixed_up")),
        ("xhr-streaming", "with another's number", rb"(nseq:\d)6", rb"\g<1>9", ("gaps", "mixed_up")),
        ("direct", "doubled", rb'("seq":\d)6,"sender', rb'\g<1>5,"sender', ("repeats", "mixed_up"))):
    @check(f"one delivery {what} over {transport} fails the run")
    def _(server, transport=transport, pattern=pattern, instead=instead, faults=faults):
        between = SpoiltOnce(server, pattern, instead)
        report = bench(server, "--url", between.address, "--connections", "2", "--rooms", "1", "--senders", "1", "--warm-up", "0",
                       "--messages", "200", "--transport", transport, status=1)
        expect(between.spoilt, "nothing was spoilt")
        expect(any(report["check"][fault] for fault in faults), report["check"])


for program in ("limit_send", "limit_uring"):
    @check(f"{program} gives everybody everything, with one thread and with two", limit=60)
    def _(program=program):
        for threads in ("1", "2"):
            process = subprocess.Popen([tool(program), "--listen", "127.0.0.1:0", "--threads", threads], stdout=subprocess.PIPE, text=True)
            try:
                address = process.stdout.readline().split()[2]
                for load in ((), ("--rate", "400"), ("--in-flight", "32"), ("--slow", "20", "--slow-bytes", "50000", "--in-flight", "64")):
                    status, report = peer_load(address, *SMALL, "--pid", str(process.pid), *load)
                    equal((status, report["check"]["good"]), (0, True), report["check"])
                    expect(report["delivered"] > 100, report)
            finally:
                process.kill()
                process.wait()


if __name__ == "__main__":
    run(Shared({"limits.max_sessions": "60"}))
