"""What is the same whatever database several servers share: protocol section 6, as checks of the suite that calls checks()."""
import json
import threading
import time

from . import refusals, services
from .admin import AdminServer
from .http import request
from .rooms import history, invite, join, make_private, post, whole_history
from .server import Server, run_parley
from .sse import EventStream
from .stomp import Stomp
from .suite import check, equal, eventually, expect, short
from .tokens import token

PASSWORD = "pa55word"


class SharedStore:
    def __init__(self, kind):
        self.kind = kind

    def database(self):
        return services.shared(self.kind)

    def settings(self, name, **more):
        return {**services.store_settings(self.kind, self.database().url, name), **more}

    def refused(self, toml, *words, **more):
        """The start ends with one line that holds the words and no password, and exit status 2."""
        refusals.refused(toml, *words, secrets=(PASSWORD, "parley:parley"), **more)

    def checks(self):
        """Registers them."""
        settings = self.settings

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

        @check("an operator's replay has what came to all rooms from a time on, through whichever server")
        def _():
            with AdminServer(settings("replayed")) as one, Server(settings("replayed")) as other:
                since = post(one, "r-1", "first").json()["createdAt"]
                for n in range(4):
                    equal(post(other, f"r-{1 + n % 2}", f"talk {n}").status, 201)
                lines = one.admin("GET", "/admin/api/replay", **{"from-time": since}).text.splitlines()
                equal([json.loads(line) for line in lines], [m for room in ("r-1", "r-2") for m in whole_history(other, room)])

        @check("while the database is away senders and readers are refused; then service resumes by itself", limit=60)
        def _():
            own = services.Service(self.kind)
            with Server(services.store_settings(self.kind, own.url, "away")) as server, Stomp(server) as client:
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
