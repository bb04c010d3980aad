"""Messages to citizens as they are worked on: claimed under a lease, with the attempt entered before it is made."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.intake.storage.citizen_messages import WISH
from shared.database import Connection
from shared.gateways.circuits import Circuit
from shared.gateways.receipts import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One attempt at one message. Phone and text are still sealed."""

    message_id: UUID
    attempt: int
    citizen_ref: UUID
    text_sealed: bytes = field(repr=False)
    phone_sealed: bytes | None = field(repr=False)
    wrapped_key: bytes | None = field(repr=False)


def lock_gateway(connection: Connection, *, waits: bool) -> tuple[Circuit, datetime | None] | None:
    """Return its circuit and until when it is paced; None where somebody else holds it and nobody waits."""
    query = b"SELECT failures, openings, open_until, room, paced_until FROM citizen_gateway FOR UPDATE"
    row = connection.execute(query if waits else query + b" SKIP LOCKED").fetchone()
    if row is None:
        return None
    failures, openings, open_until, room, paced_until = row
    circuit = Circuit(
        failures=int(str(failures)),
        openings=int(str(openings)),
        open_until=open_until if isinstance(open_until, datetime) else None,
        room=int(str(room)) if room is not None else None,
    )
    return circuit, paced_until if isinstance(paced_until, datetime) else None


def set_circuit(connection: Connection, circuit: Circuit) -> None:
    connection.execute(
        "UPDATE citizen_gateway SET failures = %s, openings = %s, open_until = %s, room = %s",
        [circuit.failures, circuit.openings, circuit.open_until, circuit.room],
    )


def set_pace(connection: Connection, *, until: datetime) -> None:
    connection.execute("UPDATE citizen_gateway SET paced_until = %s", [until])


def settle_hopeless(connection: Connection, *, now: datetime, attempts_max: int) -> tuple[int, int, int]:
    """End what is too old, was tried too often, or is not wanted any more: so many expired, failed and withdrawn."""
    expired = connection.execute(
        """
        UPDATE citizen_message
           SET state = 'expired', settled_at = %(now)s,
               reason = left('expired' || coalesce(', last: ' || reason, ''), 200)
         WHERE id IN (SELECT id
                        FROM citizen_message
                       WHERE state IN ('due', 'claimed')
                         AND valid_until <= %(now)s
                         AND (state = 'due' OR next_attempt_at <= %(now)s)
                         FOR UPDATE SKIP LOCKED)
        """,
        {"now": now},
    ).rowcount
    failed = connection.execute(
        """
        UPDATE citizen_message
           SET state = 'failed', settled_at = %(now)s,
               reason = left('attempts exhausted' || coalesce(', last: ' || reason, ''), 200)
         WHERE id IN (SELECT id
                        FROM citizen_message
                       WHERE state IN ('due', 'claimed')
                         AND next_attempt_at <= %(now)s
                         AND attempts - attempts_before >= %(most)s
                         FOR UPDATE SKIP LOCKED)
        """,
        {"now": now, "most": attempts_max},
    ).rowcount
    withdrawn = connection.execute(
        f"""
        UPDATE citizen_message
           SET state = 'withdrawn', settled_at = %(now)s, reason = 'not wanted any more', text_sealed = NULL
         WHERE id IN (SELECT message.id
                        FROM citizen_message AS message
                        JOIN citizen ON citizen.ref = message.citizen_ref
                       WHERE message.state IN ('due', 'claimed')
                         AND message.next_attempt_at <= %(now)s
                         AND (citizen.state <> 'active' OR {WISH} IS FALSE)
                         FOR UPDATE OF message SKIP LOCKED)
        """,  # noqa: S608 - a constant of the room
        {"now": now},
        prepare=False,
    ).rowcount
    return expired, failed, withdrawn


def count_under_way(connection: Connection, *, now: datetime) -> int:
    row = connection.execute(
        "SELECT count(*) FROM citizen_message WHERE state = 'claimed' AND next_attempt_at > %s", [now]
    ).fetchone()
    return int(str(row[0])) if row else 0


def claim_due(connection: Connection, *, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Claim what is due, or whose lease ran out unheard, and enter the attempts. On citizen_message_open."""
    with connection.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(
            """
              WITH claimed AS (
                      UPDATE citizen_message
                         SET state = 'claimed', attempts = attempts + 1, next_attempt_at = %(until)s
                       WHERE id IN (SELECT id
                                      FROM citizen_message
                                     WHERE state IN ('due', 'claimed')
                                       AND next_attempt_at <= %(now)s
                                     ORDER BY next_attempt_at, made_at, id
                                     LIMIT %(limit)s
                                       FOR UPDATE SKIP LOCKED)
                   RETURNING id, issue_id, citizen_ref, attempts, text_sealed, made_at),
                   lost AS (
                      UPDATE citizen_message_attempt AS attempt
                         SET outcome = 'lost', ended_at = %(now)s
                        FROM claimed
                       WHERE attempt.message_id = claimed.id
                         AND attempt.outcome IS NULL),
                   begun AS (
                      INSERT INTO citizen_message_attempt (message_id, number, begun_at)
                      SELECT id, attempts, %(now)s FROM claimed)
            SELECT claimed.id AS message_id, claimed.attempts AS attempt, claimed.citizen_ref, claimed.text_sealed,
                   CASE WHEN issue.is_told_apart THEN issue.told_phone ELSE citizen.phone END AS phone_sealed,
                   citizen_key.wrapped AS wrapped_key
              FROM claimed
              JOIN issue ON issue.id = claimed.issue_id
              JOIN citizen ON citizen.ref = claimed.citizen_ref
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = claimed.citizen_ref
             ORDER BY claimed.made_at, claimed.id
            """,
            {"until": now + lease, "now": now, "limit": limit},
        ).fetchall()


def release(connection: Connection, item: Claimed, *, now: datetime) -> None:
    """Give back a claim whose attempt was not made, and do not count it."""
    connection.execute(
        "DELETE FROM citizen_message_attempt WHERE message_id = %s AND number = %s AND outcome IS NULL",
        [item.message_id, item.attempt],
    )
    connection.execute(
        """
        UPDATE citizen_message
           SET state = 'due', attempts = attempts - 1, next_attempt_at = %s
         WHERE id = %s AND state = 'claimed' AND attempts = %s
        """,
        [now, item.message_id, item.attempt],
    )


def end_attempt(connection: Connection, item: Claimed, *, at: datetime, outcome: str, reason: str | None) -> None:
    """Enter what became of an attempt, late or not: what was lost may still be heard."""
    connection.execute(
        """
        UPDATE citizen_message_attempt
           SET ended_at = %s, outcome = %s, reason = left(%s, 200)
         WHERE message_id = %s
           AND number = %s
           AND (outcome IS NULL OR outcome = 'lost')
        """,
        [at, outcome, reason, item.message_id, item.attempt],
    )


def set_sent(connection: Connection, message_id: UUID, *, at: datetime, reference: str | None = None) -> None:
    """Sent is sent, even where the lease had run out and somebody else has claimed the message since."""
    connection.execute(
        """
        UPDATE citizen_message
           SET state = 'sent', settled_at = %s, reason = NULL, reference = coalesce(%s, reference)
         WHERE id = %s AND state <> 'sent'
        """,
        [at, reference, message_id],
    )


def set_ended(connection: Connection, item: Claimed, state: str, *, at: datetime, reason: str | None) -> None:
    """Failed or withdrawn; unless another attempt has been claimed since, or it is settled: this comes too late."""
    connection.execute(
        """
        UPDATE citizen_message
           SET state = %s, settled_at = %s, reason = left(%s, 200)
         WHERE id = %s AND state = 'claimed' AND attempts = %s
        """,
        [state, at, reason, item.message_id, item.attempt],
    )


def set_due_again(connection: Connection, item: Claimed, *, next_attempt_at: datetime, reason: str | None) -> None:
    connection.execute(
        """
        UPDATE citizen_message
           SET state = 'due', next_attempt_at = %s, reason = coalesce(left(%s, 200), reason)
         WHERE id = %s AND state = 'claimed' AND attempts = %s
        """,
        [next_attempt_at, reason, item.message_id, item.attempt],
    )


def lock_message(connection: Connection, reference: str, own_id: UUID | None) -> UUID | None:
    """By our own id, which the gateway was given, or by what it calls the message. Receipts of one wait here."""
    row = connection.execute(
        "SELECT id FROM citizen_message WHERE id = %s OR reference = %s LIMIT 1 FOR NO KEY UPDATE",
        [own_id, reference],
    ).fetchone()
    return UUID(str(row[0])) if row else None


def insert_receipt(
    connection: Connection, message_id: UUID, state: Receipt, *, reported_at: datetime, heard_at: datetime
) -> bool:
    """Return whether it is new. How the message stands is what was reported last; of one instant the bad news."""
    is_new = (
        connection.execute(
            """
            INSERT INTO citizen_message_receipt (message_id, state, reported_at, heard_at)
            VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [message_id, state, reported_at, heard_at],
        ).rowcount
        == 1
    )
    if is_new:
        connection.execute(
            """
            UPDATE citizen_message
               SET (receipt, receipt_at) = (
                   SELECT state, reported_at
                     FROM citizen_message_receipt AS told
                    WHERE told.message_id = citizen_message.id
                    ORDER BY reported_at DESC, told.state DESC
                    LIMIT 1)
             WHERE id = %s
            """,
            [message_id],
        )
    return is_new
