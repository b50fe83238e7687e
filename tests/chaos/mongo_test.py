#!/usr/bin/env python3
"""A server that speaks MongoDB's protocol ends and comes back, and one of three servers that share it is killed. It is not killed itself:
it writes to its file once a second."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import run
from harness.store_crashes import check_crashes

check_crashes("mongo", "restarts of the database", lambda database: database.stop())


if __name__ == "__main__":
    run()
