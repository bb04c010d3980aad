"""From a first proof to a session: what is still needed of a person, and the session once nothing is."""

from dataclasses import dataclass
from datetime import datetime

from services.identity import metrics
from services.identity.domain.accounts import Account
from services.identity.domain.passwords import is_due
from services.identity.domain.sessions import (
    DEVICE_FAMILIAR_FOR,
    UNFINISHED_FOR,
    BadCredentials,
    Need,
    UnfinishedSignIn,
    way_of,
)
from services.identity.handlers.desk import Caller, Desk, digest_of
from services.identity.storage import accounts, passwords, second_factors, sessions, unfinished
from services.identity.storage.sessions import Session
from shared.audit.chain import Line, note
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Either a session, or what is still needed and the token by which it is given."""

    account: Account
    need: Need | None = None
    unfinished_token: str | None = None
    session_token: str | None = None
    device_token: str | None = None  # where the browser was not familiar yet
    recovery_codes: tuple[str, ...] = ()


def proceed(
    connection: Connection, desk: Desk, account: Account, begun: UnfinishedSignIn, *, caller: Caller, token: str | None
) -> Progress:
    """Open a session, or say what is still needed. `token` is that of the sign-in under way, if there is one yet."""
    need = find_need(connection, desk, account, begun, now=caller.at)
    if need is None:
        if token is not None:
            unfinished.delete_unfinished(connection, digest_of(token))
        return open_session(connection, desk, account, begun, caller=caller)
    if token is None:
        token = desk.new_token()
        unfinished.insert_unfinished(connection, digest_of(token), begun, at=caller.at)
    return Progress(account=account, need=need, unfinished_token=token)


def begin(account: Account, *, by_provider: bool, at: datetime) -> UnfinishedSignIn:
    return UnfinishedSignIn(
        account_id=account.id,
        method="provider" if by_provider else "password",
        code_given=False,
        failed_tries=0,
        expires_at=at + UNFINISHED_FOR,
    )


def find_need(
    connection: Connection, desk: Desk, account: Account, begun: UnfinishedSignIn, *, now: datetime
) -> Need | None:
    factor = second_factors.find_second_factor(connection, account.id)
    has_factor = factor is not None and factor.confirmed_at is not None
    if has_factor and not begun.code_given:
        return "code"
    if begun.method == "provider":
        return None  # the provider's own password and second factor count there
    password = passwords.find_password(connection, account.id)
    if password is not None and is_due(
        password.set_at, must_change=password.must_change, rules=desk.passwords, now=now
    ):
        return "new-password"
    if not has_factor and needs_second_factor(connection, desk, account):
        return "second-factor"
    return None


def needs_second_factor(connection: Connection, desk: Desk, account: Account) -> bool:
    held = {grant.role for grant in accounts.list_grants(connection, [account.id])}
    return bool(held & desk.second_factor_roles)


def open_session(
    connection: Connection, desk: Desk, account: Account, begun: UnfinishedSignIn, *, caller: Caller
) -> Progress:
    """A new identifier whatever the browser brought along, whose own session ends. Raises BadCredentials."""
    if accounts.lock_account(connection, account.id).status != "active":
        raise BadCredentials
    if caller.session is not None:
        sessions.end_session_by_digest(connection, digest_of(caller.session), reason="replaced", at=caller.at)
    token = desk.new_token()
    session = _session(desk, begun, token, at=caller.at)
    sessions.insert_session(connection, session)
    displaced = sessions.end_oldest_sessions(connection, account.id, kept=desk.sessions.most, at=caller.at)
    metrics.sessions_ended_total.labels("displaced").inc(displaced)
    device_token = _make_familiar(connection, desk, account, caller=caller)
    details = {"method": session.method, "network": caller.network}
    note(connection, Line(action="session.opened", object_type="session", object_id=session.id, details=details))
    return Progress(account=account, session_token=token, device_token=device_token)


def _session(desk: Desk, begun: UnfinishedSignIn, token: str, *, at: datetime) -> Session:
    return Session(
        id=desk.new_id(),
        account_id=begun.account_id,
        digest=digest_of(token),
        method=way_of(begun.method, code_given=begun.code_given),
        created_at=at,
        last_seen_at=at,
        idle_seconds=desk.sessions.idle_seconds,
        expires_at=at + desk.sessions.absolute,
        stepped_up_at=None,
    )


def _make_familiar(connection: Connection, desk: Desk, account: Account, *, caller: Caller) -> str | None:
    if caller.device is not None:
        known = sessions.find_device_account_name(connection, digest_of(caller.device), now=caller.at)
        if known == account.name:
            return None
    token = desk.new_token()
    sessions.insert_device(connection, digest_of(token), account.id, expires_at=caller.at + DEVICE_FAMILIAR_FOR)
    return token
