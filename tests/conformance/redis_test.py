#!/usr/bin/env python3
"""Protocol sections 5 and 6 over a real Redis between servers on one PostgreSQL: what stops a start, what reaches members of another
server, and what an absent Redis costs."""
import contextlib
import hashlib
import json
import pathlib
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, Stomp, WebSocket, check, equal, eventually, expect, request, run, services, short
from harness.refusals import refused
from harness.rooms import degraded, history, invite, join, make_private, post
from harness.tokens import SECRET, token

PASSWORD = "pa55word"


def database():
    return services.shared("postgres")


def redis():
    return services.shared("redis")


def settings(name, **more):
    """Of a fleet of its own on the shared PostgreSQL and Redis."""
    return {"log.kind": "store", "store.kind": "postgres", "postgres.url": database().url, "postgres.schema": name,
            "bus.kind": "redis", "cache.kind": "redis", "redis.url": redis().url, "redis.prefix": name, **more}


@contextlib.contextmanager
def fleet(name, count=2, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(settings(name, **more))) for _ in range(count)]


def toml(url):
    return f'[bus]\nkind = "redis"\n[redis]\nurl = "{url}"\n'


def cache(url):
    return toml(url).replace("[bus]", "[cache]")


@check("a wrong address, password or URL stops the start with the key, file and line")
def _():
    refused(toml(f"redis://:{PASSWORD}@127.0.0.1:1"), "redis.url (", "parley.toml:4)", "Connection refused", secrets=(PASSWORD,))
    refused(toml(redis().url.replace("redis://", f"redis://:{PASSWORD}@")), "parley.toml:4)", "it refuses this server", secrets=(PASSWORD,))
    refused(toml(f"redis://u:pa55/word@127.0.0.1"), "parley.toml:4)", "expected redis://USER:PASSWORD@HOST:PORT/DATABASE", secrets=(PASSWORD,))
    refused(toml(f"rediss://u:{PASSWORD}@127.0.0.1"), "parley.toml:4)", "TLS to Redis", secrets=(PASSWORD,))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        refused(toml(f"redis://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}"), "parley.toml:4)", "no answer within 3 s", secrets=(PASSWORD,))


@check("a fleet without a common secret, and servers with different logs, are refused with the reason")
def _():
    refused('bus.kind = "redis"', "parley.toml:1: bus.kind=redis needs redis.url")
    refused('cache.kind = "redis"', "parley.toml:1: cache.kind=redis needs redis.url")
    refused(toml(redis().url), "parley.toml:2: bus.kind=redis needs auth.secret, the same on every server", secret=None)
    refused(cache(redis().url), "parley.toml:2: cache.kind=redis needs auth.secret, the same on every server", secret=None)
    with Server(settings("claimed")):
        for alone, key in ((toml(redis().url), "bus.kind ("), (cache(redis().url), "cache.kind (")):
            refused(alone + 'prefix = "claimed"\n', key, "parley.toml:2)", "keep their messages in another log", "redis.prefix")


@check("a right that the cache lacks stops the start with the command; one that is taken later is in /ready until it is given back", limit=60)
def _():
    redis().command("ACL", "SETUSER", "narrow", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-exists")
    try:
        url = redis().url.replace("redis://", f"redis://narrow:{PASSWORD}@")
        refused(cache(url), "cache.kind (", "parley.toml:2)", "it refuses EXISTS: NOPERM", secrets=(PASSWORD,))
        redis().command("ACL", "SETUSER", "narrow", "+exists")
        with Server(settings("narrow", **{"redis.url": url})) as server:
            eventually(lambda: degraded(server) == [], limit=20, what="a start without faults")
            redis().command("ACL", "SETUSER", "narrow", "-eval")
            eventually(lambda: degraded(server) == ["cache"], limit=20, what="the missing right")
            redis().command("ACL", "SETUSER", "narrow", "+eval")
            eventually(lambda: degraded(server) == [], limit=20, what="the right given back")
    finally:
        redis().command("ACL", "DELUSER", "narrow")


@check("typing, read marks and presence events reach subscribers at another server")
def _():
    with fleet("events") as (one, other), Stomp(one, "u-a", room="r-1") as client, Stomp(other, "u-b", room="r-1") as far:
        client.subscribe("/sub/chat/room/r-1/events", id="events")
        far.say("x")
        far.send("/pub/chat/typing", {"roomId": "r-1"})
        expect("u-b" in client.message("events").text, "typing")
        far.send("/pub/chat/read", {"roomId": "r-1", "seq": 1})
        expect("u-b" in client.message("events").text, "the read mark")
        far.say("in", type="JOIN")
        expect("u-b" in client.message("events").text, "JOIN")


@check("who is present is known at every server; members of one that died go once, after the grace", limit=60)
def _():
    with fleet("present", **{"presence.grace": "1s"}) as (one, other), Stomp(other, "u-b", room="r-1") as far, Stomp(one, "u-a", room="r-1") as client:
        far.subscribe("/sub/chat/room/r-1/events", id="events")
        client.say("in", type="JOIN")
        seen = far.message("events").json()
        equal((seen["event"], seen["memberId"], seen["present"], seen["count"]), ("presence", "u-a", True, 1))
        with Stomp(other, "u-a", room="r-1") as again:
            again.say("in", type="JOIN")
        members = request(other, "GET", "/api/rooms/r-1/members", token=token("u-b")).json()
        equal([(m["memberId"], m["present"]) for m in members if m["memberId"] == "u-a"], [("u-a", True)])
        equal([m["type"] for m in history(other, "r-1")], ["JOIN"], "a second JOIN stores nothing")
        one.kill()
        gone = far.message("events", limit=20).json()
        equal((gone["event"], gone["memberId"], gone["present"], gone["count"]), ("presence", "u-a", False, 0))
        far.say("end")
        equal([m["type"] for m in history(other, "r-1")], ["JOIN", "TALK"], "nothing stored")


@check("what is said at three servers reaches everyone on all, once and in order")
def _():
    with fleet("talk", 3) as servers, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Stomp(server, f"u-{i}", room="r-1")) for i, server in enumerate(servers)]
        for client in clients:
            client.watch()
        for n in range(100):
            clients[n % 3].chat(f"line {n}")
        for client in clients:
            equal([client.message(limit=15).seq for _ in range(100)], list(range(1, 101)), "seqs")
        stored = [m["content"] for m in history(servers[0], "r-1", limit=500)]
        equal(sorted(stored), sorted(f"line {n}" for n in range(100)), "the log")


@check("a notification reaches the member at another server, and a kick ends the right there")
def _():
    with fleet("tell") as (one, other), Stomp(other, "u-b", room="r-own") as guest:
        guest.subscribe("/user/queue/notifications", id="notes")
        guest.watch_errors()
        make_private(one, "r-own")
        invite(one, "r-own", "u-b")
        expect("r-own" in guest.message("notes").text, "the invitation")
        expect(join(other, "r-own", "u-b").status in (200, 204), "the invitation there")
        guest.watch("r-own")
        guest.say("here")
        equal(request(one, "DELETE", "/api/rooms/r-own/members/u-b", token=token("u-own")).status in (200, 204), True, "kick")
        eventually(lambda: post(other, "r-own", "still?", "u-b").status == 404, limit=5, what="the refusal there")
        equal(request(other, "GET", "/api/rooms/r-own/messages", token=token("u-b")).status, 404, "history")


@check("who comes online at one server is announced at all; coming online at another one too is no news")
def _():
    with fleet("online") as (one, other):
        for member in ("u-a", "u-b", "u-c"):
            equal(join(one, "r-shared", member).status, 200)
        with EventStream(one, "/api/notifications/stream", "u-a", limit=30) as events:
            equal(events.event().name, "connected")
            with Stomp(other, "u-b", room="r-shared"):
                equal((events.event().json()["memberId"]), "u-b")
                with Stomp(one, "u-b", room="r-shared"), Stomp(other, "u-b", room="r-shared"), Stomp(one, "u-c", room="r-shared"):
                    equal((events.event().json()["memberId"]), "u-c", "the next who came")


@check("rates count at all servers together: who is too fast at one is so at the others, and an address's logins too", limit=90)
def _():
    rates = {"rate.enabled": "true", "rate.send": "48/10h", "rate.login": "16/10h", "rate.handshake": "10000/1m"}
    with fleet("rates", 3, **rates) as (one, other, third):
        equal([post(one, "r-1", f"{n}", "u-fast").status for n in range(48)], [201] * 48)
        equal(post(one, "r-1", "more", "u-fast").status, 429)
        for server in (other, third):
            eventually(lambda: post(server, "r-1", "elsewhere", "u-fast").status == 429, limit=30, what="429")  # noqa: B023
        expect(len(history(one, "r-1", limit=500)) < 48 + 2 * 24, "how many passed elsewhere")
        equal(post(other, "r-1", "another", "u-slow").status, 201)

        def login(server):
            return request(server, "POST", "/v1/auth/login", json={"name": "nobody", "password": "wrong password"}).status

        while login(one) != 429:
            pass
        eventually(lambda: login(other) == 429, limit=30, what="429 for a login")


@check("a token revoked at one server closes sessions at another; a login service's blacklist is believed")
def _():
    with fleet("revoke") as (one, other):
        gone = token("u-gone", jti="gone-1")
        with Stomp(other, "u-gone", token=gone) as client:
            equal(request(one, "POST", "/v1/auth/logout", token=gone).status, 200)
            equal(client.ws.closing().code, 4401)
        blacklisted = token("u-gone", jti="gone-2")
        equal(request(one, "GET", "/api/rooms", token=blacklisted).status, 200)
        redis().command("SET", "blacklist:" + hashlib.sha256(blacklisted.encode()).hexdigest(), "1", "EX", "600")
        for server in (one, other):
            eventually(lambda: request(server, "GET", "/api/rooms", token=blacklisted).status == 401, limit=10, what="401")  # noqa: B023


@check("what a login service puts on the blacklist ends open sessions of every transport within 5 s, also long after they began", limit=60)
def _():
    with fleet("blacklist", 1) as (server,), contextlib.ExitStack() as stack:
        gone, other = token("u-gone", jti="gone-4"), token("u-gone", jti="gone-5")
        client, stays = (stack.enter_context(Stomp(server, "u-gone", token=held)) for held in (gone, other))
        stream = stack.enter_context(EventStream(server, "/api/notifications/stream", "u-gone", token=gone))
        equal(stream.event().name, "connected")
        direct = stack.enter_context(WebSocket(server, "/ws/direct", token=gone, receiverId="u-b"))
        time.sleep(4)  # later than any second look at a token that is new
        client.settle()
        redis().command("SET", "blacklist:" + hashlib.sha256(gone.encode()).hexdigest(), "1", "EX", "600")
        began = time.monotonic()
        equal(client.ws.closing().code, 4401)
        equal(stream.event(5).name, "expired")
        equal(direct.closing().code, 4401)
        expect(time.monotonic() - began < 5, f"took {time.monotonic() - began:.1f} s")
        stays.say("still here")


@check("a server that shares the database alone finds what another one revoked within 5 s", limit=60)
def _():
    alone = {"bus.kind": "inproc", "cache.kind": "memory"}
    with fleet("nobus", **alone) as (one, other):
        gone = token("u-gone", jti="gone-6")
        with Stomp(other, "u-gone", token=gone) as client, Stomp(other, "u-stays") as stays:
            time.sleep(4)
            equal(request(one, "POST", "/v1/auth/logout", token=gone).status, 200)
            began = time.monotonic()
            equal(client.ws.closing().code, 4401)
            expect(time.monotonic() - began < 5, f"took {time.monotonic() - began:.1f} s")
            stays.say("still here")


@check("a ticket of one server opens one session, at any")
def _():
    with fleet("ticket") as (one, other):
        ticket = request(one, "POST", "/v1/auth/ticket", token=token("u-7")).json()["data"]["ticket"]
        with Stomp(other, token=ticket) as client:
            client.say("hello")
        equal(request(one, "GET", f"/api/rooms/r-1/messages?token={ticket}").status, 401, "the spent ticket")


@check("stored messages are mirrored on the room's channel as the history shows them")
def _():
    with fleet("mirror", 1) as (server,), redis().listening("chatroom.r-1") as mirror:
        equal(post(server, "r-1", "안녕 🎲").status, 201)
        equal(mirror.json(), history(server, "r-1")[0])
    with fleet("nomirror", 1, **{"bus.mirror": "false"}) as (server,), redis().listening("chatroom.r-1") as mirror:
        equal(post(server, "r-1", "quiet").status, 201)
        redis().command("PUBLISH", "chatroom.r-1", '"end"')
        equal(mirror.json(), "end")


@check("what other services publish is shown where they are let in, and the fleet's own mirrors are not taken for it")
def _():
    with fleet("foreign", **{"bus.accept_foreign": "true"}) as (one, other), Stomp(one, "u-a", room="r-1") as client, Stomp(other, "u-b", room="r-1") as far:
        for reader in (client, far):
            reader.subscribe("/sub/chat/room/r-1/events", id="events")

        def publish(text):
            redis().command("PUBLISH", "chatroom.r-1", text)

        def is_shown(reader):
            publish('{"hello":1}')
            reader.settle()
            return any(frame.get("subscription") == "events" for frame in reader.inbox)

        for reader in (client, far):  # just after the start nothing is taken for another service's
            eventually(lambda: is_shown(reader), limit=20, what="the first of another service")
        equal(post(one, "r-1", "our own").status, 201)
        publish("plain text")
        for reader in (client, far):
            seen = [reader.message("events").json()]
            while seen[-1]["content"] != "plain text":
                seen.append(reader.message("events").json())
            equal({json.dumps(e) for e in seen}, {json.dumps({"event": "EXTERNAL", "roomId": "r-1", "content": c}) for c in ({"hello": 1}, "plain text")})
        equal([m["content"] for m in history(one, "r-1")], ["our own"])
    with fleet("ignored", 1) as (server,), Stomp(server, "u-a", room="r-1") as client:
        client.subscribe("/sub/chat/room/r-1/events", id="events")
        redis().command("PUBLISH", "chatroom.r-1", "nobody hears")
        client.send("/pub/chat/typing", {"roomId": "r-1"})
        equal(client.message("events").json()["event"], "typing")


@check("while Redis is away messages flow, /ready says so, new handshakes get 503; then all is back by itself", limit=90)
def _():
    own = services.Service("redis")
    with fleet("away", **{"redis.url": own.url}) as (one, other), Stomp(one, "u-a", room="r-1") as client, Stomp(other, "u-b", room="r-1") as far:
        gone = token("u-gone", jti="gone-3")
        equal(request(one, "POST", "/v1/auth/logout", token=gone).status, 200)
        client.watch()
        far.watch()
        own.stop()
        eventually(lambda: len(degraded(one)) == 2, limit=10, what="bus and cache in degraded")
        equal(request(one, "GET", "/ready").status, 200)
        for n in range(3):
            far.chat(f"meanwhile {n}")
        equal([client.message(limit=15).json()["content"] for _ in range(3)], [f"meanwhile {n}" for n in range(3)], "at the other server")
        [far.message(limit=15) for _ in range(3)]
        refusal = request(one, "GET", "/api/rooms", token=token("u-new"))
        equal((refusal.status, refusal.code()), (503, "AUTH_UNAVAILABLE"))
        own.start()
        own.command("FLUSHALL")
        for server in (one, other):
            eventually(lambda: degraded(server) == [], limit=10, what="nothing degraded")
        equal(request(other, "GET", "/api/rooms", token=token("u-new")).status, 200)
        equal(request(other, "GET", "/api/rooms", token=gone).status, 401, "revoked before Redis lost its data")
        far.chat("after")
        equal(client.message(limit=10).seq, 4)
    own.close()


@check("a Redis that hangs costs the same as one that is away", limit=60)
def _():
    own = services.Service("redis")
    with fleet("hang", 1, **{"redis.url": own.url, "ready.strict": "true"}) as (server,), Stomp(server, room="r-1") as client:
        client.watch()
        own.signal(signal.SIGSTOP)
        eventually(lambda: request(server, "GET", "/ready").status == 503, limit=10, what="503 with ready.strict")
        client.say("still")
        own.signal(signal.SIGCONT)
        eventually(lambda: request(server, "GET", "/ready").status == 200, limit=10, what="200")
        log = server.log()
        expect("Redis does not answer" in log and "Redis answers again" in log, short(log))
    own.close()


if __name__ == "__main__":
    run()
