#!/usr/bin/env python3
"""Debian's nginx and HAProxy in front, by the lines of docs/proxies.md: round robin over two listeners, no stickiness, lines
that are reset and a proxy that reloads in the middle. Nothing lost, nothing doubled."""
import asyncio
import os
import pathlib
import re
import secrets
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Refused, Server, Shared, SockJsSocket, Stomp, WebSocket, check, equal, eventually, expect, long_tier, request, run
from harness.players import BY_CURSOR, KINDS
from harness.ports import free_port
from harness.proxy import HaProxy, Nginx
from harness.rooms import post
from harness.scenario import Scenario
from harness.tokens import token

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
OVER_HTTP = ["SockJS xhr_streaming", "SockJS xhr-polling", "SockJS eventsource", "SockJS htmlfile", "Server-Sent Events", "long poll by seq",
             "polling by seq", "REST history", "NDJSON replay", *BY_CURSOR]
EVERY_KIND = [*BY_CURSOR, *KINDS, "switching", "switching"]
TRUSTED = {"proxies.trusted": "127.0.0.1/32"}
MESSAGES = 20_000 if long_tier() else 3_000


def two_listeners(option="", **settings):
    """The settings of a server with two more ports to connect to, which have this option."""
    return {"listeners": ",".join(f"http://127.0.0.1:{free_port()}{option}" for _ in range(2)), **settings}


def backends(server):
    return re.findall(r"http://([0-9.:]+)", server.settings["listeners"])


PROXIES = {"nginx with no settings": (Nginx, "nginx, no settings", OVER_HTTP),
           "nginx with the lines for WebSocket": (Nginx, "nginx, WebSocket too", EVERY_KIND),
           "HAProxy": (HaProxy, "HAProxy", EVERY_KIND)}


def through(server, proxy, kinds):
    async def disturb(scenario):
        share = scenario.messages // 4
        for part in (1, 2, 3):
            while sum(len(p.acknowledged) for p in scenario.players) < part * share:
                await asyncio.sleep(0.01)
            before = sum(p.lines for p in scenario.players)
            proxy.reload()
            while sum(p.lines for p in scenario.players) < before + len(scenario.players) // 2:
                await asyncio.sleep(0.01)
            if part == 2 and hasattr(proxy, "tell"):
                proxy.tell("shutdown sessions server parley/one")
    scenario = Scenario(server, SEED, MESSAGES, rooms=2, doors=[proxy.door], kinds=kinds)
    scenario.play(120, disturb)
    scenario.compare()


for name, (proxy_of, title, kinds) in PROXIES.items():
    @check(f"{name}: every transport, resets and reloads in the middle: every list is the room's log (seed {SEED})", limit=300)
    def _(proxy_of=proxy_of, title=title, kinds=kinds):
        with Server(two_listeners()) as server, proxy_of(title, backends(server)) as proxy:
            through(server, proxy, kinds)


for name, (proxy_of, title, _) in PROXIES.items():
    @check(f"{name}: an event comes when it happens, not when a buffer is full")
    def _(server, proxy_of=proxy_of, title=title):
        with proxy_of(title, backends(server)) as proxy:
            room = f"px-{proxy.port}"
            with EventStream(proxy, f"/api/rooms/{room}/stream") as events, SockJsSocket(proxy, "/sockjs/echo", "xhr_streaming") as echo:
                equal(events.event().name, "connected")
                for i in range(5):
                    began = time.monotonic()
                    post(server, room, f"m{i}")
                    equal(events.event().json()["content"], f"m{i}")
                    echo.text(f"e{i}")
                    equal(echo.message(), f"e{i}")
                    expect(time.monotonic() - began < 1, f"{time.monotonic() - began:.1f} s")

    @check(f"{name}: a long poll waits its time, and hears what is said")
    def _(server, proxy_of=proxy_of, title=title):
        with proxy_of(title, backends(server)) as proxy:
            room, began = f"py-{proxy.port}", time.monotonic()
            threading.Timer(0.5, lambda: post(server, room, "now")).start()
            answer = request(proxy, "GET", "/api/messages/longpoll", token=token("u-7"), roomId=room, timeout=20000)
            equal([m["content"] for m in answer.json()], ["now"])
            expect(time.monotonic() - began < 3, f"{time.monotonic() - began:.1f} s")
            equal(request(proxy, "GET", "/api/messages/longpoll", token=token("u-7"), roomId=room, timeout=300).json(), [])

for name in list(PROXIES)[1:]:
    proxy_of, title, _ = PROXIES[name]

    @check(f"{name}: WebSockets of every endpoint, and the page's own origin")
    def _(server, proxy_of=proxy_of, title=title):
        with proxy_of(title, backends(server)) as proxy:
            own = {"Origin": f"http://{proxy.host}:{proxy.port}"}
            with Stomp(proxy, room="px-ws", headers=own) as client, WebSocket(proxy, "/room", headers=own) as crowd, \
                    WebSocket(proxy, "/ws/direct", headers=own, token=token("u-7"), receiverId="u-8") as direct:
                client.say("hello")
                crowd.text("안녕")
                equal(crowd.message(), "Server received: 안녕")
                direct.text("hi")
                direct.message()
            try:
                WebSocket(proxy, "/room", headers={"Origin": "http://elsewhere.example"})
                raise AssertionError("another origin got in")
            except Refused as refusal:
                equal(refusal.response.status, 403)

    @check(f"{name}: 600 sessions of SockJS, each of whose requests goes where it likes", limit=60)
    def _(server, proxy_of=proxy_of, title=title):
        with proxy_of(title, backends(server)) as proxy:
            def talk(n):
                session = SockJsSocket(proxy, "/sockjs/echo", "xhr")
                for i in range(3):
                    session.text(f"{n}-{i}")
                    equal(session.message(), f"{n}-{i}")
            threads = [threading.Thread(target=lambda k=k: [talk(f"{k}-{n}") for n in range(75)]) for k in range(8)]
            failed = []
            threading.excepthook = lambda args: failed.append(repr(args.exc_value))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            equal(failed, [], "what went wrong")

    if long_tier():
        @check(f"{name}: what is silent for 90 s stays open", limit=150)
        def _(server, proxy_of=proxy_of, title=title):
            with proxy_of(title, backends(server)) as proxy, Stomp(proxy, room="px-idle") as client, WebSocket(proxy, "/room") as crowd, \
                    EventStream(proxy, "/api/rooms/px-idle/stream") as events:
                equal(events.event().name, "connected")
                client.watch()

                end = time.monotonic() + 90
                while time.monotonic() < end:
                    expect(events.quiet(1), "an event")
                    for silent in (client.ws, crowd):
                        silent.limit(1)
                        try:
                            raise AssertionError(f"{silent.message()!r}")
                        except TimeoutError:
                            pass
                client.ws.limit(10)
                crowd.limit(10)
                client.say("still here")
                equal(events.event().json()["content"], "still here")
                crowd.text("x")
                equal(crowd.message(), "Server received: x")


@check("HAProxy: /ready says that both servers are up")
def _(server):
    with HaProxy("HAProxy", backends(server)) as proxy:
        def states():
            lines = [line.split(",") for line in proxy.tell("show stat").splitlines()]
            return {(line[1], line[17], line[36]) for line in lines if line[0] == "parley" and line[1] in ("one", "two")}
        eventually(lambda: states() == {("one", "UP", "L7OK"), ("two", "UP", "L7OK")}, 10, f"checks: {states()}")


@check("a public name that a proxy passes on is answered where origins.allowed has it")
def _():
    for allowed, status in ((None, 403), ("https://chat.example.org", 200), ("https://*.example.org", 200)):
        with Server(two_listeners(**{"origins.allowed": allowed})) as server, HaProxy("HAProxy", backends(server)) as proxy:
            name = {"Host": "chat.example.org"}
            equal(request(proxy, "GET", "/health", headers=name).status, status, f"{allowed}")
            if allowed:
                Stomp(proxy, headers={**name, "Origin": "https://chat.example.org"}).close()
                equal(request(proxy, "GET", "/health", headers={"Host": "evil.example"}).status, 403)


def logins_from(door, address, count):
    """What `count` logins answer, each on a connection from this address of the machine."""
    statuses = []
    for _ in range(count):
        with socket.create_connection(door, timeout=10, source_address=(address, 0)) as line:
            body = b'{"name":"nobody","password":"wrong password"}'
            line.sendall(f"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            statuses.append(int(line.makefile("rb").readline().split()[1]))
    return statuses


for proxy_of, title, option in ((Nginx, "nginx, WebSocket too", ""), (HaProxy, "HAProxy", ""), (HaProxy, "HAProxy, PROXY protocol", " proxy_protocol")):
    @check(f"{title}: rates count by the client's address where the proxy is trusted, by the proxy's where it is not")
    def _(proxy_of=proxy_of, title=title, option=option):
        rates = {"rate.enabled": "true", "rate.login": "3/1h"}
        with Server(two_listeners(option, **rates, **TRUSTED)) as server, proxy_of(title, backends(server)) as proxy:
            equal(logins_from(proxy.door, "127.0.0.2", 4), [401, 401, 401, 429], "one client's")
            equal(logins_from(proxy.door, "127.0.0.3", 3), [401, 401, 401], "another's")
        if option:
            return  # who is not trusted may not connect there
        with Server(two_listeners(**rates)) as server, proxy_of(title, backends(server)) as proxy:
            equal(logins_from(proxy.door, "127.0.0.2", 3) + logins_from(proxy.door, "127.0.0.3", 1), [401, 401, 401, 429], "everybody's")


@check(f"HAProxy, PROXY protocol: every transport, resets and reloads in the middle: every list is the room's log (seed {SEED})", limit=300)
def _():
    with Server(two_listeners(" proxy_protocol", **TRUSTED)) as server, HaProxy("HAProxy, PROXY protocol", backends(server)) as proxy:
        through(server, proxy, EVERY_KIND)


@check("nginx, unless told otherwise, asks with HTTP/1.0 and a connection for each request")
def _():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Nginx("nginx, no settings", [f"127.0.0.1:{listener.getsockname()[1]}"] * 2) as proxy:
            def answer():
                line, _ = listener.accept()
                asked.append(line.recv(65536))
                line.sendall(b"HTTP/1.0 200 OK\r\n\r\nfine")
                line.close()
            asked = []
            threading.Thread(target=answer, daemon=True).start()
            equal(request(proxy, "GET", "/x").text, "fine")
            expect(asked[0].startswith(b"GET /x HTTP/1.0\r\n") and b"Host: parley.localhost\r\n" in asked[0] and b"Connection: close" in asked[0], f"{asked}")


if __name__ == "__main__":
    run(Shared(two_listeners(), flags=["--enable-test-endpoints"]))
