#!/usr/bin/env python3
"""What a client costs that is connected, subscribed and silent: counted in the server's own memory, not timed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, EventStream, Server, Shared, Stomp, WebSocket, check, equal, eventually, request, run
from harness.http import head_bytes
from harness.tokens import token

WARM_UP, CLIENTS, ROOM = 300, 2000, 100
# Measured 1.2 KiB; the rest is for other allocators' grain and for what the first clients did not touch.
LIMIT = 2048


def anonymous_bytes(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup") as lines:
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:"))


def join(server, number, deflate):
    room = f"idle-{number // ROOM}"
    socket = WebSocket(server, "/ws-chat", protocols=("v12.stomp",), deflate="permessage-deflate; client_max_window_bits" if deflate else None,
                       token=token(f"member-{number}", f"Idle Player Number {number}"), roomId=room)
    equal(bool(socket.response.header("sec-websocket-extensions")), deflate, "permessage-deflate was agreed")
    client = Stomp(server, room=room, socket=socket, heartbeat="10000,10000")
    client.subscribe(f"/sub/chat/room/{room}")
    return client


def open_stream(server, number):
    stream = EventStream(server, f"/api/rooms/idle-{number // ROOM}/stream", f"member-{number}")
    equal(stream.event().name, "connected")
    return stream


def open_poll(server, number):
    poll = Connection(server.port)
    head = {"Host": f"127.0.0.1:{server.port}", "Authorization": "Bearer " + token(f"member-{number}"), "User-Agent": "a browser says much of itself " * 8}
    poll.send(head_bytes("GET", f"/api/messages/longpoll?roomId=idle-{number // ROOM}&timeout=50000", head.items()))
    return poll


def has_sessions(server, count):
    text = request(server, "GET", "/metrics").text
    return f"\nparley_sessions {count}\n" in text


def each_costs_little(begin, limit=LIMIT, listen="127.0.0.1:0"):
    with Server({"threads": 1, "tls.self_signed": "true"}, listen=listen) as server:
        clients = [begin(server, number) for number in range(WARM_UP)]
        eventually(lambda: has_sessions(server, WARM_UP), what="the first sessions")
        before = anonymous_bytes(server)
        clients += [begin(server, number) for number in range(WARM_UP, WARM_UP + CLIENTS)]
        eventually(lambda: has_sessions(server, WARM_UP + CLIENTS), limit=20, what="all sessions")
        cost = []

        def little():
            cost.append((anonymous_bytes(server) - before) // CLIENTS)
            return cost[-1] <= limit
        # What the handshakes left behind is let go within seconds.
        eventually(little, limit=10, what=f"at most {limit} bytes for each client")
        print(f"# {cost[-1]} bytes for each client")
        for client in clients:
            client.close()


@check("an idle subscribed client costs at most 2 KiB", limit=120)
def _():
    each_costs_little(lambda server, number: join(server, number, deflate=False))


@check("one that agreed on permessage-deflate costs no more", limit=120)
def _():
    each_costs_little(lambda server, number: join(server, number, deflate=True))


@check("an idle subscribed client over TLS costs at most 18 KiB, session and all", limit=120)
def _():
    each_costs_little(lambda server, number: join(server, number, deflate=False), limit=18 * 1024, listen="https://127.0.0.1:0")


@check("an open event stream of a room costs at most 1.5 KiB", limit=120)
def _():
    each_costs_little(open_stream, limit=1536)


@check("a waiting long poll costs at most 2 KiB", limit=120)
def _():
    each_costs_little(open_poll)


if __name__ == "__main__":
    run(Shared())
