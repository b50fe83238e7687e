#!/usr/bin/env python3
"""The trap of a log whose readers could share it: three servers over six partitions of a Kafka topic, clients of the same rooms at all of
them, while a fourth server joins and leaves. Nothing is lost, doubled or numbered otherwise, and those who stay hear on without a pause."""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Stomp, check, equal, eventually, expect, long_tier, run, services, table
from harness.rooms import post, talk_of, whole_history

ROUNDS = 3 if long_tier() else 1
PAUSE_S = 1.0  # held in the long tier, which has the machine to itself, else only said
ROOMS = [f"r-{n}" for n in range(6)]
EVERY_S = 0.03


class Reader(threading.Thread):
    """A client of all rooms, and when it heard what."""

    def __init__(self, server, member):
        super().__init__(daemon=True)
        self.client = Stomp(server, member=member, room=ROOMS[0])
        self.heard = {room: [] for room in ROOMS}  # (time, seq, content)
        for room in ROOMS:
            self.client.watch(room)
        self.start()

    def run(self):
        try:
            while True:
                message = self.client.message(limit=120).json()
                if "seq" in message:  # else who is there, which no log has
                    self.heard[message["roomId"]].append((time.monotonic(), message["seq"], message["content"]))
        except (AssertionError, OSError, ValueError):
            return  # its server left, or the check is over: what it heard is compared

    def list_of(self, room):
        return [(seq, content) for _, seq, content in self.heard[room]]

    def pause(self, begin, end):
        """The longest time in which a room was silent."""
        times = [[begin, *(at for at, _, _ in self.heard[room] if begin < at < end), end] for room in ROOMS]
        return max(after - before for room in times for before, after in zip(room, room[1:]))


class Sender(threading.Thread):
    """Says something, in one room after the other, 30 ms after the last was taken; what is refused is said again with the same id."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.client = Stomp(server, member=f"u-{name}", room=ROOMS[0])
        self.client.watch_errors()
        self.name_, self.said, self.over, self.late = name, {room: [] for room in ROOMS}, threading.Event(), 0.0
        self.start()

    def run(self):
        count, last = 0, time.monotonic()
        while not self.over.wait(EVERY_S):
            self.tell(ROOMS[count % len(ROOMS)], f"{self.name_} says {count}")
            count, last, self.late = count + 1, time.monotonic(), max(self.late, time.monotonic() - last)

    def tell(self, room, content):
        for _ in range(10):
            try:
                self.client.say(content, room=room, messageId=f"{room} {content}".replace(" ", "-"))
                self.said[room].append(content)
                return
            except AssertionError as refused:
                print(f"# {refused}", flush=True)
        raise AssertionError(f"{self.name_} cannot say {content}")

    def finish(self):
        self.over.set()
        self.join()
        for room in ROOMS:
            self.tell(room, f"the end of {self.name_}")


def settings(name):
    return {"log.kind": "kafka", "kafka.brokers": services.shared("kafka").url, "kafka.topics.chat": name, "kafka.group_prefix": name + ".",
            "kafka.partitions": 6, "store.kind": "postgres", "postgres.url": services.shared("postgres").url, "postgres.schema": name}


def join_and_leave(common, readers, senders):
    """The longest pause at those who stay, while one more server joins, has a client, and leaves."""
    for sender in senders:
        sender.late = 0.0
    begin = time.monotonic()
    guest = Server(common).start(90)
    joined = time.monotonic() - begin
    visitor = Reader(guest, "u-visitor")
    eventually(lambda: all(len(visitor.heard[room]) >= 5 for room in ROOMS), limit=60, what="live messages at the server that joined")
    leaving = time.monotonic()
    equal(guest.stop(60), 0, "exit status of the server that left")
    gone = time.monotonic()
    left = gone - leaving
    guest.close()
    # The load, not the check, makes the last message of each room.
    eventually(lambda: all(reader.heard[room][-1][0] > gone for reader in readers for room in ROOMS), limit=60, what="each room after the server left")
    pause = max(reader.pause(begin, time.monotonic()) for reader in readers)
    print(f"# joined in {joined:.1f} s, left in {left:.1f} s: longest silence of a room at those who stayed {1000 * pause:.0f} ms, "
          f"of a sender {1000 * max(sender.late for sender in senders):.0f} ms", flush=True)
    visitor.join(30)
    return pause, visitor


@check(f"a server joins and leaves under load, {ROUNDS} times: those who stay hear everything, once, in one order", limit=120 + 60 * ROUNDS)
def _():
    common = settings("joining")
    servers = [Server(common).start(90) for _ in range(3)]
    readers = [Reader(server, f"u-reader-{n}") for n, server in enumerate(servers)]
    senders = [Sender(server, f"sender-{n}") for n, server in enumerate(servers)]
    rounds = [join_and_leave(common, readers, senders) for _ in range(ROUNDS)]
    for sender in senders:
        sender.finish()
    logs = {room: whole_history(servers[0], room) for room in ROOMS}
    for room, log in logs.items():
        equal([message["seq"] for message in log], list(range(1, len(log) + 1)), f"the seqs of {room}")
        for sender in senders:
            equal(talk_of(m for m in log if m["senderId"] == f"u-{sender.name_}"), sender.said[room], f"what {sender.name_} said in {room}")
        list_ = [(message["seq"], message["content"]) for message in log]
        for n, reader in enumerate(readers):
            begun = reader.list_of(room)[0][0]
            eventually(lambda: len(reader.list_of(room)) >= len(list_) - begun + 1, limit=30, what=f"{room} at server {n}")
            equal(reader.list_of(room), list_[begun - 1:], f"{room} at server {n}")
        for _, visitor in rounds:
            part = visitor.list_of(room)
            equal(part, list_[part[0][0] - 1:][:len(part)], f"{room} at the server that left")
        equal(whole_history(servers[1], room), log, f"the log of {room} at another server")
    table.is_the_topic(services.shared("postgres"), "joining", services.shared("kafka").url, "joining", servers)
    if long_tier():
        pauses = [pause for pause, _ in rounds]
        expect(max(pauses) <= PAUSE_S, f"longest pauses: {pauses}")
    derived_again(common, servers, logs)
    for server in servers:
        server.close()


def derived_again(common, servers, logs):
    """The same numbers from the topic's beginning, into tables of their own, and from a checkpoint of the shared ones."""
    with Server({**common, "postgres.schema": "anew"}) as anew:
        for room, log in logs.items():
            equal(whole_history(anew, room), log, f"{room} read from the beginning")
    stored = sum(len(log) for log in logs.values())
    rows = "SELECT sum(head) FROM joining.heads WHERE room LIKE 'r-%'"
    eventually(lambda: services.shared("postgres").sql(rows) == str(stored), limit=60, what="a table that has everything")
    servers[1].restart(90)
    for room, log in logs.items():
        equal(whole_history(servers[1], room), log, f"{room} read from a checkpoint")
        equal(post(servers[1], room, "one more").json()["seq"], len(log) + 1, f"the next number of {room}")
        equal(post(servers[2], room, "and another").json()["seq"], len(log) + 2, f"the one after, at a server that has read all of {room}")


if __name__ == "__main__":
    run()
