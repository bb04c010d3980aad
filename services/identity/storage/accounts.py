"""Accounts of people, and the roles granted to them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from psycopg import errors
from psycopg.rows import class_row

from services.identity.domain.accounts import (
    Account,
    AccountStatus,
    GrantableRole,
    IncompatibleRoles,
    NameTaken,
    RoleGrant,
    UnknownAccount,
)
from shared.database import Connection


def insert_account(connection: Connection, account: Account) -> None:
    """Raises NameTaken."""
    inserted = connection.execute(
        """
        INSERT INTO account (id, name, display_name, person_id, staff_number, status, created_at, changed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (name) DO NOTHING
        """,
        [
            account.id,
            account.name,
            account.display_name,
            account.person_id,
            account.staff_number,
            account.status,
            account.created_at,
            account.changed_at,
        ],
    ).rowcount
    if not inserted:
        raise NameTaken("there is an account of this name")


def find_account(connection: Connection, account_id: UUID) -> Account | None:
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, display_name, person_id, staff_number, status, created_at, changed_at, version
              FROM account
             WHERE id = %s
            """,
            [account_id],
        ).fetchone()


def lock_account(connection: Connection, account_id: UUID) -> Account:
    """Whatever counts per account is decided under this lock. Raises UnknownAccount."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        account = cursor.execute(
            """
            SELECT id, name, display_name, person_id, staff_number, status, created_at, changed_at, version
              FROM account
             WHERE id = %s
               FOR UPDATE
            """,
            [account_id],
        ).fetchone()
    if account is None:
        raise UnknownAccount("there is no such account")
    return account


def find_account_by_name(connection: Connection, name: str) -> Account | None:
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, display_name, person_id, staff_number, status, created_at, changed_at, version
              FROM account
             WHERE name = %s
            """,
            [name],
        ).fetchone()


def list_accounts(connection: Connection, *, after: str, limit: int) -> list[Account]:
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, display_name, person_id, staff_number, status, created_at, changed_at, version
              FROM account
             WHERE name > %s
             ORDER BY name
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()


def set_status(connection: Connection, account_id: UUID, status: AccountStatus, *, at: datetime) -> bool:
    """Return whether it changed."""
    return (
        connection.execute(
            "UPDATE account SET status = %s, changed_at = %s, version = version + 1 WHERE id = %s AND status <> %s",
            [status, at, account_id, status],
        ).rowcount
        == 1
    )


def set_person(
    connection: Connection,
    account_id: UUID,
    *,
    display_name: str,
    person_id: str,
    staff_number: str | None,
    at: datetime,
) -> None:
    """Raises IncompatibleRoles where the roles of the person's accounts may not come together."""
    try:
        connection.execute(
            """
            UPDATE account
               SET display_name = %s,
                   person_id = %s,
                   staff_number = %s,
                   changed_at = %s,
                   version = version + 1
             WHERE id = %s
            """,
            [display_name, person_id, staff_number, at, account_id],
        )
    except errors.UniqueViolation:
        raise IncompatibleRoles("the accounts of one person may not hold these roles together") from None


def insert_grant(connection: Connection, grant: RoleGrant) -> bool:
    """Return whether it is new. Raises IncompatibleRoles."""
    try:
        return (
            connection.execute(
                """
                INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at, granted_by)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                    ON CONFLICT (account_id, role, organisation_code) DO NOTHING
                """,
                [
                    grant.id,
                    grant.account_id,
                    grant.person_id,
                    grant.role,
                    grant.organisation_code,
                    grant.granted_at,
                    grant.granted_by,
                ],
            ).rowcount
            == 1
        )
    except errors.UniqueViolation:
        raise IncompatibleRoles(
            "one person holds at most one of operations, security_administrator and auditor"
        ) from None


def list_grants(connection: Connection, account_ids: list[UUID]) -> list[RoleGrant]:
    with connection.cursor(row_factory=class_row(RoleGrant)) as cursor:
        return cursor.execute(
            """
            SELECT id, account_id, person_id, role, organisation_code, granted_at, granted_by
              FROM role_grant
             WHERE account_id = ANY (%s)
             ORDER BY role, organisation_code NULLS FIRST
            """,
            [account_ids],
        ).fetchall()


def holds_one_of(connection: Connection, person_id: str, roles: Collection[str]) -> bool:
    """Whether the person does, by whichever account."""
    return (
        connection.execute(
            "SELECT 1 FROM role_grant WHERE person_id = %s AND role = ANY (%s) LIMIT 1", [person_id, sorted(roles)]
        ).fetchone()
        is not None
    )


def delete_grant(connection: Connection, account_id: UUID, grant_id: UUID) -> RoleGrant | None:
    """Return what was taken away."""
    with connection.cursor(row_factory=class_row(RoleGrant)) as cursor:
        return cursor.execute(
            """
               DELETE FROM role_grant
                WHERE id = %s AND account_id = %s
            RETURNING id, account_id, person_id, role, organisation_code, granted_at, granted_by
            """,
            [grant_id, account_id],
        ).fetchone()


def lock_administrators(connection: Connection) -> None:
    """One maker of first administrators at a time, until the transaction ends."""
    connection.execute("LOCK TABLE role_grant IN SHARE ROW EXCLUSIVE MODE")


def has_active_holder(connection: Connection, role: GrantableRole) -> bool:
    return (
        connection.execute(
            """
            SELECT 1
              FROM role_grant
              JOIN account ON account.id = role_grant.account_id
             WHERE role_grant.role = %s AND account.status = 'active'
             LIMIT 1
            """,
            [role],
        ).fetchone()
        is not None
    )
