#!/usr/bin/env bash
# Apache Kafka 3.9.1 (KRaft) from Maven Central on loopback. kafka.sh start|ready|stop DIR; `start` prints its brokers.
# NODES=3: a cluster (replication 3, min in-sync 2); else one broker. kafka.sh stop-node|start-node DIR I: one of them,
# 0 to 2. PORT: the first of four for each node, free ones by default. Each start after the first finds the data of the
# one before. Each broker also speaks SASL over TLS: DIR/secure-brokers, user and password `parley`, DIR/secure-ca.pem; user and
# password `guest` may do nothing. RELAYS="PORT...": on loopback, one for each node; who comes to DIR/relayed-brokers is
# told to go there, so that a relay sees all its connections.
set -euo pipefail
# shellcheck disable=SC2034
MORE_COMMANDS="stop-node start-node"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
VERSION=3.9.1
NODES=${NODES:-1}
PORTS=${PORTS:-}
RELAYS=${RELAYS:-}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/parley-services/kafka-$VERSION

# The jars, once for this user.
install() {
    [ ! -f "$CACHE/complete" ] || return 0
    if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
        missing "Java or Maven is not installed (tools/setup.sh test)"
    fi
    mkdir -p "$CACHE"
    (
        flock 9
        [ ! -f "$CACHE/complete" ] || exit 0
        artifact() { printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>' "$@"; }
        {
            echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            echo '<groupId>parley</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>'
            artifact org.apache.kafka kafka_2.13 $VERSION
            artifact org.slf4j slf4j-reload4j 1.7.36
            echo '</dependencies></project>'
        } >"$CACHE/pom.xml"
        cd "$CACHE"
        mvn -q -B dependency:copy-dependencies -DoutputDirectory=libs -DincludeScope=runtime >mvn.log 2>&1 || exit 1
        touch complete
    ) 9>"$CACHE/lock" || missing "its jars cannot be had from Maven Central: $(tail -n 1 "$CACHE/mvn.log" 2>/dev/null)"
}

port() { local all; read -ra all <<<"$PORTS"; echo "${all[$1]}"; }
broker_port() { port $((4 * $1)); }
controller_port() { port $((4 * $1 + 1)); }
secure_port() { port $((4 * $1 + 2)); }
relayed_port() { port $((4 * $1 + 3)); }
relay_port() { local all; read -ra all <<<"$RELAYS"; echo "${all[$1]}"; }
# Their addresses, by the function that gives the port.
brokers() { local i list=; for ((i = 0; i < NODES; i++)); do list+=${list:+,}127.0.0.1:$("$1" $i); done; echo "$list"; }

choose_ports() {
    [ -z "$PORTS" ] || return 0
    local i
    if [ -n "${PORT:-}" ]; then
        for ((i = 0; i < 4 * NODES; i++)); do PORTS+="$((PORT + i)) "; done
    else
        PORTS=$("$SERVICES/free_ports.py" $((4 * NODES)))
    fi
}

# Its log; DATA=FOLDER has it elsewhere.
data_of() { echo "${DATA:-$DIR}/node$1/data"; }

run_java() { java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$CACHE/libs/*" "$@"; }

configure() {
    local i node voters='' replicas=1 in_sync=1 listening advertised
    [ "$NODES" -lt 3 ] || { replicas=3; in_sync=2; }
    for ((i = 0; i < NODES; i++)); do voters+=${voters:+,}$((i + 1))@127.0.0.1:$(controller_port $i); done
    cat >"$DIR/log4j.properties" <<'LOG'
log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d %p %m (%c)%n
LOG
    if [ ! -f "$DIR/secure.pem" ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
            -keyout "$DIR/secure-key.pem" -out "$DIR/secure-ca.pem" 2>>"$DIR/log"
        cat "$DIR/secure-key.pem" "$DIR/secure-ca.pem" >"$DIR/secure.pem"
    fi
    brokers secure_port >"$DIR/secure-brokers"
    [ -z "$RELAYS" ] || brokers relayed_port >"$DIR/relayed-brokers"
    for ((i = 0; i < NODES; i++)); do
        node=$DIR/node$i
        mkdir -p "$node"
        listening='' advertised=''
        if [ -n "$RELAYS" ]; then
            listening=,RELAYED://127.0.0.1:$(relayed_port $i)
            advertised=,RELAYED://127.0.0.1:$(relay_port $i)
        fi
        cat >"$node/server.properties" <<CONF
process.roles=broker,controller
node.id=$((i + 1))
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$(broker_port $i),SECURE://127.0.0.1:$(secure_port $i),CONTROLLER://127.0.0.1:$(controller_port $i)$listening
advertised.listeners=PLAINTEXT://127.0.0.1:$(broker_port $i),SECURE://127.0.0.1:$(secure_port $i)$advertised
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT,RELAYED:PLAINTEXT
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_parley="parley" user_guest="guest";
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=$DIR/secure.pem
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:parley
log.dirs=$(data_of $i)
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
unclean.leader.election.enable=false
log.cleaner.dedupe.buffer.size=4194304
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
replica.lag.time.max.ms=6000
CONF
        [ -f "$(data_of $i)/meta.properties" ] || run_java kafka.tools.StorageTool format -t "$CLUSTER" \
            -c "$node/server.properties" >>"$DIR/log" 2>&1 || { tail -n 5 "$DIR/log" >&2; exit 1; }
    done
}

launch() {
    local node=$DIR/node$1
    ! alive "$node/pid" || return 0
    java -Xmx384m -Xms128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true \
        "-Dlog4j.configuration=file:$DIR/log4j.properties" -cp "$CACHE/libs/*" kafka.Kafka "$node/server.properties" \
        </dev/null >>"$DIR/log" 2>&1 &
    echo $! >"$node/pid"
}

# Each broker answers a request for the protocol's versions; its port alone says too little.
answers() {
    python3 - "$1" 2>/dev/null <<'ASK'
import socket, struct, sys
request = struct.pack(">hhih", 18, 0, 7, -1)
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as s:
    s.settimeout(2)
    s.sendall(struct.pack(">i", len(request)) + request)
    answer = s.recv(10)
    sys.exit(answer[4:10] != struct.pack(">ih", 7, 0))
ASK
}
ready() {
    local i
    [ -n "$PORTS" ] || return 1
    for ((i = 0; i < NODES; i++)); do
        if ! alive "$DIR/node$i/pid" || ! answers "$(broker_port $i)"; then return 1; fi
    done
}

start() {
    install
    choose_ports
    CLUSTER=${CLUSTER:-$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d =)}
    remember "DATA='${DATA:-}'" "NODES=$NODES" "PORTS='$PORTS'" "RELAYS='$RELAYS'" "CLUSTER=$CLUSTER"
    configure
    local i
    for ((i = 0; i < NODES; i++)); do launch $i; done
    for ((i = 0; i < NODES; i++)); do wait_ready 60 "$DIR/node$i/pid"; done
}

case $1 in
    start) ready || start
        end_with_owner
        brokers broker_port ;;
    ready) ready ;;
    stop) for ((i = 0; i < NODES; i++)); do halt "$DIR/node$i/pid" & done
        wait ;;
    stop-node) halt "$DIR/node${3:?which node}/pid" ;;
    start-node) launch "${3:?which node}" ;;
esac
