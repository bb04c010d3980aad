"""Issues in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.commands.issues import Channel, IssueOutcome, IssueType, ReplyMeans, Urgency
from services.intake.domain.issues.life import Effect, State
from services.intake.domain.repeats import Named
from services.intake.storage.citizens import with_citizen
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
    citizen_ref: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedIssue:
    """An issue as it stands, with codes in the place of ids and what is sealed still sealed."""

    id: UUID
    type: IssueType
    category: str
    channel: Channel
    urgency: Urgency
    title: str | None = field(repr=False)
    description: str | None = field(repr=False)
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
    reply: str | None = field(repr=False)
    title_sealed: bytes | None
    description_sealed: bytes | None
    reply_sealed: bytes | None
    citizen_ref: UUID | None
    is_told_apart: bool
    citizen_name: bytes | None
    citizen_phone: bytes | None
    citizen_key: bytes | None
    subject_staff_number: str | None
    first_organisation_code: str | None
    first_staff_number: str | None
    signed_at: datetime | None
    started_at: datetime | None
    paused_at: datetime | None
    replied_at: datetime | None
    reply_means: ReplyMeans | None
    reopened_at: datetime | None
    redo_count: int
    merged_into: UUID | None
    assisting: list[str]
    problem_code: str | None
    excluded: Effect | None
    escalation_level: int
    updated_at: datetime
    status: State
    source: str
    source_number: str | None
    flags: list[str]
    version: int


def insert_issues(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredIssue]:
    """Insert issues, each into the organisation given, else that of the cadre's post, else that of the contact; and the
    steps of their life that they came with, in the same statement.

    Those whose id or number is taken, that name something unknown, or that are out of reach, are left out.
    """
    with connection.cursor(row_factory=class_row(StoredIssue)) as cursor:
        return cursor.execute(
            """
            WITH made AS (
            INSERT INTO issue (id, source, source_number, type, category, channel, urgency, title_sealed,
                               description_sealed, received_at, respond_by, due_at, contact_id, organisation_id,
                               cadre_id, assigned_at, responded_at, closed_at, outcome, reply_sealed, citizen_ref,
                               subject_id, status, sequence, recorded_at, updated_at, flags, content_hash,
                               progress_hash, owner_organisation_id, first_organisation_id, first_cadre_id, replied_at,
                               told_respond_by, told_due_at, told_return_count, told_redo_count, alarm_at)
            SELECT item.id, item.source, item.source_number, item.type, item.category, item.channel, item.urgency,
                   item.title_sealed, item.description_sealed, item.received_at, item.respond_by, item.due_at,
                   coalesce(contact.id, numbered.id), organisation.id, cadre.id, item.assigned_at, item.responded_at,
                   item.closed_at, item.outcome, item.reply_sealed, item.citizen_ref, subject.id, item.status,
                   item.sequence, %(recorded_at)s, %(recorded_at)s, item.flags, item.content_hash,
                   item.progress_hash, owner.id, organisation.id,
                   CASE WHEN organisation.id IS NOT NULL THEN cadre.id END,
                   CASE WHEN item.reply_sealed IS NOT NULL THEN item.closed_at END,
                   item.told_respond_by, item.due_at, item.return_count, item.redo_count,
                   CASE WHEN item.closed_at IS NULL AND num_nonnulls(item.respond_by, item.due_at) > 0
                        THEN %(recorded_at)s::timestamptz END
              FROM ROWS FROM (json_to_recordset(%(rows)s::json)
                  AS (id uuid, source text, source_number text, type text, category text, channel text,
                      urgency text, title_sealed bytea, description_sealed bytea, received_at timestamptz,
                      respond_by timestamptz, told_respond_by timestamptz,
                      due_at timestamptz, contact_id uuid, contact_source_number text,
                      organisation_code text, dispatch_code text, staff_number text, assigned_at timestamptz,
                      return_count integer, redo_count integer,
                      responded_at timestamptz, closed_at timestamptz, outcome text, reply_sealed bytea,
                      citizen_ref uuid, subject_staff_number text, status text, sequence integer, flags text[],
                      content_hash bytea, progress_hash bytea)) WITH ORDINALITY AS item
              LEFT JOIN organisation ON organisation.code = item.organisation_code
              LEFT JOIN organisation AS dispatched ON dispatched.code = item.dispatch_code
              LEFT JOIN cadre ON cadre.staff_number = item.staff_number
              CROSS JOIN LATERAL (SELECT official_of(item.subject_staff_number) AS id) AS subject
              LEFT JOIN contact ON contact.id = item.contact_id
              LEFT JOIN contact AS numbered
                ON numbered.source = item.source
               AND numbered.source_number = item.contact_source_number
               AND numbered.source_number IS NOT NULL
             CROSS JOIN LATERAL (
                   SELECT coalesce(organisation.id, dispatched.id, post_organisation(cadre.id, item.received_at),
                                   contact.owner_organisation_id, numbered.owner_organisation_id) AS id) AS owner
             WHERE (item.organisation_code IS NULL OR organisation.id IS NOT NULL)
               AND (item.dispatch_code IS NULL OR dispatched.id IS NOT NULL)
               AND (item.staff_number IS NULL OR cadre.id IS NOT NULL)
               AND (item.subject_staff_number IS NULL OR subject.id IS NOT NULL)
               AND (item.contact_id IS NULL OR contact.id IS NOT NULL)
               AND (item.contact_source_number IS NULL OR numbered.id IS NOT NULL)
               AND ((SELECT reaches_everything()) OR is_within_reach(owner.id))
             ORDER BY item.source_number, CASE WHEN item.source_number IS NULL THEN item.id END, item.ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, source, source_number, contact_id, organisation_id, cadre_id, received_at, respond_by,
                      content_hash, progress_hash, citizen_ref, responded_at, closed_at, outcome, reply_sealed,
                      urgency),
            logged AS (
            INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, details, reply_sealed)
            SELECT id, sequence, kind, happened_at, %(recorded_at)s,
                   nullif(current_setting('lianxin.account', true), '')::uuid, jsonb_strip_nulls(details),
                   step.reply_sealed
              FROM made
             CROSS JOIN LATERAL (
                   SELECT 1 AS sequence, 'received' AS kind, received_at AS happened_at, NULL::bytea AS reply_sealed,
                          jsonb_build_object('organisation_id', organisation_id, 'cadre_id', cadre_id,
                                             'urgency', urgency) AS details
                    UNION ALL
                   SELECT 2, 'contacted', responded_at, NULL, '{}'
                    WHERE responded_at IS NOT NULL
                    UNION ALL
                   SELECT 2 + (responded_at IS NOT NULL)::integer, 'closed', closed_at, made.reply_sealed,
                          jsonb_build_object('outcome', outcome)
                    WHERE closed_at IS NOT NULL) AS step)
            SELECT id, source, source_number, contact_id, organisation_id, cadre_id, received_at, respond_by,
                   content_hash, progress_hash, citizen_ref
              FROM made
            """,
            {"recorded_at": recorded_at, "rows": orjson.dumps(rows).decode()},
        ).fetchall()


def list_standing_issues(connection: Connection, wanted: Sequence[Named]) -> list[StoredIssue]:
    """List the issues that have the id of one of these commands, or its number of the source."""
    with connection.cursor(row_factory=class_row(StoredIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, source, source_number, contact_id, organisation_id, cadre_id, received_at, respond_by,
                   content_hash, progress_hash, citizen_ref
              FROM issue
             WHERE id = ANY(%s)
             UNION
            SELECT issue.id, issue.source, issue.source_number, issue.contact_id, issue.organisation_id,
                   issue.cadre_id, issue.received_at, issue.respond_by, issue.content_hash, issue.progress_hash,
                   issue.citizen_ref
              FROM unnest(%s::text[], %s::text[]) AS wanted (source, source_number)
              JOIN issue
                ON issue.source = wanted.source
               AND issue.source_number = wanted.source_number
               AND issue.source_number IS NOT NULL
            """,
            list_names(wanted),
        ).fetchall()


def get_issue(connection: Connection, issue_id: UUID) -> SealedIssue:
    """Raises IssueNotFound."""
    with connection.cursor(row_factory=class_row(SealedIssue)) as cursor:
        record = cursor.execute(
            """
            SELECT issue.id, issue.type, issue.category, issue.channel, issue.urgency, issue.title,
                   issue.description, issue.received_at, issue.respond_by, issue.due_at, issue.contact_id,
                   code_of(issue.organisation_id) AS organisation_code,
                   staff_number_of(issue.cadre_id) AS staff_number, issue.assigned_at, issue.responded_at,
                   issue.closed_at, issue.outcome, issue.reply, issue.title_sealed, issue.description_sealed,
                   issue.reply_sealed, issue.citizen_ref,
                   issue.is_told_apart, issue.told_name AS citizen_name, issue.told_phone AS citizen_phone,
                   NULL::bytea AS citizen_key,
                   staff_number_of(issue.subject_id) AS subject_staff_number,
                   code_of(issue.first_organisation_id) AS first_organisation_code,
                   staff_number_of(issue.first_cadre_id) AS first_staff_number, issue.signed_at, issue.started_at,
                   issue.paused_at, issue.replied_at, issue.reply_means, issue.reopened_at, issue.redo_count,
                   issue.merged_into, ARRAY(SELECT code_of(helper) FROM unnest(issue.assisting) AS helper) AS assisting,
                   issue.problem_code, issue.excluded, issue.escalation_level, issue.updated_at, issue.status,
                   issue.source, issue.source_number, issue.flags, issue.sequence AS version
              FROM issue
             WHERE issue.id = %s
            """,
            [issue_id],
        ).fetchone()
    if record is None:
        raise IssueNotFound("there is no such issue")
    return with_citizen(connection, record)
