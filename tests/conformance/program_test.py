#!/usr/bin/env python3
"""Protocol section 6: the program. Configuration, exit statuses, sub-commands, and the end by SIGTERM."""
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Closed, Connection, Refused, Server, Shared, Skip, Stomp, WebSocket, check, equal, eventually, expect, request, run, run_parley, short
from harness.rooms import fill, history, make_private, post
from harness.server import binary
from harness.tokens import SECRET, token


def fails(status, *words, arguments=("serve", "--listen", "127.0.0.1:0"), env=None, **more):
    """The program ends at once with this status and one clear line that holds the words."""
    with tempfile.TemporaryDirectory() as folder:
        result = run_parley(*arguments, *(["--data-dir", folder] if arguments[0] == "serve" and "--data-dir" not in arguments else []), env=env, **more)
    equal(result.returncode, status, "exit status")
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    expect(1 <= len(lines) <= 3, f"not one line: {short(result.stderr)}")
    for word in words:
        expect(str(word) in result.stderr, f"{word!r} is not in {short(result.stderr)}")


def with_file(text, *words, extra=()):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        fails(2, *words, pathlib.Path(file.name).name, arguments=("serve", "--listen", "127.0.0.1:0", "--config", file.name, *extra))


class BareServer(Server):
    """`parley serve` as a new user types it, but for the port."""

    def __init__(self, folder):
        super().__init__(data_dir=folder)

    def command(self):
        return [binary(), "serve", "--listen", self.listen]


# configuration

@check("an unknown key stops the start with its name, and exit status 2")
def _():
    fails(2, "no.such.key", arguments=("serve", "--listen", "127.0.0.1:0", "--set", "no.such.key=1"))


@check("an unknown key in the file is named with file and line")
def _():
    with_file('listen = "127.0.0.1:0"\n\n[limits]\nmax_sesions = 5\n', "limits.max_sesions", ":4")


@check("a bad value in the file is named with file and line")
def _():
    with_file('[limits]\nmax_sessions = "many"\n', "limits.max_sessions", ":2")


@check("a file that is no TOML is named with the line")
def _():
    with_file("a = 1\nthis is no toml\n", ":2")


for setting in ("limits.max_sessions=many", "limits.max_sessions=-1", "drain.limit=soon", "log.kind=paper", "rate.enabled=perhaps", "stomp.heartbeat=often",
                "auth.algorithm=none", "auth.secret=short", "auth.secret=base64:%%%"):
    @check(f"a bad value stops the start: {setting}")
    def _(setting=setting):
        fails(2, setting.split("=")[0], arguments=("serve", "--listen", "127.0.0.1:0", "--set", setting))


@check("a config file that is not there is exit status 2 with its name")
def _():
    fails(2, "/no/such/file.toml", arguments=("serve", "--config", "/no/such/file.toml"))


for key, settings, named in (
        ("auth.public_key", 'algorithm = "ES256"\npublic_key = "/no/such.pem"', "/no/such.pem"),
        ("tls.certificate", 'certificate = ["/no/such.pem"]\nkey = ["/no/such.key"]', "No such file"),
        ("data_dir", 'data_dir = "/proc/no/such"', "/proc/no/such")):
    @check(f"a value that cannot be used names its key, file and line: {key}")
    def _(key=key, settings=settings, named=named):
        table = key.split(".")[0]
        text = settings + "\n" if table == key else f"[{table}]\n{settings}\n"
        line = 1 + [at.split(" =")[0] for at in text.split("\n")].index(key.split(".")[-1])
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            for command in ("serve", "config check") if table != key else ("token --id u-7",):
                fails(2, f"{key} ({file.name}:{line})", named, arguments=(*command.split(), "--listen", "127.0.0.1:0", "--config", file.name))


@check("a data directory that another process has is named with its key")
def _():
    with Server() as server:
        fails(2, "data_dir (--data-dir)", "in use by another process", arguments=("serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir))


@check("what the server makes of its data directory is for its owner alone")
def _():
    with tempfile.TemporaryDirectory() as folder:
        equal(run_parley("token", "--id", "u-7", "--data-dir", f"{folder}/new").returncode, 0)
        equal(os.stat(f"{folder}/new").st_mode & 0o777, 0o700)


@check("replay where no server has stored anything says that, and leaves nothing behind")
def _():
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            result = run_parley("replay", "--room", "r-1", "--data-dir", folder)
            equal((result.returncode, "no server has stored anything" in result.stderr, "repair" in result.stderr), (2, True, False), result.stderr)
        equal(os.listdir(folder), [])


@check("a command that does not exist is named")
def _():
    fails(2, "'srve'", arguments=("srve",))


@check("an unknown environment variable of ours is refused or ignored, a bad value is refused by its name")
def _():
    fails(2, "limits.max_sessions", env={"PARLEY_LIMITS_MAX_SESSIONS": "many"})


@check("file, then environment, then flags; config show tells the value and where it came from")
def _():
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write("[limits]\nmax_sessions = 11\nsubscriptions = 12\nmessage = \"64KiB\"\n")
        file.flush()
        result = run_parley("config", "show", "--config", file.name, "--set", "limits.message=32KiB", env={"PARLEY_LIMITS_SUBSCRIPTIONS": "22"})
        equal(result.returncode, 0, "exit status")
        lines = {line.split()[0].rstrip("="): line for line in result.stdout.splitlines() if line.strip()}
        expect("11" in lines["limits.max_sessions"] and pathlib.Path(file.name).name in lines["limits.max_sessions"], lines["limits.max_sessions"])
        expect("22" in lines["limits.subscriptions"] and "PARLEY_LIMITS_SUBSCRIPTIONS" in lines["limits.subscriptions"], lines["limits.subscriptions"])
        expect("32" in lines["limits.message"], lines["limits.message"])


@check("config show does not show secrets")
def _():
    result = run_parley("config", "show", "--set", f"auth.secret={SECRET}")
    equal(result.returncode, 0, "exit status")
    expect(SECRET not in result.stdout + result.stderr, "the secret is shown")


@check("config check: 0 for a good file, 2 for a bad one")
def _():
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write("[limits]\nmax_sessions = 11\n")
        file.flush()
        equal(run_parley("config", "check", "--config", file.name).returncode, 0, "good file")
        file.write("nonsense_key = 1\n")
        file.flush()
        fails(2, "nonsense_key", arguments=("config", "check", "--config", file.name))


@check("a setting in the environment is in force")
def _():
    with Server(env={"PARLEY_LIMITS_MAX_SESSIONS": "1"}) as server:
        with Stomp(server, "u-1"):
            try:
                Stomp(server, "u-2").close()
                raise AssertionError("a second session got in")
            except Refused as refused:
                equal(refused.response.status, 503)


# starting

@check("a port that another process has is exit status 2 with the address")
def _():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        fails(2, port, arguments=("serve", "--listen", f"127.0.0.1:{port}"))


@check("a port that another Parley has is exit status 2: half the users are not taken over")
def _(server):
    fails(2, server.port, arguments=("serve", "--listen", f"127.0.0.1:{server.port}"))


@check("a data directory that another Parley has is exit status 2 with its name")
def _(server):
    fails(2, server.data_dir, arguments=("serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir))
    with Stomp(server) as client:
        client.say("and it goes on")


@check("a data directory that cannot be made is exit status 2 with its name")
def _():
    fails(2, "/proc/no-such", arguments=("serve", "--listen", "127.0.0.1:0", "--data-dir", "/proc/no-such"))


@check("the test endpoints are refused off loopback")
def _():
    fails(2, arguments=("serve", "--listen", "0.0.0.0:0", "--enable-test-endpoints"))


@check("without the flag there are no test endpoints")
def _(server):
    for path in ("/echo", "/stomp", "/sockjs/echo", "/sockjs/echo/info"):
        equal(request(server, "GET", path).status, 404, path)


@check("with no configuration at all: ./parley-data, a secret kept there (0600), history over restarts")
def _():
    with tempfile.TemporaryDirectory() as folder:
        with BareServer(folder) as server:
            data = pathlib.Path(folder, "parley-data")
            secrets = [f for f in data.rglob("*") if f.is_file() and "secret" in f.name]
            expect(secrets, f"no secret: {[f.name for f in data.rglob('*')]}")
            equal(stat.S_IMODE(secrets[0].stat().st_mode), 0o600, "mode of the secret")
            made = run_parley("token", "--id", "u-7", "--nickname", "앨리스", cwd=folder).stdout.strip()
            equal(request(server, "POST", "/api/rooms/r-1/messages", json={"content": "kept"}, token=made).status, 201)
            server.restart()
            equal([m["content"] for m in request(server, "GET", "/api/rooms/r-1/messages", token=made).json()], ["kept"])


# sub-commands

@check("parley token makes a token that talks as that member")
def _(server):
    result = run_parley("token", "--id", "u-cli", "--nickname", "앨리스", "--ttl", "1h", "--set", f"auth.secret={SECRET}")
    equal(result.returncode, 0, result.stderr)
    with Stomp(server, room="cli", token=result.stdout.strip()) as client:
        client.watch()
        client.say("x")
        message = client.message().json()
        equal((message["senderId"], message["senderNickname"]), ("u-cli", "앨리스"))


@check("where /dev/shm cannot be written, nothing of that is said: who needs it is not in use")
def _():
    without = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$0" --version', binary()],
                             capture_output=True, text=True, timeout=20)
    if "unshare" in without.stderr or "mount:" in without.stderr:
        raise Skip(f"no mount namespace here: {short(without.stderr)}")
    equal((without.returncode, without.stderr), (0, ""))


@check("parley --version and --help are 0, an unknown sub-command or flag 2")
def _():
    equal(run_parley("--version").returncode, 0)
    expect(any(c.isdigit() for c in run_parley("--version").stdout), "no number")
    equal(run_parley("--help").returncode, 0)
    expect(run_parley("dance").returncode != 0, "dance")
    equal(run_parley("serve", "--no-such-flag").returncode, 2)


@check("parley replay prints a room as NDJSON, from a seq")
def _():
    with Server() as server:
        stored = fill(server, "r-cli", 5)
        server.stop()
        for arguments, status, word in ((["--from-seq", "99"], 1, "last message of this room"), (["--from-seq", "-1"], 2, "--from-seq"),
                                        (["--from-seq", "1", "--from-time", "2020-01-01T00:00:00Z"], 2, "excludes")):
            asked = run_parley("replay", "--room", "r-cli", *arguments, "--data-dir", server.data_dir)
            equal((asked.returncode, asked.stdout), (status, ""), arguments)
            expect(word in asked.stderr, asked.stderr)
        result = run_parley("replay", "--room", "r-cli", "--from-seq", "3", "--data-dir", server.data_dir)
        equal(result.returncode, 0, result.stderr)
        equal([json.loads(line) for line in result.stdout.splitlines()], stored[2:])


@check("parley repair --new-epoch: a restored store's rooms have another epoch, a position of before is told")
def _():
    with Server() as server:
        fill(server, "r-old", 3)
        with Stomp(server, "u-1", room="r-old") as client:
            epoch = client.watch()[1].get("epoch")
        server.stop()
        result = run_parley("repair", "--new-epoch", "--data-dir", server.data_dir)
        equal(result.returncode, 0, result.stderr)
        expect("new epoch" in result.stdout, result.stdout)
        server.start()
        with Stomp(server, "u-1", room="r-old") as client:
            client.watch_errors()
            client.watch(wait=False, after_seq="3", epoch=epoch)
            equal(client.next().json()["code"], "POSITION_INVALID")


@check("parley explain says allowed or not, and by which rule")
def _():
    with Server() as server:
        make_private(server, "secret-room")
        post(server, "open-room", "x")
        server.stop()
        for user, destination, allowed in (("u-own", "/sub/chat/room/secret-room", True), ("u-else", "/sub/chat/room/secret-room", False),
                                           ("u-else", "/sub/chat/room/open-room", True), ("u-else", "/sub/nothing", False),
                                           ("u-else", "/topic/public", True), ("guest", "/topic/public", True), ("u-else", "/topic/nothing", False)):
            result = run_parley("explain", "--user", user, "--subscribe", destination, "--data-dir", server.data_dir)
            said = result.stdout.lower()
            expect(("allow" in said and "not allowed" not in said) == allowed, f"{user} {destination}: {short(result.stdout + result.stderr)}")
            expect(len(result.stdout.strip()) > 12, "no rule is named")


# the end

@check("SIGTERM with nobody connected ends at once, with status 0")
def _():
    with Server() as server:
        began = time.monotonic()
        equal(server.stop(), 0, "exit status")
        expect(time.monotonic() - began < 2, f"took {time.monotonic() - began:.1f} s")


@check("SIGKILL: the port is free at once for who starts it again, also with connections that were written to")
def _():
    with Server({"flush.kind": "auto"}) as server:
        clients = [Stomp(server, f"u-{i}", room="r-kill") for i in range(5)]
        for client in clients:
            client.watch()
        clients[0].chat("to all of them", receipt="r")
        for client in clients:
            client.message()
        server.kill()
        with socket.socket() as next_one:
            next_one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            next_one.bind((server.host, server.port))
            next_one.listen(1)


@check("SIGTERM: open sessions are closed with 1001 and each its own reconnect delay; status 0 within drain.limit", limit=40)
def _():
    with Server({"drain.limit": "4s", "drain.spread": "1s"}) as server:
        clients = [Stomp(server, f"u-{i}", room="r-drain") for i in range(20)]
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        closings = [client.closing() for client in clients]
        equal({c.code for c in closings}, {1001})
        delays = [int(c.reason) for c in closings]
        expect(len(set(delays)) > 5 and all(d >= 0 for d in delays), f"delays {delays}")
        equal(server.process.wait(10), 0, "exit status")
        expect(time.monotonic() - began < 6, f"took {time.monotonic() - began:.1f} s")


@check("SIGTERM: /ready turns 503 and new handshakes get 503 with Retry-After while sessions drain", limit=40)
def _():
    with Server({"drain.limit": "8s", "drain.spread": "6s"}) as server:
        clients = [Stomp(server, f"u-{i}", room="r-drain") for i in range(10)]
        server.signal(signal.SIGTERM)
        eventually(lambda: request(server, "GET", "/ready").status == 503, what="/ready 503")
        equal(request(server, "GET", "/ready").header("retry-after"), "2")
        try:
            WebSocket(server, "/ws-chat", token=token("u-7"), roomId="r-1").close()
            raise AssertionError("a new handshake got in")
        except Refused as refused:
            equal((refused.response.status, refused.response.header("retry-after")), (503, "2"))
        for client in clients:
            client.close()


@check("SIGTERM under load: every message with a receipt is there after the restart", limit=40)
def _():
    with Server({"drain.limit": "3s", "drain.spread": "500ms"}) as server:
        client = Stomp(server, room="r-load")
        sent, acknowledged = 0, set()
        for _ in range(500):
            client.chat(f"{sent}", receipt=f"m{sent}")
            sent += 1
        server.signal(signal.SIGTERM)
        try:
            while True:
                frame = client.next()
                if frame.command == "RECEIPT":
                    acknowledged.add(frame["receipt-id"][1:])
        except Closed:
            pass
        equal(server.process.wait(10), 0, "exit status")
        server.start()
        stored = {m["content"] for m in history(server, "r-load", after=0, limit=500)}
        expect(acknowledged <= stored, f"{len(acknowledged - stored)} acknowledged messages are gone")


@check("SIGTERM: requests under way are answered, with nobody connected but who asked", limit=40)
def _():
    with Server({"drain.limit": "20s"}) as server:
        body = json.dumps({"name": "nobody", "password": "wrong password"})
        head = f"POST /v1/auth/login HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nContent-Length: {len(body)}\r\n\r\n"
        asking = [Connection(server.port, server.host) for _ in range(12)]  # one password is checked after the other
        for connection in asking:
            connection.send((head + body).encode())
        statuses = [asking[0].response().status]
        server.signal(signal.SIGTERM)
        statuses += [connection.response().status for connection in asking[1:]]
        equal(statuses, [401] * len(asking), "statuses")
        equal(server.process.wait(10), 0, "exit status")


@check("SIGINT ends it as SIGTERM does")
def _():
    with Server() as server:
        server.signal(signal.SIGINT)
        equal(server.process.wait(5), 0, "exit status")


@check("the ready line is printed once, and accepts at once")
def _(server):
    equal(server.log().count("parley ready http://"), 1)


if __name__ == "__main__":
    run(Shared())
