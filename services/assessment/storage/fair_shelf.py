"""Counted dossiers while everybody is compared: a table of one transaction, of which nothing is left after it."""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg.rows import tuple_row

from shared.database import Connection

PAGE = 100
Row = tuple[str, bytes, bytes]


def create_shelf(connection: Connection) -> None:
    """Then the session may say nothing for longer than others may: everybody is compared between two statements.

    Uncompressed, since most of it are ids.
    """
    connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
    connection.execute(
        """
        CREATE TEMPORARY TABLE fair_shelf (
            cadre    text COLLATE "C" PRIMARY KEY,
            compared bytea NOT NULL,
            kept     bytea NOT NULL
        ) ON COMMIT DROP
        """
    )
    connection.execute("ALTER TABLE fair_shelf ALTER compared SET STORAGE EXTERNAL, ALTER kept SET STORAGE EXTERNAL")


def copy_shelved(connection: Connection, rows: Sequence[Row]) -> None:
    with connection.cursor().copy("COPY fair_shelf (cadre, compared, kept) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["text", "bytea", "bytea"])
        for row in rows:
            copy.write_row(row)


def set_shelved(connection: Connection, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE fair_shelf SET compared = %s, kept = %s WHERE cadre = %s",
            [(compared, kept, cadre) for cadre, compared, kept in rows],
        )


def get_shelved(connection: Connection, cadre: str) -> tuple[bytes, bytes] | None:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute("SELECT compared, kept FROM fair_shelf WHERE cadre = %s", [cadre]).fetchone()


def iterate_shelved(connection: Connection, *, with_kept: bool) -> Iterator[Row]:
    """By cadre, a page after another; the last part is empty where it is not asked for."""
    statement: LiteralString = """
        SELECT cadre, compared, CASE WHEN %s THEN kept ELSE ''::bytea END
          FROM fair_shelf
         WHERE cadre > %s
         ORDER BY cadre
         LIMIT %s
    """
    after = ""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        while page := cursor.execute(statement, [with_kept, after, PAGE]).fetchall():
            yield from page
            after = page[-1][0]
