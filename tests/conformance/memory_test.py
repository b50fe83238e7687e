#!/usr/bin/env python3
"""The memory budget of the whole process (limits.memory): never exceeded, and nobody loses anything by it."""
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Refused, Server, Shared, Stomp, WebSocket, check, equal, eventually, expect, request, run
from harness.memory import Watch

MIB = 1 << 20


def metric(server, name):
    lines = request(server, "GET", "/metrics").text.splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(name + " ")))


def in_threads(functions):
    """Runs them at once; what one raises is raised here."""
    problems = []

    def guarded(function):
        try:
            function()
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)
    threads = [threading.Thread(target=guarded, args=(f,), daemon=True) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def say_all(server, room, member, count, size):
    with Stomp(server, member, room=room) as sender:
        sender.ws.limit(120)
        for i in range(count):
            sender.chat(f"{member}:{i}:" + "x" * size, receipt=f"r{i}")
        for i in range(count):
            equal(sender.next()["receipt-id"], f"r{i}", "receipts in order")


def read_all(reader, subscription, head):
    """Every message once and in order, whatever was set back meanwhile."""
    seqs = []
    while len(seqs) < head:
        frame = reader.next()
        if frame.get("subscription") == subscription:
            seqs.append(frame.seq)
    equal(seqs, list(range(1, head + 1)), "seqs")


@check("stalled readers and eager senders: within the budget, the others undisturbed, the stalled ones end complete", limit=240)
def _():
    with Server({"limits.memory": "96MiB", "limits.send_time": "10m"}) as server, Watch(server) as watch:
        stalled = []
        for i in range(160):
            reader = Stomp(server, f"u-stalled-{i}", room="full", receive_buffer=4096)
            reader.watch_errors()
            # Each with an id of its own: nobody shares their frames.
            reader.watch(id=f"own-{i}")
            stalled.append(reader)
        with Stomp(server, "u-quick", room="full") as quick:
            quick.ws.limit(120)
            subscription, _ = quick.watch(id="quick")
            senders = [lambda n=n: say_all(server, "full", f"u-sender-{n}", 30, 100_000) for n in range(4)]
            in_threads([*senders, lambda: read_all(quick, subscription, 120)])
        for reader in stalled:
            reader.ws.limit(60)
        in_threads([lambda part=part: [read_all(stalled[i], f"own-{i}", 120) for i in range(part, 160, 8)] for part in range(8)])
        for reader in stalled:
            reader.close()
        expect(watch.highest <= 96 * MIB, f"{watch.highest / MIB:.1f} MiB resident, {watch.samples} samples")
        print(f"# at most {watch.highest / MIB:.1f} of 96 MiB, {watch.samples} samples", file=sys.stderr)
        eventually(lambda: metric(server, "parley_memory_level") == 0, 20, "memory again")
        with Stomp(server, "u-late", room="full") as late:
            late.say("as before")


def refused_for_memory(answer):
    equal((answer.status, answer.code()), (503, "SERVER_FULL"), repr(answer))
    expect(int(answer.header("retry-after")) >= 1, "no Retry-After")


@check("beginnings that never end: within the budget, new ones get 503, senders wait, and then all goes on", limit=120)
def _():
    with Server({"limits.memory": "96MiB", "limits.body_time": "20s"}) as server, Watch(server) as watch, Stomp(server, room="marks") as sender:
        sender.say("before")
        lines = []
        for i in range(300):
            line = Connection(server.port, limit=1)
            line.send(b"POST /ws-chat/0/x%d/xhr_send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" % i)
            lines.append(line)
        for line in lines:
            try:
                line.send(b"x" * 900_000)
            except TimeoutError:
                break  # it reads no more
        equal(metric(server, "parley_memory_level"), 2, "the level")
        expect(metric(server, 'parley_memory_held_bytes{what="input"}') > 40 * MIB, "what is held")

        for path in ("/ws-chat", "/ws/direct", "/room"):
            try:
                WebSocket(server, path, token=server.token(), roomId="marks", receiverId="u-8").close()
                raise AssertionError(f"{path} let somebody in")
            except Refused as refusal:
                refused_for_memory(refusal.response)
        for method, path in (("GET", "/api/rooms/marks/messages"), ("GET", "/api/rooms/marks/stream"), ("GET", "/api/messages/longpoll"),
                             ("POST", "/api/rooms/marks/messages"), ("GET", "/api/rooms"), ("POST", "/ws-chat/0/late/xhr?roomId=marks")):
            body = {"content": "x"} if method == "POST" else None
            refused_for_memory(request(server, method, path, json=body, token=server.token()))
        equal(request(server, "GET", "/ready").status, 503)
        equal(request(server, "GET", "/health").status, 200)
        sender.chat("waits", receipt="waits")
        sender.ws.limit(1)
        try:
            raise AssertionError(f"not waiting: {sender.next()}")
        except TimeoutError:
            pass

        for line in lines:
            line.close()
        sender.ws.limit(20)
        sender.receipt("waits")
        eventually(lambda: metric(server, "parley_memory_level") == 0, 20, "memory again")
        with Stomp(server, "u-late", room="marks") as late:
            late.say("as before")
        equal(request(server, "GET", "/ready").status, 200)
        expect(watch.highest <= 96 * MIB, f"{watch.highest / MIB:.1f} MiB resident, {watch.samples} samples")


if __name__ == "__main__":
    run(Shared())
