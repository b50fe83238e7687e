"""A STOMP client for checks: blocking, in order, with every frame visible."""
import collections
import json as json_module
import socket
import time

from . import tokens
from .suite import expect, short
from .ws import Closed, WebSocket

_ESCAPES = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
_UNESCAPES = {"\\": "\\", "r": "\r", "n": "\n", "c": ":"}


class Frame:
    def __init__(self, command, headers=None, body=b""):
        self.command, self.headers, self.body = command, headers or {}, body

    def __getitem__(self, name):
        return self.headers[name]

    def get(self, name, default=None):
        return self.headers.get(name, default)

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json_module.loads(self.body)

    @property
    def seq(self):
        return int(self.headers["seq"])

    def __repr__(self):
        return f"{self.command} {self.headers} {short(self.body, 120)}"


def escape(text):
    return "".join(_ESCAPES.get(c, c) for c in text)


def unescape(text):
    parts = text.split("\\")
    out, i = parts[0], 1
    while i < len(parts):
        if parts[i]:
            out += _UNESCAPES[parts[i][0]] + parts[i][1:]
        else:
            out += "\\" + (parts[i + 1] if i + 1 < len(parts) else "")
            i += 1
        i += 1
    return out


def encode(command, headers, body=b"", escaping=True):
    change = escape if escaping else str
    lines = [command] + [f"{change(str(k))}:{change(str(v))}" for k, v in headers.items() if v is not None]
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


def decode(data, version="1.2"):
    """One frame out of one WebSocket message; None for a heart-beat. Strict about the NUL at the end."""
    if data.strip(b"\r\n") == b"":
        return None
    head, separator, rest = data.partition(b"\n\n")
    expect(separator, f"a frame without an empty line: {short(data)}")
    command, *lines = head.decode("utf-8").split("\n")
    headers = {}
    change = unescape if version != "1.0" and command != "CONNECTED" else str
    for line in lines:
        name, colon, value = line.partition(":")
        expect(colon, f"a header without colon from the server: {line!r}")
        headers.setdefault(change(name), change(value))
    length = int(headers.get("content-length", rest.find(b"\0")))
    expect(rest[length:length + 1] == b"\0", f"no NUL after the body: {short(data)}")
    expect(rest[length + 1:].strip(b"\r\n") == b"", f"more than one frame in a message: {short(data)}")
    return Frame(command, headers, rest[:length])


class Stomp:
    """A connected session. Frames that a check did not ask for yet wait in `inbox`, in order."""

    def __init__(self, server, member="u-7", room="r-1", nickname=None, token=None, path="/ws-chat", version="1.2",
                 heartbeat="0,0", protocols=None, connect=True, headers=None, socket=None, receive_buffer=None, **more):
        self.server, self.member, self.room, self.version = server, member, room, version
        self.inbox = []
        self._receipts = 0
        self._subscriptions = 0
        if socket is None:
            query = {}
            if path == "/ws-chat":
                query = {"token": token or tokens.token(member, nickname), "roomId": room}
            elif token:
                query = {"token": token}
            protocols = (f"v{version[0]}{version[2]}.stomp",) if protocols is None else protocols
            socket = WebSocket(server, path, headers=headers, protocols=protocols, receive_buffer=receive_buffer, **query)
        self.ws = socket
        self.connected = None
        if connect:
            self.connected = self.connect(heartbeat=heartbeat, **more)

    def connect(self, command="CONNECT", heartbeat="0,0", **headers):
        fields = {"accept-version": self.version, "host": "parley", "heart-beat": heartbeat}
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        self.raw(encode(command, fields, escaping=False))
        return self.wait("CONNECTED")

    # -- sending

    def raw(self, data):
        """Exact bytes: as a text message, or a binary one where they are not UTF-8."""
        try:
            data.decode("utf-8")
            self.ws.text(data)
        except UnicodeDecodeError:
            self.ws.binary(data)

    def send_frame(self, command, headers=None, body=b""):
        body = body.encode() if isinstance(body, str) else body
        self.raw(encode(command, headers or {}, body, escaping=self.version != "1.0"))

    def send(self, destination, body, **headers):
        if not isinstance(body, (bytes, str)):
            body = json_module.dumps(body, ensure_ascii=False)
        body = body.encode() if isinstance(body, str) else body
        fields = {"destination": destination, "content-type": "application/json", "content-length": len(body)}
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        self.send_frame("SEND", fields, body)

    def new_receipt(self):
        self._receipts += 1
        return f"receipt-{self._receipts}"

    def chat(self, content, room=None, type="TALK", receipt=None, transaction=None, **fields):
        """SENDs to /pub/chat/send without waiting."""
        body = {"type": type, "roomId": room or self.room, "content": content}
        body.update(fields)
        self.send("/pub/chat/send", {k: v for k, v in body.items() if v is not None}, receipt=receipt, transaction=transaction)

    def say(self, content, room=None, **fields):
        """TALK, and waits until it is durable."""
        receipt = self.new_receipt()
        self.chat(content, room, receipt=receipt, **fields)
        return self.receipt(receipt)

    def subscribe(self, destination, id=None, wait=True, **headers):
        """Returns (id, RECEIPT or None)."""
        if id is None:
            self._subscriptions += 1
            id = f"sub-{self._subscriptions}"
        receipt = self.new_receipt() if wait else None
        fields = {"id": id, "destination": destination, "receipt": receipt}
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        self.send_frame("SUBSCRIBE", fields)
        return id, self.receipt(receipt) if wait else None

    def watch(self, room=None, **headers):
        return self.subscribe(f"/sub/chat/room/{room or self.room}", **headers)

    def watch_errors(self):
        return self.subscribe("/user/queue/errors", id="errors")

    # -- receiving

    def _read(self):
        while True:
            message = self.ws.message()
            frame = decode(message.encode() if isinstance(message, str) else message, self.version)
            if frame is not None:
                return frame

    def next(self):
        return self.inbox.pop(0) if self.inbox else self._read()

    def wait(self, command, match=lambda frame: True, limit=10):
        """The first frame of this command that matches, others stay in order. An ERROR not waited for fails."""
        for i, frame in enumerate(self.inbox):
            if frame.command == command and match(frame):
                return self.inbox.pop(i)
        end = time.monotonic() + limit
        while True:
            self.ws.limit(max(0.01, end - time.monotonic()))
            try:
                frame = self._read()
            except (TimeoutError, socket.timeout):
                raise AssertionError(f"no {command} within {limit} s; came: {short(self.inbox)}") from None
            except Closed as closed:
                raise AssertionError(f"{closed} while waiting for {command}; came: {short(self.inbox)}") from None
            finally:
                self.ws.limit(10)
            if frame.command == command and match(frame):
                return frame
            if frame.command == "ERROR":
                raise AssertionError(f"while waiting for {command}: {frame}")
            self.inbox.append(frame)

    def receipt(self, id):
        end = time.monotonic() + 30
        before, self.inbox = collections.deque(self.inbox), []
        try:
            while time.monotonic() < end:
                frame = before.popleft() if before else self._read_or_fail(f"RECEIPT {id}")
                if frame.command == "RECEIPT" and frame["receipt-id"] == id:
                    return frame
                if frame.command == "ERROR":
                    raise AssertionError(f"while waiting for RECEIPT {id}: {frame}")
                self.inbox.append(frame)
                if frame.get("subscription") == "errors" and frame.json().get("receiptId") == id:
                    raise AssertionError(f"refused: {frame.text}")
            raise AssertionError(f"no RECEIPT {id} among {len(self.inbox)} frames")
        finally:
            self.inbox += before

    def answer(self, id):
        """What a receipt id is answered with: its RECEIPT, or the refusal that names it."""
        while True:
            frame = self._read_or_fail(f"answer to {id}")
            if frame.get("receipt-id") == id or (frame.get("subscription") == "errors" and frame.json().get("receiptId") == id):
                return frame
            self.inbox.append(frame)

    def _read_or_fail(self, what):
        try:
            return self._read()
        except (TimeoutError, socket.timeout):
            raise AssertionError(f"no {what} in time; came: {short(self.inbox)}") from None
        except Closed as closed:
            raise AssertionError(f"{closed} while waiting for {what}; came: {short(self.inbox)}") from None

    def message(self, subscription=None, limit=10):
        return self.wait("MESSAGE", lambda f: f["subscription"] == (subscription or f["subscription"])
                         and (subscription == "errors" or f["subscription"] != "errors"), limit)

    def until(self, last, subscription=None):
        """MESSAGEs of a subscription up to the one whose content is `last`."""
        frames = []
        while True:
            frame = self.message(subscription)
            frames.append(frame)
            if frame.json().get("content") == last:
                return frames

    def refusal(self, code=None, limit=10):
        """The next entry of /user/queue/errors; needs watch_errors()."""
        frame = self.message("errors", limit)
        body = frame.json()
        if code:
            expect(body.get("code") == code, f"refused with {short(body)}, wanted {code}")
        return body

    def error(self, limit=10):
        """The ERROR frame the server ends this session with."""
        return self.wait("ERROR", limit=limit)

    def closing(self):
        return self.ws.closing()

    def settle(self):
        """Returns after the server has worked off everything sent before on this session."""
        receipt = self.new_receipt()
        self.send_frame("SUBSCRIBE", {"id": f"settle-{receipt}", "destination": "/user/queue/notifications", "receipt": receipt})
        self.receipt(receipt)
        self.send_frame("UNSUBSCRIBE", {"id": f"settle-{receipt}"})

    def disconnect(self):
        receipt = self.new_receipt()
        self.send_frame("DISCONNECT", {"receipt": receipt})
        self.receipt(receipt)
        self.close()

    def close(self):
        self.ws.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
