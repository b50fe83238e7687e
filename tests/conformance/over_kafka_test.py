#!/usr/bin/env python3
"""What holds over the embedded log holds over a topic: the same suites with every message in a real Kafka (log.kind=kafka)."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import over_store

if __name__ == "__main__":
    sys.exit(over_store.main("kafka"))
