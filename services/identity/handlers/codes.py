"""The second factor of an account: proposing, confirming, using and removing it. Each in the caller's transaction."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.credentials import enrolment_address, find_counter, new_secret, picture_of
from services.identity.domain.accounts import Account
from services.identity.domain.second_factors import (
    RECOVERY_CODES,
    HasSecondFactor,
    NoSecondFactor,
    SecondFactorUnavailable,
    read_code,
    show_recovery_code,
)
from services.identity.domain.sessions import BadCode
from services.identity.handlers.desk import Desk, digest_of
from services.identity.storage import second_factors
from services.identity.storage.second_factors import SecondFactor
from shared.audit.chain import Line, note
from shared.crypto import CryptoProvider
from shared.database import Connection

PURPOSE = "second-factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Shown once, to its owner alone."""

    secret: str
    address: str
    picture: str


def propose(connection: Connection, desk: Desk, account: Account, *, now: datetime) -> Proposal:
    """Raises HasSecondFactor, SecondFactorUnavailable."""
    secret = new_secret()
    sealed = _keys(desk).encrypt(PURPOSE, aad=_place(account.id), data=secret.encode())
    if not second_factors.propose_second_factor(connection, account.id, sealed, at=now):
        raise HasSecondFactor("this account has a second factor; remove that one first")
    address = enrolment_address(secret, account=account.name)
    return Proposal(secret=secret, address=address, picture=picture_of(address))


def confirm(connection: Connection, desk: Desk, account: Account, code: str, *, now: datetime) -> tuple[str, ...]:
    """Return the recovery codes. Raises BadCode, NoSecondFactor, HasSecondFactor."""
    factor = second_factors.find_second_factor(connection, account.id)
    if factor is None:
        raise NoSecondFactor("no second factor was proposed")
    if factor.confirmed_at is not None:
        raise HasSecondFactor("this account has a second factor")
    if not _use_time_code(connection, desk, factor, code, now=now):
        raise BadCode
    second_factors.set_confirmed(connection, account.id, at=now)
    plain = [base64.b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(RECOVERY_CODES)]
    second_factors.replace_recovery_codes(connection, account.id, [digest_of(one) for one in plain])
    note(connection, Line(action="totp.confirmed", object_type="account", object_id=account.id))
    return tuple(show_recovery_code(one) for one in plain)


def use_code(connection: Connection, desk: Desk, account: Account, code: str, *, now: datetime) -> bool:
    """Whether the code is good; one that was is used up, of both kinds."""
    factor = second_factors.find_second_factor(connection, account.id)
    if factor is None or factor.confirmed_at is None:
        return False
    time_code, recovery_code = read_code(code)
    if recovery_code is not None:
        return second_factors.use_recovery_code(connection, account.id, digest_of(recovery_code))
    return time_code is not None and _use_time_code(connection, desk, factor, time_code, now=now)


def has_factor(connection: Connection, account_id: UUID) -> bool:
    factor = second_factors.find_second_factor(connection, account_id)
    return factor is not None and factor.confirmed_at is not None


def _use_time_code(connection: Connection, desk: Desk, factor: SecondFactor, code: str, *, now: datetime) -> bool:
    time_code, _ = read_code(code)
    if time_code is None:
        return False
    secret = _keys(desk).decrypt(PURPOSE, aad=_place(factor.account_id), data=factor.secret).decode()
    counter = find_counter(secret, time_code, timestamp=now.timestamp(), after=factor.last_counter)
    return counter is not None and second_factors.use_counter(connection, factor.account_id, counter)


def _keys(desk: Desk) -> CryptoProvider:
    if desk.keys is None:
        raise SecondFactorUnavailable("second factors need a keys directory")
    return desk.keys


def _place(account_id: UUID) -> bytes:
    """Sealed for this one place: moved to another account it does not open."""
    return f"second_factor|secret|{account_id}".encode()
