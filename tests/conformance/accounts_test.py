#!/usr/bin/env python3
"""Protocol section 4, accounts: register, login, cookie, refresh, ticket, logout, in the envelope existing clients read."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Shared, Stomp, check, equal, expect, request, run

PASSWORD = "비밀번호 correct horse 1"


def register(server, name, password=PASSWORD, nickname=None):
    return request(server, "POST", "/v1/member/register", json={"name": name, "password": password, "nickName": nickname or name})


def login(server, name, password=PASSWORD):
    return request(server, "POST", "/v1/auth/login", json={"name": name, "password": password})


def entered(server, name):
    """Registers and logs in; returns the answer's data and the cookie."""
    expect(register(server, name, nickname="앨리스").status in (200, 201), "register")
    answer = login(server, name)
    equal(answer.status, 200, "login")
    cookie = (answer.header("set-cookie") or "").split(";")[0]
    return answer.json()["data"], cookie


def enveloped(answer):
    body = answer.json()
    expect(set(body) >= {"resultCode", "statusCode", "msg", "data"}, f"{body}")
    equal(body["statusCode"], answer.status)
    expect(body["resultCode"].startswith(str(answer.status)), body["resultCode"])
    return body


@check("register and login answer in the envelope, and the token talks")
def _(server):
    enveloped(register(server, "alice", nickname="앨리스"))
    data = enveloped(login(server, "alice"))["data"]
    with Stomp(server, room="acc-1", token=data["accessToken"]) as client:
        client.watch()
        client.say("로그인했어요")
        message = client.message().json()
        equal((message["senderId"], message["senderNickname"]), (data["id"], "앨리스"))


@check("login sets an HttpOnly SameSite=Strict cookie, which works for same-origin GETs only")
def _(server):
    expect(register(server, "cookie").status in (200, 201), "register")
    answer = login(server, "cookie")
    cookie = answer.header("set-cookie")
    for part in ("httponly", "samesite=strict", "path=/"):
        expect(part in cookie.lower().replace(" ", ""), f"{cookie}")
    headers = {"Cookie": cookie.split(";")[0]}
    equal(request(server, "GET", "/api/rooms/acc-2/messages", headers=headers).status, 200)
    equal(request(server, "GET", "/api/rooms/acc-2/messages", headers={**headers, "Origin": "https://evil.example"}).status in (401, 403), True, "foreign origin refused")
    equal(request(server, "POST", "/api/rooms/acc-2/messages", json={"content": "x"}, headers=headers).status, 401, "POST by cookie")


@check("a wrong password and an unknown name get the same answer, and take as long")
def _(server):
    register(server, "timed")

    def took(name):
        began = time.perf_counter()
        answer = login(server, name, "not the password at all")
        equal(answer.status, 401)
        return time.perf_counter() - began, answer.body
    known = [took("timed") for _ in range(7)]
    unknown = [took(f"nobody-{i}") for i in range(7)]
    equal({b for _, b in known}, {b for _, b in unknown}, "bodies")
    ratio = statistics.median(t for t, _ in known) / statistics.median(t for t, _ in unknown)
    expect(0.4 < ratio < 2.5, f"known/unknown take {ratio:.2f}")


@check("a name that is taken is 409; names differ not by case alone")
def _(server):
    register(server, "taken")
    equal(register(server, "taken").status, 409)
    equal(register(server, "TAKEN").status, 409)


for what, fields in (("no password", {"name": "x1"}), ("an empty name", {"name": "", "password": PASSWORD}), ("a password that is too short", {"name": "x2", "password": "a"}),
                     ("a name of 10 000 characters", {"name": "x" * 10_000, "password": PASSWORD}), ("numbers", {"name": 1, "password": 2})):
    @check(f"register with {what} is 400")
    def _(server, fields=fields):
        equal(request(server, "POST", "/v1/member/register", json=fields).status, 400)


@check("ticket: 200, used once, and only for the member it was given to")
def _(server):
    data, _ = entered(server, "ticket")
    answer = request(server, "POST", "/v1/auth/ticket", token=data["accessToken"])
    ticket = enveloped(answer)["data"]["ticket"]
    with Stomp(server, room="acc-3", token=ticket) as client:
        client.watch()
        client.say("x")
        equal(client.message().json()["senderId"], data["id"])
    equal(request(server, "GET", f"/api/rooms/acc-3/messages?token={ticket}").status, 401, "the spent ticket")


@check("refresh by token or by cookie gives a new token of the same member")
def _(server):
    data, cookie = entered(server, "fresh")
    by_token = enveloped(request(server, "POST", "/v1/auth/refresh", json={}, token=data["accessToken"]))["data"]
    expect(request(server, "GET", "/api/rooms", token=by_token["accessToken"]).status == 200, "the new token")
    answer = request(server, "POST", "/v1/auth/refresh", json={}, headers={"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}"})
    expect(answer.status in (200, 401), f"{answer.status}")


@check("logout: no body needed, the token is revoked, other tokens live")
def _(server):
    data, _ = entered(server, "leaver")
    time.sleep(1.1)  # iat has whole seconds; two logins in one would be the same token
    other = login(server, "leaver").json()["data"]["accessToken"]
    equal(request(server, "POST", "/v1/auth/logout", token=data["accessToken"]).status, 200)
    equal(request(server, "GET", "/api/rooms", token=data["accessToken"]).status, 401)
    equal(request(server, "GET", "/api/rooms", token=other).status, 200)
    equal(request(server, "POST", "/v1/auth/logout").status, 401)


@check("two logins of one account give different tokens, so that logging out one leaves the other")
def _(server):
    register(server, "twice")
    one, two = (login(server, "twice").json()["data"]["accessToken"] for _ in range(2))
    expect(one != two, "the same token")


@check("accounts survive a restart, and the password is not stored readable")
def _():
    with Server() as server:
        register(server, "durable")
        server.restart()
        equal(login(server, "durable").status, 200)
        server.stop()
        for file in pathlib.Path(server.data_dir).rglob("*"):
            if file.is_file():
                expect(PASSWORD.encode() not in file.read_bytes(), f"in {file.name}")


@check("members.require_registered: a token of somebody unknown is refused")
def _():
    with Server({"members.require_registered": "true"}) as server:
        answer = request(server, "GET", "/api/rooms", token=server.token("u-unknown"))
        expect(answer.status in (401, 403, 404), f"{answer.status}")
        data, _ = entered(server, "known")
        equal(request(server, "GET", "/api/rooms", token=data["accessToken"]).status, 200)


@check("auth.public_key without its private half: no accounts here, and nobody is told to come again")
def _():
    with tempfile.TemporaryDirectory() as folder:
        private, public = f"{folder}/private.pem", f"{folder}/public.pem"
        for arguments in (["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private], ["pkey", "-in", private, "-pubout", "-out", public]):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=20)
        with Server({"auth.algorithm": "ES256", "auth.public_key": public}) as server:
            for answer in (register(server, "anna"), login(server, "anna")):
                equal((answer.status, answer.header("retry-after"), answer.json()["statusCode"]), (404, None, 404))


@check("logins run off the loops: a talk goes on while twenty passwords are hashed", limit=60)
def _(server):
    import threading
    register(server, "heavy")
    results = []
    threads = [threading.Thread(target=lambda: results.append(login(server, "heavy", "wrong password here").status)) for _ in range(20)]
    with Stomp(server, room="acc-4") as client:
        client.say("warm")
        for thread in threads:
            thread.start()
        worst = 0.0
        while any(t.is_alive() for t in threads):
            began = time.perf_counter()
            client.say("during")
            worst = max(worst, time.perf_counter() - began)
        for thread in threads:
            thread.join()
    expect(set(results) <= {401, 503}, f"{results}")
    expect(worst < 1.5, f"a receipt took {worst:.2f} s")


if __name__ == "__main__":
    run(Shared())
