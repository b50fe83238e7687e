"""A WebSocket client in which every bit of a frame can be chosen, for conformance checks."""
import base64
import hashlib
import os
import struct
import zlib

from . import http

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TAIL = b"\x00\x00\xff\xff"


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, response):
        super().__init__(f"handshake answered {response!r}")
        self.response = response


class Closed(Exception):
    """The server sent a Close frame (code None: without status) or hung up (code 1006)."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed {code} {reason}".strip())
        self.code, self.reason = code, reason


class Frame:
    def __init__(self, opcode, payload, fin=True, rsv=0):
        self.opcode, self.payload, self.fin, self.rsv = opcode, payload, fin, rsv

    def __repr__(self):
        return f"Frame(opcode={self.opcode}, fin={self.fin}, rsv={self.rsv}, {len(self.payload)} bytes {self.payload[:40]!r})"


def masked(payload, key):
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def frame_bytes(opcode, payload=b"", fin=True, rsv=0, mask=True, length_form=None):
    """`length_form` 16 or 64 forces a longer form of the length than needed."""
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    size, flag = len(payload), 0x80 if mask else 0
    if length_form == 64 or (length_form is None and size > 0xFFFF):
        head = struct.pack("!BBQ", first, flag | 127, size)
    elif length_form == 16 or (length_form is None and size > 125):
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BB", first, flag | size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + masked(payload, key)


class WebSocket:
    """Answers pings by itself unless told otherwise; everything else is up to the check."""

    def __init__(self, server, path, headers=None, protocols=(), deflate=None, limit=10, receive_buffer=None, **query):
        key = base64.b64encode(os.urandom(16))
        all_headers = {"Host": f"{server.host}:{server.port}", "Upgrade": "websocket", "Connection": "Upgrade",
                       "Sec-WebSocket-Key": key.decode(), "Sec-WebSocket-Version": "13"}
        if protocols:
            all_headers["Sec-WebSocket-Protocol"] = ", ".join(protocols)
        if deflate:
            all_headers["Sec-WebSocket-Extensions"] = deflate
        all_headers.update(headers or {})
        self.tcp = http.Connection(server.port, server.host, limit=limit, receive_buffer=receive_buffer)
        present = [(k, v) for k, v in all_headers.items() if v is not None]
        self.tcp.send(http.head_bytes("GET", http.with_query(path, **query), present))
        self.response = self.tcp.head()
        if self.response.status != 101:
            length = self.response.header("content-length")
            self.response.body = self.tcp.take(int(length)) if length else b""
            self.tcp.close()
            raise Refused(self.response)
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        if "Sec-WebSocket-Key" not in (headers or {}) and self.response.header("sec-websocket-accept") != accept:
            raise AssertionError("wrong Sec-WebSocket-Accept")
        self.protocol = self.response.header("sec-websocket-protocol")
        self.extension = self.response.header("sec-websocket-extensions")
        self.auto_pong = True
        self._set_up_deflate()

    def _set_up_deflate(self):
        self.deflates = bool(self.extension)
        options = dict((p.strip().split("=") + [None])[:2] for p in (self.extension or "").split(";")[1:])
        bits = options.get("client_max_window_bits")
        self._out_bits = int(bits.strip('"')) if bits else 15
        bits = options.get("server_max_window_bits")
        self._in_bits = int(bits.strip('"')) if bits else 15
        self._out_fresh = "client_no_context_takeover" in options
        self._in_fresh = "server_no_context_takeover" in options
        self._deflater = self._inflater = None

    def limit(self, seconds):
        self.tcp.limit(seconds)

    def deflate(self, payload):
        if self._deflater is None or self._out_fresh:
            self._deflater = zlib.compressobj(6, zlib.DEFLATED, -max(self._out_bits, 9))
        data = self._deflater.compress(payload) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        return data[:-4]

    def inflate(self, payload):
        if self._inflater is None or self._in_fresh:
            self._inflater = zlib.decompressobj(-self._in_bits)
        return self._inflater.decompress(payload + _TAIL)

    def raw(self, data):
        self.tcp.send(data)

    def frame(self, opcode, payload=b"", **how):
        self.raw(frame_bytes(opcode, payload.encode() if isinstance(payload, str) else payload, **how))

    def text(self, payload):
        payload = payload.encode() if isinstance(payload, str) else payload
        if self.deflates:
            return self.frame(TEXT, self.deflate(payload), rsv=4)
        return self.frame(TEXT, payload)

    def binary(self, payload):
        if self.deflates:
            return self.frame(BINARY, self.deflate(payload), rsv=4)
        return self.frame(BINARY, payload)

    def next_frame(self):
        try:
            first, second = self.tcp.take(2)
            if second & 0x80:
                raise AssertionError("the server sent a masked frame")
            size = second & 0x7F
            if size == 126:
                size = struct.unpack("!H", self.tcp.take(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", self.tcp.take(8))[0]
            return Frame(first & 15, self.tcp.take(size), bool(first & 0x80), (first >> 4) & 7)
        except (EOFError, ConnectionResetError, BrokenPipeError):
            raise Closed(1006, "without a Close frame") from None

    def message(self):
        """The next whole message: str for text, bytes for binary. Raises Closed."""
        opcode, parts, compressed = None, [], False
        while True:
            frame = self.next_frame()
            if frame.opcode == PING:
                if self.auto_pong:
                    self.frame(PONG, frame.payload)
                continue
            if frame.opcode == PONG:
                continue
            if frame.opcode == CLOSE:
                raise self.closed_by(frame)
            if frame.opcode != CONTINUATION:
                opcode, compressed = frame.opcode, frame.rsv == 4
            parts.append(frame.payload)
            if frame.fin:
                payload = b"".join(parts)
                if compressed:
                    payload = self.inflate(payload)
                return payload.decode("utf-8") if opcode == TEXT else payload

    @staticmethod
    def closed_by(frame):
        if not frame.payload:
            return Closed(None)
        return Closed(struct.unpack("!H", frame.payload[:2])[0], frame.payload[2:].decode("utf-8"))

    def closing(self):
        """Reads until the server's Close (or hang-up) and returns it as Closed."""
        try:
            while True:
                self.message()
        except Closed as closed:
            return closed

    def send_close(self, code=1000, reason=b"", payload=None):
        self.frame(CLOSE, struct.pack("!H", code) + reason if payload is None else payload)

    def hung_up(self, limit=5):
        return self.tcp.closed(limit)

    def close(self):
        self.tcp.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
