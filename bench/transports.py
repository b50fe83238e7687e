#!/usr/bin/env python3
"""Measures the same rooms over each transport, and writes results/transports.{md,svg,json}; see README.md."""
import argparse
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from runner import process, transports
from runner.process import Failed
from runner.results import write
from runner.workbench import Workbench

PAGE = HERE.parent / "docs" / "transports.md"


def measure(bench, results, chosen, rounds):
    busy = process.Busy()
    for number in range(rounds):
        for load in transports.LOADS:
            # Transports take turns under one load, another one first each round.
            for transport in chosen[number % len(chosen):] + chosen[:number % len(chosen)]:
                coming = load is transports.CONNECT
                extra = (*transport.options, *(transport.coming if coming else ()))
                try:
                    run = bench.parley(load, extra, seconds=1 if coming else None)
                except (Failed, OSError) as why:
                    results["failed"].append((transport.key, load.name, str(why)))
                    words = f"FAILED: {why}"
                else:
                    results["runs"].setdefault(transport.key, {}).setdefault(load.name, []).append(run)
                    words = f"{run['rate']:,} deliveries/s, {run['sends']:,} sends/s"
                print(f"{number + 1}/{rounds} {load.name} {transport.name}: {words}", file=sys.stderr, flush=True)
    results["others"] = round(busy.others(), 3)


def main():
    build = HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parley", type=pathlib.Path, default=build / "release/bin/parley")
    parser.add_argument("--only", help=f"of {','.join(transport.key for transport in transports.TRANSPORTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="seconds of a run that count")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s: whether it works, no result")
    parser.add_argument("--out", type=pathlib.Path,
                        help="folder for the results; bench/results when everything was measured, else build/bench-results")
    parser.add_argument("--write-only", action="store_true", help="write the pages anew from the results in bench/results")
    options = parser.parse_args()
    whole = not (options.only or options.quick)
    folder = options.out or (HERE / "results" if whole else build / "bench-results")
    if options.write_only:
        write("transports", transports, json.loads((folder / "transports.json").read_text()), folder, PAGE)
        return 0
    if not shutil.which(str(options.parley)):
        sys.exit(f"no {options.parley}: make build")
    if options.quick:
        options.rounds, options.seconds = 1, 1
    chosen = [transport for transport in transports.TRANSPORTS
              if options.only is None or transport.key in options.only.split(",")]
    bench = Workbench(options.parley, None, None, options.seconds, 1, 8)
    results = transports.new_results(options.seconds, options.rounds)
    measure(bench, results, chosen, options.rounds)
    write("transports", transports, results, folder, PAGE if whole and options.out is None else None)
    print((folder / "transports.md").read_text())
    missed = whole and not all(verdict.holds for verdict in transports.judge(results))
    return 1 if results["failed"] or missed else 0


if __name__ == "__main__":
    sys.exit(main())
