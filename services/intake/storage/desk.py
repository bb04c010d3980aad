"""What the pages at which staff work list: own records, open issues, cadres to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.intake.storage.by_unit import Listed, find_page
from services.intake.storage.registers import Cadre
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContact:
    id: UUID
    kind: str
    occurred_at: datetime
    staff_number: str
    cadre_name: str | None  # absent where the cadre is out of reach by now
    place_code: str | None
    people_count: int | None
    counts: bool
    voided_at: datetime | None
    issue_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIssue:
    id: UUID
    type: str
    category: str
    status: str
    title: str | None = field(repr=False)
    title_sealed: bytes | None
    received_at: datetime
    respond_by: datetime | None
    responded_at: datetime | None
    due_at: datetime | None
    organisation_code: str | None
    citizen_ref: UUID | None
    citizen_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What codes and numbers are called, of those that are within reach."""

    organisations: dict[str, str]
    cadres: dict[str, str]
    categories: dict[str, str]


def list_own_contacts(connection: Connection, *, limit: int) -> list[OwnContact]:
    """List what the acting account recorded and what the acting cadre led, the newest first, on contact_recorded_by."""
    with connection.cursor(row_factory=class_row(OwnContact)) as cursor:
        return cursor.execute(
            """
            SELECT contact.id, contact.kind, contact.occurred_at, staff_number_of(contact.cadre_id) AS staff_number,
                   cadre.name AS cadre_name, contact.place_code, contact.people_count, contact.counts,
                   contact.voided_at,
                   (SELECT count(*) FROM issue WHERE issue.contact_id = contact.id) AS issue_count
              FROM contact
              LEFT JOIN cadre ON cadre.id = contact.cadre_id
             WHERE contact.recorded_by = (SELECT acting_account()::uuid)
                OR contact.cadre_id = (SELECT acting_cadre_id())
             ORDER BY contact.recorded_at DESC, contact.id
             LIMIT %s
            """,
            [limit],
        ).fetchall()


def list_last_places(connection: Connection, *, limit: int) -> list[str]:
    """List the places of what the acting account recorded last, the newest first."""
    rows = connection.execute(
        """
        SELECT place_code
          FROM (SELECT place_code, recorded_at
                  FROM contact
                 WHERE recorded_by = (SELECT acting_account()::uuid)
                   AND place_code IS NOT NULL
                 ORDER BY recorded_at DESC
                 LIMIT 100) AS latest
         GROUP BY place_code
         ORDER BY max(recorded_at) DESC
         LIMIT %s
        """,
        [limit],
    )
    return [str(row[0]) for row in rows]


def find_unit(connection: Connection, staff_number: str, at: datetime) -> str | None:
    """Find where the cadre held a post at that moment, if that is within reach."""
    row = connection.execute(
        """
        SELECT organisation.code
          FROM cadre
          JOIN organisation ON organisation.id = post_organisation(cadre.id, %s)
         WHERE cadre.staff_number = %s
        """,
        [at, staff_number],
    ).fetchone()
    return None if row is None else str(row[0])


def list_places(connection: Connection, *, limit: int) -> list[tuple[str, str]]:
    """List code and name of the organisations within reach, each after what it stands below."""
    rows = connection.execute(
        "SELECT code, name FROM organisation WHERE ended_on IS NULL ORDER BY code LIMIT %s", [limit]
    )
    return [(str(code), str(name)) for code, name in rows]


def find_names(
    connection: Connection, *, organisations: Sequence[str], cadres: Sequence[str], categories: Sequence[str], on: date
) -> Names:
    """Find the names of these, of categories that which holds on that day, a retired one's too."""
    rows = connection.execute(
        """
        SELECT 'organisation', code, name
          FROM organisation
         WHERE code = ANY(%(organisations)s)
         UNION ALL
        SELECT 'cadre', staff_number, name
          FROM cadre
         WHERE staff_number = ANY(%(cadres)s)
         UNION ALL
        SELECT 'category', category.code, version.name
          FROM category
         CROSS JOIN LATERAL (
                   SELECT name
                     FROM category_version
                    WHERE category_id = category.id
                      AND from_on <= %(on)s
                    ORDER BY from_on DESC, sequence DESC
                    LIMIT 1) AS version
         WHERE category.code = ANY(%(categories)s)
        """,
        {"organisations": list(organisations), "cadres": list(cadres), "categories": list(categories), "on": on},
    ).fetchall()
    named: dict[str, dict[str, str]] = {"organisation": {}, "cadre": {}, "category": {}}
    for kind, code, name in rows:
        named[str(kind)][str(code)] = str(name)
    return Names(organisations=named["organisation"], cadres=named["cadre"], categories=named["category"])


_OPEN = Listed(
    table="issue",
    columns=(
        "id", "type", "category", "status", "title", "title_sealed", "received_at", "respond_by", "responded_at",
        "due_at", "organisation_id", "citizen_ref",
    ),
    where="closed_at IS NULL",
    order=("due_at", "received_at", "id"),
    is_own_seen=True,
)  # fmt: skip


def list_open_issues(connection: Connection, *, limit: int) -> list[OpenIssue]:
    """List what is not closed, what is due first at the top and what is never due last.

    On issue_open_owner, for whoever reaches more than units on issue_open_due.
    """
    page = find_page(connection, _OPEN, limit=limit)
    with connection.cursor(row_factory=class_row(OpenIssue)) as cursor:
        return cursor.execute(
            sql.SQL(
                """
                SELECT issue.id, issue.type, issue.category, issue.status, issue.title, issue.title_sealed,
                       issue.received_at, issue.respond_by, issue.responded_at, issue.due_at,
                       code_of(issue.organisation_id) AS organisation_code, issue.citizen_ref,
                       citizen_key.wrapped AS citizen_key
                  FROM ({}) AS issue
                  LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
                 ORDER BY issue.due_at, issue.received_at, issue.id
                """
            ).format(page.query),
            page.parameters,
        ).fetchall()


def find_cadres(connection: Connection, text: str, *, limit: int) -> list[Cadre]:
    """Find the cadres within reach whose number begins so, or whose name has that in it."""
    with connection.cursor(row_factory=class_row(Cadre)) as cursor:
        return cursor.execute(
            """
            SELECT id, staff_number, name
              FROM cadre
             WHERE starts_with(staff_number, %(text)s)
                OR strpos(name, %(text)s) > 0
             ORDER BY staff_number <> %(text)s, staff_number
             LIMIT %(limit)s
            """,
            {"text": text, "limit": limit},
        ).fetchall()
