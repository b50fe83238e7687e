#!/usr/bin/env python3
"""Protocol section 4, the REST rows: sending, history, rooms, read marks, health and metrics."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, check, equal, eventually, expect, request, run
from harness.rooms import fill, history, position, post, whole_history
from harness.tokens import token


def get(server, path, member="u-7", **query):
    return request(server, "GET", path, token=token(member), **query)


def make(server, member="u-7", **fields):
    return request(server, "POST", "/api/rooms", json=fields, token=token(member))


# sending

@check("POST is 201 with the stored message; the same messageId again is 200 with the same message")
def _(server):
    first = post(server, "r-post", "안녕 😀", messageId="p-1", senderId="forged", unknown={"a": 1})
    equal(first.status, 201)
    message = first.json()
    equal((message["seq"], message["senderId"], message["content"], message["messageId"], message["type"]), (1, "u-7", "안녕 😀", "p-1", "TALK"))
    again = post(server, "r-post", "안녕 😀", messageId="p-1")
    equal((again.status, again.json()), (200, message))
    equal(history(server, "r-post"), [message])


@check("a POSTed message reaches STOMP subscribers as the same object")
def _(server):
    with Stomp(server, room="r-both") as client:
        client.watch()
        stored = post(server, "r-both", "by REST", member="u-8").json()
        equal(client.message().json(), stored)


for what, body, code in (("no content", {}, "CHAT_INVALID_PAYLOAD"), ("blank content", {"content": " \u3000"}, "CHAT_INVALID_PAYLOAD"),
                         ("U+0000", {"content": "a\0"}, "CHAT_INVALID_PAYLOAD"), ("a number", {"content": 5}, "CHAT_INVALID_PAYLOAD"),
                         ("an unknown type", {"content": "x", "type": "SHOUT"}, "CHAT_INVALID_MESSAGE_TYPE"),
                         ("a messageId of 65", {"content": "x", "messageId": "m" * 65}, "CHAT_INVALID_PAYLOAD")):
    @check(f"POST with {what} is 400 {code}")
    def _(server, body=body, code=code):
        answer = request(server, "POST", "/api/rooms/r-bad/messages", json=body, token=token("u-7"))
        equal((answer.status, answer.code()), (400, code))

for what, raw in (("no JSON", b"hello"), ("half of it", b'{"content":"x"'), ("an array", b"[]"), ("nothing", b""), ("no UTF-8", b'{"content":"\xff"}')):
    @check(f"POST of {what} is 400")
    def _(server, raw=raw):
        answer = request(server, "POST", "/api/rooms/r-bad/messages", body=raw, token=token("u-7"), headers={"Content-Type": "application/json"})
        equal(answer.status, 400)
        expect(answer.code(), "no code")


@check("POST above 128 KiB is 413 CHAT_MESSAGE_TOO_LARGE")
def _(server):
    answer = post(server, "r-big", "x" * 140_000)
    equal((answer.status, answer.code()), (413, "CHAT_MESSAGE_TOO_LARGE"))


@check("POST without a token is 401, to an id that cannot be is 400 or 404")
def _(server):
    equal(request(server, "POST", "/api/rooms/r-1/messages", json={"content": "x"}).status, 401)
    for room in ("~probe", "a%20b", "r" * 121, "%EB%B0%A9", "a%00b"):
        expect(post(server, room, "x").status in (400, 403, 404), room)


# history

@check("history: ascending, after, before, limit, and [] past the end")
def _(server):
    fill(server, "r-hist", 30)
    equal([m["seq"] for m in history(server, "r-hist", after=10, limit=5)], [11, 12, 13, 14, 15])
    equal([m["seq"] for m in history(server, "r-hist", before=10, limit=5)], [5, 6, 7, 8, 9])
    equal([m["seq"] for m in history(server, "r-hist", after=3, before=7)], [4, 5, 6])
    equal(history(server, "r-hist", after=30), [])
    equal(history(server, "r-hist", before=1), [])
    equal(position(server, "r-hist")[1], 30)


@check("history without a position is the end of the list")
def _(server):
    fill(server, "r-tail", 12)
    equal([m["seq"] for m in history(server, "r-tail", limit=4)], [9, 10, 11, 12])


@check("history: limit up to 500, above is refused or 500")
def _(server):
    with Stomp(server, room="r-long") as client:
        for i in range(620):
            client.chat(f"{i}")
        client.say("end")
    equal(len(history(server, "r-long", after=0, limit=500)), 500)
    answer = get(server, "/api/rooms/r-long/messages", after=0, limit=501)
    expect(answer.status == 400 or len(answer.json()) == 500, f"{answer.status}")
    equal([m["seq"] for m in whole_history(server, "r-long")], list(range(1, 622)))


for query in ({"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"after": "x"}, {"before": "-5"}, {"after": "99999999999999999999"}):
    @check(f"history: {query} is 400 or an empty answer, never a crash")
    def _(server, query=query):
        answer = get(server, "/api/rooms/r-hist/messages", **query)
        expect(answer.status == 400 or answer.status == 200, f"{answer.status}")
        expect(answer.status == 400 or isinstance(answer.json(), list), "body")


@check("history: a token is required, and the type is JSON")
def _(server):
    equal(request(server, "GET", "/api/rooms/r-hist/messages").status, 401)
    expect(get(server, "/api/rooms/r-hist/messages").header("content-type").startswith("application/json"), "type")


@check("replay: NDJSON from a seq")
def _(server):
    import json
    fill(server, "r-nd", 5)
    answer = get(server, "/api/rooms/r-nd/replay", **{"from-seq": 3})
    if answer.status == 404:
        from harness import Skip
        raise Skip("not served yet")
    equal([json.loads(line)["seq"] for line in answer.text.splitlines()], [3, 4, 5])


# rooms

@check("POST /api/rooms makes a room, which is listed and can be read")
def _(server):
    answer = make(server, roomId="made-1", name="주사위 방 🎲", visibility="public")
    equal(answer.status, 201)
    equal((answer.json()["roomId"], answer.json()["name"], answer.json()["ownerId"]), ("made-1", "주사위 방 🎲", "u-7"))
    equal(get(server, "/api/rooms/made-1").json()["visibility"], "public")
    expect(any(r["roomId"] == "made-1" for r in get(server, "/api/rooms").json()), "not listed")


@check("POST /api/rooms without roomId makes one up; an id that is taken is 409")
def _(server):
    answer = make(server, name="이름만", visibility="public")
    equal(answer.status, 201)
    room = answer.json()["roomId"]
    expect(room and not room.startswith("~"), f"id {room}")
    equal(make(server, roomId=room, name="nochmal", visibility="public").status, 409)


for fields in ({"roomId": "~own", "name": "x"}, {"roomId": "a b", "name": "x"}, {"roomId": "ok-1", "name": 5}, {"roomId": "ok-2", "name": "x", "visibility": "half"}):
    @check(f"POST /api/rooms with {fields} is 400")
    def _(server, fields=fields):
        expect(make(server, **fields).status in (400, 403), "status")


@check("GET /api/rooms?mine= lists the member's own")
def _(server):
    make(server, "u-mine", roomId="mine-1", name="mine", visibility="private")
    make(server, "u-other", roomId="other-1", name="other", visibility="private")
    listed = [r["roomId"] for r in get(server, "/api/rooms", "u-mine", mine="true").json()]
    expect("mine-1" in listed and "other-1" not in listed, f"{listed}")
    listed = [r["roomId"] for r in get(server, "/api/rooms", "u-mine", mine="1").json()]
    expect("mine-1" in listed, f"{listed}")


@check("read marks over REST: raised, bounded by the head, never lowered")
def _(server):
    fill(server, "r-rm", 5)

    def mark(seq):
        return request(server, "POST", "/api/rooms/r-rm/read", json={"seq": seq}, token=token("u-rm"))
    for seq, wanted in ((3, 3), (1, 3), (99, 5)):
        expect(mark(seq).status in (200, 204), "status")
        equal(get(server, "/api/rooms/r-rm/read", "u-rm").json()["seq"], wanted)


# health, readiness, metrics

@check("/health and /ready are 200, without a token")
def _(server):
    equal(request(server, "GET", "/health").status, 200)
    eventually(lambda: request(server, "GET", "/ready").status == 200, limit=15, what="ready")


@check("/metrics is Prometheus text and counts connections, messages and refusals")
def _(server):
    with Stomp(server, room="r-metrics") as client:
        client.watch()
        client.say("counted")
        client.message()
        text = request(server, "GET", "/metrics").text
        for line in text.splitlines():
            expect(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) is not None, line)
        for word in ("connections", "sessions", "messages", "commit", "queue", "refus"):
            expect(word in text, f"nothing about {word}")


@check("wrong methods are 405 with Allow, unknown paths 404")
def _(server):
    answer = request(server, "DELETE", "/api/rooms/r-1/messages", token=token("u-7"))
    equal(answer.status, 405)
    expect(answer.header("allow"), "no Allow")
    equal(get(server, "/api/nothing").status, 404)


@check("HEAD answers as GET without a body")
def _(server):
    with_body = request(server, "GET", "/health")
    head = request(server, "HEAD", "/health")
    equal((head.status, head.header("content-length")), (with_body.status, with_body.header("content-length")))


@check("everything is there after a restart, with the same seqs")
def _():
    with Server() as server:
        fill(server, "r-again", 20)
        before = whole_history(server, "r-again")
        server.restart()
        equal(whole_history(server, "r-again"), before)
        equal(post(server, "r-again", "next").json()["seq"], 21)


if __name__ == "__main__":
    run(Shared())
