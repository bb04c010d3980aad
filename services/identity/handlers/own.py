"""What the owner of an account does with it once signed in: proving anew, another password, another second factor."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity import metrics
from services.identity.domain.accounts import Account, RoleGrant
from services.identity.domain.passwords import normalise_password
from services.identity.domain.second_factors import SecondFactorNeeded
from services.identity.domain.sessions import BadCode, BadCredentials
from services.identity.handlers import codes, throttling
from services.identity.handlers.choosing import check_choice, put_choice
from services.identity.handlers.desk import Desk, digest_of, system
from services.identity.handlers.opening import needs_second_factor
from services.identity.storage import accounts, passwords, second_factors, sessions, unfinished
from services.identity.storage.sessions import Session
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection
from shared.errors import Unauthenticated
from shared.reach import SYSTEM, Reach, current


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    account: Account
    grants: tuple[RoleGrant, ...]
    sessions: tuple[Session, ...]
    has_password: bool
    has_second_factor: bool


def get_own(desk: Desk, principal: Principal, *, now: datetime) -> Own:
    with system(desk.pool) as connection:
        account = _account(connection, principal)
        return Own(
            account=account,
            grants=tuple(accounts.list_grants(connection, [account.id])),
            sessions=tuple(sessions.list_open_sessions(connection, account.id, now=now)),
            has_password=passwords.find_password(connection, account.id) is not None,
            has_second_factor=codes.has_factor(connection, account.id),
        )


def step_up(desk: Desk, principal: Principal, *, password: str | None, code: str | None, now: datetime) -> str:
    """Return the session's new identifier. With a second factor its code counts. Raises BadCredentials, BadCode, ..."""
    session_id = _session_of(principal)
    throttling.take_proof(desk.pool, principal.account_id, now=now)
    with system(desk.pool) as connection:
        account = _account(connection, principal)
        has_factor = codes.has_factor(connection, account.id)
    if has_factor:
        _check_code(desk, account, code or "", now=now)
    else:
        _check_password(desk, account, password or "")
    token = desk.new_token()
    with system(desk.pool, account) as connection:
        throttling.give_proof_back(connection, account.id)
        _rotate(connection, session_id, token, now=now)
        note(connection, Line(action="step_up.given", object_type="session", object_id=session_id))
    metrics.step_ups_total.labels("given").inc()
    return token


def change_password(desk: Desk, principal: Principal, *, password: str, new_password: str, now: datetime) -> str:
    """Return the session's new identifier; every other session ends. Raises BadCredentials, WeakPassword, ..."""
    session_id = _session_of(principal)
    throttling.take_proof(desk.pool, principal.account_id, now=now)
    with system(desk.pool) as connection:
        account = _account(connection, principal)
    _check_password(desk, account, password)
    chosen = check_choice(desk, account, new_password)
    token = desk.new_token()
    with system(desk.pool, account) as connection:
        throttling.give_proof_back(connection, account.id)
        put_choice(connection, account, chosen, kept_session=session_id, now=now)
        unfinished.delete_unfinished_of(connection, account.id)
        _rotate(connection, session_id, token, now=None)
    return token


def sign_out(desk: Desk, session_token: str, *, now: datetime) -> None:
    """Nothing happens where the session is over already."""
    asking = current()
    with system(desk.pool) as connection:
        if sessions.end_session_by_digest(connection, digest_of(session_token), reason="signed-out", at=now):
            _note_sign_out(connection, asking)
            metrics.sessions_ended_total.labels("signed-out").inc()


def sign_out_everywhere(desk: Desk, principal: Principal, *, now: datetime) -> int:
    """Return how many sessions ended. Sign-ins under way and familiar devices are forgotten as well."""
    with system(desk.pool) as connection:
        account = _account(connection, principal)
    with system(desk.pool, account) as connection:
        unfinished.delete_unfinished_of(connection, account.id)
        sessions.delete_devices(connection, account_id=account.id)
        ended = sessions.end_sessions(connection, account.id, reason="everywhere", at=now)
        note(connection, Line(action="sign_out.everywhere", object_type="account", object_id=account.id))
    metrics.sessions_ended_total.labels("everywhere").inc(ended)
    return ended


def propose_factor(desk: Desk, principal: Principal, *, now: datetime) -> codes.Proposal:
    """Raises HasSecondFactor, SecondFactorUnavailable."""
    with system(desk.pool) as connection:
        account = _account(connection, principal)
    with system(desk.pool, account) as connection:
        return codes.propose(connection, desk, account, now=now)


def confirm_factor(desk: Desk, principal: Principal, code: str, *, now: datetime) -> tuple[str, ...]:
    """Return the recovery codes, once. Raises BadCode, NoSecondFactor, HasSecondFactor, TooMany."""
    throttling.take_proof(desk.pool, principal.account_id, now=now)
    with system(desk.pool) as connection:
        account = _account(connection, principal)
    with system(desk.pool, account) as connection:
        recovery = codes.confirm(connection, desk, account, code, now=now)
        throttling.give_proof_back(connection, account.id)
        return recovery


def remove_factor(desk: Desk, principal: Principal) -> bool:
    """Return whether there was one. Raises SecondFactorNeeded."""
    with system(desk.pool) as connection:
        account = _account(connection, principal)
    with system(desk.pool, account) as connection:
        if needs_second_factor(connection, desk, account):
            raise SecondFactorNeeded("a role of this account asks for a second factor")
        was_there = second_factors.delete_second_factor(connection, account.id)
        note(connection, Line(action="totp.removed", object_type="account", object_id=account.id))
        return was_there


def _check_password(desk: Desk, account: Account, password: str) -> None:
    """Raises BadCredentials."""
    with system(desk.pool, account) as connection:
        stored = passwords.find_password(connection, account.id)
    if not desk.hashing.verify(stored.hash if stored else None, normalise_password(password)):
        _note_refusal(desk, account, "password")
        raise BadCredentials


def _check_code(desk: Desk, account: Account, code: str, *, now: datetime) -> None:
    """Raises BadCode."""
    with system(desk.pool, account) as connection:
        is_good = codes.use_code(connection, desk, account, code, now=now)
    if not is_good:
        _note_refusal(desk, account, "code")
        raise BadCode


def _note_refusal(desk: Desk, account: Account, method: str) -> None:
    metrics.step_ups_total.labels("refused").inc()
    with system(desk.pool, account) as connection:
        note(
            connection,
            Line(
                action="step_up.refused",
                object_type="account",
                object_id=account.id,
                decision="denied",
                details={"method": method},
            ),
        )


def _note_sign_out(connection: Connection, asking: Reach | None) -> None:
    """In the name of whoever asked: the session itself no longer says whose it was."""
    who = asking or SYSTEM
    note(connection, Line(action="session.closed", actor=who.actor, account_id=who.account_id, role=who.role))


def _rotate(connection: Connection, session_id: UUID, token: str, *, now: datetime | None) -> None:
    """Raises Unauthenticated where the session ended meanwhile."""
    if not sessions.rotate_session(connection, session_id, new_digest=digest_of(token), stepped_up_at=now):
        raise Unauthenticated("the session is over")


def _session_of(principal: Principal) -> UUID:
    if principal.session_id is None:
        raise Unauthenticated("a session is needed")
    return principal.session_id


def _account(connection: Connection, principal: Principal) -> Account:
    """Raises Unauthenticated where it was disabled within the seconds that a session is believed."""
    account = accounts.find_account(connection, principal.account_id)
    if account is None or account.status != "active":
        raise Unauthenticated("the session is over")
    return account
