"""What signing in and keeping accounts leaves in the audit, and what it never does."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from services.identity.domain.sessions import BadCredentials
from services.identity.handlers import administration, own, sign_ins
from services.identity.handlers.desk import digest_of, system
from shared.access.principal import Principal
from shared.reach import Reach, acting
from tests.integration.identity.conftest import NOW, PASSWORD

pytestmark = pytest.mark.integration
ADMINISTRATOR = Reach(kind="everywhere", actor="zhang.san", role="security_administrator")


def audited(pool: Any) -> list[Any]:
    with system(pool) as connection:
        return connection.execute("SELECT action, actor, decision, details FROM audit_record ORDER BY seq").fetchall()


def test_signing_in_stepping_up_and_out_are_kept(desk, pool, add_account, caller):
    account = add_account()
    with pytest.raises(BadCredentials):
        sign_ins.sign_in(desk, account.name, "secret-typed-1", caller=caller)
    with pytest.raises(BadCredentials):
        sign_ins.sign_in(desk, "secret-typed-2", "x", caller=caller)
    token = sign_ins.sign_in(desk, account.name, PASSWORD, caller=caller).session_token or ""
    with system(pool) as connection:
        row = connection.execute("SELECT * FROM resolve_session(%s, %s)", [digest_of(token), NOW]).fetchone()
    assert row is not None
    principal = Principal(account_id=row[0], name=row[1], person_id=row[2], session_id=row[4])  # type: ignore[arg-type] # as the function has them
    with pytest.raises(BadCredentials):
        own.step_up(desk, principal, password="wrong", code=None, now=NOW)
    token = own.step_up(desk, principal, password=PASSWORD, code=None, now=NOW + timedelta(minutes=1))
    with acting(Reach(kind="scoped", actor=account.name, account_id=account.id, role="self")):
        own.sign_out(desk, token, now=NOW)

    lines = audited(pool)

    assert [(action, actor, decision) for action, actor, decision, _ in lines] == [
        ("sign_in.refused", "li.na", "denied"),
        ("sign_in.refused", "nobody", "denied"),
        ("session.opened", "li.na", "allowed"),
        ("step_up.refused", "li.na", "denied"),
        ("step_up.given", "li.na", "allowed"),
        ("session.closed", "li.na", "allowed"),
    ]
    assert lines[0][3] == {"method": "password", "network": "203.0.113.0/24"}
    assert "secret-typed" not in repr(lines)


def test_what_an_administrator_does_is_kept_in_the_administrators_name(desk, pool, add_account):
    administrator = add_account("zhang.san")
    principal = Principal(account_id=administrator.id, name="zhang.san", person_id=administrator.person_id)
    with acting(ADMINISTRATOR):
        account, one_time = administration.create_account(
            desk, administration.NewAccount(name="wang.wu", display_name="王五"), now=NOW
        )
        grant, _ = administration.grant_role(desk, principal, account.id, "clerk", "3301", now=NOW)
        administration.revoke_role(desk, principal, account.id, grant.id)
        second = administration.reset_password(desk, principal, account.id, now=NOW)
        administration.set_status(desk, principal, account.id, "disabled", now=NOW)

    lines = audited(pool)

    assert [line[0] for line in lines] == [
        "account.created",
        "grant.given",
        "grant.revoked",
        "password.reset",
        "account.status_set",
    ]
    assert {line[1] for line in lines} == {"zhang.san"}
    assert lines[1][3] == {"role": "clerk", "organisation": "3301"}
    assert one_time is not None
    assert one_time not in repr(lines)
    assert second not in repr(lines)


def test_nobody_signs_in_where_it_cannot_be_recorded(desk, database, pool, add_account, caller):
    account = add_account()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("REVOKE EXECUTE ON FUNCTION append_audit(jsonb) FROM PUBLIC, test_identity")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sign_ins.sign_in(desk, account.name, PASSWORD, caller=caller)

    with system(pool) as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (0,)
