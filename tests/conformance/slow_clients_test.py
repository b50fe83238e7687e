#!/usr/bin/env python3
"""Limits of time, each by its name: who drips, who is silent and who does not read holds no place for long."""
import concurrent.futures
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Connection, EventStream, Server, Shared, SockJsSocket, Stomp, WebSocket, check, equal, eventually, expect, http, request, run
from harness.rooms import fill, post
from harness.stomp import encode
from harness.tokens import token
from harness.ws import CLOSE, TEXT, frame_bytes

QUICK = {"limits.handshake_time": "1s", "limits.body_time": "2s", "limits.idle_time": "3s", "limits.message_time": "2s", "limits.send_time": "2s",
         "websocket.ping": "1s", "limits.send_buffer": "64KiB", "sockjs.heartbeat": "1s"}
CONNECT = encode("CONNECT", {"accept-version": "1.2", "host": "parley", "heart-beat": "0,0"}, escaping=False)
GAME = {"token": token("u-7"), "roomId": "slow-ws"}


def open_room(server):
    return WebSocket(server, "/room")


def open_direct(server):
    return WebSocket(server, "/ws/direct", token=token("u-7"), receiverId="u-8")


def open_stomp(server):
    return Stomp(server, room="slow-ws").ws


def open_raw_sockjs(server):
    ws = WebSocket(server, "/ws-chat/websocket", **GAME)
    ws.text(CONNECT)
    return ws


def open_sockjs(server):
    ws = SockJsSocket(server, "/ws-chat", "websocket", **GAME).websocket
    ws.text(json.dumps([CONNECT.decode()]))
    return ws


SOCKETS = {"/room": open_room, "/ws/direct": open_direct, "STOMP": open_stomp, "raw SockJS": open_raw_sockjs, "SockJS websocket": open_sockjs}


def close_within(ws, limit, **drip):
    """The close code, and after how long. `drip`: bytes, one sent every tenth of a second while waiting."""
    data, began = drip.get("drip", b""), time.monotonic()
    ws.auto_pong = not drip.get("mute", False)
    ws.limit(0.1)
    while time.monotonic() - began < limit:
        try:
            ws.message()
        except TimeoutError:
            if data:
                try:
                    ws.raw(data[:1])
                except OSError:
                    pass
                data = data[1:]
        except Closed as closed:
            return closed.code, time.monotonic() - began
    return None, limit


def sessions(server):
    for line in request(server, "GET", "/metrics").text.splitlines():
        if line.startswith("parley_sessions "):
            return int(float(line.split()[-1]))
    raise AssertionError("no gauge of open sessions")


def drips(server, data, limit):
    """Sends byte by byte; the answer's status and after how long it came."""
    with Connection(server.port, limit=0.05) as line:
        began = time.monotonic()
        for i in range(len(data)):
            line.send(data[i:i + 1])
            try:
                line.more()
                break
            except TimeoutError:
                pass
            expect(time.monotonic() - began < limit, "it may drip for ever")
        line.limit(5)
        return line.response().status, time.monotonic() - began


# HTTP

@check("limits.handshake_time: a head that drips byte by byte is 408")
def _(server):
    status, took = drips(server, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 100, 5)
    equal(status, 408)
    expect(0.9 < took < 3, f"{took:.1f} s")


@check("limits.handshake_time: a connection that says nothing, or empty lines only, is closed")
def _(server):
    with Connection(server.port) as silent, Connection(server.port) as empty:
        for _ in range(30):
            try:
                empty.send(b"\r\n")
            except OSError:
                break
            time.sleep(0.1)  # the client's pace is what is tested
        expect(silent.closed(3) and empty.closed(1), "still open")


@check("limits.body_time: a body that drips is 408, whichever way it is framed")
def _(server):
    head = f"POST /api/rooms/slow/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token('u-7')}\r\n".encode()
    for framing, body in ((b"Content-Length: 5000\r\n\r\n", b" " * 5000), (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 900)):
        with Connection(server.port, limit=0.05) as line:
            line.send(head + framing)
            began = time.monotonic()
            answer = None
            for i in range(len(body)):
                line.send(body[i:i + 1])
                try:
                    line.more()
                    line.limit(5)
                    answer = line.response()
                    break
                except TimeoutError:
                    expect(time.monotonic() - began < 6, "it may drip for ever")
            equal((answer.status, answer.code()), (408, "BAD_REQUEST"))
            expect(1.9 < time.monotonic() - began < 4, f"{time.monotonic() - began:.1f} s")


@check("limits.body_time: an xhr_send that never ends is 408, and its session goes on")
def _(server):
    with SockJsSocket(server, "/ws-chat", "xhr_streaming", token=token("u-7"), roomId="slow") as session, Connection(server.port) as line:
        stomp = Stomp(server, socket=session, room="slow")
        line.send(http.head_bytes("POST", session.address("xhr_send"), [("Host", "127.0.0.1"), ("Content-Length", "100")]) + b'["')
        equal(line.response().status, 408)
        stomp.say("undisturbed")


@check("limits.idle_time: a kept connection that asks nothing more is closed, one that asks goes on")
def _(server):
    with Connection(server.port) as idle, Connection(server.port) as busy:
        for line in (idle, busy):
            equal(request(server, "GET", "/health", connection=line).status, 200)
        time.sleep(2)
        equal(request(server, "GET", "/health", connection=busy).status, 200)
        expect(idle.closed(3), "still open after the idle time")
        equal(request(server, "GET", "/health", connection=busy).status, 200)


@check("a waiting long poll is not idle: it has its own time")
def _(server):
    answer = request(server, "GET", "/api/messages/longpoll", token=token("u-7"), roomId="slow-poll", timeout=4500)
    equal((answer.status, answer.json()), (200, []))


@check("limits.send_time: who asks, pipelined, and reads no answer is closed, and little is kept for it", limit=60)
def _(server):
    fill(server, "slow-big", 20, prefix="x" * 60_000)
    ask = http.head_bytes("GET", "/api/rooms/slow-big/messages?limit=500", [("Host", "127.0.0.1"), ("Authorization", f"Bearer {token('u-7')}")])
    with Connection(server.port, receive_buffer=4096) as line:
        line.limit(1)
        try:
            for _ in range(2000):
                line.send(ask * 20)
        except (TimeoutError, OSError):
            pass
        expect(line.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or ended(line), "still open")


def ended(line, limit=10):
    """True once the server has given the connection up, without reading a byte of it."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            line.socket.settimeout(0.2)
            line.send(b"x")
        except TimeoutError:
            pass
        except OSError:
            return True
        time.sleep(0.1)
    return False


# WebSocket

@check("limits.handshake_time: a WebSocket and a SockJS session that never CONNECT are ended")
def _(server):
    with WebSocket(server, "/ws-chat", **GAME) as ws:
        closed = close_within(ws, 5)[0]
        expect(closed is not None, "still open")
    for transport in ("websocket", "xhr_streaming", "xhr"):
        session = SockJsSocket(server, "/ws-chat", transport, **GAME)
        session.limit(5)
        expect(session.closing().code is not None, transport)
        session.close()


@check("limits.handshake_time: CONNECT that drips over many messages is too late")
def _(server):
    with WebSocket(server, "/ws-chat", **GAME) as ws:
        drip = b"".join(frame_bytes(TEXT, CONNECT[i:i + 1]) for i in range(len(CONNECT)))
        step = len(frame_bytes(TEXT, b"x"))
        began = time.monotonic()
        try:
            for at in range(0, len(drip), step):
                ws.raw(drip[at:at + step])
                time.sleep(0.05)
            code = close_within(ws, 2)[0]
        except OSError:
            code = 1006
        expect(code is not None and time.monotonic() - began < 6, "connected after all")


def on_every_socket(server, what):
    """At once: each waits for time to pass."""
    with concurrent.futures.ThreadPoolExecutor(len(SOCKETS)) as pool:
        def one(opens):
            with opens(server) as ws:
                return what(ws)
        return dict(zip(SOCKETS, pool.map(one, SOCKETS.values())))


@check("limits.message_time: a message that drips is cut off (4408), on every WebSocket")
def _(server):
    for name, (code, took) in on_every_socket(server, lambda ws: close_within(ws, 8, drip=frame_bytes(TEXT, b"[" + b" " * 3000))).items():
        equal(code, 4408, name)
        expect(1.5 < took < 6, f"{name}: {took:.1f} s")


@check("websocket.ping: a peer that answers none is closed (4408), on every WebSocket")
def _(server):
    equal({name: code for name, (code, _) in on_every_socket(server, lambda ws: close_within(ws, 8, mute=True)).items()}, dict.fromkeys(SOCKETS, 4408))


@check("websocket.ping: a peer that answers stays, on every WebSocket")
def _(server):
    def stays(ws):
        gone = close_within(ws, 4)[0]
        ws.frame(CLOSE, b"\x03\xe8")
        ws.limit(2)
        return gone, ws.closing().code
    equal(on_every_socket(server, stays), dict.fromkeys(SOCKETS, (None, 1000)))


@check("websocket.ping=0: nobody is pinged and nobody closed for silence")
def _():
    with Server(QUICK | {"websocket.ping": "0"}) as server, open_room(server) as ws:
        equal(close_within(ws, 4, mute=True)[0], None)


# readers that do not read

def never_read(server, connection, speak):
    """Speaks until nothing more goes in; then the connection must be given up."""
    for _ in range(40):
        speak()
    expect(ended(connection, 15), "the server holds on to it")


@check("limits.send_time: an event stream nobody reads is closed, and its place is free", limit=60)
def _(server):
    before = sessions(server)
    with EventStream(server, "/api/rooms/slow-sse/stream", receive_buffer=4096) as stream:
        equal(sessions(server), before + 1)
        never_read(server, stream.connection, lambda: post(server, "slow-sse", "x" * 100_000))
    eventually(lambda: sessions(server) == before, what="the place")


@check("limits.send_time: a direct socket nobody reads is closed", limit=60)
def _(server):
    with WebSocket(server, "/ws/direct", receive_buffer=4096, token=token("u-mute"), receiverId="u-8") as mute, \
            WebSocket(server, "/ws/direct", token=token("u-8"), receiverId="u-mute") as speaker:
        def speak():
            speaker.text("x" * 100_000)
            speaker.message()
            speaker.message()
        never_read(server, mute.tcp, speak)


@check("limits.send_time: a SockJS stream and an NDJSON replay nobody reads are closed", limit=90)
def _(server):
    fill(server, "slow-replay", 40, prefix="x" * 100_000)
    with SockJsSocket(server, "/ws-chat", "xhr_streaming", token=token("u-7"), roomId="slow-replay") as session:
        stomp = Stomp(server, socket=session, room="slow-replay")
        session.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stomp.watch(after_seq="0", wait=False)
        expect(ended(session.stream, 15), "the stream")
    with Connection(server.port, receive_buffer=4096) as line:
        line.send(http.head_bytes("GET", "/api/rooms/slow-replay/replay?from-seq=1", [("Host", "127.0.0.1"), ("Authorization", f"Bearer {token('u-7')}")]))
        expect(ended(line, 15), "the replay")


@check("whoever was slow holds no place: the sessions are as many as before")
def _():
    with Server(QUICK | {"limits.max_sessions": "5"}) as server:
        sockets = [opens(server) for opens in SOCKETS.values()]
        for ws in sockets:
            ws.raw(frame_bytes(TEXT, b"x" * 1000)[:7])  # and nothing more, nor any answer to a ping
        equal(sessions(server), len(sockets))
        eventually(lambda: sessions(server) == 0, 10, "free places")
        with Stomp(server, room="slow-free") as client:
            client.say("there is room")


if __name__ == "__main__":
    run(Shared(QUICK))
