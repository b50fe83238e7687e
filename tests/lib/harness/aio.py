"""Connections for scenarios with many clients: asyncio and the standard library, strict about what they read."""
import asyncio
import base64
import hashlib
import os
import struct

from .suite import expect

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Gone(EOFError):
    """The other side ended the connection, or said that it does."""


BROKEN = (OSError, EOFError)  # what a connection that breaks raises; EOFError: asyncio.IncompleteReadError, Gone


class Refused(Exception):
    """An answer that is no 2xx."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body[:200]!r}")
        self.status, self.headers, self.body = status, headers, body


class Line:
    """One connection that asks requests, one after the other. `door` is (host, port), with a TLS context behind it where it is https."""

    @classmethod
    async def open(cls, door):
        line = cls()
        line.reader, line.writer = await asyncio.open_connection(door[0], door[1], limit=4 << 20, ssl=door[2] if len(door) > 2 else None)
        line.host = f"{door[0]}:{door[1]}"
        return line

    def cut(self):
        """Without a goodbye: what is on its way is lost."""
        self.writer.transport.abort()

    async def begin(self, method, target, headers=(), body=None):
        """Asks; (status, headers with small letters). The body is read by piece() or rest()."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", *(f"{k}: {v}" for k, v in headers)]
        if body is not None or method != "GET":
            lines.append(f"Content-Length: {len(body or b'')}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *fields = head.split("\r\n")[:-2]
        expect(first.startswith("HTTP/1.1 "), f"not a status line: {first!r}")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        self._chunked = self.headers.get("transfer-encoding") == "chunked"
        self._left = int(self.headers.get("content-length", 0 if self.status in (101, 204, 304) else -1))
        self._text = b""
        return self.status, self.headers

    async def piece(self):
        """More of the body; b"" at its end."""
        if self._chunked:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            data = (await self.reader.readexactly(size + 2))[:-2]
            return data
        if self._left < 0:
            return await self.reader.read(65536)
        data = await self.reader.readexactly(self._left)
        self._left = 0
        return data

    async def rest(self):
        pieces = []
        while data := await self.piece():
            pieces.append(data)
        return b"".join(pieces)

    async def text_line(self):
        """The next line of the body without its LF; None at its end, wherever proxies cut it into pieces."""
        while b"\n" not in self._text:
            data = await self.piece()
            if not data:
                return None
            self._text += data
        line, self._text = self._text.split(b"\n", 1)
        return line

    async def ask(self, method, target, headers=(), body=None):
        """One whole exchange; the body. Raises Refused for what is no 2xx, Gone where a proxy has nobody to ask."""
        status, fields = await self.begin(method, target, headers, body)
        data = await self.rest()
        if fields.get("connection", "").lower() == "close":
            self.writer.close()
        if status in (502, 504) or (status == 503 and b'"code"' not in data):
            raise Gone(f"{status} from between")
        if not 200 <= status < 300:
            raise Refused(status, fields, data)
        return data

    def is_open(self):
        return not self.writer.is_closing() and not self.reader.at_eof()


class Socket:
    """A WebSocket that sends and takes texts."""

    @classmethod
    async def open(cls, door, target, headers=()):
        socket = cls()
        socket.line = await Line.open(door)
        key = base64.b64encode(os.urandom(16))
        asked = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key.decode()), ("Sec-WebSocket-Version", "13"), *headers)
        status, fields = await socket.line.begin("GET", target, asked)
        if status in (502, 503, 504):
            raise Gone(f"{status} to a handshake")
        if status != 101:
            raise Refused(status, fields, await socket.line.rest())
        expect(fields["sec-websocket-accept"] == base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode(), "Sec-WebSocket-Accept")
        return socket

    def cut(self):
        self.line.cut()

    def is_open(self):
        return self.line.is_open()

    def send(self, text, opcode=TEXT):
        data = text.encode() if isinstance(text, str) else text
        size = len(data)
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size) if size < 65536 \
            else struct.pack("!BBQ", 0x80 | opcode, 0xFF, size)
        self.line.writer.write(head + b"\0\0\0\0" + data)  # the mask is four zeros

    async def message(self):
        reader = self.line.reader
        while True:
            first, size = await reader.readexactly(2)
            if size == 126:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", await reader.readexactly(8))[0]
            data = await reader.readexactly(size)
            expect(first & 0x80, "a fragment")
            opcode = first & 0xF
            if opcode == TEXT:
                return data
            if opcode == PING:
                self.send(data, PONG)
            elif opcode == CLOSE:
                raise Gone(f"closed {data!r}")
