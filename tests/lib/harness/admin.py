"""A server with an operators' listener on a port of its own."""
from .http import request
from .ports import free_port
from .server import Server

ADMIN = "an operator's token"


class AdminServer(Server):
    def __init__(self, settings=None, **more):
        self.admin_port = free_port()
        super().__init__({"admin.listen": f"127.0.0.1:{self.admin_port}", "admin.token": ADMIN, **(settings or {})}, **more)

    def admin(self, method, path, json=None, token=ADMIN, **more):
        class At:
            host, port = "127.0.0.1", self.admin_port
        return request(At, method, path, json=json, token=token, **more)
