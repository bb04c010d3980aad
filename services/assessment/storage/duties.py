"""What posts owe, and what was done of it: read from the registers and the contacts, unit by unit."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.assessment.domain.duties import DutyUnit
from services.assessment.domain.periods import Period
from services.assessment.storage.arrays import to_array
from shared.database import Connection

# A contact counts for a post by cadre, kind and day, whatever organisation it was recorded for. Of the duties of one
# kind of contact and unit those of the nearest organisation above the post hold, and of these those for its level; a
# farther one holds on the days on which no nearer one does. On contact_fact_cadre.
_UNITS: Final = sql.SQL(
    """
        SELECT post.organisation_id, post.cadre_id, post_id, duty_id, contact_kind, required_count, duty.unit,
               duty.per, asked.unit_start, made.done,
               ARRAY(SELECT lower(days) FROM unnest(held.days) AS days ORDER BY 1) AS held_froms,
               ARRAY(SELECT upper(days) - 1 FROM unnest(held.days) AS days ORDER BY 1) AS held_untils
          FROM {asked} AS asked (cadre_id, per, unit_start, unit_end)
          JOIN post ON post.cadre_id = asked.cadre_id
          JOIN duty ON duty.post_kind = post.post_kind
                   AND duty.per = asked.per
                   AND coalesce(duty.post_level = post.post_level, true)
         CROSS JOIN LATERAL (
                   SELECT scope_distance(post.organisation_id, duty.organisation_id, unit_start) AS distance,
                          greatest(from_on, valid_from, unit_start)::date AS first_on,
                          least(until_on, valid_until, unit_end)::date AS last_on) AS own
         CROSS JOIN LATERAL (
                   SELECT datemultirange(
                              CASE WHEN first_on <= last_on THEN daterange(first_on, last_on, '[]') ELSE 'empty' END)
                        - coalesce(range_agg(daterange(nearer.valid_from, nearer.valid_until, '[]')),
                                   '{{}}'::datemultirange) AS days
                     FROM duty AS nearer
                    WHERE nearer.post_kind = post.post_kind
                      AND nearer.contact_kind = duty.contact_kind
                      AND nearer.unit = duty.unit
                      AND coalesce(nearer.post_level = post.post_level, true)
                      AND (scope_distance(post.organisation_id, nearer.organisation_id, unit_start),
                           nearer.post_level IS NULL)
                        < (own.distance, duty.post_level IS NULL)) AS held
         CROSS JOIN LATERAL (
                   SELECT CASE duty.unit
                               WHEN 'days' THEN count(DISTINCT day) FILTER (WHERE day <@ held.days)
                               ELSE count(DISTINCT contact_id) FILTER (WHERE began_on <@ held.days)
                          END AS done
                     FROM contact_fact AS contact
                    CROSS JOIN LATERAL (
                              SELECT (occurred_at AT TIME ZONE %(time_zone)s::text)::date AS began_on) AS begun
                    CROSS JOIN LATERAL (
                              SELECT began_on + further AS day
                                FROM generate_series(0, greatest(ceil(duration_minutes / 1440.0)::integer, 1) - 1)
                                  AS further) AS lasted
                    WHERE contact.cadre_id = post.cadre_id
                      AND contact.kind = contact_kind
                      AND contact.counts
                      AND occurred_at >= lower(held.days)::timestamp AT TIME ZONE %(time_zone)s::text
                      AND occurred_at < upper(held.days)::timestamp AT TIME ZONE %(time_zone)s::text) AS made
         WHERE own.distance IS NOT NULL
           AND first_on <= last_on
           AND NOT isempty(held.days)
         ORDER BY asked.unit_start, duty.per, post_id, duty_id
    """
)
_NAMED: Final = _UNITS.format(
    asked=sql.SQL("unnest(%(cadres)s::uuid[], %(pers)s::text[], %(starts)s::date[], %(ends)s::date[])")
).as_bytes()
# Every unit that begins in a touched month, or in the first month of a larger unit around it of the kind that something
# is owed by: a cell is always told whole. Where nothing is owed by it any longer, that month was touched itself.
_AROUND: Final = _UNITS.format(
    asked=sql.SQL(
        """
        (SELECT DISTINCT cadre_id, unit.per, unit_start, (unit_start + unit.months * interval '1 month')::date - 1
           FROM (SELECT cadre_id, month,
                        ARRAY(SELECT per
                                FROM post
                                JOIN duty USING (post_kind)
                               WHERE post.cadre_id = given.cadre_id) AS pers
                   FROM unnest(%(cadres)s::uuid[], %(months)s::date[]) AS given (cadre_id, month)
                 OFFSET 0) AS touched
          CROSS JOIN (VALUES ('month', 1), ('quarter', 3), ('half_year', 6), ('year', 12)) AS around (per, months)
          CROSS JOIN LATERAL (
                    SELECT (date_trunc('year', month::timestamp)
                            + (extract(month FROM month)::integer - 1) / around.months * around.months
                              * interval '1 month')::date) AS begun (unit_start)
          CROSS JOIN (VALUES ('month', 1), ('quarter', 3), ('half_year', 6), ('year', 12)) AS unit (per, months)
          WHERE (around.per = 'month' OR around.per = ANY(pers))
            AND unit.per = ANY(pers)
            AND (extract(month FROM unit_start)::integer - 1) %% unit.months = 0)
        """
    )
).as_bytes()


def list_duty_units(connection: Connection, units: Sequence[tuple[UUID, Period]], *, time_zone: str) -> list[DutyUnit]:
    """What the cadres' posts owe in these months, quarters, half-years and years, with the contacts made."""
    with connection.cursor(row_factory=class_row(DutyUnit)) as cursor:
        return cursor.execute(
            _NAMED,
            {
                "cadres": [cadre_id for cadre_id, _ in units],
                "pers": [unit.kind for _, unit in units],
                "starts": [unit.start for _, unit in units],
                "ends": [unit.end for _, unit in units],
                "time_zone": time_zone,
            },
            prepare=False,
        ).fetchall()


def list_duty_units_around(
    connection: Connection, months: Sequence[tuple[UUID, date]], *, time_zone: str
) -> list[DutyUnit]:
    """The same of every unit whose cell may come out otherwise by what cadres did in these months."""
    with connection.cursor(row_factory=class_row(DutyUnit)) as cursor:
        return cursor.execute(
            _AROUND,
            {
                "cadres": to_array(cadre_id for cadre_id, _ in months),
                "months": to_array(month for _, month in months),
                "time_zone": time_zone,
            },
            prepare=False,
        ).fetchall()
