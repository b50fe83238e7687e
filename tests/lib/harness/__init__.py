"""What every suite needs, under one name."""
from . import http, npm, services, sockjs, sse, stomp, table, tokens, venv, ws
from .http import Connection, exchange, request
from .server import Server, Shared, run_parley
from .sockjs import SockJsSocket
from .sse import EventStream
from .stomp import Stomp
from .suite import Skip, check, equal, eventually, expect, long_tier, run, short
from .ws import Closed, Refused, WebSocket

__all__ = ["Closed", "Connection", "EventStream", "Refused", "Server", "Shared", "Skip", "SockJsSocket", "Stomp", "WebSocket", "check", "equal",
           "eventually", "exchange", "expect", "http", "long_tier", "npm", "request", "run", "run_parley", "seccomp", "services", "short", "sockjs", "sse", "stomp",
           "table", "tokens", "venv", "ws"]
