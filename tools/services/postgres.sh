#!/usr/bin/env bash
# PostgreSQL 15 from Debian, a cluster of its own on loopback. postgres.sh start|ready|stop DIR; `start` prints its URL.
# PORT: a free one by default. Each start after the first finds the data of the one before.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
BIN=/usr/lib/postgresql/15/bin
DATA=$DIR/data/cluster
PORT=${PORT:-0}

# The server refuses to run as root.
as_server=()
[ "$(id -u)" -ne 0 ] || as_server=(setpriv --reuid=postgres --regid=postgres --init-groups)
sql() { PGPASSWORD=parley "$BIN/psql" -qAtX -h 127.0.0.1 -p "$PORT" -U parley "$@" 2>/dev/null; }
ready() { alive "$DIR/pid" && sql -d parley -c 'select 1' >/dev/null; }

start() {
    [ -x $BIN/postgres ] || missing "PostgreSQL is not installed (tools/setup.sh test)"
    cd "$DIR"
    if [ ! -f "$DATA/PG_VERSION" ]; then
        mkdir -p data
        [ "$(id -u)" -ne 0 ] || { chmod a+x "$DIR"; chown postgres data; }
        echo parley >password
        "${as_server[@]}" env LC_ALL=C.UTF-8 $BIN/initdb -D "$DATA" -U parley -A scram-sha-256 -E UTF8 \
            --pwfile=password >log 2>&1 || { cat log >&2; exit 1; }
    fi
    [ "$PORT" -ne 0 ] || PORT=$(free_port)
    remember "PORT=$PORT"
    touch "$DIR/log"
    "${as_server[@]}" $BIN/postgres -D "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c max_connections=200 -c recovery_init_sync_method=syncfs </dev/null >>"$DIR/log" 2>&1 &
    echo $! >"$DIR/pid"
    for _ in $(seq 400); do
        if sql -d postgres -c 'select 1' >/dev/null || ! alive "$DIR/pid"; then break; fi
        sleep 0.05
    done
    sql -d postgres -c 'create database parley' || true  # it is there from the second start on
    wait_ready 20 "$DIR/pid"
}

case $1 in
    start) ready || start
        end_with_owner
        echo "postgres://parley:parley@127.0.0.1:$PORT/parley" ;;
    ready) ready ;;
    stop) halt "$DIR/pid" INT ;;
esac
