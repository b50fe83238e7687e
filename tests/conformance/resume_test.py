#!/usr/bin/env python3
"""Protocol sections 1 and 3, resume: after-seq, since, last, read, epochs, and positions that are not there."""
import os
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Skip, SockJsSocket, Stomp, check, equal, eventually, expect, request, run
from harness.rooms import fill, history, position, post
from harness.tokens import token


def watched(server, room, until, member="u-7", **headers):
    """What a new subscription gets up to the message `until`: [(seq, replayed?)], checked to be gap-free."""
    with Stomp(server, member, room=room) as client:
        client.watch(room, **headers)
        if until == "live":
            post(server, room, "live", member="u-live")
        frames = client.until(until)
        seqs = [f.seq for f in frames]
        equal(seqs, list(range(seqs[0], seqs[0] + len(seqs))), "gap-free seqs")
        return [(f.seq, f.get("replay") == "true") for f in frames]


@check("without a position delivery starts with what comes after the RECEIPT")
def _(server):
    fill(server, "r-live", 5)
    equal(watched(server, "r-live", "live"), [(6, False)])


@check("after-seq: 0 gives everything, replayed frames marked, live ones not")
def _(server):
    fill(server, "r-all", 5)
    equal(watched(server, "r-all", "live", after_seq="0"), [(i, i <= 5) for i in range(1, 7)])


@check("after-seq: N gives what lies above N")
def _(server):
    fill(server, "r-n", 10)
    equal([s for s, _ in watched(server, "r-n", "m10", after_seq="7")], [8, 9, 10])


@check("after-seq at the head gives only what comes")
def _(server):
    fill(server, "r-head", 3)
    equal(watched(server, "r-head", "live", after_seq="3"), [(4, False)])


@check("after-seq: 0 of a room that is not there yet is allowed and makes nothing; its first message arrives")
def _(server):
    with Stomp(server, room="r-none") as client:
        client.watch(after_seq="0")
        equal(history(server, "r-none"), [])
        post(server, "r-none", "first")
        equal(client.message().seq, 1)


@check("last: N gives the last N, or all when there are fewer")
def _(server):
    fill(server, "r-last", 10)
    equal([s for s, _ in watched(server, "r-last", "m10", last="3")], [8, 9, 10])
    equal([s for s, _ in watched(server, "r-last", "m10", last="500")], list(range(1, 11)))
    equal(watched(server, "r-last", "live", last="0"), [(11, False)])


@check("since: may start early, never late")
def _(server):
    messages = fill(server, "r-since", 10)
    first = watched(server, "r-since", "m10", since=messages[6]["createdAt"])[0][0]
    at_that_time = next(m["seq"] for m in messages if m["createdAt"] >= messages[6]["createdAt"])
    expect(first <= at_that_time, f"started at {first}, seq {at_that_time} has that time")
    equal(watched(server, "r-since", "m10", since="2001-01-01T00:00:00Z")[0][0], 1)
    future = watched(server, "r-since", "live", since="2999-01-01T00:00:00Z")
    equal(future[-1], (11, False))
    expect(len(future) <= 2, f"nearly everything again: {future}")


def mark_read(server, member, room, seq):
    with Stomp(server, member, room=room) as client:
        receipt = client.new_receipt()
        client.send("/pub/chat/read", {"roomId": room, "seq": seq}, receipt=receipt)
        client.receipt(receipt)


@check("read: after the member's read mark")
def _(server):
    fill(server, "r-read", 10)
    mark_read(server, "u-reader", "r-read", 6)
    equal([s for s, _ in watched(server, "r-read", "m10", member="u-reader", after_seq="read")], [7, 8, 9, 10])
    equal(watched(server, "r-read", "m10", member="u-other", after_seq="read")[0][0], 1)


@check("read marks are max(old, min(new, head))")
def _(server):
    fill(server, "r-mark", 5)
    for seq, wanted_start in ((3, 4), (1, 4), (900, None)):
        mark_read(server, "u-mark", "r-mark", seq)
        got = watched(server, "r-mark", "live", member="u-mark", after_seq="read")
        head = position(server, "r-mark")[1]
        equal(got[0][0], wanted_start or head, f"after a read mark of {seq}")


@check("the RECEIPT of a SUBSCRIBE and the history carry the epoch; sent back, it is accepted")
def _(server):
    fill(server, "r-ep", 4)
    epoch, head = position(server, "r-ep")
    expect(epoch, "no X-Parley-Epoch")
    equal(head, 4)
    with Stomp(server, room="r-ep") as client:
        _, receipt = client.watch()
        equal(receipt["epoch"], epoch)
    equal([s for s, _ in watched(server, "r-ep", "m4", after_seq="2", epoch=epoch)], [3, 4])


@check("the epoch stays the same after a restart")
def _():
    with Server() as server:
        fill(server, "r-ep", 3)
        before = position(server, "r-ep")
        server.restart()
        equal(position(server, "r-ep"), before)
        equal([s for s, _ in watched(server, "r-ep", "m3", after_seq="1", epoch=before[0])], [2, 3])


for what, headers in (("another epoch", {"after_seq": "1", "epoch": "00000000-not-this-one"}), ("a seq above the head", {"after_seq": "99"})):
    @check(f"POSITION_INVALID: {what} gets epoch, firstSeq and headSeq and no delivery")
    def _(server, headers=headers):
        room = "r-pos" + headers["after_seq"]
        fill(server, room, 4)
        epoch, _ = position(server, room)
        with Stomp(server, room=room) as client:
            client.watch_errors()
            client.subscribe(f"/sub/chat/room/{room}", id="bad", wait=False, **headers)
            refused = client.refusal("POSITION_INVALID")
            equal((refused["epoch"], refused["firstSeq"], refused["headSeq"]), (epoch, 1, 4))
            client.say("not for you")
            client.settle()
            equal([f for f in client.inbox if f.get("subscription") == "bad"], [])


for what, headers in (("after-seq that is no number", {"after_seq": "x"}), ("a negative after-seq", {"after_seq": "-1"}), ("since that is no time", {"since": "yesterday"}),
                      ("last that is no number", {"last": "many"}), ("an after-seq past 64 bits", {"after_seq": "99999999999999999999999"})):
    @check(f"refused: {what}")
    def _(server, headers=headers):
        fill(server, "r-badpos", 1)
        with Stomp(server, room="r-badpos") as client:
            client.watch_errors()
            client.subscribe("/sub/chat/room/r-badpos", id="bad", wait=False, **headers)
            client.refusal()


@check("HISTORY_TRUNCATED: a position below what is kept is told firstSeq, and delivery goes on from there", limit=120)
def _():
    if os.environ.get("PARLEY_TEST_STORE", "").startswith("kafka "):
        raise Skip("over Kafka nothing is trimmed")
    with Server({"log.keep_bytes": "1MiB"}) as server:
        room, text = "r-trunc", "내용 " * 4000
        with Stomp(server, room=room) as client:
            for i in range(3000):
                client.chat(text, room)
                if i % 100 == 99:
                    client.settle()
            client.say(text, room)
        eventually(lambda: history(server, room, after=0, limit=1)[0]["seq"] > 1, limit=90, what="old messages trimmed")
        with Stomp(server, room=room) as client:
            client.watch_errors()
            client.watch(after_seq="0")
            post(server, room, "end")
            at, told = 0, 0
            while at < 3002:
                frame = client.next()
                if frame.get("subscription") == "errors":
                    body = frame.json()
                    equal((body["code"], body["roomId"]), ("HISTORY_TRUNCATED", room))
                    expect(body["firstSeq"] > at + 1, f"told {body['firstSeq']} at {at}")
                    at, told = body["firstSeq"] - 1, told + 1
                elif frame.command == "MESSAGE":
                    equal(frame.seq, at + 1, "a hole that nobody told")
                    at = frame.seq
            expect(told > 0, "never told")
        for position in ("from-seq=1", "from-time=2020-01-01T00:00:00Z"):
            answer = request(server, "GET", f"/api/rooms/{room}/replay?{position}", token=token("u-7"))
            equal(answer.header("X-Parley-Truncated"), "HISTORY_TRUNCATED", position)


@check("under constant traffic every resume joins the live stream without gap or double", limit=60)
def _(server):
    room, stop = "r-busy", threading.Event()

    def talk():
        with Stomp(server, "u-busy", room=room) as client:
            while not stop.wait(0.02):  # a pace that a reader written in Python can overtake
                for _ in range(4):
                    client.chat("busy")
                client.say("busy")
    talker = threading.Thread(target=talk)
    talker.start()
    try:
        eventually(lambda: position(server, room)[1] > 200, what="traffic")
        for start in (0, 50, 150):
            for make in (lambda: None, lambda: SockJsSocket(server, "/ws-chat", "xhr_streaming", token=token("u-7"), roomId=room)):
                with Stomp(server, room=room, socket=make()) as client:
                    client.watch(after_seq=str(start))
                    head = position(server, room)[1] + 300
                    seqs = []
                    while not seqs or seqs[-1] < head:
                        seqs.append(client.message().seq)
                    equal(seqs, list(range(start + 1, start + 1 + len(seqs))), "seqs")
    finally:
        stop.set()
        talker.join()


@check("ten subscribers with ten positions get the same end of the list")
def _(server):
    fill(server, "r-ten", 40)
    clients = [Stomp(server, f"u-{i}", room="r-ten") for i in range(10)]
    for i, client in enumerate(clients):
        client.watch(after_seq=str(i * 4))
    post(server, "r-ten", "end")
    for i, client in enumerate(clients):
        equal([f.seq for f in client.until("end")], list(range(i * 4 + 1, 42)))
        client.close()


if __name__ == "__main__":
    run(Shared())
