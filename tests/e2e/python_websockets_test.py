#!/usr/bin/env python3
"""Raw STOMP over Python's `websockets`, with tokens made by PyJWT: a thousand people in a room, and an ordinary talk."""
import asyncio
import json
import pathlib
import sys
import time
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, check, equal, expect, run, tokens, venv
from harness.stomp import decode, encode

venv.enter()
import jwt
import websockets


def signed(member, nickname):
    claims = {"id": member, "nickName": nickname, "iat": int(time.time()), "exp": int(time.time()) + 600}
    return jwt.encode(claims, tokens.SECRET, algorithm="HS256")


class Client:
    """One STOMP session. `compression` is permessage-deflate as the library offers it by default."""

    @classmethod
    async def enter(cls, server, member, room, compression="deflate"):
        self = cls()
        url = f"ws://127.0.0.1:{server.port}/ws-chat?token={signed(member, member)}&roomId={quote(room)}"
        self.socket = await websockets.connect(url, subprotocols=["v12.stomp"], compression=compression)
        self.room, self.receipts = room, 0
        await self.send("CONNECT", {"accept-version": "1.2", "host": "parley", "heart-beat": "0,0"})
        equal((await self.next()).command, "CONNECTED")
        return self

    async def send(self, command, headers, body=b""):
        await self.socket.send(encode(command, headers, body, escaping=command != "CONNECT").decode())

    async def next(self):
        while True:
            frame = decode((await asyncio.wait_for(self.socket.recv(), 15)).encode())
            if frame:
                return frame

    async def watch(self, **headers):
        await self.send("SUBSCRIBE", {"id": "s", "destination": f"/sub/chat/room/{self.room}", "receipt": "watch", **headers})
        frame = await self.next()
        equal((frame.command, frame["receipt-id"]), ("RECEIPT", "watch"))

    async def say(self, content, **headers):
        body = {"type": "TALK", "roomId": self.room, "content": content}
        await self.send("SEND", {"destination": "/pub/chat/send", **headers}, json.dumps(body, ensure_ascii=False).encode())


@check("websockets: talk with and without permessage-deflate")
def _(server):
    async def talk():
        for compression in ("deflate", None):
            alice, bob = [await Client.enter(server, m, f"py-{compression}", compression) for m in ("alice", "bob")]
            await bob.watch()
            for i in range(100):
                await alice.say(f"한글 메시지 {i} " * 20)
            for i in range(100):
                message = (await bob.next()).json()
                equal((message["seq"], message["content"]), (i + 1, f"한글 메시지 {i} " * 20))
            await alice.socket.close()
            await bob.socket.close()
    asyncio.run(talk())


@check("websockets: the library's own pings are answered", limit=30)
def _(server):
    async def ping():
        client = await Client.enter(server, "pinger", "py-ping")
        for _ in range(20):
            await asyncio.wait_for(await client.socket.ping(), 5)
        await client.socket.close()
    asyncio.run(ping())


@check("websockets: 1 000 people in one room each get 50 messages in order", limit=120)
def _():
    async def crowd(server):
        people = []
        for i in range(0, 1000, 50):
            people += await asyncio.gather(*(Client.enter(server, f"p{n}", "py-crowd", None) for n in range(i, i + 50)))
        await asyncio.gather(*(p.watch() for p in people))

        async def listen(person):
            return [(await person.next()).json()["seq"] for _ in range(50)]
        listeners = [asyncio.create_task(listen(p)) for p in people]
        speaker = await Client.enter(server, "speaker", "py-crowd")
        for i in range(50):
            await speaker.say(f"모두에게 {i}")
        heard = await asyncio.gather(*listeners)
        expect(all(seqs == list(range(1, 51)) for seqs in heard), "somebody heard another list")
        await asyncio.gather(*(p.socket.close() for p in people + [speaker]))
    with Server() as server:
        asyncio.run(crowd(server))


if __name__ == "__main__":
    run(Shared())
