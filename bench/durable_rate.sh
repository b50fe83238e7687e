#!/usr/bin/env bash
# How many messages a second are stored and answered, against RocksDB alone: see bench/README.md.
# SERVER_BIN and LOG_BENCH name other builds; PAIRS and SECONDS_EACH make it shorter or longer.
source "$(dirname "${BASH_SOURCE[0]}")/../tools/lib.sh"
BIN=${SERVER_BIN:-build/release/bin/parley}
LOG_BENCH=${LOG_BENCH:-build/bench/bin/log_bench}
[ -n "${SERVER_BIN:-}" ] || tools/build.sh
if [ "$LOG_BENCH" = build/bench/bin/log_bench ]; then
    [ -f build/bench/build.ninja ] || cmake --preset release -B build/bench -D PARLEY_BENCH=ON
    ninja -C build/bench -j "$JOBS" log_bench
fi
for program in "$BIN" "$LOG_BENCH"; do
    [ -x "$program" ] || die "no $program"
done
exec python3 bench/durable_rate.py --parley "$BIN" --log-bench "$LOG_BENCH" \
    --pairs "${PAIRS:-11}" --seconds "${SECONDS_EACH:-4}" "$@"
