#!/usr/bin/env python3
"""Protocol section 6 over a real PostgreSQL: what stops a start, what two servers share, what the tools read."""
import json
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, Stomp, check, equal, eventually, expect, request, run, run_parley, services, short
from harness import refusals
from harness.rooms import history, invite, join, make_private, post, whole_history
from harness.tokens import token

PASSWORD = "pa55word"


def database():
    return services.shared("postgres")


def settings(schema, **more):
    return {"log.kind": "store", "store.kind": "postgres", "postgres.url": database().url, "postgres.schema": schema, **more}


def refused(toml, *words, **more):
    refusals.refused(toml, *words, secrets=(PASSWORD, "parley:parley"), **more)


def toml(url, log="store", schema="parley"):
    return f'[store]\nkind = "postgres"\n[log]\nkind = "{log}"\n[postgres]\nurl = "{url}"\nschema = "{schema}"\n'


@check("a wrong address, password, database or URL stops the start with the key, file and line")
def _():
    url = database().url
    refused(toml("postgres://parley:pa55word@127.0.0.1:1/parley"), "postgres.url (", "parley.toml:6)", "Connection refused")
    refused(toml(url.replace(":parley@", f":{PASSWORD}@")), "parley.toml:6)", 'password authentication failed for user "parley"')
    refused(toml(url + "_not"), "parley.toml:6)", 'database "parley_not" does not exist')
    refused(toml("postgres://me:pa55/word@127.0.0.1/parley"), "parley.toml:6)", "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE")
    refused(toml(url), "postgres.url (environment PARLEY_POSTGRES_URL)", "Connection refused",
            env={"PARLEY_POSTGRES_URL": f"postgres://u:{PASSWORD}@127.0.0.1:1/x"})
    refused(toml(url), "postgres.url (--set)", "Connection refused", extra=("--set", f"postgres.url=postgres://u:{PASSWORD}@127.0.0.1:1/x"))


@check("a server that takes the connection and says nothing stops the start within seconds")
def _():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        refused(toml(f"postgres://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/x"), "parley.toml:6)", "does not answer")


@check("a combination that cannot keep the promises is refused with the reason")
def _():
    refused('log.kind = "store"', "parley.toml:1: log.kind=store needs a database that several servers can share: store.kind=postgres")
    refused('store.kind = "postgres"', "parley.toml:1: store.kind=postgres needs postgres.url")
    with Server({"store.kind": "postgres", "postgres.url": database().url, "postgres.schema": "alone"}) as server:
        equal(post(server, "r-1", "one").status, 201)
        server.restart()
        equal(len(history(server, "r-1")), 1, "messages after a restart")
        refused(toml(database().url, "embedded", "alone"), "log.kind (", "parley.toml:4)", "belongs to the embedded log")
        refused(toml(database().url, "store", "alone"), "belongs to the embedded log", "this server has log.kind=store")


@check("tables of a later version stop the start")
def _():
    with Server(settings("later")):
        pass
    database().sql("INSERT INTO later.versions (version) VALUES (99)")
    refused(toml(database().url, schema="later"), "parley.toml:6)", "schema later are of version 99; this Parley knows versions up to")


@check("config show and the log hold no password")
def _():
    url = database().url.replace(":parley@", f":{PASSWORD}@")
    shown = run_parley("config", "show", "--set", f"postgres.url={url}")
    expect('postgres.url = "********"' in shown.stdout and PASSWORD not in shown.stdout, short(shown.stdout))
    with Server(settings("quiet")) as server:
        expect("127.0.0.1" in server.log() and "parley:parley" not in server.log(), "the log")


@check("two servers are one: rooms, members, accounts, history, and a message sent to both")
def _():
    with Server(settings("two")) as one, Server(settings("two")) as other:
        account = {"name": "alice", "password": "a good password 1", "nickName": "앨리스"}
        expect(request(one, "POST", "/v1/member/register", json=account).status in (200, 201), "register")
        equal(request(other, "POST", "/v1/auth/login", json={k: account[k] for k in ("name", "password")}).status, 200, "login there")
        equal(request(other, "POST", "/v1/member/register", json=account).status, 409, "the name is taken there")
        first = post(one, "r-1", "hello", messageId="m-1")
        again = post(other, "r-1", "hello", messageId="m-1")
        equal((first.status, again.status), (201, 200))
        equal(first.json(), again.json(), "the repeat")
        equal(post(other, "r-1", "next").json()["seq"], 2)
        equal(whole_history(one, "r-1"), whole_history(other, "r-1"), "history")
        make_private(one, "r-own")
        equal(request(other, "GET", "/api/rooms/r-own", token=token("u-2")).status, 404, "private there too")
        invite(one, "r-own", "u-2")
        expect(join(other, "r-own", "u-2").status in (200, 204), "the invitation")
        equal(post(one, "r-own", "welcome", "u-own").status, 201)
        expect("welcome" in [m["content"] for m in history(other, "r-own", "u-2")], "history of the private room")
        gone = token("u-gone")
        equal(request(one, "POST", "/v1/auth/logout", token=gone).status, 200)
        equal(request(other, "GET", "/api/rooms", token=gone).status, 401, "the revoked token, there")


@check("what one server stores reaches subscribers, streams and polls of another within seconds, without a bus", limit=40)
def _():
    with Server(settings("far")) as one, Server(settings("far")) as other, Stomp(other, room="r-1") as client:
        client.watch("r-1")
        with EventStream(other, "/api/rooms/r-1/stream", token=token("u-7")) as stream:
            stream.event()  # connected
            answers = []
            poll = threading.Thread(target=lambda: answers.append(request(other, "GET", "/api/messages/longpoll", token=token("u-8"), roomId="r-1",
                                                                          timeout=15000, within=20)))
            poll.start()
            time.sleep(0.3)
            for n in range(3):
                equal(post(one, "r-1", f"from afar {n}").status, 201)
            sent = time.monotonic()
            frames = [client.message(limit=8) for _ in range(3)]
            equal([f.json()["content"] for f in frames], [f"from afar {n}" for n in range(3)], "at the subscriber")
            expect(time.monotonic() - sent < 5, "it took its time")
            equal([json.loads(stream.event().data)["seq"] for _ in range(3)], [1, 2, 3], "on the stream")
        poll.join()
        expect([m["content"] for m in answers[0].json()] == [f"from afar {n}" for n in range(len(answers[0].json()))] and answers[0].json(), "at the poll")


@check("replay and explain read the database beside the server; repair says that it is not for it")
def _():
    flags = [word for key, value in settings("tools").items() for word in ("--set", f"{key}={value}")]
    with Server(settings("tools")) as server:
        make_private(server, "r-1")
        equal(post(server, "r-1", "one", "u-own").status, 201)
        ran = run_parley("replay", "--room", "r-1", "--from-seq", "1", *flags)
        expect("one" in [json.loads(line)["content"] for line in ran.stdout.splitlines()], short(ran.stdout + ran.stderr))
        explained = run_parley("explain", "--user", "u-2", "--subscribe", "/sub/chat/room/r-1", *flags)
        equal(explained.returncode, 1, f"explain: {short(explained.stdout + explained.stderr)}")
        equal(run_parley("explain", "--user", "u-own", "--subscribe", "/sub/chat/room/r-1", *flags).returncode, 0, "explain for the owner")
        expect("log.kind=embedded" in run_parley("repair", *flags).stderr, "repair")


@check("while the database is away senders and readers are refused; then service resumes by itself", limit=60)
def _():
    own = services.Service("postgres")
    with Server({**settings("away"), "postgres.url": own.url}) as server, Stomp(server) as client:
        client.watch_errors()
        equal(post(server, "r-1", "before", messageId="m-1").status, 201)
        own.stop()
        client.chat("meanwhile", room="r-1", messageId="m-2")
        client.refusal("CHAT_STORE_UNAVAILABLE")
        equal(request(server, "GET", "/api/rooms/r-1/messages", token=token("u-7")).status, 503, "history")
        eventually(lambda: "messages cannot be stored" in server.log(), limit=15, what="the line in the log")
        own.start()
        back = time.monotonic()
        eventually(lambda: post(server, "r-1", "meanwhile", messageId="m-2").status in (200, 201), limit=10, what="a message after it came back")
        eventually(lambda: request(server, "GET", "/api/rooms/r-1/messages", token=token("u-7")).status == 200, limit=10, what="history")
        expect(time.monotonic() - back < 10, "within 10 s")
        equal([m["messageId"] for m in history(server, "r-1")], ["m-1", "m-2"])
        expect("storing works again" in server.log(), "the line in the log")
    own.close()


if __name__ == "__main__":
    run()
