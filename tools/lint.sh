#!/usr/bin/env bash
# clang-tidy with the list in .clang-tidy, every finding an error. Without arguments: the C++ sources
# that differ from the main branch; `all`; or file names. A file that was clean is not read again
# until it or a header changes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v clang-tidy-16 >/dev/null || tools/setup.sh test
[ -f build/dev/build.ninja ] || cmake --preset dev >/dev/null

changed() {
    local base=HEAD
    for branch in origin/main main; do
        if git rev-parse -q --verify "$branch" >/dev/null && [ "$(git rev-parse "$branch")" != "$(git rev-parse HEAD)" ]; then
            base=$(git merge-base "$branch" HEAD)
            break
        fi
    done
    { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u
}
sources() { grep -E '^(src|apps)/.*\.cpp$' || true; }

case ${1:-} in
    '') mapfile -t files < <(changed | sources) ;;
    all) mapfile -t files < <(git ls-files | sources) ;;
    *) files=("$@") ;;
esac
[ ${#files[@]} -gt 0 ] || { say "lint: no C++ source differs"; exit 0; }

stamps=build/lint
mkdir -p "$stamps"
headers=$( { cat .clang-tidy; find src apps -name '*.h' -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -c1-16)
export stamps headers
lint_one() {
    local stamp
    stamp=$stamps/$( { echo "$headers"; cat "$1"; } | sha256sum | cut -c1-32)
    [ ! -f "$stamp" ] || return 0
    clang-tidy-16 -p build/dev --quiet --warnings-as-errors='*' "$1" 2>/dev/null && touch "$stamp"
}
export -f lint_one
printf '%s\0' "${files[@]}" | xargs -0 -P "$JOBS" -I{} bash -c 'lint_one {}' || die "lint: see above"
say "lint: ${#files[@]} files are clean"
