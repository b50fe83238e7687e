#!/usr/bin/env bash
# The whole suite: the steps in tools/test/, one after the other. Logs in build/test-logs. The last
# line is `N passed, N failed, N skipped`; exit status 1 on a failure, on 0 passed, and with CI=true on
# a skip that tests/skips-allowed.txt does not name. PARLEY_TIER=check is the long tier. With arguments:
# only the steps whose name contains one of them (`tools/test.sh unit fuzz`).
source "$(dirname "${BASH_SOURCE[0]}")/test/lib.sh"

export PARLEY_TIER=${PARLEY_TIER:-test}
rm -rf "$LOGS"
mkdir -p "$LOGS"
: >"$RESULTS"
export STARTED=$SECONDS_SINCE_EPOCH

tools/setup.sh test || die "0 passed, 1 failed, 0 skipped"

wanted() {
    [ $# -gt 1 ] || return 0
    local step=$1 word
    shift
    for word in "$@"; do [[ $step != *"$word"* ]] || return 0; done
    return 1
}
for step in tools/test/[0-9]*.sh; do
    name=$(basename "$step" .sh)
    wanted "$name" "$@" || continue
    progress "== ${name#*-}"
    "$step" || record "not ok step ${name#*-}: it ended with status $?"
done

summary() {
    local passed failed skipped status=0 line
    passed=$(grep -c '^ok ' "$RESULTS" || true)
    failed=$(grep -c '^not ok ' "$RESULTS" || true)
    skipped=$(grep -c '^skipped ' "$RESULTS" || true)
    grep -E '^(not ok|skipped) ' "$RESULTS" || true
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] || status=1
    if [ "${CI:-}" = true ]; then
        while read -r line; do
            is_allowed_skip "$line" && continue
            echo "not allowed in CI: $line"
            status=1
        done < <(grep '^skipped ' "$RESULTS" || true)
    fi
    [ ! -s "$LOGS/fuzz-coverage.txt" ] || cat "$LOGS/fuzz-coverage.txt"
    progress "logs are in $LOGS"
    echo "$passed passed, $failed failed, $skipped skipped"
    return $status
}
summary
