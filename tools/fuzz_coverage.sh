#!/usr/bin/env bash
# How much of the code under each fuzz target its inputs reach: the committed corpus and what build/fuzz/found has.
# Prints `target  file  lines  covered`. With arguments: only these targets. COVERAGE_BUILD names another build folder.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
dir=${COVERAGE_BUILD:-build/fuzz-coverage}
if [ ! -f "$dir/build.ninja" ]; then
    cmake --preset fuzz -B "$dir" -D "CMAKE_CXX_FLAGS=-O1 -g1 -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping" >&2
fi
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(targets_matching "${dir#build/}" '_fuzz$'); fi
ninja -C "$dir" -j "$JOBS" "${targets[@]}" >&2

# The code under a target: each file that is named as a header the target includes, itself or by its test support.
sources_of() {
    local fuzz support headers header
    fuzz=$(find src -name "$1.cpp")
    support=$(sed -n 's/^#include "\(.*_test_support\.h\)"/src\/\1/p' "$fuzz")
    headers=$(cat "$fuzz" ${support:+"$support"} | sed -n 's/^#include "\(.*\)\.h"/\1/p' | grep -v '_test_support$')
    for header in $headers; do
        find "src/$(dirname "$header")" -maxdepth 1 -name "$(basename "$header")*.cpp" |
            grep -Ev '_(test|itest|fuzz|bench)\.cpp$' || true
    done | sort -u
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%-18s %-34s %6s  %s\n' target file lines covered
for target in "${targets[@]}"; do
    inputs=("fuzz/corpus/$target")
    [ ! -d "build/fuzz/found/$target" ] || inputs+=("build/fuzz/found/$target")
    LLVM_PROFILE_FILE=$work/$target.raw "$dir/bin/$target" -runs=0 "${inputs[@]}" >"$work/$target.log" 2>&1 ||
        { tail -n 5 "$work/$target.log" >&2; continue; }
    llvm-profdata-16 merge -sparse "$work/$target.raw" -o "$work/$target.profile"
    mapfile -t sources < <(sources_of "$target")
    llvm-cov-16 export -summary-only -instr-profile "$work/$target.profile" "$dir/bin/$target" "${sources[@]}" |
        python3 -c '
import json, os, sys
for file in json.load(sys.stdin)["data"][0]["files"]:
    lines = file["summary"]["lines"]
    name = os.path.relpath(file["filename"])
    print("{:<18} {:<34} {:>6}  {:.0f} %".format(sys.argv[1], name, lines["count"], lines["percent"]))' "$target"
done
