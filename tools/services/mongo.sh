#!/usr/bin/env bash
# A server that speaks MongoDB's protocol (mongo-java-server, from Maven on first use) on loopback. mongo.sh start|ready|stop DIR;
# `start` prints its URL. It has no login, replica set or transactions; killed, it may lose the last second.
# PORT: a free one by default. Each start after the first finds the data of the one before, unless MONGO_FILE is `-`: its
# file store has been seen to close itself under load, which a test of something else need not suffer.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
VERSION=1.46.0
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/parley-services/mongo-$VERSION
PORT=${PORT:-0}

up() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
ready() { alive "$DIR/pid" && up; }

start() {
    from_maven "$CACHE" de.bwaldvogel:mongo-java-server-h2-backend:$VERSION org.slf4j:slf4j-nop:2.0.16
    mkdir -p "$DIR/classes"
    [ -f "$DIR/classes/Mongo.class" ] || javac -cp "$CACHE/libs/*" -d "$DIR/classes" "$SERVICES/Mongo.java"
    [ "$PORT" -ne 0 ] || PORT=$(free_port)
    remember "PORT=$PORT"
    java -Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$DIR/classes:$CACHE/libs/*" Mongo "$PORT" "${MONGO_FILE:-$DIR/data}" \
        </dev/null >>"$DIR/log" 2>&1 &
    echo $! >"$DIR/pid"
    wait_ready 30 "$DIR/pid"
}

case $1 in
    start) ready || start
        end_with_owner
        echo "mongodb://127.0.0.1:$PORT" ;;
    ready) ready ;;
    stop) halt "$DIR/pid" ;;
esac
