"""An EventSource by hand: one stream, its head and its events, read by the WHATWG text."""
import time

from . import tokens
from .http import Connection, head_bytes, with_query


class Event:
    def __init__(self, name, data, id):
        self.name, self.data, self.id = name, data, id

    def json(self):
        import json
        return json.loads(self.data)

    def __repr__(self):
        return f"{self.name}#{self.id}:{self.data[:120]!r}"


class EventStream:
    """Opens `path`. Its answer must be 200 and an event stream unless `expect_status` says otherwise."""

    def __init__(self, server, path, member="u-7", token=None, last_id=None, headers=None, version="1.1", limit=10, receive_buffer=None, **query):
        self.connection = Connection(server.port, limit=limit, receive_buffer=receive_buffer)
        all_headers = {"Host": f"127.0.0.1:{server.port}", "Accept": "text/event-stream"}
        if member or token:
            all_headers["Authorization"] = f"Bearer {token or tokens.token(member)}"
        if last_id is not None:
            all_headers["Last-Event-ID"] = str(last_id)
        all_headers.update(headers or {})
        request = head_bytes("GET", with_query(path, **query), all_headers.items())
        self.connection.send(request.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1))
        self.head = self.connection.head()
        self.chunked = (self.head.header("transfer-encoding") or "").lower() == "chunked"
        self.text = b""
        self.comments = 0
        self.retry = None
        self.last_id = ""
        self.ended = False
        if self.head.status != 200:
            if self.head.header("content-length"):
                self.head.body = self.connection.take(int(self.head.header("content-length")))

    @property
    def status(self):
        return self.head.status

    def _more(self):
        if self.chunked:
            data = self.connection.chunk()
            if not data:
                raise EOFError("the stream has ended")
        else:
            if not self.connection.buffer:
                self.connection.more()
            data, self.connection.buffer = self.connection.buffer, b""
        self.text += data

    def event(self, limit=10):
        """The next event; EOFError at the end of the stream, TimeoutError after the limit."""
        end = time.monotonic() + limit  # comments come in between
        name, data, has_data = "message", [], False
        while True:
            while b"\n" not in self.text:
                try:
                    self.connection.limit(max(end - time.monotonic(), 0.001))
                    self._more()
                except EOFError:
                    self.ended = True
                    raise
            line, self.text = self.text.split(b"\n", 1)
            line = line.rstrip(b"\r").decode("utf-8")
            if not line:
                if has_data:
                    return Event(name, "\n".join(data), self.last_id)
                name, data = "message", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not field:
                self.comments += 1
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
                has_data = True
            elif field == "id":
                self.last_id = value
            elif field == "retry":
                self.retry = int(value)

    def events(self, count, limit=10):
        return [self.event(limit) for _ in range(count)]

    def until(self, content, limit=10):
        """Messages up to the one with that content."""
        messages = []
        while not messages or messages[-1]["content"] != content:
            event = self.event(limit)
            if event.name == "message":
                messages.append(event.json())
                if event.id != str(messages[-1]["seq"]):
                    raise AssertionError(f"id {event.id} of seq {messages[-1]['seq']}")
        return messages

    def quiet(self, seconds=0.5):
        """True when nothing but comments comes for so long."""
        try:
            return self.event(seconds) is None
        except TimeoutError:
            return True

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
