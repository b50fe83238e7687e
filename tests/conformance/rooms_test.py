#!/usr/bin/env python3
"""Protocol section 1, rooms: auto-create, JOIN and LEAVE, presence, typing, private rooms and the seq at which a right ends."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, check, equal, eventually, expect, request, run
from harness.rooms import history, invite, join, leave, make_private, post, talk_of
from harness.tokens import token

SHORT_STAY = Shared({"presence.grace": "1s"})


def present(server, room, member="u-7"):
    answer = request(server, "GET", f"/api/rooms/{room}/members", token=token(member))
    equal(answer.status, 200, "members")
    return sorted(m["memberId"] for m in answer.json() if m.get("present"))


def types(server, room):
    return [(m["type"], m["senderId"]) for m in history(server, room, limit=100)]


# auto-create

@check("an unknown room comes to be at its first SEND, JOIN or POST; SUBSCRIBE and history make nothing")
def _(server):
    equal(history(server, "new-0"), [])
    with Stomp(server, room="new-0") as client:
        client.watch("new-0")
    equal(request(server, "GET", "/api/rooms/new-0", token=token("u-7")).status, 404)
    with Stomp(server, room="new-1") as client:
        client.say("hello", room="new-1")
        client.say("here", room="new-2", type="JOIN")
    equal(post(server, "new-3", "x").status, 201)
    for room in ("new-1", "new-2", "new-3"):
        answer = request(server, "GET", f"/api/rooms/{room}", token=token("u-7"))
        equal((answer.status, answer.json()["visibility"]), (200, "public"), room)


@check("rooms.auto_create=false: an unknown room is refused everywhere")
def _():
    with Server({"rooms.auto_create": "false"}) as server:
        equal(post(server, "nope", "x").status, 404)
        equal(request(server, "POST", "/api/rooms", json={"roomId": "made", "name": "만든 방", "visibility": "public"}, token=token("u-7")).status, 201)
        equal(post(server, "made", "x").status, 201)
        with Stomp(server, room="made") as client:
            client.watch_errors()
            client.chat("x", room="nope")
            client.refusal("CHAT_ROOM_NOT_FOUND")
            client.say("x", room="made")


# presence

@check("handshake, SUBSCRIBE and TALK make nobody present; JOIN does")
def _(server):
    with Stomp(server, "u-a", room="p-1") as client:
        client.watch()
        client.say("hello")
        equal(present(server, "p-1"), [])
        client.say("들어왔어요", type="JOIN")
        equal(present(server, "p-1"), ["u-a"])


@check("JOIN is stored and delivered once; JOIN of somebody present is acknowledged and stores nothing")
def _(server):
    with Stomp(server, "u-a", room="p-2") as client:
        client.watch()
        client.say("first", type="JOIN")
        message = client.message().json()
        equal((message["type"], message["content"], message["seq"]), ("JOIN", "first", 1))
        client.say("second", type="JOIN")
        with Stomp(server, "u-a", room="p-2") as again:
            again.say("third", type="JOIN")
        client.say("end")
        equal(types(server, "p-2"), [("JOIN", "u-a"), ("TALK", "u-a")])


@check("LEAVE is stored when it was the member's last session in the room")
def _(server):
    with Stomp(server, "u-a", room="p-3") as one, Stomp(server, "u-a", room="p-3") as two:
        one.say("in", type="JOIN")
        two.say("in", type="JOIN")
        one.say("out", type="LEAVE")
        equal((types(server, "p-3"), present(server, "p-3")), ([("JOIN", "u-a")], ["u-a"]))
        two.say("out", type="LEAVE")
        equal((types(server, "p-3"), present(server, "p-3")), ([("JOIN", "u-a"), ("LEAVE", "u-a")], []))


@check("a lost connection makes a member absent after presence.grace and stores nothing", limit=30)
def _():
    server = SHORT_STAY.get()
    client = Stomp(server, "u-lost", room="p-4")
    client.say("in", type="JOIN")
    client.close()
    equal(present(server, "p-4"), ["u-lost"])
    eventually(lambda: present(server, "p-4") == [], limit=10, what="absent")
    equal(types(server, "p-4"), [("JOIN", "u-lost")])


@check("who comes back within the grace period was never away", limit=30)
def _():
    server = SHORT_STAY.get()
    with Stomp(server, "u-watch", room="p-5") as watcher:
        watcher.subscribe("/sub/chat/room/p-5/events", id="events")
        client = Stomp(server, "u-back", room="p-5")
        client.say("in", type="JOIN")
        client.close()
        with Stomp(server, "u-back", room="p-5") as back:
            back.say("in", type="JOIN")
            gone = Stomp(server, "u-marker", room="p-5")
            gone.say("in", type="JOIN")
            gone.close()
            eventually(lambda: present(server, "p-5") == ["u-back"], limit=10, what="the marker's absence")
        equal([t for t in types(server, "p-5") if t[1] == "u-back"], [("JOIN", "u-back")])


@check("PRESENCE is acknowledged, delivers and stores nothing")
def _(server):
    with Stomp(server, "u-a", room="p-6") as client:
        client.watch()
        client.say("in", type="JOIN")
        receipt = client.new_receipt()
        client.send("/pub/chat/send", {"type": "PRESENCE", "roomId": "p-6"}, receipt=receipt)
        client.receipt(receipt)
        client.say("end")
        equal([f.json()["type"] for f in client.until("end")], ["JOIN", "TALK"])


@check("typing and read marks arrive as events, without seq, and are never stored or replayed")
def _(server):
    with Stomp(server, "u-a", room="p-7") as client, Stomp(server, "u-b", room="p-7") as other:
        other.say("x")
        client.subscribe("/sub/chat/room/p-7/events", id="events")
        other.send("/pub/chat/typing", {"roomId": "p-7"})
        event = client.message("events").json()
        expect("u-b" in str(event) and "seq" not in event, f"{event}")
        other.send("/pub/chat/read", {"roomId": "p-7", "seq": 1})
        event = client.message("events").json()
        expect("u-b" in str(event), f"{event}")
        equal(types(server, "p-7"), [("TALK", "u-b")])


@check("JOIN and LEAVE arrive as presence events of the room")
def _(server):
    with Stomp(server, "u-a", room="p-8") as client, Stomp(server, "u-b", room="p-8") as other:
        client.subscribe("/sub/chat/room/p-8/events", id="events")
        other.say("in", type="JOIN")
        expect("u-b" in client.message("events").text, "no event for JOIN")
        other.say("out", type="LEAVE")
        expect("u-b" in client.message("events").text, "no event for LEAVE")


# private rooms

def stranger_sees_nothing(server, room, member):
    """The same answers as for a room that is not there."""
    for path in (f"/api/rooms/{room}", f"/api/rooms/{room}/messages", f"/api/rooms/{room}/members"):
        answer = request(server, "GET", path, token=token(member))
        equal((answer.status, answer.code()), (404, "CHAT_ROOM_NOT_FOUND"), path)
    equal(post(server, room, "let me in", member).status, 404)
    with Stomp(server, member, room="elsewhere") as client:
        client.watch_errors()
        client.chat("let me in", room=room)
        client.refusal("CHAT_ROOM_NOT_FOUND")
        client.subscribe(f"/sub/chat/room/{room}", id="no", wait=False)
        client.refusal("CHAT_ROOM_NOT_FOUND")
        client.subscribe(f"/sub/chat/room/{room}/events", id="no2", wait=False)
        client.refusal("CHAT_ROOM_NOT_FOUND")


@check("a private room does not exist for others")
def _(server):
    make_private(server, "priv-1")
    stranger_sees_nothing(server, "priv-1", "u-stranger")
    equal(join(server, "priv-1", "u-stranger").status, 404)
    listed = request(server, "GET", "/api/rooms", token=token("u-stranger")).json()
    expect(all(r["roomId"] != "priv-1" for r in listed), "listed")


@check("the handshake into a private room is refused to others (403)")
def _(server):
    from harness import Refused, WebSocket
    make_private(server, "priv-hs")
    try:
        WebSocket(server, "/ws-chat", token=token("u-stranger"), roomId="priv-hs").close()
        raise AssertionError("accepted")
    except Refused as refused:
        equal(refused.response.status, 403)


@check("only the invited can join, and then they read and write")
def _(server):
    make_private(server, "priv-2")
    expect(invite(server, "priv-2", "u-guest").status in (200, 201, 204), "invite")
    equal(join(server, "priv-2", "u-stranger").status, 404)
    expect(join(server, "priv-2", "u-guest").status in (200, 204), "join")
    with Stomp(server, "u-guest", room="priv-2") as client:
        client.watch()
        client.say("we are few")
        equal(client.until("we are few")[-1].json()["senderId"], "u-guest")
    equal(talk_of(history(server, "priv-2", "u-own", limit=100)), ["we are few"])


@check("only the owner invites")
def _(server):
    make_private(server, "priv-3")
    invite(server, "priv-3", "u-guest")
    join(server, "priv-3", "u-guest")
    equal(invite(server, "priv-3", "u-friend", by="u-guest").status, 403)
    equal(invite(server, "priv-3", "u-friend", by="u-stranger").status, 404)


@check("who leaves over REST gets nothing above that seq, on any session")
def _(server):
    make_private(server, "priv-4")
    invite(server, "priv-4", "u-guest")
    join(server, "priv-4", "u-guest")
    sessions = [Stomp(server, "u-guest", room="priv-4") for _ in range(3)]
    for session in sessions:
        session.watch_errors()
        session.watch()
    post(server, "priv-4", "before", member="u-own")
    expect(leave(server, "priv-4", "u-guest").status in (200, 204), "leave")
    post(server, "priv-4", "after", member="u-own")
    for session in sessions:
        equal(ended(session), ["before"])
        session.close()
    stranger_sees_nothing(server, "priv-4", "u-guest")


def ended(session):
    """The talk a session still got before it was told that its right had ended."""
    session.refusal()
    session.settle()
    return talk_of([f.json() for f in session.inbox if f.command == "MESSAGE" and f["subscription"] != "errors"])


@check("kick: nothing above that seq reaches the member, who cannot join again uninvited")
def _(server):
    make_private(server, "priv-k")
    invite(server, "priv-k", "u-guest")
    join(server, "priv-k", "u-guest")
    with Stomp(server, "u-guest", room="priv-k") as session:
        session.watch_errors()
        session.watch()
        post(server, "priv-k", "before", member="u-own")
        equal(request(server, "DELETE", "/api/rooms/priv-k/members/u-guest", token=token("u-guest")).status, 403, "kick by a member")
        expect(request(server, "DELETE", "/api/rooms/priv-k/members/u-guest", token=token("u-own")).status in (200, 204), "kick")
        post(server, "priv-k", "after", member="u-own")
        equal(ended(session), ["before"])
    stranger_sees_nothing(server, "priv-k", "u-guest")
    equal(join(server, "priv-k", "u-guest").status, 404)


@check("a room turned private ends the subscriptions of others, on every transport, and members stay")
def _(server):
    from harness import SockJsSocket
    equal(request(server, "POST", "/api/rooms", json={"roomId": "turn", "name": "x", "visibility": "public"}, token=token("u-own")).status, 201)
    others = [Stomp(server, "u-out", room="turn"), Stomp(server, "u-out", room="turn", socket=SockJsSocket(server, "/ws-chat", "xhr_streaming", token=token("u-out"), roomId="turn"))]
    with Stomp(server, "u-own", room="turn") as owner:
        mine, _ = owner.watch()
        for session in others:
            session.watch_errors()
            session.watch()
        post(server, "turn", "before", member="u-own")
        equal(request(server, "POST", "/api/rooms/turn", json={"visibility": "private"}, token=token("u-out")).status, 403, "by somebody else")
        expect(request(server, "POST", "/api/rooms/turn", json={"visibility": "private"}, token=token("u-own")).status in (200, 204), "turning it private")
        post(server, "turn", "after", member="u-own")
        for session in others:
            equal(ended(session), ["before"])
            session.close()
        equal(talk_of([f.json() for f in owner.until("after", mine)]), ["before", "after"])
    stranger_sees_nothing(server, "turn", "u-out")


@check("STOMP's LEAVE does not end membership of a private room")
def _(server):
    make_private(server, "priv-5")
    invite(server, "priv-5", "u-guest")
    join(server, "priv-5", "u-guest")
    with Stomp(server, "u-guest", room="priv-5") as client:
        client.say("in", type="JOIN")
        client.say("out", type="LEAVE")
        client.say("still a member")


@check("rooms and memberships are there after a restart")
def _():
    with Server() as server:
        make_private(server, "priv-6", name="비밀의 방")
        invite(server, "priv-6", "u-guest")
        join(server, "priv-6", "u-guest")
        invite(server, "priv-6", "u-later")
        post(server, "priv-6", "kept", member="u-guest")
        server.restart()
        equal(talk_of(history(server, "priv-6", "u-guest", limit=100)), ["kept"])
        stranger_sees_nothing(server, "priv-6", "u-stranger")
        expect(join(server, "priv-6", "u-later").status in (200, 204), "the invitation is gone")
        equal(request(server, "GET", "/api/rooms/priv-6", token=token("u-own")).json()["name"], "비밀의 방")


if __name__ == "__main__":
    try:
        run(Shared())
    finally:
        SHORT_STAY.close()
