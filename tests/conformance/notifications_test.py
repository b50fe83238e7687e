#!/usr/bin/env python3
"""Protocol section 4, the stream of notifications: invitations, broadcasts, who comes online, resume, restart."""
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, Shared, Stomp, check, equal, expect, request, run
from harness.admin import ADMIN, AdminServer
from harness.rooms import invite, join, make_private
from harness.tokens import token


def stream(server, member="u-7", **more):
    opened = EventStream(server, "/api/notifications/stream", member, **more)
    if opened.status == 200 and "unnamed" not in more:
        first = opened.event()
        equal((first.name, first.data, first.id), ("connected", "SSE 연결 성공", ""))
    return opened


class Broadcaster(AdminServer):
    def broadcast(self, event, data):
        answer = self.admin("POST", "/admin/api/broadcast", {"event": event, "data": data})
        equal(answer.status, 201, repr(answer))
        return answer.json()


_admin = Broadcaster()


@check("headers, retry and connected; the token is required")
def _(server):
    with EventStream(server, "/api/notifications/stream") as events:
        equal((events.status, events.head.header("content-type")), (200, "text/event-stream; charset=utf-8"))
        equal((events.head.header("cache-control"), events.head.header("x-accel-buffering")), ("no-store", "no"))
        equal(events.event().data, "SSE 연결 성공")
        equal(events.retry, 2000)
    with EventStream(server, "/api/notifications/stream", member=None) as events:
        equal(events.status, 401)
    with EventStream(server, "/api/notifications/stream", member=None, headers={"Cookie": f"parley_token={token('u-7')}"}) as events:
        equal(events.status, 200)


@check("an invitation is a notification on every stream of the invited and on their STOMP queue, and nobody else's")
def _(server):
    make_private(server, "n-room", name="초대")
    with stream(server, "n-1") as a, stream(server, "n-1") as b, stream(server, "n-2") as other, Stomp(server, "n-1", room="x") as client:
        client.subscribe("/user/queue/notifications")
        equal(invite(server, "n-room", "n-1").status, 201)
        events = [a.event(), b.event()]
        for event in events:
            equal((event.name, event.id), ("notification", "1.0"))
            equal(event.json(), {"notification": "invitation", "roomId": "n-room", "name": "초대", "memberId": "u-own", "nickName": "u-own"})
        equal(client.message().json(), events[0].json())
        expect(other.quiet(), "nothing for others")


@check("Last-Event-ID: what came meanwhile once, in order; no place of these logs goes on live")
def _(server):
    for i in range(3):
        make_private(server, f"n-back-{i}")
        invite(server, f"n-back-{i}", "n-3")
    with stream(server, "n-3", last_id="1.0") as back, stream(server, "n-3") as live:
        equal([back.event().json()["roomId"] for _ in range(2)], ["n-back-1", "n-back-2"])
        expect(live.quiet(0.3), "live only")
    for odd in ("abc", "9.0", "0.9", "1", "-1.0", "1.0.0"):
        with stream(server, "n-3", last_id=odd) as live:
            expect(live.quiet(0.2), odd)


@check("after a restart nothing is lost: notifications are kept", limit=60)
def _():
    with Server() as server:
        make_private(server, "n-keep")
        with stream(server, "n-4") as events:
            invite(server, "n-keep", "n-4")
            equal(events.event().id, "1.0")
        make_private(server, "n-keep-2")
        invite(server, "n-keep-2", "n-4")
        server.kill()
        server.start()
        with stream(server, "n-4", last_id="1.0") as events:
            event = events.event()
            equal((event.id, event.json()["roomId"]), ("2.0", "n-keep-2"))


@check("a member of a shared room that comes online is told, once, to members only")
def _(server):
    for member in ("n-5", "n-6"):
        equal(join(server, "n-shared", member).status, 200)
    with stream(server, "n-5") as events, stream(server, "n-9") as stranger:
        with Stomp(server, "n-6", room="n-shared"), Stomp(server, "n-6", room="n-shared"):
            event = events.event()
            equal((event.name, event.id, event.json()), ("user-login", "", {"memberId": "n-6", "nickName": "n-6"}))
            expect(events.quiet(0.5), "once")
        expect(stranger.quiet(0.2), "nothing for strangers")


@check("a broadcast of any name reaches every stream, is resumable, and holds every line of its data")
def _():
    server = _admin
    with stream(server, "n-a") as a, stream(server, "n-b") as b, stream(server, "n-b", unnamed=1) as unnamed:
        unnamed.event()
        equal(server.broadcast("maintenance", "첫 줄\n둘째 줄")["event"], "maintenance")
        for events in (a, b):
            event = events.event()
            equal((event.name, event.data), ("maintenance", "첫 줄\n둘째 줄"))
        equal((unnamed.event().name), "message")
        last = a.last_id
    server.broadcast("점검 \"안내\"", {"gold": 7})
    with stream(server, "n-a", last_id=last) as events:
        event = events.event()
        equal((event.name, event.json()), ('점검 "안내"', {"gold": 7}))


@check("a broadcast needs the operators' listener, their token and a body that makes sense")
def _():
    server = _admin
    path, good = "/admin/api/broadcast", {"event": "x", "data": "y"}
    equal(server.admin("POST", path, good, token="wrong").status, 401)
    equal(server.admin("GET", path).status, 405)
    equal(server.admin("POST", "/admin/api/other", good).status, 404)
    equal(request(server, "POST", path, json=good, token=ADMIN).status, 404)
    taken = server.admin("POST", path, {"event": "connected", "data": "y"})
    equal((taken.status, taken.code()), (400, "CHAT_INVALID_PAYLOAD"))
    for bad in ({"event": "x"}, {"event": "a\nb", "data": "y"}, {"event": "", "data": "y"}, {"event": 1, "data": "y"}, {"event": "x" * 65, "data": "y"}, ["x"]):
        equal(server.admin("POST", path, bad).status, 400, repr(bad))
    equal(server.admin("POST", path, body=b'{"event":"x","data":"y"').status, 400)


@check("lines cut while notifications come: by Last-Event-ID each is told once", limit=60)
def _():
    server = _admin
    with stream(server, "n-cut") as events:
        server.broadcast("count", "start")
        events.event()
        last = events.last_id
    done = threading.Event()

    def tell():
        for i in range(60):
            server.broadcast("count", str(i))
        done.set()
    threading.Thread(target=tell, daemon=True).start()
    seen = []
    while len(seen) < 60:
        with stream(server, "n-cut", last_id=last) as events:
            for _ in range(5):
                if len(seen) < 60:
                    event = events.event()
                    seen.append(event.data)
                    last = event.id
    equal(seen, [str(i) for i in range(60)])


@check("a token that is revoked ends the stream; streams are counted by transport")
def _(server):
    mine = token("n-8", jti="notifications")
    with stream(server, "n-8", token=mine) as events:
        equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
        equal(events.event(5).name, "expired")
    expect('parley_sessions_total{transport="sse-notifications"}' in request(server, "GET", "/metrics").text, "the counter")


_admin.start()
run(Shared())
