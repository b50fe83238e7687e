# shellcheck shell=bash
# What the scripts in tools/ share. Sourced, not run: sets ROOT and goes there.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

JOBS=${PARLEY_JOBS:-$(n=$(nproc); echo $((n < 2 ? 1 : 2)))}
export JOBS

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# build_preset PRESET TARGET...: configures where needed and builds.
build_preset() {
    local preset=$1 dir=build/$1
    shift
    if [ ! -f "$dir/build.ninja" ] || [ CMakePresets.json -nt "$dir/build.ninja" ]; then
        cmake --preset "$preset"
    fi
    ninja -C "$dir" -j "$JOBS" "$@"
}

# targets_matching PRESET REGEX: names of a configured preset's programs.
targets_matching() {
    ninja -C "build/$1" -t targets all | sed -n 's/^\([a-z0-9_]*\): phony$/\1/p' | grep -v '^cmake_' | grep -E "$2" || true
}
