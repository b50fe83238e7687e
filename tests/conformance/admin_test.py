#!/usr/bin/env python3
"""Protocol section 4, the operators' listener: who may watch, who may order, tokens revoked and members kicked."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Stomp, check, equal, expect, request, run
from harness.admin import AdminServer
from harness.rooms import history, join, make_private, post
from harness.tokens import token

_server = AdminServer()


def order(what, **body):
    return _server.admin("POST", f"/admin/api/{what}", body)


@check("whoever reaches the operators' listener reads /health, /ready and /metrics; orders need the token")
def _():
    for path in ("/health", "/ready", "/metrics"):
        equal(_server.admin("GET", path, token=None).status, 200, path)
    expect("# TYPE parley_" in _server.admin("GET", "/metrics", token=None).text, "the figures")
    for path in ("/admin/api/revoke", "/admin/api/kick", "/admin/api/broadcast"):
        for wrong in (None, "wrong"):
            equal(_server.admin("POST", path, {"memberId": "u-1"}, token=wrong).status, 401, path)
        equal(request(_server, "POST", path, json={"memberId": "u-1"}, token=token("u-1")).status, 404, "the main listener")
    equal(_server.admin("GET", "/admin/api/kick").status, 405)
    equal(_server.admin("GET", "/other", token=None).status, 404)


@check("a revoked token ends its session with 4401, holds nowhere any more, and leaves others alone")
def _():
    gone, other = token("u-1", jti="revoke-1"), token("u-1", jti="revoke-2")
    with Stomp(_server, "u-1", token=gone) as client, Stomp(_server, "u-1", token=other) as stays:
        answer = order("revoke", token=gone)
        equal((answer.status, answer.json()["memberId"]), (200, "u-1"))
        equal(client.ws.closing().code, 4401)
        stays.say("still here")
    equal(request(_server, "GET", "/api/rooms", token=gone).status, 401)
    equal(request(_server, "GET", "/api/rooms", token=other).status, 200)
    equal(order("revoke", token="no.such.token").status, 400)
    expect(gone not in _server.log(), "the token is in the log")


@check("what a member has until now is revoked, by `revoke` and by `kick` without a room; it holds over a restart", limit=60)
def _():
    for what in ("revoke", "kick"):
        member = f"u-{what}"
        gone = token(member)
        with EventStream(_server, "/api/notifications/stream", member, token=gone) as events:
            equal(events.event().name, "connected")
            equal(order(what, memberId=member).status, 200)
            equal(events.event(5).name, "expired")
        _server.restart()
        equal(request(_server, "GET", "/api/rooms", token=gone).status, 401, what)
        equal(request(_server, "GET", "/api/rooms", token=token("u-else")).status, 200)


@check("a kick from a room without an owner ends the right there, is in the history once, and leaves the session open")
def _():
    equal(post(_server, "r-open", "hello", "u-9").status, 201)
    equal(join(_server, "r-open", "u-bad").status, 200)
    with Stomp(_server, "u-bad", room="r-open") as client:
        client.watch_errors()
        client.watch("r-open")
        for _ in range(2):
            answer = order("kick", roomId="r-open", memberId="u-bad")
            equal((answer.status, answer.json()), (200, {"roomId": "r-open", "memberId": "u-bad", "standing": "kicked"}))
        equal(post(_server, "r-open", "still?", "u-bad").status, 403)
        client.settle()
    equal([m.get("event") for m in history(_server, "r-open")].count("KICKED"), 1)


@check("an owner, a stranger to a private room, an unknown room and a body without sense are refused")
def _():
    make_private(_server, "r-private")
    equal(order("kick", roomId="r-private", memberId="u-own").code(), "CHAT_FORBIDDEN")
    equal(order("kick", roomId="r-private", memberId="u-x").code(), "CHAT_MEMBER_NOT_FOUND")
    equal(order("kick", roomId="r-none", memberId="u-x").code(), "CHAT_ROOM_NOT_FOUND")
    for body in ({}, {"memberId": 7}, {"memberId": "~guest:1"}, {"roomId": "r-private"}):
        equal((order("kick", **body).status, order("kick", **body).code()), (400, "CHAT_INVALID_PAYLOAD"), repr(body))


@check("a replay from a time on has every room's messages in order; without Kafka there are no partitions")
def _():
    def replayed(**query):
        return _server.admin("GET", "/admin/api/replay", **query)
    before = post(_server, "r-replay-1", "before", "u-9").json()["createdAt"]
    for n in range(3):
        for room in ("r-replay-1", "r-replay-2"):
            equal(post(_server, room, f"talk {n}", "u-9").status, 201)
    make_private(_server, "r-replay-3")
    answer = replayed(**{"from-time": before})
    equal((answer.status, answer.header("content-type")), (200, "application/x-ndjson; charset=utf-8"))
    for room, owner in (("r-replay-1", "u-9"), ("r-replay-2", "u-9"), ("r-replay-3", "u-own")):
        own = request(_server, "GET", f"/api/rooms/{room}/replay", token=token(owner))
        equal([line for line in answer.text.splitlines() if f'"{room}"' in line], own.text.splitlines(), room)
    equal(replayed(**{"from-time": "2200-01-01"}).text, "")
    equal(_server.admin("HEAD", "/admin/api/replay", **{"from-time": before}).status, 200)
    for query, word in (({"partition": 0}, "partition: there are some only where messages are in Kafka"), ({}, "partition or from-time is missing"),
                        ({"from-time": "soon"}, "from-time must be")):
        answer = replayed(**query)
        expect((answer.status, answer.code()) == (400, "BAD_REQUEST") and word in answer.text, f"{query}: {answer.status} {answer.text}")
    equal(_server.admin("GET", "/admin/api/replay", token=None, **{"from-time": before}).status, 401)
    equal(request(_server, "GET", "/admin/api/replay", token=token("u-1"), **{"from-time": before}).status, 404, "the main listener")
    equal(_server.admin("POST", "/admin/api/replay").status, 405)


_server.start()
run()
