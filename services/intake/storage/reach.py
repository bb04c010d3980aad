"""What rules need to know of rows that the acting person may not see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.issues import ReceiveIssue
from shared.database import Connection

RecordKind = Literal["contact", "issue", "rating"]


def is_id_taken(connection: Connection, kind: RecordKind, record_id: UUID) -> bool:
    row = connection.execute("SELECT is_id_taken(%s, %s)", [kind, record_id]).fetchone()
    return row is not None and bool(row[0])


def is_number_taken(connection: Connection, kind: RecordKind, source: str, number: str | None) -> bool:
    """Whether a record stands under the source's number, within reach or not."""
    row = connection.execute("SELECT is_number_taken(%s, %s, %s)", [kind, source, number]).fetchone()
    return row is not None and bool(row[0])


def find_reached_organisation_ids(connection: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    """Find organisations within reach; those above can be seen too, but nothing may be put into them."""
    rows = connection.execute(
        "SELECT code, id FROM organisation WHERE code = ANY(%s) AND is_within_reach(id)", [list(codes)]
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def may_enter_issue(connection: Connection, command: ReceiveIssue, *, received_at: datetime) -> bool:
    """Whether the organisation that `insert_issues` would put the issue into is within reach."""
    row = connection.execute(
        """
        SELECT is_within_reach(coalesce(
                   (SELECT id FROM organisation WHERE code = %(organisation)s),
                   (SELECT post_organisation(id, %(at)s) FROM cadre WHERE staff_number = %(staff_number)s),
                   (SELECT owner_organisation_id FROM contact WHERE id = %(contact)s),
                   (SELECT owner_organisation_id
                      FROM contact
                     WHERE source = %(source)s AND source_number = %(number)s)))
        """,
        {
            "organisation": command.organisation_code,
            "staff_number": command.staff_number,
            "at": received_at,
            "contact": command.contact_id,
            "source": command.source,
            "number": command.contact_source_number,
        },
    ).fetchone()
    return row is not None and bool(row[0])
