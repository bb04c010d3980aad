"""Issues held while they take steps, and the log of the steps that they took."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, dict_row

from services.intake.domain.commands.base import Actor
from services.intake.domain.issues.life import Ask, Issue
from services.intake.domain.issues.table import StepKind
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedIssue:
    """An issue as it stands, held for this transaction; the reply is still sealed."""

    issue: Issue
    reply_sealed: bytes | None
    citizen_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedStep:
    sequence: int
    kind: StepKind
    happened_at: datetime
    recorded_at: datetime
    actor_id: UUID | None
    reason_code: str | None
    details: Mapping[str, Any]
    note_sealed: bytes | None = field(repr=False)
    reply_sealed: bytes | None = field(repr=False)


def lock_issues(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, LockedIssue]:
    """List issues and hold them until the transaction ends; in order of id, so that two batches cannot deadlock."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT issue.id, source, source_number, received_at, due_at, urgency, organisation_id, cadre_id,
                   assigned_at, first_organisation_id, first_cadre_id, handed_over_by, signed_at, responded_at,
                   started_at, paused_at, replied_at, reply_means, reply, reply_sealed, closed_at, outcome, merged_into,
                   reopened_at, redo_count, extension_count, assisting, passed_on, objectors, problem_code, excluded,
                   supervised_at, escalation_level, asked, issue.citizen_ref, subject_id, sequence, flags,
                   content_hash, progress_hash, citizen_key.wrapped AS citizen_key
              FROM issue
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
             WHERE issue.id = ANY(%s)
             ORDER BY issue.id
               FOR UPDATE OF issue
            """,
            [list(ids)],
        )
        return {row["id"]: _locked(row) for row in rows}


def _locked(row: dict[str, Any]) -> LockedIssue:
    sealed = {name: row.pop(name) for name in ("reply_sealed", "citizen_key")}
    for name in ("assisting", "passed_on", "objectors"):
        row[name] = tuple(row[name])
    row["asked"] = {kind: _read_ask(ask) for kind, ask in row["asked"].items()}
    return LockedIssue(issue=Issue(**row), **sealed)


def _read_ask(ask: Mapping[str, Any]) -> Ask:
    due_at = ask["due_at"]
    return Ask(
        by=_read_actor(ask["by"]),
        reason_code=ask["reason_code"],
        due_at=None if due_at is None else datetime.fromisoformat(due_at),
        decided_by=None if ask["decided_by"] is None else _read_actor(ask["decided_by"]),
        decision=ask["decision"],
    )


def _read_actor(actor: Mapping[str, Any]) -> Actor:
    account_id = actor["account_id"]
    return Actor(account_id=None if account_id is None else UUID(account_id), person_id=actor["person_id"])


def list_ids_merged_into(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """By issue the ones that were merged into it, on issue_merged."""
    rows = connection.execute(
        "SELECT merged_into, array_agg(id ORDER BY id) FROM issue WHERE merged_into = ANY(%s) GROUP BY merged_into",
        [list(ids)],
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def set_issues(
    connection: Connection, issues: Sequence[Issue], *, replies: Mapping[UUID, str], updated_at: datetime
) -> None:
    """`replies` are sealed, and only those that are new: one that stands is never taken back."""
    if not issues:
        return
    rows = [_row(issue, replies.get(issue.id)) for issue in issues]
    connection.execute(
        """
        UPDATE issue
           SET organisation_id = item.organisation_id, cadre_id = item.cadre_id, assigned_at = item.assigned_at,
               first_organisation_id = item.first_organisation_id, first_cadre_id = item.first_cadre_id,
               handed_over_by = item.handed_over_by, urgency = item.urgency, due_at = item.due_at,
               signed_at = item.signed_at, responded_at = item.responded_at, started_at = item.started_at,
               paused_at = item.paused_at, replied_at = item.replied_at, reply_means = item.reply_means,
               closed_at = item.closed_at, outcome = item.outcome, merged_into = item.merged_into,
               reopened_at = item.reopened_at, redo_count = item.redo_count, extension_count = item.extension_count,
               assisting = item.assisting, passed_on = item.passed_on, objectors = item.objectors,
               problem_code = item.problem_code, excluded = item.excluded, supervised_at = item.supervised_at,
               escalation_level = item.escalation_level, asked = item.asked,
               reply_sealed = coalesce(item.reply_sealed, issue.reply_sealed), status = item.status,
               sequence = item.sequence, flags = item.flags, progress_hash = item.progress_hash, updated_at = %s,
               owner_organisation_id = CASE WHEN issue.organisation_id IS DISTINCT FROM item.organisation_id
                                            THEN item.organisation_id
                                            ELSE issue.owner_organisation_id END
          FROM json_to_recordset(%s::json)
            AS item (id uuid, organisation_id uuid, cadre_id uuid, assigned_at timestamptz, first_organisation_id uuid,
                     first_cadre_id uuid, handed_over_by uuid, urgency text, due_at timestamptz, signed_at timestamptz,
                     responded_at timestamptz, started_at timestamptz, paused_at timestamptz, replied_at timestamptz,
                     reply_means text, closed_at timestamptz, outcome text, merged_into uuid, reopened_at timestamptz,
                     redo_count integer, extension_count integer, assisting uuid[], passed_on uuid[],
                     objectors uuid[], problem_code text, excluded text, supervised_at timestamptz,
                     escalation_level integer, asked jsonb, reply_sealed bytea, status text, sequence integer,
                     flags text[], progress_hash bytea)
         WHERE issue.id = item.id
        """,
        [updated_at, orjson.dumps(rows).decode()],
    )


def _row(issue: Issue, reply_sealed: str | None) -> dict[str, Any]:
    row = {name: getattr(issue, name) for name in WRITTEN}
    row["asked"] = {kind: asdict(ask) for kind, ask in issue.asked.items()}
    return row | {"reply_sealed": reply_sealed, "progress_hash": "\\x" + issue.progress_hash.hex()}


WRITTEN = (
    "id",
    "organisation_id",
    "cadre_id",
    "assigned_at",
    "first_organisation_id",
    "first_cadre_id",
    "handed_over_by",
    "urgency",
    "due_at",
    "signed_at",
    "responded_at",
    "started_at",
    "paused_at",
    "replied_at",
    "reply_means",
    "closed_at",
    "outcome",
    "merged_into",
    "reopened_at",
    "redo_count",
    "extension_count",
    "assisting",
    "passed_on",
    "objectors",
    "problem_code",
    "excluded",
    "supervised_at",
    "escalation_level",
    "status",
    "sequence",
    "flags",
)


def insert_steps(connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> None:
    if not rows:
        return
    connection.execute(
        """
        INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, actor_person, reason_code,
                                details, note_sealed, reply_sealed)
        SELECT issue_id, sequence, kind, happened_at, %s, actor_id, actor_person, reason_code, details, note_sealed,
               reply_sealed
          FROM json_to_recordset(%s::json)
            AS item (issue_id uuid, sequence integer, kind text, happened_at timestamptz, actor_id uuid,
                     actor_person text, reason_code text, details jsonb, note_sealed bytea, reply_sealed bytea)
        """,
        [recorded_at, orjson.dumps(rows).decode()],
    )


def list_steps(connection: Connection, issue_id: UUID) -> list[SealedStep]:
    with connection.cursor(row_factory=class_row(SealedStep)) as cursor:
        return cursor.execute(
            """
            SELECT sequence, kind, happened_at, recorded_at, actor_id, reason_code, details, note_sealed, reply_sealed
              FROM issue_step
             WHERE issue_id = %s
             ORDER BY sequence
            """,
            [issue_id],
        ).fetchall()
