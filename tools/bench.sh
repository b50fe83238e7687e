#!/usr/bin/env bash
# What `make bench` does; bench/README.md explains it.
#   bench.sh [OPTION…]        fan-out beside the limit and other servers (bench/run.py OPTION…), then the durable rate
#   bench.sh fanout OPTION…   the first alone; bench.sh durable: the second
#   bench.sh transports OPTION…  the same rooms over each transport (bench/transports.py OPTION…)
#   bench.sh buses OPTION…    what each bus adds to the latency in process (bench/buses.py OPTION…)
#   bench.sh micro [NAME]     every *_bench, or NAME_bench alone
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
what=all
case ${1:-} in
    fanout | durable | transports | buses | micro)
        what=$1
        shift
        ;;
esac
tools/setup.sh bench
[ "$what" != buses ] || { tools/setup.sh fleet && tools/setup.sh kafka; }
[ -f build/bench/build.ninja ] || cmake --preset release -B build/bench -D PARLEY_BENCH=ON

if [ "$what" = micro ]; then
    mapfile -t benches < <(targets_matching bench "^${1:-.*}_bench$|^${1:-.*_bench}$" | grep '_bench$')
    [ ${#benches[@]} -gt 0 ] || die "no such benchmark: ${1:-}"
    ninja -C build/bench -j "$JOBS" "${benches[@]}"
    for bench in "${benches[@]}"; do
        "build/bench/bin/$bench" --benchmark_color=false
    done
    exit 0
fi

[ -n "${SERVER_BIN:-}" ] || tools/build.sh
server=${SERVER_BIN:-build/release/bin/parley}
if [ "$what" = transports ] || [ "$what" = buses ]; then
    exec "bench/$what.py" --parley "$server" "$@"
fi
status=0
if [ "$what" != durable ]; then
    ninja -C build/bench -j "$JOBS" limit_send limit_uring peer_load
    bench/run.py --parley "$server" "$@" || status=$?
fi
if [ "$what" != fanout ]; then
    short=()
    case " $* " in *" --quick "*) short=(--pairs 1 --seconds 2 --out build/bench-results/durable.md) ;; esac
    SERVER_BIN=$server bench/durable_rate.sh "${short[@]}" || status=$?
fi
exit "$status"
