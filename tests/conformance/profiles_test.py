#!/usr/bin/env python3
"""Protocol section 3, the public and the broker profile, and what separates the profiles."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, SockJsSocket, Stomp, check, equal, expect, run
from harness.rooms import history
from harness.tokens import token


def guest(server, **more):
    return Stomp(server, path="/ws", **more)


@check("public: a guest talks on /topic/public, is marked as one, and its sender is only a nickname")
def _(server):
    with guest(server) as one, guest(server) as two:
        one.subscribe("/topic/public", id="pub")
        two.send("/app/chat.sendMessage", {"content": "손님", "sender": "길동", "senderId": "u-7"})
        message = one.message("pub").json()
        equal((message["content"], message["senderNickname"], message["roomId"]), ("손님", "길동", "public"))
        expect(message["senderId"].startswith("~guest:"), message["senderId"])
        one.send("/app/chat.sendMessage", {"content": "me too"})
        expect(one.message("pub").json()["senderId"] != message["senderId"], "two guests with one id")


@check("public: a message is stored in the room `public`, with a seq and a RECEIPT")
def _(server):
    with guest(server) as client:
        client.subscribe("/topic/public", id="pub")
        receipt = client.new_receipt()
        client.send("/app/chat.sendMessage", {"content": "stored"}, receipt=receipt)
        client.receipt(receipt)
        seq = client.message("pub").json()["seq"]
    equal([m["content"] for m in history(server, "public", after=seq - 1, before=seq + 1)], ["stored"])


@check("public: a token in the query or in CONNECT's Authorization makes a member of the guest")
def _(server):
    with guest(server, token=token("u-pub", "회원")) as client:
        client.subscribe("/topic/public", id="pub")
        client.send("/app/chat.sendMessage", {"content": "a", "sender": "ignored?"})
        equal(client.message("pub").json()["senderId"], "u-pub")
    with guest(server, Authorization=f"Bearer {token('u-con')}") as client:
        client.subscribe("/topic/public", id="pub")
        client.send("/app/chat.sendMessage", {"content": "b"})
        equal(client.message("pub").json()["senderId"], "u-con")


@check("public: a wrong token is not taken for a guest")
def _(server):
    from harness import Refused
    try:
        guest(server, token="wrong.token.here").close()
        raise AssertionError("accepted")
    except Refused as refused:
        equal(refused.response.status, 401)
    with Stomp(server, path="/ws", connect=False) as client:
        client.send_frame("CONNECT", {"accept-version": "1.2", "host": "x", "Authorization": "Bearer nonsense"})
        client.error()


for body, what in (({"content": " "}, "blank content"), ({}, "no content"), (b"nonsense", "no JSON")):
    @check(f"public: {what} is refused on /user/queue/errors")
    def _(server, body=body):
        with guest(server) as client:
            client.watch_errors()
            client.send("/app/chat.sendMessage", body)
            client.refusal("CHAT_INVALID_PAYLOAD")


@check("public: over SockJS too, and clients cannot SEND under the broker prefix")
def _(server):
    with Stomp(server, path="/ws", socket=SockJsSocket(server, "/ws", "xhr")) as client:
        client.watch_errors()
        client.subscribe("/topic/public", id="pub")
        client.send("/topic/public", {"content": "forged"})
        client.refusal()
        client.send("/app/chat.sendMessage", {"content": "over xhr"})
        equal(client.message("pub").json()["content"], "over xhr")


@check("profiles are separate: no /sub on the public one, no /topic on the game one")
def _(server):
    with guest(server) as client:
        client.watch_errors()
        client.subscribe("/sub/chat/room/r-1", id="no", wait=False)
        client.refusal()
        client.chat("x", room="r-1")
        client.refusal()
    with Stomp(server) as client:
        client.watch_errors()
        client.subscribe("/topic/public", id="no", wait=False)
        client.refusal()


@check("public.enabled=off: there is no /ws")
def _():
    from harness import Refused
    with Server({"public.enabled": "off"}) as server:
        try:
            guest(server).close()
            raise AssertionError("accepted")
        except Refused as refused:
            equal(refused.response.status, 404)


# broker profile

@check("broker: a SEND to /topic/* passes body and headers through unchanged, to every subscriber")
def _(server):
    with Stomp(server, path="/stomp") as one, Stomp(server, path="/stomp") as two:
        one.subscribe("/topic/a.b/c", id="s1")
        two.subscribe("/topic/a.b/c", id="s2")
        body = b"\x00\x01 any \xff bytes"
        one.send_frame("SEND", {"destination": "/topic/a.b/c", "content-length": len(body), "x-own": "값:with\\escapes\n", "receipt": "r"}, body)
        one.receipt("r")
        for client, id in ((one, "s1"), (two, "s2")):
            frame = client.message(id)
            equal((frame.body, frame["x-own"], frame["destination"]), (body, "값:with\\escapes\n", "/topic/a.b/c"))


@check("broker: asks for no token, and judges none that comes along")
def _(server):
    with Stomp(server, path="/stomp", token="nonsense", Authorization="Bearer nonsense") as client:
        client.subscribe("/topic/anything")


@check("broker: text bodies come as text, bodies that are no UTF-8 as binary messages")
def _(server):
    with Stomp(server, path="/stomp") as client:
        client.subscribe("/topic/t", id="s")
        client.send("/topic/t", "한글", receipt=None)
        expect(isinstance(client.ws.message(), str), "text came as binary")
        client.send("/topic/t", b"\xff\xfe")
        expect(isinstance(client.ws.message(), bytes), "binary came as text")


@check("broker: nothing is stored, order is kept, other topics do not arrive")
def _(server):
    with Stomp(server, path="/stomp") as client:
        client.subscribe("/topic/order", id="s")
        for i in range(300):
            client.send("/topic/order" if i % 3 else "/topic/other", f"{i}")
        got = [client.message("s").text for _ in range(200)]
        equal(got, [str(i) for i in range(300) if i % 3])
    with Stomp(server, path="/stomp") as client:
        client.subscribe("/topic/order", id="s")
        client.send("/topic/order", "only me")
        equal(client.message("s").text, "only me")


@check("broker: transactions hold SENDs back until COMMIT, ABORT drops them")
def _(server):
    with Stomp(server, path="/stomp") as client:
        client.subscribe("/topic/tx", id="s")
        client.send_frame("BEGIN", {"transaction": "a"})
        client.send("/topic/tx", "aborted", transaction="a")
        client.send_frame("ABORT", {"transaction": "a"})
        client.send_frame("BEGIN", {"transaction": "b"})
        client.send("/topic/tx", "late", transaction="b")
        client.send("/topic/tx", "early")
        client.send_frame("COMMIT", {"transaction": "b"})
        equal([client.message("s").text for _ in range(2)], ["early", "late"])


if __name__ == "__main__":
    run(Shared(flags=["--enable-test-endpoints"]))
