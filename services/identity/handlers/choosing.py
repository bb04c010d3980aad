"""Choosing a password: the rules, the last few ones, and what ends when it changes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity import metrics
from services.identity.domain.accounts import Account
from services.identity.domain.passwords import REMEMBERED, UsedPassword, check_password, normalise_password
from services.identity.handlers.desk import Desk, system
from services.identity.storage import passwords, sessions, unfinished
from services.identity.storage.passwords import Password
from shared.audit.chain import Line, note
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    hash: str


def check_choice(desk: Desk, account: Account, new_password: str) -> Choice:
    """Outside of any transaction, for it is much work. Raises WeakPassword, UsedPassword, TooBusy."""
    plain = normalise_password(new_password)
    own_words = [account.name, *account.name.replace("@", ".").split("."), account.display_name]
    check_password(plain, rules=desk.passwords, own_words=[*own_words, account.staff_number or ""])
    with system(desk.pool, account) as connection:
        present = passwords.find_password(connection, account.id)
        known = [present.hash] if present else []
        known += passwords.list_former_hashes(connection, account.id)
    if any(desk.hashing.verify(former, plain) for former in known[:REMEMBERED]):
        raise UsedPassword(f"this is one of the last {REMEMBERED} passwords of this account")
    return Choice(hash=desk.hashing.hash(plain))


def put_choice(
    connection: Connection, account: Account, chosen: Choice, *, kept_session: UUID | None, now: datetime
) -> None:
    """Its owner has chosen: every session begun with the former password ends, but the one that is kept."""
    chosen_password = Password(account_id=account.id, hash=chosen.hash, set_at=now, must_change=False, valid_until=None)
    passwords.put_password(connection, chosen_password, remembered=REMEMBERED - 1)
    ended = sessions.end_sessions(connection, account.id, reason="password-changed", at=now, kept=kept_session)
    metrics.sessions_ended_total.labels("password-changed").inc(ended)
    note(connection, Line(action="password.changed", object_type="account", object_id=account.id))


def put_one_time_password(
    connection: Connection, account_id: UUID, one_time_hash: str, *, valid_until: datetime, now: datetime
) -> None:
    """Somebody else gave it: it lets its owner choose another one, for a while, and everything open ends."""
    given = Password(account_id=account_id, hash=one_time_hash, set_at=now, must_change=True, valid_until=valid_until)
    passwords.put_password(connection, given, remembered=REMEMBERED - 1)
    sessions.end_sessions(connection, account_id, reason="password-changed", at=now)
    sessions.delete_devices(connection, account_id=account_id)
    unfinished.delete_unfinished_of(connection, account_id)
