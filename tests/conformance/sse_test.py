#!/usr/bin/env python3
"""Protocol section 4, Server-Sent Events of a room: opening, resume, ends, slow readers, HTTP/1.0."""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, Shared, Stomp, check, equal, eventually, expect, long_tier, request, run
from harness.rooms import fill, history, invite, join, leave, make_private, position, post
from harness.tokens import sign, token


def stream(server, room, member="u-7", **more):
    opened = EventStream(server, f"/api/rooms/{room}/stream", member, **more)
    if opened.status == 200:
        equal(opened.event().name, "connected", "the first event")
    return opened


def contents(messages):
    return [m["content"] for m in messages]


@check("headers, retry and connected are as the protocol says; the first event has no id")
def _(server):
    fill(server, "e-head", 2)
    with EventStream(server, "/api/rooms/e-head/stream") as events:
        equal(events.status, 200)
        equal(events.head.header("content-type"), "text/event-stream; charset=utf-8")
        equal(events.head.header("cache-control"), "no-store")
        equal(events.head.header("x-accel-buffering"), "no")
        equal(events.head.header("transfer-encoding"), "chunked")
        first = events.event()
        equal((first.name, first.id, events.retry), ("connected", "", 2000))
        epoch, head = position(server, "e-head")
        equal(first.json(), {"roomId": "e-head", "epoch": epoch, "firstSeq": 1, "headSeq": head})


@check("a message is an event of the default name, its data what history shows, its id the seq")
def _(server):
    with stream(server, "e-live") as events:
        stored = post(server, "e-live", "여러 줄\n둘째 줄\r\n\"끝\"").json()
        event = events.event()
        equal((event.name, event.id), ("message", "1"))
        equal(event.json(), stored)
        equal(event.json(), history(server, "e-live")[0])


@check("without a position only what comes later; after and Last-Event-ID resume, and the header wins")
def _(server):
    fill(server, "e-pos", 5)
    with stream(server, "e-pos") as live, stream(server, "e-pos", after=2) as after, stream(server, "e-pos", after=0, last_id=4) as back:
        post(server, "e-pos", "new")
        equal(contents(live.until("new")), ["new"])
        equal(contents(after.until("new")), ["m3", "m4", "m5", "new"])
        equal(contents(back.until("new")), ["m5", "new"])


@check("a Last-Event-ID that is no number, negative, enormous or ahead: live, after connected")
def _(server):
    fill(server, "e-odd", 2)
    opened = [stream(server, "e-odd", last_id=i) for i in ("abc", "-1", "3", "18446744073709551616", "2x", "0x1", " ")]
    post(server, "e-odd", "new")
    for events in opened:
        equal(contents(events.until("new")), ["new"])
        events.close()


@check("an after that is no number is 400, one ahead or of another epoch 409 with the room's position")
def _(server):
    fill(server, "e-bad", 2)
    epoch, _head = position(server, "e-bad")
    for query, status, code in (({"after": "x"}, 400, "BAD_REQUEST"), ({"after": "-1"}, 400, "BAD_REQUEST"), ({"after": ""}, 400, "BAD_REQUEST"),
                                ({"after": "3"}, 409, "POSITION_INVALID"), ({"after": "1", "epoch": str(int(epoch) + 1)}, 409, "POSITION_INVALID")):
        with EventStream(server, "/api/rooms/e-bad/stream", **query) as events:
            equal((events.status, events.head.code()), (status, code), str(query))
    with EventStream(server, "/api/rooms/e-bad/stream", after=3) as events:
        equal(events.head.json()["headSeq"], 2)


@check("token by query, by Authorization and by cookie; none, a wrong one and a cookie from elsewhere are 401")
def _(server):
    path, good = "/api/rooms/e-auth/stream", token("u-7")
    cookie = {"Cookie": f"parley_token={good}"}
    for headers, query, status in (({}, {"token": good}, 200), ({"Authorization": f"Bearer {good}"}, {}, 200), (cookie, {}, 200),
                                   (cookie | {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}, {}, 200),
                                   (cookie | {"Origin": "http://elsewhere.example"}, {}, 401), (cookie | {"Sec-Fetch-Site": "cross-site"}, {}, 401),
                                   ({}, {}, 401), ({}, {"token": good[:-2]}, 401), ({}, {"token": token("u-7", ttl=-5)}, 401),
                                   ({}, {"token": sign({"sub": "u-7", "exp": int(time.time()) + 60}, alg="none")}, 401)):
        with EventStream(server, path, member=None, headers=headers, **query) as events:
            equal(events.status, status, f"{sorted(headers)} {sorted(query)}")


@check("a private room is 404 for others; an unknown room is an empty one; ids of the server's own are 404")
def _(server):
    make_private(server, "e-priv")
    for room, status in (("e-priv", 404), ("e-none", 200), ("~probe", 404), ("~notify:0", 404), ("a%2Fb", 404), ("%00", 400), ("x" * 121, 404)):
        with EventStream(server, f"/api/rooms/{room}/stream") as events:
            equal(events.status, status, room)
    with EventStream(server, "/api/rooms/e-priv/stream", "u-own") as events:
        equal(events.status, 200)


@check("only GET and HEAD; a HEAD is answered at once")
def _(server):
    answer = request(server, "POST", "/api/rooms/e-head/stream", json={}, token=token("u-7"))
    equal((answer.status, answer.header("allow")), (405, "GET, HEAD"))
    answer = request(server, "HEAD", "/api/rooms/e-head/stream", token=token("u-7"))
    equal((answer.status, answer.header("content-type")), (200, "text/event-stream; charset=utf-8"))


@check("HTTP/1.0: the same events, no chunks, ended by the connection")
def _(server):
    with stream(server, "e-old", version="1.0") as events:
        expect(events.head.header("transfer-encoding") is None, "no transfer coding")
        fill(server, "e-old", 3)
        equal(contents(events.until("m3")), ["m1", "m2", "m3"])
    with stream(server, "e-old", version="1.0", last_id=1, headers={"Connection": "keep-alive"}) as events:
        equal(contents(events.until("m3")), ["m2", "m3"])


@check("a kick ends the stream at its seq, others go on, and coming back is refused")
def _(server):
    make_private(server, "e-kick")
    invite(server, "e-kick", "u-7")
    join(server, "e-kick", "u-7")
    with stream(server, "e-kick") as events, stream(server, "e-kick", "u-own") as owner:
        post(server, "e-kick", "before", "u-own")
        equal(contents(events.until("before")), ["before"])
        equal(request(server, "DELETE", "/api/rooms/e-kick/members/u-7", token=token("u-own")).status, 200)
        post(server, "e-kick", "secret", "u-own")
        equal(events.event().json()["type"], "SYSTEM")
        last = events.event()
        equal((last.name, last.json()["code"]), ("ended", "CHAT_FORBIDDEN"))
        try:
            raise AssertionError(f"after the end: {events.event()!r}")
        except EOFError:
            pass
        owner.until("secret")
    with EventStream(server, "/api/rooms/e-kick/stream", last_id=1) as events:
        equal(events.status, 404)


@check("leaving and a room turned private end the streams of those concerned")
def _(server):
    make_private(server, "e-leave")
    invite(server, "e-leave", "u-7")
    join(server, "e-leave", "u-7")
    with stream(server, "e-leave") as events:
        equal(leave(server, "e-leave", "u-7").status, 200)
        equal([events.event().json()["type"], events.event().name], ["SYSTEM", "ended"])
    made = request(server, "POST", "/api/rooms", json={"roomId": "e-turn", "name": "e-turn"}, token=token("u-own"))
    equal(made.status, 201)
    with stream(server, "e-turn") as events, stream(server, "e-turn", "u-own") as owner:
        equal(request(server, "PATCH", "/api/rooms/e-turn", json={"visibility": "private"}, token=token("u-own")).status, 200)
        post(server, "e-turn", "inside", "u-own")
        seen = [events.event(), events.event()]
        equal([e.name for e in seen], ["message", "ended"])
        equal(seen[0].json()["type"], "SYSTEM")
        owner.until("inside")


@check("a token that expires ends the stream with `expired` within 5 s of its time")
def _(server):
    with stream(server, "e-exp", token=token("u-7", ttl=2)) as events:
        event = events.event(8)
        equal((event.name, event.json()["code"]), ("expired", "AUTH_EXPIRED"))


@check("a token that is revoked ends the stream with `expired` within 5 s")
def _(server):
    mine = token("u-7", jti="sse-revoked")
    with stream(server, "e-rev", token=mine) as events:
        equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
        event = events.event(5)
        equal((event.name, event.json()["code"]), ("expired", "AUTH_EXPIRED"))


@check("a reader that does not read is filled up from the log: every message once, in order", limit=90)
def _(server):
    big = "x" * 20000
    with stream(server, "e-slow", receive_buffer=8192) as events:
        writers = [threading.Thread(target=lambda k=k: [post(server, "e-slow", f"{k}-{i}-{big}") for i in range(60)]) for k in range(4)]
        for w in writers:
            w.start()
        for w in writers:
            w.join()
        post(server, "e-slow", "last")
        seqs = [m["seq"] for m in events.until("last", limit=30)]
        equal(seqs, list(range(1, 242)))


@check("lines cut while people talk: by Last-Event-ID nothing is lost and nothing doubled", limit=60)
def _(server):
    done = threading.Event()

    def talk():
        for i in range(300):
            post(server, "e-cut", f"m{i + 1}")
        done.set()
    threading.Thread(target=talk, daemon=True).start()
    seqs = []
    while not (done.is_set() and len(seqs) >= 300):
        with stream(server, "e-cut", last_id=seqs[-1] if seqs else 0) as events:
            for _ in range(7):
                if len(seqs) < 300:
                    seqs.append(int(events.event().id))
    equal(seqs, list(range(1, 301)))


@check("after a restart the same Last-Event-ID goes on where it was", limit=60)
def _():
    with Server() as server:
        fill(server, "e-again", 3)
        with stream(server, "e-again", last_id=0) as events:
            equal(contents(events.until("m3")), ["m1", "m2", "m3"])
            last = events.last_id
            server.kill()
            try:
                events.event(5)
                raise AssertionError("an event of a dead server")
            except (EOFError, ConnectionResetError):
                pass
        server.start()
        post(server, "e-again", "m4")
        with stream(server, "e-again", last_id=last) as events:
            equal(contents(events.until("m4")), ["m4"])


@check("SIGTERM ends open streams with a time to come back; a new one is refused")
def _():
    with Server() as server:
        with stream(server, "e-term") as events:
            began = time.monotonic()
            server.process.terminate()
            try:
                raise AssertionError(f"an event: {events.event(8)!r}")
            except EOFError:
                pass
            expect(events.retry != 2000, "its own delay")
            expect(time.monotonic() - began < 8, "in time")
            equal(server.process.wait(15), 0)


@check("a full server answers 503 with Retry-After and takes another when one has gone")
def _():
    with Server({"limits.max_sessions": "2"}) as server:
        a, b = stream(server, "e-full"), stream(server, "e-full")
        with EventStream(server, "/api/rooms/e-full/stream") as events:
            equal((events.status, events.head.header("retry-after")), (503, "5"))
        a.close()

        def taken():
            with EventStream(server, "/api/rooms/e-full/stream") as events:
                return events.status == 200
        eventually(taken, what="a place")
        b.close()


@check("what an EventSource may send and what it may not: two streams of one page, garbage behind the request")
def _(server):
    with stream(server, "e-noise") as events, stream(server, "e-noise") as second:
        events.connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"\0" * 70000)
        post(server, "e-noise", "still here")
        equal(contents(events.until("still here")), ["still here"])
        equal(contents(second.until("still here")), ["still here"])


@check("one scenario over a stream and over STOMP gives the same list")
def _(server):
    with Stomp(server, room="e-same") as client, stream(server, "e-same") as events:
        client.watch("e-same")
        fill(server, "e-same", 20)
        equal(events.until("m20"), [f.json() for f in client.until("m20")])


@check("streams are counted by transport")
def _(server):
    with stream(server, "e-count"):
        text = request(server, "GET", "/metrics").text
        expect('parley_sessions_total{transport="sse"}' in text, "the counter")


if long_tier():
    @check("a comment comes every 15 s", limit=60)
    def _(server):
        with stream(server, "e-idle") as events:
            expect(events.quiet(32), "nothing is said")
            equal(events.comments, 2)


run(Shared())
