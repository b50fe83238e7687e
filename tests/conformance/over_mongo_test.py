#!/usr/bin/env python3
"""What holds over the embedded store holds over MongoDB: rooms, history, resume, REST and accounts with everything in a
real database (log.kind=store, store.kind=mongodb)."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import over_store

os.environ["MONGO_FILE"] = "-"  # no check here starts the database again

if __name__ == "__main__":
    sys.exit(over_store.main("mongo"))
