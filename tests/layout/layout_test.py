#!/usr/bin/env python3
"""The shape of the source: who may include what, and what every folder and file has to have.

src/CMakeLists.txt is the one statement of the dependencies. Prints one result line a claim."""
import pathlib
import sys

from rules import ROOT, Tree

CLAIMS = {
    "every include follows an arrow of src/CMakeLists.txt": Tree.wrong_includes,
    "no folder of src uses an adapter": Tree.used_adapters,
    "the arrows have no cycle": Tree.cycles,
    "the table in ARCHITECTURE.md is the one in src/CMakeLists.txt": Tree.wrong_table,
    "every folder of src is a module and has a README": Tree.bare_folders,
    "no source file is longer than 650 lines": Tree.long_files,
    "every configuration key is used outside its table": Tree.idle_keys,
    "docs/protocol.md names every error code": Tree.unnamed_codes,
    "relative links of the documents lead somewhere": Tree.dead_links,
    "tests are named after a claim and none sleeps": Tree.sleeping_tests,
}


def report(name, problems):
    problems = list(problems)
    print(f"not ok layout: {name}: {'; '.join(problems[:8])}" if problems else f"ok layout: {name}")
    return not problems


def catches_what_it_should():
    """The rules, over a tree that breaks each of them."""
    broken = Tree(pathlib.Path(__file__).parent / "broken", max_lines=1)
    blind = [name for name, rule in CLAIMS.items() if not list(rule(broken))]
    return [f"nothing found in tests/layout/broken by: {name}" for name in blind]


def main():
    tree = Tree(ROOT)
    results = [report(name, rule(tree)) for name, rule in CLAIMS.items()]
    results.append(report("these rules find what breaks them", catches_what_it_should()))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
