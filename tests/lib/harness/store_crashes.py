"""Three servers over one database, which goes away and comes back, and one of which is killed, under load: what was acknowledged is there
once, under the seq that was told, and the rooms have no hole."""
import random
import sys
import threading
import time

from . import http, services, tokens
from .http import Connection
from .rooms import whole_history
from .server import Server
from .suite import check, equal, eventually, expect, long_tier

ROUNDS = 20 if long_tier() else 2
ROOMS = ("c-0", "c-1", "c-2")


class Sender(threading.Thread):
    """One message at a time to any server; what is not acknowledged is sent again, to another server."""

    def __init__(self, number, servers, stop):
        super().__init__(daemon=True)
        self.name_, self.servers, self.stop_ = f"u-{number}", servers, stop
        self.random = random.Random(number)
        self.told, self.problems = {}, []

    def run(self):
        for n in range(1_000_000):
            if self.stop_.is_set():
                return
            self._store(self.random.choice(ROOMS), f"{self.name_}-{n}")

    def _store(self, room, id):
        end = time.monotonic() + 40
        while time.monotonic() < end:
            server = self.random.choice(self.servers)
            try:
                with Connection(server.port) as connection:
                    answer = http.request(server, "POST", f"/api/rooms/{room}/messages", json={"content": id, "messageId": id},
                                          token=tokens.token(self.name_), connection=connection)
            except (OSError, EOFError, AssertionError):
                continue  # it is being killed
            if answer.status in (200, 201):
                self.told[id] = (room, answer.json()["seq"])
                return
            if answer.status != 503:
                self.problems.append(f"{id}: {answer!r}")
                return
            time.sleep(0.05)
        self.problems.append(f"{id}: not stored within 40 s")


def check_crashes(kind, what, end):
    """Registers the check. `end(service)` takes the database away."""
    @check(f"{ROUNDS} {what} and of a server: nothing acknowledged is lost, doubled or renumbered", limit=60 + 40 * ROUNDS)
    def _():
        moments = random.Random(7)
        database = services.Service(kind)
        common = services.store_settings(kind, database.url, "parley")
        servers = [Server(common).start() for _ in range(3)]
        stop = threading.Event()
        senders = [Sender(n, servers, stop) for n in range(6)]
        for sender in senders:
            sender.start()

        def acknowledged():
            return sum(len(s.told) for s in senders)

        def more(count):
            goal = acknowledged() + count
            eventually(lambda: acknowledged() >= goal, limit=30, what=f"{count} more messages")

        more(50)
        for _ in range(ROUNDS):
            time.sleep(moments.random() * 0.2)
            end(database)
            database.start()
            back = time.monotonic()
            more(1)
            expect(time.monotonic() - back < 10, "service did not resume within 10 s")
            more(50)
            victim = moments.choice(servers)
            victim.kill()
            more(50)
            victim.start()
            more(20)
        stop.set()
        for sender in senders:
            sender.join(60)
            equal(sender.problems, [], sender.name_)
        logs = {room: whole_history(servers[0], room) for room in ROOMS}
        for room, log in logs.items():
            equal([m["seq"] for m in log], list(range(1, len(log) + 1)), f"seqs of {room}")
            expect(all(a["createdAt"] <= b["createdAt"] for a, b in zip(log, log[1:])), f"createdAt falls in {room}")
            for server in servers[1:]:
                equal(whole_history(server, room), log, f"{room} at another server")
        stored = {m["messageId"]: (room, m["seq"]) for room, log in logs.items() for m in log}
        equal(len(stored), sum(len(log) for log in logs.values()), "messages, each once")
        for sender in senders:
            for id, told in sender.told.items():
                equal(stored.get(id), told, id)
        print(f"# {len(stored)} messages", file=sys.stderr)
        for server in servers:
            server.close()
        database.close()
