"""NATS of Debian (nats-server): plain TCP, nothing stored."""
from free_ports import free_ports
from peers.peer import Peer


class Nats(Peer):
    key = "nats"
    name = "NATS"
    program = "nats-server"
    package = "nats-server"
    dialect = ["--dialect", "nats"]

    def start(self, folder, on, log):
        port, monitor = free_ports(2)
        config = folder / "nats.conf"
        # A client that is behind for a moment is waited for, as with the others.
        config.write_text(f'host: 127.0.0.1\nport: {port}\nhttp: "127.0.0.1:{monitor}"\nmax_connections: 100000\n'
                          f'write_deadline: "60s"\nmax_pending: 256MB\n')
        self.run([self.path(), "-c", config], on, log, env={"GOMAXPROCS": str(len(on))})
        self.wait_for_port(port)
        self.url = f"127.0.0.1:{port}"
