#!/usr/bin/env python3
"""Protocol section 4, HTTP: RFC 9112 by the letter. Requests as exact bytes, well- and malformed, smuggling shapes included."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Shared, Stomp, check, equal, exchange, expect, request, run
from harness.tokens import token

POST = b"POST /api/rooms/r-http/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token("u-7").encode() + b"\r\n"
BODY = b'{"content":"x"}'


def refused(server, data, *statuses):
    """The answer is one of these, not a bare close, and nothing follows it."""
    with Connection(server.port) as connection:
        connection.send(data)
        answer = connection.response()
        expect(answer.status in statuses, f"status {answer.status}, wanted {statuses}")
        rest = connection.rest()
        equal(rest, b"", "bytes after the refusal")


REFUSED = {
    # name: (bytes, statuses)
    "no Host": (b"GET /health HTTP/1.1\r\n\r\n", (400,)),
    "two Hosts": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n", (400,)),
    "a malformed Host": (b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", (400,)),
    "a Host with a path": (b"GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n", (400,)),
    "a Host with user info": (b"GET /health HTTP/1.1\r\nHost: u@127.0.0.1\r\n\r\n", (400,)),
    "a Host with a bad port": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:port\r\n\r\n", (400,)),
    "a space before the colon": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX : y\r\n\r\n", (400,)),
    "a header without colon": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nnonsense\r\n\r\n", (400,)),
    "an empty header name": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n: y\r\n\r\n", (400,)),
    "a header name that is no token": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX(y): z\r\n\r\n", (400,)),
    "NUL in a header": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n", (400,)),
    "a bare CR in a header": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\rb\r\n\r\n", (400,)),
    "a bare LF as header end": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\nX: y\r\n\r\n", (400,)),
    "bare LFs everywhere": (b"GET /health HTTP/1.1\nHost: 127.0.0.1\n\n", (400,)),
    "obs-fold": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n", (400,)),
    "a first header that is folded": (b"GET /health HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n", (400,)),
    "lower-case http": (b"GET /health http/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400, 505)),
    "HTTP/2.0": (b"GET /health HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n", (505, 400)),
    "HTTP/1.10": (b"GET /health HTTP/1.10\r\nHost: 127.0.0.1\r\n\r\n", (400, 505)),
    "HTTP/0.9": (b"GET /health\r\n\r\n", (400, 505)),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    "TLS to a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, (400,)),
    "two spaces in the request line": (b"GET  /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400,)),
    "a space in the target": (b"GET /hea lth HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400,)),
    "a control in the target": (b"GET /hea\x01lth HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400,)),
    "a target without slash": (b"GET health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400,)),
    "a method that is no token": (b"G@T /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (400, 501)),
    "a request line past the limit": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (414, 431)),
    "a header past the limit": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", (431,)),
    "ten thousand headers": (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", (431,)),
    "CL with TE": (POST + b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "TE with CL": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\nf\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "two different CLs": (POST + b"Content-Length: 15\r\nContent-Length: 3\r\n\r\n" + BODY, (400,)),
    "two equal CLs": (POST + b"Content-Length: 15\r\nContent-Length: 15\r\n\r\n" + BODY, (400,)),
    "a CL list": (POST + b"Content-Length: 15, 15\r\n\r\n" + BODY, (400,)),
    "a CL with plus": (POST + b"Content-Length: +15\r\n\r\n" + BODY, (400,)),
    "a negative CL": (POST + b"Content-Length: -1\r\n\r\n" + BODY, (400,)),
    "a hexadecimal CL": (POST + b"Content-Length: 0xf\r\n\r\n" + BODY, (400,)),
    "an empty CL": (POST + b"Content-Length: \r\n\r\n" + BODY, (400,)),
    "a CL past 64 bits": (POST + b"Content-Length: 18446744073709551631\r\n\r\n" + BODY, (400, 413)),
    "an unknown transfer coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked that is not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "two TE headers": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", (400, 501)),
    "an obfuscated TE": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "TE with a vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "a quoted TE": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', (400, 501)),
    "TE in HTTP/1.0": (POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "a chunk size that is no number": (POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "a chunk size with 0x": (POST + b"Transfer-Encoding: chunked\r\n\r\n0xf\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "a chunk size past 64 bits": (POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000f\r\n" + BODY + b"\r\n0\r\n\r\n", (400, 413)),
    "a negative chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n-f\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "a chunk that is longer than it says": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    "chunk lines ended by bare LF": (POST + b"Transfer-Encoding: chunked\r\n\r\nf\n" + BODY + b"\n0\n\n", (400,)),
}
for name, (data, statuses) in REFUSED.items():
    @check(f"refused: {name} is {' or '.join(map(str, statuses))}")
    def _(server, data=data, statuses=statuses):
        refused(server, data, *statuses)


for line in ("BREW /health HTTP/1.1", "CONNECT 127.0.0.1:80 HTTP/1.1", "TRACE /health HTTP/1.1"):
    @check(f"refused: {line} is 400, 405 or 501")
    def _(server, line=line):
        status = exchange(server, f"{line}\r\nHost: 127.0.0.1\r\n\r\n".encode()).status
        expect(status in (400, 405, 501), f"status {status}")


@check("nothing of the refused bodies was stored")
def _(server):
    equal(request(server, "GET", "/api/rooms/r-http/messages", token=token("u-7")).json(), [])


# accepted

def ok(server, data, status=200):
    answer = exchange(server, data)
    equal(answer.status, status)
    return answer


@check("accepted: empty lines before the request line")
def _(server):
    ok(server, b"\r\n\r\nGET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


@check("accepted: absolute-form is routed by its path")
def _(server):
    ok(server, b"GET http://127.0.0.1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


@check("accepted: optional white space around values, names in any case, a list of Connection options")
def _(server):
    ok(server, b"GET /health HTTP/1.1\r\nhOsT:\t 127.0.0.1 \t\r\nconnection:\tkeep-alive , x\r\nX:\r\n\r\n")


@check("accepted: HTTP/1.0 without Host, and the connection ends after the answer")
def _(server):
    with Connection(server.port) as connection:
        connection.send(b"GET /health HTTP/1.0\r\n\r\n")
        equal(connection.response().status, 200)
        expect(connection.closed(), "still open")


@check("accepted: chunked bodies with extensions and trailers")
def _(server):
    body = b'5;name="va;lue"\r\n{"con\r\nA\r\ntent":"x"}\r\n0\r\nX-Trailer: y\r\n\r\n'
    ok(server, POST.replace(b"r-http", b"r-chunk") + b"Transfer-Encoding: Chunked\r\n\r\n" + body, 201)


@check("accepted: Expect: 100-continue gets 100 and then the answer")
def _(server):
    with Connection(server.port) as connection:
        connection.send(POST.replace(b"r-http", b"r-expect") + b"Content-Length: 15\r\nExpect: 100-continue\r\n\r\n")
        equal(connection.head().status, 100)
        connection.send(BODY)
        equal(connection.response().status, 201)


@check("a request cut into single bytes is one request")
def _(server):
    with Connection(server.port) as connection:
        for byte in POST.replace(b"r-http", b"r-bytes") + b"Content-Length: 15\r\n\r\n" + BODY:
            connection.send(bytes([byte]))
        equal(connection.response().status, 201)


@check("pipelined requests are answered in order on one connection")
def _(server):
    with Connection(server.port) as connection:
        one = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        two = b"GET /no/such HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        connection.send(one + two + one)
        equal([connection.response().status for _ in range(3)], [200, 404, 200])


@check("keep-alive: a hundred requests on one connection; Connection: close ends it")
def _(server):
    with Connection(server.port) as connection:
        for _ in range(100):
            equal(request(server, "GET", "/health", connection=connection).status, 200)
        connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        equal(connection.response().status, 200)
        expect(connection.closed(), "still open")


@check("a body on a GET does not become the next request")
def _(server):
    with Connection(server.port) as connection:
        smuggled = b"GET /no/such HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled
                        + b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        equal([connection.response().status, connection.response().status], [200, 200])


@check("a body too large is 413, and the client that still sends can read the answer")
def _(server):
    with Connection(server.port) as connection:
        connection.send(POST + b"Content-Length: 8000000\r\n\r\n")
        try:
            for _ in range(80):
                connection.send(b"x" * 100_000)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise AssertionError(f"cut while sending: {error}") from None
        equal(connection.response().status, 413)


@check("limit: 10 s to finish a request head, then the connection ends", limit=30)
def _(server):
    with Connection(server.port) as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        expect(connection.closed(20), "still open after 20 s")


@check("percent-encoding: decoded once, and what decodes to a slash, NUL or bad UTF-8 finds no room")
def _(server):
    answer = request(server, "POST", "/api/rooms/r%2Dpct/messages", json={"content": "x"}, token=token("u-7"))
    equal(answer.status, 201)
    equal(answer.json()["roomId"], "r-pct")
    for bad in ("r%252Dpct", "a%2Fb", "a%00", "a%zz", "a%", "%ff"):
        expect(request(server, "GET", f"/api/rooms/{bad}/messages", token=token("u-7")).status in (400, 404), bad)


@check("responses carry Date or not, but never two lengths, and name no software beyond the server's own")
def _(server):
    answer = request(server, "GET", "/health")
    equal(len(answer.all("content-length")) + len(answer.all("transfer-encoding")), 1)


@check("five hundred broken requests later the server still talks")
def _(server):
    shapes = [data for data, _ in REFUSED.values()]
    for i in range(500):
        with Connection(server.port) as connection:
            connection.send(shapes[i % len(shapes)][: 7 + i % 90])
    with Stomp(server, room="r-after") as client:
        client.say("alive")


if __name__ == "__main__":
    run(Shared())
