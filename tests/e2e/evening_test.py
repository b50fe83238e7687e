#!/usr/bin/env python3
"""A recorded-like evening of 20 000 messages through STOMP and SockJS clients of two languages: each person's list,
as one running hash, is the room's log. 0 lost, 0 doubled, 0 out of order, with every line cut twice."""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from harness import Server, check, equal, expect, long_tier, npm, run, tokens
from harness.evening import RunningHash, digest, people, script
from harness.rooms import whole_history

KNOWN_DIGEST = "5d6eaba7270db964f339956dac9980533dba5fdb6725a026277d7f8d8c717b35"
JS_KINDS = ["stompjs 7 over ws", "stompjs 7 over SockJS websocket", "stompjs 7 over SockJS xhr-streaming", "stompjs 7 over SockJS xhr-polling",
            "Stomp.over(new SockJS) websocket", "Stomp.over(new SockJS) xhr-streaming", "Stomp.over(new SockJS) xhr-polling"]


def cast(server):
    """Every other person in JavaScript, each kind of client in turn, the others in Python."""
    everybody = people()
    for i, person in enumerate(everybody):
        person["kind"] = JS_KINDS[(i // 2) % len(JS_KINDS)] if i % 2 == 0 else "Python websockets"
        person["token"] = tokens.token(person["id"], person["nickname"])
    return everybody


def play(server, events, limit):
    counts = collections.Counter(e["room"] for e in events if "room" in e)
    npm.install()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(events, file, ensure_ascii=False)
        file.flush()
        players = []
        for program, chosen in ((["node", str(npm.FOLDER / "evening_player.cjs")], lambda k: k != "Python websockets"),
                                ([str(HERE / "evening_player.py")], lambda k: k == "Python websockets")):
            task = {"address": f"127.0.0.1:{server.port}", "events": file.name, "counts": counts, "began": int(time.time() * 1000) + 1500,
                    "people": [p for p in cast(server) if chosen(p["kind"])]}
            player = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            player.stdin.write(json.dumps(task))
            player.stdin.close()
            players.append(player)
        reports = []
        for player in players:
            try:
                out, noise = player.stdout.read(), player.stderr.read()
                equal(player.wait(limit), 0, f"a player's exit status ({noise[-300:]})")
            finally:
                player.kill()
            reports += [json.loads(line) for line in out.splitlines()]
    return counts, reports


@check("the evening regenerates identically from its seed")
def _():
    equal(digest(script()), KNOWN_DIGEST, "digest")
    events = [e for e in script() if "room" in e]
    equal((len(events), len({e["room"] for e in events}), len({e["who"] for e in events})), (20_000, 8, 40))


@check("20 000 messages, 40 people, 8 rooms: every list is the room's log", limit=400)
def _():
    rounds = 3 if long_tier() else 1
    for seed in range(20261120, 20261120 + rounds):
        with Server() as server:
            events = script(seed)
            counts, reports = play(server, events, limit=180)
            sent = {e["messageId"]: e for e in events if "room" in e}
            logs = {}
            for room, count in counts.items():
                log = whole_history(server, room)
                equal([m["seq"] for m in log], list(range(1, count + 1)), f"seqs of {room}")
                for message in log:
                    equal((message["senderId"], message["content"]), (sent[message["messageId"]]["who"], sent[message["messageId"]]["content"]))
                hashed = RunningHash()
                for message in log:
                    hashed.add(message)
                logs[room] = hashed.hex()
            wrong = [f"{r['who']} ({r['kind']}) in {r['room']}: {r['count']} of {counts[r['room']]}, {r['problems']}" for r in reports
                     if r["hash"] != logs[r["room"]] or r["problems"]]
            equal(wrong, [], f"{len(wrong)} of {len(reports)} lists differ")
            expect(len(reports) == 48, f"{len(reports)} reports")


if __name__ == "__main__":
    run()
