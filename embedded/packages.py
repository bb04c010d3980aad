"""Finding PostgreSQL and RabbitMQ on this machine, and obtaining them from Debian when they are not there.

Root installs packages. Anybody else downloads the same packages, checked by apt's signatures, and unpacks them under
`.run/packages`: both servers run from there once Erlang's scripts know where they are.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.layout import Layout, this_checkout

OLDEST_POSTGRES = 14
# Set to use private servers although the system has some: what an ordinary user on a bare machine gets.
IGNORE_SYSTEM = "LIANXIN_EMBEDDED_IGNORE_SYSTEM_SERVERS"
SYSTEM = Path("/")
WHEELS = Path("usr/share/python-wheels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    folder: Path
    major: int
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rabbit:
    scripts: Path
    erlang: Path  # holds erl
    epmd: Path
    environment: dict[str, str] = field(default_factory=dict)


def prefixes(layout: Layout | None = None) -> list[Path]:
    private = (layout or this_checkout()).packages / "root"
    return [private] if os.environ.get(IGNORE_SYSTEM) == "1" else [SYSTEM, private]


def _library_environment(prefix: Path) -> dict[str, str]:
    if prefix == SYSTEM:
        return {}
    folders = [*prefix.glob("usr/lib/*-linux-gnu*"), *prefix.glob("lib/*-linux-gnu*")]
    return {"LD_LIBRARY_PATH": ":".join(str(folder) for folder in folders)}


def _postgres_in(folder: Path, environment: dict[str, str]) -> Postgres | None:
    tools = ("postgres", "initdb", "pg_isready")
    if not all(os.access(folder / tool, os.X_OK) for tool in tools):
        return None
    command = [str(folder / "postgres"), "--version"]
    answer = subprocess.run(
        command, env={"PATH": os.defpath, **environment}, capture_output=True, text=True, check=False
    )
    match = re.search(r"\) (\d+)", answer.stdout)
    if match is None or int(match[1]) < OLDEST_POSTGRES:
        return None
    return Postgres(folder=folder, major=int(match[1]), environment=environment)


def look_for_postgres(layout: Layout | None = None) -> Postgres | None:
    for prefix in prefixes(layout):
        environment = _library_environment(prefix)
        folders = sorted(prefix.glob("usr/lib/postgresql/*/bin"), key=_version_of, reverse=True)
        on_path = shutil.which("postgres")
        if prefix == SYSTEM and on_path:
            folders.append(Path(on_path).resolve().parent)
        for folder in folders:
            if found := _postgres_in(folder, environment):
                return found
    return None


def _version_of(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(path).partition("/usr/lib/")[2]))


def look_for_rabbit(layout: Layout | None = None) -> Rabbit | None:
    for prefix in prefixes(layout):
        scripts = sorted(prefix.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"), key=_version_of, reverse=True)
        on_path = shutil.which("rabbitmq-server")
        # Debian's own command of that name is a wrapper that insists on its account; a real one has this neighbour.
        if prefix == SYSTEM and on_path and (Path(on_path).resolve().parent / "rabbitmq-defaults").exists():
            scripts.append(Path(on_path).resolve().parent)
        erlang, epmd = _erlang_in(prefix)
        if scripts and erlang and epmd:
            return Rabbit(scripts=scripts[0], erlang=erlang, epmd=epmd, environment=_library_environment(prefix))
    return None


def _erlang_in(prefix: Path) -> tuple[Path | None, Path | None]:
    home = prefix / "usr/lib/erlang"
    if (home / "bin/erl").exists():
        return home / "bin", next(home.glob("erts-*/bin/epmd"), None)
    erl, epmd = shutil.which("erl"), shutil.which("epmd")
    return (Path(erl).parent, Path(epmd)) if prefix == SYSTEM and erl and epmd else (None, None)


def find_postgres(layout: Layout | None = None) -> Postgres:
    if found := look_for_postgres(layout):
        return found
    raise EmbeddedError(f"PostgreSQL {OLDEST_POSTGRES} or later was not found: run `make setup` first")


def find_rabbit(layout: Layout | None = None) -> Rabbit:
    if found := look_for_rabbit(layout):
        return found
    raise EmbeddedError("RabbitMQ was not found: run `make setup` first")


def has_installer() -> bool:
    """Whether Python can put pip into a new virtual environment; Debian keeps that in a package of its own."""
    try:
        import ensurepip
    except ImportError:
        return False
    return bool(ensurepip.version())


def find_pip_wheel(layout: Layout) -> Path | None:
    for prefix in (SYSTEM, layout.packages / "root"):
        if found := next((prefix / WHEELS).glob("pip-*.whl"), None):
            return found
    return None


def missing_packages(layout: Layout, *, with_postgres: bool, with_rabbit: bool) -> list[str]:
    missing = []
    if with_postgres and look_for_postgres(layout) is None:
        missing.append("postgresql")
    if with_rabbit and look_for_rabbit(layout) is None:
        missing.append("rabbitmq-server")
    if not has_installer() and find_pip_wheel(layout) is None:
        missing.append("python3-venv")
    return missing


def obtain(layout: Layout, missing: list[str], tell: Callable[[str], None]) -> None:
    """Install as root, else unpack privately. Raises one message that names all that is missing when neither works."""
    log = layout.log / "setup.log"
    if shutil.which("apt-get") is None:
        raise EmbeddedError(_advice(missing, "this machine has no apt-get"))
    private = os.geteuid() != 0 or os.environ.get(IGNORE_SYSTEM) == "1"
    names = ", ".join(missing)
    try:
        if private:
            tell(f"downloading {names} from Debian into {layout.packages} (no root needed; first time only)")
            _unpack(layout, missing, log)
        else:
            tell(f"installing {names} with apt-get (first time only)")
            _install(missing, log)
    except subprocess.CalledProcessError as error:
        words = "\n".join(log.read_text("utf-8", "replace").splitlines()[-12:])
        raise EmbeddedError(_advice(missing, f"`{' '.join(error.cmd[:2])} ...` failed ({log}):\n{words}")) from error


def _advice(missing: list[str], reason: str) -> str:
    return (
        f"Missing on this machine: {', '.join(missing)}. They could not be obtained: {reason}\n\n"
        f"Ask an administrator for: apt-get install --no-install-recommends {' '.join(missing)}\n"
        "or give servers that exist: LIANXIN_POSTGRES_URL, LIANXIN_RABBITMQ_URL and LIANXIN_RABBITMQ_MANAGEMENT_URL."
    )


def _run(command: list[str], log: Path, **variables: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"} | variables
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait()
        finally:
            process.wait()  # Ctrl-C waits too: a package manager that is cut off leaves the machine half installed
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


def _install(missing: list[str], log: Path) -> None:
    _run(["apt-get", "update"], log)
    options = ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", "-y"]
    with _services_kept_from_starting():
        _run(["apt-get", "install", *options, *missing], log)
    if Path("/run/systemd/system").is_dir():
        # Nor shall they start with the machine: we run servers of our own.
        units = ["postgresql.service", "rabbitmq-server.service", "epmd.socket", "epmd.service"]
        subprocess.run(["systemctl", "disable", *units], capture_output=True, check=False)


class _services_kept_from_starting:  # noqa: N801 - reads as the sentence it is
    """Debian asks this script whether a package may start its service; 101 says no."""

    _policy = Path("/usr/sbin/policy-rc.d")
    _aside = Path("/usr/sbin/policy-rc.d.before-lianxin")

    def __enter__(self) -> None:
        if self._policy.exists():
            self._policy.rename(self._aside)
        self._policy.write_text("#!/bin/sh\nexit 101\n")
        self._policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        self._policy.unlink(missing_ok=True)
        if self._aside.exists():
            self._aside.rename(self._policy)


def _unpack(layout: Layout, missing: list[str], log: Path) -> None:
    base, root = layout.packages, layout.packages / "root"
    for folder in ("lists/partial", "cache/archives/partial", "root"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    options = _private_apt_options(base)
    _run(["apt-get", *options, "update"], log)
    _run(["apt-get", *options, "--download-only", "--no-install-recommends", "-y", "install", *missing], log)
    for package in sorted((base / "cache/archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(root)], log)
    _move_erlang(root)
    shutil.rmtree(base / "cache")
    shutil.rmtree(base / "lists")


def _private_apt_options(base: Path) -> list[str]:
    status = Path("/var/lib/dpkg/status")
    if os.environ.get(IGNORE_SYSTEM) == "1":
        status = _status_without_servers(base, status)
    settings = {
        "Dir::State": base,
        "Dir::State::Lists": base / "lists",
        "Dir::State::status": status,
        "Dir::Cache": base / "cache",
        "Dir::Log": base,
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _status_without_servers(base: Path, status: Path) -> Path:
    """Have apt believe that the servers are not installed, so that it downloads them."""
    hidden = re.compile(r"Package: (postgresql|rabbitmq|erlang)")
    entries = status.read_text("utf-8").split("\n\n")
    pretended = base / "status"
    pretended.write_text("\n\n".join(entry for entry in entries if not hidden.match(entry)), "utf-8")
    return pretended


def _move_erlang(root: Path) -> None:
    """Erlang's start scripts carry the folder that they were built for."""
    home = root / "usr/lib/erlang"
    scripts = [home / "bin/erl", home / "bin/start", *home.glob("erts-*/bin/erl"), *home.glob("erts-*/bin/start")]
    for script in scripts:
        if script.exists():
            text = script.read_text("utf-8")
            script.write_text(re.sub(r"(?<![\w/])/usr/lib/erlang", str(home), text), "utf-8")
