# shellcheck shell=bash
# What the service scripts share. Sourced with "$@" of the script: start|ready|stop DIR, and what MORE_COMMANDS holds.
# A service keeps everything below DIR: its data, log, pid, and in DIR/env the port it was started with, so that it comes
# back on the same one.
set -euo pipefail
SERVICES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${1:-} || " start ready stop ${MORE_COMMANDS:-} " != *" $1 "* ]]; then
    commands="start ready stop${MORE_COMMANDS:+ $MORE_COMMANDS}"
    echo "usage: ${0##*/} ${commands// /|} DIR" >&2
    exit 2
fi
[ -n "${2:-}" ] || { echo "${0##*/} $1: which directory?" >&2; exit 2; }
[ "$1" = start ] || [ -d "$2" ] || { [ "$1" = stop ]; exit; }
mkdir -p "$2"
DIR=$(cd "$2" && pwd)
# shellcheck disable=SC1091
[ ! -f "$DIR/env" ] || . "$DIR/env"

# Exit status 3 says that the service cannot be had here: a test is skipped with this reason.
missing() { echo "${0##*/}: $*" >&2; exit 3; }

free_port() { "$SERVICES/free_ports.py"; }

# remember NAME=VALUE...: for the next start and for stop.
remember() { printf '%s\n' "$@" >"$DIR/env"; }

# alive PIDFILE: the process is there and no zombie.
alive() { [ -s "$1" ] && grep -qs '^State:.[^ZX]' "/proc/$(head -n 1 "$1")/status"; }

# wait_ready SECONDS PIDFILE: until `ready` of the script holds; gives up when the process has gone.
wait_ready() {
    local end=$((SECONDS + $1))
    until ready; do
        if ! alive "$2" || [ $SECONDS -ge $end ]; then
            echo "${0##*/}: not ready; the errors in its log, and its end:" >&2
            grep -m 5 -aE '\b(ERROR|FATAL|[A-Za-z]*Exception)\b' "$DIR/log" >&2 || true
            tail -n 20 "$DIR/log" >&2 || true
            exit 1
        fi
        sleep 0.05
    done
}

# halt PIDFILE [SIGNAL]: ends the process and waits for its end; after 15 s it is killed.
halt() {
    local pid
    alive "$1" || { rm -f "$1"; return 0; }
    pid=$(head -n 1 "$1")
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for _ in $(seq 300); do
        alive "$1" || { rm -f "$1"; return 0; }
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$1"
}

# With SERVICE_OWNER=PID the service ends when that process has gone, however it went.
end_with_owner() {
    local owner=${SERVICE_OWNER:-}
    [ -n "$owner" ] || return 0
    setsid bash -c "while kill -0 $owner 2>/dev/null; do sleep 1; done; SERVICE_OWNER= exec '$SERVICES/${0##*/}' stop '$DIR'" \
        </dev/null >/dev/null 2>&1 &
}

# from_maven CACHE GROUP:ARTIFACT:VERSION...: their jars, and what these need, in CACHE/libs, fetched once for this user;
# who comes meanwhile waits.
from_maven() {
    local cache=$1 artifact
    shift
    [ ! -f "$cache/complete" ] || return 0
    if ! command -v mvn >/dev/null || ! command -v javac >/dev/null; then
        missing "Maven or Java is not installed (tools/setup.sh test)"
    fi
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    if [ ! -f "$cache/complete" ]; then
        {
            echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            echo '<groupId>parley</groupId><artifactId>service</artifactId><version>1</version><dependencies>'
            for artifact in "$@"; do
                IFS=: read -r group name version <<<"$artifact"
                echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
            done
            echo '</dependencies></project>'
        } >"$cache/pom.xml"
        (cd "$cache" && mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory=libs -DincludeScope=runtime >log 2>&1) ||
            missing "Maven could not fetch it: $(grep -m 1 ERROR "$cache/log" || tail -n 1 "$cache/log")"
        touch "$cache/complete"
    fi
    exec 9>&-
}
