#!/usr/bin/env python3
"""Protocol section 4, polling and long polling: of one room by seq, of all a member's rooms by cursor."""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Server, Shared, check, equal, expect, request, run
from harness.http import head_bytes, with_query
from harness.rooms import fill, invite, join, leave, make_private, position, post
from harness.tokens import token


def poll(server, member="u-7", within=10, **query):
    return request(server, "GET", "/api/messages", token=token(member), within=within, **query)


def long_poll(server, member="u-7", within=60, **query):
    return request(server, "GET", "/api/messages/longpoll", token=token(member), within=within, **query)


class Waiting:
    """A long poll that is under way."""

    def __init__(self, server, member="u-7", token_text=None, **query):
        self.connection = Connection(server.port, limit=60)
        headers = {"Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {token_text or token(member)}"}
        self.connection.send(head_bytes("GET", with_query("/api/messages/longpoll", **query), headers.items()))

    def answer(self, limit=10):
        self.connection.limit(limit)
        with self.connection:
            return self.connection.response()


def cursor(answer):
    equal(answer.status, 200, repr(answer))
    return answer.header("x-parley-cursor")


def contents(answer):
    equal(answer.status, 200, repr(answer))
    return [m["content"] for m in answer.json()]


def member_of(server, room, member="u-7"):
    equal(join(server, room, member).status, 200, "join")


@check("plain polling of a room: what is above after, ascending, and where to go on")
def _(server):
    stored = fill(server, "p-room", 5)
    answer = poll(server, roomId="p-room", after=2)
    equal(answer.json(), stored[2:])
    equal((cursor(answer), answer.header("x-parley-epoch"), answer.header("cache-control")), ("5", position(server, "p-room")[0], "no-store"))
    equal(poll(server, roomId="p-room", after=5).json(), [])
    equal(len(poll(server, roomId="p-room", after=0).json()), 5)
    equal(poll(server, roomId="p-room").json(), [])
    equal(cursor(poll(server, roomId="p-room")), "5")


@check("500 messages an answer; the next one goes on without a gap")
def _(server):
    for start in range(0, 1200, 100):
        for i in range(100):
            post(server, "p-many", f"{start + i}")
    seen, after = [], 0
    while page := (answer := poll(server, roomId="p-many", after=after)).json():
        expect(len(page) <= 500, "a page")
        seen += [int(m["content"]) for m in page]
        after = cursor(answer)
    equal(seen, list(range(1200)))


@check("a long poll answers at once with what is there, and with what comes when it comes")
def _(server):
    fill(server, "p-long", 2)
    began = time.monotonic()
    equal(contents(long_poll(server, roomId="p-long", after=1)), ["m2"])
    waiting = Waiting(server, roomId="p-long", after=2, timeout=20000)
    time_to_wait = threading.Event()
    time_to_wait.wait(0.3)
    stored = post(server, "p-long", "now").json()
    answer = waiting.answer(3)
    equal((answer.json(), cursor(answer)), ([stored], "3"))
    expect(time.monotonic() - began < 5, "at once")


@check("the time-out is kept within 250 ms; 0 answers at once")
def _(server):
    for timeout in (0, 300, 1500):
        began = time.monotonic()
        answer = long_poll(server, roomId="p-time", timeout=timeout)
        took = (time.monotonic() - began) * 1000
        equal((answer.status, answer.json()), (200, []))
        expect(timeout - 5 <= took <= timeout + 250, f"timeout {timeout}: answered after {took:.0f} ms")


@check("timeout: no whole number is 400, an enormous one waits and hears")
def _(server):
    for timeout in ("-1", "abc", "", "1.5", "1e3", " 5", "0x10", "NaN", "٣"):
        equal((long_poll(server, roomId="p-to", timeout=timeout).status), 400, repr(timeout))
    for timeout in ("50001", "99999999999999999999999999"):
        waiting = Waiting(server, roomId="p-to", timeout=timeout)
        threading.Event().wait(0.2)
        post(server, "p-to", timeout)
        equal(contents(waiting.answer(5)), [timeout])


@check("a token is required; userId must be its member")
def _(server):
    for path in ("/api/messages", "/api/messages/longpoll"):
        equal(request(server, "GET", path, roomId="p-room").status, 401)
        equal(request(server, "GET", path, token="x.y.z", roomId="p-room").code(), "AUTH_INVALID")
        equal(request(server, "GET", path, token=token("u-7"), roomId="p-room", userId="u-8", timeout=0).status, 403)
        equal(request(server, "GET", path, token=token("u-7"), roomId="p-room", userId="u-7", timeout=0).status, 200)
        equal(request(server, "POST", path, token=token("u-7"), json={}).status, 405)


@check("bad rooms and positions: 404, 400, 409; a private room is not there for others")
def _(server):
    make_private(server, "p-priv")
    fill(server, "p-bad", 1)
    for query, status in (({"roomId": "~probe"}, 404), ({"roomId": "a/b"}, 404), ({"roomId": ""}, 400), ({"roomId": "p-priv"}, 404), ({"roomId": "p-bad", "after": "x"}, 400),
                          ({"roomId": "p-bad", "after": "-1"}, 400), ({"roomId": "p-bad", "after": ""}, 400), ({"roomId": "p-bad", "after": "2"}, 409),
                          ({"roomId": "p-bad", "after": "1", "epoch": "1"}, 409), ({"roomId": "p-nowhere", "after": "0"}, 200), ({"roomId": "p-bad", "after": "18446744073709551616"}, 400)):
        equal(poll(server, **query).status, status, str(query))
        equal(long_poll(server, timeout=0, **query).status, status, str(query))
    equal(poll(server, roomId="p-bad", after=2).json()["headSeq"], 1)
    equal(poll(server, "u-own", roomId="p-priv").status, 200)


@check("two polls of one member both get their answer")
def _(server):
    waiting = [Waiting(server, roomId="p-two") for _ in range(2)] + [Waiting(server, "u-8", roomId="p-two")]
    threading.Event().wait(0.3)
    post(server, "p-two", "hi")
    equal([contents(w.answer()) for w in waiting], [["hi"]] * 3)


@check("all rooms of a member: what comes in each, nothing of other rooms, nothing twice")
def _(server):
    member_of(server, "pa-1", "u-all")
    member_of(server, "pa-2", "u-all")
    at = cursor(poll(server, "u-all"))
    waiting = Waiting(server, "u-all", after=at)
    threading.Event().wait(0.2)
    post(server, "pa-other", "not mine")
    post(server, "pa-2", "two")
    answer = waiting.answer()
    equal(contents(answer), ["two"])
    threading.Event().wait(0.005)  # rooms are put in order by time, in milliseconds
    post(server, "pa-1", "one")
    post(server, "pa-2", "three")
    answer = poll(server, "u-all", after=cursor(answer))
    equal(contents(answer), ["one", "three"])
    equal(poll(server, "u-all", after=cursor(answer)).json(), [])
    equal([m["content"] for m in poll(server, "u-all", after=at).json()], ["two", "one", "three"])


@check("a cursor of somebody else is 403; one with a byte changed, cut, empty or a number is 400")
def _(server):
    member_of(server, "pc-1", "u-cur")
    at = cursor(poll(server, "u-cur"))
    equal(poll(server, "u-7", after=at).status, 403)
    for forged in (at[:-1], at + "A", at[:7] + ("A" if at[7] != "A" else "B") + at[8:], "", "0", "A" * 5000, "=", at.replace("A", "%", 1) + "%"):
        equal(poll(server, "u-cur", after=forged).status, 400, forged[:40])
        equal(long_poll(server, "u-cur", after=forged, timeout=0).status, 400)


@check("an invited member's rooms do not count; a room joined while a poll waits does, a room left does not")
def _(server):
    make_private(server, "pj-1", "u-host")
    invite(server, "pj-1", "u-guest", by="u-host")
    member_of(server, "pj-0", "u-guest")
    at = cursor(poll(server, "u-guest"))
    post(server, "pj-1", "before", "u-host")
    equal(poll(server, "u-guest", after=at).json(), [])
    waiting = Waiting(server, "u-guest", after=at)
    threading.Event().wait(0.2)
    member_of(server, "pj-1", "u-guest")
    answer = waiting.answer()
    equal([m["type"] for m in answer.json()], ["SYSTEM"])
    equal(leave(server, "pj-1", "u-guest").status, 200)
    post(server, "pj-1", "after", "u-host")
    equal(poll(server, "u-guest", after=cursor(answer)).json(), [])


@check("more than 64 rooms: the first 64 are read and the rest are told")
def _(server):
    for i in range(66):
        member_of(server, f"pm-{i:02}", "u-many")
    answer = poll(server, "u-many")
    equal((answer.status, answer.header("x-parley-rooms-left-out")), (200, "2"))
    expect(len(cursor(answer)) < 2000, "the cursor fits a request")
    post(server, "pm-63", "in")
    equal(contents(long_poll(server, "u-many", after=cursor(answer))), ["in"])


@check("a kick ends a waiting poll at its seq, and the next one is refused")
def _(server):
    make_private(server, "pk-1")
    invite(server, "pk-1", "u-7")
    member_of(server, "pk-1")
    waiting = Waiting(server, roomId="pk-1")
    threading.Event().wait(0.2)
    equal(request(server, "DELETE", "/api/rooms/pk-1/members/u-7", token=token("u-own")).status, 200)
    post(server, "pk-1", "secret", "u-own")
    answer = waiting.answer()
    expect(answer.status in (200, 403, 404), repr(answer))
    expect("secret" not in answer.text, "nothing above the kick")
    equal(poll(server, roomId="pk-1", after=0).status, 404)


@check("a token that expires or is revoked ends the wait with 401 within 5 s")
def _(server):
    began = time.monotonic()
    answer = Waiting(server, token_text=token("u-7", ttl=2), roomId="p-exp", timeout=30000).answer(10)
    equal((answer.status, answer.code()), (401, "AUTH_EXPIRED"))
    expect(time.monotonic() - began < 7, "in time")
    mine = token("u-7", jti="poll-revoked")
    waiting = Waiting(server, token_text=mine, roomId="p-exp", timeout=30000)
    threading.Event().wait(0.2)
    equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
    equal(waiting.answer(5).status, 401)


def keep_polling(server, seen, stop, first, more, member="u-loop"):
    """A client's loop: one poll after the other, whatever happens to the line."""
    at = first
    while not stop.is_set():
        try:
            answer = long_poll(server, member, timeout=2000, after=at, within=5, **more)
        except (OSError, EOFError, TimeoutError):
            continue
        if answer.status == 200:
            seen += [(m["roomId"], m["seq"]) for m in answer.json()]
            at = answer.header("x-parley-cursor")


@check("a server killed and started again in the middle: two loops, by seq and by cursor, lose and double nothing", limit=90)
def _():
    with Server() as server:
        rooms = ["pr-1", "pr-2", "pr-3"]
        for room in rooms:
            member_of(server, room, "u-loop")
        stop, by_seq, by_cursor = threading.Event(), [], []
        head = position(server, "pr-1")[1]
        at = cursor(poll(server, "u-loop"))
        loops = [threading.Thread(target=keep_polling, args=(server, by_seq, stop, head, {"roomId": "pr-1"})),
                 threading.Thread(target=keep_polling, args=(server, by_cursor, stop, at, {}))]
        for loop in loops:
            loop.start()
        stored = []
        for i in range(90):
            stored.append(("pr-" + str(i % 3 + 1), post(server, rooms[i % 3], str(i)).json()["seq"]))
            if i in (30, 60):
                server.kill()
                server.start()
        end = time.monotonic() + 20
        while len(by_cursor) < 90 or len(by_seq) < 30:
            expect(time.monotonic() < end, f"{len(by_cursor)} and {len(by_seq)} after all")
            stop.wait(0.05)
        stop.set()
        for loop in loops:
            loop.join()
        equal(sorted(by_cursor), sorted(stored))
        equal(by_seq, [s for s in stored if s[0] == "pr-1"])
        for room in rooms:
            equal([s for s in by_cursor if s[0] == room], [s for s in stored if s[0] == room], "order in " + room)


@check("a thousand polls wait at once and all hear the same message; polls are counted by transport", limit=60)
def _(server):
    polls = [Waiting(server, f"u-{i}", roomId="p-crowd", timeout=30000) for i in range(1000)]
    threading.Event().wait(1.0)
    stored = post(server, "p-crowd", "all").json()
    for waiting in polls:
        equal(waiting.answer(15).json(), [stored])
    text = request(server, "GET", "/metrics").text
    expect('parley_sessions_total{transport="longpoll"}' in text and 'parley_sessions_total{transport="polling"}' in text, "the counters")


@check("a poll over a connection that is kept alive; HTTP/1.0 works too")
def _(server):
    fill(server, "p-keep", 1)
    with Connection(server.port) as line:
        for after in (0, 0, 1):
            answer = request(server, "GET", "/api/messages", token=token("u-7"), connection=line, roomId="p-keep", after=after)
            equal(len(answer.json()), 1 - after)
    with Connection(server.port) as line:
        line.send(f"GET /api/messages/longpoll?roomId=p-keep&timeout=200&token={token('u-7')} HTTP/1.0\r\n\r\n".encode())
        equal(line.response().json(), [])


run(Shared())
