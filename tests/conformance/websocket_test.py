#!/usr/bin/env python3
"""RFC 6455 against /echo: the case classes of the Autobahn suite (1 framing, 2 pings, 3 reserved bits, 4 opcodes,
5 fragmentation, 6 UTF-8, 7 closing, 9 limits) and the opening handshake, each with a client that chooses every bit."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Refused, Shared, WebSocket, check, equal, expect, run
from harness.ws import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes

ECHO = "/echo"


def echo(server):
    return WebSocket(server, ECHO)


def fails_with(ws, *codes):
    """The server ends the connection with one of these codes, and then the TCP connection."""
    closed = ws.closing()
    expect(closed.code in codes, f"closed with {closed.code}, wanted {codes}")
    expect(ws.hung_up(), "the TCP connection stays open after Close")


# 1 framing

for kind, opcode in (("text", TEXT), ("binary", BINARY)):
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 200_000):
        @check(f"1: a {kind} message of {size} bytes comes back unchanged")
        def _(server, opcode=opcode, size=size):
            with echo(server) as ws:
                payload = (b"*" if opcode == TEXT else b"\xfe") * size
                ws.frame(opcode, payload)
                wanted = payload.decode() if opcode == TEXT else payload
                equal(ws.message(), wanted)

for step in (1, 997):
    @check(f"1: a message cut into TCP pieces of {step} bytes comes back unchanged")
    def _(server, step=step):
        with echo(server) as ws:
            payload = "가나다 abc" * (20 if step == 1 else 8000)
            data = frame_bytes(TEXT, payload.encode())
            for i in range(0, len(data), step):
                ws.raw(data[i:i + step])
            equal(ws.message(), payload)


@check("1: many messages in one TCP write come back in order")
def _(server):
    with echo(server) as ws:
        ws.raw(b"".join(frame_bytes(TEXT, str(i).encode()) for i in range(500)))
        equal([ws.message() for _ in range(500)], [str(i) for i in range(500)])


@check("1: the server's length forms are the shortest")
def _(server):
    with echo(server) as ws:
        for size, head in ((125, 2), (126, 4), (65535, 4), (65536, 10)):
            ws.frame(BINARY, b"x" * size)
            raw_head = ws.tcp.take(2)
            equal({126: 4, 127: 10}.get(raw_head[1], 2), head, f"head for {size} bytes")
            ws.tcp.take(head - 2 + size)


@check("1: an unmasked frame is a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"x", mask=False)
        fails_with(ws, 1002)


for form, size in ((16, 5), (64, 5), (64, 200)):
    @check(f"1: {size} bytes written with a {form}-bit length are a protocol error (1002)")
    def _(server, form=form, size=size):
        with echo(server) as ws:
            ws.frame(TEXT, b"x" * size, length_form=form)
            fails_with(ws, 1002)


@check("1: a 64-bit length with its highest bit set is refused at once")
def _(server):
    with echo(server) as ws:
        ws.raw(struct.pack("!BBQ", 0x82, 0xFF, 1 << 63) + b"\0\0\0\0")
        fails_with(ws, 1002, 1009)


# 2 pings

for size in (0, 1, 125):
    @check(f"2: a ping of {size} bytes gets its pong with the same bytes")
    def _(server, size=size):
        with echo(server) as ws:
            ws.frame(PING, b"\xfe" * size)
            frame = ws.next_frame()
            equal((frame.opcode, frame.payload, frame.fin), (PONG, b"\xfe" * size, True))


@check("2: a ping of 126 bytes is a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.frame(PING, b"\xfe" * 126)
        fails_with(ws, 1002)


@check("2: unsolicited pongs are ignored, with and without bytes")
def _(server):
    with echo(server) as ws:
        ws.frame(PONG)
        ws.frame(PONG, b"unsolicited")
        ws.frame(TEXT, b"after")
        equal(ws.message(), "after")


@check("2: ten pings get ten pongs in order")
def _(server):
    with echo(server) as ws:
        for i in range(10):
            ws.frame(PING, f"ping-{i}")
        equal([ws.next_frame().payload for _ in range(10)], [f"ping-{i}".encode() for i in range(10)])


@check("2: a ping sent byte by byte gets its pong")
def _(server):
    with echo(server) as ws:
        for byte in frame_bytes(PING, b"slow"):
            ws.raw(bytes([byte]))
        equal(ws.next_frame().payload, b"slow")


# 3 reserved bits, 4 opcodes

for rsv in range(1, 8):
    for opcode in (TEXT, PING, CLOSE):
        @check(f"3: reserved bits {rsv:03b} on opcode {opcode} are a protocol error (1002)")
        def _(server, rsv=rsv, opcode=opcode):
            with echo(server) as ws:
                ws.frame(TEXT, b"before")
                equal(ws.message(), "before")
                ws.frame(opcode, b"", rsv=rsv)
                fails_with(ws, 1002)

for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    @check(f"4: the reserved opcode {opcode} is a protocol error (1002)")
    def _(server, opcode=opcode):
        with echo(server) as ws:
            ws.frame(TEXT, b"before")
            equal(ws.message(), "before")
            ws.frame(opcode, b"x")
            fails_with(ws, 1002)


# 5 fragmentation

@check("5: a message in two fragments comes back whole")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"one ", fin=False)
        ws.frame(CONTINUATION, b"two")
        equal(ws.message(), "one two")


@check("5: pings between fragments are answered before the message ends")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"a", fin=False)
        ws.frame(PING, b"p1")
        equal(ws.next_frame().payload, b"p1")
        ws.frame(CONTINUATION, b"b", fin=False)
        ws.frame(PONG, b"nobody asked")
        ws.frame(PING, b"p2")
        equal(ws.next_frame().payload, b"p2")
        ws.frame(CONTINUATION, b"c")
        equal(ws.message(), "abc")


@check("5: empty fragments count for nothing")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"", fin=False)
        ws.frame(CONTINUATION, b"", fin=False)
        ws.frame(CONTINUATION, b"x", fin=False)
        ws.frame(CONTINUATION, b"")
        equal(ws.message(), "x")


@check("5: a character split between fragments is put together")
def _(server):
    with echo(server) as ws:
        for i, byte in enumerate("한😀".encode()):
            ws.frame(TEXT if i == 0 else CONTINUATION, bytes([byte]), fin=False)
        ws.frame(CONTINUATION, b"")
        equal(ws.message(), "한😀")


for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
    @check(f"5: a fragmented {name} is a protocol error (1002)")
    def _(server, opcode=opcode):
        with echo(server) as ws:
            ws.frame(opcode, b"", fin=False)
            fails_with(ws, 1002)

for fin in (True, False):
    @check(f"5: a continuation with nothing to continue is a protocol error (fin {fin})")
    def _(server, fin=fin):
        with echo(server) as ws:
            ws.frame(CONTINUATION, b"x", fin=fin)
            fails_with(ws, 1002)


@check("5: a new text frame inside a fragmented message is a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"a", fin=False)
        ws.frame(TEXT, b"b")
        fails_with(ws, 1002)


@check("5: a continuation after a finished message is a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.frame(TEXT, b"a", fin=False)
        ws.frame(CONTINUATION, b"b")
        equal(ws.message(), "ab")
        ws.frame(CONTINUATION, b"c")
        fails_with(ws, 1002)


# 7 closing

for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
    @check(f"7: close code {code} is answered with itself or 1000")
    def _(server, code=code):
        with echo(server) as ws:
            ws.send_close(code, b"bye")
            fails_with(ws, code, 1000)

for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
    @check(f"7: close code {code} is a protocol error (1002)")
    def _(server, code=code):
        with echo(server) as ws:
            ws.send_close(code)
            fails_with(ws, 1002)


@check("7: a Close without status is answered")
def _(server):
    with echo(server) as ws:
        ws.send_close(payload=b"")
        fails_with(ws, None, 1000)


@check("7: a Close with one byte is a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.send_close(payload=b"\x03")
        fails_with(ws, 1002)


@check("7: a reason of 123 bytes is fine, 124 are a protocol error (1002)")
def _(server):
    with echo(server) as ws:
        ws.send_close(1000, b"x" * 123)
        fails_with(ws, 1000)
    with echo(server) as ws:
        ws.send_close(1000, b"x" * 124)
        fails_with(ws, 1002)


@check("7: a reason that is not UTF-8 fails with 1007 or 1002")
def _(server):
    with echo(server) as ws:
        ws.send_close(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80")
        fails_with(ws, 1007, 1002)


@check("7: what comes after a Close is not answered")
def _(server):
    with echo(server) as ws:
        ws.raw(frame_bytes(CLOSE, struct.pack("!H", 1000)) + frame_bytes(PING, b"late") + frame_bytes(TEXT, b"late"))
        equal(ws.next_frame().opcode, CLOSE)
        expect(ws.hung_up(), "still open")


@check("7: messages before a Close are echoed first")
def _(server):
    with echo(server) as ws:
        ws.raw(frame_bytes(TEXT, b"first") + frame_bytes(CLOSE, struct.pack("!H", 1000)))
        equal(ws.message(), "first")
        fails_with(ws, 1000)


@check("7: a vanished client does not disturb others")
def _(server):
    gone = echo(server)
    gone.raw(frame_bytes(TEXT, b"x" * 1000)[:500])
    gone.close()
    with echo(server) as ws:
        ws.text("still here")
        equal(ws.message(), "still here")


# 9 limits

@check("9: a text message of 16 MiB comes back", limit=60)
def _(server):
    with echo(server) as ws:
        ws.limit(30)
        payload = b"0123456789abcdef" * (1 << 20)
        ws.frame(TEXT, payload)
        expect(ws.message().encode() == payload, "not the same 16 MiB")


@check("9: a message in 65 536 fragments comes back", limit=60)
def _(server):
    with echo(server) as ws:
        ws.limit(30)
        parts = [frame_bytes(BINARY, b"abcd", fin=False)] + [frame_bytes(CONTINUATION, b"abcd", fin=False)] * 65_534
        ws.raw(b"".join(parts) + frame_bytes(CONTINUATION, b"abcd"))
        expect(ws.message() == b"abcd" * 65_536, "not the same message")


@check("9: more than 16 MiB is refused with 1009")
def _(server):
    with echo(server) as ws:
        ws.raw(struct.pack("!BBQ", 0x82, 0xFF, (16 << 20) + 1) + b"\0\0\0\0")
        fails_with(ws, 1009)


# the opening handshake

def refused(server, status, **headers):
    try:
        WebSocket(server, ECHO, headers={k.replace("_", "-"): v for k, v in headers.items()}).close()
    except Refused as refusal:
        equal(refusal.response.status, status, "status")
        return refusal.response
    raise AssertionError("accepted")


@check("handshake: upgrade and connection are lists without regard to case")
def _(server):
    WebSocket(server, ECHO, headers={"Upgrade": "WebSocket", "Connection": "keep-alive, UPGRADE"}).close()


@check("handshake: version 8 gets 426 with Sec-WebSocket-Version 13")
def _(server):
    answer = refused(server, 426, Sec_WebSocket_Version="8")
    expect("13" in (answer.header("sec-websocket-version") or ""), "no Sec-WebSocket-Version: 13")


for what, headers in (("no key", {"Sec_WebSocket_Key": None}), ("a short key", {"Sec_WebSocket_Key": "c2hvcnQ="}),
                      ("a key that is no base64", {"Sec_WebSocket_Key": "!" * 24}), ("no version", {"Sec_WebSocket_Version": None}),
                      ("no Upgrade", {"Upgrade": None}), ("no Connection", {"Connection": None})):
    @check(f"handshake: {what} is refused without 101")
    def _(server, headers=headers):
        try:
            WebSocket(server, ECHO, headers={k.replace("_", "-"): v for k, v in headers.items()}).close()
        except Refused as refusal:
            expect(refusal.response.status in (400, 426), f"status {refusal.response.status}")
            return
        raise AssertionError("accepted")


@check("handshake: frames sent with the request are not lost")
def _(server):
    import base64
    from harness import http
    with http.Connection(server.port) as tcp:
        head = http.head_bytes("GET", ECHO, [("Host", f"127.0.0.1:{server.port}"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                                             ("Sec-WebSocket-Key", base64.b64encode(b"k" * 16).decode()), ("Sec-WebSocket-Version", "13")])
        tcp.send(head + frame_bytes(TEXT, b"early"))
        equal(tcp.head().status, 101)
        equal(tcp.take(7), b"\x81\x05early")


@check("an idle WebSocket answers after others came and went")
def _(server):
    with echo(server) as idle:
        for _ in range(50):
            with echo(server) as ws:
                ws.text("x")
                ws.message()
        idle.text("me")
        equal(idle.message(), "me")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
