"""One seeded scenario for players of every transport: talk, coming and going, refused sends, cuts at random moments. In the
end every list is the room's log, by running hash."""
import asyncio
import collections
import random
import time

from .evening import RunningHash, Writer
from .http import request
from .players import BY_CURSOR, KINDS, Player
from .rooms import join, make_private, whole_history
from .suite import equal, expect

CUTS_EACH = 4
PRIVATE = "scenario-private"
REFUSED = {
    # what is wrong: (what differs from good words, the code each transport must answer, over REST where the room is in the path)
    "blank content": ({"content": " \n\t "}, "CHAT_INVALID_PAYLOAD"),
    "NUL in content": ({"content": "a\0b"}, "CHAT_INVALID_PAYLOAD"),
    "an unknown type": ({"type": "SHOUT"}, "CHAT_INVALID_MESSAGE_TYPE"),
    "a room of the server's own": ({"roomId": "~probe"}, "CHAT_INVALID_PAYLOAD", "CHAT_ROOM_NOT_FOUND"),
    "somebody else's private room": ({"roomId": PRIVATE}, "CHAT_ROOM_NOT_FOUND"),
    "a message id that is none": ({"messageId": "x" * 65}, "CHAT_INVALID_PAYLOAD"),
}


class Scenario:
    """`kinds` in each of `rooms` rooms, one player each, who say `messages` in all. `server` is asked for the logs, `doors` are
    where players connect, each at the next one. `patient` players try again what is refused because something is away. `turn` is awaited
    before each message."""

    def __init__(self, server, seed, messages, rooms=4, doors=None, kinds=(*BY_CURSOR, *KINDS, "switching", "switching"), patient=False, turn=None):
        self.server, self.seed, self.messages, self.turn = server, seed, messages, turn
        self.writer, self.numbers = Writer(seed), iter(range(messages))
        rng = random.Random(seed)
        doors = doors or [(server.host, server.port)]
        make_private(server, PRIVATE)
        self.players = [Player(doors[(r + i) % len(doors)], random.Random(rng.random()), f"d-{r}-{i}", f"scene-{r}", kind, patient)
                        for r in range(rooms) for i, kind in enumerate(kinds)]
        for player in self.players:
            if player.kind in BY_CURSOR:
                self._make_member(player)

    def _make_member(self, player):
        """Who goes by cursor begins with the record of its joining; what was before is history."""
        first = request(self.server, "GET", "/api/messages", token=player.token)
        player.cursor = first.header("x-parley-cursor")
        equal(join(self.server, player.room, player.member).status, 200, "join")
        for message in whole_history(self.server, player.room)[:-1]:
            player.take(message)

    def play(self, limit, meanwhile=None):
        """`meanwhile` is a coroutine that runs beside it, until all is said."""
        asyncio.run(self._play(limit, meanwhile))

    async def _play(self, limit, meanwhile):
        count, rest = divmod(self.messages, len(self.players))
        listening = [asyncio.ensure_future(p.listen()) for p in self.players]
        beside = [asyncio.ensure_future(meanwhile(self))] if meanwhile else []
        talking = asyncio.gather(*(self._talk(p, count + (i < rest)) for i, p in enumerate(self.players)))
        tasks = [*listening, *beside, talking]
        try:
            await asyncio.wait([talking, *beside], timeout=limit, return_when=asyncio.FIRST_EXCEPTION)
            for task in (task for task in beside if task.done()):
                task.result()  # what went wrong beside may be why nothing is said any more
            if not talking.done():
                raise AssertionError(f"not all was said: {[p.standing() for p in self.players if p.saying]}")
            await asyncio.gather(talking, *beside)
            heads = {p.room: whole_history(self.server, p.room)[-1]["seq"] for p in self.players}
            end = time.monotonic() + limit
            while any(p.last < heads[p.room] and not p.problems for p in self.players) and time.monotonic() < end:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)  # for what should not come
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _talk(self, player, count):
        """Says `count` messages, comes and goes, is cut off in between and while an answer is awaited, is refused now and then."""
        rng = player.random
        cuts = {rng.randrange(count) for _ in range(CUTS_EACH)}
        refusals = {rng.randrange(count) for _ in range(3)}
        for i in range(count):
            if self.turn:
                await self.turn()
            words = {"roomId": player.room, "content": self.writer.content(""), "messageId": f"m-{next(self.numbers)}"}
            if i in refusals:
                why = rng.choice(list(REFUSED))
                await player.must_be_refused(why, {**words, "messageId": f"no-{words['messageId']}", **REFUSED[why][0]})
            coming = ["JOIN", "LEAVE"] if i == 1 else [rng.choice(["JOIN", "LEAVE"])] if rng.random() < 0.02 else []
            for kind in coming:
                await player.come_or_go({**words, "type": kind, "messageId": f"{kind}-{words['messageId']}"})
            saying = asyncio.ensure_future(player.say(words))
            if i in cuts:
                await asyncio.sleep(rng.choice([0, 0, 0.001, 0.003, 0.01]))
                player.cut()
            await saying

    def compare(self):
        """Fails where a list is not the log, a message is missing or there twice, or a refusal was another than it should be."""
        logs = {room: whole_history(self.server, room) for room in sorted({p.room for p in self.players})}
        hashes = {}
        for room, log in logs.items():
            equal([m["seq"] for m in log], list(range(1, len(log) + 1)), f"seqs of {room}")
            hashed = RunningHash()
            for message in log:
                hashed.add(message)
            hashes[room] = hashed.hex()
        wrong = [p.report() for p in self.players if p.hash.hex() != hashes[p.room] or p.problems]
        equal(wrong, [], f"{len(wrong)} of {len(self.players)} lists differ (PARLEY_SEED={self.seed})")

        stored = [m for log in logs.values() for m in log]
        expect({"TALK", "JOIN", "LEAVE", "SYSTEM"} <= {m["type"] for m in stored}, "a kind of message that nobody sent")
        said = collections.Counter(m["messageId"] for m in stored if m["type"] == "TALK")
        equal((len(said), max(said.values())), (self.messages, 1), "messages, and how often each")
        by_id = {m["messageId"]: m for m in stored}
        for player in self.players:
            for id, seq in player.acknowledged.items():
                equal((by_id[id]["senderId"], by_id[id]["roomId"]), (player.member, player.room), id)
                expect(seq in (None, by_id[id]["seq"]), f"{id} was told seq {seq} and has {by_id[id]['seq']}")
        equal(self._wrong_refusals(), set(), "answers to the refused that differ")
        expect(all(p.cuts for p in self.players), "somebody was never cut off")

    def _wrong_refusals(self):
        def wanted(why, spoken):
            return REFUSED[why][-1] if spoken == "REST" else REFUSED[why][1]
        heard = {told for p in self.players for told in p.refusals}
        equal({why for why, _, _ in heard}, set(REFUSED), "what was tried to be refused")
        return {(why, spoken, code) for why, spoken, code in heard if code != wanted(why, spoken)}
