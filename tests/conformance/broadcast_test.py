#!/usr/bin/env python3
"""Plain WebSocket broadcast, /room; and for /topic/public that nobody sees a message twice."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Refused, Server, Shared, Stomp, WebSocket, check, equal, expect, request, run

SAID = "Server received: "


@check("a text goes to everybody who is connected, the speaker too, in its order")
def _(server):
    sockets = [WebSocket(server, "/room") for _ in range(16)]
    texts = ["hello", "안녕 👋", "", '{"content":"x"}', " spaces kept ", "line\nline"]
    for text in texts:
        sockets[0].text(text)
    for socket in sockets:
        equal([socket.message() for _ in texts], [SAID + text for text in texts])
        socket.close()


@check("across all cores: each of 8 speakers is heard in its order, once, by everybody")
def _():
    with Server(settings={"threads": "4"}) as wide:
        sockets = [WebSocket(wide, "/room") for _ in range(24)]
        for i in range(20):
            for n, socket in enumerate(sockets[:8]):
                socket.text(f"{n}:{i}")
        for socket in sockets:
            heard = [socket.message().removeprefix(SAID).split(":") for _ in range(160)]
            for n in range(8):
                equal([int(i) for who, i in heard if who == str(n)], list(range(20)), f"speaker {n}")
            socket.close()


@check("who connects later does not hear what was said before")
def _(server):
    with WebSocket(server, "/room") as early:
        early.text("before")
        equal(early.message(), SAID + "before")
        with WebSocket(server, "/room") as late:
            early.text("after")
            equal(late.message(), SAID + "after")


@check("with permessage-deflate it reads the same")
def _(server):
    with WebSocket(server, "/room", deflate="permessage-deflate") as packed, WebSocket(server, "/room") as plain:
        text = "compress me " * 200
        plain.text(text)
        equal(plain.message(), SAID + text)
        equal(packed.message(), SAID + text)


@check("a binary message is refused, one above the limit closes with 1009")
def _(server):
    with WebSocket(server, "/room") as ws:
        ws.binary(b"\x00\x01")
        equal(json.loads(ws.message())["code"], "CHAT_INVALID_PAYLOAD")
        ws.text("still here")
        equal(ws.message(), SAID + "still here")
        ws.text("x" * (128 * 1024 + 1))
        equal(ws.closing().code, 1009)


@check("a listener that does not read misses texts and holds nobody up")
def _():
    with Server(settings={"limits.send_buffer": "64KiB"}) as small:
        with WebSocket(small, "/room", receive_buffer=4096) as slow, WebSocket(small, "/room") as speaker:
            text = "x" * 60_000
            for _ in range(200):
                speaker.text(text)
                equal(len(speaker.message()), len(SAID) + len(text))
            missed = [line for line in request(small, "GET", "/metrics").text.splitlines() if line.startswith("parley_broadcast_missed_total")]
            expect(float(missed[0].split()[-1]) > 50, f"{missed}")
            expect(slow is not None, "")


@check("rates hold: too fast is CHAT_RATE_LIMITED for the speaker alone")
def _():
    with Server(settings={"rate.enabled": "true", "rate.send": "5/1m"}) as strict:
        with WebSocket(strict, "/room") as fast, WebSocket(strict, "/room") as other:
            for i in range(6):
                fast.text(f"{i}")
            equal([fast.message() for _ in range(5)], [f"{SAID}{i}" for i in range(5)])
            equal(json.loads(fast.message())["code"], "CHAT_RATE_LIMITED")
            equal([other.message() for _ in range(5)], [f"{SAID}{i}" for i in range(5)])
            other.text("me")
            equal(other.message(), SAID + "me")


@check("no token is asked for; a foreign origin is 403, a plain GET 426")
def _(server):
    try:
        WebSocket(server, "/room", headers={"Origin": "https://evil.example"}).close()
        raise AssertionError("accepted")
    except Refused as refused:
        equal(refused.response.status, 403)
    equal(request(server, "GET", "/room").status, 426)


@check("without the public profile there is no /room")
def _():
    with Server(settings={"public.enabled": "off"}) as closed:
        equal(request(closed, "GET", "/room").status, 404)


@check("limits.max_sessions counts its connections")
def _():
    with Server(settings={"limits.max_sessions": "2"}) as small:
        with WebSocket(small, "/room"), WebSocket(small, "/room"):
            try:
                WebSocket(small, "/room").close()
                raise AssertionError("accepted")
            except Refused as refused:
                equal(refused.response.status, 503)


@check("a server that shuts down closes with 1001 and the reconnect delay")
def _():
    with Server() as mortal:
        with WebSocket(mortal, "/room") as ws:
            mortal.signal(15)
            closed = ws.closing()
            equal(closed.code, 1001)
            expect(int(closed.reason) > 0, closed.reason)


@check("metrics: sessions are counted by transport")
def _(server):
    with WebSocket(server, "/room"), WebSocket(server, "/ws/direct", token=server.token("a"), receiverId="b"):
        text = request(server, "GET", "/metrics").text
        for transport in ("websocket-room", "websocket-direct"):
            expect(f'parley_sessions_total{{transport="{transport}"}}' in text, transport)


@check("regression: on /topic/public nobody sees a message twice, the sender neither")
def _(server):
    with Stomp(server, path="/ws") as sender, Stomp(server, path="/ws") as other:
        feeds = [(client, client.subscribe("/topic/public")[0]) for client in (sender, other)]
        for i in range(10):
            receipt = sender.new_receipt()
            sender.send("/app/chat.sendMessage", {"content": f"public {i}"}, receipt=receipt)
            sender.receipt(receipt)
        for client, feed in feeds:
            got = [frame.json()["content"] for frame in client.until("public 9", feed)]
            equal(got, [f"public {i}" for i in range(10)])
            client.settle()
            equal([f for f in client.inbox if f.command == "MESSAGE"], [], "what came beside")


if __name__ == "__main__":
    run(Shared())
