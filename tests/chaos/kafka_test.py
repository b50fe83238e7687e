#!/usr/bin/env python3
"""Three servers over a Kafka of three brokers, one PostgreSQL and one Redis, people of one room spread over all of them by every transport,
while brokers and servers die and stand still, links are cut, slow and silent, the database crashes, Redis hangs and comes back empty, and
servers come and go: every list is the room's log."""
import asyncio
import contextlib
import functools
import itertools
import os
import pathlib
import random
import secrets
import signal
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, check, equal, eventually, expect, long_tier, run, services, table
from harness.links import Links
from harness.relays import relays
from harness.rooms import degraded, history, post, whole_history
from harness.scenario import Scenario
from harness.troubles import Aftermath, in_thread

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
ROUNDS = 20 if long_tier() else 2
PORTION = 60  # of messages, for each trouble


class World:
    """A Kafka of three brokers and a PostgreSQL, which servers reach through relays, and a Redis."""

    def __init__(self):
        try:
            self.links = Links()
        except Skip as reason:
            print(f"# no link is cut: {reason}", file=sys.stderr)
            self.links = None
        *self.to_brokers, self.to_database = relays(4)
        self.cluster = services.Service("kafka", NODES="3", RELAYS=" ".join(str(relay.port) for relay in self.to_brokers))
        self.database, self.redis = services.Service("postgres"), services.Service("redis")
        for relay, port in zip(self.to_brokers, self.cluster.relayed_ports()):
            relay.lead_to(port)
        url = urllib.parse.urlsplit(self.database.url)
        self.to_database.lead_to(url.port)
        self.brokers = ",".join(f"127.0.0.1:{relay.port}" for relay in self.to_brokers)
        self.database_url = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{self.to_database.port}")).geturl()


class Fleet:
    """Three servers over a topic and a schema of their own."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.cluster, self.database, self.links = world.cluster, world.database, world.links
        self.broker_ports = [relay.port for relay in world.to_brokers]
        self.settings = {"log.kind": "kafka", "kafka.brokers": world.brokers, "kafka.topics.chat": name, "kafka.group_prefix": name + ".",
                         "kafka.partitions": 6, "store.kind": "postgres", "postgres.url": world.database_url, "postgres.schema": name,
                         "bus.kind": "redis", "cache.kind": "redis", "redis.url": world.redis.url, "redis.prefix": name}
        self.servers = [self.joining().start() for _ in range(3)]

    def joining(self):
        server = Server(self.settings)
        return self.links.own(server) if self.links else server

    def resumes(self):
        """Waits until every server stores messages of every partition; how long that took."""
        begun = time.monotonic()
        for server in self.servers:
            for n in range(6):
                eventually(lambda: post(server, f"after-{n}", "on we go").status == 201, limit=60, what="service by itself")
        return time.monotonic() - begun

    def all_is_well(self):
        for server in self.servers:
            eventually(lambda: degraded(server) == [], limit=60, what="a /ready without faults")

    def positions(self):
        """How far the table is in each partition."""
        return dict(map(int, row.split("|")) for row in self.database.sql(f"SELECT part, next FROM {self.name}.positions").split())

    def stores_all(self, server):
        """Waits until what one server takes, in rooms of every partition, is in the table."""
        seqs = {f"after-{n}": eventually(lambda: post(server, f"after-{n}", "stored?").json().get("seq"), limit=60, what="an answer") for n in range(6)}
        heads = f"SELECT room, head FROM {self.name}.heads WHERE room LIKE 'after-%'"

        def is_there():
            known = dict(row.split("|") for row in self.database.sql(heads).split())
            return all(int(known.get(room, 0)) >= seq for room, seq in seqs.items())
        eventually(is_there, limit=90, what="all of it in the table")

    def close(self):
        for server in self.servers:
            server.close()


class Troubles:
    """Each takes something away, `more` messages are acknowledged meanwhile, and it comes back. There is something to say for each."""

    def __init__(self, fleet, rng):
        self.fleet, self.rng = fleet, rng
        self.order = [self.a_server_is_killed, self.the_servers_are_restarted_in_turn, self.one_more_server_joins_and_leaves,
                      self.a_server_stands_still, self.a_broker_is_killed, self.a_broker_stands_still, self.the_database_crashes,
                      self.redis_hangs, self.redis_comes_back_empty, self.links_are_slow, self.all_links_stand_still]
        if fleet.links:
            self.order += [self.a_link_to_a_broker_is_cut, self.all_links_to_brokers_are_cut, self.the_link_to_the_database_is_cut]
        rng.shuffle(self.order)
        self.allowed = self.said = 0
        self.aftermath = Aftermath(fleet.resumes)
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
            saying = asyncio.ensure_future(self.trickle())
            await asyncio.sleep(self.rng.random() * 0.2)
            said = await self.aftermath.of(trouble)
            await saying
            print(f"# {said}, {self.acknowledged()} acknowledged", file=sys.stderr)
        self.allowed = scenario.messages

    async def a_server_is_killed(self):
        victim = self.rng.choice(self.fleet.servers)
        await in_thread(victim.kill)
        await self.more()
        await in_thread(victim.start, 90)

    async def the_servers_are_restarted_in_turn(self):
        """As for an upgrade: each is asked to end, the others take over, it comes back."""
        for server in self.fleet.servers:
            equal(await in_thread(server.stop), 0, "exit status")
            if server is self.fleet.servers[0]:
                await self.more()
            await in_thread(server.start, 90)

    async def one_more_server_joins_and_leaves(self):
        guest = self.fleet.joining()
        await in_thread(guest.start, 90)
        await self.more()
        await in_thread(guest.stop)
        guest.close()

    async def a_server_stands_still(self):
        """The others do its work, the table's writer among it; what it had begun does no harm when it wakes."""
        stuck, other = self.rng.sample(self.fleet.servers, 2)
        stuck.process.send_signal(signal.SIGSTOP)
        await self.more()
        await in_thread(self.fleet.stores_all, other)
        before = await in_thread(self.fleet.positions)
        stuck.process.send_signal(signal.SIGCONT)
        await in_thread(self.fleet.stores_all, stuck)
        after = await in_thread(self.fleet.positions)
        expect(all(after[part] >= next_ for part, next_ in before.items()), f"the table went back from {before} to {after}")

    async def a_broker_is_killed(self):
        broker = self.rng.randrange(3)
        self.fleet.cluster.signal(signal.SIGKILL, f"node{broker}/pid")
        await self.more()
        await in_thread(self.fleet.cluster.control, "start-node", str(broker))

    async def a_broker_stands_still(self):
        broker = self.rng.randrange(3)
        self.fleet.cluster.signal(signal.SIGSTOP, f"node{broker}/pid")
        await self.more()
        self.fleet.cluster.signal(signal.SIGCONT, f"node{broker}/pid")

    async def a_link_to_a_broker_is_cut(self):
        server, port = self.rng.choice(self.fleet.servers), self.rng.choice(self.fleet.broker_ports)
        self.fleet.links.cut(server, port)
        await self.more()
        await asyncio.sleep(self.rng.uniform(1, 6))  # it may lead nothing just now: there is no sign to wait for
        self.fleet.links.mend(server, port)

    async def all_links_to_brokers_are_cut(self):
        server = self.rng.choice(self.fleet.servers)
        for port in self.fleet.broker_ports:
            self.fleet.links.cut(server, port)
        await in_thread(self.says_that_it_is_cut_off, server)
        await self.more()
        for port in self.fleet.broker_ports:
            self.fleet.links.mend(server, port)

    async def links_are_slow(self):
        """Of all servers, to some brokers or all, to the database too now and then."""
        slow = self.rng.sample([*self.fleet.world.to_brokers, self.fleet.world.to_database], self.rng.randint(1, 4))
        for relay in slow:
            relay.slow()
        await asyncio.sleep(3)
        await self.more()
        for relay in slow:
            relay.clear()

    async def all_links_stand_still(self):
        """Connections stay, and nothing comes: every server refuses, and says so."""
        for relay in self.fleet.world.to_brokers:
            relay.stall()
        for server in self.fleet.servers:
            await in_thread(self.says_that_it_is_cut_off, server)
        for relay in self.fleet.world.to_brokers:
            relay.clear()

    def says_that_it_is_cut_off(self, server):
        eventually(lambda: post(server, "cut-off", "hello?").status == 503 and "log" in degraded(server), limit=60, what="the fault at /ready")

    async def the_link_to_the_database_is_cut(self):
        server, port = self.rng.choice(self.fleet.servers), self.fleet.world.to_database.port
        self.fleet.links.cut(server, port)
        await self.more()
        await in_thread(eventually, lambda: "store" in degraded(server), 60, "the fault at /ready")
        self.fleet.links.mend(server, port)

    async def redis_hangs(self):
        self.fleet.world.redis.signal(signal.SIGSTOP)
        witness = self.rng.choice(self.fleet.servers)
        await in_thread(eventually, lambda: "cache" in degraded(witness), 60, "the fault at /ready")
        await self.more()
        self.fleet.world.redis.signal(signal.SIGCONT)

    async def redis_comes_back_empty(self):
        redis = self.fleet.world.redis
        await in_thread(redis.kill)
        await self.more()
        await in_thread(redis.start)
        await in_thread(redis.command, "FLUSHALL")

    async def the_database_crashes(self):
        await in_thread(self.fleet.database.kill)
        witness = self.rng.choice(self.fleet.servers)
        await in_thread(lambda: eventually(lambda: "store" in degraded(witness), limit=60, what="the fault at /ready"))
        await in_thread(self.fleet.database.start)


def play(fleet, seed):
    troubles = Troubles(fleet, random.Random(seed))
    messages = PORTION * (1 + len(troubles.order))
    scenario = Scenario(fleet.servers[0], seed, messages, rooms=1, doors=[(s.host, s.port) for s in fleet.servers], patient=True, turn=troubles.turn)
    scenario.play(600, troubles.disturb)
    print("# all is said", file=sys.stderr)
    troubles.aftermath.expect_soon()
    fleet.all_is_well()
    print("# /ready is without faults", file=sys.stderr)
    scenario.compare()
    room = scenario.players[0].room
    for server in fleet.servers[1:]:
        equal(whole_history(server, room), whole_history(fleet.servers[0], room), "the log at another server")
    table.is_the_topic(fleet.database, fleet.name, fleet.cluster.url, fleet.name, fleet.servers)


@functools.cache
def world():
    return World()


@check("a topic that is made while a broker is away says that it has fewer replicas, then and when the broker is back", limit=180)
def _():
    cluster = world().cluster
    numbers = itertools.count()

    def made_with_fewer():
        """A server and its topic; none while the other brokers do not know yet that one is away: then it has all its replicas."""
        server = Server({"log.kind": "kafka", "kafka.brokers": cluster.url, "kafka.topics.chat": f"made-early-{next(numbers)}", "kafka.partitions": 3}).start()
        if "fewer brokers answer than kafka.replication asks for" in server.log():
            return server
        server.close()
        return None

    cluster.control("stop-node", "2")
    try:
        server = eventually(made_with_fewer, limit=60, what="a line when the topic is made")
    finally:
        cluster.control("start-node", "2")
    with contextlib.closing(server):
        equal(post(server, "r-1", "hello").status, 201)

        def is_told():
            server.restart()
            return "the topic has fewer replicas than it could have" in server.log()
        eventually(is_told, limit=60, what="a line at the start")
        equal(history(server, "r-1")[0]["content"], "hello")


@check(f"people at three servers, {ROUNDS} times each: servers die, are restarted in turn, join, stand still; a broker dies, stands still; links are cut, slow, silent; the database crashes; Redis hangs, is empty (seed {SEED})",
       limit=300 + 300 * ROUNDS)
def _():
    for round in range(ROUNDS):
        fleet = Fleet(world(), f"chaos{round}")
        play(fleet, SEED + round)
        fleet.close()


if __name__ == "__main__":
    run()
