"""Who looks after endpoints, and what there is to tell them: what was switched off, what fails, which keys end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.attempts import BREAKS_AFTER
from shared.database import Connection

Occasion = Literal["disabled", "failing", "key_ends"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing about one endpoint. `since` tells it from what was so before; `key_id` where it is of a key."""

    occasion: Occasion
    endpoint_id: UUID
    key_id: UUID | None
    since: datetime
    url: str
    agreement: str
    because: str | None
    organisation_id: UUID | None
    owner_account_id: UUID
    owner_staff_number: str | None


def set_owner_of_endpoint(
    connection: Connection, endpoint_id: UUID, account_id: UUID, staff_number: str | None
) -> None:
    """Who is known already stays."""
    connection.execute(
        """
        UPDATE webhook_endpoint
           SET owner_account_id = %(account)s, owner_staff_number = %(number)s
         WHERE id = %(id)s
           AND owner_account_id IS NULL
        """,
        {"account": account_id, "number": staff_number, "id": endpoint_id},
    )


def set_owner_of_agreement(
    connection: Connection, agreement_id: UUID, account_id: UUID, staff_number: str | None
) -> None:
    connection.execute(
        "UPDATE agreement SET owner_account_id = %s, owner_staff_number = %s WHERE id = %s",
        [account_id, staff_number, agreement_id],
    )


def list_concerns(
    connection: Connection, *, since: datetime, failing_before: datetime, key_ends_before: datetime, now: datetime
) -> list[Concern]:
    """Of endpoints whose owner is known. What was switched off longer ago than `since` is no news any more."""
    with connection.cursor(row_factory=class_row(Concern)) as cursor:
        return cursor.execute(
            """
            WITH owned AS (
                SELECT endpoint.*, agreement.number AS agreement, agreement.organisation_id AS agreed_for,
                       CASE WHEN endpoint.owner_account_id IS NULL THEN agreement.owner_account_id
                            ELSE endpoint.owner_account_id END AS account_id,
                       CASE WHEN endpoint.owner_account_id IS NULL THEN agreement.owner_staff_number
                            ELSE endpoint.owner_staff_number END AS staff_number
                  FROM webhook_endpoint AS endpoint
                  JOIN agreement ON agreement.id = endpoint.agreement_id
                 WHERE endpoint.status IN ('active', 'disabled')
                   AND agreement.status = 'agreed'
                   AND agreement.valid_until > %(now)s)
            SELECT 'disabled' AS occasion, id AS endpoint_id, NULL::uuid AS key_id, disabled_at AS since, url,
                   agreement, disabled_because AS because, agreed_for AS organisation_id,
                   account_id AS owner_account_id, staff_number AS owner_staff_number
              FROM owned
             WHERE account_id IS NOT NULL
               AND status = 'disabled'
               AND disabled_at > %(since)s
             UNION ALL
            SELECT 'failing', id, NULL, failing_since, url, agreement, NULL, agreed_for, account_id, staff_number
              FROM owned
             WHERE account_id IS NOT NULL
               AND status = 'active'
               AND failures >= %(broken)s
               AND failing_since <= %(failing_before)s
             UNION ALL
            SELECT 'key_ends', owned.id, key.id, retires_at, url, agreement, key.kind, agreed_for, account_id,
                   staff_number
              FROM owned
              JOIN webhook_key AS key ON key.endpoint_id = owned.id
             WHERE account_id IS NOT NULL
               AND retires_at > %(now)s
               AND retires_at <= %(key_ends_before)s
             ORDER BY 2, 1, 4
            """,
            {
                "now": now,
                "since": since,
                "broken": BREAKS_AFTER,
                "failing_before": failing_before,
                "key_ends_before": key_ends_before,
            },
        ).fetchall()


def set_told(connection: Connection, endpoint_id: UUID, *, at: datetime) -> None:
    connection.execute(
        "UPDATE webhook_endpoint SET owner_told_at = coalesce(owner_told_at, %s) WHERE id = %s AND status = 'disabled'",
        [at, endpoint_id],
    )
