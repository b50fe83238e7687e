#!/usr/bin/env bash
# How many messages a second are stored and answered, against RocksDB alone: see bench/README.md.
# PARLEY_BIN and LOG_BENCH name other builds; PAIRS and SECONDS_EACH make it shorter or longer.
source "$(dirname "${BASH_SOURCE[0]}")/../tools/lib.sh"
BIN=${PARLEY_BIN:-build/release/bin/parley}
LOG_BENCH=${LOG_BENCH:-build/bench/bin/log_bench}
[ -x "$BIN" ] || tools/build.sh
[ -x "$BIN" ] || die "no $BIN"
if [ ! -x "$LOG_BENCH" ]; then
    [ -f build/bench/build.ninja ] || cmake --preset release -B build/bench -D PARLEY_BENCH=ON
    ninja -C build/bench -j "$JOBS" log_bench
fi
exec python3 bench/durable_rate.py --parley "$BIN" --log-bench "$LOG_BENCH" \
    --pairs "${PAIRS:-3}" --seconds "${SECONDS_EACH:-10}" "$@"
