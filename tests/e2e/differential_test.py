#!/usr/bin/env python3
"""One scenario through every transport: talk, refused sends, lines that are cut at random moments, clients that change
transport in the middle. Every client ends with the room's log, by running hash. The seed is printed; PARLEY_SEED sets it."""
import asyncio
import os
import pathlib
import random
import secrets
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, expect, long_tier, run
from harness.pairs import Side
from harness.ports import free_port
from harness.scenario import Scenario

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))


@check(f"10 000 messages over every transport, cut and switched: every list is the room's log (seed {SEED})", limit=400)
def _():
    for seed in range(SEED, SEED + (3 if long_tier() else 1)):
        with Server() as server:
            scenario = Scenario(server, seed, messages=10_000)
            scenario.play(limit=150)
            scenario.compare()


@check(f"the same by two listeners, with TLS and without (seed {SEED})", limit=200)
def _():
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # the server has made its certificate itself
    port = free_port()
    with Server({"listeners": f"https://127.0.0.1:{port}", "tls.self_signed": "true"}) as server:
        scenario = Scenario(server, SEED, messages=3_000, rooms=2, doors=[(server.host, server.port), (server.host, port, trusting)])
        scenario.play(limit=100)
        scenario.compare()


async def converse(door, rng, pairs, messages):
    """In each pair both speak; the first has two sessions. Returns the three sides of each."""
    async def one(n):
        one, other = f"p-{n}-a", f"p-{n}-b"
        sides = [Side(door, one, other), Side(door, other, one), Side(door, one, other)]
        listening = [asyncio.ensure_future(s.listen()) for s in sides]

        async def speak(side, name, mine):
            for i in range(messages):
                saying = asyncio.ensure_future(side.say(f"{name} {i} 안녕", f"{name}-{i}"))
                if mine.random() < 0.04:
                    await asyncio.sleep(mine.choice([0, 0.001, 0.005]))
                    mine.choice(sides).cut()
                await saying
        await asyncio.gather(*(speak(s, f"s{n}{i}", random.Random(rng.random())) for i, s in enumerate(sides)))
        end = time.monotonic() + 30
        while any(s.last < 3 * messages and not s.problems for s in sides) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # for what should not come
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        return sides
    return await asyncio.gather(*(one(n) for n in range(pairs)))


@check(f"one-to-one: both sides and a second session end with the same list, cut at random (seed {SEED})", limit=120)
def _():
    each = 300 if long_tier() else 60
    with Server() as server:
        for sides in asyncio.run(converse((server.host, server.port), random.Random(SEED), 8, each)):
            equal([(s.last, s.problems) for s in sides], [(3 * each, [])] * 3, f"heard, and what was wrong (PARLEY_SEED={SEED})")
            equal({s.hash.hex() for s in sides}, {sides[0].hash.hex()}, "their lists")
            expect(all(0 < seq <= 3 * each for s in sides for seq in s.acks.values()), "an ack with a seq that is none")


if __name__ == "__main__":
    run()
