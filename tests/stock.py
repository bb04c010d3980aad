"""Migrated databases for the tests, emptied and handed out again: that takes a tenth of the time of making one.

So are pools on them: what a new session has to learn of a database takes it longer than most tests take.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg
from psycopg import sql

from deploy.provision import FUTURE_RIGHTS
from services.identity.storage.rights import grant_doors
from shared.database import Connection, Pool, migrate, open_pool

ROOT = Path(__file__).parents[1]
PASSWORDS = {role: f"{role}-of-the-tests-4711" for role in ("owner", "runtime", "reader")}
STANDING = "standing"  # a pool that is handed out again
MOST_SESSIONS = 2  # of such a pool
# Who asks a pool before its first connection is there makes it open a second one, and by turns both have to learn all
# that the first alone would know by then.
READY_SECONDS = 60
READER = "test_identity_reader"  # who may ask the identity database who somebody is
# More than a template has, in tables and indexes: beyond that a new database is cheaper than one full of dead rows.
MOST_BYTES = 4 * 1024 * 1024

# Whatever a migration can make, with its rights: a test that changed any of it takes its database along. Each change of
# such a row gives it another xmin; only those of pg_class and pg_database change for lesser reasons. It is asked for
# after each test: in no order, because to sort the lines takes as long as to read them.
FINGERPRINT = """
    WITH line AS (
         SELECT row(oid, relname, relowner, relrowsecurity, relforcerowsecurity, relacl, reloptions)::text AS text
           FROM pg_class
          WHERE oid >= 16384 AND relkind IN ('r', 'v', 'i', 'S')
          UNION ALL
         SELECT row(attrelid, attnum, xmin)::text FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_proc WHERE oid >= 16384
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_policy
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_trigger
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_constraint WHERE oid >= 16384
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_attrdef
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_type WHERE oid >= 16384
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_namespace
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_extension
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_event_trigger
          UNION ALL
         SELECT row(oid, xmin)::text FROM pg_default_acl
          UNION ALL
         SELECT row(setrole, setconfig)::text
           FROM pg_db_role_setting
           JOIN pg_database ON pg_database.oid = setdatabase AND datname = current_database()
          UNION ALL
         SELECT row(datacl, datdba, datallowconn, datconnlimit)::text
           FROM pg_database
          WHERE datname = current_database())
  SELECT count(*) || ' ' || sum(hashtextextended(text, 0)) FROM line
"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1"
# Most tables are as empty as the migrations left them: to empty those too would take longer than all else here.
SIZES = """
    SELECT relname, relkind = 'r', pg_relation_size(oid)
      FROM pg_class
     WHERE relkind IN ('r', 'i')
       AND oid >= 16384
"""
ENDING = """
    SELECT pg_terminate_backend(pid, 10000)
      FROM pg_stat_activity
     WHERE datname = current_database()
       AND pid <> pg_backend_pid()
       AND NOT (application_name = %s AND state = 'idle')
"""
SEQUENCES = "SELECT sequencename, start_value, last_value FROM pg_sequences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A migrated database of one service: as its runtime role, as its owner, and as one that asks identity."""

    name: str
    url: str
    owner_url: str
    reader_url: str


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """What is known of one service's template, and the databases that wait for the next test."""

    template: str
    fingerprint: str
    size_bytes: int
    rewinding: sql.Composed
    seeds: dict[str, bytes]
    clean: list[str] = field(default_factory=list)
    sweepers: dict[str, Connection] = field(default_factory=dict)
    made: int = 0

    def forget(self, name: str) -> None:
        if name in self.sweepers:
            self.sweepers.pop(name).close()


class Stock:
    """One for a worker, beside those of the others. `admin_url` is a superuser's."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._shelves: dict[str, _Shelf] = {}
        self._pools: dict[tuple[str, bool], Pool] = {}

    def take(self, service: str) -> Database:
        """A database as the migrations leave it, with the rights of an installation."""
        shelf = self._shelf(service)
        return self.of(service, shelf.clean.pop() if shelf.clean else self._make(service, shelf))

    def of(self, service: str, name: str) -> Database:
        return Database(
            name=name,
            url=self._url(f"test_{service}", "runtime", name),
            owner_url=self._url(f"test_{service}_owner", "owner", name),
            reader_url=self._url(READER, "reader", name),
        )

    def pool(self, url: str, *, system: bool = False) -> Pool:
        """On a database that was taken, by one of its URLs. It stays open, with what its sessions know by then."""
        pool = self._pools.get((url, system))
        if pool is None or pool.closed:
            pool = open_pool(url, size=8, application=STANDING, statement_timeout_seconds=30, system=system)
            self._pools[url, system] = pool
            pool.wait(READY_SECONDS)
        return pool

    def give_back(self, service: str, name: str) -> None:
        """Whoever still holds a session in it is put out, but for a standing pool that was asked for little."""
        self._close_pools(name, lambda pool: not _is_spare(pool))
        shelf = self._shelves[service]
        if self._sweep(shelf, name):
            shelf.clean.append(name)
        else:
            shelf.forget(name)
            self._drop(name)

    @contextmanager
    def older(self, service: str, *, before: str) -> Iterator[Database]:
        """A database as an earlier release left it: with the migrations before this number alone."""
        name = f"test_{service}_{os.getpid()}_before_{before}"
        with TemporaryDirectory() as folder:
            for file in (ROOT / "services" / service / "migrations").glob("[0-9]*.sql"):
                if file.name < before:
                    shutil.copy(file, folder)
            self._migrate(service, name, Path(folder))
        try:
            yield self.of(service, name)
        finally:
            self._drop(name)

    def clear(self) -> None:
        for shelf in self._shelves.values():
            for name in (*shelf.clean, shelf.template):
                shelf.forget(name)
                self._drop(name)

    def _shelf(self, service: str) -> _Shelf:
        if service not in self._shelves:
            self._shelves[service] = self._stock_up(service)
        return self._shelves[service]

    def _stock_up(self, service: str) -> _Shelf:
        name = f"test_{service}_{os.getpid()}_template"
        self._migrate(service, name, ROOT / "services" / service / "migrations")
        with psycopg.connect(self._admin_in(name)) as connection:
            tables = [str(row[0]) for row in connection.execute(TABLES)]
            seeds = {table: _copy_out(connection, table) for table in tables}
            rewinding = [
                sql.SQL("SELECT setval({}::regclass, {}, {})").format(name, last or start, last is not None)
                for name, start, last in connection.execute(SEQUENCES)
            ]
            found = connection.execute(FINGERPRINT).fetchone()
            size_bytes = sum(int(str(size)) for _, _, size in connection.execute(SIZES))
        assert found is not None
        return _Shelf(
            template=name,
            fingerprint=str(found[0]),
            size_bytes=size_bytes,
            rewinding=sql.SQL("; ").join(rewinding),
            seeds={table: rows for table, rows in seeds.items() if rows},
        )

    def _make(self, service: str, shelf: _Shelf) -> str:
        name = f"test_{service}_{os.getpid()}_{shelf.made}"
        shelf.made += 1
        self._drop(name)
        # By copying files: writing every page of them into the log takes twice as long.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY")
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(
                statement.format(
                    sql.Identifier(name), sql.Identifier(shelf.template), sql.Identifier(f"test_{service}_owner")
                )
            )
        return name

    def _sweep(self, shelf: _Shelf, name: str) -> bool:
        """Through a session that stays: a new one would first read all there is to know of every table."""
        try:
            if name in shelf.sweepers:
                return _empty(shelf.sweepers[name], shelf)
        except psycopg.OperationalError:  # a test may end every session there is
            shelf.forget(name)
        shelf.sweepers[name] = psycopg.connect(self._admin_in(name), autocommit=True)
        return _empty(shelf.sweepers[name], shelf)

    def _migrate(self, service: str, name: str, migrations: Path) -> None:
        owner, runtime = f"test_{service}_owner", f"test_{service}"
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            # Another worker may be about to make the same ones.
            admin.execute("SELECT pg_advisory_lock(hashtext('roles of the tests'))")
            for role, kind in ((owner, "owner"), (runtime, "runtime"), (READER, "reader")):
                if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                    password = sql.Literal(PASSWORDS[kind])
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password))
            admin.execute("SELECT pg_advisory_unlock_all()")
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
        owner_url = self._url(owner, "owner", name)
        with psycopg.connect(owner_url, autocommit=True) as connection:
            for statement in FUTURE_RIGHTS:
                connection.execute(sql.SQL(statement).format(sql.Identifier(runtime)))
        migrate(owner_url, migrations)
        if service == "identity":
            grant_doors(owner_url, roles=[READER])

    def _drop(self, name: str) -> None:
        self._close_pools(name, lambda _: True)
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _close_pools(self, name: str, which: Callable[[Pool], bool]) -> None:
        for (url, system), pool in list(self._pools.items()):
            if url.endswith(f"/{name}") and which(pool):
                del self._pools[url, system]
                pool.close()

    def _url(self, role: str, kind: str, database: str) -> str:
        information = psycopg.conninfo.conninfo_to_dict(self._admin_url)
        return f"postgresql://{role}:{PASSWORDS[kind]}@{information['host']}:{information['port']}/{database}"

    def _admin_in(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(self._admin_url, dbname=database)


def _is_spare(pool: Pool) -> bool:
    """Whether its few sessions are all there, and wait."""
    found = pool.get_stats()
    sessions = found["pool_size"]
    return sessions == found["pool_available"] <= MOST_SESSIONS and "connections_lost" not in found


def _copying(table: str, where: LiteralString) -> sql.Composed:
    return sql.SQL("COPY {} " + where).format(sql.Identifier(table))


def _copy_out(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(_copying(table, "TO STDOUT")) as copy:
        return b"".join(bytes(part) for part in copy)


def _empty(connection: Connection, shelf: _Shelf) -> bool:
    """Bring its rows back to the template's. False where the test changed more than rows, or left too many."""
    connection.execute(ENDING, [STANDING])
    with connection.transaction():
        found = connection.execute(FINGERPRINT).fetchone()
        if found is None or str(found[0]) != shelf.fingerprint:
            return False
        sizes = [(str(name), bool(is_table), int(str(size))) for name, is_table, size in connection.execute(SIZES)]
        if sum(size for _, _, size in sizes) - shelf.size_bytes > MOST_BYTES:
            return False
        used = [name for name, is_table, size in sizes if is_table and size]
        deleting = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in used]
        connection.execute("SET LOCAL session_replication_role = 'replica'")  # no trigger, no foreign key
        connection.execute(sql.SQL("; ").join([*deleting, shelf.rewinding]))
        for table, rows in shelf.seeds.items():
            with connection.cursor() as cursor, cursor.copy(_copying(table, "FROM STDIN")) as copy:
                copy.write(rows)
    return True
