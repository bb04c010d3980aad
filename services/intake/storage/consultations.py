"""Public consultations with their themes in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.consultations import Consultation, Theme
from shared.database import Connection
from shared.errors import NotFound


class ConsultationNotFound(NotFound):
    code = "consultation-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicConsultation:
    consultation: Consultation
    organisation_code: str
    organisation_name: str


def insert_consultation(connection: Connection, consultation: Consultation, *, recorded_at: datetime) -> bool:
    """Whether it is new: the id of one that stands is left as it is."""
    inserted = connection.execute(
        """
        INSERT INTO consultation (id, organisation_id, title, question, opens_at, closes_at, state, sequence,
                                  recorded_at)
        VALUES (%s, %s, %s, %s, %s, %s, 'announced', 1, %s)
            ON CONFLICT DO NOTHING
        """,
        [
            consultation.id,
            consultation.organisation_id,
            consultation.title,
            consultation.question,
            consultation.opens_at,
            consultation.closes_at,
            recorded_at,
        ],
    )
    return inserted.rowcount == 1


def lock_consultation(connection: Connection, consultation_id: UUID) -> Consultation:
    """Hold it until the transaction ends. Raises ConsultationNotFound, also where it may not be changed."""
    with connection.cursor(row_factory=class_row(Consultation)) as cursor:
        found = cursor.execute(
            """
            SELECT id, organisation_id, title, question, opens_at, closes_at, state, reason_code, answer, answered_at,
                   opinion_count, sequence
              FROM consultation
             WHERE id = %s
               FOR UPDATE
            """,
            [consultation_id],
        ).fetchone()
    if found is None:
        raise ConsultationNotFound("there is no such consultation")
    return found


def set_consultation(connection: Connection, consultation: Consultation) -> None:
    connection.execute(
        """
        UPDATE consultation
           SET state = %s, reason_code = %s, answer = %s, answered_at = %s, opinion_count = %s, sequence = %s
         WHERE id = %s
        """,
        [
            consultation.state,
            consultation.reason_code,
            consultation.answer,
            consultation.answered_at,
            consultation.opinion_count,
            consultation.sequence,
            consultation.id,
        ],
    )


def insert_themes(connection: Connection, consultation_id: UUID, themes: Sequence[Theme]) -> None:
    connection.execute(
        """
        INSERT INTO consultation_theme (consultation_id, number, title, opinion_count, decision, explanation)
        SELECT %s, item.number, item.title, item.opinion_count, item.decision, item.explanation
          FROM json_to_recordset(%s::json)
            AS item (number smallint, title text, opinion_count integer, decision text, explanation text)
        """,
        [
            consultation_id,
            orjson.dumps(
                [
                    {
                        "number": number,
                        "title": theme.title,
                        "opinion_count": theme.opinion_count,
                        "decision": theme.decision,
                        "explanation": theme.explanation,
                    }
                    for number, theme in enumerate(themes, start=1)
                ]
            ).decode(),
        ],
    )


def list_themes(connection: Connection, consultation_id: UUID) -> list[Theme]:
    with connection.cursor(row_factory=class_row(Theme)) as cursor:
        return cursor.execute(
            """
            SELECT title, opinion_count, decision, explanation
              FROM consultation_theme
             WHERE consultation_id = %s
             ORDER BY number
            """,
            [consultation_id],
        ).fetchall()


def list_public(
    connection: Connection, *, before: tuple[datetime, UUID], limit: int, consultation_id: UUID | None = None
) -> list[PublicConsultation]:
    """List what is or was asked, newest first, on the index consultation_public; or one alone."""
    rows = connection.execute(
        """
        SELECT asked.id, asked.organisation_id, asked.title, asked.question, asked.opens_at, asked.closes_at,
               asked.state, asked.reason_code, asked.answer, asked.answered_at, asked.opinion_count, asked.sequence,
               organisation.code, organisation.name
          FROM consultation AS asked
          JOIN organisation ON organisation.id = asked.organisation_id
         WHERE asked.state <> 'withdrawn'
           AND (asked.opens_at, asked.id) < (%s, %s)
           AND (%s::uuid IS NULL OR asked.id = %s)
         ORDER BY asked.opens_at DESC, asked.id DESC
         LIMIT %s
        """,
        [*before, consultation_id, consultation_id, limit],
    ).fetchall()
    names = Consultation.__dataclass_fields__
    return [
        PublicConsultation(
            consultation=Consultation(**dict(zip(names, row[:12], strict=True))),  # type: ignore[arg-type] # a row is a tuple of objects
            organisation_code=str(row[12]),
            organisation_name=str(row[13]),
        )
        for row in rows
    ]
