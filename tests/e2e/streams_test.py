#!/usr/bin/env python3
"""Event streams and long polls with the clients people use: curl -N, npm eventsource, Chromium's EventSource and fetch."""
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, equal, npm
from harness.rooms import post
from harness.tokens import token


def curl(server, http):
    """`curl -N` of a room from its beginning; five messages of it, as they come."""
    url = f"{server.url}/api/rooms/s-curl/stream?after=0"
    process = subprocess.Popen(["curl", "-sN", http, "-H", f"Authorization: Bearer {token('u-7')}", url], stdout=subprocess.PIPE, text=True)
    seen = []
    try:
        for line in process.stdout:
            if line == "event: connected\n" and not seen:
                for i in range(5):
                    post(server, "s-curl", f"{http} {i}")
            if line.startswith("data: {\"messageId\""):
                seen.append(json.loads(line[6:])["seq"])
                if len(seen) >= 5 and seen[-1] % 5 == 0 and seen[-1] >= (5 if http == "--http1.1" else 10):
                    break
    finally:
        process.kill()
        process.wait()
    equal(seen, list(range(1, seen[-1] + 1)))


def report(name, body):
    try:
        body()
        print(f"ok streams: {name}", flush=True)
        return 0
    except (AssertionError, OSError) as error:
        print(f"not ok streams: {name}: {error}", flush=True)
        return 1


def main():
    failed = 0
    with Server() as server:
        if shutil.which("curl"):
            for http in ("--http1.1", "--http1.0"):
                failed += report(f"curl -N {http} shows every message as it comes", lambda h=http: curl(server, h))
        else:
            print("skipped streams: curl: it is not installed")
        try:
            arguments = [shutil.which("chromium")] if shutil.which("chromium") else []
            if not arguments:
                print("skipped streams: pages: chromium is not installed")
            failed += npm.node("streams.cjs", f"127.0.0.1:{server.port}", server.token("alice"), *arguments).returncode
        except Skip as reason:
            print(f"skipped streams: programs: {reason}")
    return failed


try:
    sys.exit(1 if main() else 0)
except AssertionError as error:
    print(f"not ok streams: the server starts: {error}")
    sys.exit(1)
