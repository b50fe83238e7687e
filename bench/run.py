#!/usr/bin/env python3
"""Measures the server's fan-out beside the bare limit and other servers, and writes results/; see README.md."""
import argparse
import json
import os
import pathlib
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools/services")]
from peers.nats import Nats
from peers.peer import Unavailable
from peers.rabbitmq import RabbitMq
from peers.spring import Spring
from runner import claims, groups, process, report
from runner.process import Failed
from runner.results import keep, write
from runner.workbench import Workbench

PEERS = {peer.key: peer for peer in (Nats, RabbitMq, Spring)}
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
_GIVE_UP_AFTER = 2   # failures of a turn: the rest of its rounds would only cost time


class Progress:
    """A line a run on stderr, with what is left by the estimates and by how far off they were so far."""

    def __init__(self, plans):
        self._left = sum(plan.estimate() for plan in plans)
        self._done = 0.0
        self._began = time.monotonic()

    def say(self, words):
        spent = time.monotonic() - self._began
        pace = spent / self._done if self._done > 20 else 1
        left = self._left * pace
        print(f"[{spent / 60:4.1f} min, {left / 60:4.1f} left] {words}", file=sys.stderr, flush=True)

    def passed(self, seconds):
        self._left -= seconds
        self._done += seconds


def measure(group, progress):
    """All rounds of a group: {"rounds": [{turn: figures}], "failed": [(turn, why)], …}."""
    out = {"says": group.says, "date": report.today(), "machine": report.machine(), "load": [os.getloadavg()[0]], "rounds": [], "failed": []}
    busy = process.Busy()
    for number in range(group.rounds):
        turns = {}
        for name in group.order(number):
            turn = group.turns[name]
            failures = sum(1 for failed, _ in out["failed"] if failed == name)
            if failures < _GIVE_UP_AFTER:
                try:
                    turns[name] = turn.run()
                except (Failed, OSError) as why:
                    out["failed"].append((name, str(why)))
                    progress.say(f"{group.name} {number + 1}/{group.rounds} {name} FAILED: {why}")
                else:
                    progress.say(f"{group.name} {number + 1}/{group.rounds} {name}: {words(turns[name])}")
            progress.passed(turn.seconds)
        out["rounds"].append(turns)
    out["load"].append(os.getloadavg()[0])
    if group.peer is None:
        out["others"] = round(busy.others(), 3)
    return out


def words(run):
    if "cpu" not in run:
        return f"{run.get('memory', 0):.2f} KiB a client"
    return (f"{run['cpu']:.3f} s per million, {run['rate']:,}/s, p50 {run['p50']:.2f}, p99 {run['p99']:.2f} ms, "
            f"{100 * run.get('busy', 0):.0f} % of a core")


def measure_peer(bench, peer, plans, progress, results, folder):
    """One peer's groups while it is up. False: it could not be brought up, which only some peers may."""
    try:
        with bench.peer(peer):
            progress.say(f"{peer.name} is up and delivers what is sent to it")
            for group in plans:
                results["groups"][group.name] = measure(group, progress)
                options = peer.instead.get(group.name.split()[-1])
                if options and not group.name.endswith("idle"):
                    results["instead"][group.name] = " ".join(map(str, options))
                keep("fanout", results, folder)
        results["skipped"].pop(peer.name, None)  # in the results that were there already
        return True
    except Unavailable as why:
        reason = str(why)
    except Failed as why:
        reason = f"not brought up: {why}"
    for group in plans:
        if group.name not in results["groups"]:
            progress.passed(group.estimate())
    results["skipped"][peer.name] = reason
    print(f"{'skipped' if peer.may_be_absent else 'FAILED'}: {peer.name}: {reason}", file=sys.stderr, flush=True)
    return peer.may_be_absent


def take_options():
    parser = argparse.ArgumentParser(description=__doc__)
    build = HERE.parent / "build"
    parser.add_argument("--parley", type=pathlib.Path, default=build / "release/bin/parley")
    parser.add_argument("--tools", type=pathlib.Path, default=build / "bench/bin",
                        help="folder with peer_load, limit_send and limit_uring")
    parser.add_argument("--only", default=",".join(groups.KINDS),
                        help=f"of {','.join((*groups.KINDS, *groups.EXTRA_KINDS))}; soak takes 22 minutes, cores 2 a pair")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {','.join(PEERS)}, or none")
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--peer-pairs", type=int, default=3)
    parser.add_argument("--peers-only", action="store_true", help="of --only, what is measured beside the peers")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of a run that count")
    parser.add_argument("--quick", action="store_true", help="3 pairs of 2 s: whether it works, no result")
    parser.add_argument("--out", type=pathlib.Path,
                        help="folder for the results; bench/results when everything was measured, else build/bench-results")
    parser.add_argument("--merge", action="store_true", help="add to the results that are in --out already")
    parser.add_argument("--write-only", action="store_true", help="write the report anew from the results in --out")
    options = parser.parse_args()
    options.only = options.only.split(",")
    options.peers = [] if options.peers == "none" else options.peers.split(",")
    unknown = [name for name in options.only if name not in (*groups.KINDS, *groups.EXTRA_KINDS)]
    unknown += [name for name in options.peers if name not in PEERS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    options.warm_up, options.slow_seconds = 1, 8
    if options.quick:
        options.pairs, options.peer_pairs, options.seconds = min(options.pairs, 3), 1, 2
    whole = (set(options.only) >= set(groups.KINDS) and len(options.peers) == len(PEERS) and not options.quick
             and not options.peers_only)
    if options.out is None:
        options.out = RESULTS if whole or options.merge or options.write_only else build / "bench-results"
    return options


def main():
    options = take_options()
    kept = options.out / "fanout.json"
    if options.write_only:
        results = json.loads(kept.read_text())
        write("fanout", report, results, options.out, README if options.out == RESULTS else None)
        return 0
    for program in (options.parley, options.tools / "peer_load", options.tools / "limit_uring",
                    options.tools / "limit_send"):
        if not shutil.which(str(program)):
            sys.exit(f"no {program}: make bench builds it")
    bench = Workbench(options.parley, options.tools / "peer_load", options.tools, options.seconds, options.warm_up,
                      options.slow_seconds)
    results = {"seconds": options.seconds, "warm_up": options.warm_up, "groups": {},
               "skipped": {}, "instead": {}}
    if options.merge and kept.exists():
        before = json.loads(kept.read_text())
        results.update({part: before[part] for part in ("groups", "skipped", "instead")})
    plans = [] if options.peers_only else groups.plan(bench, options.only, options.pairs)
    peers = [(peer, groups.plan_peer(bench, peer, options.only, options.peer_pairs))
             for peer in (PEERS[name]() for name in options.peers)]
    peers = [(peer, peer_plans) for peer, peer_plans in peers if peer_plans]
    progress = Progress([*plans, *(plan for _, peer_plans in peers for plan in peer_plans)])
    good = True
    for group in plans:
        results["groups"][group.name] = measure(group, progress)
        keep("fanout", results, options.out)
    for peer, peer_plans in peers:
        good = measure_peer(bench, peer, peer_plans, progress, results, options.out) and good
    write("fanout", report, results, options.out, README if options.out == RESULTS else None)
    print((options.out / "fanout.md").read_text().split("## Each round")[0])
    print(f"written to {options.out}", file=sys.stderr)
    return 0 if good and passed(results) else 1


def passed(results):
    """Whether every run of Parley and of the limits had figures, and every target holds."""
    failed = [(name, turn) for name, group in results["groups"].items() for turn, _ in group["failed"]
              if turn != "peer"]
    missed = [verdict.claim.says for verdict in claims.judge(results["groups"]) if not verdict.holds]
    for name, turn in failed:
        print(f"FAILED: {name}, {turn}", file=sys.stderr)
    for says in missed:
        print(f"missed: {says}", file=sys.stderr)
    return not failed and not missed


if __name__ == "__main__":
    sys.exit(main())
