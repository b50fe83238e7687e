#!/usr/bin/env python3
"""The SockJS protocol on /sockjs/echo and its sister services: what the protocol project's own script checks for the
greeting, /info, session addresses, websocket, raw websocket, xhr and xhr_streaming, as sockjs-node 0.3.24 answers."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Connection, Refused, Shared, WebSocket, check, equal, expect, http, request, run
from harness.sockjs import session_path

ECHO, CLOSE = "/sockjs/echo", "/sockjs/close"
NO_WEBSOCKET, COOKIE = "/sockjs/disabled_websocket_echo", "/sockjs/cookie_needed_echo"
GO_AWAY = 'c[3000,"Go away!"]'
KILLERS = "\u0000\u0001\u200c\u200f\u2028\u2029\u202a\ufeff\ufff0\ufffe\uffff\u0600\u17b4 ok 한글 😀"


def post(server, path, body=b"", **more):
    return request(server, "POST", path, body=body.encode() if isinstance(body, str) else body, **more)


def opened(server, base=ECHO):
    """An xhr session, opened."""
    path = session_path(base)
    answer = post(server, path + "/xhr")
    equal((answer.status, answer.text), (200, "o\n"))
    return path


def not_cached(answer):
    control = answer.header("cache-control") or ""
    expect("no-store" in control and "no-cache" in control, f"Cache-Control: {control}")
    expect(not answer.header("expires") and not answer.header("last-modified"), "caching headers")


def stream(server, path, kind="xhr_streaming"):
    connection = Connection(server.port)
    connection.send(http.head_bytes("POST", f"{path}/{kind}", [("Host", f"127.0.0.1:{server.port}"), ("Content-Length", "0")]))
    answer = connection.head()
    return connection, answer


def next_line(connection, buffer):
    """The next line of a chunked stream; None at its end."""
    while b"\n" not in buffer[0]:
        data = connection.chunk()
        if not data:
            return None
        buffer[0] += data
    line, buffer[0] = buffer[0].split(b"\n", 1)
    return line.decode()


# greeting and info

for path in (ECHO, ECHO + "/"):
    @check(f"greeting: GET {path} is the welcome line")
    def _(server, path=path):
        answer = request(server, "GET", path)
        equal((answer.status, answer.text), (200, "Welcome to SockJS!\n"))
        equal((answer.header("content-type") or "").lower(), "text/plain; charset=utf-8")

for path in ("/a", "/a.html", "//", "///", "/a/a", "/a/a/", "/a", "/a/"):
    @check(f"addresses: GET {ECHO}{path} is 404")
    def _(server, path=path):
        equal(request(server, "GET", ECHO + path).status, 404)


@check("info: its fields, and it is never cached")
def _(server):
    answer = request(server, "GET", ECHO + "/info")
    equal(answer.status, 200)
    expect((answer.header("content-type") or "").startswith("application/json"), "content type")
    not_cached(answer)
    body = answer.json()
    equal((body["websocket"], body["origins"], body["cookie_needed"]), (True, ["*:*"], False))
    expect(isinstance(body["entropy"], int) and 0 <= body["entropy"] < 1 << 32, f"entropy {body['entropy']}")


@check("info: the entropy differs from call to call")
def _(server):
    equal(len({request(server, "GET", ECHO + "/info").json()["entropy"] for _ in range(5)}), 5)


@check("info: the disabled service says websocket false, the cookie service cookie_needed true")
def _(server):
    equal(request(server, "GET", NO_WEBSOCKET + "/info").json()["websocket"], False)
    equal(request(server, "GET", COOKIE + "/info").json()["cookie_needed"], True)


for path, methods in (("/info", "OPTIONS, GET"), ("/abc/abc/xhr", "OPTIONS, POST"), ("/abc/abc/xhr_send", "OPTIONS, POST"),
                      ("/abc/abc/xhr_streaming", "OPTIONS, POST")):
    @check(f"cors: OPTIONS {path} allows what is asked, for a year")
    def _(server, path=path, methods=methods):
        answer = request(server, "OPTIONS", ECHO + path, headers={"Origin": "http://friend.example", "Access-Control-Request-Headers": "a, b, c"})
        equal(answer.status, 204)
        equal(answer.header("access-control-allow-origin"), "http://friend.example")
        equal(answer.header("access-control-allow-credentials"), "true")
        equal(answer.header("access-control-allow-headers"), "a, b, c")
        equal(answer.header("access-control-allow-methods"), methods)
        expect("public" in answer.header("cache-control") and int(answer.header("access-control-max-age")) >= 1_000_000, "not cached")


@check("cors: a request with Origin gets it back with credentials")
def _(server):
    answer = post(server, session_path(ECHO) + "/xhr", headers={"Origin": "http://friend.example"})
    equal(answer.header("access-control-allow-origin"), "http://friend.example")
    equal(answer.header("access-control-allow-credentials"), "true")


# session addresses

for path in ("/a/a", "/_/_", "/1/1", "/abcdefgh_i-j%20/abcdefg_i-j%20"):
    @check(f"addresses: {path} is a session")
    def _(server, path=path):
        answer = post(server, ECHO + path + session_path("")[1:].replace("/", "") + "/xhr")
        equal((answer.status, answer.text), (200, "o\n"))

for path in ("", "/", "//", "/a", "/a./a", "/a/a.", "/./.", "/../..", "/a/", "//a"):
    @check(f"addresses: {path or 'nothing'} is no session")
    def _(server, path=path):
        equal(post(server, ECHO + path + "/xhr").status, 404)


@check("addresses: the server part is ignored")
def _(server):
    path = opened(server)
    session = path.rsplit("/", 1)[1]
    equal(post(server, f"{ECHO}/999/{session}/xhr_send", '["other server part"]').status, 204)
    equal(post(server, f"{ECHO}/111/{session}/xhr").text, 'a["other server part"]\n')


# xhr

@check("xhr: open, send, receive")
def _(server):
    path = opened(server)
    answer = post(server, path + "/xhr_send", '["a"]')
    equal((answer.status, answer.body), (204, b""))
    answer = post(server, path + "/xhr")
    equal((answer.status, answer.text), (200, 'a["a"]\n'))
    expect((answer.header("content-type") or "").lower() == "application/javascript; charset=utf-8", f"{answer.headers}")
    not_cached(answer)


@check("xhr: several messages come in one array, in order")
def _(server):
    path = opened(server)
    equal(post(server, path + "/xhr_send", '["a","b"]').status, 204)
    equal(post(server, path + "/xhr_send", '["c"]').status, 204)
    equal(post(server, path + "/xhr").text, 'a["a","b","c"]\n')


@check("xhr: an empty array delivers nothing")
def _(server):
    path = opened(server)
    equal(post(server, path + "/xhr_send", "[]").status, 204)
    equal(post(server, path + "/xhr_send", '["x"]').status, 204)
    equal(post(server, path + "/xhr").text, 'a["x"]\n')


@check("xhr: a waiting poll is answered when something comes")
def _(server):
    path = opened(server)
    with Connection(server.port) as poll:
        poll.send(http.head_bytes("POST", path + "/xhr", [("Host", "127.0.0.1"), ("Content-Length", "0")]))
        equal(post(server, path + "/xhr_send", '["late"]').status, 204)
        equal(poll.response().text, 'a["late"]\n')


@check("xhr_send: to a session that does not exist is 404")
def _(server):
    equal(post(server, session_path(ECHO) + "/xhr_send", '["a"]').status, 404)


for body, text in (('["a', "Broken JSON encoding."), ("", "Payload expected."), ("{}x", "Broken JSON encoding.")):
    @check(f"xhr_send: {body or 'nothing'} is 500 `{text}`, and the session lives on")
    def _(server, body=body, text=text):
        path = opened(server)
        answer = post(server, path + "/xhr_send", body)
        equal((answer.status, answer.text.strip()), (500, text))
        equal(post(server, path + "/xhr_send", '["a"]').status, 204)
        equal(post(server, path + "/xhr").text, 'a["a"]\n')


@check("xhr_send: any content type is accepted")
def _(server):
    path = opened(server)
    types = ["text/plain", "T", "application/json", "application/xml", "", "application/json; charset=utf-8", "text/xml; charset=utf-8", "text/xml"]
    for type in types:
        equal(post(server, path + "/xhr_send", '["a"]', headers={"Content-Type": type}).status, 204, f"type {type!r}")
    equal(post(server, path + "/xhr").text, "a[" + ",".join(['"a"'] * len(types)) + "]\n")


@check("xhr: characters that break clients come back escaped and unharmed")
def _(server):
    path = opened(server)
    equal(post(server, path + "/xhr_send", json.dumps([KILLERS])).status, 204)
    answer = post(server, path + "/xhr").text
    equal(json.loads(answer[1:]), [KILLERS])
    for dangerous in "\u200c\u2028\u2029\ufff0\uffff":
        expect(dangerous not in answer, f"U+{ord(dangerous):04X} is not escaped")


@check("xhr: a second poll at the same time gets 2010, the first goes on")
def _(server):
    path = opened(server)
    with Connection(server.port) as second:
        first, _ = stream(server, path, "xhr")  # its head says that the server has it
        second.send(http.head_bytes("POST", path + "/xhr", [("Host", "127.0.0.1"), ("Content-Length", "0")]))
        equal(second.response().text, 'c[2010,"Another connection still open"]\n')
        equal(post(server, path + "/xhr_send", '["on"]').status, 204)
        equal(first.chunk(), b'a["on"]\n')
        first.close()


@check("close: the service says go away, again and again")
def _(server):
    path = session_path(CLOSE)
    equal(post(server, path + "/xhr").text, "o\n")
    for _ in range(3):
        equal(post(server, path + "/xhr").text, GO_AWAY + "\n")


@check("xhr: a poll that the client cut ends the session without disturbing others")
def _(server):
    path = opened(server)
    poll = Connection(server.port)
    poll.send(http.head_bytes("POST", path + "/xhr", [("Host", "127.0.0.1"), ("Content-Length", "0")]))
    poll.close()
    other = opened(server)
    equal(post(server, other + "/xhr_send", '["fine"]').status, 204)
    equal(post(server, other + "/xhr").text, 'a["fine"]\n')


# xhr_streaming

@check("xhr_streaming: 2048 h, then open, then messages as they come")
def _(server):
    path = session_path(ECHO)
    connection, answer = stream(server, path)
    with connection:
        equal(answer.status, 200)
        expect((answer.header("content-type") or "").lower() == "application/javascript; charset=utf-8", f"{answer.headers}")
        not_cached(answer)
        buffer = [b""]
        equal(next_line(connection, buffer), "h" * 2048)
        equal(next_line(connection, buffer), "o")
        for i in range(5):
            equal(post(server, path + "/xhr_send", f'["m{i}"]').status, 204)
            equal(next_line(connection, buffer), f'a["m{i}"]')


@check("xhr_streaming: the test service ends a response after 4 KiB, and the next goes on without loss")
def _(server):
    path = session_path(ECHO)
    connection, _ = stream(server, path)
    sent, got, ended = 0, [], 0
    buffer = [b""]
    for i in range(12):
        equal(post(server, path + "/xhr_send", json.dumps([f"{i}" + "x" * 1000])).status, 204)
        sent += 1
        while len(got) < sent:
            line = next_line(connection, buffer)
            if line is None:
                ended += 1
                connection.close()
                connection, _ = stream(server, path)
                buffer = [b""]
            elif line.startswith("a"):
                got += json.loads(line[1:])
            else:
                expect(line == "o" or set(line) == {"h"}, f"line {line[:50]}")
    connection.close()
    equal([g.rstrip("x") for g in got], [str(i) for i in range(12)])
    expect(ended >= 2, f"the response ended {ended} times")


@check("xhr_streaming: a second stream of the session gets 2010")
def _(server):
    path = session_path(ECHO)
    first, _ = stream(server, path)
    buffer = [b""]
    next_line(first, buffer), next_line(first, buffer)
    second = post(server, path + "/xhr_streaming")
    equal(second.text.splitlines()[-1], 'c[2010,"Another connection still open"]')
    first.close()


# websocket

@check("websocket: open, echo, array of messages")
def _(server):
    with WebSocket(server, session_path(ECHO) + "/websocket") as ws:
        equal(ws.message(), "o")
        ws.text('["a"]')
        equal(ws.message(), 'a["a"]')
        ws.text('["b","c"]')
        frames = []
        while len(frames) < 2:
            frames += json.loads(ws.message()[1:])
        equal(frames, ["b", "c"])


@check("websocket: a bare string counts as one message, an empty frame as none")
def _(server):
    with WebSocket(server, session_path(ECHO) + "/websocket") as ws:
        equal(ws.message(), "o")
        ws.text("")
        ws.text('"a"')
        equal(ws.message(), 'a["a"]')


@check("websocket: broken JSON ends the connection")
def _(server):
    with WebSocket(server, session_path(ECHO) + "/websocket") as ws:
        equal(ws.message(), "o")
        ws.text('["a')
        expect(isinstance(ws.closing(), Closed), "still open")


@check("websocket: the close service sends its close frame and closes")
def _(server):
    with WebSocket(server, session_path(CLOSE) + "/websocket") as ws:
        equal([ws.message(), ws.message()], ["o", GO_AWAY])
        expect(isinstance(ws.closing(), Closed), "still open")


@check("websocket: the same session address may be used twice")
def _(server):
    path = session_path(ECHO) + "/websocket"
    with WebSocket(server, path) as one, WebSocket(server, path) as two:
        equal((one.message(), two.message()), ("o", "o"))
        one.text('["1"]')
        two.text('["2"]')
        equal((one.message(), two.message()), ('a["1"]', 'a["2"]'))


@check("websocket: a plain GET is 400, a POST 404 or 405")
def _(server):
    path = session_path(ECHO) + "/websocket"
    answer = request(server, "GET", path)
    equal(answer.status, 400)
    expect(post(server, path).status in (404, 405), "POST")


@check("websocket: the disabled service refuses it and xhr works there")
def _(server):
    try:
        WebSocket(server, session_path(NO_WEBSOCKET) + "/websocket").close()
        raise AssertionError("accepted")
    except Refused as refusal:
        equal(refusal.response.status, 404)
    opened(server, NO_WEBSOCKET)


@check("websocket: ten thousand characters that need escapes come back")
def _(server):
    with WebSocket(server, session_path(ECHO) + "/websocket") as ws:
        ws.message()
        text = KILLERS * 300
        ws.text(json.dumps([text]))
        equal(json.loads(ws.message()[1:]), [text])


# raw websocket

@check("raw websocket: frames pass without any SockJS framing")
def _(server):
    with WebSocket(server, ECHO + "/websocket") as ws:
        ws.text('["not an array here"]')
        equal(ws.message(), '["not an array here"]')


@check("raw websocket: the close service closes")
def _(server):
    with WebSocket(server, CLOSE + "/websocket") as ws:
        expect(isinstance(ws.closing(), Closed), "still open")


# cookies

@check("cookies: the cookie service sets JSESSIONID=dummy, or returns the client's own")
def _(server):
    answer = post(server, session_path(COOKIE) + "/xhr")
    expect(any(c.replace(" ", "").lower().startswith("jsessionid=dummy;path=/") for c in answer.all("set-cookie")), f"{answer.headers}")
    answer = post(server, session_path(COOKIE) + "/xhr", headers={"Cookie": "JSESSIONID=abcdef"})
    expect(any(c.replace(" ", "").lower().startswith("jsessionid=abcdef;path=/") for c in answer.all("set-cookie")), f"{answer.headers}")


@check("cookies: the plain service sets none")
def _(server):
    equal(post(server, session_path(ECHO) + "/xhr").all("set-cookie"), [])


@check("a session nobody reads is gone after its 5 s", limit=20)
def _(server):
    from harness import eventually
    path = opened(server)
    eventually(lambda: post(server, path + "/xhr_send", '["x"]').status == 404, limit=12, what="session gone")


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
