#!/usr/bin/env python3
"""Protocol sections 1 and 4 over REST: who may invite, kick, leave and open or close a room, and what each leaves in the log."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, check, equal, expect, request, run
from harness.rooms import history, invite, join, leave, make_private, post
from harness.tokens import token


def kick(server, room, member, by="u-own"):
    return request(server, "DELETE", f"/api/rooms/{room}/members/{member}", token=token(by))


def configure(server, room, visibility, by="u-own", method="PATCH"):
    return request(server, method, f"/api/rooms/{room}", json={"visibility": visibility}, token=token(by))


def see(server, room, member="u-own"):
    return request(server, "GET", f"/api/rooms/{room}", token=token(member))


def members(server, room, member="u-own"):
    return {m["memberId"]: m["standing"] for m in request(server, "GET", f"/api/rooms/{room}/members", token=token(member)).json()}


def events(server, room, member="u-own"):
    return [(m["event"], m.get("memberId")) for m in history(server, room, member, limit=100) if m["type"] == "SYSTEM"]


def make_public(server, room, owner="u-own"):
    equal(request(server, "POST", "/api/rooms", json={"roomId": room}, token=token(owner)).status, 201)


@check("members come in pages by id, and who is only present stands among them")
def _(server):
    make_public(server, "rr-pages", "u-m5")
    for i in (1, 3, 7):
        join(server, "rr-pages", f"u-m{i}")
    visitors = [Stomp(server, f"u-m{i}", room="rr-pages") for i in (2, 6, 8)]
    for visitor in visitors:
        visitor.say("들어왔어요", type="JOIN")

    def page(**query):
        return [m["memberId"] for m in request(server, "GET", "/api/rooms/rr-pages/members", token=token("u-m5"), **query).json()]
    every = [f"u-m{i}" for i in (1, 2, 3, 5, 6, 7, 8)]
    equal(page(), every)
    for size in (1, 2, 3, 7):
        got, after = [], ""
        while part := page(limit=size, after=after):
            equal(len(part) <= size, True, f"{size}")
            got, after = got + part, part[-1]
        equal(got, every, f"pages of {size}")
    equal(request(server, "GET", "/api/rooms/rr-pages/members", token=token("u-m5"), limit=0).status, 400)
    for visitor in visitors:
        visitor.close()


@check("making a room takes no seq: its first message is 1")
def _(server):
    make_private(server, "rr-1")
    equal(see(server, "rr-1").json()["headSeq"], 0)
    equal(post(server, "rr-1", "first", member="u-own").json()["seq"], 1)


@check("private:true is visibility private; the room carries member, standing, epoch and headSeq")
def _(server):
    answer = request(server, "POST", "/api/rooms", json={"roomId": "rr-2", "private": True}, token=token("u-own"))
    room = answer.json()
    equal((answer.status, room["visibility"], room["kind"], room["member"], room["standing"]), (201, "private", "chat", True, "owner"))
    expect(room["epoch"].isdigit() and room["headSeq"] == 0 and room["createdAt"].endswith("Z"), f"{room}")


@check("an invitation is recorded once, told to the member, and makes nobody a member yet")
def _(server):
    make_private(server, "rr-3")
    with Stomp(server, "u-inv", room="elsewhere") as client:
        client.subscribe("/user/queue/notifications", id="n")
        equal(invite(server, "rr-3", "u-inv").status, 201)
        equal(client.message("n").json()["roomId"], "rr-3")
    equal(invite(server, "rr-3", "u-inv").status, 200)
    equal(events(server, "rr-3"), [("INVITED", "u-inv")])
    equal(members(server, "rr-3"), {"u-own": "owner", "u-inv": "invited"})
    equal(request(server, "GET", "/api/rooms/rr-3/messages", token=token("u-inv")).status, 404)
    equal((see(server, "rr-3", "u-inv").status, see(server, "rr-3", "u-inv").json()["standing"]), (200, "invited"))
    mine = request(server, "GET", "/api/rooms", token=token("u-inv"), mine="1").json()
    equal([(r["roomId"], r["member"]) for r in mine], [("rr-3", False)])


@check("inviting a member leaves the member a member")
def _(server):
    make_private(server, "rr-4")
    invite(server, "rr-4", "u-m")
    equal(join(server, "rr-4", "u-m").status, 200)
    equal(invite(server, "rr-4", "u-m").status, 200)
    equal(invite(server, "rr-4", "u-own").status, 200)
    equal(members(server, "rr-4"), {"u-own": "owner", "u-m": "member"})


@check("an account is invited by its name; an unknown name is 404, neither is 400")
def _(server):
    make_private(server, "rr-5")
    name = "invitee"
    data = request(server, "POST", "/v1/member/register", json={"name": name, "password": "long enough", "nickName": "밥"}).json()["data"]

    def by(**body):
        return request(server, "POST", "/api/rooms/rr-5/members", json=body, token=token("u-own"))
    answer = by(name="INVITEE")
    equal((answer.status, answer.json()["memberId"], answer.json()["nickName"]), (201, data["id"], "밥"))
    equal((by(name="nobody-at-all").status, by(name="nobody-at-all").code()), (404, "CHAT_MEMBER_NOT_FOUND"))
    for body in ({}, {"memberId": "a b"}, {"memberId": "~own"}, {"memberId": 5}):
        equal(by(**body).status, 400, f"{body}")


@check("joining twice is one record; leaving twice is one record; a declined invitation is gone")
def _(server):
    make_private(server, "rr-6")
    for member in ("u-a", "u-b"):
        invite(server, "rr-6", member)
    for _ in range(2):
        answer = join(server, "rr-6", "u-a")
        equal((answer.status, answer.json()["member"]), (200, True))
    for _ in range(2):
        leave(server, "rr-6", "u-a")
    equal(leave(server, "rr-6", "u-b").status, 200)
    equal(events(server, "rr-6"), [("INVITED", "u-a"), ("INVITED", "u-b"), ("JOINED", "u-a"), ("LEFT", "u-a"), ("LEFT", "u-b")])
    equal(members(server, "rr-6"), {"u-own": "owner"})
    equal((join(server, "rr-6", "u-a").status, join(server, "rr-6", "u-b").status), (404, 404))


@check("joining a public room makes a member; joining an unknown one makes the room")
def _(server):
    make_public(server, "rr-7")
    equal(join(server, "rr-7", "u-a").json()["standing"], "member")
    answer = join(server, "rr-new", "u-a")
    equal((answer.status, answer.json()["visibility"], answer.json()["member"]), (200, "public", True))
    equal(leave(server, "rr-7", "u-a").status, 200)
    equal(leave(server, "rr-7", "u-never").status, 200)
    equal(leave(server, "rr-nowhere", "u-a").status, 404)


@check("rooms.auto_create=false: joining an unknown room is 404")
def _():
    with Server({"rooms.auto_create": "false"}) as server:
        equal(join(server, "rr-nope", "u-a").status, 404)
        equal(history_status(server, "rr-nope"), 404)


def history_status(server, room, member="u-a"):
    return request(server, "GET", f"/api/rooms/{room}/messages", token=token(member)).status


@check("the owner stays")
def _(server):
    make_private(server, "rr-8")
    equal((leave(server, "rr-8", "u-own").status, kick(server, "rr-8", "u-own").status), (403, 403))
    equal(events(server, "rr-8"), [])


@check("who is kicked from a private room sees nothing and returns by invitation only")
def _(server):
    make_private(server, "rr-9")
    invite(server, "rr-9", "u-k")
    join(server, "rr-9", "u-k")
    equal(kick(server, "rr-9", "u-k").status, 200)
    equal(kick(server, "rr-9", "u-k").status, 200)
    equal((history_status(server, "rr-9", "u-k"), see(server, "rr-9", "u-k").status, join(server, "rr-9", "u-k").status), (404, 404, 404))
    equal(leave(server, "rr-9", "u-k").status, 404)
    equal(invite(server, "rr-9", "u-k").status, 201)
    equal(join(server, "rr-9", "u-k").status, 200)
    equal(events(server, "rr-9"), [(e, "u-k") for e in ("INVITED", "JOINED", "KICKED", "INVITED", "JOINED")])


@check("who is kicked from a public room is refused, and leaving does not undo it")
def _(server):
    make_public(server, "rr-10")
    post(server, "rr-10", "x", member="u-own")
    equal(kick(server, "rr-10", "u-stray").status, 200)
    equal(leave(server, "rr-10", "u-stray").status, 200)
    equal((post(server, "rr-10", "y", member="u-stray").status, join(server, "rr-10", "u-stray").status, history_status(server, "rr-10", "u-stray")), (403, 403, 403))


@check("only the owner kicks, invites and configures: members 403, strangers 404")
def _(server):
    make_private(server, "rr-11")
    invite(server, "rr-11", "u-m")
    join(server, "rr-11", "u-m")
    for by, status in (("u-m", 403), ("u-stranger", 404)):
        equal(kick(server, "rr-11", "u-own", by).status, status)
        equal(invite(server, "rr-11", "u-x", by).status, status)
        equal(configure(server, "rr-11", "public", by).status, status)
    equal((kick(server, "rr-11", "u-never").status, kick(server, "rr-11", "%20").status), (404, 404))


@check("a room is made private and public by its owner, once recorded")
def _(server):
    make_public(server, "rr-12")
    post(server, "rr-12", "before", member="u-guest")
    for _ in range(2):
        answer = configure(server, "rr-12", "private")
        equal((answer.status, answer.json()["visibility"]), (200, "private"))
    equal((history_status(server, "rr-12", "u-guest"), post(server, "rr-12", "after", member="u-guest").status), (404, 404))
    expect(all(r["roomId"] != "rr-12" for r in request(server, "GET", "/api/rooms", token=token("u-guest"), limit=500).json()), "listed")
    equal(configure(server, "rr-12", "public", method="POST").status, 200)
    equal(history_status(server, "rr-12", "u-guest"), 200)
    equal(events(server, "rr-12"), [("MADE_PRIVATE", None), ("MADE_PUBLIC", None)])
    for body in ({}, {"visibility": "half"}, {"visibility": 1}, {"private": "yes"}):
        equal(request(server, "PATCH", "/api/rooms/rr-12", json=body, token=token("u-own")).status, 400, f"{body}")


@check("the list of public rooms has pages; names and limits are checked")
def _():
    with Server() as server:
        for i in range(7):
            make_public(server, f"l-{i}")
        make_private(server, "l-3-private")
        seen, after = [], ""
        while page := request(server, "GET", "/api/rooms", token=token("u-x"), limit=3, after=after).json():
            seen += [r["roomId"] for r in page]
            after = seen[-1]
        equal(seen, [f"l-{i}" for i in range(7)])
        equal(request(server, "GET", "/api/rooms", token=token("u-x"), limit="many").status, 400)
        for name in ("", "x" * 65, " blank ", "a\nb"):
            equal(request(server, "POST", "/api/rooms", json={"name": name}, token=token("u-x")).status, 400, repr(name))


@check("every path says 405 with Allow to other methods, 401 without a token, and the unknown is 404 whoever asks")
def _(server):
    for path, method, allow in (("/api/rooms", "DELETE", "GET, HEAD, POST"), ("/api/rooms/r-1", "DELETE", "GET, HEAD, POST, PATCH"),
                                ("/api/rooms/r-1/join", "GET", "POST"), ("/api/rooms/r-1/members/u-1", "GET", "DELETE"),
                                ("/v1/auth/login", "GET", "POST"), ("/api/rooms/r-1/replay", "POST", "GET, HEAD")):
        answer = request(server, method, path)
        equal((answer.status, answer.header("allow"), answer.code()), (405, allow, "METHOD_NOT_ALLOWED"), path)
    for path in ("/api/rooms", "/api/rooms/r-1", "/api/rooms/~own", "/api/rooms/r-1/replay"):
        answer = request(server, "GET", path)
        equal((answer.status, answer.code(), answer.header("www-authenticate")), (401, "AUTH_REQUIRED", "Bearer"), path)
    for path in ("/api/", "/api/rooms/", "/api/rooms//messages", "/api/rooms/r-1/nothing", "/v1/auth/nothing", "/v1/", "/api/Rooms"):
        answer = request(server, "GET", path)
        equal((answer.status, answer.code()), (404, "NOT_FOUND"), path)


if __name__ == "__main__":
    run(Shared())
