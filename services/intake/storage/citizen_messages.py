"""Messages to citizens in the database: made once of an event, looked at, and sent again by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.citizen_messages import Kind, Matter, State
from services.intake.storage.by_unit import Listed, Place, find_page
from shared.database import Connection
from shared.gateways.receipts import Receipt

# The wish of whoever shares the phone counts where it is a no: the phone is the same one.
WISH = """
    coalesce((SELECT wants_messages FROM citizen_wish WHERE citizen_wish.citizen_ref = citizen.ref),
             CASE WHEN EXISTS (SELECT 1
                                 FROM citizen_handle AS own
                                 JOIN citizen_handle AS same ON same.digest = own.digest AND same.kind = 'phone'
                                 JOIN citizen_wish AS wish ON wish.citizen_ref = same.citizen_ref
                                WHERE own.citizen_ref = citizen.ref
                                  AND own.kind = 'phone'
                                  AND NOT wish.wants_messages) THEN false END)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    id: UUID
    event_id: UUID
    citizen_ref: UUID
    issue_id: UUID
    kind: Kind
    text_sealed: bytes
    made_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is shown of one: neither its words nor to whom it went."""

    id: UUID
    issue_id: UUID
    kind: Kind
    state: State
    made_at: datetime
    valid_until: datetime
    attempts: int
    settled_at: datetime | None
    reason: str | None
    receipt: Receipt | None
    receipt_at: datetime | None


def lock_reader(connection: Connection) -> tuple[bool, tuple[int, int] | None]:
    """Whether this transaction is the only one at it, and up to where the log was gone through, if ever."""
    row = connection.execute(
        "SELECT read_until_transaction, read_until_event FROM citizen_gateway FOR UPDATE SKIP LOCKED"
    ).fetchone()
    if row is None:
        return False, None
    return True, None if row[0] is None else (int(str(row[0])), int(str(row[1])))


def set_read_until(connection: Connection, place: tuple[int, int]) -> None:
    connection.execute("UPDATE citizen_gateway SET read_until_transaction = %s, read_until_event = %s", list(place))


def find_matter(connection: Connection, issue_id: UUID, *, since: datetime) -> Matter | None:
    """Of an issue what says whether its citizen is told; `told_today` counts since an instant, by the phone."""
    with connection.cursor(row_factory=class_row(Matter)) as cursor:
        return cursor.execute(
            f"""
            SELECT issue.id AS issue_id, issue.type, issue.source, issue.received_at, issue.closed_at, issue.outcome,
                   citizen.ref AS citizen_ref,
                   coalesce(CASE WHEN issue.is_told_apart THEN issue.told_phone ELSE citizen.phone END IS NOT NULL,
                            false) AS has_phone,
                   {WISH} AS wish,
                   (SELECT count(*)
                      FROM citizen_message AS earlier
                     WHERE earlier.made_at > %(since)s
                       AND (earlier.citizen_ref = citizen.ref
                            OR earlier.citizen_ref IN (
                               SELECT same.citizen_ref
                                 FROM citizen_handle AS own
                                 JOIN citizen_handle AS same ON same.digest = own.digest AND same.kind = 'phone'
                                WHERE own.citizen_ref = citizen.ref
                                  AND own.kind = 'phone'))) AS told_today,
                   NOT EXISTS (SELECT 1 FROM rating WHERE rating.issue_id = issue.id)
                   AND NOT EXISTS (SELECT 1
                                     FROM rating_invitation AS asked
                                    WHERE asked.issue_id = issue.id
                                      AND asked.state = 'made') AS may_rate
              FROM issue
              LEFT JOIN citizen ON citizen.ref = issue.citizen_ref AND citizen.state = 'active'
             WHERE issue.id = %(id)s
            """,  # noqa: S608 - a constant of this file
            {"id": issue_id, "since": since},
        ).fetchone()


def is_made(connection: Connection, event_id: UUID) -> bool:
    return connection.execute("SELECT 1 FROM citizen_message WHERE event_id = %s", [event_id]).fetchone() is not None


def get_wrapped_key(connection: Connection, citizen_ref: UUID) -> bytes | None:
    row = connection.execute("SELECT wrapped FROM citizen_key WHERE citizen_ref = %s", [citizen_ref]).fetchone()
    return bytes(row[0]) if row and isinstance(row[0], bytes) else None


def insert_message(connection: Connection, message: NewMessage) -> bool:
    """Return whether it is new: of one event a citizen is told once."""
    return (
        connection.execute(
            """
            INSERT INTO citizen_message (id, event_id, citizen_ref, issue_id, kind, text_sealed, state, made_at,
                                         next_attempt_at, valid_until)
            VALUES (%(id)s, %(event)s, %(citizen)s, %(issue)s, %(kind)s, %(text)s, 'due', %(at)s, %(at)s, %(until)s)
                ON CONFLICT (event_id) DO NOTHING
            """,
            {
                "id": message.id,
                "event": message.event_id,
                "citizen": message.citizen_ref,
                "issue": message.issue_id,
                "kind": message.kind,
                "text": message.text_sealed,
                "at": message.made_at,
                "until": message.valid_until,
            },
        ).rowcount
        == 1
    )


_COLUMNS: Final = (
    "id", "issue_id", "kind", "state", "made_at", "valid_until", "attempts", "settled_at", "reason", "receipt",
    "receipt_at",
)  # fmt: skip
_SHOWN = ", ".join(_COLUMNS)


def list_of_issue(connection: Connection, issue_id: UUID) -> list[Message]:
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"SELECT {_SHOWN} FROM citizen_message WHERE issue_id = %s ORDER BY made_at, id",  # noqa: S608 - a constant
            [issue_id],
        ).fetchall()


def list_messages(connection: Connection, *, state: State | None, after: Place | None, limit: int) -> list[Message]:
    """Within reach, the newest first, on citizen_message_owner or citizen_message_owner_state; for whoever reaches more
    than units on citizen_message_made or citizen_message_state.
    """
    listed = Listed(
        table="citizen_message",
        columns=_COLUMNS,
        where="true" if state is None else "state = %(state)s",
        order=("made_at", "id"),
        newest_first=True,
        is_own_seen=True,
    )
    page = find_page(connection, listed, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(page.query, page.parameters | {"state": state}).fetchall()


def find_message(connection: Connection, message_id: UUID) -> Message | None:
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"SELECT {_SHOWN} FROM citizen_message WHERE id = %s",  # noqa: S608 - a constant
            [message_id],
        ).fetchone()


def set_due_by_hand(connection: Connection, message_id: UUID, *, now: datetime, valid_until: datetime) -> bool:
    """Have it tried anew, under the same id. False for what is under way, arrived, or says nothing any more."""
    return (
        connection.execute(
            """
            UPDATE citizen_message
               SET state = 'due', settled_at = NULL, next_attempt_at = %(now)s, valid_until = %(until)s, reason = NULL,
                   attempts_before = attempts
             WHERE id = %(id)s
               AND text_sealed IS NOT NULL
               AND (state IN ('failed', 'expired') OR (state = 'sent' AND receipt = 'undelivered'))
            """,
            {"now": now, "until": valid_until, "id": message_id},
        ).rowcount
        == 1
    )


def measure_open(connection: Connection, *, now: datetime) -> tuple[int, float]:
    """How many wait to be sent, and for how many seconds the oldest has."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM %s - min(made_at)), 0)::float8
          FROM citizen_message
         WHERE state IN ('due', 'claimed')
        """,
        [now],
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
