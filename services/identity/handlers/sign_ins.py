"""Signing in with a password, and the further steps that a sign-in may need."""

from dataclasses import replace

from services.identity import metrics
from services.identity.domain.accounts import Account, normalise_name
from services.identity.domain.passwords import normalise_password
from services.identity.domain.sessions import (
    BadCode,
    BadCredentials,
    Need,
    NothingUnderWay,
    NotNeeded,
    UnfinishedSignIn,
)
from services.identity.handlers import codes, throttling
from services.identity.handlers.choosing import check_choice, put_choice
from services.identity.handlers.desk import Caller, Desk, digest_of, system
from services.identity.handlers.opening import Progress, begin, find_need, proceed
from services.identity.storage import accounts, passwords, unfinished
from services.identity.storage.passwords import Password
from shared.audit.chain import Line, note
from shared.database import Connection


def sign_in(desk: Desk, name: str, password: str, *, caller: Caller) -> Progress:
    """The same work and the same answer for every cause of failure. Raises BadCredentials, TooMany, TooBusy."""
    with system(desk.pool) as connection:
        taken = throttling.admit(connection, name, caller, failures_per_network=desk.failures_per_network)
    with system(desk.pool) as connection:
        account = accounts.find_account_by_name(connection, normalise_name(name))
        stored = passwords.find_password(connection, account.id) if account else None
    plain = normalise_password(password)
    usable = stored is not None and account is not None and _is_usable(account, stored, caller=caller)
    if not desk.hashing.verify(stored.hash if stored and usable else None, plain) or account is None or stored is None:
        _note_refusal(desk, "password", account, caller)
        raise BadCredentials
    fresh = desk.hashing.hash(plain) if desk.hashing.is_outdated(stored.hash) else None
    with system(desk.pool, account) as connection:
        throttling.give_back(connection, taken)
        if fresh is not None:
            passwords.set_hash(connection, account.id, old=stored.hash, new=fresh)
        begun = begin(account, by_provider=False, at=caller.at)
        progress = proceed(connection, desk, account, begun, caller=caller, token=None)
    return _counted(progress, "password")


def give_code(desk: Desk, token: str, code: str, *, caller: Caller) -> Progress:
    """Give the second factor's code, or a recovery code. Raises BadCode, NothingUnderWay, NotNeeded, TooMany."""
    account = _whose(desk, token, caller=caller)
    throttling.take_proof(desk.pool, account.id, now=caller.at)
    with system(desk.pool, account) as connection:
        begun = _require(connection, desk, token, account, need="code", caller=caller)
        progress: Progress | None = None
        if codes.use_code(connection, desk, account, code, now=caller.at):
            throttling.give_proof_back(connection, account.id)
            following = desk.new_token()
            unfinished.set_code_given(connection, digest_of(token), new_digest=digest_of(following))
            begun = replace(begun, code_given=True)
            progress = proceed(connection, desk, account, begun, caller=caller, token=following)
        else:
            unfinished.count_failed_try(connection, digest_of(token))
    if progress is None:
        _note_refusal(desk, "code", account, caller)
        raise BadCode
    return _counted(progress, "code")


def choose_password(desk: Desk, token: str, new_password: str, *, caller: Caller) -> Progress:
    """Replace a password that somebody else gave, or whose time is over. Raises WeakPassword, UsedPassword, ..."""
    account = _whose(desk, token, caller=caller)
    with system(desk.pool, account) as connection:
        _require(connection, desk, token, account, need="new-password", caller=caller)
    chosen = check_choice(desk, account, new_password)
    with system(desk.pool, account) as connection:
        begun = _require(connection, desk, token, account, need="new-password", caller=caller)
        put_choice(connection, account, chosen, kept_session=None, now=caller.at)
        progress = proceed(connection, desk, account, begun, caller=caller, token=token)
    return _counted(progress, "password")


def propose_factor(desk: Desk, token: str, *, caller: Caller) -> codes.Proposal:
    """Begin to set up the second factor that a role of this account needs. Raises SecondFactorUnavailable, ..."""
    account = _whose(desk, token, caller=caller)
    with system(desk.pool, account) as connection:
        _require(connection, desk, token, account, need="second-factor", caller=caller)
        return codes.propose(connection, desk, account, now=caller.at)


def confirm_factor(desk: Desk, token: str, code: str, *, caller: Caller) -> Progress:
    """The first code proves that the device has the secret. Return the recovery codes, once. Raises BadCode, ..."""
    account = _whose(desk, token, caller=caller)
    throttling.take_proof(desk.pool, account.id, now=caller.at)
    with system(desk.pool, account) as connection:
        begun = _require(connection, desk, token, account, need="second-factor", caller=caller)
        recovery = codes.confirm(connection, desk, account, code, now=caller.at)
        throttling.give_proof_back(connection, account.id)
        begun = replace(begun, code_given=True)
        progress = proceed(connection, desk, account, begun, caller=caller, token=token)
    return replace(_counted(progress, "code"), recovery_codes=recovery)


def get_need(desk: Desk, token: str, *, caller: Caller) -> tuple[Account, Need | None]:
    """What the sign-in under way waits for. Raises NothingUnderWay."""
    account = _whose(desk, token, caller=caller)
    with system(desk.pool, account) as connection:
        begun = unfinished.lock_unfinished(connection, digest_of(token), now=caller.at)
        if begun is None:
            raise NothingUnderWay
        return account, find_need(connection, desk, account, begun, now=caller.at)


def _is_usable(account: Account, stored: Password, *, caller: Caller) -> bool:
    return account.status == "active" and (stored.valid_until is None or caller.at < stored.valid_until)


def _whose(desk: Desk, token: str, *, caller: Caller) -> Account:
    """Raises NothingUnderWay."""
    with system(desk.pool) as connection:
        begun = unfinished.lock_unfinished(connection, digest_of(token), now=caller.at)
        account = accounts.find_account(connection, begun.account_id) if begun else None
    if account is None or account.status != "active":
        raise NothingUnderWay
    return account


def _require(
    connection: Connection, desk: Desk, token: str, account: Account, *, need: Need, caller: Caller
) -> UnfinishedSignIn:
    """Lock the sign-in under way. Raises NothingUnderWay, and NotNeeded where it waits for something else."""
    begun = unfinished.lock_unfinished(connection, digest_of(token), now=caller.at)
    if begun is None:
        raise NothingUnderWay
    if find_need(connection, desk, account, begun, now=caller.at) != need:
        raise NotNeeded("this sign-in waits for something else")
    return begun


def _note_refusal(desk: Desk, method: str, account: Account | None, caller: Caller) -> None:
    """Whose account it was meant for is kept where there is one; what was typed never is: it may be a password."""
    metrics.sign_ins_total.labels(method, "refused").inc()
    with system(desk.pool, account) as connection:
        note(
            connection,
            Line(
                action="sign_in.refused",
                object_type="account",
                object_id=account.id if account else None,
                decision="denied",
                details={"method": method, "network": caller.network},
            ),
        )


def _counted(progress: Progress, method: str) -> Progress:
    outcome = "signed-in" if progress.session_token else "under-way"
    metrics.sign_ins_total.labels(method, outcome).inc()
    return progress
