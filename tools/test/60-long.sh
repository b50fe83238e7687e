#!/usr/bin/env bash
# The long tier's own: ten million messages through one server, the store's opening with as many, and a sender's
# receipt while 10 GB are compacted. Figures go to the log and to the screen; they are not asserted.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ "$PARLEY_TIER" = check ] || exit 0

build 'log_bench configuration' cmake --preset release -B build/bench -D PARLEY_BENCH=ON || exit 0
build log_bench ninja -C build/bench -j "$JOBS" log_bench || exit 0
measure() {
    local name=$1 filter=$2
    one_result "$name" 3600 build/bench/bin/log_bench "--benchmark_filter=$filter" --benchmark_color=false
    grep -hE '^BM_' "$LOGS/${name// /-}.log" >&2 || true
}
measure 'opening a store of 10 million messages' 'BM_Open/messages:10000000/'
measure 'a sender while 10 GB are compacted' 'BM_SenderDuringCompaction/messages:10000000/'

export PARLEY_BIN=$ROOT/build/release/bin/parley
for script in tests/long/*_test.py; do suite "long/$(basename "${script%.*}")" 7200 "$script"; done
