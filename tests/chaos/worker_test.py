#!/usr/bin/env python3
"""Worker roles in two processes of their own, of which one after the other is killed, or stands still and wakes, with work in hand: every mention is
told once, every message counted once, and the db-writer's table is the log. Over Kafka, and over PostgreSQL alone."""
import concurrent.futures
import functools
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, check, equal, eventually, long_tier, run, services, table
from harness.admin import AdminServer
from harness.rooms import invite, join, make_private, post
from harness.worker import Worker

ROUNDS = 20 if long_tier() else 2
PATIENCE = 90
PORTION = 12
ROOMS = [f"r-{n}" for n in range(6)]
ROLES = ("notification", "analytics")


def over(kind, name):
    """Settings and roles."""
    database = {"store.kind": "postgres", "postgres.url": services.shared("postgres").url, "postgres.schema": name}
    if kind == "postgres":
        return {"log.kind": "store", **database}, ROLES
    return {"log.kind": "kafka", "kafka.brokers": services.shared("kafka").url, "kafka.topics.chat": name, "kafka.group_prefix": name + ".",
            "kafka.topics.dead_letters": name + "-dead", "kafka.partitions": 6, **database}, (*ROLES, "db-writer")


def dies(worker):
    worker.kill()
    return worker.start


def stands_still(worker):
    worker.signal(signal.SIGSTOP)
    return lambda: worker.signal(signal.SIGCONT)


class Mentions:
    """Of w-1, in all rooms in turn, and the stream on which they are told."""

    def __init__(self, server):
        self.server, self.said, self.heard = server, [], []
        self.events = EventStream(server, "/api/notifications/stream", "w-1", limit=PATIENCE)

    def say(self, count):
        for _ in range(count):
            room = ROOMS[len(self.said) % len(ROOMS)]
            answer = post(self.server, room, "@w-1", "w-2", within=PATIENCE)
            equal(answer.status, 201, repr(answer))
            self.said.append((room, answer.json()["seq"]))

    def are_told(self):
        while len(self.heard) < len(self.said):
            self.heard += notified(self.events)
        equal(sorted(self.heard), sorted(self.said), "mentions that were told")


def notified(events):
    """The next notification, where it is a mention."""
    while (event := events.event(PATIENCE)).name != "notification":
        pass
    return [(event.json()["roomId"], event.json()["seq"])] if event.json()["notification"] == "mention" else []


def counted(server):
    """By the role analytics: TALK in each room."""
    rooms = server.admin("GET", "/admin/api/analytics").json()["rooms"]
    return {room["roomId"]: room["types"]["TALK"] for room in rooms if room["roomId"] in ROOMS}


def hand_over(kind, trouble):
    name = f"{kind}_{trouble.__name__}"
    settings, roles = over(kind, name)
    with AdminServer({**settings, "worker.roles": "none"}) as server:
        for room in ROOMS:
            equal(join(server, room, "w-1").status, 200)
        make_private(server, "r-own")
        mentions = Mentions(server)
        with Worker(settings, *roles) as first:
            # Over PostgreSQL this one works now, and the second waits for its place.
            mentions.say(len(ROOMS))
            mentions.are_told()
            with Worker(settings, *roles) as second:
                for n in range(ROUNDS):
                    mentions.say(PORTION)
                    come_back = trouble((first, second)[n % 2])
                    begun = time.monotonic()
                    mentions.say(PORTION)
                    mentions.are_told()
                    print(f"# {name}: all is told after {time.monotonic() - begun:.1f} s", file=sys.stderr)
                    come_back()
                    mentions.say(PORTION)
                    mentions.are_told()
                said = {room: sum(one == room for one, _ in mentions.said) for room in ROOMS}
                eventually(lambda: counted(server) == said, PATIENCE, f"{said} counted")
        # Both have ended: what they did is all there, and nothing comes behind it but the invitation.
        equal(counted(server), said, "messages counted")
        invite(server, "r-own", "w-1")
        with EventStream(server, "/api/notifications/stream", "w-1", last_id="0.0", limit=PATIENCE) as events:
            stored = []
            while one := notified(events):
                stored += one
        equal(sorted(stored), sorted(mentions.said), "mentions that are stored")
        equal(notified(mentions.events), [], "a mention that was told again")
        if kind == "kafka":
            with Worker(settings, "db-writer"):  # the server does not write, and the two have ended
                table.is_the_topic(services.shared("postgres"), name, services.shared("kafka").url, name, [server], private=["r-own"])
        else:
            table.is_whole(services.shared("postgres"), name)


POOL = concurrent.futures.ThreadPoolExecutor(4)


@functools.cache
def under_way(kind):
    services.shared(kind)
    return {trouble: POOL.submit(hand_over, kind, trouble) for trouble in (dies, stands_still)}


def outcome(kind, trouble):
    """All are under way at once: much of it is waiting."""
    for begun in ("postgres", kind):
        under_way(begun)
    return under_way(kind)[trouble].result()


for kind in ("kafka", "postgres"):
    for trouble in (dies, stands_still):
        @check(f"{kind}: one worker after the other {trouble.__name__.replace('_', ' ')}, {ROUNDS} times: each mention is told once, each message counted and in the table once",
               limit=120 + 60 * ROUNDS)
        def _(kind=kind, trouble=trouble):
            outcome(kind, trouble)


run()
