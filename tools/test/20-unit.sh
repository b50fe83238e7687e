#!/usr/bin/env bash
# Unit and integration tests under AddressSanitizer and UndefinedBehaviorSanitizer; each public header
# compiles alone.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export UBSAN_OPTIONS=print_stacktrace=1
limit=900
[ "$PARLEY_TIER" != check ] || limit=7200

build asan-ubsan build_preset asan-ubsan all || exit 0
if build headers build_preset asan-ubsan all_verify_interface_header_sets; then record "ok headers: each compiles alone"; fi
for name in $(targets_matching asan-ubsan '_i?test$'); do
    side_by_side gtest unit "$limit" "build/asan-ubsan/bin/$name"
done
wait
