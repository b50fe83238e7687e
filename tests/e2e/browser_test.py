#!/usr/bin/env python3
"""Two Chromium pages on the real chat page, over a line that is cut and a server that is killed."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, npm
from harness.suite import logs_dir

LIMIT_S = 240


def main():
    chromium = shutil.which("chromium")
    if not chromium:
        raise Skip("chromium is not installed")
    npm.install()
    with Server() as server:
        script = subprocess.Popen(["node", str(npm.FOLDER / "page.cjs"), f"127.0.0.1:{server.port}", str(logs_dir()), chromium],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for line in script.stdout:
                if line.startswith("! apart"):
                    print("yes", file=script.stdin, flush=True)  # as far as one server lets them
                elif line.startswith("! restart"):
                    server.kill()
                    server.start()
                    print("done", file=script.stdin, flush=True)
                else:
                    print(line, end="", flush=True)
            return script.wait(LIMIT_S)
        finally:
            script.kill()


try:
    sys.exit(main())
except Skip as reason:
    print(f"skipped browser: all: {reason}")
except AssertionError as error:
    print(f"not ok browser: the server starts: {error}")
    sys.exit(1)
