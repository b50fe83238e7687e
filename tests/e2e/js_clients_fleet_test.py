#!/usr/bin/env python3
"""sockjs-client 1.6 by xhr-streaming and xhr-polling, under both STOMP clients, behind an HAProxy that sends each request to the next
of two servers: what holds at one server holds at a fleet without stickiness."""
import contextlib
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, npm, services
from harness.proxy import HaProxy

SETTINGS = {"log.kind": "store", "store.kind": "postgres", "bus.kind": "redis", "cache.kind": "redis"}


def main():
    npm.install()
    database, redis = services.shared("postgres"), services.shared("redis")
    settings = {**SETTINGS, "postgres.url": database.url, "postgres.schema": "js_fleet", "redis.url": redis.url, "redis.prefix": "js_fleet"}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(settings)) for _ in range(2)]
        proxy = stack.enter_context(HaProxy("HAProxy", [f"127.0.0.1:{server.port}" for server in servers]))
        tokens = {member: servers[0].token(member, nickname) for member, nickname in (("alice", "앨리스"), ("bob", "Bob"))}
        wanted = sys.argv[1:] or ["xhr-streaming", "xhr-polling"]
        ran = npm.node("scenarios.cjs", f"127.0.0.1:{proxy.port}", json.dumps(tokens), *wanted, stdout=subprocess.PIPE, text=True)
        print(ran.stdout.replace("ok js_clients:", "ok js_clients_fleet:"), end="", flush=True)
        return ran.returncode


try:
    sys.exit(main())
except Skip as reason:
    print(f"skipped js_clients_fleet: all: {reason}")
except AssertionError as error:
    print(f"not ok js_clients_fleet: the servers start: {error}")
    sys.exit(1)
