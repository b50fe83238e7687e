#!/usr/bin/env python3
"""The rest of what the SockJS protocol's own script checks, beside sockjs_test.py: iframe page, eventsource, htmlfile,
jsonp, cookies, escapes, closing, HTTP/1.0; and what a hostile page could try with them."""
import hashlib
import json
import pathlib
import re
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Refused, Server, Shared, WebSocket, check, equal, expect, http, long_tier, request, run
from harness.sockjs import session_path

ECHO, CLOSE = "/sockjs/echo", "/sockjs/close"
NO_WEBSOCKET, COOKIE = "/sockjs/disabled_websocket_echo", "/sockjs/cookie_needed_echo"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_CACHED = "no-store, no-cache, no-transform, must-revalidate, max-age=0"
STREAMS = {"xhr_streaming": ("POST", ""), "eventsource": ("GET", ""), "htmlfile": ("GET", "?c=callback")}


def get(server, path, **headers):
    return request(server, "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def post(server, path, body="", headers=None):
    return request(server, "POST", path, body=body.encode(), headers=headers)


def content_type(answer):
    return (answer.header("content-type") or "").replace(" ", "").lower()


def not_cached(answer):
    equal(answer.header("cache-control"), NOT_CACHED)
    expect(not answer.header("expires") and not answer.header("last-modified"), "caching headers")


class Stream:
    """A streaming response, read chunk by chunk: the server writes prelude and frames each as one."""

    def __init__(self, server, path, kind, headers=()):
        method, query = STREAMS[kind]
        self.connection = Connection(server.port)
        fields = [("Host", f"127.0.0.1:{server.port}"), ("Content-Length", "0"), *headers]
        self.connection.send(http.head_bytes(method, f"{path}/{kind}{query}", fields))
        self.head = self.connection.head()
        equal(self.head.status, 200)

    def read(self):
        return self.connection.chunk().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def script(frame):
    return f"<script>\np({json.dumps(frame)});\n</script>\r\n"


WRAPS = {"xhr_streaming": lambda frame: frame + "\n", "eventsource": lambda frame: f"data: {frame}\r\n\r\n", "htmlfile": script}


def said(answer, callback="x"):
    """The frame in a jsonp answer."""
    match = re.fullmatch(rf"/\*\*/{re.escape(callback)}\((.*)\);\r\n", answer.text, re.S)
    expect(match, f"not a call of {callback}: {answer.text!r}")
    return json.loads(match.group(1))


# iframe page

IFRAME = """<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="URL"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"""

for name in ("iframe.html", "iframe-a.html", "iframe-.html", "iframe-0.1.2.html", "iframe-0.1.2abc-dirty.2144.html", "iframe-a.html?t=1234",
             "iframe-0.1.2.html?t=123414", "iframe-0.1.2abc-dirty.2144.html?t=qweqweq123"):
    @check(f"iframe: /{name} is the page, cached for a year")
    def _(server, name=name):
        answer = get(server, f"{ECHO}/{name}")
        equal((answer.status, content_type(answer)), (200, "text/html;charset=utf-8"))
        equal(re.sub(r'src="[^"]*"', 'src="URL"', answer.text.strip()), IFRAME)
        expect(re.search("public", answer.header("cache-control")) and re.search("max-age=[1-9][0-9]{6}", answer.header("cache-control")), "cache-control")
        expect(answer.header("expires") and answer.header("etag") and not answer.header("last-modified"), f"{answer.headers}")
        expect(not answer.header("set-cookie"), "a cookie")

for name in ("iframe.htm", "iframe", "IFRAME.HTML", "IFRAME", "iframe.HTML", "iframe.xml", "iframe-/.html"):
    @check(f"iframe: /{name} is 404")
    def _(server, name=name):
        equal(get(server, f"{ECHO}/{name}").status, 404)


@check("iframe: its ETag stays, and who has it gets 304 without a body")
def _(server):
    first, second = get(server, ECHO + "/iframe.html"), get(server, ECHO + "/iframe-1.2.html")
    etag = first.header("etag")
    equal(etag, second.header("etag"))
    for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = get(server, ECHO + "/iframe.html", If_None_Match=sent)
        equal((answer.status, answer.body, answer.header("content-type")), (304, b"", None), sent)
    equal(get(server, ECHO + "/iframe.html", If_None_Match='"other"').status, 200)


@check("iframe: the page loads sockjs-client from this server, cached for a year")
def _(server):
    url = re.search(r'src="([^"]*)"', get(server, "/ws-chat/iframe.html").text).group(1)
    answer = get(server, url)
    equal((answer.status, content_type(answer)), (200, "text/javascript;charset=utf-8"))
    expect(b"sockjs-client v1.6.1" in answer.body[:100], f"{answer.body[:100]}")
    expect("max-age=31536000" in answer.header("cache-control"), "cache-control")
    equal(hashlib.sha256(answer.body).hexdigest()[:16], CLIENT_SHA256, "the published file")


CLIENT_SHA256 = "1e0f37d073666196"


@check("iframe: only pages of allowed origins may frame it, and the address goes to nobody")
def _(server):
    answer = get(server, "/ws-chat/iframe.html")
    equal(answer.header("content-security-policy"), "frame-ancestors 'self'")
    equal(answer.header("referrer-policy"), "no-referrer")


# info, methods, addresses

@check("info: OPTIONS from a page without an origin of its own")
def _(server):
    answer = request(server, "OPTIONS", ECHO + "/info", headers={"Origin": "null", "Access-Control-Request-Method": "POST"})
    equal((answer.status, answer.body, answer.header("access-control-allow-origin")), (204, b"", "null"))


for asked, allowed in (("a, b, c", "a, b, c"), ("", None), (None, None)):
    @check(f"cors: Access-Control-Request-Headers {asked!r} allows {allowed!r}")
    def _(server, asked=asked, allowed=allowed):
        headers = {"Origin": "test", "Access-Control-Request-Method": "POST"}
        if asked is not None:
            headers["Access-Control-Request-Headers"] = asked
        answer = request(server, "OPTIONS", session_path(ECHO) + "/xhr", headers=headers)
        equal((answer.status, answer.header("access-control-allow-headers")), (204, allowed))
        equal((answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")), ("test", "true"))


@check("cors: without Origin everybody may read, without credentials")
def _(server):
    answer = post(server, session_path(ECHO) + "/xhr")
    equal((answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")), ("*", None))


for method, path, allow in (("POST", "/0/0/websocket", "GET"), ("GET", "/a/a/xhr", "POST"), ("GET", "/a/a/xhr_send", "POST"),
                            ("GET", "/a/a/jsonp_send", "POST"), ("POST", "/a/a/jsonp", "GET"), ("POST", "/a/a/eventsource", "GET"),
                            ("POST", "/a/a/htmlfile?c=x", "GET"), ("POST", "/info", "GET"), ("DELETE", "/iframe.html", "GET"), ("POST", "", "GET")):
    @check(f"methods: {method} {path or 'greeting'} is 405 with Allow and nothing else")
    def _(server, method=method, path=path, allow=allow):
        answer = request(server, method, ECHO + path, body=b"" if method == "POST" else None)
        equal((answer.status, answer.body, answer.header("content-type")), (405, b"", None))
        expect(allow in answer.header("allow"), f"Allow: {answer.header('allow')}")


for part in ("..", "%2e%2e", "%2E", "a%2fb", "a%00b", "a%0ab", "%", "%zz", "x" * 4096):
    @check(f"addresses: session {part[:12]} is 404, whatever the transport")
    def _(server, part=part):
        for path in (f"{ECHO}/000/{part}", f"{ECHO}/{part}/s"):
            for kind in ("xhr", "xhr_send", "jsonp_send"):
                equal(post(server, f"{path}/{kind}", "[]").status, 404, kind)
            for kind in ("jsonp?c=x", "eventsource", "htmlfile?c=x", "websocket"):
                equal(get(server, f"{path}/{kind}").status, 404, kind)


@check("websocket: an upgrade with another Connection is 400")
def _(server):
    for path in (ECHO + "/0/0/websocket", ECHO + "/websocket"):
        answer = get(server, path, Upgrade="WebSocket", Connection="close")
        equal((answer.status, answer.body), (400, b'"Connection" must be "Upgrade".'), path)


@check("websocket: the disabled service has no raw one either")
def _(server):
    try:
        WebSocket(server, NO_WEBSOCKET + "/websocket").close()
        raise AssertionError("accepted")
    except Refused as refusal:
        equal(refusal.response.status, 404)


@check("raw websocket: any text passes, and the close service closes with its reason")
def _(server):
    with WebSocket(server, ECHO + "/websocket") as ws:
        ws.text("Hello world!\uffff")
        equal(ws.message(), "Hello world!\uffff")
    with WebSocket(server, CLOSE + "/websocket") as ws:
        equal(ws.closing().reason, "Go away!")


# the streaming transports

for kind, kind_type, prelude in (("xhr_streaming", "application/javascript;charset=utf-8", "h" * 2048 + "\n"),
                                 ("eventsource", "text/event-stream", "\r\n"), ("htmlfile", "text/html;charset=utf-8", None)):
    @check(f"{kind}: prelude, open, messages as they come; never cached")
    def _(server, kind=kind, kind_type=kind_type, prelude=prelude):
        wrap = WRAPS[kind]
        path = session_path(ECHO)
        with Stream(server, path, kind) as stream:
            equal(content_type(stream.head), kind_type)
            not_cached(stream.head)
            first = stream.read()
            expect(prelude in (first, None), f"prelude {first[:60]!r}")
            equal(stream.read(), wrap("o"))
            equal(post(server, path + "/xhr_send", '["x"]').status, 204)
            equal(stream.read(), wrap('a["x"]'))
            equal(post(server, path + "/xhr_send", r'["  \u0000\n\r "]').status, 204)
            equal(stream.read(), wrap(r'a["  \u0000\n\r "]'))

    @check(f"{kind}: the response ends after 4 KiB on the test services")
    def _(server, kind=kind):
        path = session_path(ECHO)
        with Stream(server, path, kind) as stream:
            stream.read(), stream.read()
            equal(post(server, path + "/xhr_send", json.dumps(["x" * 4096])).status, 204)
            expect("x" * 4096 in stream.read(), "the message")
            equal(stream.read(), "", "behind the message")

    @check(f"{kind}: a second receiver gets 2010, and the first goes on")
    def _(server, kind=kind):
        path = session_path(ECHO)
        with Stream(server, path, kind) as first, Stream(server, path, kind) as second:
            first.read(), first.read(), second.read()
            expect("c[2010," in second.read(), "no 2010")
            equal(second.read(), "", "the second response")
            equal(post(server, path + "/xhr_send", '["still"]').status, 204)
            expect("still" in first.read(), "the first response")

    @check(f"{kind}: a closed session says so and ends the response, each time")
    def _(server, kind=kind):
        path = session_path(CLOSE)
        with Stream(server, path, kind) as first:
            first.read(), first.read()
            expect("c[3000," in first.read(), "no close frame")
            equal(first.read(), "", "the response")
        with Stream(server, path, kind) as again:
            again.read()
            expect("c[3000," in again.read(), "no close frame")
            equal(again.read(), "", "the response")

    @check(f"{kind}: a receiver that breaks off ends the session")
    def _(server, kind=kind):
        path = session_path(ECHO)
        with Stream(server, path, kind) as stream:
            stream.read(), stream.read()
        for _ in range(50):  # until the server has seen the end of the connection
            answer = post(server, path + "/xhr")
            if answer.text != 'c[2010,"Another connection still open"]\n':
                break
        expect(answer.text in ("o\n", 'c[1002,"Connection interrupted"]\n'), answer.text)


@check("xhr_streaming: exactly 31 messages of 128 characters fit in 4 KiB")
def _(server):
    path = session_path(ECHO)
    with Stream(server, path, "xhr_streaming") as stream:
        stream.read(), stream.read()
        for _ in range(31):
            equal(post(server, path + "/xhr_send", json.dumps(["x" * 128])).status, 204)
            equal(stream.read(), 'a["' + "x" * 128 + '"]\n')
        equal(stream.read(), "")


@check("htmlfile: the page, with more than a KiB in front of the first frame")
def _(server):
    with Connection(server.port) as connection:
        connection.send(http.head_bytes("GET", session_path(ECHO) + "/htmlfile?c=%63allback", [("Host", "127.0.0.1")]))
        equal(connection.head().status, 200)
        page = connection.chunk().decode()
        expect(len(page) > 1024, f"{len(page)} bytes")
        expect(page.startswith("<!doctype html>\n<html><head>\n") and "var c = parent.callback;\n    c.start();" in page, page.strip())


@check("htmlfile: a message cannot end the script it is in")
def _(server):
    path = session_path(ECHO)
    text = "</script><script>alert(1)</script><!--"
    with Stream(server, path, "htmlfile") as stream:
        stream.read(), stream.read()
        equal(post(server, path + "/xhr_send", json.dumps([text])).status, 204)
        frame = stream.read()
        equal((frame.count("<script"), frame.count("</script"), frame.count("<!--")), (1, 1, 0))
        inside = frame.removeprefix("<script>\np(").removesuffix(");\n</script>\r\n")
        equal(json.loads(json.loads(inside)[1:]), [text])


for kind in ("htmlfile", "jsonp"):
    @check(f"{kind}: without callback it is 500")
    def _(server, kind=kind):
        for query in ("", "?", "?d=x"):
            answer = get(server, f"{ECHO}/a/a/{kind}{query}")
            equal(answer.status, 500)
            expect('"callback" parameter required' in answer.text, answer.text)

    for callback in ("%20", "*", "abc(", "abc%28", "%3Cscript%3E", "a;b", "a%0a", "alert(1)//", "%EC%95%88", "a%00", ""):
        @check(f"{kind}: callback {callback or 'nothing'} is 500")
        def _(server, kind=kind, callback=callback):
            answer = get(server, f"{ECHO}/a/a/{kind}?c={callback}")
            equal((answer.status, content_type(answer)), (500, "text/plain;charset=utf-8"))
            expect('invalid "callback" parameter' in answer.text, answer.text)

    @check(f"{kind}: the callback may be called `callback`, with dots")
    def _(server, kind=kind):
        with Connection(server.port) as connection:
            connection.send(http.head_bytes("GET", f"{session_path(ECHO)}/{kind}?callback=_jp.a1-b2", [("Host", "127.0.0.1")]))
            equal(connection.head().status, 200)
            expect("_jp.a1-b2" in connection.chunk().decode(), "the callback")


# jsonp

@check("jsonp: open, send as a form, receive")
def _(server):
    path = session_path(ECHO)
    answer = get(server, path + "/jsonp?c=%63allback")
    equal((answer.status, answer.text, content_type(answer)), (200, '/**/callback("o");\r\n', "application/javascript;charset=utf-8"))
    not_cached(answer)
    equal(answer.header("x-content-type-options"), "nosniff")
    answer = post(server, path + "/jsonp_send", "d=%5B%22x%22%5D", FORM)
    equal((answer.status, answer.text, content_type(answer)), (200, "ok", "text/plain;charset=utf-8"))
    not_cached(answer)
    answer = get(server, path + "/jsonp?c=%63allback")
    equal(answer.text, '/**/callback("a[\\"x\\"]");\r\n')


@check("jsonp_send: broken or missing payloads are 500, and the session lives on")
def _(server):
    path = session_path(ECHO)
    equal(said(get(server, path + "/jsonp?c=x")), "o")
    for body, text in (("d=%5B%22x", "Broken JSON encoding."), ("", "Payload expected."), ("d=", "Payload expected."), ("p=p", "Payload expected.")):
        answer = post(server, path + "/jsonp_send", body, FORM)
        equal((answer.status, answer.text.strip()), (500, text), body)
    equal(post(server, path + "/jsonp_send", "d=%5B%22b%22%5D", FORM).text, "ok")
    equal(said(get(server, path + "/jsonp?c=x")), 'a["b"]')


@check("jsonp_send: a form or plain text; an empty array delivers nothing")
def _(server):
    path = session_path(ECHO)
    get(server, path + "/jsonp?c=x")
    for body, headers in (("d=%5B%5D", FORM), ("d=%5B%22abc%22%5D", FORM), ('["%61bc"]', {"Content-Type": "text/plain"}), ('["1"]', {"Content-Type": ""})):
        equal(post(server, path + "/jsonp_send", body, headers).text, "ok", body)
    equal(said(get(server, path + "/jsonp?c=x")), 'a["abc","%61bc","1"]')


@check("jsonp_send: to a session that does not exist is 404")
def _(server):
    equal(post(server, session_path(ECHO) + "/jsonp_send", "d=%5B%22a%22%5D", FORM).status, 404)


@check("jsonp: the close service says go away, again and again")
def _(server):
    path = session_path(CLOSE)
    equal(said(get(server, path + "/jsonp?c=x")), "o")
    for _ in range(3):
        equal(said(get(server, path + "/jsonp?c=x")), 'c[3000,"Go away!"]')


@check("jsonp: a callback of more than 32 characters is 500")
def _(server):
    equal(get(server, session_path(ECHO) + "/jsonp?c=" + "c" * 33).status, 500)


@check("a session may change its transport between two requests")
def _(server):
    path = session_path(ECHO)
    equal(post(server, path + "/xhr").text, "o\n")
    post(server, path + "/jsonp_send", "d=%5B%221%22%5D", FORM)
    equal(said(get(server, path + "/jsonp?c=x")), 'a["1"]')
    with Stream(server, path, "eventsource") as stream:
        stream.read()
        post(server, path + "/xhr_send", '["2"]')
        equal(stream.read(), 'data: a["2"]\r\n\r\n')


# cookies

def cookie(answer):
    [field] = answer.all("set-cookie")
    name, path = field.split(";")
    return name.strip(), path.strip().lower()


@check("cookies: /info says they are needed and sets none")
def _(server):
    answer = get(server, COOKIE + "/info")
    equal((answer.json()["cookie_needed"], answer.all("set-cookie")), (True, []))


@check("cookies: every session transport sets JSESSIONID")
def _(server):
    for kind in STREAMS:
        with Stream(server, session_path(COOKIE), kind) as stream:
            equal(cookie(stream.head), ("JSESSIONID=dummy", "path=/"), kind)
        with Stream(server, session_path(COOKIE), kind, [("Cookie", "a=b; JSESSIONID=abcdef")]) as stream:
            equal(cookie(stream.head), ("JSESSIONID=abcdef", "path=/"), kind)
    path = session_path(COOKIE)
    equal(cookie(get(server, path + "/jsonp?c=x")), ("JSESSIONID=dummy", "path=/"))
    equal(cookie(post(server, path + "/jsonp_send", "d=%5B%22x%22%5D", FORM)), ("JSESSIONID=dummy", "path=/"))
    equal(cookie(post(server, path + "/xhr_send", '["x"]')), ("JSESSIONID=dummy", "path=/"))


# escapes

def ranges(*pairs):
    return "".join(chr(c) for first, last in pairs for c in range(first, last + 1))


@check("escapes: what servers must escape comes back as it was sent")
def _(server):
    killers = ranges((0x200C, 0x200F), (0x2028, 0x202F), (0x2060, 0x206F), (0xFFF0, 0xFFFF))
    path = session_path(ECHO)
    post(server, path + "/xhr")
    equal(post(server, path + "/xhr_send", json.dumps([killers], ensure_ascii=False)).status, 204)
    equal(post(server, path + "/xhr").text, 'a["' + "".join(f"\\u{ord(c):04x}" for c in killers) + '"]\n')


@check("escapes: every character of the basic plane arrives, escaped by the client or not")
def _(server):
    every = ranges((0, 0xD7FF), (0xE000, 0xFFFF))
    for ascii_only in (True, False):
        path = session_path(ECHO)
        post(server, path + "/xhr")
        equal(post(server, path + "/xhr_send", json.dumps([every], ensure_ascii=ascii_only)).status, 204)
        expect(json.loads(post(server, path + "/xhr").text[1:]) == [every], f"differs (ascii_only={ascii_only})")


# HTTP/1.0 and keep-alive

def raw(server, text):
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        connection.sendall(text.encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head.decode().lower(), body


@check("HTTP/1.0: the greeting has its length and no chunks")
def _(server):
    head, body = raw(server, f"GET {ECHO} HTTP/1.0\r\n\r\n")
    equal(body, b"Welcome to SockJS!\n")
    expect("transfer-encoding" not in head and "content-length: 19" in head, head)


@check("HTTP/1.0: a stream ends with the connection")
def _(server):
    head, body = raw(server, f"POST {session_path(CLOSE)}/xhr_streaming HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    equal(body, b"h" * 2048 + b'\no\nc[3000,"Go away!"]\n')
    expect("transfer-encoding" not in head and "content-length" not in head, head)


@check("HTTP/1.1: greeting, stream and greeting on one connection")
def _(server):
    with Connection(server.port) as connection:
        equal(request(server, "GET", ECHO, connection=connection).text, "Welcome to SockJS!\n")
        answer = request(server, "POST", session_path(CLOSE) + "/xhr_streaming", connection=connection)
        equal((answer.header("transfer-encoding"), answer.header("content-length")), ("chunked", None))
        equal(request(server, "GET", ECHO, connection=connection).status, 200)


# pages of other origins on the real services

@check("origins: what a foreign page asks of a chat service is 403 on every transport")
def _(server):
    query = f"?token={server.token()}&roomId=r-1&c=x"
    foreign = {"Origin": "https://evil.example"}
    hidden = {"Sec-Fetch-Site": "cross-site"}
    script_of = {"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example/page"}
    for kind, method in (("xhr", "POST"), ("xhr_streaming", "POST"), ("xhr_send", "POST"), ("eventsource", "GET"), ("htmlfile", "GET"),
                         ("jsonp", "GET"), ("jsonp_send", "POST")):
        for headers in (foreign, hidden, script_of):
            answer = request(server, method, f"{session_path('/ws-chat')}/{kind}{query}", headers=headers)
            equal((answer.status, answer.code()), (403, "ORIGIN_FORBIDDEN"), f"{kind} {headers}")
            equal(answer.header("access-control-allow-origin"), None, f"{kind} {headers}")


@check("origins: a page of the own host gets in by every transport")
def _(server):
    query = f"?token={server.token()}&roomId=r-1&c=x"
    for kind in ("eventsource", "htmlfile", "jsonp"):
        with Connection(server.port) as connection:
            fields = [("Host", f"127.0.0.1:{server.port}"), ("Sec-Fetch-Site", "same-origin")]
            connection.send(http.head_bytes("GET", f"{session_path('/ws-chat')}/{kind}{query}", fields))
            equal(connection.head().status, 200, kind)


# heart-beats

def frames_of_silence(server, base, query):
    """The first two frames on each transport while nothing is said: open and heart-beat, wrapped."""
    path = lambda: session_path(base)
    with WebSocket(server, path() + "/websocket" + query) as ws:
        ws.limit(40)
        yield "websocket", [ws.message(), ws.message()], ["o", "h"]
    for kind, wrap in WRAPS.items():
        method, own = STREAMS[kind]
        with Connection(server.port, limit=40) as stream:
            address = f"{path()}/{kind}{query}{own.replace('?', '&' if query else '?')}"
            stream.send(http.head_bytes(method, address, [("Host", f"127.0.0.1:{server.port}"), ("Content-Length", "0")]))
            equal(stream.head().status, 200)
            stream.chunk()
            yield kind, [stream.chunk().decode(), stream.chunk().decode()], [wrap("o"), wrap("h")]
    poll = path() + "/xhr" + query
    yield "xhr", [request(server, "POST", poll, within=40).text for _ in range(2)], ["o\n", "h\n"]
    poll = path() + "/jsonp" + (query + "&c=x" if query else "?c=x")
    yield "jsonp", [said(request(server, "GET", poll, within=40)) for _ in range(2)], ["o", "h"]


@check("heart-beats come on every transport while nothing else does")
def _():
    with Server(settings={"sockjs.heartbeat": "300ms"}) as server:
        for kind, got, wanted in frames_of_silence(server, "/ws-chat", f"?token={server.token()}&roomId=r-1"):
            equal(got, wanted, kind)


if long_tier():
    @check("heart-beats of the test services come after 25 s", limit=200)
    def _(server):
        began = time.monotonic()
        for kind, got, wanted in frames_of_silence(server, ECHO, ""):
            equal(got, wanted, kind)
            took, began = time.monotonic() - began, time.monotonic()
            expect(24 < took < 30, f"{kind} after {took:.1f} s")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
