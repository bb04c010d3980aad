"""Groups that a staff system keeps, their members, and the roles that come of membership, in SQL."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection

GRANTED_BY = "roster:scim"  # no account can be called so


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterGroupRow:
    """`members` are objects of `value`."""

    id: UUID
    display_name: str
    external_id: str | None
    role: str | None
    organisation_code: str | None
    version: int
    created_at: datetime
    changed_at: datetime
    members: list[dict[str, str]]


def insert_group(connection: Connection, group: RosterGroupRow) -> None:
    connection.execute(
        """
        INSERT INTO roster_group (id, display_name, external_id, role, organisation_code, created_at, changed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            group.id,
            group.display_name,
            group.external_id,
            group.role,
            group.organisation_code,
            group.created_at,
            group.changed_at,
        ],
    )


def set_group(connection: Connection, group: RosterGroupRow) -> None:
    connection.execute(
        """
        UPDATE roster_group
           SET display_name = %s, external_id = %s, role = %s, organisation_code = %s, version = version + 1,
               changed_at = %s
         WHERE id = %s
        """,
        [group.display_name, group.external_id, group.role, group.organisation_code, group.changed_at, group.id],
    )


def list_groups(
    connection: Connection, *, group_id: UUID | None = None, offset: int, limit: int
) -> list[RosterGroupRow]:
    """In the order in which they were made."""
    with connection.cursor(row_factory=class_row(RosterGroupRow)) as cursor:
        return cursor.execute(
            """
            SELECT roster_group.id, roster_group.display_name, roster_group.external_id, roster_group.role,
                   roster_group.organisation_code, roster_group.version, roster_group.created_at,
                   roster_group.changed_at,
                   coalesce((SELECT jsonb_agg(jsonb_build_object('value', roster_member.account_id)
                                              ORDER BY roster_member.account_id)
                               FROM roster_member
                              WHERE roster_member.group_id = roster_group.id), '[]') AS members
              FROM roster_group
             WHERE (%(id)s::uuid IS NULL OR roster_group.id = %(id)s)
             ORDER BY roster_group.created_at, roster_group.id
            OFFSET %(offset)s
             LIMIT %(limit)s
            """,
            {"id": group_id, "offset": offset, "limit": limit},
        ).fetchall()


def count_groups(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM roster_group").fetchone()
    return int(str(row[0])) if row else 0


def lock_group(connection: Connection, group_id: UUID) -> int | None:
    """Its version, under a lock until the end of the transaction; None where there is no such group."""
    row = connection.execute("SELECT version FROM roster_group WHERE id = %s FOR UPDATE", [group_id]).fetchone()
    return int(str(row[0])) if row else None


def delete_group(connection: Connection, group_id: UUID) -> bool:
    return connection.execute("DELETE FROM roster_group WHERE id = %s", [group_id]).rowcount == 1


def list_member_ids(connection: Connection, group_id: UUID) -> list[UUID]:
    rows = connection.execute("SELECT account_id FROM roster_member WHERE group_id = %s", [group_id])
    return [UUID(str(row[0])) for row in rows]


def set_members(connection: Connection, group_id: UUID, account_ids: list[UUID]) -> int:
    """Return how many there are afterwards: fewer than given where the roster does not have them all."""
    connection.execute(
        "DELETE FROM roster_member WHERE group_id = %s AND NOT account_id = ANY (%s)", [group_id, account_ids]
    )
    connection.execute(
        """
        INSERT INTO roster_member (group_id, account_id)
        SELECT %s, account_id
          FROM roster_user
         WHERE account_id = ANY (%s)
            ON CONFLICT DO NOTHING
        """,
        [group_id, account_ids],
    )
    return len(list_member_ids(connection, group_id))


def align_grants(connection: Connection, account_ids: list[UUID], *, now: datetime) -> None:
    """Let these accounts hold, of what a roster may give, exactly what their groups say. A repeat changes nothing.

    What a security administrator granted stays as it is, and is not granted a second time.
    """
    connection.execute(
        """
        DELETE FROM role_grant
         WHERE role_grant.account_id = ANY (%(accounts)s)
           AND role_grant.granted_by = %(by)s
           AND NOT EXISTS (SELECT 1
                             FROM roster_member
                             JOIN roster_group ON roster_group.id = roster_member.group_id
                            WHERE roster_member.account_id = role_grant.account_id
                              AND roster_group.role = role_grant.role
                              AND (roster_group.role = 'cadre' OR roster_group.organisation_code IS NOT NULL)
                              AND roster_group.organisation_code IS NOT DISTINCT FROM role_grant.organisation_code)
        """,
        {"accounts": account_ids, "by": GRANTED_BY},
    )
    connection.execute(
        """
        INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at, granted_by)
        SELECT DISTINCT ON (account.id, roster_group.role, roster_group.organisation_code)
               gen_random_uuid(), account.id, account.person_id, roster_group.role, roster_group.organisation_code,
               %(now)s::timestamptz, %(by)s
          FROM roster_member
          JOIN roster_group ON roster_group.id = roster_member.group_id
          JOIN account ON account.id = roster_member.account_id
         WHERE roster_member.account_id = ANY (%(accounts)s)
           AND roster_group.role IS NOT NULL
           AND (roster_group.role = 'cadre' OR roster_group.organisation_code IS NOT NULL)
            ON CONFLICT (account_id, role, organisation_code) DO NOTHING
        """,
        {"accounts": account_ids, "by": GRANTED_BY, "now": now},
    )
