"""HTTP/1.1 by hand: requests as exact bytes, answers parsed strictly."""
import json as json_module
import socket
import ssl
from urllib.parse import quote, urlencode

LIMIT = 10

# Ports where a server of this suite speaks TLS: whoever connects there does too, and trusts every certificate.
tls_ports = set()
_trusting = ssl._create_unverified_context()


class Response:
    def __init__(self, status, headers, body, version="HTTP/1.1", reason=""):
        self.status, self.headers, self.body, self.version, self.reason = status, headers, body, version, reason

    def header(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json_module.loads(self.body)

    def code(self):
        """The `code` of an error answer, or None."""
        try:
            return self.json().get("code")
        except (ValueError, AttributeError):
            return None

    def __repr__(self):
        return f"{self.status} {self.body[:160]!r}"


class Connection:
    """One TCP connection. Reads answers one by one; `closed()` tells whether the server hung up."""

    def __init__(self, port, host="127.0.0.1", limit=LIMIT, receive_buffer=None):
        host = host.strip("[]")
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(limit)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if port in tls_ports:
            self.socket = _trusting.wrap_socket(self.socket)
        self.buffer = b""
        self.host, self.port = host, port

    def limit(self, seconds):
        self.socket.settimeout(seconds)

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(262144)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def head(self):
        status_line = self.line().decode("latin-1")
        version, status, *reason = status_line.split(" ", 2)
        if not version.startswith("HTTP/1.") or len(status) != 3:
            raise AssertionError(f"not a status line: {status_line!r}")
        headers = []
        while line := self.line():
            name, colon, value = line.decode("utf-8").partition(":")
            if not colon or name != name.strip():
                raise AssertionError(f"not a header line: {line!r}")
            headers.append((name, value.strip()))
        return Response(int(status), headers, b"", version, reason[0] if reason else "")

    def chunk(self):
        """The next chunk of a chunked body; b"" is the last one."""
        size = int(self.line().split(b";")[0], 16)
        data = self.take(size)
        end = self.line()
        if end:
            raise AssertionError(f"chunk is not ended by CR LF but by {end!r}")
        return data

    def response(self, method="GET"):
        answer = self.head()
        while answer.status == 100:
            answer = self.head()
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            while data := self.chunk():
                answer.body += data
        elif answer.header("content-length") is not None:
            answer.body = self.take(int(answer.header("content-length")))
        else:
            answer.body = self.rest()
        return answer

    def rest(self):
        try:
            while True:
                self.more()
        except (EOFError, ConnectionResetError):
            data, self.buffer = self.buffer, b""
            return data

    def closed(self, limit=5):
        """True when the server ends the connection within the limit; what still came is dropped."""
        self.socket.settimeout(limit)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def head_bytes(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1"] + [f"{k}: {v}" for k, v in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def with_query(path, **query):
    given = {k: v for k, v in query.items() if v is not None}
    return path + ("?" + urlencode(given, quote_via=quote) if given else "")


def request(server, method, path, json=None, token=None, headers=None, body=None, connection=None, within=LIMIT, **query):
    """One request. `json` is the body as JSON, `token` goes into Authorization, other names into the query."""
    all_headers = {"Host": f"{server.host}:{server.port}"}
    if json is not None:
        body = json_module.dumps(json, ensure_ascii=False).encode()
        all_headers["Content-Type"] = "application/json"
    if token is not None:
        all_headers["Authorization"] = f"Bearer {token}"
    if body is not None or method in ("POST", "PUT", "PATCH"):
        all_headers["Content-Length"] = str(len(body or b""))
    all_headers.update(headers or {})
    own = connection is None
    connection = connection or Connection(server.port, server.host, limit=within)
    try:
        connection.send(head_bytes(method, with_query(path, **query), all_headers.items()) + (body or b""))
        return connection.response(method)
    finally:
        if own:
            connection.close()


def exchange(server, data, method="GET", limit=LIMIT):
    """Sends exact bytes on a new connection and reads one answer."""
    with Connection(server.port, limit=limit) as connection:
        connection.send(data)
        return connection.response(method)
