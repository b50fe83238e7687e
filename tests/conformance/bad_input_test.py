#!/usr/bin/env python3
"""Bad input for each transport: smuggling, endless heads and bodies, wrong upgrades, other origins and hosts, broken frames.
Each is answered with the right status and clear JSON, on its own, and the server lives on in the same memory."""
import itertools
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Connection, EventStream, Refused, Shared, SockJsSocket, Stomp, WebSocket, check, equal, expect, http, request, run
from harness.memory import resident
from harness.rooms import fill, history
from harness.stomp import encode
from harness.tokens import token
from harness.ws import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame_bytes

TOKEN = token("u-bad")
GAME = f"token={TOKEN}&roomId=bad"
UPGRADE = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"))
_sessions = (f"bad{n}" for n in itertools.count())

# transport: (method, target, headers beside Host, body). A session is a new one each time.
ASKED = {
    "history": ("GET", f"/api/rooms/bad/messages?token={TOKEN}", (), None),
    "POST": ("POST", f"/api/rooms/bad/messages?token={TOKEN}", (), b'{"content":"must not be stored"}'),
    "replay": ("GET", f"/api/rooms/bad/replay?from-seq=1&token={TOKEN}", (), None),
    "polling": ("GET", f"/api/messages?roomId=bad&after=0&token={TOKEN}", (), None),
    "long poll": ("GET", f"/api/messages/longpoll?timeout=0&token={TOKEN}", (), None),
    "room stream": ("GET", f"/api/rooms/bad/stream?token={TOKEN}", (), None),
    "notifications": ("GET", f"/api/notifications/stream?token={TOKEN}", (), None),
    "STOMP": ("GET", f"/ws-chat?{GAME}", UPGRADE, None),
    "direct": ("GET", f"/ws/direct?receiverId=u-8&token={TOKEN}", UPGRADE, None),
    "broadcast": ("GET", "/room", UPGRADE, None),
    "SockJS info": ("GET", "/ws-chat/info", (), None),
    "SockJS page": ("GET", "/ws-chat/iframe.html", (), None),
    "SockJS websocket": ("GET", f"/ws-chat/0/SESSION/websocket?{GAME}", UPGRADE, None),
    "SockJS raw websocket": ("GET", f"/ws-chat/websocket?{GAME}", UPGRADE, None),
    "SockJS xhr": ("POST", f"/ws-chat/0/SESSION/xhr?{GAME}", (), b""),
    "SockJS xhr_streaming": ("POST", f"/ws-chat/0/SESSION/xhr_streaming?{GAME}", (), b""),
    "SockJS eventsource": ("GET", f"/ws-chat/0/SESSION/eventsource?{GAME}", (), None),
    "SockJS htmlfile": ("GET", f"/ws-chat/0/SESSION/htmlfile?c=x&{GAME}", (), None),
    "SockJS jsonp": ("GET", f"/ws-chat/0/SESSION/jsonp?c=x&{GAME}", (), None),
    "SockJS xhr_send": ("POST", f"/ws-chat/0/SESSION/xhr_send?{GAME}", (), b'["x"]'),
    "login": ("POST", "/v1/auth/login", (), b'{"name":"a","password":"b"}'),
    "page": ("GET", "/", (), None),
    "metrics": ("GET", "/metrics", (), None),
}
SOCKETS = [name for name, (_, _, headers, _) in ASKED.items() if headers is UPGRADE]


def asked(name, host="127.0.0.1", more=(), target=None, without=(), method=None, body=None, version=b"HTTP/1.1"):
    """The bytes of a request, good but for what is changed. `more`: header lines as bytes."""
    its_method, its_target, headers, its_body = ASKED[name]
    body = its_body if body is None else body
    lines = [f"{method or its_method} {target or its_target.replace('SESSION', next(_sessions))} ".encode() + version]
    lines += [f"{k}: {v}".encode() for k, v in ((("Host", host),) if host is not None else ()) + headers if k not in without]
    if body is not None and "Content-Length" not in without:
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join([*lines, *more, b"", b""]) + (body or b"")


def answer_to(server, data, method="GET"):
    with Connection(server.port) as line:
        try:
            line.send(data)
        except OSError:
            pass
        return line.response(method)


def refused(server, data, *statuses, what="", alone=True):
    """One answer with one of these statuses and a body that says why; nothing after it. Returns it."""
    with Connection(server.port) as line:
        try:
            line.send(data)
        except OSError:
            pass  # the answer is there all the same
        answer = line.response()
        expect(answer.status in statuses, f"{what}: status {answer.status}, wanted {statuses}")
        told = answer.json()
        expect(isinstance(told, dict) and told.get("code") and told.get("message"), f"{what}: {answer.body[:100]!r}")
        equal(answer.header("content-type"), "application/json; charset=utf-8", what)
        if alone:
            equal(line.rest(), b"", f"{what}: bytes after the refusal")
        return answer


# what is no request, whatever it asks for

BROKEN = {
    "Content-Length with Transfer-Encoding": ([b"Content-Length: 4", b"Transfer-Encoding: chunked"], (400,)),
    "two Content-Lengths": ([b"Content-Length: 4", b"Content-Length: 5"], (400,)),
    "a Content-Length list": ([b"Content-Length: 4, 4"], (400,)),
    "an unknown transfer coding": ([b"Transfer-Encoding: gzip"], (400, 501)),
    "chunked twice": ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], (400, 501)),
    "a folded header": ([b"X: a", b" b"], (400,)),
    "a bare LF": ([b"X: a\nY: b"], (400,)),
    "a bare CR": ([b"X: a\rY: b"], (400,)),
    "a NUL": ([b"X: a\0b"], (400,)),
    "a space before a colon": ([b"Content-Length : 4"], (400,)),
    "a second Host": ([b"Host: elsewhere.example"], (400,)),
    "a head above the limit": ([b"X: " + b"x" * 17_000], (431,)),
    "a thousand headers": ([b"X%d: x" % i for i in range(2000)], (431,)),
}
SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

for shape, (lines, statuses) in BROKEN.items():
    @check(f"{shape} is {' or '.join(map(str, statuses))} on every transport, and nothing behind it is a request")
    def _(server, lines=lines, statuses=statuses):
        for name in ASKED:
            refused(server, asked(name, more=lines, without=("Content-Length",), body=b"") + SMUGGLED, *statuses, what=name)


@check("a Host of another machine is 403 on every transport: DNS rebinding ends here")
def _(server):
    for name in ASKED:
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8080"):
            equal(refused(server, asked(name, host=host, more=[b"Connection: close"], without=("Connection",)), 403, what=name, alone=False).code(),
                  "ORIGIN_FORBIDDEN")
        target = "http://evil.example" + ASKED[name][1].replace("SESSION", next(_sessions))
        refused(server, asked(name, target=target), 400, 403, what=f"{name}, absolute", alone=False)


@check("an empty, a missing and a malformed Host are 400 on every transport")
def _(server):
    for name in ASKED:
        for host in (None, "a b", "127.0.0.1/x", "u@127.0.0.1", "127.0.0.1:x"):
            refused(server, asked(name, host=host), 400, what=f"{name}, {host}")


@check("a head without end is 431, a body without end 413, and neither is kept", limit=60)
def _(server):
    before = resident(server.process.pid)
    for name in ("history", "STOMP", "SockJS xhr", "room stream"):
        refused(server, asked(name)[:-2] + b"X: " + b"x" * 8_000_000, 431, what=name)
    for name, path in (("POST", None), ("SockJS xhr_send", None), ("login", None)):
        head = asked(name, more=[b"Transfer-Encoding: chunked"], without=("Content-Length",), body=b"")
        refused(server, head + b"100000\r\n" + b"x" * 0x100000 + b"\r\n100000\r\n" + b"x" * 6_000_000, 413, what=name)
        refused(server, head + b"1;" + b"e" * 2_000_000, 400, 413, 431, what=f"{name}: an endless chunk extension")
        refused(server, head + b"0\r\n" + b"X: y\r\n" * 200_000, 400, 413, 431, what=f"{name}: endless trailers")
    expect(resident(server.process.pid) - before < 32 << 20, f"grew by {(resident(server.process.pid) - before) >> 20} MiB")


@check("a long or broken query is a clear refusal on every transport, never another room or member")
def _(server):
    bad = ("%", "%zz", "a=%00", "token=%ff%fe", "token=" + "x" * 12_000, "&".join(f"p{i}=1" for i in range(1500)), "roomId=%2e%2e%2f", "roomId=~probe",
           "roomId=a%00b", "roomId=a/b", f"token={TOKEN[:-3]}AAA", "token=&token=")
    for name in ("history", "polling", "long poll", "room stream", "notifications", "STOMP", "direct", "SockJS xhr", "SockJS eventsource"):
        path = ASKED[name][1].partition("?")[0]
        for query in bad:
            refused(server, asked(name, target=path.replace("SESSION", next(_sessions)) + "?" + query), 400, 401, 403, 404, what=f"{name}?{query[:20]}", alone=False)


@check("a method that is none of this path's is 405 or 501, with Allow where it is 405")
def _(server):
    for name in ASKED:
        if name in SOCKETS:
            continue
        for method in ("DELETE", "PUT", "BREW", "TRACE", "CONNECT"):
            answer = answer_to(server, asked(name, method=method))
            expect(answer.status in (400, 404, 405, 501), f"{method} on {name}: {answer!r}")
            expect(answer.status != 405 or answer.header("allow"), f"{method} on {name}: no Allow")


# upgrades

WRONG_UPGRADES = {
    "version 8": (("Sec-WebSocket-Version",), [b"Sec-WebSocket-Version: 8"], (426,)),
    "no version": (("Sec-WebSocket-Version",), [], (400, 426)),
    "no key": (("Sec-WebSocket-Key",), [], (400,)),
    "a short key": (("Sec-WebSocket-Key",), [b"Sec-WebSocket-Key: eA=="], (400,)),
    "a key that is no base64": (("Sec-WebSocket-Key",), [b"Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], (400,)),
    "two keys": ((), [b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="], (400,)),
    "no Connection": (("Connection",), [], (400,)),
    "another Connection": (("Connection",), [b"Connection: keep-alive"], (400,)),
}

for shape, (without, lines, statuses) in WRONG_UPGRADES.items():
    @check(f"an upgrade with {shape} is {' or '.join(map(str, statuses))} on every WebSocket")
    def _(server, without=without, lines=lines, statuses=statuses):
        for name in SOCKETS:
            data = asked(name, without=without, more=lines)
            if name.startswith("SockJS") and without == ("Connection",):  # in the words of its protocol
                answer = answer_to(server, data)
                equal((answer.status, answer.body), (400, b'"Connection" must be "Upgrade".'), name)
                continue
            answer = refused(server, data, *statuses, what=name, alone=False)
            expect(answer.status != 426 or answer.header("sec-websocket-version") == "13", f"{name}: no version is named")


@check("an upgrade by POST, of HTTP/1.0 or to h2c is none")
def _(server):
    for name in SOCKETS:
        for data in (asked(name, method="POST", body=b""), asked(name, version=b"HTTP/1.0"),
                     asked(name, without=("Upgrade",), more=[b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"])):
            status = answer_to(server, data).status
            expect(status in (400, 405, 426), f"{name}: {status}")


@check("a request behind an upgrade is broken frames (1002), not a request")
def _(server):
    for name in SOCKETS:
        with Connection(server.port) as line:
            line.send(asked(name) + b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            equal(line.head().status, 101, name)
            rest = line.rest()
            expect(b"HTTP/1.1" not in rest and struct.pack("!H", 1002) in rest, f"{name}: {rest!r}")


# other origins

@check("a page of another origin opens no WebSocket and no SockJS session, with a token or with the cookie")
def _(server):
    foreign = b"Origin: https://evil.example"
    for name in SOCKETS + ["SockJS xhr", "SockJS xhr_streaming", "SockJS eventsource", "SockJS xhr_send", "SockJS info"]:
        equal(refused(server, asked(name, more=[foreign]), 403, what=name, alone=False).code(), "ORIGIN_FORBIDDEN", name)
        for origin in (b"Origin: null", b"Origin: http://127.0.0.1.evil.example", b"Origin: http://127.0.0.1@evil.example", b"Origin: "):
            refused(server, asked(name, more=[origin]), 403, what=f"{name}, {origin}", alone=False)


@check("elements of another site's page get nothing of SockJS: htmlfile and jsonp look at where they are")
def _(server):
    for name in ("SockJS htmlfile", "SockJS jsonp"):
        refused(server, asked(name, more=[b"Sec-Fetch-Site: cross-site"]), 403, what=name, alone=False)


@check("the login cookie counts for GETs of the own page alone")
def _(server):
    cookie = f"Cookie: parley_token={TOKEN}".encode()
    for name in ("history", "replay", "polling", "long poll", "room stream", "notifications"):
        target = ASKED[name][1].replace(f"token={TOKEN}", "x=1")
        for more in ([b"Origin: https://evil.example"], [b"Sec-Fetch-Site: cross-site"], [b"Sec-Fetch-Site: same-site"], [b"Origin: null"]):
            refused(server, asked(name, target=target, more=[cookie, *more]), 401, 403, what=f"{name} {more}", alone=False)
    for method, path in (("POST", "/api/rooms/bad/messages"), ("POST", "/api/rooms"), ("POST", "/api/rooms/bad/join"), ("POST", "/api/rooms/bad/read"),
                         ("DELETE", "/api/rooms/bad/members/u-8"), ("POST", "/v1/auth/ticket"), ("POST", "/v1/auth/logout")):
        for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"application/json"):
            data = asked("POST", method=method, target=path, more=[cookie, b"Content-Type: " + kind], body=b'{"content":"forged"}')
            status = answer_to(server, data).status
            expect(status in (401, 403), f"{method} {path} as {kind}: {status}")


# positions

@check("a Last-Event-ID that is none goes on live, on both streams: none is an error, none replays")
def _(server):
    fill(server, "bad-place", 2)
    for value in ("abc", "-1", "9", "18446744073709551616", "1e3", "1.5", "0x1", "\t", "1,2", "%00", "x" * 4000, "안녕"):
        for path in ("/api/rooms/bad-place/stream", "/api/notifications/stream"):
            with EventStream(server, path, "u-bad", last_id=value) as events:
                equal(events.status, 200, f"{path} {value[:20]}")
                equal(events.event().name, "connected", f"{path} {value[:20]}")
                expect(events.quiet(0.02), f"{path} {value[:20]}: something was replayed")


@check("after, epoch, from-seq, limit and timeout that are no such number are 400 wherever they are taken")
def _(server):
    for path, names in (("/api/rooms/bad/messages", ("after", "before", "limit", "epoch")), ("/api/rooms/bad/replay", ("from-seq",)),
                        ("/api/messages?roomId=bad", ("after", "epoch")), ("/api/messages/longpoll?roomId=bad", ("after", "epoch", "timeout")),
                        ("/api/rooms/bad/stream", ("after", "epoch"))):
        for name in names:
            for value in ("-1", "x", "1.5", "1e3", "0x1", "18446744073709551616", "+1", " 1", "%00", ""):
                if (name, len(value)) == ("timeout", 20):
                    continue  # more than there is: the longest wait, as polling_test.py checks
                target = path + ("&" if "?" in path else "?") + f"{name}={value.replace(' ', '%20').replace('+', '%2B')}&token={TOKEN}"
                equal(refused(server, asked("history", target=target), 400, what=f"{path} {name}={value}", alone=False).status, 400)
    for value in ("-1", "x", "18446744073709551616", ""):
        refused(server, asked("direct", target=f"/ws/direct?receiverId=u-8&after={value}&token={TOKEN}"), 400, what=f"direct after={value}", alone=False)


# inside a WebSocket

FRAMES = {
    "an unmasked frame": (frame_bytes(TEXT, b"x", mask=False), (1002,)),
    "a reserved bit": (frame_bytes(TEXT, b"x", rsv=2), (1002,)),
    "a compressed frame where none was agreed": (frame_bytes(TEXT, b"x", rsv=4), (1002,)),
    "an unknown opcode": (frame_bytes(3, b"x"), (1002,)),
    "an unknown control opcode": (frame_bytes(11, b""), (1002,)),
    "a ping of 126 bytes": (frame_bytes(PING, b"x" * 126), (1002,)),
    "a fragmented ping": (frame_bytes(PING, b"", fin=False), (1002,)),
    "a continuation of nothing": (frame_bytes(CONTINUATION, b"x"), (1002,)),
    "a message inside a message": (frame_bytes(TEXT, b"x", fin=False) + frame_bytes(TEXT, b"y"), (1002,)),
    "a longer form of a length than needed": (frame_bytes(TEXT, b"x", length_form=64), (1002, 1000)),
    "a length of 2^63": (b"\x81\xff" + struct.pack("!Q", 1 << 63), (1002,)),
    "a length of a terabyte": (b"\x81\xff" + struct.pack("!Q", 1 << 40), (1009,)),
    "a fragment after the other, without end": (frame_bytes(TEXT, b"x" * 60_000, fin=False) + frame_bytes(CONTINUATION, b"x" * 60_000, fin=False) * 40, (1009,)),
    "text that is not UTF-8": (frame_bytes(TEXT, b"\xc0\xaf"), (1007,)),
    "a surrogate": (frame_bytes(TEXT, b"\xed\xa0\x80"), (1007,)),
    "a close with one byte": (frame_bytes(CLOSE, b"\x03"), (1002,)),
    "a close code that is none": (frame_bytes(CLOSE, struct.pack("!H", 1005)), (1002,)),
}

for shape, (data, codes) in FRAMES.items():
    @check(f"{shape} closes every WebSocket with {' or '.join(map(str, codes))}")
    def _(server, data=data, codes=codes):
        for name in SOCKETS:
            with Connection(server.port) as line:
                line.send(asked(name))
                equal(line.head().status, 101, name)
                try:
                    line.send(data + frame_bytes(CLOSE, struct.pack("!H", 1000)))
                except OSError:
                    pass
                rest = line.rest()
                expect(any(struct.pack("!H", code) in rest for code in codes), f"{name}: {rest[-60:]!r}")


def messages_of(ws, count):
    return [json.loads(ws.message()) for _ in range(count)]


@check("direct: JSON that is broken, too deep or of other types is refused or is text, and the socket stays")
def _(server):
    with WebSocket(server, "/ws/direct", token=TOKEN, receiverId="u-8") as ws:
        for text in ('{"content":5}', '{"content":null}', '{"content":["x"]}', '{"content":"   "}', '{"content":"a\\u0000b"}', '{"messageId":"x"}', "{}",
                     '{"content":"x","messageId":"' + "i" * 65 + '"}', '{"content":"x","messageId":7}', '{"content":{"a":1}}', '{"content":"\\ud800"}'):
            ws.text(text)
            told = json.loads(ws.message())
            expect(told.get("code", "").startswith("CHAT_"), f"{text[:40]}: {told}")
        for text in ("{", '{"content":', "[" * 50_000, '{"a":' * 20_000, '"just text"', "null", "\u0001"):
            ws.text(text)
            seen = messages_of(ws, 2)
            equal([m["content"] for m in seen if "content" in m], [text], text[:40])
        ws.frame(BINARY, b"\x00\x01")
        equal(json.loads(ws.message())["code"], "CHAT_INVALID_PAYLOAD")


@check("SockJS: what is no array of texts ends a websocket session and is 500 for xhr_send, too deep and too large included")
def _(server):
    broken = ("[", "{", "x", "[1]", '[["x"]]', '[{"a":"b"}]', "[null]", '["x"', '["x",]', "[" * 50_000, '{"a":' * 20_000, '["\\ud800x"', "\x01", '["x"]]')
    for text in broken:
        with SockJsSocket(server, "/sockjs/echo", "websocket") as session:
            session.websocket.text(text)
            try:
                expect(session.message() is None, f"{text[:20]}: echoed")
            except Closed:
                pass
    with SockJsSocket(server, "/sockjs/echo", "xhr_streaming") as session:
        for text in broken:
            answer = request(server, "POST", session.address("xhr_send"), body=text.encode())
            equal((answer.status, answer.body[:6]), (500, b"Broken"), text[:20])
        equal(request(server, "POST", session.address("xhr_send"), body=b'["\xff\xfe"]').status, 500)
        equal(request(server, "POST", session.address("xhr_send"), body=b'["' + b"x" * (2 << 20) + b'"]').status, 413)
        session.text("still here")
        equal(session.message(), "still here")


@check("STOMP: what is no frame is ERROR and close, over WebSocket and every SockJS transport")
def _(server):
    frames = (b"NONSENSE\n\n\0", b"connect\n\n\0", b"CONNECT\naccept-version:9.9\n\n\0", b"SEND\ndestination:/pub/chat/send\n\n{}\0", b"CONNECT\nno colon\n\n\0",
              b"CONNECT\naccept-version:1.2\n\n\0SUBSCRIBE\nid:a\\tb\ndestination:/sub/chat/room/bad\n\n\0", b"CONNECT\n" + b"".join(b"h%d:x\n" % i for i in range(200)) + b"\n\0",
              encode("CONNECT", {"accept-version": "1.2"}) * 2)
    for data in frames:
        with WebSocket(server, f"/ws-chat?{GAME}") as ws:
            ws.text(data)
            heard = []
            try:
                while True:
                    heard.append(ws.message())
            except Closed as closed:
                expect(heard and heard[-1].startswith("ERROR\n"), f"{data[:30]}: {heard}")
                equal(closed.code, 1002, f"{data[:30]}")
        for transport in ("websocket", "xhr_streaming", "xhr"):
            with SockJsSocket(server, "/ws-chat", transport, token=TOKEN, roomId="bad") as session:
                session.text(data)
                heard = []
                try:
                    while True:
                        heard.append(session.message())
                except Closed:
                    expect(heard and heard[-1].startswith("ERROR\n"), f"{transport} {data[:30]}: {heard}")


@check("after all of it nothing was stored, the server lives, and its memory is what it was", limit=60)
def _(server):
    equal(history(server, "bad"), [])
    for name in ASKED:  # once, so that what a first time costs is not counted
        answer_to(server, asked(name, host="evil.example"))
    before = resident(server.process.pid)
    for _ in range(20):
        for name in ASKED:
            for lines, _ in BROKEN.values():
                with Connection(server.port) as line:
                    try:
                        line.send(asked(name, more=lines, without=("Content-Length",), body=b"") + SMUGGLED)
                    except OSError:
                        pass
    grown = resident(server.process.pid) - before
    expect(grown < 24 << 20, f"grew by {grown >> 20} MiB over {20 * len(ASKED) * len(BROKEN)} broken requests")
    with Stomp(server, room="bad-after") as client:
        client.say("alive")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
