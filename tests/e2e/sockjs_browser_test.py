#!/usr/bin/env python3
"""sockjs-client in Chromium on each of its nine transports, from a page of the own origin and from another's."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, npm

try:
    chromium = shutil.which("chromium")
    if not chromium:
        raise Skip("chromium is not installed")
    npm.install()
    with Server(settings={"origins.allowed": "http://localhost:*"}) as server:
        sys.exit(npm.node("sockjs_page.cjs", f"127.0.0.1:{server.port}", server.token("alice", "앨리스"), chromium, *sys.argv[1:]).returncode)
except Skip as reason:
    print(f"skipped sockjs_browser: all: {reason}")
except AssertionError as error:
    print(f"not ok sockjs_browser: the server starts: {error}")
    sys.exit(1)
