#!/usr/bin/env bash
# Two Parley servers behind HAProxy, with Kafka, PostgreSQL and Redis, all on loopback; ends with Ctrl-C. What they keep
# is in /var/tmp/parley-fleet (or $PARLEY_FLEET_DIR) and is found again by the next start. PORT: the page's, 8080.
# KAFKA=no: messages go straight into PostgreSQL; needs no Java, and has messages of its own.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
dir=${PARLEY_FLEET_DIR:-/var/tmp/parley-fleet}
door=${PORT:-8080}
kafka=${KAFKA:-yes}
case $kafka in yes | no) ;; *) die "KAFKA is yes or no, not $kafka" ;; esac

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if answers "$door"; then die "Port $door is in use. Another one: make fleet PORT=8090"; fi

tools/setup.sh fleet
[ "$kafka" = no ] || tools/setup.sh kafka
[ -n "${PARLEY_BIN:-}" ] || build_preset release parley
parley=${PARLEY_BIN:-$ROOT/build/release/bin/parley}
unset PARLEY_FLEET_DIR PARLEY_BIN PARLEY_JOBS PORT KAFKA  # they are this script's, not the servers'
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
chmod a+x "$dir"  # started by root, the database runs as a user of its own
exec 8>"$dir/lock"  # held by the servers too
flock -n 8 || die "A fleet is running in $dir already. Another one: PARLEY_FLEET_DIR=… make fleet PORT=8090"
SERVICE_OWNER=$$
export SERVICE_OWNER

services=(postgres redis)
[ "$kafka" = no ] || services+=(kafka)
declare -A starting=()
pids=()
# Servers first: what they have under way still gets into the services.
finish() {
    trap - EXIT
    trap '' INT TERM
    say "Stopping…"
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait "${pids[@]}" 2>/dev/null || true
    for pid in "${starting[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
    for service in "${services[@]}"; do "tools/services/$service.sh" stop "$dir/$service" 8>&- & done
    wait
}
trap finish EXIT
trap 'exit 0' INT TERM

# Each in a session of its own, which Ctrl-C does not reach.
begun=$SECONDS
say "Starting ${services[*]}…"
for service in "${services[@]}"; do
    setsid "tools/services/$service.sh" start "$dir/$service" >"$dir/$service.url" 2>"$dir/$service.said" </dev/null 8>&- &
    starting[$service]=$!
done
slow=$((begun + 10))
for service in "${services[@]}"; do
    while kill -0 "${starting[$service]}" 2>/dev/null; do
        if [ $SECONDS -ge $slow ]; then
            say "  $service is still starting; the first time it is fetched or set up"
            slow=$((SECONDS + 15))
        fi
        sleep 0.05
    done
    status=0
    wait "${starting[$service]}" || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$dir/$service.said" >&2
        [ "$service" != kafka ] || say "Without Kafka: make fleet KAFKA=no"
        exit 1
    fi
    unset "starting[$service]"
    say "  $service is ready ($((SECONDS - begun)) s)"
done

# Passwords and the secret are in a file that only its owner reads.
if [ ! -f "$dir/secret.toml" ]; then
    (umask 077 && printf '[auth]\nsecret = "%s"\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$dir/secret.toml")
fi
if [ ! -f "$dir/operator" ]; then
    (umask 077 && head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/operator")
fi
if [ "$kafka" = no ]; then
    log='kind = "store"' schema=parley
else
    log=$(printf 'kind = "kafka"\n[kafka]\nbrokers = "%s"' "$(cat "$dir/kafka.url")") schema=parley_kafka
fi
(umask 077 && cat >"$dir/parley.toml" <<TOML
$(cat "$dir/secret.toml")
[log]
$log
[store]
kind = "postgres"
[postgres]
url = "$(cat "$dir/postgres.url")"
schema = "$schema"
[bus]
kind = "redis"
[cache]
kind = "redis"
[redis]
url = "$(cat "$dir/redis.url")"
[proxies]
trusted = ["127.0.0.1/32"]
[admin]
token = "$(cat "$dir/operator")"
[drain]
notice = "2s"  # HAProxy asks every second
TOML
)

# as_ours COMMAND...: ends with this script, however that ends.
as_ours() { exec setpriv --pdeathsig TERM "$@"; }

servers=()
names=(one two)
for name in "${names[@]}"; do
    read -r port operators < <(tools/services/free_ports.py 2)
    as_ours "$parley" serve --config "$dir/parley.toml" --listen "127.0.0.1:$port" --data-dir "$dir/$name" \
        --set "admin.listen=127.0.0.1:$operators" >"$dir/$name.log" 2>&1 </dev/null &
    pids+=($!)
    servers+=("127.0.0.1:$port")
    say "Server $name: http://127.0.0.1:$port, process $!, log $dir/$name.log, operators at http://127.0.0.1:$operators with the token in $dir/operator"
done
for i in 0 1; do
    until grep -q '^parley ready' "$dir/${names[$i]}.log"; do
        kill -0 "${pids[$i]}" 2>/dev/null || { cat "$dir"/{one,two}.log >&2; exit 1; }
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
    option http-no-delay
    option httpchk GET /ready
    server one ${servers[0]} check inter 1s fall 1 rise 1
    server two ${servers[1]} check inter 1s fall 1 rise 1
HAPROXY
PATH=$PATH:/usr/sbin as_ours haproxy -W -q -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 </dev/null &
pids+=($!)
until answers "$door"; do
    kill -0 $! 2>/dev/null || { cat "$dir/haproxy.log" >&2; exit 1; }
    sleep 0.1
done
say "Kill one (kill -9 ${pids[0]}): its pages go on at the other. Ctrl-C ends everything."
printf 'fleet ready http://127.0.0.1:%s\n' "$door"
wait "${pids[2]}"
