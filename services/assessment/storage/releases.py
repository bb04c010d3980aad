"""Closings and releases: which months are closed, which answers wait to be told, and which were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.assessment.domain.measures import NOBODY, SATISFIED_LEVEL
from services.assessment.domain.periods import Period
from services.assessment.domain.releases import Answer, Holder, HolderKind, Question, Release
from shared.database import Connection

CLOSING_LOCK = 0x436C6F73
CLOSING_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnswerRow:
    rating_id: UUID
    question: Question
    organisation_id: UUID
    cadre_id: UUID
    rater: UUID | None
    positive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReleaseRow:
    question: Question
    holder_kind: HolderKind
    holder_id: UUID
    home_id: UUID | None
    first_month: date
    last_month: date
    answers: int
    positive: int
    raters: int


def try_lock_closing(connection: Connection) -> bool:
    """Whether this transaction is the only one that closes. It may take longer than others."""
    connection.execute(
        """
        SELECT set_config('statement_timeout', %(longest)s, true),
               set_config('idle_in_transaction_session_timeout', %(longest)s, true)
        """,
        {"longest": f"{CLOSING_SECONDS}s"},
    )
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [CLOSING_LOCK]).fetchone()
    return row is not None and row[0] is True


def start_clock(connection: Connection, now: datetime) -> datetime:
    """Return since when closing looks after this database: now, at the first call after anything is known."""
    connection.execute(
        """
        INSERT INTO closing_start (started_at)
        SELECT %s
         WHERE EXISTS (SELECT FROM tally)
            ON CONFLICT (is_only) DO NOTHING
        """,
        [now],
    )
    return find_clock(connection) or now


def find_clock(connection: Connection) -> datetime | None:
    row = connection.execute("SELECT started_at FROM closing_start").fetchone()
    return row[0] if row is not None and isinstance(row[0], datetime) else None


def find_month_to_close(connection: Connection) -> date | None:
    """The month after the last one closed, or the first one of which anything is known."""
    row = connection.execute(
        """
        SELECT coalesce((SELECT (max(month) + interval '1 month')::date FROM closing),
                        (SELECT min(month) FROM tally))
        """
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], date) else None


def insert_closing(
    connection: Connection, month: date, *, raters_needed: int, scheme: tuple[str, int], closed_at: datetime
) -> None:
    connection.execute(
        """
        INSERT INTO closing (month, raters_needed, scheme_name, scheme_version, closed_at)
        VALUES (%s, %s, %s, %s, %s)
        """,
        [month, raters_needed, *scheme, closed_at],
    )


def list_closed_months(connection: Connection) -> list[date]:
    rows = connection.execute("SELECT month FROM closing ORDER BY month").fetchall()
    return [row[0] for row in rows if isinstance(row[0], date)]


def list_waiting_answers(connection: Connection, month: date, *, time_zone: str) -> list[Answer]:
    """The answers given up to the month's end that no release has. Late ones are among them: they wait like others.
    So do those that were set aside and count again. What is told stays told, also of one that is set aside later.

    Of `solved` only what was closed as resolved: elsewhere the answer denies nothing.
    """
    with connection.cursor(row_factory=class_row(_AnswerRow)) as cursor:
        rows = cursor.execute(
            """
            WITH given AS (
                SELECT rating_id, rating.organisation_id, rating.cadre_id, level, solved, outcome,
                       coalesce(rater_ref, citizen_ref) AS rater
                  FROM rating_fact AS rating
                  LEFT JOIN issue_fact AS issue USING (issue_id)
                 WHERE rated_at < (%(month)s::timestamp + interval '1 month') AT TIME ZONE %(time_zone)s::text
                   AND (rating.organisation_id, rating.cadre_id) <> (%(nobody)s, %(nobody)s)
                   AND NOT is_set_aside
                   AND NOT is_excluded
            ), answer AS (
                SELECT rating_id, 'level' AS question, organisation_id, cadre_id, rater,
                       level >= %(satisfied)s AS positive
                  FROM given
                 UNION ALL
                SELECT rating_id, 'solved', organisation_id, cadre_id, rater, solved
                  FROM given
                 WHERE solved IS NOT NULL AND outcome = 'resolved'
            )
            SELECT rating_id, question, organisation_id, cadre_id, rater, positive
              FROM answer
             WHERE NOT EXISTS (SELECT FROM released_answer AS told
                                WHERE told.rating_id = answer.rating_id AND told.question = answer.question)
             ORDER BY rating_id, question
            """,
            {"month": month, "time_zone": time_zone, "nobody": NOBODY, "satisfied": SATISFIED_LEVEL},
            prepare=False,
        ).fetchall()
    return [_answer(row) for row in rows]


def list_begun(connection: Connection, year: int) -> dict[tuple[Question, Holder], date]:
    """The month after the last block of each holder in the year."""
    rows = connection.execute(
        """
        SELECT question, holder_kind, holder_id, (max(last_month) + interval '1 month')::date
          FROM release
         WHERE last_month >= make_date(%(year)s, 1, 1) AND last_month < make_date(%(year)s, 12, 1)
         GROUP BY question, holder_kind, holder_id
        """,
        {"year": year},
    ).fetchall()
    begun: dict[tuple[Question, Holder], date] = {}
    for question, kind, holder_id, month in rows:
        begun[question, Holder(kind=kind, id=holder_id)] = month  # type: ignore[index, arg-type, assignment] # as selected
    return begun


def insert_releases(connection: Connection, releases: Sequence[Release]) -> None:
    """The keys refuse a run told twice, and an answer told in a second release."""
    rows = [
        {
            "release_id": release.release_id,
            "question": release.question,
            "holder_kind": release.holder.kind,
            "holder_id": release.holder.id,
            "home_id": release.home_id,
            "first_month": release.first_month,
            "last_month": release.last_month,
            "answers": release.answers,
            "positive": release.positive,
            "raters": release.raters,
        }
        for release in releases
    ]
    connection.execute(
        """
        INSERT INTO release (release_id, question, holder_kind, holder_id, home_id, first_month, last_month, answers,
                             positive, raters)
        SELECT release_id, question, holder_kind, holder_id, home_id, first_month, last_month, answers, positive, raters
          FROM json_to_recordset(%s::json)
            AS row (release_id uuid, question text, holder_kind text, holder_id uuid, home_id uuid, first_month date,
                    last_month date, answers integer, positive integer, raters integer)
        """,
        [orjson.dumps(rows).decode()],
    )
    told = [
        (rating_id, release.question, release.release_id) for release in releases for rating_id in release.rating_ids
    ]
    connection.execute(
        """
        INSERT INTO released_answer (rating_id, question, release_id)
        SELECT rating_id, question, release_id
          FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) AS row (rating_id, question, release_id)
        """,
        [[row[0] for row in told], [row[1] for row in told], [row[2] for row in told]],
    )


def list_releases(connection: Connection, period: Period) -> list[Release]:
    """What was released of these months, on release_last_month."""
    with connection.cursor(row_factory=class_row(_ReleaseRow)) as cursor:
        rows = cursor.execute(
            """
            SELECT question, holder_kind, holder_id, home_id, first_month, last_month, answers, positive, raters
              FROM release
             WHERE last_month BETWEEN %s AND %s
             ORDER BY question, holder_kind, holder_id, first_month
            """,
            [period.start, period.end],
        ).fetchall()
    return [
        Release(
            question=row.question,
            holder=Holder(kind=row.holder_kind, id=row.holder_id),
            home_id=row.home_id,
            first_month=row.first_month,
            last_month=row.last_month,
            answers=row.answers,
            positive=row.positive,
            raters=row.raters,
        )
        for row in rows
    ]


def _answer(row: _AnswerRow) -> Answer:
    holder = (
        Holder(kind="cadre", id=row.cadre_id)
        if row.cadre_id != NOBODY
        else Holder(kind="organisation", id=row.organisation_id)
    )
    return Answer(
        rating_id=row.rating_id,
        question=row.question,
        holder=holder,
        organisation_id=row.organisation_id,
        rater=row.rater,
        positive=row.positive,
    )
