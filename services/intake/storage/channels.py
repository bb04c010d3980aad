"""Published channels and checks of them in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.commands.channels import ChannelKind
from shared.database import Connection
from shared.errors import NotFound


class ChannelNotFound(NotFound):
    code = "channel-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChannel:
    id: UUID
    organisation_id: UUID
    kind: ChannelKind
    address: str
    hours: str | None
    from_on: date
    until_on: date | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as it is shown, with the newest check that the reader may see."""

    id: UUID
    organisation_code: str
    kind: ChannelKind
    address: str
    hours: str | None
    from_on: date
    until_on: date | None
    last_checked_at: datetime | None
    last_is_reached: bool | None
    version: int  # may be sent back in If-Match when the channel is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheck:
    id: UUID
    channel_id: UUID
    checked_at: datetime
    is_reached: bool
    waited_seconds: int | None


def insert_channels(
    connection: Connection, rows: Sequence[StoredChannel], *, recorded_at: datetime
) -> list[StoredChannel]:
    """Insert channels; those whose id or natural key is taken are left out."""
    with connection.cursor(row_factory=class_row(StoredChannel)) as cursor:
        return cursor.execute(
            """
            INSERT INTO published_channel (id, organisation_id, kind, address, hours, from_on, until_on, sequence,
                                           recorded_at)
            SELECT id, organisation_id, kind, address, hours, from_on, until_on, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, organisation_id uuid, kind text, address text, hours text, from_on date,
                      until_on date)) WITH ORDINALITY AS item
             ORDER BY organisation_id, kind, address, from_on, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, organisation_id, kind, address, hours, from_on, until_on, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_channels(connection: Connection, rows: Sequence[StoredChannel]) -> list[StoredChannel]:
    """List and lock the channels that have the id or the natural key of one of these rows."""
    with connection.cursor(row_factory=class_row(StoredChannel)) as cursor:
        return cursor.execute(
            """
            SELECT id, organisation_id, kind, address, hours, from_on, until_on, sequence
              FROM published_channel
             WHERE id IN (SELECT id FROM json_to_recordset(%(rows)s::json) AS item (id uuid))
                OR (organisation_id, kind, address, from_on) IN (
                   SELECT organisation_id, kind, address, from_on
                     FROM json_to_recordset(%(rows)s::json)
                       AS item (organisation_id uuid, kind text, address text, from_on date))
             ORDER BY id
               FOR UPDATE
            """,
            {"rows": orjson.dumps(rows).decode()},
        ).fetchall()


def lock_channels_by_id(connection: Connection, ids: Sequence[UUID]) -> list[StoredChannel]:
    with connection.cursor(row_factory=class_row(StoredChannel)) as cursor:
        return cursor.execute(
            """
            SELECT id, organisation_id, kind, address, hours, from_on, until_on, sequence
              FROM published_channel
             WHERE id = ANY(%s)
             ORDER BY id
               FOR UPDATE
            """,
            [list(ids)],
        ).fetchall()


def end_channels(connection: Connection, rows: Sequence[StoredChannel]) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE published_channel
           SET until_on = item.until_on, sequence = item.sequence
          FROM json_to_recordset(%s::json) AS item (id uuid, until_on date, sequence integer)
         WHERE published_channel.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def list_channels_on(
    connection: Connection, on: date | None, *, organisation_code: str | None, after: UUID, limit: int
) -> list[Channel]:
    """List what was published that day, or whenever, for one organisation or all."""
    with connection.cursor(row_factory=class_row(Channel)) as cursor:
        return cursor.execute(
            """
            SELECT channel.id, code_of(channel.organisation_id) AS organisation_code, channel.kind, channel.address,
                   channel.hours, channel.from_on, channel.until_on, newest.checked_at AS last_checked_at,
                   newest.is_reached AS last_is_reached, channel.sequence AS version
              FROM published_channel AS channel
              LEFT JOIN LATERAL (
                        SELECT checked_at, is_reached
                          FROM reachability_check
                         WHERE channel_id = channel.id
                         ORDER BY checked_at DESC, id
                         LIMIT 1) AS newest ON true
             WHERE channel.id > %(after)s
               AND (%(on)s::date IS NULL
                    OR (channel.from_on <= %(on)s AND (channel.until_on IS NULL OR channel.until_on >= %(on)s)))
               AND (%(organisation)s::text IS NULL OR code_of(channel.organisation_id) = %(organisation)s)
             ORDER BY channel.id
             LIMIT %(limit)s
            """,
            {"on": on, "organisation": organisation_code, "after": after, "limit": limit},
        ).fetchall()


def list_checkable(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ChannelKind]]:
    """Return organisation and kind of those channels whose organisation is within reach."""
    rows = connection.execute(
        """
        SELECT id, organisation_id, kind
          FROM published_channel
         WHERE id = ANY(%s)
           AND is_within_reach(organisation_id)
        """,
        [list(ids)],
    )
    return {row[0]: (row[1], row[2]) for row in rows}  # type: ignore[misc] # psycopg types a row as a tuple of objects


def insert_checks(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredCheck]:
    """Insert checks; those whose id is taken are left out."""
    with connection.cursor(row_factory=class_row(StoredCheck)) as cursor:
        return cursor.execute(
            """
            INSERT INTO reachability_check (id, channel_id, checked_at, is_reached, waited_seconds, checked_by,
                                            recorded_at)
            SELECT id, channel_id, checked_at, is_reached, waited_seconds, checked_by, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, channel_id uuid, checked_at timestamptz, is_reached boolean, waited_seconds integer,
                         checked_by uuid)
                ON CONFLICT DO NOTHING
            RETURNING id, channel_id, checked_at, is_reached, waited_seconds
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_checks_by_id(connection: Connection, ids: Sequence[UUID]) -> list[StoredCheck]:
    with connection.cursor(row_factory=class_row(StoredCheck)) as cursor:
        return cursor.execute(
            """
            SELECT id, channel_id, checked_at, is_reached, waited_seconds
              FROM reachability_check
             WHERE id = ANY(%s)
            """,
            [list(ids)],
        ).fetchall()


def list_checks(connection: Connection, channel_id: UUID, *, limit: int) -> list[StoredCheck]:
    """The newest first, on reachability_check_channel. Raises ChannelNotFound."""
    if not list_checkable(connection, [channel_id]):
        raise ChannelNotFound("there is no such channel")
    with connection.cursor(row_factory=class_row(StoredCheck)) as cursor:
        return cursor.execute(
            """
            SELECT id, channel_id, checked_at, is_reached, waited_seconds
              FROM reachability_check
             WHERE channel_id = %s
             ORDER BY checked_at DESC, id
             LIMIT %s
            """,
            [channel_id, limit],
        ).fetchall()
