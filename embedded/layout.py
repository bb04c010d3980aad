"""Where everything lives inside a checkout, and the few values that are chosen once and kept there."""

import atexit
import json
import os
import random
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Below Linux's range for outgoing connections (from 32768), so that no client socket ever sits on a chosen port.
PORT_RANGE = range(20_000, 30_000)
# What a person types is the same on most machines; a second checkout gets others.
PREFERRED_PORTS = {"intake-api": 8101, "assessment-api": 8102, "notify-api": 8103, "identity-api": 8104}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    root: Path

    @property
    def run(self) -> Path:
        return self.root / ".run"

    @property
    def environment(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def log(self) -> Path:
        return self.run / "log"

    @property
    def packages(self) -> Path:
        return self.run / "packages"

    @property
    def postgres(self) -> Path:
        return self.run / "postgres"

    @property
    def rabbitmq(self) -> Path:
        return self.run / "rabbitmq"

    @property
    def imports(self) -> Path:
        return self.run / "imports"

    @property
    def mail(self) -> Path:
        return self.run / "mail"

    @property
    def keys(self) -> Path:
        """A directory for each service, with the keys that it needs and no other."""
        return self.run / "keys"

    @property
    def audit(self) -> Path:
        """The signed files of the audit, to be carried elsewhere."""
        return self.run / "audit"

    @property
    def accounts(self) -> Path:
        """What the sign-ins of the installation are made from, read and written by the application's own account."""
        return self.run / "accounts"

    @property
    def sign_ins(self) -> Path:
        return self.run / "sign-ins.txt"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def running(self) -> Path:
        return self.run / "running.json"

    @property
    def state(self) -> Path:
        return self.run / "state.json"

    @property
    def secrets(self) -> Path:
        return self.run / "secrets.json"

    def create(self) -> None:
        for folder in (self.run, self.log):
            folder.mkdir(mode=0o755, exist_ok=True)


def this_checkout() -> Layout:
    return Layout(root=Path(__file__).resolve().parent.parent)


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Leave either the old file or the new one, whenever the power fails; the mode holds from the first byte."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return values if isinstance(values, dict) else {}


class State:
    """Small values that outlive a run: ports, the name of the broker's node, what has been loaded.

    Read from the file every time, so that several hands on the same file do not undo one another's values.
    """

    def __init__(self, path: Path, *, mode: int = 0o644) -> None:
        self._path = path
        self._mode = mode

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - whatever JSON holds
        return read_json(self._path).get(name, default)

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        values = read_json(self._path)
        if name not in values or values[name] != value:
            values[name] = value
            write_whole(self._path, json.dumps(values, indent=2, sort_keys=True) + "\n", mode=self._mode)


class Secrets:
    """Random words, each made when it is first asked for and then kept in a file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._state = State(path, mode=0o600)

    def get(self, name: str) -> str:
        value = self._state.get(name)
        if not isinstance(value, str):
            value = secrets.token_urlsafe(32)
            self._state.set(name, value)
        return value


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# Held as long as this process lives, so that two checkouts that start at the same moment do not choose the same port.
_reservations: dict[int, socket.socket] = {}


@atexit.register
def _release_all() -> None:
    for claim in _reservations.values():
        claim.close()


def reserve(port: int) -> bool:
    """Claim a free port among all checkouts, by a name that the kernel forgets when we end, however we end."""
    if port in _reservations:
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0lianxin-port-{port}")
    except OSError:
        claim.close()
        return False
    if not is_port_free(port):
        claim.close()
        return False
    _reservations[port] = claim
    return True


def free_port(*, avoid: Iterable[int] = ()) -> int:
    taken = set(avoid) | _reservations.keys()
    for port in random.SystemRandom().sample(PORT_RANGE, k=2_000):
        if port not in taken and reserve(port):
            return port
    raise OSError("no free port between 20000 and 30000 on 127.0.0.1")


def keep_ports(state: State, names: Iterable[str]) -> dict[str, int]:
    """Keep the port of each name from run to run; a port that a stranger has taken meanwhile is replaced."""
    kept: dict[str, int] = dict(state.get("ports", {}))
    for name in names:
        port = kept.get(name) or PREFERRED_PORTS.get(name)
        kept[name] = port if port and reserve(port) else free_port(avoid=kept.values())
    state.set("ports", kept)
    return kept
