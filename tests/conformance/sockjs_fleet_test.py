#!/usr/bin/env python3
"""Protocol sections 4 and 5: a SockJS session belongs to one server of a fleet, and its requests may go to any. Over a real Redis and
PostgreSQL; what fleet.listen believes; what a client hears when its session's server dies."""
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import re
import secrets
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Server, SockJsSocket, Stomp, check, equal, eventually, expect, http, long_tier, request, run, services, short
from harness.players import BY_CURSOR
from harness.proxy import HaProxy
from harness.refusals import refused
from harness.rooms import history, invite, join, make_private, post
from harness.scenario import Scenario
from harness.sockjs import session_path
from harness.tokens import SECRET, token

ECHO = "/sockjs/echo"
SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
MESSAGES = 5_000 if long_tier() else 300
OVER_HTTP = ["SockJS xhr_streaming", "SockJS xhr-polling", "SockJS eventsource", "SockJS htmlfile"]


def redis():
    return services.shared("redis")


def settings(name, **more):
    """Of a fleet of its own on the shared PostgreSQL and Redis."""
    return {"log.kind": "store", "store.kind": "postgres", "postgres.url": services.shared("postgres").url, "postgres.schema": name,
            "bus.kind": "redis", "cache.kind": "redis", "redis.url": redis().url, "redis.prefix": name, **more}


@contextlib.contextmanager
def fleet(name, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(settings(name, **more), flags=["--enable-test-endpoints"])) for _ in range(2)]


class SharedFleet:
    """Two servers for the checks that leave them alive."""

    def __init__(self):
        self._stack, self._servers = contextlib.ExitStack(), None

    def get(self):
        if self._servers is None:
            self._servers = self._stack.enter_context(fleet("shared"))
        return self._servers

    def close(self):
        self._stack.close()


def metric(server, name):
    found = re.search(rf"^{name} (\d+)$", request(server, "GET", "/metrics").text, re.M)
    return int(found.group(1)) if found else 0


def relayed(*servers):
    return sum(metric(server, "parley_relayed_requests_total") for server in servers)


# Each receiving transport: how it is asked, whether it goes on after its first frame, and the frames of a body.
TRANSPORTS = {
    "xhr": ("POST", "", False, lambda body: body.splitlines()),
    "jsonp": ("GET", "?c=cb", False, lambda body: [json.loads(f) for f in re.findall(r"^/\*\*/cb\((.*)\);\r\n", body, re.M)]),
    "xhr_streaming": ("POST", "", True, lambda body: body.splitlines()[1:]),
    "eventsource": ("GET", "", True, lambda body: re.findall(r"^data: (.*)\r\n\r\n", body, re.M)),
    "htmlfile": ("GET", "?c=cb", True, lambda body: [json.loads(f) for f in re.findall(r"^p\((.*)\);$", body, re.M)]),
}


class Roaming:
    """A client of one session each of whose requests goes to the next server."""

    def __init__(self, servers, transport):
        self.servers, self.transport = itertools.cycle(servers), transport
        self.path = session_path(ECHO)
        self.method, self.query, self.streams, self.frames_of = TRANSPORTS[transport]

    def receive(self):
        """A receiving request that has been taken: its answer has begun."""
        connection = Connection(next(self.servers).port, limit=30)
        connection.send(http.head_bytes(self.method, f"{self.path}/{self.transport}{self.query}", [("Host", "localhost"), ("Content-Length", "0")]))
        equal(connection.head().status, 200)
        return connection

    def frames(self, connection):
        """What it says until it ends."""
        body = b""
        with connection:
            while chunk := connection.chunk():
                body += chunk
        return [frame for frame in self.frames_of(body.decode()) if frame]

    def send(self, messages):
        body, kind, expected = json.dumps(messages), "xhr_send", 204
        headers = {"Content-Type": "text/plain"}
        if self.transport == "jsonp":
            kind, expected = "jsonp_send", 200
        equal(request(next(self.servers), "POST", f"{self.path}/{kind}", body=body.encode(), headers=headers).status, expected)


def said(frames):
    return [message for frame in frames if frame[0] == "a" for message in json.loads(frame[1:])]


for transport in TRANSPORTS:
    @check(f"{transport}: requests of a session go to two servers in turns; every message comes once and in order", limit=60)
    def _(server, transport=transport):
        # Four sends stay below the 4 KiB after which a stream of the test service ends, the fifth goes beyond.
        words, before = [f"{n:04d}".ljust(84, "x") for n in range(200)], relayed(*server)
        client, heard = Roaming(server, transport), []
        receiver = client.receive()
        if not client.streams:
            equal(client.frames(receiver), ["o"])
        for part in range(0, len(words), 50):
            if client.streams and part > 0:
                receiver = client.receive()
            for n in range(part, part + 50, 10):
                client.send(words[n:n + 10])
            while len(heard) < part + 50:
                heard += said(client.frames(receiver if client.streams else client.receive()))
        equal(heard, words)
        expect(relayed(*server) - before >= 10, f"{relayed(*server) - before} requests were relayed")


class RoamingSocket(SockJsSocket):
    """The verbs of a WebSocket over xhr, each request at the next server."""

    def __init__(self, servers, *arguments, **query):
        self._servers = itertools.cycle(servers)
        super().__init__(None, *arguments, **query)

    server = property(lambda self: next(self._servers), lambda self, _: None)


@check("errors, notifications, a kick and the end of a token reach a session whose requests go anywhere", limit=60)
def _(server):
    one, other = server
    before = relayed(one, other)
    mine = token("u-b", jti="roaming")
    guest = Stomp(one, "u-b", room="r-own", socket=RoamingSocket([one, other], "/ws-chat", "xhr", token=mine, roomId="r-own"))
    guest.subscribe("/user/queue/notifications", id="notes")
    guest.watch_errors()
    for door, room in ((one, "r-two"), (other, "r-own")):
        make_private(other, room)
        invite(door, room, "u-b")
        expect(room in guest.message("notes", 30).text, "the invitation")
    expect(join(other, "r-own", "u-b").status in (200, 204), "joining")
    guest.watch("r-own")
    guest.say("here")
    for _ in range(2):
        guest.chat(" ", room="r-own")
        guest.refusal("CHAT_INVALID_PAYLOAD", 30)
    expect(request(other, "DELETE", "/api/rooms/r-own/members/u-b", token=token("u-own")).status in (200, 204), "the kick")
    guest.refusal("CHAT_FORBIDDEN", 30)  # what ends the subscription
    eventually(lambda: post(one, "r-own", "still?", "u-b").status == 404, limit=30, what="the refusal at the session's server")
    guest.chat("still?", room="r-own")
    guest.refusal("CHAT_ROOM_NOT_FOUND", 30)
    equal(request(other, "POST", "/v1/auth/logout", token=mine).status, 200)
    equal(guest.ws.closing().code, 4401)
    expect(relayed(one, other) > before, "nothing was relayed")


@check("with its server killed a stream breaks off, the session is over at the others, and a new one resumes by seq", limit=60)
def _():
    with fleet("killed") as (one, other):
        query = {"token": token("u-a"), "roomId": "r-1"}
        with Stomp(one, "u-a", room="r-1", socket=SockJsSocket(one, "/ws-chat", "xhr", **query)) as client:
            client.say("before")
            path = client.ws.path
            stream = Connection(other.port, limit=30)
            stream.send(http.head_bytes("POST", http.with_query(path + "/xhr_streaming", **query), [("Host", "localhost"), ("Content-Length", "0")]))
            equal(stream.head().status, 200)
            equal(stream.chunk()[:4], b"hhhh")
            one.kill()
            try:
                while stream.chunk():
                    pass
                raise AssertionError("the stream was ended as if it were whole")
            except (EOFError, ConnectionResetError):
                stream.close()
            address = http.with_query(path + "/xhr_send", **query)
            equal(request(other, "POST", address, body=b'["x"]').status, 404)
        with Stomp(other, "u-a", room="r-1", socket=SockJsSocket(other, "/ws-chat", "xhr_streaming", **query)) as again:
            again.watch(after_seq="0")
            again.say("after")
            equal([again.message().json()["content"] for _ in range(2)], ["before", "after"])
        equal([m["content"] for m in history(other, "r-1")], ["before", "after"])


@check("a receiver of any transport at another server hears that its session is over when the session's server has died", limit=90)
def _():
    with fleet("over") as (one, other):
        pairs = [(Roaming([one], "xhr"), Roaming([other], transport)) for transport in TRANSPORTS]
        for opener, client in pairs:
            client.path = opener.path
            equal(opener.frames(opener.receive()), ["o"])
        one.kill()
        for opener, client in pairs:
            equal(client.frames(client.receive()), ['c[1002,"Connection interrupted"]'], client.transport)
            opener.servers = itertools.cycle([other])
            equal(opener.frames(opener.receive()), ["o"], "the name is free again")


@check("a server that is stopped lets go of its sessions; what it had in Redis names no session", limit=60)
def _():
    with fleet("stopped") as (one, other):
        client = Roaming([one], "xhr")
        equal(client.frames(client.receive()), ["o"])
        keys = redis().command("KEYS", "stopped:sockjs:*")
        equal(len(keys.split()), 1, f"owners: {keys!r}")
        expect(client.path.rsplit("/", 1)[1] not in keys, "the session's name is in Redis")
        one.stop()
        eventually(lambda: not redis().command("KEYS", "stopped:sockjs:*").strip(), limit=30, what="no owner")
        client.servers = itertools.cycle([other])
        equal(client.frames(client.receive()), ["o"])


@check("while Redis is away a session goes on at its server; elsewhere nobody knows it: 503", limit=60)
def _():
    own = services.Service("redis")
    with fleet("away", **{"redis.url": own.url}) as (one, other):
        client = Roaming([one], "xhr")
        equal(client.frames(client.receive()), ["o"])
        own.stop()
        client.send(["here"])
        equal(said(client.frames(client.receive())), ["here"])
        for kind in ("xhr_send", "xhr"):
            refusal = request(other, "POST", f"{client.path}/{kind}", body=b'["x"]')
            equal((refusal.status, refusal.code()), (503, "AUTH_UNAVAILABLE"))
    own.close()


# fleet.listen, spoken by hand

NAME = b"parley relay  1\n"


def derived(secret):
    return hmac.new(secret.encode(), b"parley relay", hashlib.sha256).digest()


class Asking:
    """What a server says to another one's fleet.listen, with any secret."""

    def __init__(self, port, secret=SECRET, nonce=None):
        self.key, self.nonce = derived(secret), nonce or os.urandom(16)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(NAME + self.nonce)
        self.proof = self.read(40)

    def read(self, size=1 << 20):
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while len(data) < size and (more := self.socket.recv(size - len(data))):
                data += more
        return data

    def mac(self, what, data):
        return hmac.new(self.key, what + self.nonce + self.proof[8:24] + data, hashlib.sha256).digest()[:16]

    def order(self, head, client=b"198.51.100.7"):
        words = b"\0" + struct.pack("<I", len(client)) + client + struct.pack("<I", len(head)) + self.mac(b"request", head)
        return struct.pack("<H", len(words)) + words + self.mac(b"order", words) + head

    def ask(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        answer = self.read()
        self.socket.close()
        return answer


@check("fleet.listen serves what a server of the fleet signed, and closes on what is unsigned, forged, played back or another fleet's", limit=60)
def _(server):
    one = server[0]
    client = Roaming([one], "xhr")
    equal(client.frames(client.receive()), ["o"])
    key = "shared:sockjs:" + hashlib.sha256(f"{ECHO}/{client.path.rsplit('/', 1)[1]}".encode()).hexdigest()
    port = int(redis().command("GET", key).rsplit(":", 1)[1])
    head = http.head_bytes("POST", f"{client.path}/xhr_send", [("Host", "localhost"), ("Connection", "close"), ("Content-Length", "5")]) + b'["x"]'
    asking = Asking(port)
    equal(asking.proof[24:], asking.mac(b"proof", asking.proof[:8]), "the server's own proof")
    order = asking.order(head)
    expect(asking.ask(order).startswith(b"HTTP/1.1 204 "), "a good order")
    before = metric(one, "parley_relays_refused_total")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(head)
        with contextlib.suppress(ConnectionResetError):
            equal(plain.recv(1000), b"", "a plain request")
    equal(Asking(port, nonce=asking.nonce).ask(order), b"", "played back")
    forged = Asking(port)
    equal(forged.ask(forged.order(head).replace(b"198.51.100.7", b"198.51.100.8")), b"", "another client's address")
    forged = Asking(port)
    equal(forged.ask(forged.order(head).replace(b'["x"]', b'["y"]')), b"", "another body")
    other = Asking(port, secret="another secret of 32 bytes or more")
    equal(other.ask(other.order(head)), b"", "another fleet's")
    eventually(lambda: metric(one, "parley_relays_refused_total") == before + 5, limit=30, what="five refusals counted")
    equal(said(client.frames(client.receive())), ["x"], "what was believed")
    eventually(lambda: "fleet.listen, from 127.0.0.1" in one.log(), limit=30, what="a line about it")


@check("fleet.listen is an address that others can reach; one that is not this machine's stops the start")
def _():
    shared = f'[cache]\nkind = "redis"\n[redis]\nurl = "{redis().url}"\n[fleet]\nlisten = '
    for wrong in ("0.0.0.0:7400", "[::]:7400", "chat.example:7400", "http://127.0.0.1:7400", "unix:/tmp/x"):
        refused(shared + f'"{wrong}"', "fleet.listen", "parley.toml:6", "10.0.0.7:7400", within=60)
    refused(shared + '"192.0.2.1:7400"', "fleet.listen (", "parley.toml:6)", "cannot listen on 192.0.2.1:7400", within=60)
    with Server(settings("alone", **{"cache.kind": "memory"})) as server:
        expect("for the other servers" not in server.log(), short(server.log()))


@check(f"HAProxy, round robin: people at two servers by every SockJS transport over HTTP: every list is the room's log (seed {SEED})", limit=500)
def _(server):
    before = [relayed(s) for s in server]
    with HaProxy("HAProxy", [f"127.0.0.1:{s.port}" for s in server]) as proxy:
        scenario = Scenario(server[0], SEED, MESSAGES, rooms=2, doors=[proxy.door], kinds=[*BY_CURSOR, *OVER_HTTP])
        scenario.play(240)
        scenario.compare()
    for s, count in zip(server, before, strict=True):
        expect(relayed(s) > count, "not both servers relayed")


if __name__ == "__main__":
    run(SharedFleet())
