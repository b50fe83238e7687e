#!/usr/bin/env bash
# ThreadSanitizer over the folders where threads meet, and over a loaded server (tests/e2e/tsan/).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export TSAN_OPTIONS="suppressions=$ROOT/tools/test/tsan.supp history_size=7 halt_on_error=0 second_deadlock_stack=1"
limit=900
[ "$PARLEY_TIER" != check ] || limit=7200
# Newer kernels place the program where TSan's shadow is; the layout without randomness is known to fit.
no_aslr=(setarch "$(uname -m)" -R)
"${no_aslr[@]}" true 2>/dev/null || no_aslr=()

build 'tsan configuration' build_preset tsan -t targets all || exit 0
mapfile -t binaries < <(targets_matching tsan '^(rt|log|room|bus|chat|worker|adapters_[a-z]+)_i?test$' | grep -v '^adapters_kafka_itest$')
record "skipped tsan/adapters_kafka_itest: librdkafka starts C11 threads, which this TSan does not know and crashes on"
build tsan build_preset tsan parley "${binaries[@]}" || exit 0
under_tsan() { "${no_aslr[@]}" bash -c 'source tools/test/lib.sh; gtest "$@"' gtest tsan "$limit" "build/tsan/bin/$1"; }
for binary in "${binaries[@]}"; do side_by_side under_tsan "$binary"; done
wait

export PARLEY_BIN=$ROOT/build/tsan/bin/parley
for script in tests/e2e/tsan/*; do
    [ ! -x "$script" ] || [ ! -f "$script" ] || suite "tsan/$(basename "${script%.*}")" "$limit" "${no_aslr[@]}" "$script"
done
