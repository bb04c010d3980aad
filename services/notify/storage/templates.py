"""Versions of wordings: added, never changed, and one of each topic and language in force."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from services.notify.domain.messages import Language
from services.notify.domain.templates import Template
from shared.database import Connection

LOCK = 0x54706C74  # versions are numbered one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    topic: str
    language: Language
    subject: str
    text: str
    written_by: str
    written_at: datetime


def find_repeated(connection: Connection, template: NewTemplate) -> int | None:
    """The newest version, where it says just this and is of the same author; else None. Who writes next waits."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    row = connection.execute(
        """
          SELECT version, (subject, text, written_by) = (%s, %s, %s)
            FROM template
           WHERE topic = %s
             AND language = %s
        ORDER BY version DESC
           LIMIT 1
        """,
        [template.subject, template.text, template.written_by, template.topic, template.language],
    ).fetchone()
    return int(str(row[0])) if row and row[1] else None


def insert_template(connection: Connection, template: NewTemplate) -> int:
    """Return its version."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    row = connection.execute(
        """
           INSERT INTO template (topic, language, version, subject, text, written_by, written_at)
           SELECT %s, %s, coalesce(max(version), 0) + 1, %s, %s, %s, %s
             FROM template
            WHERE topic = %s
              AND language = %s
        RETURNING version
        """,
        [
            template.topic,
            template.language,
            template.subject,
            template.text,
            template.written_by,
            template.written_at,
            template.topic,
            template.language,
        ],
    ).fetchone()
    return int(str(row[0])) if row else 1


def list_templates(connection: Connection, topic: str | None) -> list[Template]:
    with connection.cursor(row_factory=class_row(Template)) as cursor:
        return cursor.execute(
            """
            SELECT topic, language, version, subject, text, is_active, written_at, activated_at
              FROM template
             WHERE %s::text IS NULL OR topic = %s
             ORDER BY topic, language, version
            """,
            [topic, topic],
        ).fetchall()


def find_author(connection: Connection, topic: str, language: Language, version: int) -> str | None:
    row = connection.execute(
        "SELECT written_by FROM template WHERE topic = %s AND language = %s AND version = %s FOR UPDATE",
        [topic, language, version],
    ).fetchone()
    return str(row[0]) if row else None


def retire_active(connection: Connection, topic: str, language: Language) -> int:
    """Return how many that were: one or none."""
    return connection.execute(
        "UPDATE template SET is_active = false WHERE topic = %s AND language = %s AND is_active", [topic, language]
    ).rowcount


def activate(connection: Connection, topic: str, language: Language, version: int, *, by: str, at: datetime) -> None:
    connection.execute(
        """
        UPDATE template
           SET is_active = true, activated_by = %s, activated_at = %s
         WHERE topic = %s
           AND language = %s
           AND version = %s
        """,
        [by, at, topic, language, version],
    )


def list_active(connection: Connection) -> list[Template]:
    with connection.cursor(row_factory=class_row(Template)) as cursor:
        return cursor.execute(
            """
            SELECT topic, language, version, subject, text, is_active, written_at, activated_at
              FROM template
             WHERE is_active
            """
        ).fetchall()
