#!/usr/bin/env python3
"""Protocol section 3, STOMP frames: versions, framing, headers, and every protocol fault's ERROR and close."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, WebSocket, check, equal, expect, run
from harness.stomp import decode, encode
from harness.tokens import token


def bare(server, **more):
    """A WebSocket on the game profile, before CONNECT."""
    return Stomp(server, "u-f", room="r-f", connect=False, **more)


def ends(client, receipt=None):
    """The server answers ERROR (naming the receipt) and closes."""
    error = client.error()
    expect(error.get("message"), f"ERROR without message: {error}")
    if receipt:
        equal(error.get("receipt-id"), receipt, "receipt-id")
    closed = client.closing()
    expect(closed.code is not None and closed.code != 1000, f"closed with {closed.code}")


# versions

for accept, wanted in (("1.0", "1.0"), ("1.1", "1.1"), ("1.2", "1.2"), ("1.0,1.1,1.2", "1.2"), ("1.1,1.0", "1.1"), ("1.2,9.9", "1.2")):
    @check(f"versions: accept-version {accept} is answered with {wanted}")
    def _(server, accept=accept, wanted=wanted):
        with bare(server, protocols=()) as client:
            connected = client.connect(accept_version=accept)
            equal(connected["version"], wanted)
            expect(connected.get("heart-beat") and connected.get("server"), f"{connected}")


@check("versions: CONNECT without accept-version is 1.0")
def _(server):
    with bare(server, protocols=()) as client:
        client.raw(b"CONNECT\n\n\0")
        equal(client.wait("CONNECTED")["version"], "1.0")


@check("versions: none in common is ERROR with the server's versions, and close")
def _(server):
    with bare(server, protocols=()) as client:
        client.raw(encode("CONNECT", {"accept-version": "2.0,3.1", "host": "x"}))
        error = client.error()
        expect("1.2" in (error.get("version") or ""), f"no versions in {error}")
        client.closing()


@check("versions: STOMP is a synonym of CONNECT, host may be missing, login and passcode are ignored")
def _(server):
    with bare(server) as client:
        client.raw(encode("STOMP", {"accept-version": "1.2", "login": "x", "passcode": "y"}))
        client.wait("CONNECTED")


for offered, wanted in ((("v10.stomp",), "v10.stomp"), (("mqtt", "v11.stomp"), "v11.stomp"), (("v12.stomp",), "v12.stomp"), ((), None), (("mqtt",), None)):
    @check(f"sub-protocol: of {list(offered)} the server takes {wanted}")
    def _(server, offered=offered, wanted=wanted):
        with WebSocket(server, "/ws-chat", protocols=offered, token=token("u-f"), roomId="r-f") as ws:
            equal(ws.protocol, wanted)


@check("sub-protocol: the raw websocket of SockJS answers it too, or browsers give up")
def _(server):
    with WebSocket(server, "/ws-chat/websocket", protocols=("v11.stomp", "v12.stomp"), token=token("u-f"), roomId="r-f") as ws:
        equal(ws.protocol, "v12.stomp")


# framing

@check("framing: line ends may be CR LF")
def _(server):
    with bare(server) as client:
        client.raw(b"CONNECT\r\naccept-version:1.2\r\nhost:x\r\n\r\n\0")
        client.wait("CONNECTED")
        client.raw(b"SUBSCRIBE\r\nid:a\r\ndestination:/sub/chat/room/r-f\r\nreceipt:r\r\n\r\n\0\r\n\r\n")
        client.receipt("r")


@check("framing: several frames in one WebSocket message work")
def _(server):
    with bare(server) as client:
        client.raw(b"\n\nCONNECT\naccept-version:1.2\nhost:x\n\n\0\n\nSUBSCRIBE\nid:a\ndestination:/sub/chat/room/r-f\nreceipt:1\n\n\0"
                   b"SUBSCRIBE\nid:b\ndestination:/sub/chat/room/r-g\nreceipt:2\n\n\0\n")
        client.wait("CONNECTED")
        client.receipt("1")
        client.receipt("2")


@check("framing: one frame across many WebSocket messages works")
def _(server):
    with bare(server) as client:
        for byte in encode("CONNECT", {"accept-version": "1.2", "host": "x"}):
            client.raw(bytes([byte]))
        client.wait("CONNECTED")


@check("framing: a frame in a binary message works")
def _(server):
    with bare(server) as client:
        client.ws.binary(encode("CONNECT", {"accept-version": "1.2", "host": "x"}))
        client.wait("CONNECTED")


@check("framing: the server sends one frame in a message, as text, with right content-length")
def _(server):
    with Stomp(server, "u-f", room="r-one") as client:
        client.watch()
        for i in range(50):
            client.chat(f"한글 {i}")
        for i in range(50):
            raw = client.ws.message()
            expect(isinstance(raw, str), "a binary message")
            frame = decode(raw.encode())  # refuses a second frame in the message
            equal(int(frame["content-length"]), len(frame.body))


@check("headers: escapes are undone in both directions")
def _(server):
    with Stomp(server, "u-f", room="r-esc") as client:
        client.subscribe("/sub/chat/room/r-esc", id="a:b\\c\nd")
        client.say("x")
        equal(client.message()["subscription"], "a:b\\c\nd")
        weird = "re:ce\\ipt\r\n한"
        client.chat("y", receipt=weird)
        client.receipt(weird)


@check("headers: of a repeated header the first counts")
def _(server):
    with Stomp(server, "u-f", room="r-rep") as client:
        client.raw(b"SUBSCRIBE\nid:first\nid:second\ndestination:/sub/chat/room/r-rep\nreceipt:r\n\n\0")
        client.receipt("r")
        client.say("x")
        equal(client.message()["subscription"], "first")


@check("headers: 128 are accepted, 129 are a protocol fault")
def _(server):
    with Stomp(server, "u-f", room="r-f") as client:
        fields = {"id": "s", "destination": "/sub/chat/room/r-f", "receipt": "many"}
        fields.update({f"x-{i}": i for i in range(128 - len(fields))})
        client.send_frame("SUBSCRIBE", fields)
        client.receipt("many")
        fields.update({"id": "t", "x-one-more": 1})
        client.send_frame("SUBSCRIBE", fields)
        ends(client)


@check("content-length: a body may hold NUL and anything else")
def _(server):
    with Stomp(server, "u-f", room="r-nul") as client:
        client.watch_errors()
        client.send("/pub/chat/send", b'{"type":"TALK","roomId":"r-nul","content":"a\0b"}')
        client.refusal("CHAT_INVALID_PAYLOAD")
        client.say("the frame was read to its end")


@check("content-length: without it the body ends at NUL")
def _(server):
    with Stomp(server, "u-f", room="r-ncl") as client:
        client.watch()
        client.raw(b'SEND\ndestination:/pub/chat/send\nreceipt:r\n\n{"type":"TALK","roomId":"r-ncl","content":"no length"}\0')
        client.receipt("r")
        equal(client.message().json()["content"], "no length")


@check("1.0: headers are not unescaped")
def _(server):
    with Stomp(server, "u-f", room="r-10", version="1.0", protocols=()) as client:
        client.raw(b"SUBSCRIBE\nid:a\\cb\ndestination:/sub/chat/room/r-10\nreceipt:r\n\n\0")
        client.receipt("r")
        client.say("x")
        equal(client.message()["subscription"], "a\\cb")


# faults: ERROR and close

CONNECTED_FAULTS = {
    "an unknown command": b"SHOUT\ndestination:/pub/chat/send\n\nx\0",
    "a lower-case command": b"send\ndestination:/pub/chat/send\n\nx\0",
    "a server command from a client": b"MESSAGE\ndestination:/x\n\nx\0",
    "SEND without destination": b"SEND\ncontent-type:text/plain\n\nx\0",
    "SUBSCRIBE without id": b"SUBSCRIBE\ndestination:/sub/chat/room/r-f\n\n\0",
    "SUBSCRIBE without destination": b"SUBSCRIBE\nid:1\n\n\0",
    "UNSUBSCRIBE without id": b"UNSUBSCRIBE\nx:y\n\n\0",
    "ACK without id": b"ACK\nx:y\n\n\0",
    "BEGIN without transaction": b"BEGIN\nx:y\n\n\0",
    "a content-length that is no number": b"SEND\ndestination:/pub/chat/send\ncontent-length:ten\n\nx\0",
    "a negative content-length": b"SEND\ndestination:/pub/chat/send\ncontent-length:-1\n\nx\0",
    "a content-length that is too short": b"SEND\ndestination:/pub/chat/send\ncontent-length:2\n\nabcdef\0",
    "an undefined escape": b"SEND\ndestination:/pub\\tchat\n\nx\0",
    "an escape at the end of a header": b"SEND\ndestination:/pub\\\n\nx\0",
    "a header without colon": b"SEND\ndestination:/pub/chat/send\nnocolon\n\nx\0",
    "a second CONNECT": b"CONNECT\naccept-version:1.2\nhost:x\n\n\0",
    "an unknown transaction": b"COMMIT\ntransaction:nope\n\n\0",
    "a SEND in an unknown transaction": b'SEND\ndestination:/pub/chat/send\ntransaction:nope\n\n{"type":"TALK","roomId":"r-f","content":"x"}\0',
    "a repeated transaction": b"BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:t\n\n\0",
    "an unknown ack": b"ACK\nid:never-given\n\n\0",
}
for what, data in CONNECTED_FAULTS.items():
    @check(f"fault: {what} is ERROR and close")
    def _(server, data=data):
        with Stomp(server, "u-f", room="r-f") as client:
            client.raw(data)
            ends(client)


@check("fault: ERROR names the receipt that was asked for")
def _(server):
    with Stomp(server, "u-f", room="r-f") as client:
        client.raw(b"SUBSCRIBE\nreceipt:want-this\ndestination:/sub/chat/room/r-f\n\n\0")
        ends(client, receipt="want-this")


for what, data in {"SEND": b"SEND\ndestination:/pub/chat/send\n\nx\0", "SUBSCRIBE": b"SUBSCRIBE\nid:1\ndestination:/sub/chat/room/r\n\n\0",
                   "garbage": b"GET / HTTP/1.1\r\n\r\n\0"}.items():
    @check(f"fault: {what} before CONNECT is ERROR and close")
    def _(server, data=data):
        with bare(server) as client:
            client.raw(data)
            ends(client)


for what, data in {"an unknown command": b"SHOUT\n", "a command that never ends": b"X" * 200, "a header without colon": b"SEND\nnocolon\n",
                   "an undefined escape": b"SEND\ndestination:\\t\n", "a bad content-length": b"SEND\ndestination:/x\ncontent-length:ten\n"}.items():
    @check(f"fault: {what} is refused without waiting for the NUL")
    def _(server, data=data):
        with Stomp(server, "u-f", room="r-f") as client:
            client.raw(data)
            ends(client)


@check("limit: 10 s to CONNECT, then the connection ends", limit=30)
def _(server):
    with bare(server) as client:
        client.ws.limit(20)
        closed = client.closing()
        expect(closed.code != 1000, f"closed {closed.code}")


@check("limit: a message above 128 KiB is ERROR and close 1009")
def _(server):
    with Stomp(server, "u-f", room="r-big") as client:
        client.chat("x" * 131_072)
        client.error()
        equal(client.closing().code, 1009)


@check("limit: a message just under 128 KiB is stored and delivered unharmed")
def _(server):
    text = "가" * 43_000
    with Stomp(server, "u-f", room="r-big2") as client:
        client.watch()
        client.say(text)
        expect(client.message().json()["content"] == text, "another content")


@check("limit: 256 subscriptions a connection, one more is refused and the others live on")
def _(server):
    with Stomp(server, "u-f", room="r-sub") as client:
        client.watch_errors()
        for i in range(254):
            client.subscribe(f"/sub/chat/room/r-sub-{i}", id=f"s{i}", wait=False)
        client.subscribe("/sub/chat/room/r-sub-255", id="s255", wait=False)
        client.subscribe("/sub/chat/room/one-more", id="one-more", wait=False)
        equal(client.refusal()["code"], "SUBSCRIPTION_LIMIT")
        client.say("hello", room="r-sub-7")
        equal(client.message("s7").json()["content"], "hello")


# heart-beats

@check("heart-beats: CONNECTED says what stomp.heartbeat says, 30000,30000 by default")
def _(server):
    with bare(server) as client:
        equal(client.connect(heartbeat="0,300")["heart-beat"].replace(" ", ""), "30000,30000")


@check("heart-beats: asked for, they come; a client that promised and is silent is closed", limit=20)
def _():
    with Server({"stomp.heartbeat": "300,300"}) as server, bare(server) as client:
        client.connect(heartbeat="300,300")
        began = time.monotonic()
        equal([client.ws.message().strip("\r\n") for _ in range(2)], ["", ""], "heart-beats")
        expect(time.monotonic() - began < 2, "they come too slowly")
        closed = client.closing()
        expect(closed.code != 1000 and time.monotonic() - began < 6, f"{closed} after {time.monotonic() - began:.1f} s")


@check("heart-beats: a client that keeps its promise stays, one that asked for none gets none", limit=20)
def _():
    with Server({"stomp.heartbeat": "300,300"}) as server, bare(server) as client, Stomp(server, "u-quiet", room="r-f") as quiet:
        client.connect(heartbeat="300,0")
        for _ in range(15):
            client.raw(b"\n")
            time.sleep(0.2)  # this is the heart-beat itself
        client.settle()
        quiet.settle()
        equal(quiet.inbox, [])


@check("DISCONNECT with a receipt gets it, and then the connection ends")
def _(server):
    with Stomp(server, "u-f", room="r-f") as client:
        client.send_frame("DISCONNECT", {"receipt": "bye"})
        client.receipt("bye")
        expect(client.closing().code in (1000, 1006), "closed otherwise")


if __name__ == "__main__":
    run(Shared())
