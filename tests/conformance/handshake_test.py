#!/usr/bin/env python3
"""Protocol sections 2 and 3: who gets in. Every refusal of the handshake, tokens right and wrong, origins, and what
happens to an open connection when its token ends."""
import base64
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Refused, Server, Shared, Stomp, WebSocket, check, equal, expect, http, request, run, tokens
from harness.tokens import SECRET, sign, token

NOW = int(time.time())
GOOD = {"sub": "u-7", "nickName": "앨리스", "iat": NOW, "exp": NOW + 3600}


def refusal(server, path="/ws-chat", headers=None, **query):
    try:
        WebSocket(server, path, headers=headers, **query).close()
    except Refused as refused:
        body = refused.response.json()
        expect(body.get("code") and body.get("message"), f"no code and message: {body}")
        return refused.response
    raise AssertionError("the handshake was accepted")


def refused_with(server, status, **query):
    equal(refusal(server, **query).status, status, "status")


def gets_in(server, token, room="r-1", **more):
    with Stomp(server, room=room, token=token, **more) as client:
        return client.connected


def identity(server, claims, **sign_more):
    """The sender a token's messages carry."""
    with Stomp(server, room="r-id", token=sign(claims, **sign_more)) as client:
        client.watch()
        client.say("who am I")
        message = client.message().json()
        return message["senderId"], message["senderNickname"]


# what is missing or blank

for what, query in (("no token", {"roomId": "r-1"}), ("a blank token", {"token": " ", "roomId": "r-1"}),
                    ("an empty token", {"token": "", "roomId": "r-1"}), ("no roomId", {"token": token("u-7")}),
                    ("a blank roomId", {"token": token("u-7"), "roomId": " "}), ("neither", {})):
    @check(f"handshake: {what} is 400")
    def _(server, query=query):
        refused_with(server, 400, **query)

for what, room in (("120 characters", "r" * 120), ("every allowed character", "AZaz09_.-")):
    @check(f"handshake: a roomId of {what} gets in")
    def _(server, room=room):
        gets_in(server, token("u-7"), room=room)

for what, room in (("121 characters", "r" * 121), ("a slash", "a/b"), ("Korean", "방"), ("the server's own ~", "~probe"), ("a space inside", "a b")):
    @check(f"handshake: a roomId with {what} is refused")
    def _(server, room=room):
        expect(refusal(server, token=token("u-7"), roomId=room).status in (400, 403, 404), "status")


# tokens that are wrong: 401

def changed(**claims):
    return {k: v for k, v in {**GOOD, **claims}.items() if v is not None}


other_key = sign(GOOD, secret="another secret that is as long as the right one")
head, body, signature = sign(GOOD).split(".")
WRONG = {
    "signed with another key": other_key,
    "expired": sign(changed(exp=NOW - 1)),
    "without exp": sign(changed(exp=None)),
    "with exp as text": sign(changed(exp="tomorrow")),
    "not valid yet (nbf)": sign(changed(nbf=NOW + 600)),
    "algorithm none": sign(GOOD, alg="none"),
    "algorithm None in another case": sign(GOOD, header={"alg": "nOnE", "typ": "JWT"}),
    "HS512 though HS256 is configured": sign(GOOD, alg="HS512"),
    "HS384 though HS256 is configured": sign(GOOD, alg="HS384"),
    "RS256 in the header over an HMAC": sign(GOOD, header={"alg": "RS256", "typ": "JWT"}),
    "without algorithm": sign(GOOD, header={"typ": "JWT"}),
    "without signature": f"{head}.{body}.",
    "of two parts": f"{head}.{body}",
    "of four parts": sign(GOOD) + ".x",
    "of five parts (JWE)": "a.b.c.d.e",
    "with a changed claim": f"{head}.{tokens.b64(b'{' + chr(34).encode() + b'sub' + chr(34).encode() + b':1}')}.{signature}",
    "with a flipped signature bit": sign(GOOD)[:-3] + ("A" if sign(GOOD)[-3] != "A" else "B") + sign(GOOD)[-2:],
    "that is no base64": "!!!.@@@.###",
    "that is no JSON": f"{tokens.b64(b'nope')}.{tokens.b64(b'nope')}.{signature}",
    "whose claims are an array": sign([1, 2, 3]),
    "without member": sign(changed(sub=None)),
    "with an empty member": sign(changed(sub="")),
    "whose member is the server's own ~": sign(changed(sub="~system")),
    "whose member has 65 characters": sign(changed(sub="u" * 65)),
    "whose member has a space": sign(changed(sub="u 7")),
    "that is just a word": "token",
    "with crit in its header": sign(GOOD, header={"alg": "HS256", "typ": "JWT", "crit": ["exp"]}),
}
for what, wrong in WRONG.items():
    @check(f"token {what} is 401")
    def _(server, wrong=wrong):
        refused_with(server, 401, token=wrong, roomId="r-1")
        equal(request(server, "GET", "/api/rooms/r-1/messages", token=wrong).status, 401, "REST status")


# tokens that are right

@check("token: the member is memberId before id before sub")
def _(server):
    equal(identity(server, changed(memberId="m-1", id="i-1"))[0], "m-1")
    equal(identity(server, changed(id="i-1"))[0], "i-1")
    equal(identity(server, GOOD)[0], "u-7")


@check("token: a number as id is taken as the login service writes it")
def _(server):
    equal(identity(server, changed(id=42))[0], "42")


@check("token: the nickname is nickName before nickname before name")
def _(server):
    equal(identity(server, changed(nickName="하나", nickname="둘", name="셋"))[1], "하나")
    equal(identity(server, changed(nickName=None, nickname="둘", name="셋"))[1], "둘")
    equal(identity(server, changed(nickName=None, name="셋"))[1], "셋")


@check("token: Authorization: Bearer works without ?token=")
def _(server):
    WebSocket(server, "/ws-chat", headers={"Authorization": f"Bearer {token('u-7')}"}, roomId="r-1").close()


@check("token: a blank ?token= falls back to Authorization")
def _(server):
    WebSocket(server, "/ws-chat", headers={"Authorization": f"Bearer {token('u-7')}"}, token="", roomId="r-1").close()


@check("token: ?token= goes before Authorization")
def _(server):
    equal(refusal(server, headers={"Authorization": f"Bearer {token('u-7')}"}, token=other_key, roomId="r-1").status, 401)


@check("token: a token with an audience list and unknown claims gets in")
def _(server):
    gets_in(server, sign(changed(aud=["a", "b"], roles={"x": [1, None]}, jti="1")))


for alg in ("HS384", "HS512"):
    @check(f"token: {alg} by configuration, and then HS256 is refused")
    def _(alg=alg):
        with Server({"auth.algorithm": alg}) as server:
            gets_in(server, sign(GOOD, alg=alg))
            refused_with(server, 401, token=sign(GOOD), roomId="r-1")


@check("token: a secret given as base64: is decoded")
def _():
    raw = b"\x00\xff" * 24
    with Server({"auth.secret": "base64:" + base64.b64encode(raw).decode()}) as server:
        gets_in(server, sign(GOOD, secret=raw))
        refused_with(server, 401, token=sign(GOOD), roomId="r-1")


@check("token: a ticket works once")
def _(server):
    answer = request(server, "POST", "/v1/auth/ticket", token=token("u-7"))
    equal(answer.status, 200)
    ticket = answer.json()["data"]["ticket"]
    with Stomp(server, "u-7", token=ticket) as client:
        client.watch()
        client.say("by ticket")
        equal(client.message().json()["senderId"], "u-7")
    refused_with(server, 401, token=ticket, roomId="r-1")


# origins and hosts

@check("origin: the own host and no Origin pass, another is 403")
def _(server):
    good = {"token": token("u-7"), "roomId": "r-1"}
    WebSocket(server, "/ws-chat", headers={"Origin": f"http://127.0.0.1:{server.port}"}, **good).close()
    WebSocket(server, "/ws-chat", **good).close()
    equal(refusal(server, headers={"Origin": "https://evil.example"}, **good).status, 403)
    equal(refusal(server, headers={"Origin": "null"}, **good).status, 403)
    equal(refusal(server, headers={"Origin": f"http://127.0.0.1.evil.example:{server.port}"}, **good).status, 403)


@check("host: a loopback listener refuses a foreign Host")
def _(server):
    answer = request(server, "GET", "/api/rooms/r-1/messages", token=token("u-7"), headers={"Host": "evil.example"})
    expect(answer.status in (400, 403, 421), f"status {answer.status}")
    equal(request(server, "GET", "/health", headers={"Host": f"localhost:{server.port}"}).status, 200)


# limits of the handshake

@check("limit: a handshake header above 16 KiB is 431")
def _(server):
    data = http.head_bytes("GET", "/ws-chat", [("Host", f"127.0.0.1:{server.port}"), ("X-Fill", "x" * 17_000)])
    from harness import exchange
    equal(exchange(server, data).status, 431)


@check("limits.max_sessions: one more is 503 with Retry-After, and gets in when another left", limit=40)
def _():
    with Server({"limits.max_sessions": 3}) as server:
        open_ones = [Stomp(server, f"u-{i}") for i in range(3)]
        answer = refusal(server, token=token("u-9"), roomId="r-1")
        equal((answer.status, answer.header("retry-after")), (503, "5"))
        open_ones.pop().disconnect()
        from harness import eventually

        def enters():
            try:
                return gets_in(server, token("u-9"))
            except Refused:
                return None
        eventually(enters, what="the place is free again")


@check("a member may hold any number of sessions, and each gets each message once")
def _(server):
    sessions = [Stomp(server, "u-many", room="r-many") for _ in range(10)]
    for session in sessions:
        session.watch()
    sessions[0].say("to all of me")
    sessions[0].say("end")
    for session in sessions:
        equal([f.json()["content"] for f in session.until("end")], ["to all of me", "end"])
        session.close()


# the end of a token on an open connection

@check("expiry: delivery ends within 5 s with ERROR and close 4401", limit=20)
def _(server):
    with Stomp(server, "u-brief", token=token("u-brief", ttl=2), room="r-exp") as brief:
        brief.watch()
        started = time.monotonic()
        brief.error()
        equal(brief.closing().code, 4401)
        expect(time.monotonic() - started < 7.5, "too late")


@check("refresh: a fresh token of the same member keeps the connection", limit=20)
def _(server):
    with Stomp(server, "u-fresh", token=token("u-fresh", ttl=2), room="r-ref") as client:
        receipt = client.new_receipt()
        client.send_frame("SEND", {"destination": "/pub/auth/refresh", "token": token("u-fresh", ttl=3600), "receipt": receipt})
        client.receipt(receipt)
        client.watch()
        time.sleep(8)  # past the first token's end and its 5 s: nothing announces that nothing happens
        client.say("still here")
        equal(client.message().json()["content"], "still here")


for what, wrong in (("another member's token", lambda: token("u-else")), ("an expired token", lambda: token("u-ref2", ttl=-5)),
                    ("nonsense", lambda: "nonsense")):
    @check(f"refresh: {what} is refused and the old one stays in force")
    def _(server, wrong=wrong):
        with Stomp(server, "u-ref2", room="r-ref") as client:
            client.watch_errors()
            client.send_frame("SEND", {"destination": "/pub/auth/refresh", "token": wrong()})
            client.refusal()
            client.say("still me")


@check("refresh: a session that came in by ticket takes a token of its member")
def _(server):
    answer = request(server, "POST", "/v1/auth/ticket", token=token("u-7")).json()
    with Stomp(server, "u-7", token=answer["data"]["ticket"]) as client:
        client.watch_errors()
        receipt = client.new_receipt()
        client.send_frame("SEND", {"destination": "/pub/auth/refresh", "token": token("u-7"), "receipt": receipt})
        client.receipt(receipt)


@check("a ticket of a token that is revoked later ends with it", limit=20)
def _(server):
    mine = token("u-tick", jti="ticket-parent")
    ticket = request(server, "POST", "/v1/auth/ticket", token=mine).json()["data"]["ticket"]
    with Stomp(server, "u-tick", token=ticket) as client:
        equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
        client.error()
        equal(client.closing().code, 4401)


@check("logout revokes the token it comes with: no handshake, and the open connection ends with 4401", limit=20)
def _(server):
    mine = token("u-out", jti="logout-test")
    with Stomp(server, "u-out", token=mine) as client, Stomp(server, "u-out", token=token("u-out", jti="another")) as other:
        equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
        client.error()
        equal(client.closing().code, 4401)
        refused_with(server, 401, token=mine, roomId="r-1")
        other.say("my other token lives")


@check("a revoked token stays revoked after a restart")
def _():
    with Server() as server:
        mine = token("u-out", jti="restart-test")
        equal(request(server, "POST", "/v1/auth/logout", token=mine).status, 200)
        server.restart()
        refused_with(server, 401, token=mine, roomId="r-1")


@check("tokens never appear in the server's logs")
def _():
    with Server() as server:
        mine = token("u-log")
        gets_in(server, mine)
        refused_with(server, 401, token=other_key, roomId="r-1")
        request(server, "GET", "/api/rooms/r-1/messages", token=mine)
        server.stop()
        for secret in (mine, other_key, SECRET):
            expect(secret not in server.log(), "found in the log")


@check("an unknown path is 404 whoever asks")
def _(server):
    for headers in ({}, {"Authorization": f"Bearer {token('u-7')}"}, {"Authorization": "Bearer nonsense"}):
        equal(request(server, "GET", "/no/such/path", headers=headers).status, 404)


if __name__ == "__main__":
    run(Shared())
