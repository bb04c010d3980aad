"""A database of a service for a measurement, on a server of its own: filled for one run, or kept and copied for each.

What is kept is a database that nobody measures in. Each run gets a copy of its files with the migrations that have come
since, so that runs of two releases begin with the same rows.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from typing_extensions import override

from embedded.postgres import PrivatePostgres
from shared.database import migrate
from tests.harness.suite import ROOT
from tests.stock import Database, Stock

PASSWORD = "kept-by-the-bench-4711"  # noqa: S105 - of a server for loopback alone
COPY = "measured"
LARGE: Final = {"shared_buffers": "2GB", "effective_cache_size": "6GB", "max_wal_size": "8GB"}
# Filled row by row, these would be built in random order and written many times over.
SLOW_INDEXES = """
    SELECT indexname, indexdef
      FROM pg_indexes
      JOIN pg_class ON relname = indexname AND relnamespace = schemaname::regnamespace
      JOIN pg_index ON indexrelid = pg_class.oid
     WHERE tablename = ANY(%s)
       AND NOT indisunique
"""


FACTS: Final = ("issue_fact", "contact_fact", "rating_fact")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is, for the service, for its owner and for a superuser, and the process of its server."""

    url: str
    owner_url: str
    admin_url: str
    server: int


class LargePostgres(PrivatePostgres):
    """Set as docs/operations.md wants it at ten million records."""

    @override
    def prepare(self) -> None:
        super().prepare()
        with (self.data_folder / "lianxin.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in LARGE.items())


Fill = Callable[[Place], None]


@contextmanager
def filled(
    fill: Fill, *, name: str, kept: Path | None, is_large: bool = False, service: str = "assessment"
) -> Iterator[Place]:
    """Filled by `fill`, unless a database of this name is kept there already."""
    kind = LargePostgres if is_large else PrivatePostgres
    if kept is not None:
        with _running(kind(kept / "postgres", password=PASSWORD)) as server:
            yield _copy(server, fill, service, name)
        return
    with tempfile.TemporaryDirectory(prefix="lianxin-bench-") as folder:
        server = kind(Path(folder) / "postgres")
        try:
            with _running(server):
                place = _place(server, Stock(server.admin_url).take(service))
                fill(place)
                yield place
        finally:
            server.remove()


@contextmanager
def without_slow_indexes(owner_url: str, tables: Sequence[str] = FACTS) -> Iterator[None]:
    """Made again at the end, all rows at once."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        indexes = owner.execute(SLOW_INDEXES, [list(tables)]).fetchall()
        for index, _ in indexes:
            owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
        yield
        owner.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            owner.execute(str(definition).encode())
        owner.execute("VACUUM ANALYZE")


@contextmanager
def _running(server: PrivatePostgres) -> Iterator[PrivatePostgres]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _place(server: PrivatePostgres, database: Database) -> Place:
    admin_url = psycopg.conninfo.make_conninfo(server.admin_url, dbname=database.name)
    return Place(database.url, database.owner_url, admin_url, server.pid or 0)


def _copy(server: PrivatePostgres, fill: Fill, service: str, name: str) -> Place:
    stock = Stock(server.admin_url)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            database = stock.take(service)
            fill(_place(server, database))
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(database.name), sql.Identifier(name))
            )
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(COPY)))
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(COPY), sql.Identifier(name), sql.Identifier(f"test_{service}_owner")
            )
        )
    copy = stock.of(service, COPY)
    migrate(copy.owner_url, ROOT / "services" / service / "migrations")
    return _place(server, copy)
