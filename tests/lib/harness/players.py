"""People in a room, each over a transport of their own, who are cut off and come back by the seq they have.

What each has heard is a running hash; when all is said it must be that of the room's log."""
import asyncio
import itertools
import json
import os
from urllib.parse import quote

from . import tokens
from .aio import BROKEN, Gone, Line, Refused, Socket
from .evening import RunningHash
from .stomp import decode, encode
from .suite import expect

_sessions = (f"d{os.getpid()}x{n}" for n in itertools.count())


class RefusedHere(Exception):
    """An operation was refused with this code, over STOMP or REST."""

    def __init__(self, spoken, code):
        super().__init__(code)
        self.spoken, self.code = spoken, code


# What may go well a moment later: a store or cache is away.
TEMPORARY = {"CHAT_STORE_UNAVAILABLE", "AUTH_UNAVAILABLE", "SERVER_FULL", "SERVER_DRAINING"}


def _code(body):
    try:
        return json.loads(body)["code"]
    except (ValueError, KeyError, TypeError):
        return f"no JSON with a code: {body[:100]!r}"


class Rest:
    """Hears nothing, says over REST. What the other ways of hearing without STOMP are made of."""

    def __init__(self, player):
        self.player, self.door = player, player.door
        self.line = self.speaking = None
        self.lock = asyncio.Lock()
        self.headers = [("Authorization", f"Bearer {player.token}")]

    async def say(self, words):
        """The stored message's seq."""
        async with self.lock:
            if self.speaking is None or not self.speaking.is_open():
                self.speaking = await Line.open(self.door)
            body = json.dumps({k: v for k, v in words.items() if k != "roomId"}, ensure_ascii=False).encode()
            try:
                stored = await self.speaking.ask("POST", f"/api/rooms/{quote(words['roomId'])}/messages", self.headers, body)
            except Refused as refusal:
                raise self.player.refused("REST", _code(refusal.body)) from None
            return json.loads(stored)["seq"]

    def cut(self):
        for line in (self.line, self.speaking):
            if line is not None:
                line.cut()

    async def poll(self, target):
        """(messages, headers) over a line that is kept."""
        if self.line is None or not self.line.is_open():
            self.line = await Line.open(self.door)
        page = json.loads(await self.line.ask("GET", target, self.headers))
        return page, self.line.headers

    def hear(self, messages):
        for message in messages:
            self.player.take(message)


class History(Rest):
    """Asks for what is above the last seq, page by page."""
    pause = 0.05

    def target(self):
        return f"/api/rooms/{self.player.room}/messages?limit=100&after={self.player.last}"

    async def run(self):
        while True:
            page, _ = await self.poll(self.target())
            self.hear(page)
            if not page:
                await asyncio.sleep(self.pause)


class Polling(History):
    def target(self):
        return f"/api/messages?roomId={self.player.room}&after={self.player.last}"


class LongPoll(History):
    pause = 0

    def target(self):
        return f"/api/messages/longpoll?timeout=5000&roomId={self.player.room}&after={self.player.last}"


class CursorPolling(Rest):
    """By the cursor of all the member's rooms, which are this one."""
    path, pause = "/api/messages?x=1", 0.05

    async def run(self):
        while True:
            page, headers = await self.poll(f"{self.path}&after={quote(self.player.cursor)}")
            self.hear(page)
            self.player.cursor = headers["x-parley-cursor"]
            if not page:
                await asyncio.sleep(self.pause)


class CursorLongPoll(CursorPolling):
    path, pause = "/api/messages/longpoll?timeout=5000", 0


class Replay(Rest):
    """NDJSON from the next seq on, again and again."""

    async def run(self):
        while True:
            self.line = await Line.open(self.door)
            await self.line.begin("GET", f"/api/rooms/{self.player.room}/replay?from-seq={self.player.last + 1}", self.headers)
            self.player.expect_served(self.line.status, "replay")
            while (text := await self.line.text_line()) is not None:
                if text:
                    self.hear([json.loads(text)])
            self.line.cut()
            await asyncio.sleep(0.1)


class EventStream(Rest):
    async def run(self):
        self.line = await Line.open(self.door)
        player = self.player
        resume = [("Last-Event-ID", str(player.last))] if player.last else []
        await self.line.begin("GET", f"/api/rooms/{player.room}/stream?after=0", [*self.headers, ("Accept", "text/event-stream"), *resume])
        if self.line.status in (502, 503, 504):
            raise Gone(f"{self.line.status}")
        expect(self.line.status == 200, f"the stream answered {self.line.status}")
        name, id = "message", ""
        while (text := await self.line.text_line()) is not None:
            field, _, value = text.decode().removesuffix("\r").partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                id = value
            elif field == "data" and name == "message":
                message = json.loads(value)
                expect(id == str(message["seq"]), f"id {id} of seq {message['seq']}")
                player.take(message)
            elif not field:
                name = "message"
        raise Gone("the stream has ended")


class Stomp:
    """One STOMP session: what is the same over WebSocket and SockJS. A subclass has enter(), send(), frames()."""
    base = "/ws-chat"

    def __init__(self, player):
        self.player, self.door = player, player.door
        self.waiting = {}
        self.live = False
        self.line = None
        self.query = f"token={player.token}&roomId={player.room}"

    async def run(self):
        try:
            await self.enter()
            await self.send(encode("CONNECT", {"accept-version": "1.2", "host": "parley", "heart-beat": "0,0"}, escaping=False))
            async for raw in self.frames():
                frame = decode(raw.encode() if isinstance(raw, str) else raw)
                if frame is not None:
                    await self.on_frame(frame)
        finally:
            self.live = False
            for waiting in self.waiting.values():
                if not waiting.done():
                    waiting.set_exception(Gone("the session has ended"))
                    waiting.exception()  # it may be that nobody waits any more

    async def on_frame(self, frame):
        player = self.player
        if frame.command == "CONNECTED":
            await self.send(encode("SUBSCRIBE", {"id": "e", "destination": "/user/queue/errors"}))
            await self.send(encode("SUBSCRIBE", {"id": "r", "destination": f"/sub/chat/room/{player.room}", "after-seq": player.last, "receipt": "live"}))
        elif frame.command == "MESSAGE" and frame["subscription"] == "r":
            message = frame.json()
            expect(frame.seq == message["seq"], f"header {frame.seq} of seq {message['seq']}")
            player.take(message)
        elif frame.command == "MESSAGE":
            refusal = frame.json()
            if "receiptId" in refusal:
                self.settle(refusal["receiptId"], player.refused("STOMP", refusal["code"]))
            elif player.is_passing(refusal["code"]):
                raise Gone(f"{refusal}")
            elif refusal["code"] != "RESYNC":
                player.problems.append(f"{refusal}")
        elif frame.command == "RECEIPT":
            if frame["receipt-id"] == "live":
                self.live = True
            else:
                self.settle(frame["receipt-id"], None)
        else:
            raise Gone(f"{frame}")

    def settle(self, receipt, outcome):
        waiting = self.waiting.pop(receipt, None)
        if waiting is None or waiting.done():
            return
        waiting.set_exception(outcome) if outcome else waiting.set_result(None)

    async def say(self, words):
        if not self.live:
            raise Gone("not connected yet")
        receipt = words["messageId"]
        waiting = self.waiting[receipt] = asyncio.get_running_loop().create_future()
        body = json.dumps({"type": "TALK", **words}, ensure_ascii=False).encode()
        await self.send(encode("SEND", {"destination": "/pub/chat/send", "receipt": receipt}, body))
        return await waiting

    def cut(self):
        if self.line is not None:
            self.line.cut()


class StompWebSocket(Stomp):
    path = ""

    async def enter(self):
        self.line = await Socket.open(self.door, f"{self.base}{self.path}?{self.query}")

    async def send(self, frame):
        self.line.send(frame)

    async def frames(self):
        while True:
            yield await self.line.message()


class StompRawSockJs(StompWebSocket):
    path = "/websocket"


class SockJs(Stomp):
    """Its frames, one by one, are unwrap()ped; send() over xhr_send."""
    opened = False
    sender = None

    async def enter(self):
        self.path = f"{self.base}/{os.getpid() % 1000:03d}/{next(_sessions)}"
        self.sending = asyncio.Lock()
        self.incoming = self.wrapped()
        expect(await anext(self.incoming) == "o", "no open frame")

    async def frames(self):
        async for frame in self.incoming:
            if frame[0] == "a":
                for message in json.loads(frame[1:]):
                    yield message
            elif frame[0] in "co":  # o: the server that answers never had this session
                raise Gone(f"SockJS {frame}")
            else:
                expect(frame == "h", f"unknown SockJS frame {frame!r}")

    async def send(self, frame):
        async with self.sending:  # one after the other: what is sent second arrives second
            if self.sender is None or not self.sender.is_open():
                self.sender = await Line.open(self.door)
            body = json.dumps([frame.decode()], ensure_ascii=False).encode()
            try:
                await self.sender.ask("POST", f"{self.path}/xhr_send?{self.query}", [("Content-Type", "text/plain")], body)
            except Refused as refusal:
                raise Gone(f"xhr_send: {refusal}") from None

    async def receiving(self, method, kind):
        await self.line.begin(method, f"{self.path}/{kind}?{self.query}")
        if self.line.status != 200:
            raise Gone(f"{kind} answered {self.line.status}")

    def cut(self):
        for line in (self.line, self.sender):
            if line is not None:
                line.cut()


class SockJsWebSocket(SockJs):
    async def wrapped(self):
        self.line = await Socket.open(self.door, f"{self.path}/websocket?{self.query}")
        while True:
            yield (await self.line.message()).decode()

    async def send(self, frame):
        self.line.send(json.dumps([frame.decode()], ensure_ascii=False))


class SockJsXhr(SockJs):
    async def wrapped(self):
        self.line = await Line.open(self.door)
        while True:
            if not self.line.is_open():
                self.line = await Line.open(self.door)
            await self.receiving("POST", "xhr")
            for frame in (await self.line.rest()).decode().splitlines():
                yield frame


class SockJsStreaming(SockJs):
    kind, method = "xhr_streaming", "POST"

    async def wrapped(self):
        while True:  # a response ends after 128 KiB, and the session goes on in the next
            self.line = await Line.open(self.door)
            await self.receiving(self.method, self.kind)
            while (text := await self.line.text_line()) is not None:
                frame = self.unwrap(text.decode().removesuffix("\r"))
                if frame:
                    yield frame
            self.line.cut()

    def unwrap(self, text):
        return "" if len(text) == 2048 and not text.strip("h") else text


class SockJsEventSource(SockJsStreaming):
    kind, method = "eventsource", "GET"

    def unwrap(self, text):
        return text.removeprefix("data: ")


class SockJsHtmlFile(SockJsStreaming):
    kind, method = "htmlfile", "GET"

    def __init__(self, player):
        super().__init__(player)
        self.query += "&c=callback"

    def unwrap(self, text):
        return json.loads(text[2:-2]) if text.startswith('p("') else ""


KINDS = {"STOMP over WebSocket": StompWebSocket, "STOMP over raw SockJS WebSocket": StompRawSockJs, "SockJS websocket": SockJsWebSocket,
         "SockJS xhr_streaming": SockJsStreaming, "SockJS xhr-polling": SockJsXhr, "SockJS eventsource": SockJsEventSource,
         "SockJS htmlfile": SockJsHtmlFile,
         "Server-Sent Events": EventStream, "long poll by seq": LongPoll, "polling by seq": Polling, "REST history": History, "NDJSON replay": Replay}
BY_CURSOR = {"long poll by cursor": CursorLongPoll, "polling by cursor": CursorPolling}


class Player:
    """One member in one room. `kind` names a transport, or is "switching": another one after each cut, by seq. Who is patient tries
    again what is refused because something is away."""

    def __init__(self, door, random, member, room, kind, patient=False):
        self.door, self.random, self.member, self.room, self.kind, self.patient = door, random, member, room, kind, patient
        self.token = tokens.token(member, member)
        self.hash, self.last = RunningHash(), 0
        self.problems, self.acknowledged, self.refusals = [], {}, set()
        self.cuts = self.lines = 0
        self.cursor = None
        self.way = None
        self.way_kind = kind
        self.saying = self.why = None  # the id of what is not stored yet, and why it was not

    def is_passing(self, code):
        return self.patient and code in TEMPORARY

    def refused(self, spoken, code):
        """What this refusal is to the player."""
        return Gone(code) if self.is_passing(code) else RefusedHere(spoken, code)

    def expect_served(self, status, what):
        if self.patient and status == 503:
            raise Gone(f"{what} answered {status}")
        expect(status == 200, f"{what} answered {status}")

    def take(self, message):
        if message["seq"] != self.last + 1 or message["roomId"] != self.room:
            self.problems.append(f"seq {message['seq']} of {message['roomId']} after {self.last}")
        self.last = message["seq"]
        self.hash.add(message)

    async def listen(self):
        """For ever: over one line after the other."""
        while True:
            if self.kind == "switching":
                self.way_kind = self.random.choice(list(KINDS))
            self.way = {**KINDS, **BY_CURSOR}[self.way_kind](self)
            self.lines += 1
            try:
                await self.way.run()
            except BROKEN:
                pass
            except Refused as refusal:
                if not self.is_passing(_code(refusal.body)):
                    self.problems.append(f"{self.way_kind}: {refusal}")
                    return
            except Exception as problem:  # noqa: what a client must never see, whatever it is
                self.problems.append(f"{self.way_kind}: {type(problem).__name__} {problem}")
                return
            self.way.cut()
            await asyncio.sleep(0.02)

    def cut(self):
        self.cuts += 1
        if self.way is not None:
            self.way.cut()

    async def until_stored(self, words):
        """Says it, over as many lines as it takes, with the same messageId."""
        self.saying = words["messageId"]
        while True:
            expect(not self.problems, f"{self.member} ({self.kind}) gave up: {self.problems}")
            try:
                seq = await asyncio.wait_for(self.way.say(words), 20)
                self.saying = None
                return seq
            except BROKEN as why:
                self.why = why
                await asyncio.sleep(0.02)

    def standing(self):
        """Where it is, for who waits in vain."""
        way = {name: value for name, value in vars(self.way).items() if name in ("live", "path", "door")}
        return f"{self.member}, {self.kind} ({self.way_kind} {way}), line {self.lines}, seq {self.last}, {len(self.acknowledged)} said, saying {self.saying}: {self.why!r}"

    async def come_or_go(self, words):
        """JOIN or LEAVE, where this way of speaking has them and the line holds."""
        if not isinstance(self.way, Stomp):
            return
        try:
            await asyncio.wait_for(self.way.say(words), 20)
        except BROKEN:
            pass

    async def say(self, words):
        seq = await self.until_stored(words)
        self.acknowledged[words["messageId"]] = seq

    async def must_be_refused(self, why, words):
        try:
            await self.until_stored(words)
            self.problems.append(f"{why}: not refused")
        except RefusedHere as refusal:
            self.refusals.add((why, refusal.spoken, refusal.code))

    def report(self):
        return f"{self.member} ({self.kind}) in {self.room}: {self.last} heard, {self.cuts} cuts, {self.lines} lines, {self.problems[:3]}"
