#!/usr/bin/env python3
"""Three servers over one PostgreSQL and one Redis, people of one room spread over all of them by every transport, while servers are
killed, Redis hangs and comes back empty and the database crashes: every list is the room's log."""
import asyncio
import concurrent.futures
import os
import pathlib
import secrets
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, long_tier, run, services
from harness.rooms import whole_history
from harness.scenario import Scenario

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
ROUNDS = 20 if long_tier() else 2
MESSAGES = 1_500


def servers_of(database, redis, name):
    common = {"log.kind": "store", "store.kind": "postgres", "postgres.url": database.url, "postgres.schema": name,
              "bus.kind": "redis", "cache.kind": "redis", "redis.url": redis.url, "redis.prefix": name}
    return [Server(common).start() for _ in range(3)]


# One thread to the end: what a thread started ends with it.
THREAD = concurrent.futures.ThreadPoolExecutor(1)


async def in_thread(call, *arguments):
    await asyncio.get_running_loop().run_in_executor(THREAD, call, *arguments)


async def a_server_is_killed(servers, database, redis, rng):
    victim = rng.choice(servers)
    await in_thread(victim.kill)
    await in_thread(victim.start)


async def redis_hangs(servers, database, redis, rng):
    redis.signal(signal.SIGSTOP)
    await asyncio.sleep(2)
    redis.signal(signal.SIGCONT)


async def redis_comes_back_empty(servers, database, redis, rng):
    await in_thread(redis.kill)
    await in_thread(redis.start)
    await in_thread(redis.command, "FLUSHALL")


async def the_database_crashes(servers, database, redis, rng):
    await in_thread(database.kill)
    await in_thread(database.start)


@check(f"people at three servers, {ROUNDS} times each: a server dies, Redis hangs, Redis comes back empty, the database crashes (seed {SEED})",
       limit=90 + 60 * ROUNDS)
def _():
    database, redis = services.Service("postgres"), services.Service("redis")
    for round in range(ROUNDS):
        servers = servers_of(database, redis, f"chaos{round}")
        scenario = Scenario(servers[0], SEED + round, MESSAGES, rooms=1, doors=[(s.host, s.port) for s in servers],
                            patient=True)

        async def disturb(scenario, servers=servers):
            troubles = [a_server_is_killed, redis_hangs, redis_comes_back_empty, the_database_crashes]
            rng = scenario.players[0].random
            rng.shuffle(troubles)
            for part, trouble in enumerate(troubles, 1):
                while sum(len(p.acknowledged) for p in scenario.players) < part * scenario.messages // (len(troubles) + 1):
                    await asyncio.sleep(0.01)
                await trouble(servers, database, redis, rng)
        scenario.play(120, disturb)
        scenario.compare()
        room = scenario.players[0].room
        for server in servers[1:]:
            equal(whole_history(server, room), whole_history(servers[0], room), "the log at another server")
        for server in servers:
            server.close()
    redis.close()
    database.close()


if __name__ == "__main__":
    run()
