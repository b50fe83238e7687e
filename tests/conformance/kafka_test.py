#!/usr/bin/env python3
"""Protocol section 7 over a real Kafka: what stops a start, that whatever server took a message all tell it, what the tools read."""
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Stomp, check, equal, eventually, expect, request, run, run_parley, services
from harness.admin import AdminServer
from harness.refusals import refused
from harness.rooms import degraded, history, post, whole_history
from harness.tokens import token
from harness.troubles import ends_beside_a_still_broker


def brokers():
    return services.shared("kafka").url


def settings(topic, **more):
    """Members and history in PostgreSQL, in tables named as the topic."""
    return {"log.kind": "kafka", "kafka.brokers": brokers(), "kafka.topics.chat": topic, "kafka.group_prefix": topic + ".", "kafka.partitions": 6,
            "store.kind": "postgres", "postgres.url": services.shared("postgres").url, "postgres.schema": topic, **more}


def alone(topic, **more):
    return {"log.kind": "kafka", "kafka.brokers": brokers(), "kafka.topics.chat": topic, "kafka.partitions": 3, **more}


@check("a wrong address, missing brokers, a refused property, a retention that Kafka's log has not, a table nobody would write: one line with key, file and line", limit=180)
def _():
    nobody = 'log.kind = "kafka"\nkafka.brokers = "127.0.0.1:1"\n'
    refused(nobody, "kafka.brokers (", "parley.toml:2)", "127.0.0.1:1 cannot be reached", within=25)
    refused('log.kind = "kafka"', "parley.toml:1: log.kind=kafka needs kafka.brokers")
    with tempfile.NamedTemporaryFile("w") as properties:
        properties.write("sasl.password=pa55word\nacks=1\n")
        properties.flush()
        refused(nobody + f'kafka.properties = "{properties.name}"', "kafka.properties (", "line 2: acks is not to be set", secrets=("pa55word",))
    refused(nobody + 'log.keep_age = "1d"', "log.keep_age needs another log")
    refused(nobody + 'worker.roles = ["notification"]', "parley.toml:3: worker.roles without db-writer needs store.kind=postgres")


@check("whichever of three servers a message came through, the clients of all get it, once and in one order", limit=180)
def _():
    servers = [Server(settings("trap")).start() for _ in range(3)]
    clients = [Stomp(server, member=f"u-{n}", room="r-0") for n, server in enumerate(servers)]
    rooms = [f"r-{n}" for n in range(6)]
    for client in clients:
        for room in rooms:
            client.watch(room)
    for n in range(36):
        equal(post(servers[n % 3], rooms[n % 6], f"talk {n}", f"u-{n % 3}").status, 201)
    told = []
    for client in clients:
        frames = [client.message(limit=10) for _ in range(36)]
        told.append(sorted((f.json()["roomId"], f.json()["seq"], f.json()["content"]) for f in frames))
    equal(told[1], told[0], "at the second")
    equal(told[2], told[0], "at the third")
    equal([seq for room, seq, _ in told[0] if room == "r-3"], [1, 2, 3, 4, 5, 6], "the seqs of a room")
    first = post(servers[0], "r-0", "again", "u-1", messageId="m-1")
    again = post(servers[1], "r-0", "again", "u-1", messageId="m-1")
    equal((first.status, again.status), (201, 200), "a repeat at another server")
    equal(first.json(), again.json(), "the repeat's answer")
    servers[0].kill()
    equal(post(servers[1], "r-1", "after a death").status, 201)
    equal(clients[2].message(limit=10).json()["content"], "again")
    equal(clients[2].message(limit=10).json()["content"], "after a death")
    servers[0].start()
    for room in rooms:
        equal(whole_history(servers[0], room), whole_history(servers[2], room), f"history of {room}")
    for server in servers:
        server.close()


@check("one server with Kafka and nothing else keeps its history over restarts, and replay reads it", limit=180)
def _():
    with Server(alone("alone")) as server:
        for n in range(20):
            equal(post(server, "r-1", f"talk {n}").status, 201)
        before = history(server, "r-1")
        equal([m["seq"] for m in before], list(range(1, 21)))
        server.restart()
        equal(history(server, "r-1"), before, "history after a restart")
        server.kill()
        server.start()
        equal(history(server, "r-1"), before, "history after a crash")
        equal(post(server, "r-1", "next").json()["seq"], 21)
        flags = [word for key, value in alone("alone").items() for word in ("--set", f"{key}={value}")]

        def replayed():
            ran = run_parley("replay", "--room", "r-1", "--from-seq", "1", "--data-dir", server.data_dir, *flags)
            return [json.loads(line)["seq"] for line in ran.stdout.splitlines()]
        eventually(lambda: replayed() == list(range(1, 22)), limit=20, what="replay beside the server")
        with Server(settings("another")):
            pass
        refused('log.kind = "kafka"\nkafka.brokers = "%s"\nkafka.topics.chat = "alone"\nstore.kind = "postgres"\n'
                'postgres.url = "%s"\npostgres.schema = "another"' % (brokers(), services.shared("postgres").url),
                "kafka.brokers (", "holds the messages of topic another")


@check("a second server with members and rooms of its own is refused on a topic that another one has, until that one is gone", limit=180)
def _():
    toml = "\n".join(f"{key} = {json.dumps(value)}" for key, value in alone("taken").items())
    with Server(alone("taken")) as server:
        for _ in range(2):
            refused(toml, "store.kind (", "another server is on the topic taken", "db-writer.", "store.kind=postgres", within=25)
            server.kill()
            server.start()
        server.kill()
        first = Server(alone("taken"))
        eventually(lambda: started(first), limit=60, what="a start after the other server's death")
        first.close()


@check("a Kafka that stands still does not hold up the end: status 0 a second after drain.limit, and the log says what was waited for", limit=240)
def _():
    kafka = services.Service("kafka")
    with Server(alone("stalled", **{"kafka.brokers": kafka.url, "drain.limit": "2s"})) as server:
        equal(post(server, "r-1", "before").status, 201)
        ends_beside_a_still_broker(server, kafka)
        expect("the end takes longer than drain.limit" in server.log(), "the line in the log")
    kafka.close()


def started(server):
    try:
        server.start()
    except Exception:
        return False
    return True


@check("how far readers are behind is told by /ready, /metrics and the log; a writer that stopped is told and leaves the server ready", limit=180)
def _():
    with Server(settings("lag", **{"worker.roles": "db-writer", "kafka.lag_interval": "100ms", "kafka.lag_warn": 2})) as server:
        def told():
            return request(server, "GET", "/ready").json()

        def said():
            return server.log().count("a reader of the topic is far behind")
        for n in range(5):
            equal(post(server, "r-1", f"talk {n}").status, 201)
        eventually(lambda: told().get("lag") == {"sender": 0, "db-writer": 0}, limit=30, what="readers at the end")
        before = said()
        metrics = request(server, "GET", "/metrics").text
        equal(sum(line.startswith('parley_lag_records{group="db-writer",partition="') for line in metrics.splitlines()), 6, "gauges of the table's writer")
        services.shared("postgres").sql("UPDATE lag.messages SET seq = 6 WHERE seq = 5 AND content = 'talk 4'")
        for n in range(5):
            equal(post(server, "r-1", f"more {n}").status, 201, "messages go on")
        eventually(lambda: told()["degraded"] == ["db-writer"] and told()["lag"]["db-writer"] >= 5, limit=30, what="the stopped writer at /ready")
        equal((request(server, "GET", "/ready").status, told()["status"]), (200, "READY"))
        eventually(lambda: said() == before + 1, limit=30, what="the line in the log")
        far = told()["lag"]["db-writer"]
        equal(post(server, "r-1", "once more").status, 201)
        eventually(lambda: told()["lag"]["db-writer"] > far, limit=30, what="another look")
        equal(said(), before + 1, "lines that say so")


@check("replay prints a topic by partition, offset and time; what is no range is one line", limit=180)
def _():
    where = alone("ops")
    flags = [word for key, value in where.items() for word in ("--set", f"{key}={value}")]
    with Server(where) as server:
        stored = [post(server, f"r-{n % 4}", f"talk {n}").json() for n in range(12)]
        flags += ["--data-dir", server.data_dir]

        def replayed(*arguments):
            ran = run_parley("replay", *arguments, *flags)
            equal((ran.returncode, ran.stderr), (0, ""), f"replay {arguments}")
            return [line for line in map(json.loads, ran.stdout.splitlines()) if line["roomId"] != "~probe"]
        lines = [line for partition in range(3) for line in replayed("--partition", str(partition))]
        messages = [{key: value for key, value in line.items() if key not in ("partition", "offset")} for line in lines]
        equal(sorted(messages, key=lambda m: m["content"]), sorted(stored, key=lambda m: m["content"]), "all partitions")
        last = lines[-1]
        equal(replayed("--partition", str(last["partition"]), "--from-offset", str(last["offset"]), "--to-offset", str(last["offset"])), [last], "one record")
        since = [line["messageId"] for line in replayed("--from-time", stored[6]["createdAt"])]
        equal({m["messageId"] for m in stored[6:]} - set(since), set(), "missing from a time on")
        for arguments, words in ((("--partition", "3"), "has the partitions 0 to 2"), (("--partition", "0", "--from-offset", "999"), "holds the offsets"),
                                 ((), "needs --room, --partition or --from-time"), (("--from-time", "soon"), "--from-time: must be an ISO 8601 time")):
            ran = run_parley("replay", *arguments, *flags)
            equal((ran.returncode, ran.stdout), (2, ""), f"replay {arguments}")
            expect(words in ran.stderr, f"replay {arguments}: {ran.stderr}")


@check("operators replay a topic over HTTP as `parley replay` does, by partition, offset and time, with the seqs that rooms have", limit=180)
def _():
    where = alone("replayed")
    flags = [word for key, value in where.items() for word in ("--set", f"{key}={value}")]

    def messages(text):
        return [line for line in map(json.loads, text.splitlines()) if not line["roomId"].startswith("~probe")]
    with AdminServer(where) as server:
        stored = [post(server, f"r-{n % 4}", f"talk {n}").json() for n in range(12)]
        flags += ["--data-dir", server.data_dir]

        def replayed(**query):
            query = {name.replace("_", "-"): value for name, value in query.items()}
            answer = server.admin("GET", "/admin/api/replay", **query)
            equal((answer.status, answer.header("content-type")), (200, "application/x-ndjson; charset=utf-8"), f"{query}")
            ran = run_parley("replay", *(word for name, value in query.items() for word in (f"--{name}", str(value))), *flags)
            equal(messages(answer.text), messages(ran.stdout), f"the command's lines of {query}")
            return messages(answer.text)
        lines = [line for partition in range(3) for line in replayed(partition=partition)]
        for room in ("r-0", "r-1", "r-2", "r-3"):
            own = request(server, "GET", f"/api/rooms/{room}/replay", token=token("u-7"))
            equal([(m["seq"], m["messageId"]) for m in lines if m["roomId"] == room], [(m["seq"], m["messageId"]) for m in messages(own.text)], f"seqs of {room}")
        last = lines[-1]
        equal(replayed(partition=last["partition"], from_offset=last["offset"], to_offset=last["offset"]), [last], "one record")
        since = replayed(from_time=stored[6]["createdAt"])
        equal({m["messageId"] for m in stored[6:]} - {m["messageId"] for m in since}, set(), "missing from a time on")
        equal(since, [line for line in lines if line in since], "from a time on, partition after partition")
        equal(replayed(from_time=stored[6]["createdAt"], partition=last["partition"]), [m for m in since if m["partition"] == last["partition"]], "of one partition")
        for query, word in (({"partition": 3}, "partition: topic replayed has the partitions 0 to 2"), ({"partition": 0, "from-offset": 999}, "from-offset: partition 0 holds"),
                            ({}, "partition or from-time"), ({"from-time": "soon"}, "from-time must be")):
            answer = server.admin("GET", "/admin/api/replay", **query)
            expect(answer.status == 400 and word in answer.text, f"{query}: {answer.status} {answer.text}")


@check("a group's position is moved after a dry run, by offset or time, and not while somebody reads in it", limit=180)
def _():
    where = alone("moved", **{"kafka.group_prefix": "moved."})
    with Server(where) as server:
        stored = [post(server, "r-1", f"talk {n}").json() for n in range(6)]
        flags = [word for key, value in where.items() for word in ("--set", f"{key}={value}")] + ["--data-dir", server.data_dir]

        def reset(*arguments, group="analytics"):
            ran = run_parley("group", "reset", "--group", group, *arguments, *flags)
            return ran.returncode, ran.stdout.splitlines()[1:], ran.stderr
        begun = ["partition 0: not begun -> 0", "partition 1: not begun -> 0", "partition 2: not begun -> 0"]
        for _ in range(2):
            equal(reset("--to-offset", "0"), (0, [*begun, "nothing was changed; --execute does it"], ""), "a dry run")
        equal(reset("--to-offset", "0", "--execute"), (0, [*begun, "done"], ""))
        equal(reset("--to-offset", "0", "--partition", "1"), (0, ["partition 1: 0 stays", "nothing was changed; --execute does it"], ""))
        ran = run_parley("replay", "--from-time", stored[3]["createdAt"], *flags)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        partition = next(line["partition"] for line in lines if line["roomId"] == "r-1")
        first = next(line for line in lines if line["partition"] == partition)
        status, lines, _ = reset("--to-time", stored[3]["createdAt"], "--partition", str(first["partition"]), "--execute")
        equal((status, lines[0]), (0, f"partition {first['partition']}: 0 -> {first['offset']} ({first['offset']} records left out)"))
        equal(reset("--to-offset", "0", "--partition", str(first["partition"]))[1][0], f"partition {first['partition']}: {first['offset']} -> 0 ({first['offset']} records again)")
        status, _, why = reset("--to-offset", "0", group="db-writer")
        expect(status == 2 and "goes on where its table is" in why, f"db-writer: {why}")
        epoch = request(server, "GET", "/api/rooms/r-1/messages", token=token("u-7")).header("x-parley-epoch")
        flags += ["--set", "kafka.group_prefix="]
        status, _, why = reset("--to-offset", "0", "--execute", group=f"moved.db-writer.{epoch}")
        expect(status == 1 and "nothing was changed: 1 reads in this group now" in why, f"live: {status} {why}")
        status, _, why = reset("--to-time", "soon")
        expect(status == 2 and "--to-time: must be an ISO 8601 time" in why, why)
    with Server() as server:
        ran = run_parley("group", "reset", "--group", "analytics", "--to-offset", "0", "--data-dir", server.data_dir)
        expect(ran.returncode == 2 and "log.kind=kafka" in ran.stderr, f"without Kafka: {ran.stderr}")


@check("beside a Redis bus a message is shown to other services once, by the server that took it", limit=180)
def _():
    redis = services.shared("redis")
    among = settings("mirrored", **{"bus.kind": "redis", "redis.url": redis.url, "redis.prefix": "mirrored"})
    with Server(among) as one, Server(among) as other, Stomp(other, room="r-1") as client, redis.listening("chatroom.r-1") as mirror:
        client.watch("r-1")
        for n in range(4):
            equal(post((one, other)[n % 2], "r-1", f"talk {n}").status, 201)
        equal([client.message().json()["seq"] for _ in range(4)], [1, 2, 3, 4], "at the subscriber")
        equal(sorted(mirror.json()["content"] for _ in range(4)), [f"talk {n}" for n in range(4)], "on the channel")
        redis.command("PUBLISH", "chatroom.r-1", '"end"')
        equal(mirror.json(), "end", "nothing twice")


@check("while the broker is away senders are refused; then service resumes by itself", limit=90)
def _():
    own = services.Service("kafka")
    with Server(alone("away", **{"kafka.brokers": own.url})) as server, Stomp(server) as client:
        client.watch_errors()
        equal(post(server, "r-1", "before", messageId="m-1").status, 201)
        own.stop()
        client.chat("meanwhile", room="r-1", messageId="m-2")
        client.refusal("CHAT_STORE_UNAVAILABLE", limit=10)
        equal(request(server, "GET", "/api/rooms/r-1/messages", token=token("u-7")).status, 200, "history stays")
        eventually(lambda: "messages cannot be stored" in server.log(), limit=15, what="the line in the log")
        eventually(lambda: degraded(server), limit=15, what="/ready")

        def ahead():
            return request(server, "GET", "/api/messages/longpoll", token=token("u-7"), roomId="r-1", after=9, timeout=5000)
        refused_ahead = ahead()
        equal((refused_ahead.status, refused_ahead.json()["code"]), (503, "CHAT_STORE_UNAVAILABLE"), "a position that another server may have told")
        own.start()
        back = time.monotonic()
        eventually(lambda: post(server, "r-1", "meanwhile", messageId="m-2").status in (200, 201), limit=15, what="a message after it came back")
        expect(time.monotonic() - back < 10, "within 10 s")
        equal([m["messageId"] for m in history(server, "r-1")], ["m-1", "m-2"])
        eventually(lambda: ahead().status == 409, limit=30, what="that nobody can have told it")
        eventually(lambda: "storing works again" in server.log(), limit=5, what="the line in the log")
    own.close()


if __name__ == "__main__":
    run()
