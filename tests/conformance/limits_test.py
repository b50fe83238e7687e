#!/usr/bin/env python3
"""Protocol section 3, limits: rates, slow consumers, buffers and time-outs; each limit by its name."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Refused, Server, Shared, Stomp, WebSocket, check, equal, eventually, expect, request, run
from harness.rooms import history, position, post
from harness.tokens import token

RATED = Shared({"rate.enabled": "true", "rate.send": "5/10s", "rate.handshake": "10000/1m", "rate.login": "3/1m", "rate.room_create": "2/1h"})
TIGHT = Shared({"limits.send_buffer": "64KiB", "limits.send_time": "2s", "limits.message": "16KiB", "limits.subscriptions": "4"})


def resident_kib(server):
    return int(open(f"/proc/{server.process.pid}/status").read().split("VmRSS:")[1].split()[0])


# rates

@check("rate.send: past the bucket a SEND is refused with CHAT_RATE_LIMITED, and the connection stays")
def _():
    server = RATED.get()
    with Stomp(server, "u-fast", room="rate-1") as client:
        client.watch_errors()
        for i in range(8):
            client.chat(f"{i}", receipt=f"r{i}")
        equal(client.refusal("CHAT_RATE_LIMITED")["receiptId"], "r5")
        client.receipt("r0")
        client.receipt("r4")
        client.settle()
        stored = history(server, "rate-1", "u-look", limit=100)
        expect(5 <= len(stored) <= 6, f"{len(stored)} stored")


@check("rate.send: counted per member, over REST too (429)")
def _():
    server = RATED.get()
    answers = [post(server, "rate-2", f"{i}", "u-rest") for i in range(8)]
    refused = [a for a in answers if a.status == 429]
    expect(refused, "never refused")
    equal(refused[0].code(), "CHAT_RATE_LIMITED")
    expect(post(server, "rate-2", "another", "u-slow").status == 201, "another member pays for it")


@check("rate.room_create: the third new room of a member is refused, others go on")
def _():
    server = RATED.get()
    answers = [post(server, f"rate-new-{i}", "x", "u-maker") for i in range(3)]
    equal([answer.status for answer in answers], [201, 201, 429])
    joining = request(server, "POST", "/api/rooms/rate-new-3/join", token=token("u-maker"))
    for refused in (answers[-1], joining):
        expect(1700 < int(refused.header("retry-after")) <= 1800, f"{refused.status}, again after {refused.header('retry-after')} s")
    equal(post(server, "rate-new-0", "x", "u-maker").status, 201)
    equal(request(server, "GET", "/api/rooms/rate-new-2", token=token("u-7")).status, 404)


@check("rate.login: the fourth login from an address is 429")
def _():
    server = RATED.get()
    statuses = [request(server, "POST", "/v1/auth/login", json={"name": "nobody", "password": "wrong password"}).status for _ in range(4)]
    equal(statuses[-1], 429, f"{statuses}, the last")
    expect(statuses[0] == 401, f"{statuses}")


@check("rate.handshake: past the bucket a handshake is 429")
def _():
    with Server({"rate.enabled": "true", "rate.handshake": "3/1m"}) as server:
        statuses = []
        for i in range(5):
            try:
                WebSocket(server, "/ws-chat", token=token("u-7"), roomId="r-1").close()
                statuses.append(101)
            except Refused as refused:
                statuses.append(refused.response.status)
        equal(statuses, [101, 101, 101, 429, 429])


@check("rates are on by default: 60 SENDs in 10 s a member, 300 handshakes a minute an address")
def _():
    with Server({"rate.enabled": None}) as server:
        with Stomp(server, room="rate-d") as client:
            client.watch_errors()
            for i in range(120):
                client.chat(f"{i}")
            client.refusal("CHAT_RATE_LIMITED")
        eventually(lambda: len(history(server, "rate-d", limit=500)) >= 60, what="the bucket's 60 messages")


# limits by configuration

@check("limits.message: above it ERROR and 1009, at it stored")
def _():
    server = TIGHT.get()
    with Stomp(server, room="lim-1") as client:
        client.say("x" * 15_000)
        client.chat("x" * 17_000)
        client.error()
        equal(client.closing().code, 1009)
    with Stomp(server, room="lim-1") as client:
        client.raw(b"\n" * 16_385)  # one WebSocket message of many small things is a message too
        client.error()
        equal(client.closing().code, 1009)


@check("limits.subscriptions: the fifth is refused with SUBSCRIPTION_LIMIT")
def _():
    server = TIGHT.get()
    with Stomp(server, room="lim-2") as client:
        client.watch_errors()
        for i in range(3):
            client.subscribe(f"/sub/chat/room/lim-{i}", id=f"s{i}")
        client.subscribe("/sub/chat/room/lim-9", id="s9", wait=False)
        client.refusal("SUBSCRIPTION_LIMIT")
        client.send_frame("UNSUBSCRIBE", {"id": "s0"})
        client.subscribe("/sub/chat/room/lim-9", id="s9")


@check("a member id may be 64 characters and a message id too")
def _(server):
    member, message = "m" * 64, "i" * 64
    with Stomp(server, member, room="lim-id") as client:
        client.watch()
        client.say("x", messageId=message)
        stored = client.message().json()
        equal((stored["senderId"], stored["messageId"]), (member, message))


# slow consumers

def flood(server, room, count, size):
    with Stomp(server, "u-flood", room=room) as sender:
        for i in range(count):
            sender.chat(f"{i}:" + "밀" * (size // 3))
            if i % 50 == 49:
                sender.settle()
        sender.say("end")
    return position(server, room)[1]


@check("slow consumer: set back, told RESYNC with afterSeq, and then sent everything in order", limit=60)
def _():
    server = TIGHT.get()
    with Stomp(server, "u-slow", room="slow-1", receive_buffer=4096) as slow:
        slow.watch_errors()
        sub, _ = slow.watch()
        head = flood(server, "slow-1", 2000, 12_000)
        seqs, resyncs = [], []
        while not seqs or seqs[-1] < head:
            frame = slow.next()
            if frame.get("subscription") == sub:
                seqs.append(frame.seq)
            else:
                body = frame.json()
                equal((body["code"], body["roomId"]), ("RESYNC", "slow-1"))
                resyncs.append(body["afterSeq"])
        equal(seqs, list(range(1, head + 1)), "every message once and in order")
        expect(resyncs, "no RESYNC was told")


@check("slow consumer: the others in the room are not held up", limit=60)
def _():
    server = TIGHT.get()
    with Stomp(server, "u-slow", room="slow-2", receive_buffer=4096) as slow, Stomp(server, "u-quick", room="slow-2") as quick:
        slow.watch_errors()
        slow.watch()
        sub, _ = quick.watch()
        began = time.monotonic()
        with Stomp(server, "u-flood", room="slow-2") as sender:
            for i in range(200):
                sender.say(f"{i}:" + "x" * 12_000)
                equal(quick.message(sub).seq, i + 1)
        expect(time.monotonic() - began < 20, f"{time.monotonic() - began:.1f} s")


@check("limits.send_time: a socket that takes nothing is closed (4408) and resumes later", limit=60)
def _():
    server = TIGHT.get()
    with Stomp(server, "u-dead", room="slow-3", receive_buffer=4096) as dead:
        dead.watch()
        head = flood(server, "slow-3", 2000, 12_000)
        time.sleep(4)  # longer than limits.send_time: what is tested is that nothing is read
        frames, closed = 0, None
        from harness import Closed
        try:
            while True:
                frame = dead.next()
                frames += frame.command == "MESSAGE"
        except Closed as reason:
            closed = reason
        expect(closed.code in (4408, 1006), f"closed {closed}")  # who reads too late for 4408 finds it gone
        expect(frames < head, "everything was read")
    with Stomp(server, "u-dead", room="slow-3") as back:
        sub, _ = back.watch(after_seq=str(frames))
        equal([back.message(sub).seq for _ in range(head - frames)], list(range(frames + 1, head + 1)))


@check("memory stays bounded while many slow consumers wait", limit=90)
def _():
    with Server({"limits.send_buffer": "64KiB", "limits.message": "16KiB"}) as server:
        slow = [Stomp(server, f"u-slow-{i}", room="slow-4", receive_buffer=4096) for i in range(40)]
        for client in slow:
            client.watch()
        before = resident_kib(server)
        flood(server, "slow-4", 1500, 12_000)
        grown = resident_kib(server) - before
        expect(grown < 150_000, f"grew by {grown} KiB for 18 MB of messages and 40 readers that do not read")
        for client in slow:
            client.close()


# idle connections that never finish

@check("200 connections that never finish a handshake go away and leave the rest alone", limit=40)
def _(server):
    from harness import Connection
    half = [Connection(server.port) for _ in range(200)]
    for i, connection in enumerate(half):
        connection.send(b"GET /ws-chat HTTP/1.1\r\nHost: 127"[: i % 40])
    with Stomp(server, room="lim-half") as client:
        client.say("not disturbed")
    for connection in half:
        expect(connection.closed(20), "still open after the handshake time")
        connection.close()


@check("presence of the limit in config show: names and defaults of section 3")
def _():
    from harness import run_parley
    shown = run_parley("config", "show")
    equal(shown.returncode, 0, "exit status")
    for key in ("limits.max_sessions", "limits.message", "limits.send_buffer", "limits.send_time", "limits.subscriptions", "rate.enabled", "stomp.heartbeat"):
        expect(key in shown.stdout, f"{key} is not shown")


@check("a broken connection's place is free again")
def _():
    with Server({"limits.max_sessions": 2}) as server:
        for i in range(10):
            client = Stomp(server, "u-1")
            client.close()

            def enters():
                try:
                    Stomp(server, "u-2").close()
                    return True
                except Refused:
                    return False
            eventually(enters, what="a place")


if __name__ == "__main__":
    try:
        run(Shared())
    finally:
        RATED.close()
        TIGHT.close()
