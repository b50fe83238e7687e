"""An evening of tabletop role-playing as it would be recorded: 8 rooms, 40 people, 20 000 messages, made from a seed.

The same seed gives the same bytes on every machine: only Random.random() is used, whose sequence Python fixes."""
import hashlib
import json
import random

ROOMS, PEOPLE, MESSAGES = 8, 40, 20_000
NAMES = ["앨리스", "Bob", "초코우유", "dragon_slayer", "하늘", "Mina 미나", "🎲주사위신", "Élodie", "김던전", "마법사 "] + [f"모험가{n}" for n in range(1, 31)]
PLACES = ["폐허가 된 성채", "the flooded crypt", "얼어붙은 협곡", "the harbour market at dusk", "거미의 둥지", "the observatory", "마왕의 옥좌", "a nameless inn"]
FOES = ["고블린", "the lich", "늑대 무리", "a mimic", "붉은 용", "two bandits", "그림자 자객", "the duke's guard"]
DICE = ["1d20", "2d6", "1d100", "4d6", "1d8", "3d10"]
EMOJI = ["😂", "🔥", "🎲", "👩‍👩‍👧‍👦", "🇰🇷", "⚔️", "🐉", "😱", "👍🏽"]
SHORT = ["ㅋㅋㅋㅋ", "ㅠㅠ", "ok", "네!", "wait", "잠시만요", "lol", "오오오", "굴려요", "who's next?", "gg", "진짜요??", "…", "brb", "ㄱㄱ"]
OPENINGS = ["문이 삐걱거리며 열리고, ", "You push on through the dust; ", "횃불이 흔들리더니 ", "Somewhere below, water drips, and ", "긴 침묵 끝에 "]
CLAUSES = ["벽에는 오래된 문자가 빼곡히 새겨져 있습니다", "the air tastes of iron and old rain", "발밑의 돌판이 아주 조금 내려앉습니다",
           "nobody has walked here for a hundred years", "멀리서 북소리가 들려옵니다", "a single lantern burns, though no hand lit it",
           "당신의 그림자가 한 박자 늦게 움직입니다", "the door behind you is no longer there"]


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return int(self.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def dice(self):
        dice = self.pick(DICE)
        count, sides = map(int, dice.split("d"))
        rolls = [1 + self.below(sides) for _ in range(count)]
        bonus = self.below(8)
        return f"🎲 {dice}+{bonus} → {'+'.join(map(str, rolls))}+{bonus} = {sum(rolls) + bonus}" + (" 대성공!" if rolls[0] == sides else "")

    def description(self):
        clauses = [self.pick(CLAUSES) for _ in range(3 + self.below(30))]
        return f"【{self.pick(PLACES)}】\n" + self.pick(OPENINGS) + ", ".join(clauses) + f".\n\n앞에는 {self.pick(FOES)}. What do you do?"

    def content(self, last):
        kind = self.random()
        if kind < 0.25:
            return self.pick(SHORT)
        if kind < 0.42:
            return self.dice()
        if kind < 0.55 and last:
            return f'> "{last[:80]}"\n{self.pick(SHORT)} {self.pick(EMOJI)}'
        if kind < 0.62:
            return self.pick(EMOJI) * (1 + self.below(5))
        if kind < 0.68:
            return self.description()
        if kind < 0.80:
            return f"{self.pick(FOES)}에게 {self.pick(['검을 휘두릅니다', '화살을 쏩니다', 'cast fireball', '말을 겁니다'])}! ({self.pick(DICE)})"
        if kind < 0.90:
            return f"I search {self.pick(PLACES)} for \\traps\\ and \"secret\" doors: {self.below(1000)} gold?\t{self.pick(SHORT)}"
        return f"{self.pick(NAMES)}, {self.pick(CLAUSES)} — {self.pick(['정말', 'really', '설마'])}? {self.pick(EMOJI)}"


def people(rooms=ROOMS, count=PEOPLE):
    """Who sits where: five a table; the first of each table also listens at the next one."""
    seats = count // rooms
    cast = []
    for i in range(count):
        home = i // seats
        listens = [f"table-{home}"] + ([f"table-{(home + 1) % rooms}"] if i % seats == 0 else [])
        cast.append({"id": f"u-{i:02d}", "nickname": NAMES[i], "home": f"table-{home}", "rooms": listens})
    return cast


def script(seed=20261120, messages=MESSAGES, length_ms=25_000, rooms=ROOMS, count=PEOPLE):
    """The evening's events in order of time: {at, who, room, messageId, content}, and {at, who, cut: true} where a line
    breaks. Scenes are bursts, pauses lie between them; four hours are played in `length_ms`."""
    writer, cast = Writer(seed), people(rooms, count)
    seats = count // rooms
    events, last = [], {}
    clocks = [writer.random() * 0.01 for _ in range(rooms)]
    bursts = [0] * rooms
    for n in range(messages):
        table = writer.below(rooms)
        if bursts[table] == 0:
            bursts[table] = 5 + writer.below(60)
            clocks[table] += writer.random() * 0.06
        bursts[table] -= 1
        clocks[table] += writer.random() * 0.0006
        who = cast[table * seats + writer.below(seats)]
        content = writer.content(last.get(table))
        last[table] = content.replace("\n", " ")
        events.append({"at": clocks[table], "who": who["id"], "room": who["home"], "messageId": f"eve-{n:05d}", "content": content})
    longest = max(clocks)
    for person in cast:
        for _ in range(2):
            events.append({"at": longest * (0.1 + 0.8 * writer.random()), "who": person["id"], "cut": True})
    for event in events:
        event["at"] = int(event["at"] / longest * length_ms)
    events.sort(key=lambda e: (e["at"], e.get("messageId", "")))
    return events


def digest(events):
    return hashlib.sha256(json.dumps(events, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class RunningHash:
    """A list of messages as one number: equal for two readers only when every field of every message, and their order, is."""
    FIELDS = ("seq", "messageId", "roomId", "senderId", "senderNickname", "type", "createdAt", "content")

    def __init__(self):
        self.value, self.count = b"\0" * 32, 0

    def add(self, message):
        line = "\n".join(str(message[f]) for f in self.FIELDS)
        self.value = hashlib.sha256(self.value + line.encode()).digest()
        self.count += 1

    def hex(self):
        return self.value.hex()
