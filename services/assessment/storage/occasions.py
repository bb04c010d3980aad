"""Facts of which there are few: invitations to rate, reception days, checks of channels, and who lives where."""

from collections.abc import Sequence
from typing import Any

import orjson

from shared.database import Connection

Row = dict[str, Any]


def upsert_invitations(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO invitation_fact AS known (invitation_id, issue_id, contact_id, invited_at, sequence)
        SELECT invitation_id, issue_id, contact_id, invited_at, sequence
          FROM json_to_recordset(%s::json)
            AS row (invitation_id uuid, issue_id uuid, contact_id uuid, invited_at timestamptz, sequence integer)
            ON CONFLICT (invitation_id) DO UPDATE
           SET issue_id = excluded.issue_id,
               contact_id = excluded.contact_id,
               invited_at = excluded.invited_at,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def merge_receptions(connection: Connection, rows: Sequence[Row]) -> None:
    """Each row holds the parts of one day that a batch brought. Of
    each part the highest sequence stands; one that is absent leaves what stands.
    """
    connection.execute(
        """
        INSERT INTO reception_fact AS known (reception_day_id, organisation_id, cadre_id, from_at, held_organisation_id,
                                             held_cadre_id, held_from_at, is_cancelled, offered_sequence,
                                             held_sequence)
        SELECT reception_day_id, organisation_id, cadre_id, from_at, held_organisation_id, held_cadre_id, held_from_at,
               is_cancelled, offered_sequence, held_sequence
          FROM json_to_recordset(%s::json)
            AS row (reception_day_id uuid, organisation_id uuid, cadre_id uuid, from_at timestamptz,
                    held_organisation_id uuid, held_cadre_id uuid, held_from_at timestamptz, is_cancelled boolean,
                    offered_sequence integer, held_sequence integer)
            ON CONFLICT (reception_day_id) DO UPDATE
           SET (organisation_id, cadre_id, from_at) = (
                   SELECT newer.organisation_id, newer.cadre_id, newer.from_at
                     FROM (VALUES (excluded.organisation_id, excluded.cadre_id, excluded.from_at,
                                   excluded.offered_sequence),
                                  (known.organisation_id, known.cadre_id, known.from_at, known.offered_sequence))
                       AS newer (organisation_id, cadre_id, from_at, sequence)
                    ORDER BY newer.sequence DESC
                    LIMIT 1),
               (held_organisation_id, held_cadre_id, held_from_at) = (
                   SELECT newer.organisation_id, newer.cadre_id, newer.from_at
                     FROM (VALUES (excluded.held_organisation_id, excluded.held_cadre_id, excluded.held_from_at,
                                   excluded.held_sequence),
                                  (known.held_organisation_id, known.held_cadre_id, known.held_from_at,
                                   known.held_sequence))
                       AS newer (organisation_id, cadre_id, from_at, sequence)
                    ORDER BY newer.sequence DESC
                    LIMIT 1),
               is_cancelled = excluded.is_cancelled OR known.is_cancelled,
               offered_sequence = greatest(excluded.offered_sequence, known.offered_sequence),
               held_sequence = greatest(excluded.held_sequence, known.held_sequence)
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_channel_checks(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO channel_check_fact AS known (reachability_check_id, organisation_id, checked_at, is_reached,
                                                 sequence)
        SELECT reachability_check_id, organisation_id, checked_at, is_reached, sequence
          FROM json_to_recordset(%s::json)
            AS row (reachability_check_id uuid, organisation_id uuid, checked_at timestamptz, is_reached boolean,
                    sequence integer)
            ON CONFLICT (reachability_check_id) DO UPDATE
           SET organisation_id = excluded.organisation_id,
               checked_at = excluded.checked_at,
               is_reached = excluded.is_reached,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_populations(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO place_population AS known (place_population_id, organisation_id, place_code, population_group,
                                               counted_on, people_count, household_count, sequence)
        SELECT place_population_id, organisation_id, place_code, population_group, counted_on, people_count,
               household_count, sequence
          FROM json_to_recordset(%s::json)
            AS row (place_population_id uuid, organisation_id uuid, place_code text, population_group text,
                    counted_on date, people_count bigint, household_count bigint, sequence integer)
            ON CONFLICT (place_population_id) DO UPDATE
           SET organisation_id = excluded.organisation_id,
               place_code = excluded.place_code,
               population_group = excluded.population_group,
               counted_on = excluded.counted_on,
               people_count = excluded.people_count,
               household_count = excluded.household_count,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )
