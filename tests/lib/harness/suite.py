"""Checks, their output lines and the exit status of a suite.

A suite is a script: functions marked with @check("claim"), then run(). Every check prints one line,
`ok NAME`, `not ok NAME: why` or `skipped NAME: why`; the exit status is 1 when one failed or none ran.
"""
import os
import pathlib
import signal
import sys
import time
import traceback

TIER = os.environ.get("PARLEY_TIER", "test")
ROOT = pathlib.Path(__file__).resolve().parents[3]

_checks = []


class Skip(Exception):
    """Raised by a check whose tool or right is missing here; the reason is printed."""


class TooLong(BaseException):
    """A check passed its limit. Not an Exception, so that no retry loop swallows it."""


def long_tier():
    return TIER == "check"


def suite_name():
    return pathlib.Path(sys.argv[0]).stem.removesuffix("_test")


def logs_dir():
    path = pathlib.Path(os.environ.get("PARLEY_LOGS", ROOT / "build" / "test-logs"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def check(name, limit=60):
    """Registers a check. Its function takes the suite's server, or nothing."""
    def mark(function):
        _checks.append((name, function, limit))
        return function
    return mark


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what}: got {short(got)}, wanted {short(wanted)}")


def short(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"


def eventually(probe, limit=15.0, what="condition"):
    """Polls a condition that no event announces (a file, a metric, another process)."""
    end = time.monotonic() + limit
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit} s")
        time.sleep(0.02)


def _alarm(signum, frame):
    raise TooLong()


def _run_one(function, limit, fixture):
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(limit)
    try:
        code = function.__code__
        wants_fixture = code.co_argcount > 0 and code.co_varnames[0] == "server"
        function(fixture()) if wants_fixture else function()
        return "ok", ""
    except Skip as reason:
        return "skipped", str(reason)
    except TooLong:
        return "not ok", f"no answer within {limit} s{_where(sys.exc_info()[2])}"
    except Exception as error:
        why = str(error) or type(error).__name__
        if not isinstance(error, AssertionError):
            why = f"{type(error).__name__}: {why}"
        return "not ok", why + _where(sys.exc_info()[2])
    finally:
        signal.alarm(0)


def _where(trace):
    lines = [f.lineno for f in traceback.extract_tb(trace) if f.filename == sys.argv[0] or f.filename.endswith("_test.py")]
    return f" (line {lines[-1]})" if lines else ""


def run(fixture=None):
    """Runs all checks, or those whose name contains an argument, and exits."""
    wanted = sys.argv[1:]
    counts = {"ok": 0, "not ok": 0, "skipped": 0}
    try:
        for name, function, limit in _checks:
            if wanted and not any(w in name for w in wanted):
                continue
            outcome, why = _run_one(function, limit, fixture.get if fixture else lambda: None)
            counts[outcome] += 1
            full_name = f"{suite_name()}: {name}"
            print(f"{outcome} {full_name}" + (f": {why}".replace("\n", " ") if why else ""), flush=True)
    finally:
        if fixture:
            fixture.close()
    sys.exit(1 if counts["not ok"] or not sum(counts.values()) else 0)
