"""Durable SEND→RECEIPT rate of the server against a bare RocksDB loop, in alternating pairs; see README.md."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import urllib.request

from runner import stats

PAYLOAD = 100
TARGET_RATIO = 0.40
TARGET_P99 = 10
# The server's own settings do not leak in from the shell.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}


class Server:
    """A server on a folder of its own, with the limits out of the way."""

    def __init__(self, parley):
        self.folder = tempfile.TemporaryDirectory(prefix="parley-durable-")
        self.parley = parley
        arguments = [parley, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.folder.name,
                     "--set", "rate.enabled=false", "--set", "limits.max_sessions=100000"]
        self.errors = open(pathlib.Path(self.folder.name) / "server.log", "w+")
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=CLEAN)
        line = self.process.stdout.readline()
        if not line.startswith("parley ready "):
            self.errors.seek(0)
            sys.exit("the server did not start: " + line + self.errors.read())
        self.url = line.split()[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.errors.close()
        self.folder.cleanup()

    def metrics(self):
        with urllib.request.urlopen(self.url + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def bench(self, *arguments):
        """Runs `parley bench`; its own check must pass."""
        results = pathlib.Path(self.folder.name) / "bench.json"
        run = subprocess.run([self.parley, "bench", "--data-dir", self.folder.name,
                              "--url", self.url.replace("http", "ws", 1) + "/ws-chat",
                              "--pid", str(self.process.pid), "--payload", str(PAYLOAD),
                              "--no-subscribe", "--json", str(results), *map(str, arguments)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN)
        if run.returncode != 0:
            sys.exit(f"parley bench failed ({run.returncode}):\n{run.stdout}{run.stderr}")
        return json.loads(results.read_text())


def record_size(sender):
    """Bytes of a stored message: format, type, time, then id, sender, nickname and extra with a length each, content."""
    return 1 + 1 + 8 + (1 + 36) + 2 * (1 + len(sender)) + 1 + PAYLOAD


def disk(log_bench, name, seconds, batch=1):
    environment = dict(os.environ, PARLEY_BARE_BATCH=str(batch), PARLEY_BARE_SECONDS=str(seconds),
                       PARLEY_BARE_RECORD=str(record_size("bench-250")))
    run = subprocess.run([log_bench, f"--benchmark_filter=^{name}/", "--benchmark_format=json"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, check=True)
    return json.loads(run.stdout)["benchmarks"][0]


def pair(options, message_ids, batch):
    """The server's rate and the bare loop's in turns: with `batch`, the server's mean one of the pair before, the loop
    goes first."""
    def bare(size):
        return disk(options.log_bench, "BM_BareLoop", options.seconds, round(size))["per_second"]

    first = bare(batch) if batch else None
    with Server(options.parley) as server:
        extra = ["--message-ids"] if message_ids else []
        before = server.metrics()
        result = server.bench("--connections", 500, "--rooms", 500, "--in-flight", 16,
                              "--warm-up", 2, "--seconds", options.seconds, *extra)
        after = server.metrics()
    batch = ((after["parley_log_messages"] - before["parley_log_messages"]) /
             (after["parley_log_commits"] - before["parley_log_commits"]))
    out = {"server": result["acknowledged_per_second"], "bare": first or bare(batch), "batch": batch,
           "cpu": result["server_cpu_seconds_per_million_sends"], "p99": result["receipt"]["p99_ms"]}
    out["ratio"] = out["server"] / out["bare"]
    print(f"server {out['server']:.0f}/s  bare {out['bare']:.0f}/s  ratio {out['ratio']:.2f}  mean batch {batch:.0f}  "
          f"server CPU {out['cpu']:.1f} µs a message", file=sys.stderr, flush=True)
    return out


def single(options):
    """One sender with one SEND in flight, between two measurements of the disk."""
    seconds = max(options.seconds // 2, 2)
    before = disk(options.log_bench, "BM_Fdatasync", seconds)
    with Server(options.parley) as server:
        receipt = server.bench("--connections", 1, "--rooms", 1, "--in-flight", 1, "--seconds", seconds * 2)["receipt"]
    after = disk(options.log_bench, "BM_Fdatasync", seconds)
    return receipt, {key: (before[key] + after[key]) / 2 for key in ("p50_ms", "p99_ms")}


def report(options, rows, receipt, sync, load):
    lines = [
        "# Durable rate", "",
        f"{datetime.date.today()}, {os.cpu_count()} × {cpu_name()}, Linux {platform.release()}, "
        f"load average {load[0]:.1f} before and {os.getloadavg()[0]:.1f} after.",
        f"500 senders with 16 SENDs in flight each, {PAYLOAD} bytes, no subscribers, {options.seconds} s each; "
        f"the bare loop writes {record_size('bench-250')} byte records in the server's mean batch.", "",
        "| message ids | server | bare RocksDB | ratio | mean batch | server CPU a message | p99 of a receipt |",
        "| --- | --- | --- | --- | --- | --- | --- |"]
    for kind, measured in rows.items():
        for row in measured:
            lines.append(f"| {kind} | {row['server']:.0f}/s | {row['bare']:.0f}/s | {row['ratio']:.2f} | "
                         f"{row['batch']:.0f} | {row['cpu']:.1f} µs | {row['p99']:.0f} ms |")
    good = True
    lines.append("")
    for kind, measured in rows.items():
        ratio = stats.interval([row["ratio"] for row in measured])
        good = good and ratio.low >= TARGET_RATIO
        lines.append(f"Median ratio, ids {kind}: **{ratio.median:.2f}** [{ratio.low:.2f}–{ratio.high:.2f}], target "
                     f"{TARGET_RATIO:.2f}: {'met' if ratio.low >= TARGET_RATIO else 'missed'}.")
    lines += ["", f"The interval covers the median with probability {ratio.coverage:.3f}; the target is met when its lower end "
              "reaches it. The two take turns, another one first each time."]
    times = receipt["p99_ms"] / sync["p99_ms"]
    good = good and times <= TARGET_P99
    lines += ["", f"A single sender's receipt: p50 {receipt['p50_ms']:.2f}, p99 {receipt['p99_ms']:.2f} ms "
              f"({receipt['count']} messages). fdatasync on a growing file: p50 {sync['p50_ms']:.2f}, "
              f"p99 {sync['p99_ms']:.2f} ms. The p99 is **{times:.1f}** times the disk's, target {TARGET_P99}: "
              f"{'met' if times <= TARGET_P99 else 'missed'}.", ""]
    return "\n".join(lines), good


def cpu_name():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parley", required=True)
    parser.add_argument("--log-bench", required=True)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results/durable.md")
    options = parser.parse_args()
    load = os.getloadavg()
    rows = {"by the server": [], "by the client": []}
    for _ in range(options.pairs):
        for kind, measured in rows.items():
            every_other = measured[-1]["batch"] if len(measured) % 2 else None
            measured.append(pair(options, kind == "by the client", every_other))
    text, good = report(options, rows, *single(options), load)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(text)
    print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
