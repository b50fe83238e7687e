#!/usr/bin/env python3
"""Pages of other origins: what they may ask over REST, and what of it they may read."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Shared, check, equal, request, run
from harness.tokens import token

FRIEND = "https://app.friend.example"
SHARED = Shared({"origins.allowed": "https://*.friend.example"})


def ask(server, method, path, origin, member=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(server, method, path, token=token(member) if member else None, headers={"Origin": origin, **headers})


def read_rights(answer):
    names = ("access-control-allow-origin", "access-control-allow-credentials", "vary")
    return tuple(answer.header(name) for name in names)


def preflight(server, path, origin, method):
    return ask(server, "OPTIONS", path, origin, Access_Control_Request_Method=method,
               Access_Control_Request_Headers="authorization,content-type")


for path, method in (("/api/rooms", "POST"), ("/api/rooms/r-1/messages", "POST"), ("/api/rooms/r-1", "PATCH"),
                     ("/api/rooms/r-1/members/u-1", "DELETE"), ("/v1/auth/login", "POST")):
    @check(f"an allowed origin is told in advance that it may {method} {path}")
    def _(server, path=path, method=method):
        answer = preflight(server, path, FRIEND, method)
        equal((answer.status, *read_rights(answer)), (204, FRIEND, "true", "Origin"))
        equal(method in answer.header("access-control-allow-methods").split(", "), True)
        allowed = answer.header("access-control-allow-headers").lower().split(", ")
        equal({"authorization", "content-type"} <= set(allowed), True)


@check("an allowed origin reads answers and refusals, positions included")
def _(server):
    equal(ask(server, "POST", "/api/rooms/cors-1/messages", FRIEND, "u-7").status, 400)
    for path, status in (("/api/rooms/cors-1/messages", 200), ("/api/rooms/no such room", 404)):
        answer = ask(server, "GET", path.replace(" ", "%20"), FRIEND, "u-7")
        equal((answer.status, *read_rights(answer)), (status, FRIEND, "true", "Origin"), path)
    exposed = ask(server, "GET", "/api/rooms", FRIEND, "u-7").header("access-control-expose-headers").split(", ")
    told = {"X-Parley-Epoch", "X-Parley-First-Seq", "X-Parley-Head-Seq", "X-Parley-Truncated", "Retry-After"}
    equal(told - set(exposed), set())


@check("an allowed origin reads the cursor it polls its rooms with")
def _(server):
    answer = ask(server, "GET", "/api/messages", FRIEND, "u-7")
    exposed = answer.header("access-control-expose-headers").split(", ")
    equal((answer.status, {"X-Parley-Cursor", "X-Parley-Rooms-Left-Out"} <= set(exposed)), (200, True))
    equal(bool(answer.header("x-parley-cursor")), True)


@check("an allowed origin does not act by the cookie of this one")
def _(server):
    answer = ask(server, "GET", "/api/rooms", FRIEND, Cookie=f"parley_token={token('u-7')}")
    equal((answer.status, answer.code()), (401, "AUTH_REQUIRED"))


for origin in ("https://friend.example.evil.example", "http://app.friend.example", "null"):
    @check(f"the origin {origin} may not ask, and reads nothing")
    def _(server, origin=origin):
        refused = preflight(server, "/api/rooms", origin, "POST")
        equal((refused.status, refused.code(), *read_rights(refused)), (403, "ORIGIN_FORBIDDEN", None, None, "Origin"))
        crossed = ask(server, "POST", "/v1/auth/login", origin, Sec_Fetch_Site="cross-site")
        equal((crossed.status, read_rights(crossed)[0]), (403, None))
        equal(read_rights(ask(server, "GET", "/api/rooms", origin, "u-7")), (None, None, "Origin"))


@check("the own page asks as before, and OPTIONS of an unknown path is 404")
def _(server):
    own = f"http://127.0.0.1:{server.port}"
    equal(ask(server, "GET", "/api/rooms", own, "u-7", Sec_Fetch_Site="same-origin").status, 200)
    equal(preflight(server, "/api/nothing", FRIEND, "GET").status, 404)


if __name__ == "__main__":
    run(SHARED)
