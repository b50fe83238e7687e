#!/usr/bin/env bash
# Two Parley servers behind HAProxy, on one PostgreSQL and one Redis, all on loopback; ends with Ctrl-C. What they
# keep is in /var/tmp/parley-fleet (or $PARLEY_FLEET_DIR) and is found again by the next start. PORT: the page's, 8080.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools/setup.sh fleet
[ -n "${PARLEY_BIN:-}" ] || build_preset release parley
parley=${PARLEY_BIN:-$ROOT/build/release/bin/parley}
dir=${PARLEY_FLEET_DIR:-/var/tmp/parley-fleet}
door=${PORT:-8080}
unset PARLEY_FLEET_DIR PARLEY_BIN PARLEY_JOBS PORT  # they are this script's, not the servers'
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
chmod a+x "$dir"  # started by root, the database runs as a user of its own
SERVICE_OWNER=$$
export SERVICE_OWNER

pids=()
finish() {
    trap - EXIT INT TERM
    say "Stopping…"
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait "${pids[@]}" 2>/dev/null || true
    tools/services/redis.sh stop "$dir/redis"
    tools/services/postgres.sh stop "$dir/postgres"
}
trap finish EXIT
trap 'exit 0' INT TERM

say "Starting PostgreSQL and Redis…"
database=$(tools/services/postgres.sh start "$dir/postgres")
redis=$(tools/services/redis.sh start "$dir/redis")

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Passwords and the secret are in a file that only its owner reads.
if [ ! -f "$dir/secret.toml" ]; then
    (umask 077 && printf '[auth]\nsecret = "%s"\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$dir/secret.toml")
fi
(umask 077 && cat >"$dir/parley.toml" <<TOML
$(cat "$dir/secret.toml")
[log]
kind = "store"
[store]
kind = "postgres"
[postgres]
url = "$database"
[bus]
kind = "redis"
[cache]
kind = "redis"
[redis]
url = "$redis"
[proxies]
trusted = ["127.0.0.1/32"]
TOML
)

servers=()
for name in one two; do
    port=$(free_port)
    "$parley" serve --config "$dir/parley.toml" --listen "127.0.0.1:$port" --data-dir "$dir/$name" \
        >"$dir/$name.log" 2>&1 </dev/null &
    pids+=($!)
    servers+=("127.0.0.1:$port")
    say "Server $name: http://127.0.0.1:$port, process $!, log $dir/$name.log"
done
for i in 0 1; do
    until grep -q '^parley ready' "$dir/$([ "$i" -eq 0 ] && echo one || echo two).log"; do
        kill -0 "${pids[$i]}" 2>/dev/null || { cat "$dir"/*.log >&2; exit 1; }
        sleep 0.1
    done
done

cat >"$dir/haproxy.cfg" <<HAPROXY
global
    log stderr local0 warning
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    option redispatch
    retries 2
frontend chat
    bind 127.0.0.1:$door
    default_backend parley
backend parley
    # A SockJS session over HTTP is kept by one server: its id, the third part of the path, says which.
    balance hash path,field(4,/)
    option forwardfor
    option httpchk GET /ready
    server one ${servers[0]} check inter 1s fall 1 rise 1
    server two ${servers[1]} check inter 1s fall 1 rise 1
HAPROXY
PATH=$PATH:/usr/sbin haproxy -W -q -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 </dev/null &
pids+=($!)
sleep 0.5
kill -0 $! 2>/dev/null || { cat "$dir/haproxy.log" >&2; exit 1; }
say "Kill one (kill -9 ${pids[0]}): its pages go on at the other."
printf 'fleet ready http://127.0.0.1:%s\n' "$door"
wait "${pids[2]}"
