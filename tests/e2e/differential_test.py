#!/usr/bin/env python3
"""One scenario through every transport: talk, refused sends, lines that are cut at random moments, clients that change
transport in the middle. Every client ends with the room's log, by running hash. The seed is printed; PARLEY_SEED sets it."""
import asyncio
import collections
import os
import pathlib
import random
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, expect, long_tier, run
from harness.evening import RunningHash, Writer
from harness.pairs import Side
from harness.players import BY_CURSOR, KINDS, Player
from harness.rooms import join, make_private, whole_history
from harness.http import request

SEED = int(os.environ.get("PARLEY_SEED", secrets.randbelow(1 << 32)))
ROOMS = 4
MESSAGES = 10_000
CUTS_EACH = 4
REFUSED = {
    # what is wrong: (what differs from good words, the code each transport must answer, over REST where the room is in the path)
    "blank content": ({"content": " \n\t "}, "CHAT_INVALID_PAYLOAD"),
    "NUL in content": ({"content": "a\0b"}, "CHAT_INVALID_PAYLOAD"),
    "an unknown type": ({"type": "SHOUT"}, "CHAT_INVALID_MESSAGE_TYPE"),
    "a room of the server's own": ({"roomId": "~probe"}, "CHAT_INVALID_PAYLOAD", "CHAT_ROOM_NOT_FOUND"),
    "somebody else's private room": ({"roomId": "diff-private"}, "CHAT_ROOM_NOT_FOUND"),
    "a message id that is none": ({"messageId": "x" * 65}, "CHAT_INVALID_PAYLOAD"),
}


def cast(server, door, rng):
    """In each room one of every kind, and two who change; who goes by cursor is a member first."""
    players = []
    for r in range(ROOMS):
        room = f"diff-{r}"
        for i, kind in enumerate([*BY_CURSOR, *KINDS, "switching", "switching"]):
            players.append(Player(door, random.Random(rng.random()), f"d-{r}-{i}", room, kind))
    for player in players:
        if player.kind not in BY_CURSOR:
            continue
        first = request(server, "GET", "/api/messages", token=player.token)
        player.cursor = first.header("x-parley-cursor")
        equal(join(server, player.room, player.member).status, 200, "join")
        # It begins with the record of its joining; what was before is history.
        for message in whole_history(server, player.room)[:-1]:
            player.take(message)
    return players


async def talk(player, count, number, writer):
    """Says `count` messages, comes and goes, is cut off in between and at times while an answer is awaited, and is refused now and then."""
    rng = player.random
    cuts = {rng.randrange(count) for _ in range(CUTS_EACH)}
    refusals = {rng.randrange(count) for _ in range(3)}
    for i in range(count):
        words = {"roomId": player.room, "content": writer.content(""), "messageId": f"m-{next(number)}"}
        if i in refusals:
            why = rng.choice(list(REFUSED))
            await player.must_be_refused(why, {**words, "messageId": f"no-{words['messageId']}", **REFUSED[why][0]})
        if rng.random() < 0.02:
            await player.come_or_go({**words, "type": rng.choice(["JOIN", "LEAVE"]), "messageId": f"go-{words['messageId']}"})
        saying = asyncio.ensure_future(player.say(words))
        if i in cuts:
            await asyncio.sleep(rng.choice([0, 0, 0.001, 0.003, 0.01]))
            player.cut()
        await saying


async def play(players, heads, limit):
    listening = [asyncio.ensure_future(p.listen()) for p in players]
    try:
        writer = Writer(SEED)
        number = iter(range(1, MESSAGES + 1))
        share = [MESSAGES // len(players) + (i < MESSAGES % len(players)) for i in range(len(players))]
        await asyncio.wait_for(asyncio.gather(*(talk(p, n, number, writer) for p, n in zip(players, share))), limit)
        said = heads()
        end = time.monotonic() + limit
        while any(p.last < said[p.room] and not p.problems for p in players) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # for what should not come
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


def compare(server, players, messages):
    logs = {}
    for room in sorted({p.room for p in players}):
        log = whole_history(server, room)
        equal([m["seq"] for m in log], list(range(1, len(log) + 1)), f"seqs of {room}")
        hashed = RunningHash()
        for message in log:
            hashed.add(message)
        logs[room] = (hashed.hex(), {m["messageId"]: m for m in log})
    wrong = [p.report() for p in players if p.hash.hex() != logs[p.room][0] or p.problems]
    equal(wrong, [], f"{len(wrong)} of {len(players)} lists differ (PARLEY_SEED={SEED})")
    talk_of_all = collections.Counter(m["messageId"] for _, log in logs.values() for m in log.values() if m["type"] == "TALK")
    expect({"TALK", "JOIN", "LEAVE", "SYSTEM"} <= {m["type"] for _, log in logs.values() for m in log.values()}, "a kind of message that nobody sent")
    equal((len(talk_of_all), max(talk_of_all.values())), (messages, 1), "messages, and how often each")
    for player in players:
        log = logs[player.room][1]
        for id, seq in player.acknowledged.items():
            expect(log[id]["senderId"] == player.member, f"{id} was said by another")
            expect(seq in (None, log[id]["seq"]), f"{id} was told seq {seq} and has {log[id]['seq']}")


def wrong_codes(players):
    def wanted(why, spoken):
        return REFUSED[why][2] if spoken == "REST" and len(REFUSED[why]) > 2 else REFUSED[why][1]
    heard = {(why, spoken, code) for p in players for why, spoken, code in p.refusals}
    expect({why for why, _, _ in heard} == set(REFUSED), "not everything was tried")
    return {(why, spoken, code) for why, spoken, code in heard if code != wanted(why, spoken)}


@check(f"10 000 messages over every transport, cut and switched: every list is the room's log (seed {SEED})", limit=400)
def _():
    rounds = 3 if long_tier() else 1
    for _ in range(rounds):
        with Server() as server:
            rng = random.Random(SEED)
            make_private(server, "diff-private")
            players = cast(server, (server.host, server.port), rng)

            def heads():
                return {p.room: whole_history(server, p.room)[-1]["seq"] for p in players}
            asyncio.run(play(players, heads, 150))
            compare(server, players, MESSAGES)
            expect(all(p.cuts >= 1 for p in players), "somebody was never cut off")
            equal(wrong_codes(players), set(), "answers to the refused that differ")


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
