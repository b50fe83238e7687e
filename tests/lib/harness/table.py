"""The messages in PostgreSQL: whole, and what the counting rule makes of the topic that the group db-writer brings there."""
import collections
import json
import subprocess

from .rooms import position
from .suite import equal, eventually

PATIENCE = 60
PROBE = "~probe"  # somebody always says something there


def _rows(database, schema, select):
    answer = database.sql(f"SET search_path = {schema}; SELECT to_json(found) FROM ({select}) found")
    return [json.loads(row) for row in answer.split("\n") if row]


def is_whole(database, schema):
    """No room has a hole, no message is there twice, none beyond its partition's position."""
    equal(_rows(database, schema, """SELECT h.room, h.head, count(m.seq), max(m.seq) FROM heads h LEFT JOIN messages m ON m.room = h.no
                                     GROUP BY h.room, h.head HAVING count(m.seq) <> h.head OR coalesce(max(m.seq), 0) <> h.head"""), [], "rooms with a hole")
    equal(_rows(database, schema, "SELECT room, sender, id FROM messages GROUP BY room, sender, id HAVING count(*) > 1"), [], "messages that are there twice")
    equal(_rows(database, schema, "SELECT m.part, m.pos, next FROM messages m JOIN positions p ON p.part = m.part WHERE m.pos >= p.next"), [],
          "rows beyond their position")


def counted(brokers, topic):
    """Of the topic's records, by the rule of docs/kafka.md and apart from the server's code: each room's (id, sender, partition, offset) in order."""
    ran = subprocess.run(["kcat", "-C", "-e", "-q", "-b", brokers, "-t", topic, "-o", "beginning", "-J"], capture_output=True, text=True, errors="replace",
                         check=True, timeout=PATIENCE)
    records = [json.loads(line) for line in ran.stdout.split("\n") if line]
    rooms, seen = collections.defaultdict(list), set()
    for record in sorted(records, key=lambda record: (record["partition"], record["offset"])):
        room, headers = record["key"], record["headers"]
        pairs = list(zip(headers[::2], headers[1::2]))
        ids, senders = ([value for name, value in pairs if name == wanted] for wanted in ("messageId", "senderId"))
        for id, sender in zip(ids, senders if len(senders) == len(ids) else senders * len(ids)):
            if (room, sender, id) not in seen:
                seen.add((room, sender, id))
                rooms[room].append([id, sender, record["partition"], record["offset"]])
    rooms.pop(PROBE, None)
    return rooms


def is_the_topic(database, schema, brokers, topic, servers, private=()):
    """Waits for the table, then fails where a message is missing, doubled, another or elsewhere. Servers are asked for the heads of other rooms
    than `private` ones."""
    log = counted(brokers, topic)
    equal(bool(log), True, "something in the topic")

    def heads():
        return {row["room"]: row["head"] for row in _rows(database, schema, "SELECT room, head FROM heads")}
    eventually(lambda: (lambda known: all(known.get(room, 0) >= len(wanted) for room, wanted in log.items()))(heads()), PATIENCE,
               "a table that has everything")
    table = collections.defaultdict(list)
    for row in _rows(database, schema, "SELECT h.room, id, sender, m.part, pos FROM messages m JOIN heads h ON h.no = m.room ORDER BY m.room, seq"):
        table[row["room"]].append([row["id"], row["sender"], row["part"], row["pos"]])
    for room, wanted in log.items():
        equal(table[room][:len(wanted)], wanted, f"{room} in the table")
        for server in servers if room not in private and not room.startswith("~") else ():
            eventually(lambda: (position(server, room, or_none=True) or ("", 0))[1] >= len(wanted), PATIENCE, f"{len(wanted)} messages of {room} at a server")
    is_whole(database, schema)
