"""What many posts owe together and what was done of it, by kind of contact: one statement, of however many.

It says of sums what `duties.list_duty_units` says of each post and unit, and tests hold the two together. What posts of
one kind below the same places owe for the same days is worked out once, however many hold such posts.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, LiteralString
from uuid import UUID

from psycopg import sql

from services.assessment.domain.periods import Period
from services.assessment.storage.spans import ASKED, OWNERS, Counts, Span, hashing
from shared.database import Connection

# The posts, each with its stint: all that decides what it owes. `line` is what stands above an organisation of that
# which has duties of its own, the nearest first; organisations with the same lines are one place. On the day of a tree
# something was moved: until the next such day every organisation stands where it stood.
_STINTS: Final[LiteralString] = """
        WITH RECURSIVE moved AS MATERIALIZED (
            SELECT DISTINCT from_on
              FROM parentage
             WHERE from_on > %(start)s
               AND from_on < %(next_start)s
        ), unit AS MATERIALIZED (
            SELECT per, unit_start, unit_end,
                   coalesce((SELECT max(from_on) FROM moved WHERE from_on <= unit_start), %(start)s)::date AS tree_on
              FROM unnest(%(pers)s::text[], %(starts)s::date[], %(ends)s::date[]) AS unit (per, unit_start, unit_end)
        ), held AS MATERIALIZED (
            SELECT {owner} AS owner_id, cadre_id, organisation_id, post_kind, post_level,
                   greatest(from_on, %(start)s)::date AS held_from,
                   least(until_on, %(next_start)s - 1)::date AS held_until
              FROM post
             WHERE {owner} = ANY(%(owners)s::uuid[])
               AND from_on < %(next_start)s
               AND coalesce(until_on, 'infinity') >= %(start)s
        ), home AS MATERIALIZED (
            SELECT organisation_id, tree_on
              FROM (SELECT DISTINCT organisation_id FROM held) AS organisation
             CROSS JOIN (SELECT DISTINCT tree_on FROM unit) AS tree
        ), standing AS (
            SELECT organisation_id, tree_on
              FROM home
             UNION
            SELECT parent_on(organisation_id, tree_on), tree_on
              FROM standing
             WHERE organisation_id IS NOT NULL
        ), parent AS MATERIALIZED (
            SELECT organisation_id, tree_on, parent_on(organisation_id, tree_on) AS parent_id
              FROM standing
             WHERE organisation_id IS NOT NULL
        ), above AS (
            SELECT organisation_id, tree_on, organisation_id AS scope_id, 0 AS distance
              FROM home
             UNION ALL
            SELECT above.organisation_id, tree_on, parent_id, distance + 1
              FROM above
              JOIN parent USING (tree_on)
             WHERE parent.organisation_id = scope_id
               AND distance < 32
        ), line AS MATERIALIZED (
            SELECT organisation_id, tree_on,
                   array_remove(array_agg(CASE WHEN is_scope THEN scope_id END ORDER BY distance), NULL) AS line
              FROM above
              LEFT JOIN (SELECT DISTINCT organisation_id AS scope_id, true AS is_scope
                           FROM duty) AS scope USING (scope_id)
             GROUP BY organisation_id, tree_on
        ), place AS MATERIALIZED (
            SELECT organisation_id, dense_rank() OVER (ORDER BY lines) AS place
              FROM (SELECT organisation_id, array_agg(tree_on || ' ' || line::text ORDER BY tree_on) AS lines
                      FROM line
                     GROUP BY organisation_id) AS drawn
        ), placed AS MATERIALIZED (
            SELECT held.*, row_number() OVER () AS post,
                   dense_rank() OVER (ORDER BY place, post_kind, post_level, held_from, held_until) AS stint
              FROM held
              JOIN place USING (organisation_id)
        ), stint AS MATERIALIZED (
            SELECT DISTINCT ON (stint) stint, organisation_id, post_kind, post_level, held_from, held_until
              FROM placed
        )
"""
# Each duty by each unit of a stint, in the days on which no nearer duty holds: as `duties` has it.
_DUE: Final[LiteralString] = """
        , due AS MATERIALIZED (
            SELECT row_number() OVER () AS due, stint, contact_kind, duty.unit AS counted_in, unit_start, unit_end,
                   days, required_count * elapsed / (unit_end - unit_start + 1) AS owed
              FROM stint
              JOIN duty USING (post_kind)
              JOIN unit USING (per)
              JOIN line ON line.organisation_id = stint.organisation_id AND line.tree_on = unit.tree_on
             CROSS JOIN LATERAL (
                   SELECT greatest(held_from, valid_from, unit_start)::date AS first_on,
                          least(held_until, valid_until, unit_end)::date AS last_on,
                          CASE WHEN duty.organisation_id IS NULL THEN 1000
                               ELSE array_position(line, duty.organisation_id) END AS distance) AS own
             CROSS JOIN LATERAL (
                   SELECT datemultirange(
                              CASE WHEN first_on <= last_on THEN daterange(first_on, last_on, '[]') ELSE 'empty' END)
                        - coalesce(range_agg(daterange(nearer.valid_from, nearer.valid_until, '[]')),
                                   '{{}}'::datemultirange) AS days
                     FROM duty AS nearer
                    WHERE nearer.post_kind = stint.post_kind
                      AND nearer.contact_kind = duty.contact_kind
                      AND nearer.unit = duty.unit
                      AND coalesce(nearer.post_level = stint.post_level, true)
                      AND (CASE WHEN nearer.organisation_id IS NULL THEN 1000
                                ELSE array_position(line, nearer.organisation_id) END, nearer.post_level IS NULL)
                        < (distance, duty.post_level IS NULL)) AS nearest
             CROSS JOIN LATERAL (
                   SELECT sum(upper(gone) - lower(gone)) AS elapsed
                     FROM unnest(days * datemultirange(daterange(NULL, %(today)s))) AS gone) AS past
             WHERE coalesce(duty.post_level = stint.post_level, true)
               AND distance IS NOT NULL
               AND elapsed IS NOT NULL
        ), due_month AS MATERIALIZED (
            SELECT due, stint, contact_kind, month::date, counted_in = 'days' AS in_days, lower(days) AS first_on,
                   upper(days) AS next_on, days
              FROM due
             CROSS JOIN generate_series(unit_start::timestamp, unit_end::timestamp, interval '1 month') AS month
        ), owed AS (
            SELECT owner_id, contact_kind, sum(owed * post_count) AS owed
              FROM (SELECT owner_id, stint, count(*) AS post_count
                      FROM placed
                     GROUP BY owner_id, stint) AS share
              JOIN (SELECT stint, contact_kind, sum(owed) AS owed
                      FROM due
                     GROUP BY stint, contact_kind) AS total USING (stint)
             GROUP BY owner_id, contact_kind
        )
"""
# What was done of it: post by post on contact_fact_cadre, which OFFSET sees to, or of many posts in all contacts.
_DONE: Final[LiteralString] = """
        , made AS MATERIALIZED (
            SELECT post, stint, kind AS contact_kind, began_on, date_trunc('month', began_on::timestamp)::date AS month,
                   began_on + greatest(ceil(duration_minutes / 1440.0)::integer, 1) AS over_on
              FROM placed
             CROSS JOIN LATERAL (
                   SELECT kind, duration_minutes, (occurred_at AT TIME ZONE %(time_zone)s::text)::date AS began_on
                     FROM contact_fact AS contact
                    WHERE contact.cadre_id = placed.cadre_id
                      AND counts
                      AND occurred_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
                      AND occurred_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
                   {one_by_one}) AS contact
        ), done AS (
            SELECT post, due, count(*) AS contacts,
                   range_agg(daterange(began_on, over_on)) FILTER (WHERE in_days) AS lasted
              FROM made
              JOIN due_month USING (stint, month, contact_kind)
             WHERE began_on >= first_on
               AND began_on < next_on
               AND (in_days OR began_on <@ days)
             GROUP BY post, due
        ), met AS (
            SELECT owner_id, contact_kind,
                   sum(least(owed, CASE counted_in
                                        WHEN 'days' THEN (SELECT sum(upper(held) - lower(held))
                                                            FROM unnest(lasted * days) AS held)
                                        ELSE contacts END)) AS met
              FROM done
              JOIN due USING (due)
              JOIN placed USING (post)
             GROUP BY owner_id, contact_kind
        )
        SELECT subject_id, contact_kind, sum(owed)::bigint, coalesce(sum(met), 0)::bigint
          FROM {asked}
          JOIN owed USING (owner_id)
          LEFT JOIN met USING (owner_id, contact_kind)
         GROUP BY subject_id, contact_kind
"""


def sum_duties(connection: Connection, span: Span, units: Sequence[Period], *, today: date) -> Counts:
    """Owed and met by kind of contact in months, quarters, half-years and years that lie whole in the span."""
    statement = sql.SQL(_STINTS + _DUE + _DONE).format(
        asked=ASKED,
        owner=sql.SQL(OWNERS[span.kind]),
        one_by_one=sql.SQL("" if span.is_large else "OFFSET 0"),
    )
    given = {
        "pers": [unit.kind for unit in units],
        "starts": [unit.start for unit in units],
        "ends": [unit.end for unit in units],
        "today": today,
    }
    sums: Counts = {}
    with hashing(connection):
        rows = connection.execute(statement, span.parameters() | given, prepare=False).fetchall()
    for subject_id, kind, owed, met in rows:
        sums.setdefault(UUID(str(subject_id)), {}).update(
            {f"owed_{kind}": int(str(owed)), f"met_{kind}": int(str(met))}
        )
    return sums
