#!/usr/bin/env python3
"""Ten million messages through one server: none lost, doubled or out of order, and a quick start with all of them."""
import json
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, check, equal, expect, request, run, run_parley
from harness import tokens

MESSAGES = int(os.environ.get("PARLEY_TEST_MESSAGES", 10_000_000))
ROOMS = 100


def head(server, room):
    answer = request(server, "GET", f"/api/rooms/{room}/messages", token=tokens.token("u-7"), limit=1)
    return int(answer.header("X-Parley-Head-Seq"))


@check("ten million messages: none lost, doubled or out of order, and they are there after a restart", limit=3600)
def _():
    with Server({"limits.max_sessions": "2000"}) as server, tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        done = run_parley("bench", "--listen", f"127.0.0.1:{server.port}", "--secret", tokens.SECRET, "--connections", "500",
                          "--rooms", str(ROOMS), "--senders", "400", "--in-flight", "16", "--subscribers", "1", "--warm-up", "0",
                          "--messages", str(MESSAGES), "--pid", str(server.process.pid), "--json", str(report), limit=3500)
        print("#", " ".join(done.stdout.split()), flush=True)
        equal(done.returncode, 0, done.stderr[-500:])
        expect(json.loads(report.read_text()), "no report")
        server.kill()
        began = time.monotonic()
        server.start()
        print(f"# ready {time.monotonic() - began:.2f} s after the kill", flush=True)
        rooms = [room["roomId"] for room in request(server, "GET", "/api/rooms", token=tokens.token("u-7"), limit=500).json()]
        expect(sum(head(server, room) for room in rooms) >= MESSAGES, f"messages are missing after the restart: {len(rooms)} rooms")


if __name__ == "__main__":
    run()
