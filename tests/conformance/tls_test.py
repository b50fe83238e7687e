#!/usr/bin/env python3
"""TLS on the running server: versions, certificates and their reload, clients of every kind, and what a connection costs."""
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, EventStream, Server, Shared, SockJsSocket, Stomp, check, equal, eventually, expect, request, run, run_parley, venv
from harness.http import head_bytes
from harness.rooms import history

venv.enter()
from websockets.sync.client import connect

SELF_SIGNED = Shared({"tls.self_signed": "true", "threads": 2}, listen="https://127.0.0.1:0")


def openssl(*arguments, stdin=b"", limit=20):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, timeout=limit)


def make_pair(folder, name, kind="ec", host="localhost"):
    """A certificate that signs itself, and its key."""
    kinds = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}
    certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    made = openssl("req", "-x509", *kinds[kind], "-nodes", "-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={host}",
                   "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1")
    equal(made.returncode, 0, made.stderr)
    return certificate, key


def s_client(server, *options, stdin=b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
    ended = openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-ign_eof", *options, stdin=stdin)
    return (ended.stdout + ended.stderr).decode(errors="replace")


def shown(server, kind=None):
    """The serial number of the certificate that a new connection sees."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if kind:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain, context.wrap_socket(plain) as line:
        return openssl("x509", "-inform", "der", "-noout", "-serial", "-subject", stdin=line.getpeercert(binary_form=True)).stdout.decode()


@check("TLS 1.2 and 1.3 are spoken; 1.1 and 1.0 are not")
def _(server):
    for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        said = s_client(server, version)
        expect('{"status":"UP"}' in said, said)
        expect(re.search(rf"(Protocol *: *|New, ){re.escape(name)}", said), said)
    for version in ("-tls1_1", "-tls1"):
        said = s_client(server, version, "-cipher", "DEFAULT@SECLEVEL=0")
        expect("UP" not in said and "alert protocol version" in said, said)


@check("with tls.min_version=1.3, TLS 1.2 is refused")
def _():
    with Server({"tls.self_signed": "true", "tls.min_version": "1.3"}, listen="https://127.0.0.1:0") as server:
        expect("UP" in s_client(server, "-tls1_3"), "1.3")
        expect("alert protocol version" in s_client(server, "-tls1_2"), "1.2")


@check("the ready line says https; the self-signed certificate is made once, names this machine, and its key is for the owner alone")
def _():
    folder = tempfile.mkdtemp(prefix="parley-tls-")
    try:
        with Server({"tls.self_signed": "true"}, listen="https://127.0.0.1:0", data_dir=folder) as server:
            expect("parley ready https://127.0.0.1:" in server.log(), server.log())
            expect("made a self-signed certificate" in server.log(), server.log())
            equal(os.stat(os.path.join(folder, "self-signed.key")).st_mode & 0o777, 0o600, "mode of the key")
            first = shown(server)
            for url in ("localhost", "127.0.0.1"):
                curl = subprocess.run(["curl", "-sS", "--cacert", os.path.join(folder, "self-signed.pem"), f"https://{url}:{server.port}/health"],
                                      capture_output=True, text=True, timeout=20)
                equal(curl.stdout, '{"status":"UP"}', curl.stderr)
            server.restart()
            equal(shown(server), first, "another certificate after a restart")
    finally:
        shutil.rmtree(folder)


@check("ALPN: http/1.1 is chosen, and a client that speaks h2 alone is refused")
def _(server):
    expect("ALPN protocol: http/1.1" in s_client(server, "-alpn", "h2,http/1.1"), "both")
    expect("alert no application protocol" in s_client(server, "-alpn", "h2"), "h2 alone")


@check("a client resumes its session, by TLS 1.3 and 1.2, and renegotiation is refused")
def _(server):
    for version in ("-tls1_3", "-tls1_2"):
        with tempfile.NamedTemporaryFile() as session:
            s_client(server, version, "-sess_out", session.name)
            expect("Reused, TLS" in s_client(server, version, "-sess_in", session.name), version)
    said = openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", stdin=b"R\n").stderr.decode()
    expect("no renegotiation" in said, said)


@check("a plain request on a TLS port gets a clear 400")
def _(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b""
        while data := line.recv(65536):
            said += data
    expect(said.startswith(b"HTTP/1.1 400 ") and b"this port speaks TLS" in said, said)


@check("TLS on a plain port is a 400 too, and what is neither is closed")
def _(server):
    with Server() as plain:
        said = s_client(plain)
        expect("UP" not in said, said)
        equal(request(plain, "GET", "/health").status, 200)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"\x00\x01nonsense" * 100)
        line.settimeout(5)
        while line.recv(65536):
            pass


@check("a handshake that does not get on is closed after limits.handshake_time")
def _():
    with Server({"tls.self_signed": "true", "limits.handshake_time": "1s"}, listen="https://127.0.0.1:0") as server:
        for begin in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
                line.sendall(begin)
                equal(line.recv(100), b"", "closed")


@check("a client that is cut off without a goodbye is gone; one that says goodbye still gets its answer")
def _(server):
    context = ssl._create_unverified_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        session = context.wrap_bio(incoming, outgoing)

        def step(action):
            while True:
                try:
                    result = action()
                    line.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    line.sendall(outgoing.read())
                    incoming.write(line.recv(65536))
        step(session.do_handshake)
        session.write(head_bytes("GET", "/health", [("Host", "localhost")]))
        try:
            session.unwrap()  # says goodbye; the server's has not come
        except ssl.SSLWantReadError:
            pass
        line.sendall(outgoing.read())
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while data := line.recv(65536):
            answer += data
        expect(len(answer) > 100, f"{len(answer)} bytes after the goodbye")


@check("the login cookie is Secure; with tls.hsts, answers over https say so and answers over http do not")
def _():
    with Server({"tls.self_signed": "true", "tls.hsts": "365d", "listeners": "http://127.0.0.1:0"}, listen="https://127.0.0.1:0") as server:
        name = {"name": "tls-user", "password": "long enough 1", "nickName": "T"}
        equal(request(server, "POST", "/v1/member/register", json=name).status, 201)
        answer = request(server, "POST", "/v1/auth/login", json=name)
        expect("; Secure" in answer.header("set-cookie"), answer.header("set-cookie"))
        equal(answer.header("strict-transport-security"), "max-age=31536000")
        plain = int(re.search(r"http://127\.0\.0\.1:(\d+)", server.log()).group(1))
        with Connection(plain) as line:
            line.send(head_bytes("GET", "/health", [("Host", "localhost")]))
            equal(line.response().header("strict-transport-security"), None)


@check("STOMP, SockJS, event streams, REST and python websockets talk over TLS with a plain listener beside it")
def _():
    with Server({"tls.self_signed": "true", "listeners": "http://127.0.0.1:0", "threads": 2}, listen="https://127.0.0.1:0") as server:
        class Plain:
            host, port = "127.0.0.1", int(re.search(r"http://127\.0\.0\.1:(\d+)", server.log()).group(1))
        with Stomp(server, "u-1", room="secure") as one, Stomp(Plain, "u-2", room="secure") as two, \
                Stomp(server, room="secure", socket=SockJsSocket(server, "/ws-chat", "xhr_streaming", token=server.token("u-3"), roomId="secure")) as three:
            for client in (two, three):
                client.subscribe("/sub/chat/room/secure", id="s")
            stream = EventStream(server, "/api/rooms/secure/stream", "u-4")
            equal(stream.event().name, "connected")
            for i in range(300):
                one.chat(f"{i} " + "x" * (i * 37 % 5000), receipt=f"r{i}")
            lists = [[client.message("s").json()["messageId"] for _ in range(300)] for client in (two, three)]
            lists.append([stream.event().json()["messageId"] for _ in range(300)])
            one.receipt("r299")
            lists.append([m["messageId"] for m in history(server, "secure", limit=300)])
            for other in lists[1:]:
                equal(other, lists[0], "what came over TLS is what came without")


@check("curl and a handshake over wss by python websockets")
def _(server):
    curl = subprocess.run(["curl", "-sSk", f"https://127.0.0.1:{server.port}/health"], capture_output=True, text=True, timeout=20)
    equal(curl.stdout, '{"status":"UP"}', curl.stderr)
    url = f"wss://127.0.0.1:{server.port}/ws-chat?token={server.token('u-py')}&roomId=py"
    with connect(url, ssl=ssl._create_unverified_context(), subprotocols=["v12.stomp"]) as line:
        line.send("CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        expect(line.recv(timeout=10).startswith("CONNECTED"), "no CONNECTED")
        line.send("SUBSCRIBE\nid:1\ndestination:/sub/chat/room/py\n\n\0")
        line.send('SEND\ndestination:/pub/chat/send\n\n{"type":"TALK","roomId":"py","content":"over wss"}\0')
        expect("over wss" in line.recv(timeout=10), "not what was sent")


@check("certificates are read again on SIGHUP and when the files change; connections stay, and ECDSA and RSA may be there together")
def _():
    folder = tempfile.mkdtemp(prefix="parley-tls-")
    try:
        ec, rsa = make_pair(folder, "ec"), make_pair(folder, "rsa", "rsa")
        pairs = {"tls.certificate": f"{ec[0]},{rsa[0]}", "tls.key": f"{ec[1]},{rsa[1]}"}
        with Server(pairs, listen="https://127.0.0.1:0") as server:
            first = {kind: shown(server, kind) for kind in ("ECDSA", "RSA")}
            expect(first["ECDSA"] != first["RSA"], "one certificate for both kinds")
            with Stomp(server, "u-1", room="reload") as old:
                old.subscribe("/sub/chat/room/reload", id="s")
                fresh = make_pair(folder, "fresh", host="fresh.example")
                shutil.copy(fresh[1], ec[1])
                shutil.copy(fresh[0], ec[0])
                server.signal(signal.SIGHUP)
                eventually(lambda: "fresh.example" in shown(server, "ECDSA"), what="the new certificate after SIGHUP")
                equal(shown(server, "RSA"), first["RSA"])
                with Stomp(server, "u-2", room="reload") as new:
                    new.chat("after the reload", receipt="r")
                    new.receipt("r")
                equal(old.message("s").json()["content"], "after the reload", "the old connection stays")
                again = make_pair(folder, "again", host="again.example")
                shutil.copy(again[1], ec[1])
                shutil.copy(again[0], ec[0])
                eventually(lambda: "again.example" in shown(server, "ECDSA"), limit=10, what="the new certificate without a signal")
                os.truncate(ec[0], 100)
                eventually(lambda: "the new certificates are not used, the old ones stay" in server.log(), limit=10, what="the log line of a bad pair")
                expect("again.example" in shown(server, "ECDSA"), "the old pair stays")
                shutil.copy(ec[1], ec[0])
                server.signal(signal.SIGHUP)
                time.sleep(0.2)
                old.chat("still here", receipt="still")
                old.receipt("still")
    finally:
        shutil.rmtree(folder)


@check("a certificate that cannot be used stops the start with exit status 2, saying which file")
def _():
    with tempfile.TemporaryDirectory(prefix="parley-tls-") as folder:
        one, two = make_pair(folder, "one"), make_pair(folder, "two")
        cases = [({"tls.certificate": one[0], "tls.key": two[1]}, "two.key"),
                 ({"tls.certificate": one[0], "tls.key": os.path.join(folder, "none.key")}, "none.key"),
                 ({"tls.certificate": one[0]}, "needs one of tls.key"),
                 ({}, "https:// needs tls.certificate and tls.key, or tls.self_signed")]
        locked = os.path.join(folder, "locked.key")
        openssl("pkey", "-in", one[1], "-aes128", "-passout", "pass:secret", "-out", locked)
        cases.append(({"tls.certificate": one[0], "tls.key": locked}, "locked.key"))
        for settings, wanted in cases:
            words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
            ended = run_parley("serve", "--listen", "https://127.0.0.1:0", "--data-dir", folder, *words)
            equal(ended.returncode, 2, "exit status")
            expect(wanted in ended.stderr, ended.stderr)


@check("PROXY headers come before the handshake")
def _():
    with Server({"tls.self_signed": "true", "proxies.trusted": "127.0.0.1", "rate.enabled": "true", "rate.login": "1/1h"},
                listen="https://127.0.0.1:0 proxy_protocol") as server:
        context = ssl._create_unverified_context()
        body = b'{"name":"nobody-here","password":"wrong-password"}'
        for status in (b"401", b"429"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
                plain.sendall(b"PROXY TCP4 198.51.100.7 127.0.0.1 49153 443\r\n")
                with context.wrap_socket(plain) as line:
                    line.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                    equal(line.recv(65536)[9:12], status)


@check("a large answer and a slow reader over TLS lose nothing", limit=60)
def _(server):
    with Stomp(server, "u-1", room="large") as client:
        for i in range(60):
            client.chat(f"{i} " + "y" * 60_000, receipt=f"r{i}")
        client.receipt("r59")
    with Connection(server.port, receive_buffer=8192, limit=20) as line:
        line.send(head_bytes("GET", "/api/rooms/large/replay?from-seq=1", [("Host", "localhost"), ("Authorization", f"Bearer {server.token()}")]))
        answer = line.response()
    contents = re.findall(rb'"content":"(\d+) (y+)"', answer.body)
    equal([int(number) for number, _ in contents], list(range(60)))
    equal({len(rest) for _, rest in contents}, {60_000})


@check("out of descriptors a TLS client gets its 503 inside TLS, and the server recovers", limit=60)
def _():
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    with Server({"tls.self_signed": "true"}, listen="https://127.0.0.1:0", before_exec=few) as server:
        statuses, kept = [], []
        for _ in range(500):
            line = Connection(server.port)
            line.send(head_bytes("GET", "/health", [("Host", "localhost")]))
            answer = line.response()
            statuses.append((answer.status, answer.code(), answer.header("connection")))
            if answer.status == 200:
                kept.append(line)
            else:
                expect(line.closed(), "kept open")
        equal(set(statuses), {(200, None, None), (503, "SERVER_FULL", "close")})
        for line in kept:
            line.close()
        eventually(lambda: request(server, "GET", "/health").status == 200, what="room for a new one")


if __name__ == "__main__":
    run(SELF_SIGNED)
