"""Tallies: what a cadre did for an organisation in a month, counted from the facts, and summed up the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row, dict_row

from services.assessment.domain.duties import DutyTally, DutyUnit
from services.assessment.domain.measures import SATISFIED_LEVEL
from services.assessment.domain.periods import Period
from shared.database import Connection

SCORING_LOCK = 0x53636F72


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """Under which parent an organisation stood on a day."""

    organisation_id: UUID
    on_day: date
    parent_id: UUID | None


def try_lock_scoring(connection: Connection) -> bool:
    """Whether this transaction is the only scoring pass."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [SCORING_LOCK]).fetchone()
    return row is not None and row[0] is True


def lock_scoring(connection: Connection) -> None:
    """Wait for the pass under way to end, for longer than for any row, and let none begin."""
    connection.execute("SELECT set_config('lock_timeout', '60s', true)")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [SCORING_LOCK])


def list_duty_units(connection: Connection, units: Sequence[tuple[UUID, Period]], *, time_zone: str) -> list[DutyUnit]:
    """What the cadres' posts owe in these months, quarters, half-years and years, with the contacts made, on
    contact_fact_cadre.

    A contact counts for a post by cadre, kind and day, whatever organisation it was recorded for. Of the duties of one
    kind of contact and unit those of the nearest organisation above the post hold, and of these those for its level;
    a farther one holds on the days on which no nearer one does.
    """
    with connection.cursor(row_factory=class_row(DutyUnit)) as cursor:
        return cursor.execute(
            """
            SELECT post.organisation_id, post.cadre_id, post_id, duty_id, contact_kind, required_count, duty.unit,
                   duty.per, asked.unit_start, made.done,
                   ARRAY(SELECT lower(days) FROM unnest(held.days) AS days ORDER BY 1) AS held_froms,
                   ARRAY(SELECT upper(days) - 1 FROM unnest(held.days) AS days ORDER BY 1) AS held_untils
              FROM unnest(%(cadres)s::uuid[], %(pers)s::text[], %(starts)s::date[], %(ends)s::date[])
                AS asked (cadre_id, per, unit_start, unit_end)
              JOIN post ON post.cadre_id = asked.cadre_id
              JOIN duty ON duty.post_kind = post.post_kind
                       AND duty.per = asked.per
                       AND coalesce(duty.post_level = post.post_level, true)
             CROSS JOIN LATERAL (
                       SELECT scope_distance(post.organisation_id, duty.organisation_id, unit_start) AS distance,
                              greatest(from_on, valid_from, unit_start)::date AS first_on,
                              least(until_on, valid_until, unit_end)::date AS last_on) AS own
             CROSS JOIN LATERAL (
                       SELECT datemultirange(daterange(first_on, last_on, '[]'))
                            - coalesce(range_agg(daterange(nearer.valid_from, nearer.valid_until, '[]')),
                                       '{}'::datemultirange) AS days
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
            """,
            {
                "cadres": [cadre_id for cadre_id, _ in units],
                "pers": [unit.kind for _, unit in units],
                "starts": [unit.start for _, unit in units],
                "ends": [unit.end for _, unit in units],
                "time_zone": time_zone,
            },
            prepare=False,
        ).fetchall()


def tally_cells(
    connection: Connection,
    cells: Sequence[tuple[UUID, UUID, date]],
    duties: Sequence[DutyTally],
    *,
    as_of: datetime,
    time_zone: str,
) -> None:
    """Count these cells anew, on issue_fact_cell, contact_fact_cadre and rating_fact_cell. domain/measures.py says the
    same for a single fact.

    Planned at each call (prepare=False): a plan made while the tables were small would scan them whole for ever.
    """
    connection.execute(
        """
        WITH cell AS (
            SELECT organisation_id, cadre_id, month,
                   duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                   duties_owed_year, duties_met_year,
                   month::timestamp AT TIME ZONE %(time_zone)s::text AS begins_at,
                   (month::timestamp + interval '1 month') AT TIME ZONE %(time_zone)s::text AS ends_at
              FROM unnest(%(organisations)s::uuid[], %(cadres)s::uuid[], %(months)s::date[],
                          %(owed_month)s::bigint[], %(met_month)s::bigint[], %(owed_quarter)s::bigint[],
                          %(met_quarter)s::bigint[], %(owed_year)s::bigint[], %(met_year)s::bigint[])
                AS row (organisation_id, cadre_id, month,
                        duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                        duties_owed_year, duties_met_year)
        )
        INSERT INTO tally (organisation_id, cadre_id, month,
                           duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                           duties_owed_year, duties_met_year, contacts, issues_received, responded, response_overdue,
                           closed, closed_on_time, closed_late, open_overdue, resolved, denied, explained_policy,
                           not_accepted, withdrawn, merged, ratings, satisfied, rating_level_sum)
        SELECT cell.organisation_id, cell.cadre_id, cell.month,
               duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter, duties_owed_year,
               duties_met_year, contacts, issues_received, responded, response_overdue, closed, closed_on_time,
               closed_late, open_overdue, resolved, denied, explained_policy, not_accepted, withdrawn, merged,
               ratings, satisfied, rating_level_sum
          FROM cell
         CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE is_counted) AS issues_received,
                          count(*) FILTER (WHERE (closed_at IS NOT NULL OR responded_at IS NOT NULL)
                                             AND is_counted) AS responded,
                          count(*) FILTER (WHERE closed_at IS NULL AND responded_at IS NULL
                                             AND coalesce(respond_by, due_at) < %(as_of)s) AS response_overdue,
                          count(*) FILTER (WHERE closed_at IS NOT NULL AND is_counted) AS closed,
                          count(*) FILTER (WHERE closed_at <= due_at AND is_counted) AS closed_on_time,
                          count(*) FILTER (WHERE closed_at > due_at AND is_counted) AS closed_late,
                          count(*) FILTER (WHERE closed_at IS NULL AND due_at < %(as_of)s) AS open_overdue,
                          count(*) FILTER (WHERE outcome = 'resolved' AND NOT denied) AS resolved,
                          count(*) FILTER (WHERE outcome = 'resolved' AND denied) AS denied,
                          count(*) FILTER (WHERE outcome = 'explained_policy') AS explained_policy,
                          count(*) FILTER (WHERE outcome = 'not_accepted') AS not_accepted,
                          count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
                          count(*) FILTER (WHERE outcome = 'merged') AS merged
                     FROM issue_fact AS issue
                    CROSS JOIN LATERAL (
                              SELECT merged_into IS NULL OR outcome IS DISTINCT FROM 'merged' AS is_counted) AS whole
                    WHERE issue.organisation_id = cell.organisation_id
                      AND issue.cadre_id = cell.cadre_id
                      AND issue.excluded IS DISTINCT FROM 'all'
                      AND received_at >= begins_at AND received_at < ends_at) AS issues
         CROSS JOIN LATERAL (
                   SELECT count(*) AS contacts
                     FROM contact_fact AS contact
                    WHERE contact.organisation_id = cell.organisation_id
                      AND contact.cadre_id = cell.cadre_id
                      AND contact.counts
                      AND occurred_at >= begins_at AND occurred_at < ends_at) AS contacts
         CROSS JOIN LATERAL (
                   SELECT count(*) AS ratings,
                          count(*) FILTER (WHERE level >= %(satisfied_level)s) AS satisfied,
                          coalesce(sum(level), 0) AS rating_level_sum
                     FROM rating_fact AS rating
                    WHERE rating.organisation_id = cell.organisation_id
                      AND rating.cadre_id = cell.cadre_id
                      AND NOT rating.is_set_aside
                      AND NOT rating.is_excluded
                      AND rated_at >= begins_at AND rated_at < ends_at) AS ratings
            ON CONFLICT (organisation_id, month, cadre_id) DO UPDATE
           SET duties_owed_month = excluded.duties_owed_month,
               duties_met_month = excluded.duties_met_month,
               duties_owed_quarter = excluded.duties_owed_quarter,
               duties_met_quarter = excluded.duties_met_quarter,
               duties_owed_year = excluded.duties_owed_year,
               duties_met_year = excluded.duties_met_year,
               contacts = excluded.contacts,
               issues_received = excluded.issues_received,
               responded = excluded.responded,
               response_overdue = excluded.response_overdue,
               closed = excluded.closed,
               closed_on_time = excluded.closed_on_time,
               closed_late = excluded.closed_late,
               open_overdue = excluded.open_overdue,
               resolved = excluded.resolved,
               denied = excluded.denied,
               explained_policy = excluded.explained_policy,
               not_accepted = excluded.not_accepted,
               withdrawn = excluded.withdrawn,
               merged = excluded.merged,
               ratings = excluded.ratings,
               satisfied = excluded.satisfied,
               rating_level_sum = excluded.rating_level_sum
        """,
        {
            "organisations": [organisation_id for organisation_id, _, _ in cells],
            "cadres": [cadre_id for _, cadre_id, _ in cells],
            "months": [month for _, _, month in cells],
            "owed_month": [duty.owed_month for duty in duties],
            "met_month": [duty.met_month for duty in duties],
            "owed_quarter": [duty.owed_quarter for duty in duties],
            "met_quarter": [duty.met_quarter for duty in duties],
            "owed_year": [duty.owed_year for duty in duties],
            "met_year": [duty.met_year for duty in duties],
            "satisfied_level": SATISFIED_LEVEL,
            "as_of": as_of,
            "time_zone": time_zone,
        },
        prepare=False,
    )


def list_ancestry(connection: Connection, places: Sequence[tuple[UUID, date]]) -> list[Ancestry]:
    """These organisations on these days, each with all that stood above it then.

    UNION drops repeats, so that a circle in the register ends.
    """
    with connection.cursor(row_factory=class_row(Ancestry)) as cursor:
        return cursor.execute(
            """
            WITH RECURSIVE line AS (
                SELECT organisation_id, on_day, parent_on(organisation_id, on_day) AS parent_id
                  FROM unnest(%s::uuid[], %s::date[]) AS own (organisation_id, on_day)
                  JOIN organisation USING (organisation_id)
                 UNION
                SELECT above.organisation_id, on_day, parent_on(above.organisation_id, on_day)
                  FROM line
                  JOIN organisation AS above ON above.organisation_id = line.parent_id
            )
            SELECT organisation_id, on_day, parent_id
              FROM line
            """,
            [[organisation_id for organisation_id, _ in places], [day for _, day in places]],
        ).fetchall()


def tally_organisations(connection: Connection, rows: Sequence[tuple[UUID, date]]) -> None:
    """Sum organisations of one depth from their own cells and the rows of their children, which must be up to date.

    A month is whole: it belongs to the parent of its first day, so that no move takes facts of earlier days along.
    """
    connection.execute(
        """
        INSERT INTO organisation_tally (organisation_id, month,
                                        duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                                        duties_owed_year, duties_met_year, contacts, issues_received, responded,
                                        response_overdue, closed, closed_on_time, closed_late, open_overdue, resolved,
                                        denied, explained_policy, not_accepted, withdrawn, merged, ratings, satisfied,
                                        rating_level_sum)
        SELECT own.organisation_id, own.month,
               coalesce(sum(duties_owed_month), 0), coalesce(sum(duties_met_month), 0),
               coalesce(sum(duties_owed_quarter), 0), coalesce(sum(duties_met_quarter), 0),
               coalesce(sum(duties_owed_year), 0), coalesce(sum(duties_met_year), 0), coalesce(sum(contacts), 0),
               coalesce(sum(issues_received), 0), coalesce(sum(responded), 0), coalesce(sum(response_overdue), 0),
               coalesce(sum(closed), 0), coalesce(sum(closed_on_time), 0), coalesce(sum(closed_late), 0),
               coalesce(sum(open_overdue), 0), coalesce(sum(resolved), 0), coalesce(sum(denied), 0),
               coalesce(sum(explained_policy), 0), coalesce(sum(not_accepted), 0), coalesce(sum(withdrawn), 0),
               coalesce(sum(merged), 0), coalesce(sum(ratings), 0), coalesce(sum(satisfied), 0),
               coalesce(sum(rating_level_sum), 0)
          FROM unnest(%s::uuid[], %s::date[]) AS own (organisation_id, month)
          LEFT JOIN LATERAL (
                   SELECT duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                          duties_owed_year, duties_met_year, contacts, issues_received, responded,
                          response_overdue, closed, closed_on_time, closed_late, open_overdue, resolved, denied,
                          explained_policy, not_accepted, withdrawn, merged, ratings, satisfied,
                          rating_level_sum
                     FROM tally
                    WHERE tally.organisation_id = own.organisation_id
                      AND tally.month = own.month
                    UNION ALL
                   SELECT duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter,
                          duties_owed_year, duties_met_year, contacts, issues_received, responded,
                          response_overdue, closed, closed_on_time, closed_late, open_overdue, resolved, denied,
                          explained_policy, not_accepted, withdrawn, merged, ratings, satisfied,
                          rating_level_sum
                     FROM (SELECT DISTINCT child.organisation_id
                             FROM parentage AS child
                            WHERE child.parent_id = own.organisation_id
                              AND child.organisation_id <> own.organisation_id) AS child
                     JOIN organisation_tally AS below USING (organisation_id)
                    WHERE below.month = own.month
                      AND parent_on(below.organisation_id, own.month) = own.organisation_id) AS part
            ON true
         GROUP BY own.organisation_id, own.month
            ON CONFLICT (organisation_id, month) DO UPDATE
           SET duties_owed_month = excluded.duties_owed_month,
               duties_met_month = excluded.duties_met_month,
               duties_owed_quarter = excluded.duties_owed_quarter,
               duties_met_quarter = excluded.duties_met_quarter,
               duties_owed_year = excluded.duties_owed_year,
               duties_met_year = excluded.duties_met_year,
               contacts = excluded.contacts,
               issues_received = excluded.issues_received,
               responded = excluded.responded,
               response_overdue = excluded.response_overdue,
               closed = excluded.closed,
               closed_on_time = excluded.closed_on_time,
               closed_late = excluded.closed_late,
               open_overdue = excluded.open_overdue,
               resolved = excluded.resolved,
               denied = excluded.denied,
               explained_policy = excluded.explained_policy,
               not_accepted = excluded.not_accepted,
               withdrawn = excluded.withdrawn,
               merged = excluded.merged,
               ratings = excluded.ratings,
               satisfied = excluded.satisfied,
               rating_level_sum = excluded.rating_level_sum
        """,
        [[organisation_id for organisation_id, _ in rows], [month for _, month in rows]],
        prepare=False,
    )


def list_cells_of_cadres(connection: Connection, cadre_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, date]]:
    rows = connection.execute(
        "SELECT organisation_id, cadre_id, month FROM tally WHERE cadre_id = ANY(%s)", [list(cadre_ids)]
    ).fetchall()
    return [(UUID(str(row[0])), UUID(str(row[1])), row[2]) for row in rows if isinstance(row[2], date)]


def list_months_of_organisations(connection: Connection, organisation_ids: Sequence[UUID]) -> list[tuple[UUID, date]]:
    """Of what is or was below them too: an organisation may become known after its children were counted."""
    rows = connection.execute(
        """
        SELECT organisation_id, month
          FROM organisation_tally
         WHERE organisation_id = ANY(%(ids)s)
         UNION
        SELECT child.parent_id, month
          FROM parentage AS child
          JOIN organisation_tally AS below USING (organisation_id)
         WHERE child.parent_id = ANY(%(ids)s)
        """,
        {"ids": list(organisation_ids)},
    ).fetchall()
    return [(UUID(str(row[0])), row[1]) for row in rows if isinstance(row[1], date)]


def sum_measures(
    connection: Connection, subject_kind: str, subjects: Sequence[tuple[UUID, Period]]
) -> dict[tuple[UUID, Period], dict[str, int]]:
    """The measures of subjects in periods. A duty counts where its unit lies whole in the period."""
    periods = {(period.kind, period.start): period for _, period in subjects}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT asked.subject_id, asked.period_kind, asked.period_start,
                   (sum(duties_owed_month)
                       + CASE WHEN period_kind <> 'month' THEN sum(duties_owed_quarter) ELSE 0 END
                       + CASE WHEN period_kind = 'year' THEN sum(duties_owed_year) ELSE 0 END)::bigint AS duties_owed,
                   (sum(duties_met_month)
                       + CASE WHEN period_kind <> 'month' THEN sum(duties_met_quarter) ELSE 0 END
                       + CASE WHEN period_kind = 'year' THEN sum(duties_met_year) ELSE 0 END)::bigint AS duties_met,
                   sum(contacts)::bigint AS contacts, sum(issues_received)::bigint AS issues_received,
                   sum(responded)::bigint AS responded, sum(response_overdue)::bigint AS response_overdue,
                   sum(closed)::bigint AS closed, sum(closed_on_time)::bigint AS closed_on_time,
                   sum(closed_late)::bigint AS closed_late, sum(open_overdue)::bigint AS open_overdue,
                   sum(resolved)::bigint AS resolved, sum(denied)::bigint AS denied,
                   sum(explained_policy)::bigint AS explained_policy, sum(not_accepted)::bigint AS not_accepted,
                   sum(withdrawn)::bigint AS withdrawn, sum(merged)::bigint AS merged, sum(ratings)::bigint AS
                   ratings, sum(satisfied)::bigint AS satisfied, sum(rating_level_sum)::bigint AS
                   rating_level_sum
              FROM unnest(%(subjects)s::uuid[], %(kinds)s::text[], %(starts)s::date[], %(nexts)s::date[])
                AS asked (subject_id, period_kind, period_start, next_start)
              JOIN subject_tally AS tally
                ON tally.subject_kind = %(subject_kind)s
               AND tally.subject_id = asked.subject_id
               AND tally.month >= asked.period_start
               AND tally.month < asked.next_start
             GROUP BY asked.subject_id, asked.period_kind, asked.period_start
            """,
            {
                "subject_kind": subject_kind,
                "subjects": [subject_id for subject_id, _ in subjects],
                "kinds": [period.kind for _, period in subjects],
                "starts": [period.start for _, period in subjects],
                "nexts": [period.next_start for _, period in subjects],
            },
            prepare=False,
        ).fetchall()
    return {(row.pop("subject_id"), periods[row.pop("period_kind"), row.pop("period_start")]): row for row in rows}
