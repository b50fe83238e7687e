#!/usr/bin/env bash
# Redis 7 from Debian on loopback, every write fsynced. redis.sh start|ready|stop DIR; `start` prints its URL.
# PORT: a free one by default. Each start after the first finds the data of the one before.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PORT=${PORT:-0}

ready() { alive "$DIR/pid" && [ "$(redis-cli -h 127.0.0.1 -p "$PORT" ping 2>/dev/null)" = PONG ]; }

start() {
    command -v redis-server >/dev/null || missing "Redis is not installed (tools/setup.sh test)"
    [ "$PORT" -ne 0 ] || PORT=$(free_port)
    remember "PORT=$PORT"
    redis-server --port "$PORT" --bind 127.0.0.1 --dir "$DIR" --appendonly yes --appendfsync always --save "" \
        </dev/null >>"$DIR/log" 2>&1 &
    echo $! >"$DIR/pid"
    wait_ready 20 "$DIR/pid"
}

case $1 in
    start) ready || start
        end_with_owner
        echo "redis://127.0.0.1:$PORT" ;;
    ready) ready ;;
    stop) halt "$DIR/pid" ;;
esac
