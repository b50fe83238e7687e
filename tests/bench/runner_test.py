#!/usr/bin/env python3
"""What the bench's runner works out from runs: intervals, verdicts, tables and the plot. Needs nothing built."""
import contextlib
import pathlib
import sys
import tempfile
import types
import xml.dom.minidom

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lib"), str(ROOT / "bench")]
from harness.suite import check, equal, expect, run
import run as program
from peers.peer import Unavailable
from runner import buses, claims, groups, load, mixes, report, stats, svg, transports
from runner.results import put_into


def rounds(*values, turn="parley", other="uring", cpu="A & B"):
    """A group in which `turn` used as much as `values` say, and the other 1 each time."""
    return {"says": "a load", "date": "2026-01-02 03:04 UTC", "machine": {"cores": 2, "cpu": cpu, "kernel": "Linux 6"}, "load": [0.5, 1.5], "failed": [],
            "rounds": [{turn: figures(value), other: figures(1)} for value in values]}


def figures(cpu):
    return {"cpu": cpu, "rate": 1000, "p50": 1.0, "p99": 2.0, "memory": 1.25}


def results(**measured):
    return {"seconds": 4, "warm_up": 1, "groups": measured, "skipped": {}, "instead": {}}


def verdict_of(says, groups_):
    return next(verdict for verdict in claims.judge(groups_) if verdict.claim.says.startswith(says))


@check("11 pairs: the interval is from the 2nd to the 10th and covers 0.988")
def _():
    got = stats.interval([5, 1, 9, 3, 11, 7, 2, 10, 4, 8, 6])
    equal((got.median, got.low, got.high, got.rank, got.count), (6, 2, 10, 2, 11))
    equal(round(got.coverage, 4), 0.9883)  # 1 - 2 * 12/2048
    expect(got.is_confident, "95 % are covered")


@check("the ranks are the ones of the tables for 6, 9, 20 and 100 values")
def _():
    # The usual table of distribution-free 95 % intervals of the median.
    equal([stats.interval(range(count)).rank for count in (6, 8, 9, 12, 20, 25, 100)], [1, 1, 2, 3, 6, 8, 40])


@check("a peer that was skipped once and is there now is not called skipped")
def _():
    peer = types.SimpleNamespace(name="NATS", may_be_absent=False, instead={})

    def is_up(_):
        return contextlib.nullcontext()

    def is_absent(_):
        raise Unavailable("it is not installed")

    found = results()
    for comes_up, skipped in ((is_absent, {"NATS": "it is not installed"}), (is_up, {})):
        with tempfile.TemporaryDirectory() as folder:
            good = program.measure_peer(types.SimpleNamespace(peer=comes_up), peer, [], program.Progress([]), found, pathlib.Path(folder))
        equal((good, found["skipped"]), (comes_up is is_up, skipped))


@check("figures of one day say from when to when they were taken")
def _():
    found = results(A=rounds(1), B=rounds(1))
    equal(report.machine_line(found).split(",")[0], "2026-01-02 03:04 UTC")
    found["groups"]["B"]["date"] = "2026-01-02 05:06 UTC"
    equal(report.machine_line(found).split(",")[0], "2026-01-02 03:04 UTC to 2026-01-02 05:06 UTC")


@check("fewer than 6 pairs have no 95 % interval, and say so")
def _():
    for count, covered in ((1, 0.0), (3, 0.75), (5, 0.9375)):
        got = stats.interval(range(count))
        equal((got.low, got.high, round(got.coverage, 4), got.is_confident), (0, count - 1, covered, False))


@check("the median of an even number of values lies between the middle two")
def _():
    equal(stats.interval([4, 1, 3, 2]).median, 2.5)


@check("a median of buckets is taken evenly inside its bucket")
def _():
    equal(stats.bucket_median([(1, 10), (2, 20), (4, 10)]), 1.5)
    equal(stats.bucket_median([(1, 0), (2, 4)]), 1.5)
    equal(stats.bucket_median([(1, 1), (float("inf"), 9)]), 1)
    equal(stats.bucket_median([(1, 0), (2, 0)]), None)


@check("a target holds by the interval's lower end, and surely by its upper end")
def _():
    steady = verdict_of("B", {"B": rounds(*[1.05] * 11)})
    expect(steady.holds and steady.surely, "1.05 is below 1.10")
    spread = verdict_of("B", {"B": rounds(*[1.05] * 3, *[1.2] * 8)})
    expect(spread.holds and not spread.surely, "the 2nd of 11 reaches 1.10, the 10th does not")
    equal(spread.words(), "holds at the interval's lower end")
    missed = verdict_of("B", {"B": rounds(1.05, *[1.2] * 10)})
    expect(not missed.holds, "one good pair of 11 is not enough")
    once = verdict_of("B", {"B": rounds(1.05)})
    equal(once.words(), "holds (1 value only)")


@check("a ratio is taken within a round, not between medians")
def _():
    group = rounds(2, 4, 6)
    for turns, bare in zip(group["rounds"], (1, 4, 3)):
        turns["uring"]["cpu"] = bare
    equal(verdict_of("B", {"B": group}).interval.median, 2)


@check("latency at D is held against the limit's and the median commit together")
def _():
    group = rounds(1)
    group["rounds"][0]["parley"].update(p50=1.8, commit=0.5)
    equal(verdict_of("D: median latency", {"D": group}).interval.median, 1.8 / 1.5)


@check("a run that failed leaves its claim without figures")
def _():
    group = rounds(1, 1)
    group["failed"] = [("uring", "12 lost")]
    verdict = verdict_of("B", {"B": group})
    expect(not verdict.holds and not verdict.surely, "no figures, no target")
    expect("12 lost" in verdict.words(), verdict.words())


@check("a failed run of another program leaves the claim alone")
def _():
    group = rounds(1, 1)
    group["failed"] = [("send", "12 lost")]
    expect(verdict_of("B", {"B": group}).holds, "send has no part in it")


@check("turns change their order, and rare ones come in their rounds")
def _():
    turn = groups.Turn(run=None, seconds=2)
    group = groups.Group("A", "", 4, {"a": turn, "b": turn, "c": groups.Turn(None, 3, every=2)})
    equal([group.order(number) for number in range(4)], [["a", "b", "c"], ["b", "a"], ["c", "a", "b"], ["b", "a"]])
    equal(group.estimate(), 4 * 4 + 2 * 3)


@check("a pair is swapped each round")
def _():
    turn = groups.Turn(run=None, seconds=1)
    pair = groups.Group("B", "", 4, {"a": turn, "b": turn})
    equal(["".join(pair.order(number)) for number in range(4)], ["ab", "ba", "ab", "ba"])


@check("a load is made smaller where a process may not have as many connections")
def _():
    small = mixes.fitting(mixes.D, 4000)
    equal(small.connections, 4000)
    expect("--connections" in small.options and "4000" in small.says, small)
    equal(mixes.fitting(mixes.D, 20_000), mixes.D)


@check("an option that comes later stands for the one before")
def _():
    equal(load.merged(["--mix", "A", "--idle", "--rate", 5, "--rate", 10, "--idle"]),
          ["--mix", "A", "--rate", "10", "--idle"])


@check("the report has the targets, the tables and what failed")
def _():
    measured = results(A=rounds(*[0.1] * 11), B=rounds(*[1.3] * 11))
    measured["groups"]["nats B"] = rounds(8.5, turn="peer", other="parley")
    measured["groups"]["rabbitmq B"] = dict(rounds(turn="peer"), failed=[("peer", "fell behind")])
    measured["instead"]["nats B"] = "--rate 10"
    text = report.markdown(measured)
    for part in ("0.100 s per million deliveries [0.100–0.100] | ≤ 0.2 s per million deliveries | holds",
                 "1.30 × [1.30–1.30] | ≤ 1.1 × | **missed**", "| NATS | – | 8.5 * (8.5 ×) |", "| RabbitMQ | – | failed |",
                 "--rate 10", "rabbitmq B, peer: fell behind", "from the 2nd smallest to the 2nd largest of 11"):
        expect(part in text, f"no {part!r} in\n{text[:3000]}")


@check("results that were merged say of which machine each is")
def _():
    text = report.markdown(results(A=rounds(1), B=rounds(1), C=rounds(1, cpu="C")))
    for part in ("2 × A & B, Linux 6 and 2 × C, Linux 6, load", "**B**: a load (2026-01-02 03:04 UTC, A & B, load", "UTC, C, load"):
        expect(part in text, text)


@check("the report has each mix on one core and on two")
def _():
    turns = {turn: figures(cpu) for turn, cpu in {"one": 3.0, "uring_one": 2.0, "two": 8.0, "uring_two": 4.0}.items()}
    text = report.markdown(results(**{"C cores": dict(rounds(), rounds=[turns] * 2)}))
    expect("| C | 3 | 2 | 1.50 × [1.50–1.50] | 8 | 4 | 2.00 × [2.00–2.00] |" in text, text)


@check("the plot is well-formed, escapes names, and marks the ranges on the axis")
def _():
    rows = (svg.Row("<us> & them", 2, 1, 4, "ours"), svg.Row("other", None, note="failed"))
    picture = svg.plot("title", "A & B", [svg.Panel("panel", "s", rows)])
    document = xml.dom.minidom.parseString(picture)
    lines = [line for line in document.getElementsByTagName("line") if line.getAttribute("class") == "range"]
    circle = document.getElementsByTagName("circle")[0]
    left, right, middle = (float(lines[0].getAttribute("x1")), float(lines[0].getAttribute("x2")),
                           float(circle.getAttribute("cx")))
    expect(abs((left + right) / 2 - middle) < 0.2, "2 is in the middle of 1 and 4 on a logarithmic axis")
    expect("prefers-color-scheme: dark" in picture, "it has colours for a dark background")


@check("the README's section is replaced between its markers and nowhere else")
def _():
    with tempfile.TemporaryDirectory() as folder:
        readme = pathlib.Path(folder) / "README.md"
        readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
        expect(put_into(readme, *report.place_in_page(results(A=rounds(0.1)))), "it has a place")
        text = readme.read_text()
        expect(text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text, text)
        equal(put_into(readme, *report.place_in_page(results(A=rounds(0.1)))) and readme.read_text(), text)
        readme.write_text("no markers")
        expect(not put_into(readme, *report.place_in_page(results(A=rounds(0.1)))), "no place")


def measured_transports(cpu=2.0, p50=1.0):
    run_ = {"cpu": cpu, "p50": p50, "p99": 5.0, "frame": 400, "up": 10.0, "memory": 1.5, "generator": 0.2, "send_cpu": 40.0,
            "send_up": 300, "send_down": 350, "rate": 1000, "sends": 10,
            "connect": {"round_trips": 2.0, "sent_bytes": 400, "received_bytes": 300, "server_cpu_microseconds": 80.0}}
    results_ = transports.new_results(4, 1)
    for transport in transports.TRANSPORTS:
        results_["runs"][transport.key] = {load_.name: [dict(run_)] for load_ in transports.LOADS}
    return results_


@check("a transport is ahead by its deliveries a core and by the middle of the usual latencies")
def _():
    ahead = {verdict.name: verdict for verdict in transports.judge(measured_transports())}
    equal(list(ahead), ["long polling", "SSE", "WebSocket (STOMP)"])
    equal((ahead["SSE"].rate, ahead["SSE"].latency), (500, (100, 500)))
    expect(ahead["WebSocket (STOMP)"].holds, "500 000 a second and 10 to 50 times faster")
    late = {verdict.name: verdict.holds for verdict in transports.judge(measured_transports(p50=5.0))}
    equal(late, {"long polling": True, "SSE": True, "WebSocket (STOMP)": False})
    equal({verdict.holds for verdict in transports.judge(measured_transports(cpu=200.0))}, {False})


@check("the bytes around a message are all of its way but its own JSON")
def _():
    equal(transports.overhead(measured_transports(), transports.TRANSPORTS[0]), 410 - transports.message_json())


@check("the pages of transports have the table and the plot, also where one failed")
def _():
    measured = measured_transports()
    measured["runs"].pop("sse")
    measured["failed"].append(("sse", "same", "3 lost"))
    text = transports.markdown(measured)
    expect("| **SSE** | – ms, – ms | 100–500 ms | – µs |" in text and "- sse, same: 3 lost" in text and "**missed**" in text, text)
    expect("| **long polling** | 1.0 ms, 5.0 ms | 100–500 ms | 2.0 µs | 500\u202f000 | 1\u202f000 | " in text, text)
    xml.dom.minidom.parseString(transports.picture(measured))
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "page.md")
        page.write_text(f"before\n{transports.BEGIN}\nstale\n{transports.END}\nafter\n")
        expect(put_into(page, *transports.place_in_page(measured)), "the markers are there")
        new = page.read_text()
        expect(new.startswith("before\n") and new.endswith("after\n") and "stale" not in new, new)
        page.write_text("no place")
        expect(not put_into(page, *transports.place_in_page(measured)), "there is no place")


@check("what a bus adds is taken within a round, and the page has a row for each, also where one failed")
def _():
    measured = buses.new_results(4, 2, {"cores": 2, "cpu": "A & B"}, "2026-01-02 03:04 UTC")
    measured["runs"] = {"inproc": [{"here": {"p50": 1.0, "p99": 2.0}}, {"here": {"p50": 3.0, "p99": 4.0}}],
                        "redis": [{"here": {"p50": 2.0, "p99": 3.0}, "there": {"p50": 3.0, "p99": 5.0}},
                                  {"here": {"p50": 4.0, "p99": 8.0}, "there": {"p50": 9.0, "p99": 9.0}}], "kafka": [{}, {}]}
    measured["failed"].append(("kafka", 2, "3 lost"))
    redis = buses.WAYS[1]
    equal((buses.crossing(measured, redis, "p50"), buses.added(measured, redis, "p50")), (3.0, 4.0))
    text = buses.markdown(measured)
    for part in ("| Redis, messages in PostgreSQL | 3.0, 5.5 | 6.0, 7.0 | +3.0, +1.5 | +4.0, +4.0 |", "| Kafka's topic | – | – | – | – |",
                 "| in process, messages in RocksDB | 2.0, 3.0 | – | – | – |", "- kafka, round 2: 3 lost"):
        expect(part in text, f"no {part!r} in\n{text}")


run()
