"""Schemes that are data: what was agreed to, and for which place, peer group and days it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from services.assessment.domain.rules.schemes import Validity
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection

ADOPTING_LOCK = 0x52756C65


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRuleScheme:
    name: str
    version: int
    document: str
    content_hash: bytes
    proposed_by: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Empty texts are all places and all peer groups."""

    name: str
    version: int
    subject_kind: SubjectKind
    place: str
    peer_group: str
    from_on: date
    until_on: date | None


def lock_adopting(connection: Connection) -> None:
    """One at a time: whether two overlap is seen by looking."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [ADOPTING_LOCK])


def insert_rule_scheme(connection: Connection, scheme: StoredRuleScheme) -> bool:
    """Return whether it was new."""
    return (
        connection.execute(
            """
            INSERT INTO rule_scheme (name, version, document, content_hash, proposed_by, approved_by, approved_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (name, version) DO NOTHING
            """,
            [
                scheme.name,
                scheme.version,
                scheme.document,
                scheme.content_hash,
                scheme.proposed_by,
                scheme.approved_by,
                scheme.approved_at,
            ],
        ).rowcount
        == 1
    )


def insert_validity(connection: Connection, name: str, version: int, validity: Validity) -> None:
    connection.execute(
        """
        INSERT INTO scheme_validity (name, version, subject_kind, place, peer_group, from_on, until_on)
        SELECT %s, %s, %s, %s, peer_group, %s, %s
          FROM unnest(%s::text[]) AS peer_group
        """,
        [
            name,
            version,
            validity.subjects,
            validity.place or "",
            validity.from_on,
            validity.until_on,
            list(validity.peer_groups) or [""],
        ],
    )


def list_overlapping(connection: Connection, validity: Validity) -> list[Hold]:
    """What holds for the same place and one of the same peer groups on one of the same days."""
    with connection.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, subject_kind, place, peer_group, from_on, until_on
              FROM scheme_validity
             WHERE subject_kind = %(subjects)s
               AND place = %(place)s
               AND peer_group = ANY (%(groups)s)
               AND daterange(from_on, until_on, '[]') && daterange(%(from)s, %(until)s, '[]')
             ORDER BY from_on, name, version
            """,
            {
                "subjects": validity.subjects,
                "place": validity.place or "",
                "groups": list(validity.peer_groups) or [""],
                "from": validity.from_on,
                "until": validity.until_on,
            },
        ).fetchall()


def find_rule_scheme(connection: Connection, name: str, version: int) -> StoredRuleScheme | None:
    with connection.cursor(row_factory=class_row(StoredRuleScheme)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, document, content_hash, proposed_by, approved_by, approved_at
              FROM rule_scheme
             WHERE name = %s
               AND version = %s
            """,
            [name, version],
        ).fetchone()


def list_rule_schemes(connection: Connection) -> list[StoredRuleScheme]:
    with connection.cursor(row_factory=class_row(StoredRuleScheme)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, document, content_hash, proposed_by, approved_by, approved_at
              FROM rule_scheme
             ORDER BY name, version
            """
        ).fetchall()


def list_holds(connection: Connection, name: str | None = None, version: int | None = None) -> list[Hold]:
    with connection.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, subject_kind, place, peer_group, from_on, until_on
              FROM scheme_validity
             WHERE (%(name)s::text IS NULL OR name = %(name)s)
               AND (%(version)s::integer IS NULL OR version = %(version)s)
             ORDER BY name, version, place, peer_group
            """,
            {"name": name, "version": version},
        ).fetchall()


def find_in_force(
    connection: Connection, kind: SubjectKind, places: Sequence[str], *, peer_group: str | None, on: date
) -> StoredRuleScheme | None:
    """Of the places, the nearest first, and then of all: one that names the peer group before one for all groups."""
    with connection.cursor(row_factory=class_row(StoredRuleScheme)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, document, content_hash, proposed_by, approved_by, approved_at
              FROM unnest(%(places)s::text[]) WITH ORDINALITY AS near (place, distance)
              JOIN scheme_validity USING (place)
              JOIN rule_scheme USING (name, version)
             WHERE subject_kind = %(kind)s
               AND peer_group IN (%(group)s, '')
               AND from_on <= %(on)s
               AND coalesce(until_on >= %(on)s, true)
             ORDER BY distance, peer_group = '', name, version
             LIMIT 1
            """,
            {"kind": kind, "places": [*places, ""], "group": peer_group or "", "on": on},
        ).fetchone()


def set_end(connection: Connection, name: str, version: int, until_on: date) -> int:
    """End it on this day wherever it would hold longer; return for how many places and groups."""
    return connection.execute(
        """
        UPDATE scheme_validity
           SET until_on = %(until)s
         WHERE name = %(name)s
           AND version = %(version)s
           AND from_on <= %(until)s
           AND coalesce(until_on > %(until)s, true)
        """,
        {"name": name, "version": version, "until": until_on},
    ).rowcount


def list_places_above(connection: Connection, code: str) -> list[str]:
    """The organisation of this code and those above it, the nearest first."""
    rows = connection.execute(
        """
        WITH RECURSIVE above AS (
            SELECT organisation_id, code::text, parent_id, 0 AS distance
              FROM organisation
             WHERE code = %s
             UNION ALL
            SELECT parent.organisation_id, parent.code::text, parent.parent_id, distance + 1
              FROM above
              JOIN organisation AS parent ON parent.organisation_id = above.parent_id
             WHERE distance < 20
        )
        SELECT code
          FROM above
         ORDER BY distance
        """,
        [code],
    ).fetchall()
    return [str(row[0]) for row in rows]
