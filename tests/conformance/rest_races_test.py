#!/usr/bin/env python3
"""REST under concurrency, limits and slow readers: one message per messageId, one account per name, one order per room."""
import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, check, equal, expect, request, run
from harness.http import Connection, head_bytes
from harness.rooms import fill, history, invite, join, make_private, position, post
from harness.tokens import token


def at_once(count, act):
    """act(0), act(1), … on threads that start together; their results in that order."""
    results, gate = [None] * count, threading.Barrier(count)

    def one(i):
        gate.wait()
        results[i] = act(i)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def get(server, path, member="u-7", **query):
    return request(server, "GET", path, token=token(member), **query)


# the same thing at once

@check("one messageId posted twelve times at once is one message: one 201, the others 200 and equal")
def _(server):
    for round in range(5):
        answers = at_once(12, lambda _, id=f"same-{round}": post(server, "race-1", "once", messageId=id))
        equal(sorted(a.status for a in answers), [200] * 11 + [201])
        equal(len({a.body for a in answers}), 1, "bodies")
    equal([m["seq"] for m in history(server, "race-1")], [1, 2, 3, 4, 5])


@check("posts at once from many members have seqs without a hole, and each answer is what history has")
def _(server):
    answers = at_once(24, lambda i: [post(server, "race-2", f"{i}-{n}", member=f"u-{i}").json() for n in range(5)])
    stored = history(server, "race-2", after=0, limit=500)
    equal([m["seq"] for m in stored], list(range(1, 121)))
    equal(sorted((m for answer in answers for m in answer), key=lambda m: m["seq"]), stored)


@check("a name registered by ten at once has one account")
def _(server):
    answers = at_once(10, lambda i: request(server, "POST", "/v1/member/register", json={"name": "wanted", "password": f"password-{i}"}, within=30))
    made = [i for i, a in enumerate(answers) if a.status == 201]
    equal(len(made), 1, "accounts")
    expect({a.status for a in answers} <= {201, 409, 503}, f"{[a.status for a in answers]}")
    login = request(server, "POST", "/v1/auth/login", json={"name": "wanted", "password": f"password-{made[0]}"})
    equal(login.json()["data"]["id"], answers[made[0]].json()["data"]["id"])


@check("a room made by ten at once has one owner, and unknown rooms come to be once")
def _(server):
    answers = at_once(10, lambda i: request(server, "POST", "/api/rooms", json={"roomId": "race-3"}, token=token(f"u-{i}")))
    equal(sorted(a.status for a in answers), [201] + [409] * 9)
    owner = next(a for a in answers if a.status == 201).json()["ownerId"]
    equal(get(server, "/api/rooms/race-3").json()["ownerId"], owner)
    equal({a.status for a in at_once(10, lambda i: join(server, "race-4", f"u-{i}"))}, {200})


@check("ten joins of one member at once are one record")
def _(server):
    make_private(server, "race-5")
    invite(server, "race-5", "u-j")
    equal({a.status for a in at_once(10, lambda _: join(server, "race-5", "u-j"))}, {200})
    equal([m["event"] for m in history(server, "race-5", "u-own") if m["type"] == "SYSTEM"], ["INVITED", "JOINED"])


@check("a kick that meets a join and a leave ends the membership, whatever their order", limit=60)
def _(server):
    for round in range(20):
        room = f"race-k{round}"
        make_private(server, room)
        invite(server, room, "u-j")
        if round % 2:
            join(server, room, "u-j")
        kicked, joined, _ = at_once(3, lambda i: (
            request(server, "DELETE", f"/api/rooms/{room}/members/u-j", token=token("u-own")) if i == 0 else
            join(server, room, "u-j") if i == 1 else request(server, "POST", f"/api/rooms/{room}/leave", token=token("u-j"))))
        events = [m["event"] for m in history(server, room, "u-own") if m["type"] == "SYSTEM"]
        expect(kicked.status in (200, 404) and joined.status in (200, 404), f"{kicked} {joined}")
        if "KICKED" in events:
            expect("JOINED" not in events[events.index("KICKED"):], f"{events}")
        equal(get(server, f"/api/rooms/{room}/messages", "u-j").status, 404, f"{events}")


# positions

@check("a position above the head or of another epoch is 409 POSITION_INVALID and says what is there")
def _(server):
    fill(server, "pos-1", 4)
    epoch, head = position(server, "pos-1")
    for query in ({"after": 5}, {"after": 0, "epoch": int(epoch) + 1}, {"epoch": int(epoch) + 1}):
        answer = get(server, "/api/rooms/pos-1/messages", **query)
        body = answer.json()
        equal((answer.status, body["code"], body["epoch"], body["firstSeq"], body["headSeq"]), (409, "POSITION_INVALID", epoch, 1, 4), f"{query}")
    equal(get(server, "/api/rooms/pos-1/messages", after=4, epoch=epoch).json(), [])
    equal([m["seq"] for m in get(server, "/api/rooms/pos-1/messages", before=10**15, limit=2).json()], [3, 4])
    equal(get(server, "/api/rooms/pos-1/replay", **{"from-seq": 6}).status, 409)
    equal(get(server, "/api/rooms/pos-1/messages").header("x-parley-first-seq"), "1")


@check("limit=501 gives 500; a page of huge messages is cut by bytes, and the next page goes on")
def _(server):
    for i in range(40):
        post(server, "pos-2", f"{i}" + "x" * 100_000)
    seen = []
    while page := get(server, "/api/rooms/pos-2/messages", after=seen[-1] if seen else 0, limit=501).json():
        expect(sum(len(m["content"]) for m in page) < 4_000_000, "page")
        seen += [m["seq"] for m in page]
    equal(seen, list(range(1, 41)))


# replay

@check("replay: from a time, from the end, HEAD, and never both")
def _(server):
    messages = fill(server, "rep-1", 6)

    def seqs(**query):
        answer = get(server, "/api/rooms/rep-1/replay", **query)
        equal((answer.status, answer.header("content-type").split(";")[0]), (200, "application/x-ndjson"))
        return [json.loads(line)["seq"] for line in answer.text.splitlines()]
    equal(seqs(), [1, 2, 3, 4, 5, 6])
    equal(seqs(**{"from-seq": 7}), [])
    equal(seqs(**{"from-seq": 0})[0], 1)
    expect(seqs(**{"from-time": messages[3]["createdAt"]})[-3:] == [4, 5, 6], "from-time")
    equal(seqs(**{"from-time": "2999-01-01T00:00:00Z"}), [])
    for query in ({"from-seq": 1, "from-time": "2026-01-01"}, {"from-seq": "x"}, {"from-time": "yesterday"}):
        equal(get(server, "/api/rooms/rep-1/replay", **query).status, 400, f"{query}")
    head = request(server, "HEAD", "/api/rooms/rep-1/replay", token=token("u-7"))
    equal((head.status, head.header("x-parley-head-seq"), head.body), (200, "6", b""))


def most_memory_mb(server):
    return int(next(line for line in open(f"/proc/{server.process.pid}/status") if line.startswith("VmHWM")).split()[1]) // 1024


@check("replay waits for a slow reader instead of filling memory, and then is complete", limit=120)
def _(server):
    room, messages = "rep-2", 500
    for i in range(messages):
        post(server, room, f"{i}:" + "y" * 100_000)
    before = most_memory_mb(server)
    readers = [Connection(server.port, receive_buffer=65536) for _ in range(8)]
    for reader in readers:
        reader.send(head_bytes("GET", f"/api/rooms/{room}/replay", [("Host", f"127.0.0.1:{server.port}"), ("Authorization", f"Bearer {token('u-7')}")]))
        equal(reader.head().status, 200)
    bodies, reading = [bytearray() for _ in readers], set(range(len(readers)))
    while reading:  # in turn, so that none takes nothing for the send time limit
        for i in list(reading):
            data = readers[i].chunk()
            bodies[i] += data
            if not data:
                reading.remove(i)
                readers[i].close()
    for body in bodies:
        equal([json.loads(line)["seq"] for line in body.splitlines()], list(range(1, messages + 1)))
    grown = most_memory_mb(server) - before
    expect(grown < 240, f"grew by {grown} MB for {8 * messages // 10} MB of answers")


@check("a reader that leaves in the middle of a replay harms nobody")
def _(server):
    fill(server, "rep-3", 50)
    for i in range(20):
        with Connection(server.port) as reader:
            reader.send(head_bytes("GET", "/api/rooms/rep-2/replay" if i % 2 else "/api/rooms/rep-3/replay", [("Host", f"127.0.0.1:{server.port}"), ("Authorization", f"Bearer {token('u-7')}")]))
            if i % 3:
                reader.head()
    equal(len(history(server, "rep-3")), 50)


# limits

@check("a ticket opens connections: it is no way to a fresh token or another ticket")
def _(server):
    for path in ("/v1/auth/refresh", "/v1/auth/ticket"):
        ticket = request(server, "POST", "/v1/auth/ticket", token=token("u-7")).json()["data"]["ticket"]
        answer = request(server, "POST", path, token=ticket)
        equal((answer.status, answer.json()["data"]), (401, None), path)


@check("rates: POST, logins and new rooms above them are 429 with Retry-After; others go on")
def _():
    with Server({"rate.enabled": "true", "rate.room_create": "5/1m", "rate.login": "5/1m"}) as server:
        answers = [post(server, "rate-1", "x") for _ in range(140)]
        refused = [a for a in answers if a.status == 429]
        expect(refused and {a.status for a in answers} == {201, 429}, f"{ {a.status for a in answers} }")
        equal((refused[0].code(), refused[0].header("retry-after").isdigit()), ("CHAT_RATE_LIMITED", True))
        equal(post(server, "rate-1", "x", member="u-other").status, 201)
        rooms = [request(server, "POST", "/api/rooms", json={}, token=token("u-rooms")).status for _ in range(8)]
        equal(set(rooms), {201, 429})
        logins = [request(server, "POST", "/v1/auth/login", json={"name": "no", "password": "no"}) for _ in range(8)]
        equal({a.status for a in logins}, {401, 429})
        refused = [a for a in logins if a.status == 429]
        equal({a.json()["resultCode"] for a in refused}, {"429-1"})
        expect(all(10 <= int(a.header("retry-after")) <= 12 for a in refused), "Retry-After is not when the next one passes")


@check("more logins at once than can be hashed are 503 with Retry-After, never a queue without end", limit=60)
def _(server):
    answers = at_once(150, lambda _: request(server, "POST", "/v1/auth/login", json={"name": "x", "password": "wrong password"}, within=50))
    expect({a.status for a in answers} <= {401, 503}, f"{ {a.status for a in answers} }")
    expect(all(a.header("retry-after") for a in answers if a.status == 503), "Retry-After")


if __name__ == "__main__":
    run(Shared())
