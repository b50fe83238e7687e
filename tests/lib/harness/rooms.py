"""Short verbs over REST: rooms, their history, and what /ready finds wrong."""
from . import tokens
from .http import request
from .suite import equal, expect


def degraded(server):
    """The parts that /ready names as faulty."""
    return request(server, "GET", "/ready").json()["degraded"]


def history(server, room, member="u-7", token=None, **query):
    answer = request(server, "GET", f"/api/rooms/{room}/messages", token=token or tokens.token(member), **query)
    expect(answer.status == 200, f"history of {room}: {answer!r}")
    return answer.json()


def whole_history(server, room, member="u-7", token=None):
    """Every message of the room, page by page."""
    token, messages = token or tokens.token(member), []
    while True:
        page = history(server, room, token=token, after=messages[-1]["seq"] if messages else 0, limit=500)
        if not page:
            return messages
        messages += page


def position(server, room, member="u-7", or_none=False):
    """(epoch, head seq) of a room; with `or_none` None where the server does not say now."""
    answer = request(server, "GET", f"/api/rooms/{room}/messages", token=tokens.token(member), limit=1)
    if or_none and answer.status == 503:
        return None
    equal(answer.status, 200, "history")
    return answer.header("x-parley-epoch"), int(answer.header("x-parley-head-seq"))


def post(server, room, content, member="u-7", within=10, **fields):
    return request(server, "POST", f"/api/rooms/{room}/messages", json={"content": content, **fields}, token=tokens.token(member), within=within)


def fill(server, room, count, member="u-7", prefix="m"):
    """Stores `count` messages; returns them as stored."""
    messages = []
    for i in range(count):
        answer = post(server, room, f"{prefix}{i + 1}", member)
        equal(answer.status, 201, "POST")
        messages.append(answer.json())
    return messages


def make_private(server, room, owner="u-own", name=None):
    answer = request(server, "POST", "/api/rooms", json={"roomId": room, "name": name or room, "visibility": "private"}, token=tokens.token(owner))
    expect(answer.status in (200, 201), f"making {room}: {answer!r}")
    return answer.json()


def invite(server, room, member, by="u-own"):
    return request(server, "POST", f"/api/rooms/{room}/members", json={"memberId": member, "name": member}, token=tokens.token(by))


def join(server, room, member):
    return request(server, "POST", f"/api/rooms/{room}/join", json={}, token=tokens.token(member))


def leave(server, room, member):
    return request(server, "POST", f"/api/rooms/{room}/leave", json={}, token=tokens.token(member))


def talk_of(messages):
    """What people said, without the room's own records."""
    return [m["content"] for m in messages if m["type"] == "TALK"]
