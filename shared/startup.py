"""What a process sees to before it works: nothing of it leaks to the machine, and no unsafe ground is built upon."""

import os
import resource
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from shared.database import Connection, check_durability
from shared.settings import ProcessSettings, UnsafeSetting

UMASK = 0o027
DEFAULT_ACCOUNTS = (("guest", "guest"), ("admin", "admin"))
# The owner alone writes it, before any service runs, and it holds the names of files.
NOT_BY_ROW = ("migration",)


def seal_off() -> None:
    """Leave no memory behind in a core file, and no new file open to strangers."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(UMASK)


def check_secrets(
    settings: ProcessSettings, *, environment: Mapping[str, str], arguments: Sequence[str], directory: str | None
) -> None:
    """Raises UnsafeSetting where a secret could be read by others: from the environment, arguments or an open file.

    Environment and arguments show in the process list, in dumps and in the engine's records of a container.
    """
    if settings.mode != "production":
        return
    prefix = str(settings.model_config.get("env_prefix", ""))
    given = {name.upper() for name in environment}
    for name, value in settings:
        if isinstance(value, SecretStr) and value:
            variable = f"{prefix}{name}".upper()
            if variable in given:
                raise UnsafeSetting(f"refusing to start: {variable}: belongs into a file of LIANXIN_SECRETS_DIR")
            if any(value.get_secret_value() in argument for argument in arguments):
                raise UnsafeSetting(f"refusing to start: {variable}: must not stand on the command line")
            _check_file(variable, directory)
    key = settings.certificate_key_file
    if key is not None and key.exists() and _is_exposed(key):
        raise UnsafeSetting("refusing to start: certificate_key_file: others may open it; take their rights away")


def _check_file(variable: str, directory: str | None) -> None:
    files = [Path(directory) / written for written in (variable, variable.lower())] if directory else []
    if any(file.exists() and _is_exposed(file) for file in files):
        raise UnsafeSetting(f"refusing to start: {variable}: others may open its file; take their rights away")


def _is_exposed(file: Path) -> bool:
    """Whether others may write or read it.

    A file that a container engine mounts by itself keeps the mode that it has outside, where its folder guards it.
    """
    status = file.stat()
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    is_mounted = status.st_dev != file.parent.stat().st_dev
    return bool(status.st_mode & stat.S_IROTH) and not is_mounted


def check_database(connection: Connection) -> None:
    """Raises UnsafeSetting where a commit could be lost, or rows be seen by who may not see them."""
    try:
        check_durability(connection)
    except RuntimeError as error:
        raise UnsafeSetting(str(error)) from None
    row = connection.execute(
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
               EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid AND relnamespace = 'public'::regnamespace)
          FROM pg_roles
         WHERE rolname = current_user
        """
    ).fetchone()
    faults = ("is a superuser", "may bypass row-level security", "may make roles", "may make databases", "owns tables")
    for fault, is_so in zip(faults, row or (), strict=False):
        if is_so:
            raise UnsafeSetting(f"refusing to start: database_url: its role {fault}")
    open_tables = connection.execute(
        """
        SELECT relname
          FROM pg_class
         WHERE relkind IN ('r', 'p')
           AND relnamespace = 'public'::regnamespace
           AND NOT (relrowsecurity AND relforcerowsecurity)
           AND relname <> ALL (%s)
         ORDER BY relname
        """,
        [list(NOT_BY_ROW)],
    ).fetchall()
    if open_tables:
        raise UnsafeSetting(f"refusing to start: row-level security is off on {open_tables[0][0]}")


def check_broker(url: str) -> None:
    """Raises UnsafeSetting where the broker lets anybody in by a well-known account. To be away is no fault of it."""
    import pika  # here, because commands that ask no broker start without it in half the time
    import pika.exceptions

    from shared.broker.topology import parameters

    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    for user, word in DEFAULT_ACCOUNTS:
        known = parts._replace(netloc=f"{quote(user)}:{quote(word)}@{address}", path="/%2F").geturl()
        try:
            pika.BlockingConnection(parameters(known, name="probe")).close()
        except (pika.exceptions.AMQPError, OSError):
            continue
        raise UnsafeSetting(f"refusing to start: broker_url: the broker still has its well-known account {user}")
