"""Two members who talk over /ws/direct and are cut off: each session comes back by the seq it has."""
import asyncio
import json

from . import tokens
from .aio import BROKEN, Gone, Socket
from .evening import RunningHash


class Side:
    """One session of one of the two."""

    def __init__(self, door, member, receiver):
        self.door, self.receiver = door, receiver
        self.token = tokens.token(member, member)
        self.hash, self.last = RunningHash(), 0
        self.acks, self.waiting, self.problems = {}, {}, []
        self.socket = None

    async def listen(self):
        while True:
            try:
                self.socket = await Socket.open(self.door, f"/ws/direct?token={self.token}&receiverId={self.receiver}&after={self.last}")
                while True:
                    self.take(json.loads(await self.socket.message()))
            except BROKEN:
                pass
            for waiting in self.waiting.values():
                if not waiting.done():
                    waiting.set_exception(Gone("cut"))
                    waiting.exception()
            self.waiting.clear()
            await asyncio.sleep(0.02)

    def take(self, frame):
        if "ack" in frame:
            self.acks[frame["ack"]] = frame["seq"]
            waiting = self.waiting.pop(frame["ack"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif "code" in frame:
            self.problems.append(f"{frame}")
        else:
            if frame["seq"] != self.last + 1:
                self.problems.append(f"seq {frame['seq']} after {self.last}")
            self.last = frame["seq"]
            self.hash.add(frame)

    async def say(self, content, id):
        while True:
            try:
                if self.socket is None or not self.socket.is_open():
                    raise Gone("not connected")
                waiting = self.waiting[id] = asyncio.get_running_loop().create_future()
                self.socket.send(json.dumps({"content": content, "messageId": id}, ensure_ascii=False))
                return await asyncio.wait_for(waiting, 20)
            except BROKEN:
                await asyncio.sleep(0.02)

    def cut(self):
        if self.socket is not None:
            self.socket.cut()
