#!/usr/bin/env python3
"""Measures what each bus adds to the latency in process, through sockets, and writes results/buses.{md,json}; see README.md."""
import argparse
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from runner import buses, load, process, report
from runner.process import Failed
from runner.results import write
from runner.servers import Folder, Parley

PAGE = HERE.parent / "docs" / "fleet.md"


def round_of(binary, way, number, settings, seconds):
    """One fleet of two servers (of one, where nothing leaves the process); {where the readers are: figures}."""
    on = process.everywhere()
    with Folder() as folder:
        names = ("one",) if way is buses.INPROC else ("one", "two")
        servers = []
        try:
            for name in names:
                (folder / name).mkdir()
                servers.append(Parley(binary, folder / name, on, settings=settings))
            # A connection takes the URL of its number: senders come first.
            urls = [f"ws://{server.address}" for server in servers]
            secret = settings[0].split("=", 1)[1]
            figures = {}
            for place in buses.places(way, number):
                at = urls[:1] * buses.ROOMS + urls[-1 if place == "there" else 0:][:1] * buses.READERS
                figures[place] = load.figures(load.parley(binary, servers[0], folder, on, [*buses.LOAD.options, "--secret", secret, "--seconds",
                                                                                           seconds, "--warm-up", 1], seconds + 1, at))
            return figures
        finally:
            for server in servers:
                server.process.stop()


def measure(binary, results, ways, rounds, seconds):
    busy = process.Busy()
    with buses.Services(ways) as services:
        for number in range(rounds):
            for way in ways[number % len(ways):] + ways[:number % len(ways)]:
                run = {}
                try:
                    run = round_of(binary, way, number, services.settings(way), seconds)
                    words = ", ".join(f"{place}: {figures['p50']} ms, {figures['p99']} ms" for place, figures in run.items())
                except (Failed, OSError) as why:
                    results["failed"].append((way.key, number + 1, str(why)))
                    words = f"FAILED: {why}"
                results["runs"].setdefault(way.key, []).append(run)
                print(f"{number + 1}/{rounds} {way.name}: {words}", file=sys.stderr, flush=True)
    results["others"] = round(busy.others(), 3)


def main():
    build = HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parley", type=pathlib.Path, default=build / "release/bin/parley")
    parser.add_argument("--only", help=f"of {','.join(way.key for way in buses.WAYS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="seconds of a run that count")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s: whether it works, no result")
    parser.add_argument("--out", type=pathlib.Path,
                        help="folder for the results; bench/results when everything was measured, else build/bench-results")
    options = parser.parse_args()
    if not shutil.which(str(options.parley)):
        sys.exit(f"no {options.parley}: make build")
    whole = not (options.only or options.quick)
    if options.quick:
        options.rounds, options.seconds = 1, 1
    ways = [way for way in buses.WAYS if options.only is None or way.key in options.only.split(",")]
    results = buses.new_results(options.seconds, options.rounds, report.machine(), report.today())
    measure(options.parley.resolve(), results, ways, options.rounds, options.seconds)
    folder = options.out or (HERE / "results" if whole else build / "bench-results")
    write("buses", buses, results, folder, PAGE if whole and options.out is None else None)
    print(json.dumps(results["failed"]) if results["failed"] else (folder / "buses.md").read_text())
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
