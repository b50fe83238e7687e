#!/usr/bin/env python3
"""Three servers over a Kafka of three brokers and one PostgreSQL, people of one room spread over all of them by every transport, while
brokers and servers die, the database crashes and servers come and go: every list is the room's log."""
import asyncio
import concurrent.futures
import os
import pathlib
import random
import secrets
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, eventually, long_tier, request, run, services
from harness.rooms import whole_history
from harness.scenario import Scenario

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
ROUNDS = 20 if long_tier() else 1
PORTION = 60  # of messages, for each trouble

# One thread to the end: what a thread started ends with it.
THREAD = concurrent.futures.ThreadPoolExecutor(1)


async def in_thread(call, *arguments):
    await asyncio.get_running_loop().run_in_executor(THREAD, call, *arguments)


def degraded(server):
    return request(server, "GET", "/ready").json()["degraded"]


class Fleet:
    """Three servers over a topic and a schema of their own."""

    def __init__(self, cluster, database, name):
        self.cluster, self.database = cluster, database
        self.settings = {"log.kind": "kafka", "kafka.brokers": cluster.url, "kafka.topics.chat": name, "kafka.group_prefix": name + ".",
                         "kafka.partitions": 6, "store.kind": "postgres", "postgres.url": database.url, "postgres.schema": name}
        self.servers = [Server(self.settings).start() for _ in range(3)]

    def all_is_well(self):
        for server in self.servers:
            eventually(lambda: degraded(server) == [], limit=60, what="a /ready without faults")

    def close(self):
        for server in self.servers:
            server.close()


class Troubles:
    """Each takes something away, `more` messages are acknowledged meanwhile, and it comes back. There is something to say for each."""

    def __init__(self, fleet, rng):
        self.fleet, self.rng = fleet, rng
        self.order = [self.a_server_is_killed, self.a_server_leaves_and_comes_back, self.one_more_server_joins_and_leaves, self.a_broker_is_killed,
                      self.the_database_crashes]
        rng.shuffle(self.order)
        self.allowed = self.said = 0
        self.scenario = None

    async def turn(self):
        while self.said >= self.allowed:
            await asyncio.sleep(0.01)
        self.said += 1

    async def trickle(self):
        """Half of a portion, not at once: some are to be under way when something breaks."""
        for _ in range(PORTION // 2):
            self.allowed += 1
            await asyncio.sleep(0.02)

    def acknowledged(self):
        return sum(len(p.acknowledged) for p in self.scenario.players)

    async def more(self):
        """The other half; those who are at a server that is away may hold some."""
        goal = self.acknowledged() + PORTION // 6
        self.allowed += PORTION // 2
        while self.acknowledged() < goal:
            await asyncio.sleep(0.01)

    async def disturb(self, scenario):
        self.scenario = scenario
        await self.trickle()
        for trouble in self.order:
            begun = time.monotonic()
            saying = asyncio.ensure_future(self.trickle())
            await asyncio.sleep(self.rng.random() * 0.2)
            await trouble()
            await saying
            print(f"# {trouble.__name__}: {time.monotonic() - begun:.1f} s, {self.acknowledged()} acknowledged", file=sys.stderr)
        self.allowed = scenario.messages

    async def a_server_is_killed(self):
        victim = self.rng.choice(self.fleet.servers)
        await in_thread(victim.kill)
        await self.more()
        await in_thread(victim.start, 90)

    async def a_server_leaves_and_comes_back(self):
        one = self.rng.choice(self.fleet.servers)
        await in_thread(one.stop)
        await self.more()
        await in_thread(one.start, 90)

    async def one_more_server_joins_and_leaves(self):
        guest = Server(self.fleet.settings)
        await in_thread(guest.start, 90)
        await self.more()
        await in_thread(guest.stop)
        guest.close()

    async def a_broker_is_killed(self):
        broker = self.rng.randrange(3)
        self.fleet.cluster.signal(signal.SIGKILL, f"node{broker}/pid")
        await self.more()
        await in_thread(self.fleet.cluster.control, "start-node", str(broker))

    async def the_database_crashes(self):
        await in_thread(self.fleet.database.kill)
        witness = self.rng.choice(self.fleet.servers)
        await in_thread(lambda: eventually(lambda: "store" in degraded(witness), limit=60, what="the fault at /ready"))
        await in_thread(self.fleet.database.start)


def play(fleet, seed):
    troubles = Troubles(fleet, random.Random(seed))
    messages = PORTION * (1 + len(troubles.order))
    scenario = Scenario(fleet.servers[0], seed, messages, rooms=1, doors=[(s.host, s.port) for s in fleet.servers], patient=True, turn=troubles.turn)
    scenario.play(300, troubles.disturb)
    print("# all is said", file=sys.stderr)
    fleet.all_is_well()
    print("# /ready is without faults", file=sys.stderr)
    scenario.compare()
    room = scenario.players[0].room
    for server in fleet.servers[1:]:
        equal(whole_history(server, room), whole_history(fleet.servers[0], room), "the log at another server")


@check(f"people at three servers, {ROUNDS} times each: a server dies, leaves, joins; a broker dies; the database crashes (seed {SEED})",
       limit=300 + 300 * ROUNDS)
def _():
    cluster, database = services.Service("kafka", NODES="3"), services.Service("postgres")
    for round in range(ROUNDS):
        fleet = Fleet(cluster, database, f"chaos{round}")
        play(fleet, SEED + round)
        fleet.close()
    cluster.close()
    database.close()


if __name__ == "__main__":
    run()
