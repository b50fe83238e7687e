#!/usr/bin/env python3
"""Worker roles over Kafka: groups that share the partitions. A mention is told once, whoever dies and whatever is read again; what cannot be
done is a dead letter."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import EventStream, Server, check, equal, eventually, expect, request, run, run_parley, services, table
from harness.rooms import join, post, talk_of, whole_history
from harness.troubles import ends_beside_a_still_broker
from harness.worker import Worker

PATIENCE = 60
ROOMS = [f"r-{n}" for n in range(6)]


def alone(name, **more):
    return {"log.kind": "kafka", "kafka.brokers": services.shared("kafka").url, "kafka.topics.chat": name, "kafka.group_prefix": name + ".",
            "kafka.partitions": 6, "kafka.lag_interval": "200ms", "kafka.topics.dead_letters": name + "-dead", **more}


def shared(name, **more):
    return alone(name, **{"store.kind": "postgres", "postgres.url": services.shared("postgres").url, "postgres.schema": name, **more})


def metric(server, name, role="notification"):
    for line in request(server, "GET", "/metrics").text.splitlines():
        if line.startswith(f'{name}{{role="{role}"}} '):
            return float(line.split()[-1])
    return None


def stream(server, last_id=None):
    """The notifications of w-1."""
    opened = EventStream(server, "/api/notifications/stream", "w-1", last_id=last_id, limit=PATIENCE)
    equal(opened.event(PATIENCE).name, "connected")
    return opened


def told(events, count=1):
    """The next `count` mentions, by room and seq, and the id of the last."""
    got = []
    while len(got) < count:
        event = events.event(PATIENCE)
        if event.name == "notification":
            got.append((event.json()["roomId"], event.json()["seq"]))
    return got, event.id


def mention(server, room):
    return room, post(server, room, "@w-1", "w-2").json()["seq"]


def all_read(server):
    def lag():
        return request(server, "GET", "/ready").json().get("lag", {})
    eventually(lambda: [lag().get(role) for role in ("notification", "analytics")] == [0, 0], PATIENCE, "the groups at the end")


@check("two servers share the partitions; each mention is told once, also when one is killed at work, and when all is read again", limit=240)
def _():
    where = shared("roles")
    one, two = Server(where), Server(where)
    with one, two:
        for server in (one, two):
            for role in ("notification", "analytics"):
                eventually(lambda server=server, role=role: metric(server, "parley_worker_at_work", role) == 1, PATIENCE, f"{role} on both")
        for room in ROOMS:
            equal(join(one, room, "w-1").status, 200)
        with stream(one) as events:
            said = [mention((one, two)[n % 2], room) for n, room in enumerate(ROOMS)]
            equal(sorted(told(events, len(ROOMS))[0]), sorted(said), "while both are there")
        for n in range(60):
            if n == 30:
                two.kill()
            said.append(mention(one, ROOMS[n % 6]))
        with stream(one, "0.0") as events:
            stored, last = told(events, len(said))
            equal(sorted(stored), sorted(said), "after one was killed")
        all_read(one)
        gauges = [line for line in request(one, "GET", "/metrics").text.splitlines() if line.startswith('parley_lag_records{group="notification",partition="')]
        equal((len(gauges), {line.split()[-1] for line in gauges}), (6, {"0"}), "gauges of the group")
        one.stop()
        flags = [word for key, value in where.items() for word in ("--set", f"{key}={value}")]
        ran = run_parley("group", "reset", "--group", "notification", "--to-offset", "0", "--execute", *flags, limit=PATIENCE)
        equal((ran.returncode, ran.stdout.splitlines()[-1:]), (0, ["done"]), ran.stderr)
        expect("records again" in ran.stdout and "not begun" not in ran.stdout, ran.stdout)
        one.start()
        all_read(one)
        with stream(one, last) as events:
            again = mention(one, "r-0")
            equal(told(events)[0], [again], "nothing before it")


@check("with an embedded store the groups are its server's own", limit=180)
def _():
    with Server(alone("own")) as server:
        equal(join(server, "r-1", "w-1").status, 200)
        said = [mention(server, "r-1"), mention(server, "r-1")]
        server.restart()
        said.append(mention(server, "r-1"))
        with stream(server, "0.0") as events:
            equal(told(events, 3)[0], said)
        all_read(server)


@check("parley worker: the roles apart; what was said while none was there is told by the next", limit=180)
def _():
    where = shared("apart")
    with Server({**where, "worker.roles": "db-writer"}) as server:
        equal(join(server, "r-1", "w-1").status, 200)
        with stream(server) as events:
            with Worker(where, "notification") as worker:
                first = mention(server, "r-1")
                equal(told(events)[0], [first])
            equal(worker.process.returncode, 0)
            more = [mention(server, "r-1"), mention(server, "r-1")]
            with Worker(where, "notification"):
                equal(told(events, 2)[0], more)
                eventually(lambda: request(server, "GET", "/ready").json()["lag"].get("notification") == 0, PATIENCE, "its lag, at the server")


@check("parley worker --role db-writer alone brings history into the table; killed, messages go on and /ready tells, and when it is back nothing is missing", limit=240)
def _():
    where = shared("writing")

    def ready(at):
        return request(at, "GET", "/ready").json()

    def say(count):
        return [post(server, ROOMS[n % 6], f"talk {n}").status for n in range(count)]

    def caught_up(at):
        return ready(at)["degraded"] == [] and ready(at)["lag"].get("db-writer") == 0

    def rows():
        return int(services.shared("postgres").sql("SELECT count(*) FROM writing.messages WHERE content LIKE 'talk %'"))

    def messages(at):
        return sum(len(talk_of(whole_history(at, room))) for room in ROOMS)
    with Server({**where, "worker.roles": "none"}) as server, Worker(where, "db-writer") as writer:
        equal(say(12), 12 * [201])
        eventually(lambda: caught_up(server) and caught_up(writer), PATIENCE, "the table at the end")
        equal(rows(), 12)
        writer.kill()
        equal(say(12), 12 * [201], "while nobody writes the table")
        eventually(lambda: ready(server)["degraded"] == ["db-writer"] and ready(server)["lag"]["db-writer"] >= 12, PATIENCE, "/ready")
        equal((request(server, "GET", "/ready").status, rows(), messages(server)), (200, 12, 24))
        server.restart()
        equal((rows(), messages(server)), (12, 24), "after a restart, from the topic")
        writer.start()
        eventually(lambda: caught_up(server) and caught_up(writer), PATIENCE, "the table at the end again")
        equal((rows(), messages(server)), (24, 24))
        table.is_the_topic(services.shared("postgres"), "writing", services.shared("kafka").url, "writing", [server])


@check("worker.listen: a worker answers /health, /ready with its faults and every lag, and /metrics, nothing else, and this machine alone on loopback", limit=180)
def _():
    where = shared("health")
    with Server({**where, "worker.roles": "none"}) as server, Worker(where, "db-writer", "notification") as worker:
        equal(request(worker, "GET", "/health").json(), {"status": "UP"})
        for n in range(6):
            equal(post(server, "r-1", f"talk {n}").status, 201)

        def told():
            return request(worker, "GET", "/ready").json()
        eventually(lambda: told() == {"status": "READY", "degraded": [], "lag": {"sender": 0, "db-writer": 0, "notification": 0}}, PATIENCE, "/ready")
        for name, wanted in (("parley_worker_at_work", 1), ("parley_worker_rooms_behind", 0)):
            equal(metric(worker, name), wanted, name)
        metrics = request(worker, "GET", "/metrics").text
        for group in ("sender", "db-writer", "notification"):
            equal(metrics.count(f'parley_lag_records{{group="{group}",partition="'), 6, group)
        expect("\nparley_log_available 1\n" in metrics, "the log's own")
        equal([request(worker, method, path).status for method, path in (("GET", "/"), ("GET", "/admin/api/analytics"), ("POST", "/ready"))], [404, 404, 405])
        equal(request(worker, "GET", "/metrics", headers={"Host": "elsewhere.example"}).status, 403)
        services.shared("postgres").sql("UPDATE health.messages SET seq = 7 WHERE seq = 6 AND content = 'talk 5'")
        equal(post(server, "r-1", "more").status, 201)
        eventually(lambda: told()["degraded"] == ["db-writer"], PATIENCE, "a writer that stopped")
        equal((request(worker, "GET", "/ready").status, told()["status"]), (200, "READY"))


@check("a Kafka that stands still does not hold up a worker's end: status 0 a second after drain.limit", limit=180)
def _():
    kafka = services.Service("kafka")
    settings = shared("still", **{"kafka.brokers": kafka.url, "drain.limit": "2s"})
    with Server({**settings, "worker.roles": "none"}) as server, Worker(settings, "analytics", "db-writer") as worker:
        equal(post(server, "r-1", "before").status, 201)
        ends_beside_a_still_broker(worker, kafka)
    kafka.close()


@check("a record that cannot be done is tried, then a dead letter with the reason, and its room goes on", limit=180)
def _():
    where = alone("poison")
    with Server(where) as server:
        equal(join(server, "r-1", "w-1").status, 200)
        # What the mention would say of its sender is larger than a record may be.
        poison = json.dumps({"content": "@w-1", "senderNickname": '"' * 1_500_000}, ensure_ascii=False)
        subprocess.run(["kcat", "-P", "-b", where["kafka.brokers"], "-t", "poison", "-k", "r-1", "-z", "gzip", "-X", "message.max.bytes=4194304",
                        "-X", "topic.partitioner=murmur2", "-H", "messageId=m-poison", "-H", "senderId=w-9"],
                       input=poison, text=True, check=True, timeout=PATIENCE)
        eventually(lambda: metric(server, "parley_worker_dead_letters_total") == 1, PATIENCE, "the dead letter")
        with stream(server, "0.0") as events:
            said = mention(server, "r-1")
            equal(told(events)[0], [said], "the room goes on")
        equal(metric(server, "parley_worker_retries_total"), 2)
        letters = subprocess.run(["kcat", "-C", "-e", "-q", "-b", where["kafka.brokers"], "-t", "poison-dead", "-f", "%k|%h\n"], capture_output=True, text=True,
                                 check=True, timeout=PATIENCE).stdout.splitlines()
        equal(len(letters), 1, repr(letters))
        for words in ("r-1|", "messageId=m-poison", "role=notification", "reason=", "larger than a record"):
            expect(words in letters[0], letters[0])


run()
