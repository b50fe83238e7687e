#!/usr/bin/env python3
"""STOMP over SockJS on /ws-chat: each transport tells the same list, and the session's own rules hold."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Refused, Server, Shared, SockJsSocket, Stomp, WebSocket, check, equal, eventually, expect, http, request, run
from harness.rooms import fill, whole_history
from harness.sockjs import session_path
from harness.tokens import token

TRANSPORTS = ("websocket", "xhr_streaming", "xhr")


def enter(server, transport, member="u-7", room="r-1", mine=None):
    socket = SockJsSocket(server, "/ws-chat", transport, token=mine or token(member), roomId=room)
    return Stomp(server, member, room=room, socket=socket)


for transport in TRANSPORTS:
    @check(f"{transport}: talk, receipts, resume and refusals work as over WebSocket")
    def _(server, transport=transport):
        room = f"sj-{transport}"
        fill(server, room, 5)
        with enter(server, transport, room=room) as client:
            client.watch_errors()
            sub, _ = client.watch(after_seq="2")
            for i in range(50):
                client.chat(f"한글 😀 {i}")
            client.say("end")
            equal([f.seq for f in client.until("end", sub)], list(range(3, 57)))
            client.chat(" ")
            client.refusal("CHAT_INVALID_PAYLOAD")

    @check(f"{transport}: a 100 KiB message passes")
    def _(server, transport=transport):
        with enter(server, transport, room=f"sj-big-{transport}") as client:
            client.watch()
            client.say("가나다 \"\\\n😀" * 4500)
            equal(client.message().json()["content"], "가나다 \"\\\n😀" * 4500)

    @check(f"{transport}: a protocol fault is ERROR and the end of the session")
    def _(server, transport=transport):
        with enter(server, transport) as client:
            client.raw(b"SHOUT\n\n\0")
            client.error()
            expect(isinstance(client.closing(), Closed), "no close")

    @check(f"{transport}: a handshake without or with a wrong token is refused")
    def _(server, transport=transport):
        for query, status in (({"roomId": "r-1"}, 400), ({"token": token("u-7")}, 400), ({"token": "wrong", "roomId": "r-1"}, 401)):
            path = session_path("/ws-chat")
            if transport == "websocket":
                try:
                    WebSocket(server, path + "/websocket", **query).close()
                    raise AssertionError("accepted")
                except Refused as refused:
                    equal(refused.response.status, status)
            else:
                equal(request(server, "POST", http.with_query(f"{path}/{transport}", **query)).status, status)


@check("all transports and REST tell the same list")
def _(server):
    room = "sj-same"
    clients = [enter(server, t, f"u-{t}", room) for t in TRANSPORTS] + [Stomp(server, "u-raw", room=room)]
    subs = [c.watch()[0] for c in clients]
    for i in range(120):
        clients[i % 4].chat(f"{i} 🎲")
    for client in clients:
        client.settle()
    clients[0].say("end")
    lists = [[f.json() for f in c.until("end", s)] for c, s in zip(clients, subs)]
    equal([len(each) for each in lists], [121] * 4)
    for each in lists:
        equal(each, whole_history(server, room))
    for client in clients:
        client.close()


@check("/info needs no token")
def _(server):
    info = request(server, "GET", "/ws-chat/info")
    equal((info.status, info.json()["websocket"]), (200, True))


@check("the token is judged when the session opens; later requests work though it has expired since", limit=25)
def _(server):
    import time
    brief = token("u-7", ttl=3)
    path = session_path("/ws-chat")
    first = request(server, "POST", http.with_query(path + "/xhr", token=brief, roomId="r-1"))
    equal((first.status, first.text), (200, "o\n"))
    time.sleep(3.2)  # the token's own time
    answer = request(server, "POST", http.with_query(path + "/xhr_send", token=brief, roomId="r-1"), body=b'["\\n"]')
    expect(answer.status in (204, 404), f"{answer!r}")  # 404 once the expiry has ended the session; never 401
    expect(answer.status != 401, "judged again")


@check("a foreign origin is refused, the own one gets in")
def _(server):
    for origin, status in (("https://evil.example", 403), (f"http://127.0.0.1:{server.port}", 200)):
        answer = request(server, "POST", http.with_query(session_path("/ws-chat") + "/xhr", token=token("u-7"), roomId="r-1"), headers={"Origin": origin})
        equal(answer.status, status, origin)


@check("another member's token cannot use a session that is open")
def _(server):
    path = session_path("/ws-chat")
    equal(request(server, "POST", http.with_query(path + "/xhr", token=token("u-7"), roomId="r-1")).status, 200)
    for other in ({"token": token("u-8"), "roomId": "r-1"}, {}, {"token": "wrong", "roomId": "r-1"}):
        answer = request(server, "POST", http.with_query(path + "/xhr_send", **other), body=b'["\\n"]')
        expect(answer.status != 204, f"accepted with {other}")


@check("a streaming response ends and the next one goes on without loss")
def _(server):
    room = "sj-stream"
    with enter(server, "xhr_streaming", room=room) as client:
        client.watch()
        text = "x" * 60_000
        for _ in range(10):
            client.say(text)
        client.say("end")
        equal([f.seq for f in client.until("end")], list(range(1, 12)))


@check("a session that nobody polls ends, and its member becomes absent", limit=40)
def _():
    with Server({"presence.grace": "1s"}) as server:
        client = enter(server, "xhr", "u-gone", "sj-gone")
        client.say("in", type="JOIN")

        def present():
            answer = request(server, "GET", "/api/rooms/sj-gone/members", token=token("u-7")).json()
            return [m["memberId"] for m in answer if m.get("present")]
        equal(present(), ["u-gone"])
        eventually(lambda: present() == [], limit=30, what="absent")


if __name__ == "__main__":
    run(Shared())
