"""What another server costs in latency: senders at one server, readers at the same one or at another, over each bus."""
import dataclasses
import os
import secrets
import shutil
import statistics
import subprocess
import tempfile

from runner import svg
from runner.mixes import Mix
from runner.process import CLEAN, Failed
from runner.servers import ROOT

ROOMS, READERS = 10, 90
LOAD = Mix("buses", "10 rooms, in each one sender and 9 readers, 200 messages/s in all",
           ("--connections", ROOMS + READERS, "--rooms", ROOMS, "--senders", ROOMS, "--subscribers", READERS // ROOMS, "--rate", 200,
            "--payload", 64), ROOMS + READERS)
BEGIN, END = "<!-- figures: written by make bench BENCH=buses -->", "<!-- end of figures -->"


@dataclasses.dataclass(frozen=True)
class Way:
    """How servers share messages. `settings` of each server, by the services' addresses and a name of its own for what it keeps there."""
    key: str
    name: str
    services: tuple = ()
    settings: object = lambda url, name: []


def _postgres(url, name):
    return ["store.kind=postgres", f"postgres.url={url['postgres']}", f"postgres.schema={name}"]


def _redis(url, name):
    return ["bus.kind=redis", f"redis.url={url['redis']}", f"redis.prefix={name}"]


def _kafka(url, name):
    return ["log.kind=kafka", f"kafka.brokers={url['kafka']}", f"kafka.topics.chat={name}", f"kafka.group_prefix={name}.",
            "kafka.partitions=6", *_postgres(url, name)]


INPROC = Way("inproc", "in process, messages in RocksDB")
WAYS = (
    INPROC,
    Way("redis", "Redis, messages in PostgreSQL", ("postgres", "redis"),
        lambda url, name: ["log.kind=store", *_postgres(url, name), *_redis(url, name)]),
    Way("kafka", "Kafka's topic", ("postgres", "kafka"), _kafka),
    Way("kafka-redis", "Kafka's topic, Redis beside it", ("postgres", "redis", "kafka"),
        lambda url, name: [*_kafka(url, name), *_redis(url, name)]),
)


def places(way, number):
    """Where the readers are, another place first each round."""
    return ("here",) if way is INPROC else ("there", "here") if number % 2 else ("here", "there")


class Services:
    """The real servers of all ways, by the scripts of tools/services, until the end of the block."""

    def __init__(self, ways):
        self.url = {}
        self._names = sorted({name for way in ways for name in way.services})
        self._folder = tempfile.mkdtemp(prefix="parley-bench-")
        os.chmod(self._folder, 0o711)  # started by root, the database runs as a user of its own

    def _run(self, name, what):
        ran = subprocess.run([ROOT / "tools/services" / f"{name}.sh", what, os.path.join(self._folder, name)], capture_output=True, text=True,
                             timeout=300, env={**CLEAN, "SERVICE_OWNER": str(os.getpid())})
        if ran.returncode:
            raise Failed(f"{name} {what}: {ran.stderr[-300:]}")
        return ran.stdout.strip()

    def __enter__(self):
        for name in self._names:
            self.url[name] = self._run(name, "start")
        return self

    def __exit__(self, *_):
        for name in self._names:
            self._run(name, "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def settings(self, way):
        """Of all servers of one fleet, which shares nothing with the fleets before."""
        return [f"auth.secret={secrets.token_hex(16)}", *way.settings(self.url, f"bench_{secrets.token_hex(4)}")]


def new_results(seconds, rounds, machine, date):
    return {"machine": machine, "date": date, "seconds": seconds, "rounds": rounds, "runs": {}, "failed": [], "others": 0.0}


def middle(results, way, place, field):
    values = [run[place][field] for run in results["runs"].get(way.key, []) if place in run]
    return statistics.median(values) if values else None


def added(results, way, field):
    """Readers at another server against readers in the server's own process, within each round."""
    pairs = zip(results["runs"].get(way.key, []), results["runs"].get(INPROC.key, []))
    values = [run["there"][field] - bare["here"][field] for run, bare in pairs if "there" in run and "here" in bare]
    return statistics.median(values) if values else None


def crossing(results, way, field):
    """Readers at another server against readers at the sender's, within each round: the same log."""
    values = [run["there"][field] - run["here"][field] for run in results["runs"].get(way.key, []) if {"here", "there"} <= run.keys()]
    return statistics.median(values) if values else None


def _ms(*values):
    return "–" if None in values else ", ".join(svg.figure(value) for value in values)


def _difference(*values):
    return "–" if None in values else ", ".join(f"{'−' if value < 0 else '+'}{svg.figure(abs(value))}" for value in values)


def section(results):
    lines = ["| servers tell each other by | readers at the sender's server | readers at another server | the other server adds "
             "| more than in process |", "| --- |" + " --- |" * 4]
    for way in WAYS:
        cells = [_ms(middle(results, way, place, "p50"), middle(results, way, place, "p99")) for place in ("here", "there")]
        cells += [_difference(of(results, way, "p50"), of(results, way, "p99")) for of in (crossing, added)]
        lines.append(f"| {way.name} | " + " | ".join(cells) + " |")
    failed = [f"- {key}, round {number}: {why}" for key, number, why in results["failed"]]
    return lines + ["", f"Milliseconds from send to delivery, median and 99th percentile; {LOAD.says}. The last two columns are the differences' "
                    f"medians, taken within each round. {results['date']}, {results['machine']['cores']} × {results['machine']['cpu']} with two "
                    f"servers, the services and the load generator on them; median of {results['rounds']} rounds of {results['seconds']} s in "
                    f"turns; other programs used {100 * results['others']:.0f} % of a core. Every run found nothing lost, doubled or "
                    "reordered."] + (["", "Without figures:", "", *failed] if failed else [])


def markdown(results):
    return "\n".join(["# Buses", "", "What a second server adds to a message's way: [several servers](../../docs/fleet.md).", "",
                      *section(results), ""])


def picture(results):
    del results


def place_in_page(results):
    """The markers there, and what stands between them."""
    return BEGIN, END, "\n".join(["", *section(results), ""])
