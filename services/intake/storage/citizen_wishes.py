"""Whether citizens want to be told by messages, as they said when somebody asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom an issue that is within reach is from. Without a citizen there is nobody who may be told."""

    issue_id: UUID
    citizen_ref: UUID | None


def find_addressee(connection: Connection, issue_id: UUID) -> Addressee | None:
    """None where there is no such issue, or it is out of reach."""
    with connection.cursor(row_factory=class_row(Addressee)) as cursor:
        return cursor.execute(
            """
            SELECT issue.id AS issue_id, citizen.ref AS citizen_ref
              FROM issue
              LEFT JOIN citizen ON citizen.ref = issue.citizen_ref AND citizen.state = 'active'
             WHERE issue.id = %s
            """,
            [issue_id],
        ).fetchone()


def find_wish(connection: Connection, citizen_ref: UUID) -> bool | None:
    row = connection.execute("SELECT wants_messages FROM citizen_wish WHERE citizen_ref = %s", [citizen_ref]).fetchone()
    return None if row is None else bool(row[0])


def set_wish(
    connection: Connection, citizen_ref: UUID, *, wants_messages: bool, by: UUID | None, now: datetime
) -> bool:
    """Return whether that is news."""
    return (
        connection.execute(
            """
            INSERT INTO citizen_wish AS known (citizen_ref, wants_messages, set_at, set_by)
            VALUES (%s, %s, %s, %s)
                ON CONFLICT (citizen_ref) DO UPDATE
               SET wants_messages = excluded.wants_messages, set_at = excluded.set_at, set_by = excluded.set_by
             WHERE known.wants_messages <> excluded.wants_messages
            """,
            [citizen_ref, wants_messages, now, by],
        ).rowcount
        == 1
    )
