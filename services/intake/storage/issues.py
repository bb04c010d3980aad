"""Issues in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.commands import Channel, IssueOutcome, IssueType, Urgency
from services.intake.domain.issues import Issue, State
from services.intake.domain.repeats import Named
from services.intake.storage.names import list_names
from shared.database import Connection
from shared.errors import NotFound


class IssueNotFound(NotFound):
    code = "issue-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIssue:
    """What telling repeats apart and announcing an issue need of it."""

    id: UUID
    source: str
    source_number: str | None
    contact_id: UUID | None
    organisation_id: UUID | None
    cadre_id: UUID | None
    received_at: datetime
    respond_by: datetime | None
    content_hash: bytes
    progress_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """An issue as its readers see it, with codes in the place of ids."""

    id: UUID
    type: IssueType
    category: str
    channel: Channel
    urgency: Urgency
    title: str
    description: str | None
    received_at: datetime
    respond_by: datetime | None
    due_at: datetime | None
    contact_id: UUID | None
    organisation_code: str | None
    staff_number: str | None
    assigned_at: datetime | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: IssueOutcome | None
    reply: str | None
    status: State
    source: str
    source_number: str | None
    flags: list[str]


def insert_issues(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredIssue]:
    """Insert issues, each into the organisation given, else that of the cadre's post, else that of the contact.

    Those whose id or number is taken, that name something unknown, or that are out of reach, are left out.
    """
    with connection.cursor(row_factory=class_row(StoredIssue)) as cursor:
        return cursor.execute(
            """
            INSERT INTO issue (id, source, source_number, type, category, channel, urgency, title, description,
                               received_at, respond_by, due_at, contact_id, organisation_id, cadre_id, assigned_at,
                               responded_at, closed_at, outcome, reply, status, sequence, recorded_at, flags,
                               content_hash, progress_hash, owner_organisation_id)
            SELECT item.id, item.source, item.source_number, item.type, item.category, item.channel, item.urgency,
                   item.title, item.description, item.received_at, item.respond_by, item.due_at,
                   coalesce(contact.id, numbered.id), organisation.id, cadre.id, item.assigned_at, item.responded_at,
                   item.closed_at, item.outcome, item.reply, item.status, item.sequence, %s, item.flags,
                   item.content_hash, item.progress_hash, owner.id
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, source text, source_number text, type text, category text, channel text,
                      urgency text, title text, description text, received_at timestamptz,
                      respond_by timestamptz, due_at timestamptz, contact_id uuid, contact_source_number text,
                      organisation_code text, staff_number text, assigned_at timestamptz,
                      responded_at timestamptz, closed_at timestamptz, outcome text, reply text, status text,
                      sequence integer, flags text[], content_hash bytea, progress_hash bytea)) WITH ORDINALITY AS item
              LEFT JOIN organisation ON organisation.code = item.organisation_code
              LEFT JOIN cadre ON cadre.staff_number = item.staff_number
              LEFT JOIN contact ON contact.id = item.contact_id
              LEFT JOIN contact AS numbered
                ON numbered.source = item.source
               AND numbered.source_number = item.contact_source_number
               AND numbered.source_number IS NOT NULL
             CROSS JOIN LATERAL (
                   SELECT coalesce(organisation.id, post_organisation(cadre.id, item.received_at),
                                   contact.owner_organisation_id, numbered.owner_organisation_id) AS id) AS owner
             WHERE (item.organisation_code IS NULL OR organisation.id IS NOT NULL)
               AND (item.staff_number IS NULL OR cadre.id IS NOT NULL)
               AND (item.contact_id IS NULL OR contact.id IS NOT NULL)
               AND (item.contact_source_number IS NULL OR numbered.id IS NOT NULL)
               AND ((SELECT reaches_everything()) OR is_within_reach(owner.id))
             ORDER BY item.source_number, CASE WHEN item.source_number IS NULL THEN item.id END, item.ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, source, source_number, contact_id, organisation_id, cadre_id, received_at, respond_by,
                      content_hash, progress_hash
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_standing_issues(connection: Connection, wanted: Sequence[Named]) -> list[StoredIssue]:
    """List the issues that have the id of one of these commands, or its number of the source."""
    with connection.cursor(row_factory=class_row(StoredIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, source, source_number, contact_id, organisation_id, cadre_id, received_at, respond_by,
                   content_hash, progress_hash
              FROM issue
             WHERE id = ANY(%s)
             UNION
            SELECT issue.id, issue.source, issue.source_number, issue.contact_id, issue.organisation_id,
                   issue.cadre_id, issue.received_at, issue.respond_by, issue.content_hash, issue.progress_hash
              FROM unnest(%s::text[], %s::text[]) AS wanted (source, source_number)
              JOIN issue
                ON issue.source = wanted.source
               AND issue.source_number = wanted.source_number
               AND issue.source_number IS NOT NULL
            """,
            list_names(wanted),
        ).fetchall()


def lock_issues(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Issue]:
    """List issues and hold them until the transaction ends; in order of id, so that two batches cannot deadlock."""
    with connection.cursor(row_factory=class_row(Issue)) as cursor:
        rows = cursor.execute(
            """
            SELECT id, source, source_number, received_at, organisation_id, cadre_id, assigned_at, responded_at,
                   closed_at, outcome, reply, sequence, flags, content_hash, progress_hash
              FROM issue
             WHERE id = ANY(%s)
             ORDER BY id
               FOR UPDATE
            """,
            [list(ids)],
        )
        return {row.id: row for row in rows}


def set_progress(connection: Connection, issues: Sequence[Issue]) -> None:
    rows = [
        {
            "id": issue.id,
            "organisation_id": issue.organisation_id,
            "cadre_id": issue.cadre_id,
            "assigned_at": issue.assigned_at,
            "responded_at": issue.responded_at,
            "closed_at": issue.closed_at,
            "outcome": issue.outcome,
            "reply": issue.reply,
            "status": issue.status,
            "sequence": issue.sequence,
            "flags": issue.flags,
            "progress_hash": "\\x" + issue.progress_hash.hex(),
        }
        for issue in issues
    ]
    if not rows:
        return
    connection.execute(
        """
        UPDATE issue
           SET organisation_id = item.organisation_id, cadre_id = item.cadre_id, assigned_at = item.assigned_at,
               responded_at = item.responded_at, closed_at = item.closed_at, outcome = item.outcome,
               reply = item.reply, status = item.status, sequence = item.sequence, flags = item.flags,
               progress_hash = item.progress_hash,
               owner_organisation_id = CASE WHEN issue.organisation_id IS DISTINCT FROM item.organisation_id
                                            THEN item.organisation_id
                                            ELSE issue.owner_organisation_id END
          FROM json_to_recordset(%s::json)
            AS item (id uuid, organisation_id uuid, cadre_id uuid, assigned_at timestamptz, responded_at timestamptz,
                     closed_at timestamptz, outcome text, reply text, status text, sequence integer, flags text[],
                     progress_hash bytea)
         WHERE issue.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def get_issue(connection: Connection, issue_id: UUID) -> IssueRecord:
    """Raises IssueNotFound."""
    with connection.cursor(row_factory=class_row(IssueRecord)) as cursor:
        record = cursor.execute(
            """
            SELECT issue.id, issue.type, issue.category, issue.channel, issue.urgency, issue.title,
                   issue.description, issue.received_at, issue.respond_by, issue.due_at, issue.contact_id,
                   code_of(issue.organisation_id) AS organisation_code,
                   staff_number_of(issue.cadre_id) AS staff_number, issue.assigned_at,
                   issue.responded_at, issue.closed_at, issue.outcome, issue.reply, issue.status, issue.source,
                   issue.source_number, issue.flags
              FROM issue
             WHERE issue.id = %s
            """,
            [issue_id],
        ).fetchone()
    if record is None:
        raise IssueNotFound("there is no such issue")
    return record
