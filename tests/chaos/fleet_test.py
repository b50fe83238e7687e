#!/usr/bin/env python3
"""Three servers over one PostgreSQL and one Redis, people of one room spread over all of them by every transport, while servers are
killed, Redis hangs and comes back empty, the database crashes and links are slow or silent: every list is the room's log."""
import asyncio
import os
import pathlib
import secrets
import signal
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, eventually, long_tier, run, services
from harness.relays import relays
from harness.rooms import degraded, post, whole_history
from harness.scenario import Scenario
from harness.troubles import Aftermath, in_thread

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
ROUNDS = 20 if long_tier() else 2
MESSAGES = 1_500


class World:
    """A PostgreSQL and a Redis; each of three servers reaches both through relays of its own."""

    def __init__(self):
        self.database, self.redis = services.Service("postgres"), services.Service("redis")
        self.links = [relays(2) for _ in range(3)]
        self.servers = []

    def through(self, relay, url):
        parts = urllib.parse.urlsplit(url)
        relay.lead_to(parts.port)
        return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{relay.port}")).geturl()

    def start(self, name):
        common = {"log.kind": "store", "store.kind": "postgres", "postgres.schema": name, "bus.kind": "redis", "cache.kind": "redis", "redis.prefix": name}
        self.servers = [Server({**common, "postgres.url": self.through(to_database, self.database.url),
                                "redis.url": self.through(to_redis, self.redis.url)}).start() for to_database, to_redis in self.links]

    def resumes(self):
        """Waits until every server stores messages; how long that took."""
        begun = time.monotonic()
        for server in self.servers:
            eventually(lambda: post(server, "after", "on we go").status == 201, limit=60, what="service by itself")
        return time.monotonic() - begun

    def all_is_well(self):
        for server in self.servers:
            eventually(lambda: degraded(server) == [], limit=60, what="a /ready without faults")

    def close(self):
        for server in self.servers:
            server.close()


async def a_server_is_killed(world, rng):
    victim = rng.choice(world.servers)
    await in_thread(victim.kill)
    await in_thread(victim.start, 90)


async def redis_hangs(world, rng):
    world.redis.signal(signal.SIGSTOP)
    await asyncio.sleep(2)
    world.redis.signal(signal.SIGCONT)


async def redis_comes_back_empty(world, rng):
    await in_thread(world.redis.kill)
    await in_thread(world.redis.start)
    await in_thread(world.redis.command, "FLUSHALL")


async def the_database_crashes(world, rng):
    await in_thread(world.database.kill)
    await in_thread(world.database.start)


async def links_are_slow(world, rng):
    """To the database and to Redis, of one server or more."""
    slow = [relay for links in rng.sample(world.links, rng.randint(1, 3)) for relay in links]
    for relay in slow:
        relay.slow()
    await asyncio.sleep(3)
    for relay in slow:
        relay.clear()


async def the_links_of_a_server_stand_still(world, rng):
    """Connections stay, and nothing comes: it says so."""
    number = rng.randrange(len(world.servers))
    for relay in world.links[number]:
        relay.stall()
    await in_thread(eventually, lambda: "log" in degraded(world.servers[number]), 60, "the fault at /ready")
    for relay in world.links[number]:
        relay.clear()


TROUBLES = [a_server_is_killed, redis_hangs, redis_comes_back_empty, the_database_crashes, links_are_slow, the_links_of_a_server_stand_still]


@check(f"people at three servers, {ROUNDS} times each: a server dies, Redis hangs, Redis comes back empty, the database crashes, links are slow, silent (seed {SEED})",
       limit=120 + 120 * ROUNDS)
def _():
    world = World()
    for round in range(ROUNDS):
        world.start(f"chaos{round}")
        scenario = Scenario(world.servers[0], SEED + round, MESSAGES, rooms=1, doors=[(s.host, s.port) for s in world.servers], patient=True)
        aftermath = Aftermath(world.resumes)

        async def disturb(scenario):
            rng = scenario.players[0].random
            troubles = rng.sample(TROUBLES, len(TROUBLES))
            for part, trouble in enumerate(troubles, 1):
                while sum(len(p.acknowledged) for p in scenario.players) < part * scenario.messages // (len(troubles) + 1):
                    await asyncio.sleep(0.01)
                print("# " + await aftermath.of(trouble, world, rng), file=sys.stderr)
        scenario.play(180, disturb)
        aftermath.expect_soon()
        world.all_is_well()
        scenario.compare()
        room = scenario.players[0].room
        for server in world.servers[1:]:
            equal(whole_history(server, room), whole_history(world.servers[0], room), "the log at another server")
        world.close()
    world.redis.close()
    world.database.close()


if __name__ == "__main__":
    run()
