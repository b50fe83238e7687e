#!/usr/bin/env bash
# Builds and runs every *_bench, then bench/; a name as argument runs that *_bench alone.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools/setup.sh test
[ -f build/bench/build.ninja ] || cmake --preset release -B build/bench -D PARLEY_BENCH=ON
mapfile -t benches < <(targets_matching bench "${1:-.}_bench$|^${1:-.*_bench}$" | grep '_bench$')
[ ${#benches[@]} -gt 0 ] || die "no such benchmark: ${1:-}"
ninja -C build/bench -j "$JOBS" "${benches[@]}"
for bench in "${benches[@]}"; do
    "build/bench/bin/$bench" --benchmark_color=false
done
[ $# -gt 0 ] || bench/durable_rate.sh
