"""Accounts that a staff system keeps, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import errors, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.identity.domain.accounts import AccountStatus, NameTaken
from services.identity.domain.roster import (
    AllOf,
    AnyOf,
    Condition,
    HasText,
    IsAccount,
    IsActive,
    IsBetween,
    Text,
)
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterUserRow:
    """`groups` are objects of `value` and `display`."""

    account_id: UUID
    name: str
    status: AccountStatus
    staff_number: str | None
    external_id: str | None
    attributes: dict[str, Any]
    version: int
    created_at: datetime
    changed_at: datetime
    groups: list[dict[str, str]]


# Columns by the names that a condition has for them. A list's whole text is looked through.
TEXTS: Final[Mapping[Text, sql.SQL]] = {
    "name": sql.SQL("account.name"),
    "external_id": sql.SQL("roster_user.external_id"),
    "staff_number": sql.SQL("account.staff_number"),
    "display_name": sql.SQL("roster_user.attributes ->> 'displayName'"),
    "family_name": sql.SQL("roster_user.attributes #>> '{name,familyName}'"),
    "given_name": sql.SQL("roster_user.attributes #>> '{name,givenName}'"),
    "formatted": sql.SQL("roster_user.attributes #>> '{name,formatted}'"),
    "title": sql.SQL("roster_user.attributes ->> 'title'"),
    "department": sql.SQL(
        "roster_user.attributes #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,department}'"
    ),
    "emails": sql.SQL("roster_user.attributes ->> 'emails'"),
    "phone_numbers": sql.SQL("roster_user.attributes ->> 'phoneNumbers'"),
}
INSTANTS: Final = {"created_at": sql.SQL("roster_user.created_at"), "changed_at": sql.SQL("roster_user.changed_at")}


def insert_user(
    connection: Connection,
    account_id: UUID,
    *,
    external_id: str | None,
    attributes: dict[str, Any],
    now: datetime,
) -> None:
    connection.execute(
        """
        INSERT INTO roster_user (account_id, external_id, attributes, created_at, changed_at)
        VALUES (%s, %s, %s, %s, %s)
        """,
        [account_id, external_id, Jsonb(attributes), now, now],
    )


def list_users(
    connection: Connection, condition: Condition | None = None, *, offset: int, limit: int
) -> list[RosterUserRow]:
    """In the order in which they were made."""
    query = sql.SQL(
        """
        SELECT roster_user.account_id, account.name, account.status, account.staff_number, roster_user.external_id,
               roster_user.attributes, roster_user.version, roster_user.created_at, roster_user.changed_at,
               coalesce((SELECT jsonb_agg(jsonb_build_object('value', roster_group.id,
                                                             'display', roster_group.display_name)
                                          ORDER BY roster_group.id)
                           FROM roster_member
                           JOIN roster_group ON roster_group.id = roster_member.group_id
                          WHERE roster_member.account_id = roster_user.account_id), '[]') AS groups
          FROM roster_user
          JOIN account ON account.id = roster_user.account_id
         WHERE {condition}
         ORDER BY roster_user.created_at, roster_user.account_id
        OFFSET {offset}
         LIMIT {limit}
        """
    )
    with connection.cursor(row_factory=class_row(RosterUserRow)) as cursor:
        return cursor.execute(query.format(condition=_where(condition), offset=offset, limit=limit)).fetchall()


def count_users(connection: Connection, condition: Condition | None = None) -> int:
    query = sql.SQL(
        """
        SELECT count(*)
          FROM roster_user
          JOIN account ON account.id = roster_user.account_id
         WHERE {}
        """
    )
    row = connection.execute(query.format(_where(condition))).fetchone()
    return int(str(row[0])) if row else 0


def _where(condition: Condition | None) -> sql.Composable:
    """Values are literals that psycopg has quoted: a condition has no fixed number of them."""
    match condition:
        case None:
            return sql.SQL("true")
        case AllOf(conditions):
            return sql.SQL("({})").format(sql.SQL(" AND ").join(map(_where, conditions)))
        case AnyOf(conditions):
            return sql.SQL("({})").format(sql.SQL(" OR ").join(map(_where, conditions)))
        case _:
            return _holds(condition)


def _holds(condition: HasText | IsAccount | IsActive | IsBetween) -> sql.Composable:
    match condition:
        case IsAccount(account_id):
            return sql.SQL("roster_user.account_id = {}").format(account_id)
        case IsActive(value):
            told = "account.status <> 'active' OR roster_user.attributes @> '{\"active\": false}'"
            return sql.SQL("account.status = 'active'" if value else f"({told})")
        case IsBetween():
            return _between(condition)
        case HasText():
            return _has_text(condition)


def _between(condition: IsBetween) -> sql.Composable:
    query = sql.SQL(
        "{column} BETWEEN coalesce({since}::timestamptz, '-infinity') AND coalesce({until}::timestamptz, 'infinity')"
    )
    return query.format(column=INSTANTS[condition.column], since=condition.since, until=condition.until)


def _has_text(condition: HasText) -> sql.Composable:
    """Names are kept in small letters, which is what their index lives on."""
    if condition.column == "name" and condition.how == "equals":
        return sql.SQL("account.name = {}").format(condition.value.lower())
    pattern = condition.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    before = "%" if condition.how in {"holds", "ends"} else ""
    after = "%" if condition.how in {"holds", "begins"} else ""
    return sql.SQL("{} ILIKE {}").format(TEXTS[condition.column], f"{before}{pattern}{after}")


def lock_user(connection: Connection, account_id: UUID) -> int | None:
    """Its version, under a lock until the end of the transaction; None where the roster has no such user."""
    row = connection.execute(
        "SELECT version FROM roster_user WHERE account_id = %s FOR UPDATE", [account_id]
    ).fetchone()
    return int(str(row[0])) if row else None


def set_user(
    connection: Connection,
    account_id: UUID,
    *,
    external_id: str | None,
    attributes: dict[str, Any],
    now: datetime,
) -> None:
    connection.execute(
        """
        UPDATE roster_user
           SET external_id = %s, attributes = %s, version = version + 1, changed_at = %s
         WHERE account_id = %s
        """,
        [external_id, Jsonb(attributes), now, account_id],
    )


def rename_account(connection: Connection, account_id: UUID, name: str, *, now: datetime) -> None:
    """Raises NameTaken."""
    try:
        with connection.transaction():
            connection.execute(
                "UPDATE account SET name = %s, changed_at = %s, version = version + 1 WHERE id = %s AND name <> %s",
                [name, now, account_id, name],
            )
    except errors.UniqueViolation:
        raise NameTaken("there is an account of this name") from None


def delete_user(connection: Connection, account_id: UUID) -> None:
    """The account itself stays, for the audit names it."""
    connection.execute("DELETE FROM roster_user WHERE account_id = %s", [account_id])


def find_person(connection: Connection, staff_number: str, *, but: UUID) -> str | None:
    """The person to whom another account of this staff number belongs."""
    row = connection.execute(
        "SELECT person_id FROM account WHERE staff_number = %s AND id <> %s ORDER BY created_at LIMIT 1",
        [staff_number, but],
    ).fetchone()
    return str(row[0]) if row else None


def list_holders(connection: Connection, account_ids: list[UUID], roles: list[str]) -> list[UUID]:
    """Those of the accounts whose person holds one of the roles, be it in another account."""
    return [
        UUID(str(row[0]))
        for row in connection.execute(
            """
            SELECT account.id
              FROM account
             WHERE account.id = ANY (%s)
               AND EXISTS (SELECT 1
                             FROM role_grant
                            WHERE role_grant.person_id = account.person_id
                              AND role_grant.role = ANY (%s))
            """,
            [account_ids, roles],
        )
    ]
