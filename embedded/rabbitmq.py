"""A private RabbitMQ node with a port mapper of its own: made once, started as our children, stopped without loss."""

import base64
import hashlib
import json
import secrets
import shutil
import socket
from pathlib import Path

from embedded.accounts import make_folder, own, reachable_folder, service_account
from embedded.layout import State, free_port, write_whole
from embedded.packages import find_rabbit
from embedded.process import MARKER, Child, Command

ADMINISTRATOR = "lianxin_admin"
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {prometheus}
load_definitions = {folder}/definitions.json
disk_free_limit.absolute = 512MB
vm_memory_high_watermark.absolute = 1GB
raft.wal_max_size_bytes = 67108864
management.rates_mode = basic
log.console = true
log.console.level = info
log.connection.level = warning
log.file = false
"""
# Names are resolved without the machine's resolver, so that a strange host name or no network does no harm.
RESOLVER = '{host,{127,0,0,1},["localhost"]}.\n{lookup,[file,native]}.\n'
# Two schedulers that sleep when idle, and tables sized for one county: a third of the memory of the defaults.
ERLANG = "+S 2:2 +SDio 2 +sbwt none +sbwtdcpu none +sbwtdio none"
PORTS = ("amqp", "management", "prometheus", "distribution", "epmd")
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
CONNECTION_START = b"\x00\x0a\x00\x0a"


class PrivateRabbit:
    """Keeps its data in the folder, or in a stand-in for it if the service account cannot reach that one."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: dict[str, int] | None = None,
        password: str | None = None,
        log: Path | None = None,
        marker: str | None = None,
    ) -> None:
        self._binaries = find_rabbit()
        self._account = service_account("rabbitmq")
        self._password = password or secrets.token_urlsafe(24)
        self._marker = marker or str(folder)
        self.ports = ports or _choose_ports()
        self.folder = reachable_folder(folder, self._account)
        log = log or self.folder / "rabbitmq.log"
        self.mapper = Child(self._mapper_command(log.with_name("epmd.log")), self._mapper_is_ready)
        self.child = Child(self._broker_command(log), self.is_ready)

    @property
    def port(self) -> int:
        return self.ports["amqp"]

    @property
    def admin_url(self) -> str:
        return f"amqp://{ADMINISTRATOR}:{self._password}@127.0.0.1:{self.port}/%2F"

    @property
    def management_url(self) -> str:
        return f"http://{ADMINISTRATOR}:{self._password}@127.0.0.1:{self.ports['management']}"

    @property
    def pid(self) -> int | None:
        return self.child.pid

    def start(self, timeout_seconds: float = 120) -> None:
        self.prepare()
        if self.mapper.pid is None:
            self.mapper.launch()
            self.mapper.wait_until_ready(10)
        self.child.launch()
        self.child.wait_until_ready(timeout_seconds)

    def stop(self) -> None:
        self.child.stop()
        self.mapper.stop()

    def kill9(self) -> None:
        """Kill the broker; its port mapper stays, as it would on a server."""
        self.child.kill9()

    kill = kill9

    def remove(self) -> None:
        """Stop it and forget its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self) -> bool:
        """Whether the broker answers a greeting and its management listens: an open port alone is not enough."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(AMQP_HEADER)
                answer = connection.recv(16)
            with socket.create_connection(("127.0.0.1", self.ports["management"]), timeout=2):
                return answer[7:11] == CONNECTION_START
        except OSError:
            return False

    def prepare(self) -> None:
        """Write everything the node reads. Safe to repeat; data and cookie stay."""
        for name in ("data", "log"):
            make_folder(self.folder / name, self._account)
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            self._write(cookie.name, secrets.token_hex(32), mode=0o400)
        self._write("rabbitmq.conf", CONFIGURATION.format(folder=self.folder, **self.ports))
        self._write("advanced.config", "[].\n")
        self._write("rabbitmq-env.conf", "")
        self._write("inetrc", RESOLVER)
        self._write("enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n")
        self._write("definitions.json", json.dumps(_definitions(self._password)))

    def _write(self, name: str, text: str, *, mode: int = 0o600) -> None:
        write_whole(self.folder / name, text, mode=mode)
        own(self.folder / name, self._account)

    def _mapper_is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.ports["epmd"]), timeout=2):
                return True
        except OSError:
            return False

    def _mapper_command(self, log: Path) -> Command:
        port = str(self.ports["epmd"])
        return Command(
            name="epmd",
            arguments=(str(self._binaries.epmd), "-address", "127.0.0.1", "-port", port),
            environment=self._environment(),
            folder=self.folder,
            account=self._account,
            stop_seconds=5,
            log=log,
        )

    def _broker_command(self, log: Path) -> Command:
        return Command(
            name="rabbitmq",
            arguments=(str(self._binaries.scripts / "rabbitmq-server"),),
            environment=self._environment(),
            folder=self.folder,
            account=self._account,
            stop_seconds=60,
            log=log,
        )

    def _environment(self) -> dict[str, str]:
        folder, ports = str(self.folder), self.ports
        return {
            "PATH": f"{self._binaries.erlang}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": folder,
            MARKER: self._marker,
            "RABBITMQ_NODENAME": self._node_name(),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_PID_FILE": f"{folder}/rabbitmq.pid",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(ports["amqp"]),
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            # The node's own port for other nodes must not listen to the network either.
            "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_INETRC": f"{folder}/inetrc",
            "ERL_CRASH_DUMP": f"{folder}/log/erl_crash.dump",
            "RUNNING_UNDER_SYSTEMD": "1",  # makes the start script become the broker instead of its parent
        } | self._binaries.environment

    def _node_name(self) -> str:
        """Chosen once: the data folder carries the node's name and is useless under another."""
        state = State(self.folder / "node.json")
        if state.get("name") is None:
            state.set("name", f"lianxin-{secrets.token_hex(4)}@localhost")
        return str(state.get("name"))


def _choose_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for name in PORTS:
        ports[name] = free_port(avoid=ports.values())
    return ports


def password_hash(password: str, salt: bytes) -> str:
    """The form of rabbit_password_hashing_sha256: four bytes of salt before the digest of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions(password: str) -> dict[str, object]:
    """One administrator and no guest: with definitions to load, RabbitMQ does not create its well-known user."""
    return {
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": ADMINISTRATOR,
                "password_hash": password_hash(password, secrets.token_bytes(4)),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": ["administrator"],
            }
        ],
        "permissions": [{"user": ADMINISTRATOR, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    }
