#!/usr/bin/env python3
"""@stomp/stompjs 7, the old Stomp.over(new SockJS(…)) API and sockjs-client 1.6 on each of its transports."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, npm

try:
    npm.install()
    with Server() as server:
        tokens = {member: server.token(member, nickname) for member, nickname in (("alice", "앨리스"), ("bob", "Bob"))}
        sys.exit(npm.node("scenarios.cjs", f"127.0.0.1:{server.port}", json.dumps(tokens), *sys.argv[1:]).returncode)
except Skip as reason:
    print(f"skipped js_clients: all: {reason}")
except AssertionError as error:
    print(f"not ok js_clients: the server starts: {error}")
    sys.exit(1)
