"""Cases about ratings in the database: whether one counts, who asked, who decided and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.intake.domain.ratings import RatingState
from services.intake.storage.by_unit import Listed, Place, find_page
from shared.database import Connection
from shared.errors import Conflict, NotFound

CaseKind = Literal["quarantine", "removal", "restoration"]
CaseState = Literal["open", "decided"]
Decision = Literal["count", "remove"]


class CaseNotFound(NotFound):
    code = "rating-case-not-found"


class CaseOpen(Conflict):
    code = "rating-case-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    id: UUID
    rating_id: UUID
    kind: CaseKind
    former_state: RatingState
    signals: list[str]
    rules: str | None
    reason_code: str | None
    reason: bytes | None = field(repr=False)
    opened_by: UUID | None
    opener_person: str | None
    opened_at: datetime
    state: CaseState
    decision: Decision | None
    decision_code: str | None
    decision_reason: bytes | None = field(repr=False)
    decided_by: UUID | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasedRating:
    """What deciding needs to know of the rating. Who recorded it may not decide on it."""

    id: UUID
    state: RatingState
    recorded_by: UUID | None
    recorded_person: str | None


_CASE = """
    SELECT id, rating_id, kind, former_state, signals, rules, reason_code, reason, opened_by, opener_person, opened_at,
           state, decision, decision_code, decision_reason, decided_by, decided_at
      FROM rating_case
"""
_LISTED = Listed(
    table="rating_case",
    columns=(
        "id",
        "rating_id",
        "kind",
        "former_state",
        "signals",
        "rules",
        "reason_code",
        "reason",
        "opened_by",
        "opener_person",
        "opened_at",
        "state",
        "decision",
        "decision_code",
        "decision_reason",
        "decided_by",
        "decided_at",
    ),
    where="state = %(state)s",
    order=("opened_at", "id"),
)


def set_aside(connection: Connection, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> dict[UUID, int]:
    """Open a case for each of these ratings that counts, and let it count no more; return their new sequences."""
    rows_set = connection.execute(
        """
        WITH odd AS (
            SELECT id, rating_id, signals, rules
              FROM json_to_recordset(%(rows)s::json) AS row (id uuid, rating_id uuid, signals text[], rules text)
        ), aside AS (
            UPDATE rating
               SET state = 'quarantined', sequence = rating.sequence + 1
              FROM odd
             WHERE rating.id = odd.rating_id
               AND rating.state = 'counted'
            RETURNING rating.id, rating.sequence
        ), opened AS (
            INSERT INTO rating_case (id, rating_id, kind, former_state, signals, rules, opened_at, state)
            SELECT odd.id, odd.rating_id, 'quarantine', 'counted', odd.signals, odd.rules, %(at)s, 'open'
              FROM odd
              JOIN aside ON aside.id = odd.rating_id
        )
        SELECT id, sequence FROM aside
        """,
        {"rows": orjson.dumps(rows).decode(), "at": at},
    ).fetchall()
    return {UUID(str(row[0])): int(str(row[1])) for row in rows_set}


def lock_rating(connection: Connection, rating_id: UUID) -> CasedRating | None:
    with connection.cursor(row_factory=class_row(CasedRating)) as cursor:
        return cursor.execute(
            "SELECT id, state, recorded_by, recorded_person FROM rating WHERE id = %s FOR NO KEY UPDATE", [rating_id]
        ).fetchone()


def is_own_work(connection: Connection, rating_id: UUID) -> bool:
    """Whether the acting person has a part in what was rated. Also for a rating that is out of reach."""
    row = connection.execute(
        "SELECT bool_or(is_own_work(issue_id, contact_id)) FROM rating WHERE id = %s", [rating_id]
    ).fetchone()
    return row is None or row[0] is None or bool(row[0])


def insert_case(connection: Connection, case: Mapping[str, Any]) -> None:
    """Raises CaseOpen: one question about a rating at a time."""
    try:
        connection.execute(
            """
            INSERT INTO rating_case (id, rating_id, kind, former_state, signals, reason_code, reason, opened_by,
                                     opener_person, opened_at, state)
            VALUES (%(id)s, %(rating_id)s, %(kind)s, %(former_state)s, '{}', %(reason_code)s, %(reason)s,
                    %(opened_by)s, %(opener_person)s, %(opened_at)s, 'open')
            """,
            case,
        )
    except UniqueViolation:
        raise CaseOpen("a case about this rating is open") from None


def lock_case(connection: Connection, case_id: UUID) -> Case:
    """Hold a case until the transaction ends. Raises CaseNotFound."""
    with connection.cursor(row_factory=class_row(Case)) as cursor:
        case = cursor.execute(
            f"{_CASE} WHERE id = %s FOR UPDATE",
            [case_id],
        ).fetchone()
    if case is None:
        raise CaseNotFound("there is no such case")
    return case


def list_cases(connection: Connection, state: CaseState, *, after: Place | None, limit: int) -> list[Case]:
    """The oldest first, on rating_case_owner; for whoever reaches everything on rating_case_queue."""
    page = find_page(connection, _LISTED, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(Case)) as cursor:
        return cursor.execute(page.query, page.parameters | {"state": state}).fetchall()


def set_decided(connection: Connection, case_id: UUID, decided: Mapping[str, Any]) -> None:
    connection.execute(
        """
        UPDATE rating_case
           SET state = 'decided', decision = %(decision)s, decision_code = %(code)s, decision_reason = %(reason)s,
               decided_by = %(by)s, decider_person = %(person)s, decided_at = %(at)s
         WHERE id = %(id)s AND state = 'open'
        """,
        {**decided, "id": case_id},
    )


def set_state(connection: Connection, rating_id: UUID, state: RatingState) -> int:
    """Return the sequence of the change. Under the system's reach: who may is decided before."""
    row = connection.execute(
        "UPDATE rating SET state = %s, sequence = sequence + 1 WHERE id = %s RETURNING sequence", [state, rating_id]
    ).fetchone()
    return int(str(row[0])) if row else 0
