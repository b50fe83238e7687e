#!/usr/bin/env python3
"""Several listeners, Unix sockets, the PROXY protocol and X-Forwarded-For: who comes in where, and as whom."""
import os
import pathlib
import re
import socket
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Connection, Server, Stomp, check, equal, eventually, expect, request, run, run_parley
from harness.http import head_bytes

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class Entrance:
    """A listener besides the main one, as `request()` wants a server."""

    def __init__(self, server, index=0):
        urls = re.findall(r'listening"?,?.*?url"?[=:]"?((?:http|https|unix):[^\s",]+)', server.log())
        self.url = urls[1 + index]
        self.host, self.port = re.match(r"\w+://(.*):(\d+)", self.url).groups() if "//" in self.url else (None, None)
        self.port = self.port and int(self.port)


def unix_path():
    return os.path.join(tempfile.mkdtemp(prefix="parley-sock-"), "http.sock")


def binary(address="198.51.100.7", command=0x21, family=0x11, tail=b""):
    body = socket.inet_pton(socket.AF_INET, address) + bytes([127, 0, 0, 1]) + b"\xc0\x01\x00\x50" + tail
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


def line(address="198.51.100.7"):
    return f"PROXY TCP4 {address} 127.0.0.1 49153 80\r\n".encode()


def refused_start(wanted, *flags, **settings):
    pairs = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    with tempfile.TemporaryDirectory(prefix="parley-e2e-") as folder:
        ended = run_parley("serve", "--listen", "127.0.0.1:0", "--data-dir", folder, *pairs, *flags)
    equal(ended.returncode, 2, "exit status")
    expect(wanted in ended.stderr, ended.stderr)


def ask(port, before=b"", method="GET", path="/health", body=b"", **fields):
    """One request on a connection of its own, after `before`. None: closed without an answer."""
    with Connection(port) as connection:
        head = {"Host": "localhost", "Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in fields.items()}}
        try:
            connection.send(before + head_bytes(method, path, head.items()) + body)
            return connection.response(method)
        except (EOFError, ConnectionError):
            return None


def login(port, before=b"", **fields):
    """401 by name and password, or 429 by the address's rate."""
    answer = ask(port, before, "POST", "/v1/auth/login", b'{"name":"nobody-here","password":"wrong-password"}', Content_Type="application/json", **fields)
    return answer.status



@check("a message sent by one listener arrives by the other and over a Unix socket's history")
def _():
    path = unix_path()
    with Server({"listeners": f"http://127.0.0.1:0,unix:{path}", "threads": 2}) as server:
        second = Entrance(server)
        expect(second.port != server.port, second.url)
        with Stomp(server, "u-1", room="many") as one, Stomp(second, "u-2", room="many") as two:
            two.subscribe("/sub/chat/room/many", id="s")
            one.chat("hello", receipt="r")
            one.receipt("r")
            equal(two.message("s").json()["content"], "hello")
        curl = subprocess.run(["curl", "-sS", "--unix-socket", path, "-H", f"Authorization: Bearer {server.token()}",
                               "http://any.name/api/rooms/many/messages"], capture_output=True, text=True, timeout=20)
        expect('"hello"' in curl.stdout, curl)


@check("a Unix socket has the mode asked for, spreads over the loops, and its file goes with the server")
def _():
    path = unix_path()
    with Server({"listeners": f"unix:{path} mode=0600", "threads": 2}) as server:
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
        for _ in range(8):
            curl = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://localhost/health"], capture_output=True, text=True, timeout=20)
            equal(curl.stdout, '{"status":"UP"}')
        equal(server.stop(), 0)
        expect(not os.path.exists(path), "the file is still there")


@check("the socket file of a server that was killed is replaced; one that lives stops the start with exit status 2")
def _():
    path = unix_path()
    with Server({"listeners": f"unix:{path}"}) as server:
        server.kill()
        expect(os.path.exists(path), "killed, and yet the file is gone")
        server.start()
        refused_start("another process listens there", listeners=f"unix:{path}")
        curl = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://localhost/health"], capture_output=True, text=True, timeout=20)
        equal(curl.stdout, '{"status":"UP"}', "the first one still serves")


@check("the main listener may be a Unix socket")
def _():
    path = unix_path()
    server = Server(listen=f"unix:{path}")
    try:
        server.start()
        raise AssertionError("the harness knows no Unix socket")
    except (IndexError, ValueError):
        pass
    try:
        expect(f"parley ready unix:{path}" in server.log(), server.log())
    finally:
        server.close()


@check("the same address twice stops the start")
def _():
    path = unix_path()
    refused_start("is listened at already", listeners=f"unix:{path},unix:{path} mode=0600")


@check("PROXY v1 and v2: the rate of logins is counted by the client's address, not the proxy's")
def _():
    with Server({"listeners": "127.0.0.1:0 proxy_protocol", "proxies.trusted": "127.0.0.0/8", "rate.enabled": "true", "rate.login": "2/1h"}) as server:
        port = Entrance(server).port
        equal([login(port, line("198.51.100.7")) for _ in range(3)], [401, 401, 429], "one client by v1")
        equal(login(port, binary("198.51.100.7")), 429, "the same client by v2")
        equal([login(port, binary("198.51.100.8", tail=b"\x04\x00\x03abc")) for _ in range(3)], [401, 401, 429], "another client by v2 with a TLV")
        equal([login(port, binary(command=0x20)) for _ in range(3)], [401, 401, 429], "LOCAL is the proxy itself")
        equal(login(port, b"PROXY UNKNOWN\r\n"), 429, "UNKNOWN is the proxy itself too")
        equal(login(server.port), 429, "who comes without a proxy by the plain listener is 127.0.0.1 as well")


@check("PROXY: no header, a bad one, half of one and one that is too long are closed and counted, and the log says so")
def _():
    with Server({"listeners": "127.0.0.1:0 proxy_protocol", "proxies.trusted": "127.0.0.1", "limits.handshake_time": "1s"}) as server:
        port = Entrance(server).port
        expect(ask(port, line()).status == 200, "a good one")
        bad = [b"", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n", b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12,
               SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x21\x11\0\x04abcd"]
        for before in bad:
            equal(ask(port, before), None, repr(before[:40]))
        with Connection(port) as half:
            half.send(b"PROXY TCP4 1.2")
            expect(half.closed(limit=5), "half a header is still waited for")
        with Connection(port) as silent:
            expect(silent.closed(limit=5), "no header is still waited for")
        eventually(lambda: "connections without a good PROXY header were closed" in server.log(), what="the log line")


@check("PROXY: from an address that is not trusted nothing is taken")
def _():
    with Server({"listeners": "127.0.0.1:0 proxy_protocol", "proxies.trusted": "10.0.0.0/8"}) as server:
        port = Entrance(server).port
        equal(ask(port, line()), None)
        equal(ask(server.port).status, 200, "the plain listener")
        eventually(lambda: "not from a trusted proxy" in server.log(), what="the log line")


@check("PROXY on a Unix socket, trusted as unix:")
def _():
    path = unix_path()
    with Server({"listeners": f"unix:{path} proxy_protocol", "proxies.trusted": "unix:", "rate.enabled": "true", "rate.login": "1/1h"}):
        for status in (b"401", b"429"):
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(10)
                one.connect(path)
                body = b'{"name":"nobody-here","password":"wrong-password"}'
                one.sendall(line() + b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                equal(one.recv(65536)[9:12], status)


@check("proxy_protocol without proxies.trusted stops the start")
def _():
    refused_start("proxy_protocol needs proxies.trusted", listeners="127.0.0.1:0 proxy_protocol")


@check("X-Forwarded-For from a trusted proxy: the right-most address that is no proxy has the rate")
def _():
    with Server({"proxies.trusted": "127.0.0.1,10.0.0.0/8", "rate.enabled": "true", "rate.login": "1/1h"}) as server:
        port = server.port
        equal(login(port, X_Forwarded_For="198.51.100.7"), 401)
        equal(login(port, X_Forwarded_For="203.0.113.66, 198.51.100.7, 10.1.2.3"), 429, "a forged address in front helps nobody")
        equal(login(port, X_Forwarded_For="198.51.100.7, 198.51.100.8"), 401, "another client")
        equal(login(port, X_Forwarded_For="198.51.100.9, unknown"), 401, "the proxy itself")
        equal(login(port), 429, "the proxy itself")


@check("X-Forwarded-For from anybody else is passed over")
def _():
    for trusted in ("", "10.0.0.0/8"):
        with Server({"proxies.trusted": trusted, "rate.enabled": "true", "rate.login": "1/1h"}) as server:
            equal(login(server.port, X_Forwarded_For="198.51.100.7"), 401)
            equal(login(server.port, X_Forwarded_For="198.51.100.8"), 429)


@check("X-Forwarded-Proto: https from a trusted proxy makes the login cookie Secure, from anybody else it does not")
def _():
    for trusted, secure in (("127.0.0.1", True), ("10.0.0.0/8", False)):
        with Server({"proxies.trusted": trusted}) as server:
            name = {"name": "cookie-user", "password": "long enough 1", "nickName": "C"}
            equal(request(server, "POST", "/v1/member/register", json=name).status, 201)
            answer = request(server, "POST", "/v1/auth/login", json=name, headers={"X-Forwarded-Proto": "https"})
            equal("; Secure" in answer.header("set-cookie"), secure, answer.header("set-cookie"))


@check("Host on a loopback listener must name this machine, unless a trusted proxy asks")
def _():
    with Server() as server:
        equal(ask(server.port, Host="chat.example").status, 403)
    with Server({"proxies.trusted": "127.0.0.1"}) as server:
        equal(ask(server.port, Host="chat.example").status, 200)
    with Server({"proxies.trusted": "10.0.0.0/8"}) as server:
        equal(ask(server.port, Host="chat.example").status, 403)


@check("one listener that others reach closes what is for this machine only, on every listener")
def _():
    with Server({"listeners": "http://0.0.0.0:0", "drain.notice": "0"}) as server:
        equal(ask(server.port, path="/metrics").status, 404)
        equal(ask(server.port, path="/ws/info").status, 404, "the public profile")
        equal(ask(Entrance(server).port, Host="chat.example").status, 200, "Host by the open listener")
        equal(ask(server.port, Host="chat.example").status, 403, "Host by the loopback listener")
    with Server({"listeners": f"unix:{unix_path()}"}) as server:
        equal(ask(server.port, path="/metrics").status, 200, "a Unix socket is of this machine")
    refused_start("--enable-test-endpoints works on loopback listeners only", "--enable-test-endpoints", listeners="http://0.0.0.0:0")


if __name__ == "__main__":
    run()
