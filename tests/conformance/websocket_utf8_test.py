#!/usr/bin/env python3
"""Autobahn class 6: a text message is UTF-8, checked over fragments and refused as soon as it cannot become valid."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Shared, WebSocket, check, equal, expect, run
from harness.ws import CONTINUATION, TEXT, frame_bytes

VALID = {
    "the highest of each length": "\x7f\u07ff\uffff\U0010ffff",
    "the lowest of each length": "\x00\u0080\u0800\U00010000",
    "around the surrogates": "\ud7ff\ue000\ufffd",
    "non-characters": "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff",
    "Greek": "κόσμε",
    "Hangul, precomposed and as jamo": "앨리스 \u1112\u1161\u11ab",
    "emoji with joiners": "👩‍👩‍👧‍👦🇰🇷",
    "a byte order mark": "\ufeffx",
}
INVALID = {
    "a lone continuation byte": b"\x80",
    "two continuation bytes": b"\x80\xbf",
    "all continuation bytes": bytes(range(0x80, 0xC0)),
    "a lead byte of two before a space": b"\xc3 ",
    "a lead byte of three before a space": b"\xe2 ",
    "a lead byte of four before a space": b"\xf0 ",
    "a truncated sequence of two at the end": b"ab\xc3",
    "a truncated sequence of three at the end": b"ab\xe2\x82",
    "a truncated sequence of four at the end": b"ab\xf0\x9f\x98",
    "overlong slash in two": b"\xc0\xaf",
    "overlong slash in three": b"\xe0\x80\xaf",
    "overlong slash in four": b"\xf0\x80\x80\xaf",
    "overlong NUL": b"\xc0\x80",
    "the highest overlong of two": b"\xc1\xbf",
    "the highest overlong of three": b"\xe0\x9f\xbf",
    "the highest overlong of four": b"\xf0\x8f\xbf\xbf",
    "a high surrogate": b"\xed\xa0\x80",
    "a low surrogate": b"\xed\xbf\xbf",
    "a surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "Latin-1": "Bücher".encode("latin-1"),
    "EUC-KR": "앨리스".encode("euc-kr"),
}


def refused_with_1007(ws):
    equal(ws.closing().code, 1007, "close code")
    expect(ws.hung_up(), "the TCP connection stays open")


for name, text in VALID.items():
    @check(f"6: {name}, whole and byte by byte")
    def _(server, text=text):
        with WebSocket(server, "/echo") as ws:
            ws.text(text)
            equal(ws.message(), text)
            data = text.encode()
            ws.raw(b"".join(frame_bytes(CONTINUATION if i else TEXT, data[i:i + 1], fin=i == len(data) - 1)
                            for i in range(len(data))))
            equal(ws.message(), text)

for name, data in INVALID.items():
    @check(f"6: {name} is refused with 1007, whole and in fragments")
    def _(server, data=data):
        with WebSocket(server, "/echo") as ws:
            ws.frame(TEXT, "앞".encode() + data)
            refused_with_1007(ws)
        with WebSocket(server, "/echo") as ws:
            ws.frame(TEXT, "앞".encode(), fin=False)
            for i in range(len(data)):
                ws.frame(CONTINUATION, data[i:i + 1], fin=False)
            try:
                ws.frame(CONTINUATION, b"")
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before the end, as it should be
            refused_with_1007(ws)


@check("6: a message that cannot become valid is refused before its end")
def _(server):
    for data in (b"\xf4\x90", b"\xed\xa0", b"\xc0"):
        with WebSocket(server, "/echo") as ws:
            ws.frame(TEXT, "κόσμε".encode() + data, fin=False)
            refused_with_1007(ws)


@check("6: a long frame is refused while it still comes")
def _(server):
    with WebSocket(server, "/echo") as ws:
        ws.raw(frame_bytes(TEXT, b"\xff" + b"a" * 1_000_000)[:200_000])
        refused_with_1007(ws)


@check("6: binary messages are not checked")
def _(server):
    with WebSocket(server, "/echo") as ws:
        ws.binary(b"\xff\xfe\x80")
        equal(ws.message(), b"\xff\xfe\x80")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
