"""One pool, one way to hold a transaction and to say what may be touched in it, and forward-only migrations."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from shared.errors import Transient
from shared.observability import get_logger
from shared.reach import Reach, current

Connection = psycopg.Connection[tuple[object, ...]]
Pool = ConnectionPool[psycopg.Connection[tuple[object, ...]]]
MIGRATION_LOCK = 0x4C69616E  # one migration at a time in a database
# What psycopg does not count as operational: the server became a standby, or ended a session that said nothing.
RETRYABLE_STATES = frozenset({"25006", "25P03", "25P04"})

log = get_logger()


class DatabaseAway(Transient):
    """The database cannot be reached or gave up; nothing was committed, or whether it was is unknown."""

    code = "database-unavailable"


class Deadlocked(DatabaseAway):
    """Two transactions waited for each other, and this one was ended; at once it may succeed."""

    code = "database-deadlock"


def connection_options(*, application: str, statement_timeout_seconds: float, system: bool = False) -> dict[str, Any]:
    """`system` is for what acts for nobody: row-level security lets its connections reach every row."""
    settings = {
        "statement_timeout": f"{int(statement_timeout_seconds * 1000)}ms",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        **({"lianxin.reach": "system"} if system else {}),
    }
    return {
        "connect_timeout": 5,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 30,
        "application_name": application,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


def open_pool(
    url: str, *, size: int, application: str, statement_timeout_seconds: float = 5, system: bool = False
) -> Pool:
    """Open without waiting for the server: a service starts while its database is away, and says so in /readyz.

    Transactions of a `system` pool reach every row; those of another one reach what their request may touch.
    """

    def check(connection: Connection) -> None:
        """Where one session is dead the others are too, most likely: looking at each would take a request's time."""
        try:
            _check_alive(connection)
        except psycopg.OperationalError:
            pool.drain()
            raise

    pool: Pool = ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        max_waiting=size * 50,
        timeout=5,
        max_idle=300,
        reconnect_timeout=0,
        # Autocommit, because transaction() begins by itself: with what may be touched in the same round trip.
        kwargs={
            "autocommit": True,
            **connection_options(
                application=application, statement_timeout_seconds=statement_timeout_seconds, system=system
            ),
        },
        check=check,
        name=application,
        open=False,
    )
    pool.open()
    return pool


def connect_beside(pool: Pool) -> Connection:
    """A connection as the pool makes them, for who keeps it. Raises OperationalError."""
    options = pool.kwargs() if callable(pool.kwargs) else pool.kwargs
    conninfo = pool.conninfo() if callable(pool.conninfo) else pool.conninfo
    return psycopg.connect(conninfo or "", **(options or {}))


def _check_alive(connection: Connection) -> None:
    """Raises OperationalError for a connection that the server has closed.

    An idle connection on which nothing has arrived is sound; asking the server every time would cost three round trips.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


@contextmanager
def transaction(pool: Pool, *, reach: Reach | None = None) -> Iterator[Connection]:
    """Commit at exit, roll back on any exception. Raises DatabaseAway where trying again later makes sense.

    Without a reach, given or entered by the request, only a system pool's transaction sees any row.
    """
    with telling_transients(), pool.connection() as connection:
        if isinstance(pool, _Joined):
            with connection.transaction():
                if reach is not None:
                    set_reach(connection, reach)
                yield connection
        else:
            # One round trip for both; the pool commits or rolls back what is open when it takes back its own.
            connection.execute(_beginning(reach or current()), prepare=False)
            yield connection


@contextmanager
def telling_transients() -> Iterator[None]:
    """Around whatever speaks to the database. Raises DatabaseAway where trying again later makes sense."""
    try:
        yield
    except (PoolTimeout, TooManyRequests):
        raise DatabaseAway("no database connection is free or the database is away") from None
    except psycopg.errors.DeadlockDetected as error:
        raise Deadlocked("the database gave up: 40P01") from error
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"the database gave up: {error.sqlstate or 'connection lost'}") from error
    except psycopg.InternalError as error:
        if error.sqlstate not in RETRYABLE_STATES:
            raise
        raise DatabaseAway(f"the database gave up: {error.sqlstate}") from error


def set_reach(connection: Connection, reach: Reach) -> None:
    """Let the rest of the open transaction touch what this reach allows, and nothing else."""
    connection.execute(_setting_of(reach))


@lru_cache(maxsize=4_096)
def _beginning(reach: Reach | None) -> bytes:
    """What is empty is left out: in a new transaction nobody has set it."""
    given = {} if reach is None else settings_of(reach)
    settings = (
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier("lianxin", name), sql.Literal(value))
        for name, value in given.items()
        if value
    )
    return sql.SQL("; ").join([sql.SQL("BEGIN"), *settings]).as_bytes()


@lru_cache(maxsize=4_096)
def _setting_of(reach: Reach) -> bytes:
    """All of them: what an earlier caller of the same transaction had must not stay."""
    calls = (
        sql.SQL("set_config({}, {}, true)").format(sql.Literal(f"lianxin.{name}"), sql.Literal(value))
        for name, value in settings_of(reach).items()
    )
    return (sql.SQL("SELECT ") + sql.SQL(", ").join(calls)).as_bytes()


def settings_of(reach: Reach) -> dict[str, str]:
    """What row security reads, by name and in a fixed order; empty where the reach has none."""
    return {
        "reach": reach.kind,
        "organisations": _array(reach.organisation_codes),
        "staff_number": reach.staff_number or "",
        "actor_staff_number": reach.actor_staff_number or "",
        "actor_organisations": _array(reach.actor_organisation_codes),
        "account": str(reach.account_id or ""),
        "person": reach.person_id or "",
    }


def _array(codes: tuple[str, ...]) -> str:
    return "{" + ",".join(f'"{_escaped(code)}"' for code in codes) + "}" if codes else ""


def _escaped(code: str) -> str:
    return code.replace("\\", "\\\\").replace('"', '\\"')


class _Joined:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def max_size(self) -> int:
        return 1

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        yield self._connection


def joined(connection: Connection) -> Pool:
    """A pool of this one connection: what is a transaction elsewhere becomes a savepoint of the open one."""
    return cast("Pool", _Joined(connection))


def check_durability(connection: Connection) -> None:
    """Raises RuntimeError where a commit would not survive a crash of the server."""
    row = connection.execute(
        """
        SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')
        """
    ).fetchone()
    if row is None or row[0] != "on" or row[1] != "on" or row[2] == "off":
        raise RuntimeError("refusing to start: PostgreSQL runs with fsync, full_page_writes or synchronous_commit off")


def migrate(owner_url: str, directory: Path) -> list[str]:
    """Apply the numbered files that this database has not seen, each once and in order; return their names."""
    with psycopg.connect(owner_url, autocommit=True, **_migration_options()) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        connection.execute(
            """
            CREATE TABLE IF NOT EXISTS migration (
                name       text        PRIMARY KEY,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        _keep_to_owner(connection)
        seen = {str(row[0]) for row in connection.execute("SELECT name FROM migration")}
        applied = []
        for file in sorted(directory.glob("[0-9]*.sql")):
            if file.name in seen:
                continue
            with connection.transaction():
                connection.execute(sql.SQL(file.read_text("utf-8")))
                connection.execute("INSERT INTO migration (name) VALUES (%s)", [file.name])
            applied.append(file.name)
            log.info("migration_applied", name=file.name)
        return applied


def _keep_to_owner(connection: Connection) -> None:
    """The rights of every new table went to the running service, which could call a file applied that was not."""
    grantees = connection.execute(
        """
        SELECT DISTINCT coalesce(pg_roles.rolname, 'public')
          FROM pg_class, aclexplode(relacl) AS granted
               LEFT JOIN pg_roles ON pg_roles.oid = granted.grantee
         WHERE pg_class.oid = 'migration'::regclass
           AND granted.grantee <> relowner
           AND granted.privilege_type <> 'SELECT' -- who only reads may be a backup
        """
    ).fetchall()
    for (name,) in grantees:
        role = sql.SQL("PUBLIC") if name == "public" else sql.Identifier(str(name))
        connection.execute(sql.SQL("REVOKE ALL ON migration FROM {}").format(role))


def _migration_options() -> dict[str, Any]:
    options = connection_options(application="migrate", statement_timeout_seconds=600, system=True)
    options["options"] = str(options["options"]).replace("lock_timeout=5s", "lock_timeout=30s")
    return options
