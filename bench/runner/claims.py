"""The targets: each a figure per round, the most it may be, and whether the measurement bears it out."""
import dataclasses
import statistics

from runner import stats
from runner.groups import MEMORY_BUDGET, SOAK_SECONDS


@dataclasses.dataclass(frozen=True)
class Claim:
    """`of` gives a round's figure from its turns, whose names are `needs`. A target is the most that is allowed."""
    group: str
    says: str
    needs: tuple
    of: object
    target: float
    unit: str = "×"       # × is a ratio
    digits: int = 2


@dataclasses.dataclass(frozen=True)
class Verdict:
    """holds: the interval's lower end reaches the target, what the bench asks for. surely: its upper end does too."""
    claim: Claim
    interval: stats.Interval
    failed: str = ""

    @property
    def holds(self):
        return not self.failed and self.interval.low <= self.claim.target

    @property
    def surely(self):
        return not self.failed and self.interval.high <= self.claim.target

    def words(self):
        if self.failed:
            return f"**no figures**: {self.failed}"
        verdict = "holds" if self.surely else "holds at the interval's lower end" if self.holds else "**missed**"
        few = self.interval.count
        return verdict if self.interval.is_confident else f"{verdict} ({few} value{'s' if few > 1 else ''} only)"

    def figure(self):
        if self.failed:
            return "–"
        digits, unit = self.claim.digits, "" if self.claim.unit in ("×", "") else f" {self.claim.unit}"
        low, middle, high = (f"{value:.{digits}f}" for value in (self.interval.low, self.interval.median,
                                                                 self.interval.high))
        times = " ×" if self.claim.unit == "×" else ""
        return f"{middle}{times}{unit} [{low}–{high}]"

    def target(self):
        claim = self.claim
        return f"≤ {claim.target:g}{' ×' if claim.unit == '×' else ' ' + claim.unit if claim.unit else ''}"


def _ratio(above, below, field):
    return lambda turns: turns[above][field] / turns[below][field]


CLAIMS = (
    Claim("A", "A: server CPU", ("parley",), lambda t: t["parley"]["cpu"], 0.20, "s per million deliveries", 3),
    Claim("B", "B: CPU against the limit with io_uring", ("parley", "uring"), _ratio("parley", "uring", "cpu"), 1.10),
    Claim("C", "C: the same, durable writes included", ("parley", "uring"), _ratio("parley", "uring", "cpu"), 1.35),
    Claim("C", "C: the same, events that are not stored", ("events", "events_uring"),
          _ratio("events", "events_uring", "cpu"), 1.15),
    Claim("D", "D: CPU against the limit with io_uring", ("parley", "uring"), _ratio("parley", "uring", "cpu"), 1.15),
    Claim("D", "D: median latency against the limit's + the median commit", ("parley", "uring"),
          lambda t: t["parley"]["p50"] / (t["uring"]["p50"] + t["parley"].get("commit", 0)), 1.3),
    Claim("idle", "memory of an idle subscribed STOMP client", ("parley",), lambda t: t["parley"]["memory"], 1.5,
          "KiB"),
    Claim("idle", "the same, growth where permessage-deflate is offered", ("parley", "deflate"),
          lambda t: t["deflate"]["memory"] - t["parley"]["memory"], 0.05, "KiB", 3),  # pages, not bytes, are counted
    Claim("A", "compressed fan-out against uncompressed at A: CPU", ("parley", "deflate"),
          _ratio("deflate", "parley", "cpu"), 2),
    Claim("readers", "10 % stalled, 10 % slow: the others' p99 against the run without them", ("with", "without"),
          _ratio("with", "without", "p99"), 1.5),
    Claim("readers", "10 % stalled, 10 % slow: most memory, of the budget", ("with",),
          lambda t: t["with"]["highest_memory"] / MEMORY_BUDGET, 1),
    Claim("readers", "10 % stalled, 10 % slow: rounds without a RESYNC", ("with",),
          lambda t: 0 if t["with"].get("resyncs") else 1, 0, "", 0),
    Claim("readers", "10 % stalled, 10 % slow: clients closed", ("with",), lambda t: t["with"].get("slow_closed", 0), 0,
          "", 0),
    Claim("storm", "10 000 connects at once: neither served nor 503 with Retry-After", ("with",),
          lambda t: t["with"]["storm"]["failed"], 0, "", 0),
    Claim("storm", "10 000 connects at once: the others' p99 against the run without", ("with", "without"),
          _ratio("with", "without", "p99"), 2),
    Claim("threads", "two threads against one at C: CPU per delivery", ("one", "two"), _ratio("two", "one", "cpu"),
          1.1),
    Claim("soak", "10 minutes: memory of the last minute against that of the second", ("parley",),
          lambda t: _grown(t["parley"]["memory_samples"]), 1.02),
    Claim("soak", "10 minutes: p99.9 of the last minute against that of the second", ("parley",),
          lambda t: _risen(t["parley"]["samples"]), 1.2),
)


def _minute(values, number):
    return values[60 * number:60 * (number + 1)]


def _grown(samples):
    counted = samples[-SOAK_SECONDS:]
    return statistics.median(counted[-60:]) / statistics.median(_minute(counted, 1))


def _risen(samples):
    p999 = [sample["delivery_p999_ms"] for sample in samples if sample["at"] >= 0]
    return statistics.median(p999[-60:]) / statistics.median(_minute(p999, 1))


def judge(groups):
    """The verdicts on what was measured: {group: {"rounds": [{turn: figures}], "failed": [(turn, why)]}}."""
    verdicts = []
    for claim in CLAIMS:
        group = groups.get(claim.group)
        if group is None:
            continue
        broken = [why for turn, why in group["failed"] if turn in claim.needs]
        rounds = [turns for turns in group["rounds"] if all(name in turns for name in claim.needs)]
        if broken or not rounds:
            verdicts.append(Verdict(claim, None, broken[0] if broken else "not one round was complete"))
        else:
            verdicts.append(Verdict(claim, stats.interval([claim.of(turns) for turns in rounds])))
    return verdicts
