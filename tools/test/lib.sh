# shellcheck shell=bash
# What the steps of tools/test.sh share. A step runs suites; a suite's outcome is lines in $RESULTS:
# `ok NAME`, `not ok NAME: why`, `skipped NAME: why`.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

LOGS=$ROOT/build/test-logs
RESULTS=$LOGS/results.txt
SECONDS_SINCE_EPOCH=$(date +%s)
export PARLEY_LOGS=$LOGS

progress() {
    local passed=$(($(date +%s) - ${STARTED:-$SECONDS_SINCE_EPOCH}))
    printf '[%2d:%02d] %s\n' $((passed / 60)) $((passed % 60)) "$*" >&2
}
record() { printf '%s\n' "$*" >>"$RESULTS"; }

show_tail() {
    say "---- the end of $1"
    tail -n 30 "$1" >&2
    say "----"
}

# build NAME COMMAND...: a build is no test, but one that fails is a failure and ends the step.
build() {
    local name=$1 log
    log=$LOGS/build-${1// /-}.log
    shift
    if "$@" >"$log" 2>&1; then
        progress "built $name"
        return 0
    fi
    record "not ok build $name: see $log"
    progress "NOT BUILT: $name"
    show_tail "$log"
    return 1
}

# take_results NAME STATUS LOG LINES: records a suite's lines and what its exit status adds to them.
take_results() {
    local name=$1 status=$2 log=$3 lines=$4 ok bad skipped
    ok=$(grep -c '^ok ' "$lines" || true)
    bad=$(grep -c '^not ok ' "$lines" || true)
    skipped=$(grep -c '^skipped ' "$lines" || true)
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "not ok $name: exit status $status$([ "$status" -ne 124 ] || echo ' (out of time)')" >>"$lines"
        bad=1
    elif [ $((ok + bad + skipped)) -eq 0 ]; then
        echo "not ok $name: it gave no result" >>"$lines"
        bad=1
    fi
    cat "$lines" >>"$RESULTS"
    progress "$name: $ok passed, $bad failed, $skipped skipped"
    if [ "$bad" -gt 0 ]; then
        grep '^not ok ' "$lines" | head -n 20 >&2
        show_tail "$log"
    fi
}

# suite NAME SECONDS COMMAND...: a program that prints result lines, others are its log.
suite() {
    local name=$1 limit=$2 log=$LOGS/${1//[ \/]/-}.log status=0
    shift 2
    timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    grep -E '^(ok|not ok|skipped) ' "$log" >"$log.lines" || true
    take_results "$name" "$status" "$log" "$log.lines"
}

# one_result NAME SECONDS COMMAND...: a program whose exit status is its only result.
one_result() {
    local name=$1 limit=$2 log=$LOGS/${1//[ \/]/-}.log status=0
    shift 2
    timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    : >"$log.lines"
    [ "$status" -ne 0 ] || echo "ok $name" >"$log.lines"
    take_results "$name" "$status" "$log" "$log.lines"
}

# gtest LABEL SECONDS BINARY: a GoogleTest program; each of its tests is one result.
gtest() {
    local name=$1/${3##*/} limit=$2 binary=$3 status=0
    local log=$LOGS/${name//\//-}.log
    rm -f "$log.json"
    timeout --kill-after=10 "$limit" "$binary" "--gtest_output=json:$log.json" --gtest_brief=1 >"$log" 2>&1 </dev/null || status=$?
    : >"$log.lines"
    [ ! -f "$log.json" ] || python3 tools/test/gtest_results.py "$name" "$log.json" >"$log.lines"
    take_results "$name" "$status" "$log" "$log.lines"
}

# side_by_side COMMAND...: runs it in the background, at most $JOBS at a time; `wait` after the last.
side_by_side() {
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || true; done
    "$@" &
}

# is_allowed_skip LINE: the list holds name prefixes, one a line, with a reason after " # ".
is_allowed_skip() {
    local name=${1#skipped } allowed
    while IFS= read -r allowed; do
        allowed=${allowed%% #*}
        [ -z "$allowed" ] || [[ $allowed == \#* ]] || [[ $name != "$allowed"* ]] || return 0
    done <tests/skips-allowed.txt
    return 1
}
