#!/usr/bin/env bash
# Formats every C++ file; --check only says which differ.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v clang-format-16 >/dev/null || tools/setup.sh test
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run -Werror)
find src apps tests fuzz -name build -prune -o \( -name '*.cpp' -o -name '*.h' \) -print0 |
    xargs -0 -P "$JOBS" -n 20 clang-format-16 "${mode[@]}"
