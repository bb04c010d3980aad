"""Complaints about an official: who may not handle them, and entering one that its clerk may not see afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection


@contextmanager
def entering(connection: Connection, *, complaints: bool) -> Iterator[None]:
    """Let the statements within return rows that are hidden from whoever enters them."""
    if not complaints:
        yield
        return
    connection.execute("SELECT set_config('lianxin.entering', 'on', true)")
    yield
    connection.execute("SELECT set_config('lianxin.entering', '', true)")


def list_misdirected(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the positions of those that would go to their subject, or to where the subject serves or served."""
    found = connection.execute(
        """
        SELECT item.position
          FROM json_to_recordset(%s::json)
            AS item (position integer, subject text, staff_number text, organisation_code text,
                     received_at timestamptz)
          LEFT JOIN organisation ON organisation.code = item.organisation_code
         WHERE item.staff_number = item.subject
            OR is_in_line_of(official_of(item.subject), item.received_at, organisation.id)
            OR is_in_line_of(official_of(item.subject), item.received_at,
                             post_organisation(official_of(item.staff_number), item.received_at))
        """,
        [orjson.dumps(rows).decode()],
    )
    return {int(str(row[0])) for row in found}


def is_misdirected(
    connection: Connection, *, subject_id: UUID, received_at: datetime, organisation_id: UUID, cadre_id: UUID | None
) -> bool:
    row = connection.execute(
        """
        SELECT %(subject)s = %(cadre)s::uuid
            OR is_in_line_of(%(subject)s, %(at)s, %(organisation)s)
            OR is_in_line_of(%(subject)s, %(at)s, post_organisation(%(cadre)s::uuid, %(at)s))
        """,
        {"subject": subject_id, "cadre": cadre_id, "at": received_at, "organisation": organisation_id},
    ).fetchone()
    return row is not None and bool(row[0])


def is_official(connection: Connection, staff_number: str) -> bool:
    """Whether there is a cadre of that number, within reach or not."""
    row = connection.execute("SELECT official_of(%s) IS NOT NULL", [staff_number]).fetchone()
    return row is not None and bool(row[0])
