#!/usr/bin/env python3
"""Protocol section 3, operations: what a SEND does, receipts, refusals, ACK and NACK, transactions, dedup."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Shared, Stomp, check, equal, expect, request, run
from harness.tokens import token


def history(server, room, member="u-7", **query):
    answer = request(server, "GET", f"/api/rooms/{room}/messages", token=token(member), **query)
    equal(answer.status, 200, "history")
    return answer.json()


# the message

@check("a message has exactly the fields of section 1, the session's sender and the server's time")
def _(server):
    with Stomp(server, "u-7", nickname="앨리스", room="r-msg") as client:
        client.watch()
        body = {"type": "TALK", "roomId": "r-msg", "content": "안녕", "senderId": "u-forged", "senderNickname": "x", "seq": 99,
                "createdAt": "1999-01-01T00:00:00Z", "timestamp": 5, "unknown": [1]}
        client.send("/pub/chat/send", body)
        message = client.message().json()
        equal(set(message), {"messageId", "roomId", "seq", "senderId", "senderNickname", "content", "type", "createdAt"})
        equal((message["senderId"], message["senderNickname"], message["seq"], message["type"]), ("u-7", "앨리스", 1, "TALK"))
        expect(message["createdAt"].endswith("Z") and len(message["createdAt"]) == 24 and message["createdAt"] > "2020", message["createdAt"])
        expect(len(message["messageId"]) == 36 and message["messageId"][14] == "7", f"no UUIDv7: {message['messageId']}")
        equal(history(server, "r-msg"), [message])


@check("MESSAGE has its six headers, and message-id is roomId:seq")
def _(server):
    with Stomp(server, room="r-hdr") as client:
        id, _ = client.watch()
        client.say("x")
        client.say("y")
        frame = client.until("y")[-1]
        equal((frame["destination"], frame["subscription"], frame["message-id"], frame["seq"]), ("/sub/chat/room/r-hdr", id, "r-hdr:2", "2"))
        expect(frame["content-type"].startswith("application/json"), frame["content-type"])
        equal(int(frame["content-length"]), len(frame.body))


@check("content comes back unchanged: never trimmed, every plane, long, quotes and controls")
def _(server):
    texts = ["  spaces  ", "\n\ttabs\n", "😀👩‍👩‍👧‍👦🇰🇷", '"\\/\b\f\r', "\u2028\u2029\ufeff", "ㅎㅏㄴ 한", "<b>&amp;</b>", "\x01\x1f\x7f", "a" * 60_000, "\ud7ff\ue000\U0010ffff"]
    with Stomp(server, room="r-same") as client:
        client.watch()
        for text in texts:
            client.say(text)
            equal(client.message().json()["content"], text)
    equal([m["content"] for m in history(server, "r-same")], texts)


@check("seq is dense and createdAt never falls")
def _(server):
    with Stomp(server, "u-1", room="r-dense") as one, Stomp(server, "u-2", room="r-dense") as two:
        one.watch()
        for i in range(200):
            (one if i % 2 else two).chat(f"{i}")
        two.say("end")
        seen = [f.json() for f in one.until("end")]
        if len(seen) < 201:
            seen += [f.json() for f in (one.message() for _ in range(201 - len(seen)))]
        equal([m["seq"] for m in seen], list(range(1, 202)))
        times = [m["createdAt"] for m in seen]
        equal(times, sorted(times))


@check("a sender's messages keep their order, and its receipts come after the message is in the history")
def _(server):
    with Stomp(server, room="r-order") as client:
        for i in range(30):
            client.say(f"{i}")
            equal(history(server, "r-order", limit=1, before=i + 2)[-1]["content"], f"{i}")


# refusals on /user/queue/errors

BAD = {
    "no JSON": (b"hello", "CHAT_INVALID_PAYLOAD"),
    "JSON cut short": (b'{"type":"TALK","roomId":"r-bad","content":"x"', "CHAT_INVALID_PAYLOAD"),
    "an array": (b"[]", "CHAT_INVALID_PAYLOAD"),
    "nothing": (b"", "CHAT_INVALID_PAYLOAD"),
    "bytes that are no UTF-8": (b'{"type":"TALK","roomId":"r-bad","content":"\xff"}', "CHAT_INVALID_PAYLOAD"),
    "deep nesting": (b'{"type":"TALK","roomId":"r-bad","content":"x","y":' + b"[" * 5000 + b"]" * 5000 + b"}", "CHAT_INVALID_PAYLOAD"),
    "no type": ({"roomId": "r-bad", "content": "x"}, None),
    "an unknown type": ({"type": "SHOUT", "roomId": "r-bad", "content": "x"}, "CHAT_INVALID_MESSAGE_TYPE"),
    "a lower-case type": ({"type": "talk", "roomId": "r-bad", "content": "x"}, "CHAT_INVALID_MESSAGE_TYPE"),
    "a type that is the server's": ({"type": "SYSTEM", "roomId": "r-bad", "content": "x"}, "CHAT_INVALID_MESSAGE_TYPE"),
    "the type as a number": ({"type": 1, "roomId": "r-bad", "content": "x"}, None),
    "no roomId (the handshake's never fills in)": ({"type": "TALK", "content": "x"}, "CHAT_INVALID_PAYLOAD"),
    "a roomId of 121 characters": ({"type": "TALK", "roomId": "r" * 121, "content": "x"}, None),
    "a roomId with a slash": ({"type": "TALK", "roomId": "a/b", "content": "x"}, None),
    "a roomId that begins with ~": ({"type": "TALK", "roomId": "~probe", "content": "x"}, None),
    "no content": ({"type": "TALK", "roomId": "r-bad"}, "CHAT_INVALID_PAYLOAD"),
    "content null": ({"type": "TALK", "roomId": "r-bad", "content": None}, "CHAT_INVALID_PAYLOAD"),
    "content that is a number": ({"type": "TALK", "roomId": "r-bad", "content": 7}, "CHAT_INVALID_PAYLOAD"),
    "empty content": ({"type": "TALK", "roomId": "r-bad", "content": ""}, "CHAT_INVALID_PAYLOAD"),
    "content of white space": ({"type": "TALK", "roomId": "r-bad", "content": " \t\n\u3000\u00a0"}, "CHAT_INVALID_PAYLOAD"),
    "content with U+0000": ({"type": "TALK", "roomId": "r-bad", "content": "a\0b"}, "CHAT_INVALID_PAYLOAD"),
    "a messageId of 65 characters": ({"type": "TALK", "roomId": "r-bad", "content": "x", "messageId": "m" * 65}, "CHAT_INVALID_PAYLOAD"),
    "an empty messageId": ({"type": "TALK", "roomId": "r-bad", "content": "x", "messageId": ""}, "CHAT_INVALID_PAYLOAD"),
    "a messageId with a space": ({"type": "TALK", "roomId": "r-bad", "content": "x", "messageId": "a b"}, "CHAT_INVALID_PAYLOAD"),
    "a messageId that begins with ~": ({"type": "TALK", "roomId": "r-bad", "content": "x", "messageId": "~x"}, None),
    "a messageId that is a number": ({"type": "TALK", "roomId": "r-bad", "content": "x", "messageId": 5}, "CHAT_INVALID_PAYLOAD"),
}
for what, (body, code) in BAD.items():
    @check(f"refused on /user/queue/errors: a SEND with {what}")
    def _(server, body=body, code=code):
        with Stomp(server, room="r-bad") as client:
            client.watch_errors()
            client.send("/pub/chat/send", body, receipt="never")
            refused = client.refusal(code)
            expect(refused["message"] and refused.get("receiptId") == "never", f"{refused}")
            client.settle()
            expect(all(f.get("receipt-id") != "never" for f in client.inbox), "a RECEIPT came all the same")


@check("nothing of what was refused is stored")
def _(server):
    equal(history(server, "r-bad"), [])


for destination in ("/sub/chat/room/r-7", "/user/queue/errors", "/topic/public", "/pub/no/such", "/app/chat.sendMessage", "nonsense", "/pub", "/pub/chat/send/"):
    @check(f"refused: a SEND to {destination}")
    def _(server, destination=destination):
        with Stomp(server) as client:
            client.watch_errors()
            client.send(destination, {"type": "TALK", "roomId": "r-7", "content": "x"})
            client.refusal()


for destination in ("/sub/chat", "/sub/chat/room/", "/sub/chat/room/a/b", "/sub/chat/room/~probe", "/sub/**", "/sub/chat/room/*", "/topic/public",
                    "/user/queue/other", "/user/u-8/queue/errors", "/sub/admin", "anything", "/pub/chat/send"):
    @check(f"deny by default: a SUBSCRIBE to {destination} is refused")
    def _(server, destination=destination):
        with Stomp(server) as client:
            client.watch_errors()
            client.subscribe(destination, id="no", wait=False)
            client.refusal()


@check("without an errors subscription a refusal that asked for a receipt is ERROR and close")
def _(server):
    with Stomp(server) as client:
        client.chat(" ", receipt="want")
        error = client.error()
        equal(error.get("receipt-id"), "want")
        client.closing()


@check("without an errors subscription and receipt a refusal is only counted, and the connection stays")
def _(server):
    with Stomp(server) as client:
        client.chat(" ")
        client.say("next")


# dedup

@check("the same messageId again is the same message: same seq, delivered once, acknowledged again")
def _(server):
    with Stomp(server, room="r-dup") as client:
        client.watch()
        client.say("one", messageId="m-1")
        client.say("one", messageId="m-1")
        client.say("something else", messageId="m-1")
        client.say("two", messageId="m-2")
        equal([(f.seq, f.json()["content"]) for f in client.until("two")], [(1, "one"), (2, "two")])
    with Stomp(server, room="r-dup") as again:
        again.say("one", messageId="m-1")
    answer = request(server, "POST", "/api/rooms/r-dup/messages", json={"content": "one", "messageId": "m-1"}, token=token("u-7"))
    equal((answer.status, answer.json()["seq"]), (200, 1))


@check("the same messageId of another sender or in another room is another message")
def _(server):
    with Stomp(server, "u-1", room="r-dup2") as one, Stomp(server, "u-2", room="r-dup2") as two:
        one.say("a", messageId="same")
        two.say("b", messageId="same")
        one.say("c", room="r-dup3", messageId="same")
    equal([m["content"] for m in history(server, "r-dup2")], ["a", "b"])
    equal([m["content"] for m in history(server, "r-dup3")], ["c"])


# ACK and NACK

def take(client, count, sub):
    return [client.message(sub) for _ in range(count)]


@check("ack:client-individual with prefetch-count 2 sends two, and one more for each ACK")
def _(server):
    with Stomp(server, room="r-ack") as client:
        sub, _ = client.watch(ack="client-individual", prefetch_count="2")
        for i in range(5):
            client.say(f"{i}")
        first, second = take(client, 2, sub)
        client.settle()
        equal([f for f in client.inbox if f.get("subscription") == sub], [], "messages past the bound")
        client.send_frame("ACK", {"id": second["ack"]})
        equal(client.message(sub).json()["content"], "2")
        client.send_frame("NACK", {"id": first["ack"]})
        equal(client.message(sub).json()["content"], "3")


@check("ack:client acknowledges everything up to the message")
def _(server):
    with Stomp(server, room="r-ackc") as client:
        sub, _ = client.watch(ack="client", prefetch_count="3")
        for i in range(6):
            client.say(f"{i}")
        frames = take(client, 3, sub)
        client.send_frame("ACK", {"id": frames[2]["ack"]})
        equal([f.json()["content"] for f in take(client, 3, sub)], ["3", "4", "5"])


@check("ack in 1.1 names message-id and subscription")
def _(server):
    with Stomp(server, room="r-ack11", version="1.1") as client:
        sub, _ = client.watch(ack="client", prefetch_count="1")
        client.say("a")
        client.say("b")
        frame = client.message(sub)
        client.send_frame("ACK", {"message-id": frame["message-id"], "subscription": sub})
        equal(client.message(sub).json()["content"], "b")


@check("UNSUBSCRIBE ends delivery, and its RECEIPT means so")
def _(server):
    with Stomp(server, room="r-uns") as client:
        sub, _ = client.watch()
        client.say("before")
        client.message(sub)
        client.send_frame("UNSUBSCRIBE", {"id": sub, "receipt": "gone"})
        client.receipt("gone")
        client.say("after")
        client.settle()
        equal([f for f in client.inbox if f.command == "MESSAGE"], [])


@check("two subscriptions of one room on one connection each get every message")
def _(server):
    with Stomp(server, room="r-two") as client:
        one, _ = client.watch()
        two, _ = client.watch()
        client.say("x")
        equal({client.message(one).seq, client.message(two).seq}, {1})


# transactions

def transact(client, name, contents, room, end="COMMIT", **more):
    client.send_frame("BEGIN", {"transaction": name})
    for content in contents:
        client.chat(content, room=room, transaction=name, **more)
    receipt = client.new_receipt()
    client.send_frame(end, {"transaction": name, "receipt": receipt})
    return receipt


@check("COMMIT stores all, adjacent in seq, and ABORT stores nothing")
def _(server):
    with Stomp(server, "u-1", room="r-tx") as client, Stomp(server, "u-2", room="r-tx") as noise:
        client.receipt(transact(client, "lost", ["never"], "r-tx", end="ABORT"))
        receipt = transact(client, "t1", [f"t{i}" for i in range(20)], "r-tx")
        for i in range(20):
            noise.chat(f"noise {i}")
        client.receipt(receipt)
        noise.say("end")
    contents = [m["content"] for m in history(server, "r-tx", limit=500)]
    at = contents.index("t0")
    equal(contents[at:at + 20], [f"t{i}" for i in range(20)])
    expect("never" not in contents, "an aborted message is stored")


@check("a transaction's messages each have their own dedup key")
def _(server):
    with Stomp(server, room="r-txd") as client:
        client.say("one", messageId="k1")
        client.send_frame("BEGIN", {"transaction": "t"})
        client.chat("one", messageId="k1", transaction="t")
        client.chat("two", messageId="k2", transaction="t")
        client.send_frame("COMMIT", {"transaction": "t", "receipt": "c"})
        client.receipt("c")
    equal([m["messageId"] for m in history(server, "r-txd")], ["k1", "k2"])


@check("a second room in a transaction is an ERROR")
def _(server):
    with Stomp(server, room="r-tx1") as client:
        client.send_frame("BEGIN", {"transaction": "t"})
        client.chat("a", room="r-tx1", transaction="t")
        client.chat("b", room="r-tx2", transaction="t")
        client.send_frame("COMMIT", {"transaction": "t"})
        client.error()
        client.closing()
    equal((history(server, "r-tx1"), history(server, "r-tx2")), ([], []))


@check("a transaction takes 100 messages, not 101")
def _(server):
    with Stomp(server, room="r-tx100") as client:
        client.receipt(transact(client, "t", [f"{i}" for i in range(100)], "r-tx100"))
    with Stomp(server, room="r-tx101") as client:
        transact(client, "t", [f"{i}" for i in range(101)], "r-tx101")
        client.error()
        client.closing()
    equal((len(history(server, "r-tx100", limit=500)), len(history(server, "r-tx101"))), (100, 0))


@check("a transaction of more than 512 KiB is an ERROR and stores nothing")
def _(server):
    with Stomp(server, room="r-txkb") as client:
        transact(client, "t", ["x" * 110_000] * 5, "r-txkb")
        client.error()
        client.closing()
    equal(history(server, "r-txkb"), [])


@check("an open transaction of a connection that ends stores nothing")
def _(server):
    with Stomp(server, room="r-txe") as client:
        client.send_frame("BEGIN", {"transaction": "t"})
        client.chat("never", transaction="t")
        client.settle()
    with Stomp(server, room="r-txe") as client:
        client.say("end")
    equal([m["content"] for m in history(server, "r-txe")], ["end"])


if __name__ == "__main__":
    run(Shared())
