"""The rows of a register as they are exported: read through a cursor of the server, as of one moment, within reach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString, cast

from psycopg import sql

from shared.database import Connection

ROWS_A_FETCH: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """`columns` are those of the import profile, in the order of the query; `is_personal` where people are named."""

    columns: tuple[str, ...]
    query: LiteralString
    is_personal: bool = False


REGISTERS: Final[Mapping[str, Register]] = {
    "organisations": Register(
        columns=(
            "code",
            "name",
            "level",
            "parent_code",
            "region_type",
            "division_code",
            "credit_code",
            "from_on",
            "ended_on",
            "successor_code",
        ),
        query="""
            SELECT one.code, one.name, one.level, parent.code, one.region_type, one.division_code, one.credit_code,
                   nullif(one.from_on, '1900-01-01'), one.ended_on, successor.code
              FROM organisation AS one
              LEFT JOIN organisation AS parent ON parent.id = one.parent_id
              LEFT JOIN organisation AS successor ON successor.id = one.successor_id
             WHERE %(organisation)s::text IS NULL OR is_below(one.id, %(organisation)s)
             ORDER BY one.code
            """,
    ),
    "cadres": Register(
        columns=("staff_number", "name", "organisation_code", "post_kind", "post_level", "from_on", "until_on"),
        query="""
            SELECT cadre.staff_number, cadre.name, code_of(post.organisation_id), post.post_kind, post.post_level,
                   post.from_on, post.until_on
              FROM post
              JOIN cadre ON cadre.id = post.cadre_id
             WHERE %(organisation)s::text IS NULL OR is_below(post.organisation_id, %(organisation)s)
             ORDER BY cadre.staff_number, post.from_on, post.id
            """,
        is_personal=True,
    ),
    "duties": Register(
        columns=(
            "organisation_code",
            "post_kind",
            "post_level",
            "contact_kind",
            "required_count",
            "unit",
            "per",
            "valid_from",
            "valid_until",
        ),
        query="""
            SELECT code_of(organisation_id), post_kind, post_level, contact_kind, required_count, unit, per, valid_from,
                   valid_until
              FROM duty
             WHERE %(organisation)s::text IS NULL OR is_below(organisation_id, %(organisation)s)
             ORDER BY post_kind, contact_kind, valid_from, id
            """,
    ),
    "categories": Register(
        columns=("organisation_code", "code", "name", "parent_code", "is_retired", "from_on"),
        query="""
            SELECT code_of(category.organisation_id), category.code, category.name, parent.code, category.is_retired,
                   nullif(category.from_on, '1900-01-01')
              FROM category
              LEFT JOIN category AS parent ON parent.id = category.parent_id
             WHERE %(organisation)s::text IS NULL OR is_below(category.organisation_id, %(organisation)s)
             ORDER BY category.organisation_id NULLS FIRST, category.code
            """,
    ),
    "channels": Register(
        columns=("organisation_code", "kind", "address", "hours", "from_on", "until_on"),
        query="""
            SELECT code_of(organisation_id), kind, address, hours, from_on, until_on
              FROM published_channel
             WHERE %(organisation)s::text IS NULL OR is_below(organisation_id, %(organisation)s)
             ORDER BY organisation_id, kind, address, from_on
            """,
    ),
    "population-groups": Register(
        columns=("code", "name", "is_retired"),
        query="""
            SELECT code, name, is_retired
              FROM population_group
             WHERE %(organisation)s::text IS NULL OR true
             ORDER BY code
            """,
    ),
    "place-populations": Register(
        columns=(
            "organisation_code",
            "place_code",
            "population_group",
            "counted_on",
            "people_count",
            "household_count",
        ),
        query="""
            SELECT code_of(organisation_id), place_code, population_group, counted_on, people_count, household_count
              FROM place_population
             WHERE %(organisation)s::text IS NULL OR is_below(organisation_id, %(organisation)s)
             ORDER BY place_code, population_group, counted_on, id
            """,
    ),
    "contact-points": Register(
        columns=("code", "organisation_code", "kind", "name", "place_code", "from_on", "until_on"),
        query="""
            SELECT code, code_of(organisation_id), kind, name, place_code, from_on, until_on
              FROM contact_point
             WHERE %(organisation)s::text IS NULL OR is_below(organisation_id, %(organisation)s)
             ORDER BY code, from_on
            """,
    ),
    # Who heads a household stays sealed: it is shown one at a time, and many only as other citizens are.
    "contact-households": Register(
        columns=("number", "organisation_code", "place_code", "population_group", "from_on", "until_on"),
        query="""
            SELECT number, code_of(organisation_id), place_code, population_group, from_on, until_on
              FROM contact_household
             WHERE %(organisation)s::text IS NULL OR is_below(organisation_id, %(organisation)s)
             ORDER BY number, from_on
            """,
        is_personal=True,
    ),
    "liaison-assignments": Register(
        columns=("staff_number", "household_number", "point_code", "from_on", "until_on"),
        query="""
            SELECT staff_number_of(assignment.cadre_id), household.number, point.code, assignment.from_on,
                   assignment.until_on
              FROM liaison_assignment AS assignment
              LEFT JOIN contact_household AS household ON household.id = assignment.household_id
              LEFT JOIN contact_point AS point ON point.id = assignment.contact_point_id
             WHERE %(organisation)s::text IS NULL OR is_below(assignment.organisation_id, %(organisation)s)
             ORDER BY assignment.from_on, assignment.id
            """,
        is_personal=True,
    ),
}


def stream_rows(connection: Connection, name: str, *, organisation_code: str | None) -> Iterator[tuple[Any, ...]]:
    """Read a register row by row, in bounded memory; one statement, so that all rows are of the same moment."""
    with connection.cursor(name="register_export") as cursor:
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(REGISTERS[name].query, {"organisation": organisation_code})
        for row in cursor:
            yield cast("tuple[Any, ...]", row)


def count_rows(connection: Connection, name: str, *, organisation_code: str | None) -> int:
    query = sql.SQL("SELECT count(*) FROM ({}) AS counted").format(sql.SQL(REGISTERS[name].query))
    row = connection.execute(query, {"organisation": organisation_code}).fetchone()
    return int(str(row[0])) if row else 0


def is_organisation_within_reach(connection: Connection, code: str) -> bool:
    row = connection.execute("SELECT is_within_reach(id) FROM organisation WHERE code = %s", [code]).fetchone()
    return row == (True,)
