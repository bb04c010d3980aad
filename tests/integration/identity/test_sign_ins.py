"""Signing in: who gets in, who does not learn why not, and whom strangers cannot slow down."""

import copy
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from services.identity.credentials import HashCost, PasswordHashing
from services.identity.domain.accounts import RoleGrant
from services.identity.domain.passwords import UsedPassword, WeakPassword
from services.identity.domain.sessions import BadCode, BadCredentials, NothingUnderWay, NotNeeded
from services.identity.handlers import own, sign_ins
from services.identity.handlers.choosing import put_one_time_password
from services.identity.handlers.codes import confirm, propose
from services.identity.handlers.desk import digest_of, system
from services.identity.storage import accounts, passwords
from shared.access.principal import Principal
from shared.ciphers import Undecipherable
from shared.errors import TooMany
from tests.integration.identity.conftest import NOW, PASSWORD

pytestmark = pytest.mark.integration
NEW_PASSWORD = "maple-harbour-cloud-7"
ELSEWHERE = "198.51.100.0/24"


def sign_in(*given: Any, **more: Any) -> Any:
    """Without a type, so that a test may use what it expects to be there."""
    return sign_ins.sign_in(*given, **more)


def later(caller, **more):
    return replace(caller, at=caller.at + timedelta(**more))


def resolve(pool, token, at=NOW):
    with system(pool) as connection:
        return connection.execute("SELECT * FROM resolve_session(%s, %s)", [digest_of(token), at]).fetchone()


def principal_of(pool, token, at=NOW):
    row = resolve(pool, token, at)
    return Principal(account_id=row[0], name=row[1], person_id=row[2], session_id=row[4], stepped_up_at=row[5])


def fail(desk, name, caller):
    with pytest.raises(BadCredentials):
        sign_in(desk, name, "not-the-password", caller=caller)


@pytest.mark.parametrize("typed", ["li.na", "LI.NA", "  Li.Na "])
def test_the_name_may_be_typed_in_any_case(desk, add_account, caller, typed):
    add_account("li.na")

    assert sign_in(desk, typed, PASSWORD, caller=caller).session_token


def test_whatever_is_wrong_the_answer_is_the_same(desk, add_account, caller, pool):
    add_account("disabled.one", status="disabled")
    add_account("known.one")
    no_password = add_account("no.password")
    with system(pool) as connection:
        connection.execute("DELETE FROM password WHERE account_id = %s", [no_password.id])
    told = set()

    for name, password in [
        ("nobody", PASSWORD),
        ("known.one", "not-the-password"),
        ("disabled.one", PASSWORD),
        ("no.password", PASSWORD),
        ("", PASSWORD),
        ("\u0130\ud800", PASSWORD),
    ]:
        with pytest.raises(BadCredentials) as refusal:
            sign_in(desk, name, password, caller=caller)
        told.add((type(refusal.value), refusal.value.code, refusal.value.detail))

    assert len(told) == 1


def test_an_unknown_name_costs_as_much_hashing_as_a_known_one(desk, add_account, caller):
    add_account()
    counting = _CountingHasher(desk.hashing._hasher)
    desk = replace(desk, hashing=copy.copy(desk.hashing))
    desk.hashing._hasher = counting

    fail(desk, "li.na", caller)
    fail(desk, "nobody", caller)

    assert counting.compared == 2


class _CountingHasher:
    def __init__(self, hasher):
        self._hasher, self.compared = hasher, 0

    def verify(self, stored, password):
        self.compared += 1
        return self._hasher.verify(stored, password)


def test_a_hash_of_another_cost_is_renewed_at_sign_in(desk, add_account, caller, pool):
    account = add_account()
    costlier = replace(desk, hashing=PasswordHashing(HashCost(memory_kib=2_048, passes=2, lanes=1)))

    assert sign_in(costlier, "li.na", PASSWORD, caller=caller).session_token

    with system(pool) as connection:
        stored = passwords.find_password(connection, account.id)
    assert stored is not None
    assert "m=2048,t=2,p=1" in stored.hash


def test_a_preset_session_is_ended_and_replaced_by_a_new_one(desk, add_account, caller, pool):
    add_account()
    first = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token

    second = sign_in(desk, "li.na", PASSWORD, caller=replace(caller, session=first)).session_token

    assert second != first
    assert resolve(pool, first) is None
    assert resolve(pool, second)


def test_an_identifier_that_somebody_else_chose_never_becomes_a_session(desk, add_account, caller, pool):
    add_account()
    planted = "A" * 43

    assert sign_in(desk, "li.na", PASSWORD, caller=replace(caller, session=planted)).session_token != planted
    assert resolve(pool, planted) is None


def test_a_third_session_ends_the_first(desk, add_account, caller, pool):
    add_account()
    first, second, third = (
        sign_in(desk, "li.na", PASSWORD, caller=later(caller, seconds=number)).session_token for number in range(3)
    )

    assert resolve(pool, first) is None
    assert resolve(pool, second)
    assert resolve(pool, third)


def test_many_sign_ins_at_once_leave_two_sessions(desk, add_account, caller, pool):
    account = add_account()
    known = sign_in(desk, "li.na", PASSWORD, caller=caller).device_token
    threads = [
        threading.Thread(
            target=sign_in, args=(desk, "li.na", PASSWORD), kwargs={"caller": replace(caller, device=known)}
        )
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with system(pool) as connection:
        row = connection.execute(
            "SELECT count(*) FROM session WHERE account_id = %s AND ended_at IS NULL", [account.id]
        ).fetchone()
    assert row == (2,)


def test_five_failures_and_then_one_a_minute(desk, add_account, caller):
    add_account()
    for _ in range(5):
        fail(desk, "li.na", caller)

    with pytest.raises(TooMany) as refusal:
        sign_in(desk, "li.na", PASSWORD, caller=caller)

    assert 1 <= refusal.value.retry_after_seconds <= 60
    assert sign_in(desk, "li.na", PASSWORD, caller=later(caller, seconds=61)).session_token


def test_right_passwords_use_nothing_up(desk, add_account, caller):
    add_account()
    for number in range(30):
        assert sign_in(desk, "li.na", PASSWORD, caller=later(caller, seconds=number)).session_token


def test_strangers_do_not_lock_the_owner_out(desk, add_account, caller):
    add_account()
    for number in range(40):
        stranger = replace(caller, network=f"10.0.{number}.0/24")
        try:
            fail(desk, "li.na", stranger)
        except TooMany:
            pytest.fail("each of them has one attempt")

    assert sign_in(desk, "li.na", PASSWORD, caller=replace(caller, network=ELSEWHERE)).session_token


def test_a_name_under_attack_has_one_attempt_a_network_instead_of_five(desk, add_account, caller):
    add_account()
    for number in range(25):
        fail(desk, "li.na", replace(caller, network=f"10.0.{number}.0/24"))
    fresh = replace(caller, network=ELSEWHERE)
    fail(desk, "li.na", fresh)

    with pytest.raises(TooMany):
        sign_in(desk, "li.na", "again-not-it", caller=fresh)


def test_a_familiar_browser_is_heard_while_its_network_is_refused(desk, add_account, caller):
    add_account()
    device = sign_in(desk, "li.na", PASSWORD, caller=caller).device_token
    for _ in range(5):
        fail(desk, "li.na", caller)
    with pytest.raises(TooMany):
        sign_in(desk, "li.na", PASSWORD, caller=caller)

    assert sign_in(desk, "li.na", PASSWORD, caller=replace(caller, device=device)).session_token


def test_a_familiar_browser_is_none_for_another_name(desk, add_account, caller):
    add_account("li.na")
    add_account("wang.wei")
    device = sign_in(desk, "wang.wei", PASSWORD, caller=caller).device_token
    for _ in range(5):
        fail(desk, "li.na", replace(caller, device=device))

    with pytest.raises(TooMany):
        sign_in(desk, "li.na", PASSWORD, caller=replace(caller, device=device))


def test_spraying_many_names_once_is_stopped_by_network_and_hurts_no_owner(desk, add_account, caller):
    add_account()
    refused = 0
    for number in range(200):
        try:
            sign_in(desk, f"user{number}", "Spring-Festival-1", caller=caller)
        except TooMany:
            refused += 1
        except BadCredentials:
            pass

    assert refused == 150
    assert sign_in(desk, "li.na", PASSWORD, caller=replace(caller, network=ELSEWHERE)).session_token


def give_one_time(desk, account, *, hours=72):
    with system(desk.pool) as connection:
        put_one_time_password(
            connection,
            account.id,
            desk.hashing.hash("one-time-password"),
            valid_until=NOW + timedelta(hours=hours),
            now=NOW,
        )


def test_a_password_that_somebody_gave_must_be_replaced_before_there_is_a_session(desk, add_account, caller, pool):
    give_one_time(desk, add_account())

    begun = sign_in(desk, "li.na", "one-time-password", caller=caller)
    assert (begun.need, begun.session_token) == ("new-password", None)
    assert resolve(pool, begun.unfinished_token) is None
    done = sign_ins.choose_password(desk, begun.unfinished_token, NEW_PASSWORD, caller=caller)

    assert resolve(pool, done.session_token)
    assert sign_in(desk, "li.na", NEW_PASSWORD, caller=caller).need is None
    fail(desk, "li.na", caller)


def test_a_password_that_somebody_gave_ends_by_itself(desk, add_account, caller):
    give_one_time(desk, add_account(), hours=1)

    with pytest.raises(BadCredentials):
        sign_in(desk, "li.na", "one-time-password", caller=later(caller, hours=1))


def test_an_obvious_password_and_the_last_five_are_refused(desk, add_account, caller):
    give_one_time(desk, add_account())
    token = sign_in(desk, "li.na", "one-time-password", caller=caller).unfinished_token

    with pytest.raises(WeakPassword):
        sign_ins.choose_password(desk, token, "li.na-password-2026", caller=caller)
    for known in ("one-time-password", PASSWORD):
        with pytest.raises(UsedPassword):
            sign_ins.choose_password(desk, token, known, caller=caller)


def test_after_five_others_a_password_may_come_again(desk, add_account, caller):
    account = add_account()
    now = NOW
    with system(desk.pool) as connection:
        for number in range(5):
            now += timedelta(seconds=1)
            stored: Any = passwords.find_password(connection, account.id)
            following = replace(stored, hash=desk.hashing.hash(f"another-word-{number}-x"), set_at=now)
            passwords.put_password(connection, following, remembered=4)
    token = sign_in(desk, "li.na", "another-word-4-x", caller=later(caller, minutes=1)).session_token
    principal = principal_of(desk.pool, token, at=NOW + timedelta(minutes=1))

    at = NOW + timedelta(minutes=1)
    own.change_password(desk, principal, password="another-word-4-x", new_password=PASSWORD, now=at)


def enrol(desk, account):
    with system(desk.pool) as connection:
        secret = propose(connection, desk, account, now=NOW).secret
        recovery = confirm(
            connection, desk, account, pyotp.TOTP(secret).at(NOW - timedelta(hours=1)), now=NOW - timedelta(hours=1)
        )
    return pyotp.TOTP(secret), recovery


def test_with_a_second_factor_the_password_alone_is_no_session(desk, add_account, caller, pool):
    totp, _ = enrol(desk, add_account())

    begun = sign_in(desk, "li.na", PASSWORD, caller=caller)
    assert (begun.need, begun.session_token) == ("code", None)
    done = sign_ins.give_code(desk, begun.unfinished_token, totp.at(NOW), caller=caller)

    assert resolve(pool, done.session_token)
    with pytest.raises(NothingUnderWay):
        sign_ins.give_code(desk, begun.unfinished_token, totp.at(NOW), caller=caller)


def test_a_code_is_good_once(desk, add_account, caller):
    totp, _ = enrol(desk, add_account())
    tokens = [sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token for _ in range(2)]
    sign_ins.give_code(desk, tokens[0], totp.at(NOW), caller=caller)

    with pytest.raises(BadCode):
        sign_ins.give_code(desk, tokens[1], totp.at(NOW), caller=caller)
    with pytest.raises(BadCode):
        sign_ins.give_code(desk, tokens[1], totp.at(NOW - timedelta(seconds=30)), caller=caller)


def test_of_two_who_give_the_same_code_at_once_one_gets_in(desk, add_account, caller):
    totp, _ = enrol(desk, add_account())
    tokens = [sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token for _ in range(4)]
    outcomes = []
    start = threading.Barrier(4)

    def give(token):
        start.wait()
        try:
            outcomes.append(sign_ins.give_code(desk, token, totp.at(NOW), caller=caller).session_token is not None)
        except BadCode:
            outcomes.append(False)

    threads = [threading.Thread(target=give, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False, False, False, True]


def test_five_wrong_codes_end_the_sign_in_and_slow_the_next_one_down(desk, add_account, caller):
    totp, _ = enrol(desk, add_account())
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token
    for _ in range(5):
        with pytest.raises(BadCode):
            sign_ins.give_code(desk, token, "000000", caller=caller)

    with pytest.raises(NothingUnderWay):
        sign_ins.give_code(desk, token, totp.at(NOW), caller=caller)
    following = sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token
    with pytest.raises(TooMany):
        sign_ins.give_code(desk, following, totp.at(NOW), caller=caller)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "１２３４５６", "abcdef", "12345\n", "-1e005"])
def test_what_is_no_code_is_a_wrong_code(desk, add_account, caller, code):
    enrol(desk, add_account())
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token

    with pytest.raises(BadCode):
        sign_ins.give_code(desk, token, code, caller=caller)


def test_a_recovery_code_replaces_a_lost_device_once(desk, add_account, caller):
    _, recovery = enrol(desk, add_account())
    tokens = [sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token for _ in range(2)]

    assert sign_ins.give_code(desk, tokens[0], recovery[0].upper(), caller=caller).session_token
    with pytest.raises(BadCode):
        sign_ins.give_code(desk, tokens[1], recovery[0], caller=caller)


def test_a_sign_in_under_way_ends_after_ten_minutes(desk, add_account, caller):
    totp, _ = enrol(desk, add_account())
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).unfinished_token
    late = later(caller, minutes=10)

    with pytest.raises(NothingUnderWay):
        sign_ins.give_code(desk, token, totp.at(late.at), caller=late)


def test_a_step_cannot_be_taken_before_its_turn(desk, add_account, caller):
    account = add_account()
    enrol(desk, account)
    give_one_time(desk, account)
    token = sign_in(desk, "li.na", "one-time-password", caller=caller).unfinished_token

    with pytest.raises(NotNeeded):
        sign_ins.choose_password(desk, token, NEW_PASSWORD, caller=caller)


def test_a_role_may_ask_for_a_second_factor_which_is_then_set_up_at_sign_in(desk, add_account, caller, pool):
    account = add_account()
    asking = replace(desk, second_factor_roles=frozenset({"auditor"}))
    with system(pool) as connection:
        accounts.insert_grant(
            connection,
            RoleGrant(
                id=desk.new_id(),
                account_id=account.id,
                person_id=account.person_id,
                role="auditor",
                organisation_code=None,
                granted_at=NOW,
                granted_by="test",
            ),
        )

    begun = sign_in(asking, "li.na", PASSWORD, caller=caller)
    assert begun.need == "second-factor"
    proposal = sign_ins.propose_factor(asking, begun.unfinished_token, caller=caller)
    done = sign_ins.confirm_factor(asking, begun.unfinished_token, pyotp.TOTP(proposal.secret).at(NOW), caller=caller)

    assert resolve(pool, done.session_token)
    assert len(set(done.recovery_codes)) == 10


def test_the_secret_of_one_account_does_not_open_in_the_place_of_another(desk, add_account, caller, pool):
    mine, theirs = add_account("li.na"), add_account("wang.wei")
    totp, _ = enrol(desk, mine)
    enrol(desk, theirs)
    with system(pool) as connection:
        connection.execute(
            """
            UPDATE second_factor
               SET secret = (SELECT secret FROM second_factor WHERE account_id = %s)
             WHERE account_id = %s
            """,
            [mine.id, theirs.id],
        )
    token = sign_in(desk, "wang.wei", PASSWORD, caller=caller).unfinished_token

    with pytest.raises(Undecipherable):
        sign_ins.give_code(desk, token, totp.at(NOW), caller=caller)


def test_a_step_up_gives_a_new_identifier_and_the_old_one_is_dead(desk, add_account, caller, pool):
    add_account()
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token
    at = NOW + timedelta(minutes=2)

    following = own.step_up(desk, principal_of(pool, token), password=PASSWORD, code=None, now=at)

    assert resolve(pool, token, at) is None
    assert resolve(pool, following, at)[5] == at


def test_with_a_second_factor_a_password_does_not_step_up(desk, add_account, caller, pool):
    account = add_account()
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token
    totp, _ = enrol(desk, account)
    principal = principal_of(pool, token)

    with pytest.raises(BadCode):
        own.step_up(desk, principal, password=PASSWORD, code=None, now=NOW)
    assert own.step_up(desk, principal, password=None, code=totp.at(NOW), now=NOW)


def test_proofs_in_a_session_are_counted_too(desk, add_account, caller, pool):
    add_account()
    principal = principal_of(pool, sign_in(desk, "li.na", PASSWORD, caller=caller).session_token)
    for _ in range(5):
        with pytest.raises(BadCredentials):
            own.step_up(desk, principal, password="not-the-password", code=None, now=NOW)

    with pytest.raises(TooMany):
        own.step_up(desk, principal, password=PASSWORD, code=None, now=NOW)


def test_another_password_ends_every_other_session(desk, add_account, caller, pool):
    add_account()
    here, there = (sign_in(desk, "li.na", PASSWORD, caller=caller).session_token for _ in range(2))

    following = own.change_password(
        desk, principal_of(pool, here), password=PASSWORD, new_password=NEW_PASSWORD, now=NOW
    )

    assert resolve(pool, following)
    assert resolve(pool, here) is None
    assert resolve(pool, there) is None


def test_signing_out_ends_one_session_and_everywhere_all(desk, add_account, caller, pool):
    add_account()
    here, there = (sign_in(desk, "li.na", PASSWORD, caller=caller).session_token for _ in range(2))
    principal = principal_of(pool, there)

    own.sign_out(desk, here, now=NOW)
    assert (resolve(pool, here), resolve(pool, there) is not None) == (None, True)
    own.sign_out_everywhere(desk, principal, now=NOW)

    assert resolve(pool, there) is None
