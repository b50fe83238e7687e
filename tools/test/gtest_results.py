#!/usr/bin/env python3
"""gtest_results.py LABEL FILE: GoogleTest's JSON report as result lines."""
import json
import sys


def line(label, suite, test):
    name = f"{label}: {suite}.{test['name']}"
    if test.get("status") == "NOTRUN":
        return f"skipped {name}: disabled"
    if test.get("failures"):
        why = " ".join(test["failures"][0]["failure"].split())
        return f"not ok {name}: {why[:300]}"
    if test.get("result") == "SKIPPED":
        notes = [n.get("message", "") for n in test.get("skipped", [])]
        return f"skipped {name}: {' '.join(' '.join(notes).split())}"
    return f"ok {name}"


label, path = sys.argv[1:]
with open(path, encoding="utf-8", errors="replace") as report:
    for suite in json.load(report)["testsuites"]:
        for test in suite["testsuite"]:
            print(line(label, suite["name"], test))
