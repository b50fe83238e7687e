#!/usr/bin/env bash
# node_results.sh COMMAND...: runs a suite of Node's test runner; its TAP lines as result lines. A line that
# only sums up a file is left out, unless the file itself failed.
set -uo pipefail
"$@" 2>&1 | awk '
    { print "  " $0 }
    /^ *(not )?ok [0-9]+ - / {
        name = $0
        failed = sub(/^ *not ok [0-9]+ - /, "", name)
        if (!failed) sub(/^ *ok [0-9]+ - /, "", name)
        if (failed) print "not ok web: " name ": see the log"
        else if (name ~ / # SKIP/) print "skipped web: " name
        else if (name !~ /\.mjs$/) print "ok web: " name
    }'
exit "${PIPESTATUS[0]}"
