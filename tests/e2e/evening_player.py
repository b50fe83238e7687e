#!/usr/bin/env python3
"""Plays some people's part of the evening over Python's `websockets`. Input and output as evening_player.cjs."""
import asyncio
import json
import pathlib
import sys
import time
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import venv
from harness.evening import RunningHash
from harness.stomp import decode, encode

venv.enter()
import websockets

PATIENCE_S = 60


class Person:
    def __init__(self, part, address, counts):
        self.__dict__.update(part)
        self.address, self.counts = address, counts
        self.hashes = {room: RunningHash() for room in part["rooms"]}
        self.last = {room: 0 for room in part["rooms"]}
        self.unacknowledged = {}
        self.problems = []
        self.socket = self.reader = None

    def take(self, message):
        room = message["roomId"]
        if message["seq"] != self.last[room] + 1:
            self.problems.append(f"seq {message['seq']} after {self.last[room]} in {room}")
        self.last[room] = message["seq"]
        self.hashes[room].add(message)

    async def enter(self):
        url = f"ws://{self.address}/ws-chat?token={self.token}&roomId={quote(self.home)}"
        self.socket = await websockets.connect(url, subprotocols=["v12.stomp"], max_size=None, compression=None, ping_interval=None)
        await self.socket.send(encode("CONNECT", {"accept-version": "1.2", "host": "parley", "heart-beat": "0,0"}, escaping=False).decode())
        decode((await self.socket.recv()).encode())
        for room in self.rooms:
            await self.socket.send(encode("SUBSCRIBE", {"id": room, "destination": f"/sub/chat/room/{room}", "after-seq": self.last[room]}).decode())
        self.reader = asyncio.create_task(self.read(self.socket))
        for event in list(self.unacknowledged.values()):
            await self.post(event)

    async def read(self, socket):
        async for raw in socket:
            frame = decode(raw.encode() if isinstance(raw, str) else raw)
            if frame is None:
                continue
            if frame.command == "MESSAGE":
                self.take(json.loads(frame.body))
            elif frame.command == "RECEIPT":
                self.unacknowledged.pop(frame["receipt-id"], None)
            else:
                self.problems.append(f"{frame}")

    async def post(self, event):
        body = {"type": "TALK", "roomId": event["room"], "content": event["content"], "messageId": event["messageId"]}
        data = encode("SEND", {"destination": "/pub/chat/send", "receipt": event["messageId"]}, json.dumps(body, ensure_ascii=False).encode())
        await self.socket.send(data.decode())

    async def cut(self):
        self.socket.transport.abort()
        await asyncio.gather(self.reader, return_exceptions=True)
        await self.enter()

    def done(self):
        return not self.unacknowledged and all(self.last[r] >= self.counts[r] for r in self.rooms)

    async def play(self, events, began):
        await self.enter()
        for event in events:
            wait = began + event["at"] / 1000 - time.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if event.get("cut"):
                await self.cut()
                continue
            self.unacknowledged[event["messageId"]] = event
            await self.post(event)
        end = time.time() + PATIENCE_S
        while not self.done() and time.time() < end:
            await asyncio.sleep(0.05)
        if self.unacknowledged:
            self.problems.append(f"{len(self.unacknowledged)} messages without receipt")
        await self.socket.close()
        for room in self.rooms:
            print(json.dumps({"who": self.id, "kind": self.kind, "room": room, "count": self.last[room], "hash": self.hashes[room].hex(),
                              "problems": self.problems[:5]}), flush=True)


async def main():
    task = json.load(sys.stdin)
    events = json.loads(pathlib.Path(task["events"]).read_text())
    people = [Person(part, task["address"], task["counts"]) for part in task["people"]]
    await asyncio.gather(*(p.play([e for e in events if e["who"] == p.id], task["began"] / 1000) for p in people))


asyncio.run(main())
