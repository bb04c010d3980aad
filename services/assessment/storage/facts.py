"""The event log, and the facts made from it: set-based, and the same whatever the order of arrival."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection

Row = dict[str, Any]
PROJECTION_LOCK = 0x46616374


def lock_projection(connection: Connection) -> None:
    """One batch or sweep at a time, however many run: a rating and its issue in two open batches would miss each other,
    a sweep would miss what a batch is writing, and both mark cells, so that they could deadlock.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [PROJECTION_LOCK])


def append_events(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO event (event_id, event_type, aggregate, aggregate_id, sequence, occurred_at, recorded_at,
                           correlation_id, payload)
        SELECT event_id, event_type, aggregate, aggregate_id, sequence, occurred_at, recorded_at,
               correlation_id, payload
          FROM json_to_recordset(%s::json)
            AS row (event_id uuid, event_type text, aggregate text, aggregate_id uuid, sequence integer,
                    occurred_at timestamptz, recorded_at timestamptz, correlation_id text, payload jsonb)
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_contacts(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO contact_fact AS known (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at,
                                           duration_minutes, population_group, people_count, place_code,
                                           population_groups, first_on, last_on, counts, citizen_ref, sequence)
        SELECT contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, duration_minutes,
               population_group, people_count, place_code, population_groups, first_on, last_on, counts,
               citizen_ref, sequence
          FROM json_to_recordset(%s::json)
            AS row (contact_id uuid, organisation_id uuid, cadre_id uuid, kind text, occurred_at timestamptz,
                    recorded_at timestamptz, duration_minutes integer, population_group text, people_count integer,
                    place_code text, population_groups text[], first_on date, last_on date, counts boolean,
                    citizen_ref uuid, sequence integer)
            ON CONFLICT (contact_id) DO UPDATE
           SET organisation_id = excluded.organisation_id,
               cadre_id = excluded.cadre_id,
               kind = excluded.kind,
               occurred_at = excluded.occurred_at,
               recorded_at = excluded.recorded_at,
               duration_minutes = excluded.duration_minutes,
               population_group = excluded.population_group,
               people_count = excluded.people_count,
               place_code = excluded.place_code,
               population_groups = excluded.population_groups,
               first_on = excluded.first_on,
               last_on = excluded.last_on,
               counts = excluded.counts,
               citizen_ref = excluded.citizen_ref,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def merge_issues(connection: Connection, rows: Sequence[Row]) -> None:
    """Each row holds the parts of one issue that a batch brought. A part that is absent leaves what stands.

    Received comes once; assignment, closure or its withdrawal, deadlines, exclusion and merger go to the highest
    sequence; of first contacts the earliest counts. Since when the server knew of either stands beside it.
    """
    connection.execute(
        """
        INSERT INTO issue_fact AS known (issue_id, issue_type, category, channel, urgency, source, contact_id,
                                         citizen_ref, received_at, sign_by, respond_by, due_at, reply_by,
                                         deadline_sequence, organisation_id, cadre_id, assignment_sequence,
                                         responded_at, closed_at, outcome, closure_sequence, due_sequence, excluded,
                                         exclusion_sequence, merged_into, merge_sequence, denied, replied_at,
                                         is_reopened, is_redone, is_returned, suggestion_answered_at,
                                         reply_characters, responded_known_at, closed_known_at)
        SELECT issue_id, issue_type, category, channel, urgency, source, contact_id, citizen_ref, received_at,
               sign_by, respond_by, due_at, reply_by, deadline_sequence, organisation_id, cadre_id,
               assignment_sequence, responded_at, closed_at, outcome, closure_sequence, due_sequence, excluded,
               exclusion_sequence, merged_into, merge_sequence, false, replied_at, is_reopened, is_redone, is_returned,
               suggestion_answered_at, reply_characters, responded_known_at, closed_known_at
          FROM json_to_recordset(%s::json)
            AS row (issue_id uuid, issue_type text, category text, channel text, urgency text, source text,
                    contact_id uuid, citizen_ref uuid, received_at timestamptz, sign_by timestamptz,
                    respond_by timestamptz, due_at timestamptz, reply_by timestamptz, deadline_sequence integer,
                    organisation_id uuid, cadre_id uuid, assignment_sequence integer,
                    responded_at timestamptz, closed_at timestamptz, outcome text, closure_sequence integer,
                    due_sequence integer, excluded text, exclusion_sequence integer, merged_into uuid,
                    merge_sequence integer, replied_at timestamptz, is_reopened boolean, is_redone boolean,
                    is_returned boolean, suggestion_answered_at timestamptz, reply_characters integer,
                    responded_known_at timestamptz, closed_known_at timestamptz)
            ON CONFLICT (issue_id) DO UPDATE
           SET issue_type = coalesce(excluded.issue_type, known.issue_type),
               category = coalesce(excluded.category, known.category),
               channel = coalesce(excluded.channel, known.channel),
               urgency = coalesce(excluded.urgency, known.urgency),
               source = coalesce(excluded.source, known.source),
               contact_id = coalesce(excluded.contact_id, known.contact_id),
               citizen_ref = coalesce(excluded.citizen_ref, known.citizen_ref),
               received_at = coalesce(excluded.received_at, known.received_at),
               (sign_by, respond_by, reply_by) = (
                   SELECT newer.sign_by, newer.respond_by, newer.reply_by
                     FROM (VALUES (excluded.sign_by, excluded.respond_by, excluded.reply_by,
                                   excluded.deadline_sequence, excluded.received_at),
                                  (known.sign_by, known.respond_by, known.reply_by,
                                   known.deadline_sequence, known.received_at))
                       AS newer (sign_by, respond_by, reply_by, deadline_sequence, received_at)
                    ORDER BY newer.deadline_sequence DESC, newer.received_at NULLS LAST
                    LIMIT 1),
               deadline_sequence = greatest(excluded.deadline_sequence, known.deadline_sequence),
               due_at = CASE WHEN excluded.due_sequence > known.due_sequence
                             THEN excluded.due_at ELSE known.due_at END,
               due_sequence = greatest(excluded.due_sequence, known.due_sequence),
               excluded = CASE WHEN excluded.exclusion_sequence > known.exclusion_sequence
                               THEN excluded.excluded ELSE known.excluded END,
               exclusion_sequence = greatest(excluded.exclusion_sequence, known.exclusion_sequence),
               merged_into = CASE WHEN excluded.merge_sequence > known.merge_sequence
                                  THEN excluded.merged_into ELSE known.merged_into END,
               merge_sequence = greatest(excluded.merge_sequence, known.merge_sequence),
               organisation_id = CASE WHEN excluded.assignment_sequence > known.assignment_sequence
                                      THEN excluded.organisation_id ELSE known.organisation_id END,
               cadre_id = CASE WHEN excluded.assignment_sequence > known.assignment_sequence
                               THEN excluded.cadre_id ELSE known.cadre_id END,
               assignment_sequence = greatest(excluded.assignment_sequence, known.assignment_sequence),
               responded_at = least(excluded.responded_at, known.responded_at),
               responded_known_at = least(excluded.responded_known_at,
                                          coalesce(known.responded_known_at, known.responded_at)),
               closed_at = CASE WHEN excluded.closure_sequence > known.closure_sequence
                                THEN excluded.closed_at ELSE known.closed_at END,
               closed_known_at = CASE WHEN excluded.closure_sequence > known.closure_sequence
                                      THEN excluded.closed_known_at ELSE known.closed_known_at END,
               outcome = CASE WHEN excluded.closure_sequence > known.closure_sequence
                              THEN excluded.outcome ELSE known.outcome END,
               closure_sequence = greatest(excluded.closure_sequence, known.closure_sequence),
               replied_at = least(excluded.replied_at, known.replied_at),
               is_reopened = excluded.is_reopened OR known.is_reopened,
               is_redone = excluded.is_redone OR known.is_redone,
               is_returned = excluded.is_returned OR known.is_returned,
               suggestion_answered_at = least(excluded.suggestion_answered_at, known.suggestion_answered_at),
               reply_characters = greatest(excluded.reply_characters, known.reply_characters)
        """,
        [orjson.dumps(rows).decode()],
    )


def merge_ratings(connection: Connection, rows: Sequence[Row]) -> None:
    """Each row holds the parts of one rating that a batch brought. A part that is absent leaves what stands.

    Submitted comes once; of the answers, and of whether it is set aside, the highest sequence stands.
    """
    connection.execute(
        """
        INSERT INTO rating_fact AS known (rating_id, issue_id, contact_id, method, rated_at, rater_ref, level, solved,
                                          attitude, speed, sequence, is_set_aside, standing_sequence,
                                          organisation_id, cadre_id)
        SELECT rating_id, issue_id, contact_id, method, rated_at, rater_ref, level, solved, attitude, speed, sequence,
               is_set_aside, standing_sequence, organisation_id, cadre_id
          FROM json_to_recordset(%s::json)
            AS row (rating_id uuid, issue_id uuid, contact_id uuid, method text, rated_at timestamptz, rater_ref uuid,
                    level smallint, solved boolean, attitude smallint, speed smallint, sequence integer,
                    is_set_aside boolean, standing_sequence integer, organisation_id uuid, cadre_id uuid)
            ON CONFLICT (rating_id) DO UPDATE
           SET issue_id = coalesce(excluded.issue_id, known.issue_id),
               contact_id = coalesce(excluded.contact_id, known.contact_id),
               method = coalesce(excluded.method, known.method),
               rated_at = coalesce(excluded.rated_at, known.rated_at),
               rater_ref = coalesce(excluded.rater_ref, known.rater_ref),
               (level, solved, attitude, speed, sequence) = (
                   SELECT newer.level, newer.solved, newer.attitude, newer.speed, newer.sequence
                     FROM (VALUES (excluded.level, excluded.solved, excluded.attitude, excluded.speed,
                                   excluded.sequence),
                                  (known.level, known.solved, known.attitude, known.speed, known.sequence))
                       AS newer (level, solved, attitude, speed, sequence)
                    ORDER BY newer.sequence DESC NULLS LAST
                    LIMIT 1),
               is_set_aside = CASE WHEN excluded.standing_sequence > known.standing_sequence
                                   THEN excluded.is_set_aside ELSE known.is_set_aside END,
               standing_sequence = greatest(excluded.standing_sequence, known.standing_sequence)
        """,
        [orjson.dumps(rows).decode()],
    )


def list_rated(connection: Connection, rating_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The issue or contact by rating, as far as it is known."""
    rows = connection.execute(
        """
        SELECT rating_id, coalesce(issue_id, contact_id)
          FROM rating_fact
         WHERE rating_id = ANY(%s) AND rated_at IS NOT NULL
        """,
        [list(rating_ids)],
    ).fetchall()
    return {UUID(str(row[0])): UUID(str(row[1])) for row in rows}


def settle_ratings(connection: Connection, *, issue_ids: Sequence[UUID], contact_ids: Sequence[UUID]) -> None:
    """Let ratings follow what they rate, and issues know of a rating or a call that denies them.

    On rating_fact_issue and invitation_fact_issue; what came of a call is read from the log, on event_aggregate_order:
    asked by an aggregate, since the planner would read the whole log for an EXISTS.

    Planned at each call: a plan made while the tables were small would scan them whole for ever.
    """
    connection.execute(
        """
        UPDATE rating_fact AS rating
           SET organisation_id = issue.organisation_id,
               cadre_id = issue.cadre_id,
               is_excluded = issue.excluded IS NOT NULL
          FROM issue_fact AS issue
         WHERE rating.issue_id = issue.issue_id
           AND issue.issue_id = ANY(%(issue_ids)s)
           AND (rating.organisation_id, rating.cadre_id, rating.is_excluded)
            <> (issue.organisation_id, issue.cadre_id, issue.excluded IS NOT NULL)
        """,
        {"issue_ids": list(issue_ids)},
        prepare=False,
    )
    connection.execute(
        """
        UPDATE issue_fact AS issue
           SET denied = NOT issue.denied
         WHERE issue.issue_id = ANY(%(issue_ids)s)
           AND issue.denied <> (
                   EXISTS (
                       SELECT FROM rating_fact AS rating
                        WHERE rating.issue_id = issue.issue_id AND NOT rating.solved
                          AND NOT rating.is_set_aside AND NOT rating.is_excluded)
                   OR issue.excluded IS NULL AND coalesce((
                       SELECT bool_or(is_denied)
                         FROM invitation_fact AS call
                        CROSS JOIN LATERAL (
                              SELECT bool_or(event_type = 'cn.lianxin.rating_invitation.denied.v1'
                                             AND payload ->> 'denial' = 'no_such_matter')
                                     AND NOT bool_or(event_type = 'cn.lianxin.rating_invitation.denial_overruled.v1')
                                     AS is_denied
                                FROM event
                               WHERE aggregate_id = call.invitation_id) AS answer
                        WHERE call.issue_id = issue.issue_id), false))
        """,
        {"issue_ids": list(issue_ids)},
        prepare=False,
    )
    connection.execute(
        """
        UPDATE rating_fact AS rating
           SET organisation_id = contact.organisation_id,
               cadre_id = contact.cadre_id
          FROM contact_fact AS contact
         WHERE rating.contact_id = contact.contact_id
           AND contact.contact_id = ANY(%(contact_ids)s)
           AND (rating.organisation_id, rating.cadre_id) <> (contact.organisation_id, contact.cadre_id)
        """,
        {"contact_ids": list(contact_ids)},
        prepare=False,
    )
