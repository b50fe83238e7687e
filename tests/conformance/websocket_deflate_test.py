#!/usr/bin/env python3
"""RFC 7692 against /echo (Autobahn classes 12 and 13): every valid offer, every refusal, and what a message inflates to."""
import pathlib
import random
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Shared, WebSocket, check, equal, expect, run
from harness.ws import CONTINUATION, PING, TEXT, frame_bytes

KOREAN = "주사위를 굴립니다 🎲 1d20 = 17. 문이 삐걱거리며 열린다. "


def options(extension):
    return [p.strip() for p in extension.split(";")]


def talks(ws, sizes=(0, 1, 100, 5000, 100_000)):
    expect(ws.extension and options(ws.extension)[0] == "permessage-deflate", f"not accepted: {ws.extension}")
    for size in sizes:
        text = (KOREAN * (size // len(KOREAN) + 1))[:size]
        ws.text(text)
        equal(ws.message(), text)


OFFERS = ["permessage-deflate",
          "permessage-deflate; client_no_context_takeover",
          "permessage-deflate; server_no_context_takeover",
          "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
          "permessage-deflate; client_max_window_bits",
          "permessage-deflate; client_max_window_bits=10",
          'permessage-deflate; client_max_window_bits="12"',
          "x-unknown; a=1, permessage-deflate",
          "permessage-deflate; unknown_parameter, permessage-deflate; client_max_window_bits"]
OFFERS += [f"permessage-deflate; server_max_window_bits={bits}" for bits in range(9, 16)]

for offer in OFFERS:
    @check(f"12: the offer `{offer}` is accepted and messages come back")
    def _(server, offer=offer):
        with WebSocket(server, "/echo", deflate=offer) as ws:
            talks(ws)


@check("12: a limit on the server's window is answered with one not above it")
def _(server):
    for bits in (9, 11, 15):
        with WebSocket(server, "/echo", deflate=f"permessage-deflate; server_max_window_bits={bits}") as ws:
            answer = dict(p.split("=") for p in options(ws.extension)[1:] if "=" in p)
            expect(int(answer.get("server_max_window_bits", 15)) <= bits and ("server_max_window_bits" in answer), ws.extension)


@check("12: server_no_context_takeover is answered with itself")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate; server_no_context_takeover") as ws:
        expect("server_no_context_takeover" in options(ws.extension), ws.extension)


@check("12: client_max_window_bits is not answered when it was not offered")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        expect(not any(o.startswith("client_max_window_bits") for o in options(ws.extension)), ws.extension)


for offer in ("permessage-deflate; server_max_window_bits=16",
              "permessage-deflate; server_max_window_bits=09", "permessage-deflate; server_max_window_bits",
              "permessage-deflate; client_max_window_bits=7", "permessage-deflate; server_no_context_takeover=1",
              "permessage-deflate; client_no_context_takeover; client_no_context_takeover", "permessage-deflate; what",
              "permessage-bzip2"):
    @check(f"12: the offer `{offer}` is declined, and the connection works without")
    def _(server, offer=offer):
        with WebSocket(server, "/echo", deflate=offer) as ws:
            equal(ws.extension, None, "extension")
            ws.text("plain")
            equal(ws.message(), "plain")


@check("12: a compressed message in fragments with a ping between comes back")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        data = ws.deflate((KOREAN * 50).encode())
        half = len(data) // 2
        ws.frame(TEXT, data[:half], fin=False, rsv=4)
        ws.frame(PING, b"between")
        equal(ws.next_frame().payload, b"between")
        ws.frame(CONTINUATION, data[half:half + 1], fin=False)
        ws.frame(CONTINUATION, data[half + 1:])
        equal(ws.message(), KOREAN * 50)


@check("12: a thousand messages over one window come back in order")
def _(server):
    source = random.Random(4)
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        texts = ["".join(source.choice(KOREAN) for _ in range(source.randrange(300))) for _ in range(1000)]
        for i in range(0, 1000, 50):
            for text in texts[i:i + 50]:
                ws.text(text)
            equal([ws.message() for _ in range(50)], texts[i:i + 50])


@check("12: uncompressed messages may stand between compressed ones")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.text("compressed")
        ws.frame(TEXT, b"plain")
        ws.text("compressed again")
        equal([ws.message() for _ in range(3)], ["compressed", "plain", "compressed again"])


@check("12: an empty message as one empty stored block comes back empty")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.frame(TEXT, b"\x00", rsv=4)
        equal(ws.message(), "")


@check("12: a message whose last block is final (BFINAL) comes back")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate; client_no_context_takeover") as ws:
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = deflater.compress(KOREAN.encode()) + deflater.flush(zlib.Z_FINISH)
        ws.frame(TEXT, data + b"\x00", rsv=4)
        equal(ws.message(), KOREAN)


@check("12: bytes that do not inflate end the connection with 1002 or 1007")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.frame(TEXT, b"\xff\xff\xff\xff\xff\xff", rsv=4)
        expect(ws.closing().code in (1002, 1007), "wrong close code")


@check("12: inflated text that is not UTF-8 is refused with 1007")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.frame(TEXT, ws.deflate(b"ok \xed\xa0\x80"), rsv=4)
        equal(ws.closing().code, 1007)


@check("12: RSV1 on a continuation or a control frame is a protocol error (1002)")
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.frame(TEXT, ws.deflate(b"abc"), fin=False, rsv=4)
        ws.frame(CONTINUATION, b"", rsv=4)
        equal(ws.closing().code, 1002)
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.frame(PING, b"", rsv=4)
        equal(ws.closing().code, 1002)


@check("12: a message that inflates past the limit is refused with 1009", limit=60)
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
        ws.limit(30)
        ws.text(b"\0" * (64 << 20))
        equal(ws.closing().code, 1009)
    with WebSocket(server, "/echo") as ws:
        ws.text("still alive")
        equal(ws.message(), "still alive")


@check("12: a 16 MiB message compressed comes back", limit=60)
def _(server):
    with WebSocket(server, "/echo", deflate="permessage-deflate; client_max_window_bits") as ws:
        ws.limit(30)
        payload = bytes(b & 0x3F for b in random.Random(1).randbytes(1 << 20)) * 16
        ws.binary(payload)
        expect(ws.message() == payload, "not the same")


@check("12: on the chat endpoint a small message that inflates past 128 KiB is refused with 1009")
def _(server):
    with WebSocket(server, "/ws-chat", deflate="permessage-deflate", token=server.token(), roomId="r-1") as ws:
        ws.text(b"SEND\ndestination:/x\n\n" + b" " * (4 << 20) + b"\0")
        closed = ws.closing()
        expect(isinstance(closed, Closed) and closed.code == 1009, f"{closed}")


@check("12: what a refused bomb had still to inflate is not kept: many of them leave the server small", limit=60)
def _(server):
    def resident():
        status = open(f"/proc/{server.process.pid}/status").read()
        return int(status.split("VmRSS:")[1].split()[0])
    before = resident()
    for _ in range(20):
        with WebSocket(server, "/echo", deflate="permessage-deflate") as ws:
            ws.raw(frame_bytes(TEXT, ws.deflate(b"\0" * (40 << 20)), rsv=4))
            ws.limit(30)
            equal(ws.closing().code, 1009)
    grown = resident() - before
    expect(grown < 200_000, f"resident memory grew by {grown} KiB")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
