"""Migrations that take something: what an earlier release left is there before them."""

from datetime import UTC, datetime

import psycopg
import pytest

from shared.database import migrate, open_pool
from shared.identifiers import new_id
from tests.stock import ROOT, Database, Stock

pytestmark = pytest.mark.integration
MIGRATIONS = ROOT / "services" / "identity" / "migrations"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def fill(database: Database) -> None:
    """Two accounts; each role given once by a person and once, where it could be, by a roster."""
    pool = open_pool(database.url, size=1, application="test", system=True)
    with pool.connection() as connection, connection.transaction():
        for name in ("an.ning", "wang.wei"):
            account = new_id()
            connection.execute(
                "INSERT INTO account (id, name, display_name, person_id, status, created_at, changed_at)"
                " VALUES (%s, %s, %s, %s, 'active', %s, %s)",
                [account, name, name, name, NOW, NOW],
            )
            for role in ("clerk", "department_officer"):
                for by in ("somebody", "roster:scim"):
                    code = "330102" if by == "somebody" else "330103"
                    connection.execute(
                        "INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at,"
                        " granted_by) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                        [new_id(), account, name, role, code, NOW, by],
                    )
        for given in ("clerk", "department_officer", None):
            connection.execute(
                "INSERT INTO roster_group (id, display_name, role, created_at, changed_at) VALUES (%s, %s, %s, %s, %s)",
                [new_id(), f"group of {given}", given, NOW, NOW],
            )
    pool.close()


def test_what_a_roster_gave_of_a_deciding_role_is_taken_and_nothing_else(stock: Stock) -> None:
    with stock.older("identity", before="0033") as database:
        fill(database)

        applied = migrate(database.owner_url, MIGRATIONS)

        assert applied[0] == "0033_keep_deciding_roles_from_rosters.sql"
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("SELECT set_config('lianxin.reach', 'system', true)")
            grants = owner.execute(
                "SELECT role, granted_by, count(*) FROM role_grant GROUP BY role, granted_by ORDER BY role, granted_by"
            ).fetchall()
            groups = owner.execute("SELECT display_name, role, version FROM roster_group ORDER BY 1").fetchall()
    assert grants == [("clerk", "roster:scim", 2), ("clerk", "somebody", 2), ("department_officer", "somebody", 2)]
    assert groups == [
        ("group of None", None, 1),
        ("group of clerk", "clerk", 1),
        ("group of department_officer", None, 2),
    ]


def test_no_roster_gives_a_deciding_role_again(stock: Stock) -> None:
    with stock.older("identity", before="0033") as database:
        migrate(database.owner_url, MIGRATIONS)

        statement = (
            "INSERT INTO roster_group (id, display_name, role, created_at, changed_at)"
            " VALUES (%s, 'g', 'department_officer', %s, %s)"
        )
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("SELECT set_config('lianxin.reach', 'system', true)")
            with pytest.raises(psycopg.errors.CheckViolation):
                owner.execute(statement, [new_id(), NOW, NOW])
