#!/usr/bin/env python3
"""PostgreSQL crashes, and one of three servers that share it is killed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import run
from harness.store_crashes import check_crashes

check_crashes("postgres", "crashes of PostgreSQL", lambda database: database.kill())


if __name__ == "__main__":
    run()
