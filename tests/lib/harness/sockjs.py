"""SockJS sessions by hand: xhr, xhr_streaming, eventsource and the two WebSocket forms."""
import itertools
import json
import os

from . import http
from .suite import expect
from .ws import Closed, WebSocket

_session_ids = (f"s{os.getpid()}x{n}" for n in itertools.count())


def session_path(base):
    return f"{base}/{os.getpid() % 1000:03d}/{next(_session_ids)}"


class _Frames:
    """Turns a transport's frames into the messages a SockJS client would hand on."""

    def __init__(self):
        self.messages = []
        self.opened = False

    def take(self, frame):
        kind, rest = frame[:1], frame[1:]
        if kind == "o":
            expect(not self.opened and rest == "", f"unexpected open frame {frame!r}")
            self.opened = True
        elif kind == "a":
            self.messages.extend(json.loads(rest))
        elif kind == "m":
            self.messages.append(json.loads(rest))
        elif kind == "c":
            code, reason = json.loads(rest)
            raise Closed(code, reason)
        else:
            expect(frame == "h", f"unknown SockJS frame {frame!r}")


class SockJsSocket:
    """Has the verbs of WebSocket that Stomp uses (text, message, limit, close), over any transport."""

    def __init__(self, server, base, transport, headers=None, **query):
        self.server, self.query, self.transport, self.headers = server, query, transport, headers or {}
        self.path = session_path(base)
        self.frames = _Frames()
        self.websocket = self.stream = self.sender = None
        if transport == "websocket":
            self.websocket = WebSocket(server, self.path + "/websocket", headers=headers, **query)
        elif transport == "xhr_streaming":
            self.stream = self.open_stream()
        while not self.frames.opened:
            self._more()

    def address(self, kind):
        return http.with_query(f"{self.path}/{kind}", **self.query)

    def open_stream(self):
        stream = http.Connection(self.server.port, self.server.host)
        stream.send(http.head_bytes("POST", self.address("xhr_streaming"), {"Host": f"127.0.0.1:{self.server.port}", "Content-Length": "0",
                                                     **self.headers}.items()))
        answer = stream.head()
        expect(answer.status == 200, f"xhr_streaming answered {answer.status}")
        self._partial = b""
        return stream

    def _more(self):
        if self.websocket:
            self.frames.take(self.websocket.message())
        elif self.transport == "xhr":
            answer = http.request(self.server, "POST", self.address("xhr"), headers=self.headers, within=40)
            expect(answer.status == 200, f"xhr answered {answer!r}")
            for line in answer.text.splitlines():
                self.frames.take(line)
        else:
            self._partial += self._stream_chunk()
            *lines, self._partial = self._partial.split(b"\n")
            for line in lines:
                if line.strip(b"h") or line == b"h":
                    self.frames.take(line.decode())

    def _stream_chunk(self):
        data = self.stream.chunk()
        while not data:
            self.stream.close()
            self.stream = self.open_stream()
            data = self.stream.chunk()
        return data

    def limit(self, seconds):
        for connection in (self.websocket, self.stream):
            if connection:
                connection.limit(seconds)

    def message(self):
        while not self.frames.messages:
            self._more()
        return self.frames.messages.pop(0)

    def text(self, payload):
        self.send([payload.decode("utf-8") if isinstance(payload, bytes) else payload])

    def send(self, messages):
        body = json.dumps(messages, ensure_ascii=False)
        if self.websocket:
            return self.websocket.text(body)
        answer = http.request(self.server, "POST", self.address("xhr_send"), body=body.encode(),
                              headers={"Content-Type": "text/plain", **self.headers})
        expect(answer.status == 204, f"xhr_send answered {answer!r}")
        return None

    def closing(self):
        try:
            while True:
                self.message()
        except Closed as closed:
            return closed

    def close(self):
        for connection in (self.websocket, self.stream):
            if connection:
                connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
