#!/usr/bin/env bash
# The release server and the clients other people wrote: tests/{conformance,e2e,chaos}.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
limit=900
[ "$PARLEY_TIER" != check ] || limit=10800
export PARLEY_BIN=$ROOT/build/release/bin/parley

build release build_preset release parley peer_load limit_send limit_uring || exit 0
suites() { find "tests/$1" -maxdepth 1 -type f -name '*_test.*' -perm -u+x | sort; }
run() { local name=${1#tests/}; suite "${name%.*}" "$limit" "$1"; }

for script in $(suites conformance); do side_by_side run "$script"; done
wait
# These load the machine or measure time: one after the other.
for script in $(suites e2e) $(suites chaos); do run "$script"; done
