#!/usr/bin/env python3
"""SIGKILL at random moments under load. After each restart: every message whose receipt or 201 arrived is there, with the
seq that was told; every reader resumes to the log's own list; what was not acknowledged and is sent again is stored once."""
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Server, SockJsSocket, Stomp, check, equal, expect, http, long_tier, run, tokens
from harness.rooms import whole_history

ROUNDS = 30 if long_tier() else 5
ROOMS = [f"kill-{n}" for n in range(4)]
IN_FLIGHT = 16
BROKEN = (Closed, OSError, EOFError, AssertionError)


class StompSender:
    """Keeps 16 messages in flight. Remembers what was acknowledged over the whole test, and what was not."""

    def __init__(self, name, room):
        self.name, self.room = name, room
        self.sent = 0
        self.open = {}
        self.acknowledged = {}

    def life(self, server, stop):
        try:
            with Stomp(server, self.name, room=self.room) as client:
                for id, content in list(self.open.items()):
                    client.chat(content, messageId=id, receipt=id)
                while not stop.is_set():
                    while len(self.open) < IN_FLIGHT:
                        self.sent += 1
                        id, content = f"{self.name}-{self.sent}", f"{self.name} 메시지 {self.sent} " + "x" * (self.sent % 400)
                        self.open[id] = content
                        client.chat(content, messageId=id, receipt=id)
                    self._take(client.next())
                while self.open:
                    self._take(client.next())
        except BROKEN:
            pass

    def _take(self, frame):
        expect(frame.command == "RECEIPT", f"{frame}")
        id = frame["receipt-id"]
        if id in self.open:
            self.acknowledged[id] = (self.open.pop(id), int(frame["seq"]))


class RestSender(StompSender):
    """One message at a time; its 201 tells the seq."""

    def life(self, server, stop):
        try:
            with http.Connection(server.port) as connection:
                while not stop.is_set() or self.open:
                    if not self.open:
                        self.sent += 1
                        self.open[f"{self.name}-{self.sent}"] = f"rest {self.sent}"
                    id, content = next(iter(self.open.items()))
                    answer = http.request(server, "POST", f"/api/rooms/{self.room}/messages", json={"content": content, "messageId": id},
                                          token=tokens.token(self.name), connection=connection)
                    expect(answer.status in (200, 201), f"{answer!r}")
                    self.acknowledged[id] = (self.open.pop(id), answer.json()["seq"])
        except BROKEN:
            pass


class Reader:
    """One list, kept over all lives of the server."""

    def __init__(self, name, room, transport):
        self.name, self.room, self.transport = name, room, transport
        self.messages = []
        self.problems = []

    def life(self, server, stop):
        try:
            socket = None
            if self.transport != "stomp":
                socket = SockJsSocket(server, "/ws-chat", self.transport, token=tokens.token(self.name), roomId=self.room)
            with Stomp(server, self.name, room=self.room, socket=socket) as client:
                client.watch(after_seq=str(len(self.messages)))
                while self.last() != stop.last_content:
                    frame = client.message()
                    if frame.seq != len(self.messages) + 1:
                        self.problems.append(f"seq {frame.seq} after {len(self.messages)}")
                    self.messages.append(frame.json())
        except BROKEN:
            pass

    def last(self):
        return self.messages[-1]["content"] if self.messages else None


class Stop(threading.Event):
    last_content = object()


class Load:
    def __init__(self):
        self.senders = [StompSender(f"u-{i}", ROOMS[i % len(ROOMS)]) for i in range(8)] + [RestSender(f"u-r{i}", ROOMS[i]) for i in range(2)]
        self.readers = [Reader(f"u-w{i}", ROOMS[i % len(ROOMS)], t) for i, t in enumerate(("stomp", "xhr_streaming", "websocket", "xhr", "stomp"))]

    def acknowledged(self):
        return sum(len(s.acknowledged) for s in self.senders)

    def start(self, server):
        self.stop = Stop()
        self.threads = [threading.Thread(target=part.life, args=(server, self.stop), daemon=True) for part in self.senders + self.readers]
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join(30)
            expect(not thread.is_alive(), "a client hangs after the server was killed")


def verify(server, load):
    """The log against everything that anybody was told."""
    logs = {room: whole_history(server, room) for room in ROOMS}
    for room, log in logs.items():
        equal([m["seq"] for m in log], list(range(1, len(log) + 1)), f"seqs of {room}")
        ids = [(m["senderId"], m["messageId"]) for m in log]
        equal(len(set(ids)), len(ids), f"messages stored twice in {room}: {len(ids) - len(set(ids))}")
    for sender in load.senders:
        stored = {m["messageId"]: m for m in logs[sender.room] if m["senderId"] == sender.name}
        for id, (content, seq) in sender.acknowledged.items():
            expect(id in stored, f"{id} was acknowledged and is gone")
            equal(stored[id]["content"], content, f"content of {id}")
            expect(stored[id]["seq"] == seq, f"{id} was told seq {seq} and has {stored[id]['seq']}")
    for reader in load.readers:
        equal(reader.problems, [], f"what {reader.name} saw")
        expect(reader.messages == logs[reader.room][:len(reader.messages)], f"{reader.name} over {reader.transport} saw another list")
    return logs


@check(f"{ROUNDS} kills under load: nothing acknowledged is lost, nothing doubled, every list is the log", limit=60 + 40 * ROUNDS)
def _():
    moments = random.Random(4)
    load = Load()
    with Server() as server:
        for _ in range(ROUNDS):
            before = load.acknowledged()
            load.start(server)
            target = before + moments.randrange(50, 3000)
            end = time.monotonic() + 10
            while load.acknowledged() < target and time.monotonic() < end and server.alive():
                time.sleep(moments.random() * 0.01)
            expect(server.alive(), f"the server ended by itself: {server.log_tail()}")
            expect(load.acknowledged() > before, "nothing was acknowledged in this life")
            server.kill()
            load.stop.set()
            load.join()
            server.start()
            verify(server, load)
        unacknowledged = sum(len(s.open) for s in load.senders)
        load.start(server)
        load.stop.set()  # only what is open is sent again
        for thread in load.threads[:len(load.senders)]:
            thread.join(30)
        equal(sum(len(s.open) for s in load.senders), 0, "still unacknowledged after the retries")
        load.stop.last_content = "the end"
        for room in ROOMS:
            answer = http.request(server, "POST", f"/api/rooms/{room}/messages", json={"content": "the end"}, token=tokens.token("u-end"))
            equal(answer.status, 201)
        load.join()
        logs = verify(server, load)
        for reader in load.readers:
            equal(len(reader.messages), len(logs[reader.room]), f"length of {reader.name}'s list over {reader.transport}")
        stored = sum(len(log) for log in logs.values()) - len(ROOMS)
        equal(stored, sum(s.sent for s in load.senders), "messages stored, each once")
        print(f"# {stored} messages, {unacknowledged} of them sent again after the last kill", file=sys.stderr)


@check("a transaction cut by SIGKILL is there whole or not at all", limit=120)
def _():
    with Server() as server:
        moments = random.Random(5)
        for round in range(ROUNDS):
            room, committed = f"tx-{round}", []
            client = Stomp(server, room=room)
            done = threading.Event()

            def commit():
                try:
                    for n in range(400):
                        client.send_frame("BEGIN", {"transaction": f"t{n}"})
                        for k in range(10):
                            client.chat(f"{n}.{k}", messageId=f"t{n}-{k}", transaction=f"t{n}")
                        client.send_frame("COMMIT", {"transaction": f"t{n}", "receipt": f"c{n}"})
                        client.receipt(f"c{n}")
                        committed.append(n)
                except BROKEN:
                    pass
                done.set()
            thread = threading.Thread(target=commit, daemon=True)
            thread.start()
            target = moments.randrange(1, 40)
            while len(committed) < target and not done.is_set():
                time.sleep(0.001)
            time.sleep(moments.random() * 0.005)
            server.kill()
            thread.join(20)
            client.close()
            server.start()
            contents = [m["content"] for m in whole_history(server, room)]
            equal(len(contents) % 10, 0, "a part of a transaction is stored")
            for n in range(len(contents) // 10):
                equal(contents[n * 10:n * 10 + 10], [f"{n}.{k}" for k in range(10)], "adjacent and whole")
            expect(len(contents) // 10 >= len(committed), f"{len(committed)} were committed, {len(contents) // 10} are there")


@check("what was set up is there after a kill: accounts, rooms, invitations, read marks, revoked tokens", limit=60)
def _():
    from harness import request
    from harness.rooms import history, invite, join, make_private, post
    with Server() as server:
        name = {"name": "killer", "password": "a good password 1", "nickName": "킬러"}
        expect(request(server, "POST", "/v1/member/register", json=name).status in (200, 201), "register")
        gone = tokens.token("u-gone")
        equal(request(server, "POST", "/v1/auth/logout", token=gone).status, 200)
        make_private(server, "kill-private")
        invite(server, "kill-private", "u-in")
        equal(post(server, "kill-private", "hello", "u-own").status, 201)
        equal(request(server, "POST", "/api/rooms/kill-private/read", json={"seq": 1}, token=tokens.token("u-own")).status // 100, 2)
        server.kill()
        server.start()
        equal(request(server, "POST", "/v1/auth/login", json={k: name[k] for k in ("name", "password")}).status, 200, "login")
        equal(request(server, "GET", "/api/rooms", token=gone).status, 401, "the revoked token")
        equal(request(server, "GET", "/api/rooms/kill-private", token=tokens.token("u-not")).status, 404, "private")
        expect(join(server, "kill-private", "u-in").status in (200, 204), "the invitation")
        expect("hello" in [m["content"] for m in history(server, "kill-private", "u-in")], "history")
        equal(json.loads(request(server, "GET", "/api/rooms/kill-private/read", token=tokens.token("u-own")).body)["seq"], 1, "read mark")


if __name__ == "__main__":
    run()
