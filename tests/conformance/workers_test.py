#!/usr/bin/env python3
"""Worker roles: a mention is told once, wherever its member is, whatever restarts; with everything embedded, and with several
servers over PostgreSQL."""
import json
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, Stomp, check, equal, eventually, expect, request, run, run_parley
from harness.admin import ADMIN, AdminServer
from harness.rooms import invite, join, make_private, post
from harness.shared_store import SharedStore
from harness.tokens import token
from harness.worker import Worker

PATIENCE = 30
store = SharedStore("postgres")


def embedded(name):
    return {}


def shared(name):
    return store.settings(name)


def stream(server, member, last_id=None):
    opened = EventStream(server, "/api/notifications/stream", member, last_id=last_id, limit=PATIENCE)
    equal(opened.event(PATIENCE).name, "connected")
    return opened


def told(events, within=PATIENCE):
    """The next notification; that somebody came online is not one."""
    while (event := events.event(within)).name == "user-login":
        pass
    equal(event.name, "notification")
    return event


def hears_nothing(events, within=0.3):
    try:
        return told(events, within) is None
    except TimeoutError:
        return True


def mentions(server, member, count):
    """The member's stored notifications from the first, `count` of them, and no more."""
    with stream(server, member, last_id="0.0") as events:
        got = [told(events) for _ in range(count)]
        expect(hears_nothing(events, 0.5), "no more than these")
    return [(event.id, event.json()["seq"]) for event in got]


def metric(server, name, role="notification"):
    for line in request(server, "GET", "/metrics").text.splitlines():
        if line.startswith(f'{name}{{role="{role}"}} '):
            return float(line.split()[-1])
    return None


def done(server, messages):
    """The role has done so many messages since this server's start."""
    eventually(lambda: (metric(server, "parley_worker_messages_total") or 0) >= messages, PATIENCE, f"{messages} messages done")


def hard_restart(server, kind):
    """Over a shared store the next server waits for the place of one that died: one check does so, below."""
    if kind is embedded:
        server.kill()
    else:
        server.stop()
    server.start()


for kind in (embedded, shared):
    @check(f"{kind.__name__}: a mention reaches the member's stream and queue, with who said what where, and nobody else", limit=90)
    def _(kind=kind):
        with Server(kind("told")) as server:
            for member in ("w-1", "w-2"):
                equal(join(server, "r-1", member).status, 200)
            with stream(server, "w-1") as mine, stream(server, "w-2") as other, Stomp(server, "w-1", room="r-1") as client:
                client.subscribe("/user/queue/notifications")
                said = post(server, "r-1", "hello @w-1, how are you", "w-2").json()
                event = told(mine)
                equal(event.id, "1.0")
                equal(event.json(), {"notification": "mention", "roomId": "r-1", "seq": said["seq"], "messageId": said["messageId"], "memberId": "w-2",
                                     "nickName": "w-2", "content": "hello @w-1, how are you", "createdAt": said["createdAt"]})
                equal(client.wait("MESSAGE", limit=PATIENCE).json(), event.json())
                equal(post(server, "r-1", "I am @w-2 and write to me@w-1", "w-2").status, 201)
                equal(post(server, "r-1", "that was @w-2", "w-1").status, 201)
                # Only the last of the three mentions somebody else: it is the first w-2 hears.
                equal(told(other).json()["content"], "that was @w-2")
                expect(hears_nothing(mine), "no address, and not oneself")

    @check(f"{kind.__name__}: who is away finds it stored; a restart, also a hard one, and a repeat tell nobody twice", limit=120)
    def _(kind=kind):
        with Server(kind("away")) as server:
            equal(join(server, "r-1", "w-1").status, 200)
            first = post(server, "r-1", "@w-1 one", "w-2", messageId="m-1").json()["seq"]
            equal(post(server, "r-1", "@w-1 one", "w-2", messageId="m-1").status, 200)
            equal(mentions(server, "w-1", 1), [("1.0", first)])
            server.restart()
            second = post(server, "r-1", "@w-1 two", "w-2").json()["seq"]
            equal(mentions(server, "w-1", 2), [("1.0", first), ("2.0", second)])
            third = post(server, "r-1", "@w-1 three", "w-2").json()["seq"]
            hard_restart(server, kind)
            equal(mentions(server, "w-1", 3), [("1.0", first), ("2.0", second), ("3.0", third)])

    @check(f"{kind.__name__}: of a private room only its members are told", limit=90)
    def _(kind=kind):
        with Server(kind("private")) as server:
            make_private(server, "r-own")
            equal(invite(server, "r-own", "w-1").status, 201)
            equal(invite(server, "r-own", "w-2").status, 201)
            equal(join(server, "r-own", "w-1").status, 200)
            with stream(server, "w-1") as member, stream(server, "w-2") as invited, stream(server, "w-3") as stranger:
                equal(post(server, "r-own", "@w-1 @w-2 @w-3", "u-own").status, 201)
                equal(told(member).json()["roomId"], "r-own")
                expect(hears_nothing(invited) and hears_nothing(stranger), "nothing for others")


@check("who is in a public room now is told without having become a member", limit=60)
def _():
    with Server() as server, Stomp(server, "w-5", room="r-now", token=token("w-5", "다섯")) as client:
        client.subscribe("/user/queue/notifications")
        client.send("/pub/chat/send", json.dumps({"type": "JOIN", "roomId": "r-now"}), receipt="in")
        client.receipt("in")
        equal(post(server, "r-now", "안녕 @다섯님", "w-2").status, 201)
        equal(client.wait("MESSAGE", limit=PATIENCE).json()["content"], "안녕 @다섯님")


@check("of two servers one works; the member at the other is told at once, and when it is killed the other goes on", limit=150)
def _():
    settings = store.settings("two")
    one, two = Server(settings), Server(settings)
    with one, two:
        equal(join(one, "r-1", "w-1").status, 200)
        at_work = eventually(lambda: [server for server in (one, two) if metric(server, "parley_worker_at_work") == 1], PATIENCE, "one works")
        equal(len(at_work), 1, "servers at work")
        worker, other = at_work[0], two if at_work[0] is one else one
        seqs = []
        with stream(other, "w-1") as events:
            for server in (one, two):
                seqs.append(post(server, "r-1", "@w-1", "w-2").json()["seq"])
                equal(told(events).json()["seq"], seqs[-1])
        worker.kill()
        seqs.append(post(other, "r-1", "@w-1", "w-2").json()["seq"])
        equal([seq for _, seq in mentions(other, "w-1", 3)], seqs)
        equal(metric(other, "parley_worker_at_work"), 1)
        worker.start()
        equal([seq for _, seq in mentions(worker, "w-1", 3)], seqs)


@check("worker.roles=none: nobody is told, and who turns it on later is told of the last day", limit=90)
def _():
    with Server({"worker.roles": "none"}) as server:
        equal(join(server, "r-1", "w-1").status, 200)
        seq = post(server, "r-1", "@w-1", "w-2").json()["seq"]
        equal(metric(server, "parley_worker_messages_total"), None)
        data = server.data_dir
        server.stop()
        with Server({}, data_dir=data) as again:
            equal(mentions(again, "w-1", 1), [("1.0", seq)])


@check("parley worker: the roles apart from the servers, which run none; SIGTERM ends it", limit=120)
def _():
    settings = store.settings("apart")
    with Server({**settings, "worker.roles": "none"}) as server:
        equal(join(server, "r-1", "w-1").status, 200)
        with stream(server, "w-1") as events:
            with Worker(settings, "notification", "analytics") as worker:
                first = post(server, "r-1", "@w-1", "w-2").json()["seq"]
                equal(told(events).json()["seq"], first)
                equal(request(worker, "GET", "/ready").json(), {"status": "READY", "degraded": []})
                expect('parley_worker_at_work{role="notification"} 1' in request(worker, "GET", "/metrics").text, "the worker's metrics")
            equal(worker.process.returncode, 0)
            second = post(server, "r-1", "@w-1", "w-2").json()["seq"]
            expect(hears_nothing(events, 0.5), "no worker")
            with Worker(settings, "notification"):
                equal(told(events).json()["seq"], second)


@check("parley worker: what cannot be is one line and status 2")
def _():
    def refused(settings, *words, role="notification"):
        ended = run_parley("worker", f"--role={role}", *[f"--set={name}={value}" for name, value in settings.items()])
        equal((ended.returncode, ended.stdout, ended.stderr.count("\n")), (2, "", 1), ended.stderr)
        for word in words:
            expect(word in ended.stderr, f"{word} in {ended.stderr}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        refused({**store.settings("refused"), "worker.listen": at}, "worker.listen (--set)", at)
    refused({"worker.listen": "https://127.0.0.1:0"}, "worker.listen", "expected HOST:PORT")
    refused({}, "store.kind", "parley serve")
    refused(store.settings("refused"), "log.kind", "log.kind=kafka", role="db-writer")
    equal(run_parley("worker", "--role=other").returncode, 2)
    equal(run_parley("worker").returncode, 2)


for kind in (embedded, shared):
    @check(f"{kind.__name__}: analytics count each message once, whatever restarts, and mark floods and repeats", limit=90)
    def _(kind=kind):
        with AdminServer(kind("count")) as server:
            for text in ["buy"] * 6 + [f"text {n}" for n in range(50)]:
                equal(post(server, "c-1", text, "w-1").status, 201)
            hard_restart(server, kind)
            for room in ("c-1", "c-2"):
                equal(post(server, room, "later", "w-2").status, 201)

            def figures():
                answer = server.admin("GET", "/admin/api/analytics/c-1")
                return answer.status == 200 and answer.json()["messages"] >= 57 and answer.json()
            counted = eventually(figures, PATIENCE, "everything counted")
            equal((counted["messages"], counted["types"]["TALK"], counted["members"]), (57, 57, 2))
            equal([(one["memberId"], one["messages"]) for one in counted["perMember"]], [("w-1", 56), ("w-2", 1)])
            expect("repeat" in [mark["kind"] for mark in counted["marks"]], repr(counted["marks"]))
            rooms = eventually(lambda: (lambda all: len(all["rooms"]) == 2 and all)(server.admin("GET", "/admin/api/analytics").json()), PATIENCE, "both rooms")
            equal([one["roomId"] for one in rooms["rooms"]], ["c-1", "c-2"])
            page = server.admin("GET", "/admin/api/analytics", limit=1).json()
            equal((page["rooms"][0]["roomId"], page["next"]), ("c-1", "c-1"))
            equal(server.admin("GET", "/admin/api/analytics", after="c-1").json()["rooms"][0]["roomId"], "c-2")
            equal(server.admin("GET", "/admin/api/analytics/none").status, 404)
            equal(server.admin("GET", "/admin/api/analytics/c-1", token="wrong").status, 401)
            expect('parley_analytics_anomalies_total{kind="repeat"}' in request(server, "GET", "/metrics").text, "the counter")


@check("dead letters: none, in pages, for operators alone; what a role has done is counted")
def _():
    with AdminServer() as server:
        equal(post(server, "r-1", "@nobody", "w-2").status, 201)
        done(server, 1)
        equal(metric(server, "parley_worker_dead_letters_total"), 0)
        equal(server.admin("GET", "/admin/api/dead-letters").json(), {"deadLetters": []})
        equal(server.admin("GET", "/admin/api/dead-letters", limit=0).status, 400)
        equal(server.admin("GET", "/admin/api/dead-letters", token="wrong").status, 401)
        equal(server.admin("POST", "/admin/api/dead-letters").status, 404)
        equal(server.admin("GET", "/admin/api/other").status, 404)
        equal(request(server, "GET", "/admin/api/dead-letters", token=ADMIN).status, 404)


run()
