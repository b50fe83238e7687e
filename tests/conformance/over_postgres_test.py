#!/usr/bin/env python3
"""What holds over the embedded store holds over PostgreSQL: rooms, history, resume, REST and accounts with everything in a
real database (log.kind=store, store.kind=postgres)."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import over_store

if __name__ == "__main__":
    sys.exit(over_store.main("postgres"))
