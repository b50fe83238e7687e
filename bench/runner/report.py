"""The results as Markdown, as a plot, and as the README's section of figures."""
import datetime
import os
import platform
import statistics

from runner import claims, svg
from runner.mixes import ALL

SERVERS = (("Parley", "ours", "", "parley"), ("limit, io_uring", "limit", "", "uring"),
           ("limit, send", "limit", "", "send"), ("NATS", "peer", "nats", "peer"),
           ("RabbitMQ", "peer", "rabbitmq", "peer"), ("Spring Boot", "peer", "spring", "peer"))
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def machine():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"cores": len(os.sched_getaffinity(0)), "cpu": names[0] if names else platform.machine(),
            "kernel": f"Linux {platform.release()}"}


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def machines(results):
    """Where it was measured: results that were merged may be of more than one machine."""
    found = [f"{on['cores']} × {on['cpu']}, {on['kernel']}" for on in (group["machine"] for group in results["groups"].values())]
    return " and ".join(dict.fromkeys(found))


def machine_line(results):
    """Where and when, and how much else went on there."""
    groups = results["groups"].values()
    dates = sorted(group["date"] for group in groups)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    loads = [load for group in groups for load in group["load"]]
    others = [group["others"] for group in groups if "others" in group]
    words = f"{when}, {machines(results)}, load average {min(loads):.1f} to {max(loads):.1f}"
    if others:
        words += f", other programs used {100 * min(others):.0f} to {100 * max(others):.0f} % of a core meanwhile"
    return words


def group_of(results, server, mix):
    """(the group that has the server's runs in a mix, the turn's name)"""
    _, _, prefix, turn = server
    return results["groups"].get(f"{prefix} {mix}".strip()), turn


def runs(results, server, mix):
    """The figures of a server in a mix, run by run."""
    group, turn = group_of(results, server, mix)
    return [turns[turn] for turns in group["rounds"] if turn in turns] if group else []


def why_none(results, server, mix):
    """In a word or two, why there are no figures; empty: it was not asked for."""
    group, turn = group_of(results, server, mix)
    if group is None:
        return ""
    return "failed" if any(name == turn for name, _ in group["failed"]) else ""


def median(results, server, mix, field):
    values = [run[field] for run in runs(results, server, mix) if run.get(field) is not None]
    return statistics.median(values) if values else None


def _cell(results, server, mix, field):
    value = median(results, server, mix, field)
    if value is None:
        return why_none(results, server, mix) or "–"
    text = svg.figure(value) + (" *" if f"{server[2]} {mix}" in results["instead"] else "")
    times = times_parley(results, server, mix) if field == "cpu" else None
    return text if times is None else f"{text} ({times:.1f} ×)"


def times_parley(results, server, mix):
    """A peer's CPU as a multiple of Parley's in the same round, the median."""
    group, turn = group_of(results, server, mix)
    if turn != "peer" or group is None:
        return None
    ratios = [turns["peer"]["cpu"] / turns["parley"]["cpu"] for turns in group["rounds"]
              if turns.get("peer", {}).get("cpu") and turns.get("parley", {}).get("cpu")]
    return statistics.median(ratios) if ratios else None


def _present(results):
    return [server for server in SERVERS if any(runs(results, server, mix) or why_none(results, server, mix)
                                                for mix in (*ALL, "idle"))]


def _table(results, field, mixes):
    lines = ["| | " + " | ".join(mixes) + " |", "| --- |" + " --- |" * len(mixes)]
    for server in _present(results):
        name = f"**{server[0]}**" if server[1] == "ours" else server[0]
        lines.append(f"| {name} | " + " | ".join(_cell(results, server, mix, field) for mix in mixes) + " |")
    return lines


def targets(results):
    lines = ["| | median [interval] | target | |", "| --- | --- | --- | --- |"]
    for verdict in claims.judge(results["groups"]):
        lines.append(f"| {verdict.claim.says} | {verdict.figure()} | {verdict.target()} | {verdict.words()} |")
    return lines


def _how(results):
    counts = sorted({len(group["rounds"]) for name, group in results["groups"].items() if name in ALL})
    example = claims.stats.interval(range(counts[-1])) if counts and counts[-1] else None
    confident = ""
    if example is not None:
        ranks = f"from the {_nth(example.rank)}smallest to the {_nth(example.rank)}largest of {example.count} values"
        confident = (f"The interval is {ranks}: it covers the median with probability {example.coverage:.3f}"
                     + ("." if example.is_confident else ", too few pairs for the 0.95 that a result needs."))
    return [
        "Programs take turns under the same load, in another order each round; a ratio is taken within a round. "
        + confident,
        "A target holds when the interval's lower end reaches it; \"holds\" alone says that the upper end does too. "
        f"A run counts {results['seconds']} s after {results['warm_up']} s of warm-up. The server has one core and one "
        "thread, the load generator the other core. Every run checks that nothing was lost, doubled or "
        "reordered; a run that fails its check has no figures.",
    ]


def _nth(number):
    return "" if number == 1 else {2: "2nd ", 3: "3rd "}.get(number, f"{number}th ")


def _footnotes(results):
    lines = [f"\\* {name}: with `{options}`, it could not carry more." for name, options in
             sorted(results["instead"].items())]
    lines += [f"{name} was skipped: {why}." for name, why in sorted(results["skipped"].items())]
    return lines


def _peer_pairs(results):
    counts = {len(group["rounds"]) for name, group in results["groups"].items() if name.split()[-1] in ALL and " " in name}
    return max(counts, default=0)


def _cores(results):
    """Each mix on one core and on two, beside the limit; nothing where that was not measured."""
    lines = []
    for mix in ALL:
        rounds = results["groups"].get(f"{mix} cores", {}).get("rounds", [])
        cells = [_beside(rounds, ours, limit) for ours, limit in (("one", "uring_one"), ("two", "uring_two"))]
        if any(cells):
            lines.append(f"| {mix} | " + " | ".join(cell or "failed | failed | " for cell in cells) + " |")
    if not lines:
        return []
    return ["## One core and two", "", "| | one core: Parley | limit, io_uring | ratio | two cores: Parley | limit, io_uring | ratio |",
            "| --- | --- | --- | --- | --- | --- | --- |", *lines, "",
            "Server CPU seconds per million deliveries, medians. One core: one thread under `taskset` of it, the load generator on the other. "
            "Two: two threads under `taskset` of both, with the generator.", ""]


def _beside(rounds, ours, limit):
    pairs = [(turns[ours]["cpu"], turns[limit]["cpu"]) for turns in rounds if ours in turns and limit in turns]
    if not pairs:
        return ""
    ratio = claims.stats.interval([mine / theirs for mine, theirs in pairs])
    mine, theirs = (statistics.median(values) for values in zip(*pairs))
    return f"{mine:.3g} | {theirs:.3g} | {ratio.median:.2f} × [{ratio.low:.2f}–{ratio.high:.2f}]"


def failures(results):
    return [f"- {name}, {turn}: {why}" for name, group in results["groups"].items() for turn, why in group["failed"]]


def markdown(results):
    mixes = [mix for mix in ALL if mix in results["groups"]]
    lines = ["# Fan-out", "", machine_line(results) + ".", "", *_how(results), "",
             "![CPU seconds per million deliveries, and memory of an idle client](fanout.svg)", "", "## Targets", "",
             *targets(results), ""]
    if mixes:
        lines += ["## Server CPU seconds per million deliveries", "", *_table(results, "cpu", mixes), "",
                  "; ".join(f"{mix}: {ALL[mix].says}" for mix in mixes) + ".", "",
                  "Medians of all runs of a server; in brackets the median of the ratios to Parley's run in the same round, "
                  f"of {_peer_pairs(results)} pairs. The limit programs forward bytes as they come, in frames as long as "
                  "Parley's, with no protocol and no check. NATS speaks its own protocol over plain TCP, RabbitMQ and Spring "
                  "STOMP over WebSocket; none of them stores anything here, Parley stores every message first."]
        lines += [""] + _footnotes(results) if _footnotes(results) else []
        lines += ["", "## Deliveries a second", "", *_table(results, "rate", mixes), "",
                  "## Latency from send to delivery, ms: median", "", *_table(results, "p50", mixes), "",
                  "99th percentile:", "", *_table(results, "p99", mixes), ""]
    lines += _cores(results)
    if "idle" in results["groups"]:
        lines += ["## User-space KiB of an idle, connected, subscribed client", "",
                  *_table(results, "memory", ["idle"]), ""]
    wrong = failures(results)
    if wrong:
        lines += ["## Runs without figures", "", *wrong, ""]
    lines += ["## Each round", "", "<details><summary>CPU seconds per million deliveries and medians of latency in ms, "
              "run by run</summary>", "", *_rounds(results), "", "</details>", ""]
    return "\n".join(lines)


def _rounds(results):
    lines = []
    for name, group in results["groups"].items():
        lines += ["", f"**{name}**: {group['says']} ({group['date']}, {group['machine']['cpu']}, load average {group['load'][0]:.1f})", ""]
        for number, turns in enumerate(group["rounds"], 1):
            parts = []
            for turn, run in turns.items():
                what = f"{run['cpu']:.3f} s, p50 {run['p50']:.3f}, p99 {run['p99']:.3f} ms" if "cpu" in run else \
                    f"{run.get('memory', 0):.2f} KiB"
                parts.append(f"{turn} {what}")
            lines.append(f"{number}. " + "; ".join(parts))
    return lines


def _row(results, server, mix, field):
    name, kind, _, _ = server
    values = [run[field] for run in runs(results, server, mix) if run.get(field)]
    if not values:
        return svg.Row(name, None, kind=kind, note=why_none(results, server, mix) or "not measured")
    between = claims.stats.interval(values)
    return svg.Row(name, between.median, between.low, between.high, kind)


def picture(results):
    panels = []
    for mix in ALL:
        rows = tuple(_row(results, server, mix, "cpu") for server in _present(results))
        if any(row.value for row in rows):
            panels.append(svg.Panel(f"{mix}: {ALL[mix].says}", "s", rows))
    rows = tuple(_row(results, server, "idle", "memory") for server in _present(results) if server[3] != "send")
    if any(row.value for row in rows):
        panels.append(svg.Panel("Memory of an idle, subscribed client", "KiB", rows))
    if not panels:
        return None
    return svg.plot("Server CPU seconds per million deliveries, and memory: left is better",
                    f"{machines(results)}; logarithmic axes; dot: median, line: its interval", panels)


def readme_section(results):
    """The essential rows, for the README."""
    mixes = [mix for mix in ALL if mix in results["groups"]]
    lines = ["", "Server CPU seconds per million deliveries, one core, durable rooms; KiB of user space for an idle "
             "client:", "", "| | " + " | ".join([*mixes, "idle KiB"]) + " |", "| --- |" + " --- |" * (len(mixes) + 1)]
    for server in _present(results):
        name = f"**{server[0]}**" if server[1] == "ours" else server[0]
        cells = [_cell(results, server, mix, "cpu") for mix in mixes] + [_cell(results, server, "idle", "memory")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "![CPU seconds per million deliveries, and memory of an idle client](bench/results/fanout.svg)", "",
              "; ".join(f"{mix}: {ALL[mix].says}" for mix in mixes) + ".",
              f"{machine_line(results)}. Repeat it with `make bench`; all figures, targets and how they are taken: "
              "[bench/results/fanout.md](bench/results/fanout.md).", ""]
    return "\n".join(lines)


def place_in_page(results):
    """The markers there, and what stands between them."""
    return BEGIN, END, readme_section(results)
