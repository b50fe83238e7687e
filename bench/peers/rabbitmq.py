"""RabbitMQ of Debian with its Web-STOMP plugin: an exchange of topics, a transient queue for each subscription."""
import pathlib
import subprocess

from free_ports import free_ports
from peers.peer import Peer

_BIN = pathlib.Path("/usr/lib/rabbitmq/bin")


class RabbitMq(Peer):
    key = "rabbitmq"
    name = "RabbitMQ"
    program = "rabbitmq-server"
    package = "rabbitmq-server"
    dialect = ["--dialect", "stomp", "--path", "/ws", "--prefix", "/topic/", "--login", "guest", "--passcode", "guest"]
    ready_within = 90
    warm_up = 2
    seconds_a_client = 0.004
    idle_clients = 2000
    instead = {"B": ("--rate", 8),
               "D": ("--connections", 2000, "--rooms", 20, "--senders", 20, "--rate", 80)}

    def path(self):
        return _BIN / "rabbitmq-server"

    def start(self, folder, on, log):
        amqp, stomp, web, dist, epmd = free_ports(5)
        self._epmd = epmd
        (folder / "enabled_plugins").write_text("[rabbitmq_web_stomp].\n")
        (folder / "none.conf").touch()
        config = folder / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.1 = 127.0.0.1:{amqp}\nstomp.listeners.tcp.1 = 127.0.0.1:{stomp}\n"
                          f"web_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = {web}\n"
                          "web_stomp.tcp.backlog = 4096\ndisk_free_limit.absolute = 50MB\nlog.console.level = warning\n")
        self._env = {
            "RABBITMQ_NODENAME": f"bench{amqp}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(amqp), "RABBITMQ_DIST_PORT": str(dist), "RABBITMQ_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "rabbit"),
            "RABBITMQ_CONFIG_FILE": str(config), "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"), "HOME": str(folder),
            "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1",
            # The script then becomes the server instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"
                                                   f" +S {len(on)}:{len(on)}",
        }
        self.run([self.path()], on, log, env=self._env)
        self.wait_for_port(web)
        self.url = f"127.0.0.1:{web}"

    def stop(self):
        super().stop()
        # The node's own name server, on a port of its own: it outlives the node.
        subprocess.run(["epmd", "-port", str(self._epmd), "-kill"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
