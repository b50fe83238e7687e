#!/usr/bin/env python3
"""One-to-one chat, /ws/direct: section 4 of docs/protocol.md, with the bugs such systems are known for."""
import itertools
import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Refused, Server, Shared, Stomp, WebSocket, check, equal, expect, request, run


class Direct:
    """One side of a conversation. Frames are kept apart by what they are."""

    def __init__(self, server, member, receiver, **query):
        query.setdefault("token", server.token(member))
        self.socket = WebSocket(server, "/ws/direct", receiverId=receiver, **query)
        self.acks, self.messages, self.errors = [], [], []

    def say(self, content, message_id=None, **more):
        self.socket.text(json.dumps({"content": content, **({"messageId": message_id} if message_id else {}), **more}, ensure_ascii=False))
        return self

    def text(self, text):
        self.socket.text(text)
        return self

    def _next(self):
        frame = json.loads(self.socket.message())
        (self.acks if "ack" in frame else self.errors if "code" in frame else self.messages).append(frame)

    def heard(self, count):
        """The contents of the first `count` messages, and that there are no more: what comes behind is a marker of our own."""
        while len(self.messages) < count:
            self._next()
        return [m["content"] for m in self.messages[:count]]

    def acked(self, message_id):
        while not any(a["ack"] == message_id for a in self.acks):
            self._next()
        return [a["seq"] for a in self.acks if a["ack"] == message_id]

    def refused(self):
        while not self.errors:
            self._next()
        return self.errors.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


_numbers = itertools.count(1)


def unique(name):
    return f"{name}-{next(_numbers)}"


def pair():
    return unique("alice"), unique("bob")


@check("both sides see what one says; the speaker gets an ack with the seq")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice, Direct(server, b, a) as bob:
        alice.say("안녕 👋", "m-1")
        equal(alice.acked("m-1"), [1])
        equal((alice.heard(1), bob.heard(1)), (["안녕 👋"], ["안녕 👋"]))
        message = bob.messages[0]
        equal({k: message[k] for k in ("messageId", "seq", "senderId", "receiverId", "type")},
              {"messageId": "m-1", "seq": 1, "senderId": a, "receiverId": b, "type": "TALK"})
        expect(message["roomId"].startswith("~dm:") and message["createdAt"].endswith("Z"), f"{message}")
        bob.say("hi", "m-2")
        equal(alice.heard(2), ["안녕 👋", "hi"])
        equal(alice.messages[1]["receiverId"], a)


@check("regression: messages of another conversation do not show up")
def _(server):
    a, b, c = unique("a"), unique("b"), unique("c")
    with Direct(server, a, b) as ab, Direct(server, a, c) as ac, Direct(server, b, a) as ba, Direct(server, b, c) as bc, Direct(server, c, a) as ca, Direct(server, c, b) as cb:
        said = {}
        for name, socket in (("ab", ab), ("ac", ac), ("ba", ba), ("bc", bc), ("ca", ca), ("cb", cb)):
            for i in range(5):
                socket.say(f"{name}{i}", f"{name}{i}").acked(f"{name}{i}")
            said.setdefault("".join(sorted(name)), []).extend(f"{name}{i}" for i in range(5))
        for one, other, key in ((ab, ba, "ab"), (ac, ca, "ac"), (bc, cb, "bc")):
            one.say("end", f"end-{key}")  # behind everything: nothing can still be on its way
            for socket in (one, other):
                equal(socket.heard(11), said[key] + ["end"], key)
                equal(len(socket.messages), 11, key)


@check("regression: a member with two sessions sees each message once in each, its own too")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as phone, Direct(server, a, b) as desk, Direct(server, b, a) as bob:
        for i in range(10):
            (phone, desk, bob)[i % 3].say(f"{i}", f"m-{i}").acked(f"m-{i}")
        for socket in (phone, desk, bob):
            equal(socket.heard(10), [str(i) for i in range(10)])
            equal([m["seq"] for m in socket.messages], list(range(1, 11)))


@check("the last 50 come first, in order, then live, without gap or double")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        for i in range(1, 71):
            alice.say(f"{i}", f"m-{i}")
        alice.acked("m-70")
        with Direct(server, b, a) as bob:
            for i in range(71, 81):
                alice.say(f"{i}", f"m-{i}")
            while not bob.messages or bob.messages[-1]["seq"] < 80:
                bob.heard(len(bob.messages) + 1)
            first = bob.messages[0]["seq"]  # what is said while bob joins is among his 50, or comes live
            expect(21 <= first <= 31, f"it begins at {first}")
            equal([(m["seq"], m["content"]) for m in bob.messages], [(i, f"{i}") for i in range(first, 81)])


@check("joining in the middle of talk sees each message once")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        talk = threading.Thread(target=lambda: [alice.say(f"{i}", f"m-{i}") for i in range(1, 201)])
        talk.start()
        with Direct(server, b, a, after="0") as bob:
            equal(bob.heard(200), [str(i) for i in range(1, 201)])
        talk.join()


@check("after= resumes where the client was; a seq above the head is told and closes with 4400")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        for i in range(1, 6):
            alice.say(f"{i}", f"m-{i}").acked(f"m-{i}")
    with Direct(server, b, a, after="3") as bob:
        equal(bob.heard(2), ["4", "5"])
    with Direct(server, b, a, after="9") as bob:
        error = bob.refused()
        equal((error["code"], error["headSeq"], error["firstSeq"]), ("POSITION_INVALID", 5, 1))
        equal(bob.socket.closing().code, 4400)


@check("the same messageId again is the same message: acknowledged again, stored and seen once")
def _(server):
    a, b = pair()
    with Direct(server, b, a) as bob:
        with Direct(server, a, b) as alice:
            alice.say("once", "m-1").acked("m-1")
            alice.say("once", "m-1").say("next", "m-2")
            alice.acked("m-2")
            equal(alice.acked("m-1"), [1, 1])
        with Direct(server, a, b) as again:
            equal(again.say("once", "m-1").acked("m-1"), [1])
        equal(bob.heard(2), ["once", "next"])


@check("bare text is a message as it is; an object without content is refused")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        for text in ("hello", "  spaces kept ", "{not json}", "[1,2]", "42", '"quoted"'):
            alice.text(text)
        equal(alice.heard(6), ["hello", "  spaces kept ", "{not json}", "[1,2]", "42", '"quoted"'])
        for text in ("", "   ", "{}", '{"content":7}', '{"content":null}', '{"content":""}', '{"content":"x","messageId":"한"}', '{"message":"x"}'):
            equal(alice.text(text).refused()["code"], "CHAT_INVALID_PAYLOAD", text)
        alice.socket.binary(b"x")
        equal(alice.refused()["code"], "CHAT_INVALID_PAYLOAD")
        equal(alice.say(" ", "m-7").refused()["messageId"], "m-7")
        equal(alice.say("still here", "m-8").acked("m-8"), [7])


@check("sender and receiver come from the session, never from the body")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        alice.say("x", "m-1", senderId="mallory", receiverId="carol", roomId="r-1", seq=99, type="SYSTEM")
        alice.heard(1)
        message = alice.messages[0]
        equal((message["senderId"], message["receiverId"], message["seq"], message["type"]), (a, b, 1, "TALK"))


@check("content above the limit is refused, above twice of it the socket closes with 1009")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        alice.say("x" * (128 * 1024 + 1), "m-1")
        error = alice.refused()
        equal((error["code"], error["messageId"]), ("CHAT_MESSAGE_TOO_LARGE", "m-1"))
        alice.say("x" * (128 * 1024), "m-2")
        equal(alice.acked("m-2"), [1])
        alice.text("x" * (300 * 1024))
        equal(alice.refused()["code"], "CHAT_MESSAGE_TOO_LARGE")
        equal(alice.socket.closing().code, 1009)


def refusal(server, member="u-7", headers=None, **query):
    try:
        WebSocket(server, "/ws/direct", headers=headers, **({"token": server.token(member)} if member else {}), **query).close()
    except Refused as refused:
        return refused.response.status, refused.response.code()
    return 101, None


@check("handshake: what is missing is 400, a bad token 401, a receiver that cannot exist 404")
def _(server):
    equal(refusal(server)[0], 400)
    equal(refusal(server, receiverId="")[0], 400)
    equal(refusal(server, receiverId=" ")[0], 400)
    equal(refusal(server, receiverId="bob", after="x")[0], 400)
    equal(refusal(server, receiverId="bob", after="-1")[0], 400)
    equal(refusal(server, None, receiverId="bob")[0], 400)
    for token in ("x", server.token("u-7") + "x", server.token("u-7", ttl=-10)):
        equal(refusal(server, None, receiverId="bob", token=token)[0], 401)
    for nobody in ("~guest:1", "~", "a b", "한글", "x" * 65, "a\tb"):
        equal(refusal(server, receiverId=nobody), (404, "CHAT_MEMBER_NOT_FOUND"), nobody)
    equal(refusal(server, receiverId="bob", headers={"Origin": "https://evil.example"})[0], 403)
    equal(request(server, "GET", "/ws/direct", receiverId="bob", token=server.token("u-7")).status, 426)


@check("handshake: the token may be in Authorization; a ticket opens one session")
def _(server):
    a, b = pair()
    equal(refusal(server, None, receiverId=b, headers={"Authorization": "Bearer " + server.token(a)})[0], 101)
    ticket = request(server, "POST", "/v1/auth/ticket", token=server.token(a)).json()["data"]["ticket"]
    equal(refusal(server, None, receiverId=b, token=ticket)[0], 101)
    equal(refusal(server, None, receiverId=b, token=ticket)[0], 401)


@check("where members must be registered, an unknown receiver is 404")
def _():
    with Server(settings={"members.require_registered": "true"}) as strict:
        account = {name: {"name": name, "password": "long enough 1", "nickName": name} for name in ("alice", "bob")}
        for body in account.values():
            expect(request(strict, "POST", "/v1/member/register", json=body).status in (200, 201), "register")
        alice, bob = (request(strict, "POST", "/v1/auth/login", json=body).json()["data"] for body in account.values())
        equal(refusal(strict, None, token=alice["accessToken"], receiverId="stranger"), (404, "CHAT_MEMBER_NOT_FOUND"))
        equal(refusal(strict, None, token=alice["accessToken"], receiverId=bob["id"])[0], 101)


@check("a token that expires closes with 4401 within 5 s, one that is revoked too")
def _(server):
    a, b = pair()
    with Direct(server, a, b, token=server.token(a, ttl=2)) as alice:
        alice.socket.limit(8)
        equal(alice.refused()["code"], "AUTH_EXPIRED")
        equal(alice.socket.closing().code, 4401)
    token = server.token(a)
    with Direct(server, a, b, token=token) as alice:
        alice.socket.limit(8)
        equal(request(server, "POST", "/v1/auth/logout", token=token).status, 200)
        equal(alice.socket.closing().code, 4401)


@check("others cannot reach the pair's room by its name")
def _(server):
    a, b = pair()
    with Direct(server, a, b) as alice:
        alice.say("secret", "m-1").acked("m-1")
        alice.heard(1)
        room = alice.messages[0]["roomId"]
    for member in (unique("mallory"), a):
        expect(request(server, "GET", f"/api/rooms/{room}/messages", token=server.token(member)).status in (400, 404), "history")
        expect(request(server, "POST", f"/api/rooms/{room}/messages", token=server.token(member), json={"content": "x"}).status in (400, 404), "POST")
        expect(room not in request(server, "GET", "/api/rooms?mine=1", token=server.token(member)).text, "the list of rooms")


@check("the receiver's STOMP session gets a notification")
def _(server):
    a, b = pair()
    with Stomp(server, b) as bob, Direct(server, a, b) as alice:
        notes, _ = bob.subscribe("/user/queue/notifications")
        alice.say("knock", "m-1")
        note = bob.message(notes).json()
        equal((note["notification"], note["memberId"], note["messageId"], note["content"]), ("direct-message", a, "m-1", "knock"))


@check("rates hold: too fast is CHAT_RATE_LIMITED, and the socket stays")
def _():
    with Server(settings={"rate.enabled": "true", "rate.send": "5/1m"}) as strict:
        a, b = pair()
        with Direct(strict, a, b) as alice:
            for i in range(6):
                alice.say("x", f"m-{i}")
            error = alice.refused()
            equal((error["code"], error["messageId"]), ("CHAT_RATE_LIMITED", "m-5"))
            equal(len([m for m in alice.heard(5)]), 5)


@check("after a crash the conversation goes on where it was")
def _():
    with Server() as mortal:
        a, b = pair()
        with Direct(mortal, a, b) as alice:
            for i in range(1, 21):
                alice.say(f"{i}", f"m-{i}").acked(f"m-{i}")
        mortal.kill()
        mortal.start()
        with Direct(mortal, b, a) as bob:
            equal(bob.heard(20), [str(i) for i in range(1, 21)])
            equal(bob.say("21", "m-21").acked("m-21"), [21])


@check("a server that shuts down closes with 1001 and the reconnect delay")
def _():
    with Server() as mortal:
        a, b = pair()
        with Direct(mortal, a, b) as alice:
            mortal.signal(15)
            closed = alice.socket.closing()
            equal(closed.code, 1001)
            expect(int(closed.reason) > 0, closed.reason)


if __name__ == "__main__":
    run(Shared())
