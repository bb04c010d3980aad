"""What gateways tell afterwards of what they took: every receipt is kept, and the latest says how it stands."""

from datetime import datetime
from uuid import UUID

from shared.database import Connection
from shared.gateways.receipts import Receipt


def lock_delivery(connection: Connection, channel: str, reference: str, own_id: UUID | None) -> UUID | None:
    """By our own id, which a gateway was given, or by what it calls the message itself. Receipts of one wait here."""
    row = connection.execute(
        """
        SELECT id
          FROM delivery
         WHERE channel = %s
           AND (id = %s OR reference = %s)
         LIMIT 1
           FOR NO KEY UPDATE
        """,
        [channel, own_id, reference],
    ).fetchone()
    return UUID(str(row[0])) if row else None


def insert_receipt(
    connection: Connection,
    delivery_id: UUID,
    state: Receipt,
    *,
    reported_at: datetime,
    heard_at: datetime,
) -> bool:
    """Return whether it is new. False for a repeat."""
    return (
        connection.execute(
            """
            INSERT INTO delivery_receipt (delivery_id, state, reported_at, heard_at)
            VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [delivery_id, state, reported_at, heard_at],
        ).rowcount
        == 1
    )


def set_receipt(connection: Connection, delivery_id: UUID) -> None:
    """How it stands is what was reported last; of two of one instant the bad news."""
    connection.execute(
        """
        UPDATE delivery
           SET (receipt, receipt_at) = (
               SELECT state, reported_at
                 FROM delivery_receipt
                WHERE delivery_receipt.delivery_id = delivery.id
                ORDER BY reported_at DESC, state DESC
                LIMIT 1)
         WHERE id = %s
        """,
        [delivery_id],
    )
