"""How every command of a service starts: its settings, its pool, and what it sees to before it works.

It knows none of the doors, so that a command that opens none of them starts in a fraction of the time.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from shared import crash
from shared.crypto import KeyRing
from shared.database import Pool, open_pool, transaction
from shared.errors import LianxinError, Transient
from shared.observability import configure_logging, get_logger
from shared.settings import ProcessSettings, ServiceSettings, Settings, UnsafeSetting, load
from shared.startup import check_broker, check_database, check_secrets, seal_off

Command = Callable[[Settings, Pool, Sequence[str]], int]

STATEMENT_SECONDS = {"serve": 5, "relay": 5, "consume": 30}
LONGEST_STATEMENT_SECONDS = 60
REFUSED = 2

log = get_logger()


def run(service: str, kind: type[Settings], commands: Mapping[str, Command[Settings]], arguments: Sequence[str]) -> int:
    """Run one command with the settings, a pool on the service's database and the arguments behind its name."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}")
    parser.add_argument("command", choices=list(commands))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command itself takes")
    options = parser.parse_args(arguments)
    seal_off()
    try:
        secrets_directory = os.environ.get("LIANXIN_SECRETS_DIR")
        settings = load(kind, secrets_directory=secrets_directory)
        check_secrets(settings, environment=os.environ, arguments=sys.argv, directory=secrets_directory)
        configure_logging(service=service, process=options.command, level=settings.log_level)
        crash.arm(settings.crash_points, mode=settings.mode)
        pool = open_pool(
            settings.database_url.get_secret_value(),
            size=settings.pool_size,
            application=f"{service}.{options.command}",
            statement_timeout_seconds=STATEMENT_SECONDS.get(options.command, LONGEST_STATEMENT_SECONDS),
            system=options.command != "serve",  # everything else acts for nobody in particular
        )
        try:
            if settings.mode == "production" and options.command != "migrate":
                _check_ground(settings, pool)
            return commands[options.command](settings, pool, options.arguments)
        finally:
            pool.close()
    except (UnsafeSetting, LianxinError) as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED


def _check_ground(settings: ProcessSettings, pool: Pool) -> None:
    """Raises UnsafeSetting. What is away now is looked at again by every question whether the process is ready."""
    if settings.allow_plaintext_links:
        log.warning("plaintext_links_allowed", detail="whoever listens to the network reads and changes what is sent")
    if isinstance(settings, ServiceSettings):
        check_broker(settings.broker_url.get_secret_value())
    try:
        with transaction(pool) as connection:
            check_database(connection)
    except Transient as error:
        log.warning("database_unchecked", code=error.code)


def open_keys(settings: ProcessSettings, *symmetric: str, signing: Sequence[str] = ()) -> KeyRing:
    """Raises UnsafeSetting without a key for each purpose: what nobody can believe is never sent, read or signed."""
    directory = settings.keys_directory
    if directory is None:
        raise UnsafeSetting("refusing to start: keys_directory: is needed by this command")
    keys = KeyRing(directory, cipher=settings.cipher, private=settings.mode == "production")
    keys.require(symmetric=symmetric, signing=signing)
    return keys
