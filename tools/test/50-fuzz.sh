#!/usr/bin/env bash
# Each fuzz target over its committed corpus: 10 s, 60 s in the long tier.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds=10
seed=(-seed=1)  # the same walk each time: what is new is looked for in the long tier
if [ "$PARLEY_TIER" = check ]; then
    seconds=60
    seed=()
fi

build 'fuzz configuration' build_preset fuzz -t targets all || exit 0
mapfile -t targets < <(targets_matching fuzz '_fuzz$')
build fuzz build_preset fuzz "${targets[@]}" || exit 0

fuzz() {
    local target=$1 found=build/fuzz/found/$1
    if [ -z "$(ls -A "fuzz/corpus/$target" 2>/dev/null)" ]; then
        record "not ok fuzz $target: fuzz/corpus/$target is empty"
        return
    fi
    mkdir -p "$found"
    one_result "fuzz $target" $((seconds + 120)) "build/fuzz/bin/$target" -max_total_time=$seconds "${seed[@]}" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=$LOGS/$target-" "$found" "fuzz/corpus/$target"
}
for target in "${targets[@]}"; do side_by_side fuzz "$target"; done
wait

# A table to look at, in the long tier; no figure of it passes or fails.
if [ "$PARLEY_TIER" = check ]; then
    tools/fuzz_coverage.sh >"$LOGS/fuzz-coverage.txt" 2>"$LOGS/fuzz-coverage.log" || progress "no coverage: see $LOGS/fuzz-coverage.log"
fi
