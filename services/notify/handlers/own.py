"""What a person does with what they are told: how they want it, and their inbox. A unit's preferences are beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from uuid import UUID

from services.notify.domain.addresses import check_address
from services.notify.domain.messages import Language, UnknownMessage
from services.notify.domain.notices import BadHabit, Key, OwnMessage, Recipient, UnknownRule, UnknownUnit, check_mobile
from services.notify.domain.rules import Preferred
from services.notify.domain.subscriptions import MissingAddress
from services.notify.storage import messages, recipients, registers
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.versions import Expected, check_version


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSettings:
    """How somebody wants to be told; times are those of the wall. `rules` are those that are not left as they are."""

    language: Language
    email: str | None
    mobile: str | None
    channels: list[str]
    quiet_from: time
    quiet_until: time
    digest_at: time
    daily_cap: int
    rules: dict[str, Preferred]


def get_settings(pool: Pool, principal: Principal, *, new_id: UUID) -> tuple[OwnSettings, int]:
    """Return them and their version."""
    with transaction(pool) as connection:
        recipient = _own(connection, principal, new_id)
        return _show(connection, recipient), recipient.version


def put_settings(
    pool: Pool, principal: Principal, wanted: OwnSettings, *, known: Sequence[str], expected: Expected, new_id: UUID
) -> OwnSettings:
    """Raises UnsafeAddress, BadHabit, MissingAddress, UnknownRule, Outdated."""
    _check(wanted, known)
    with transaction(pool) as connection:
        before = _own(connection, principal, new_id)
        check_version(recipients.lock_recipient(connection, before.id), expected)
        after = replace(
            before,
            language=wanted.language,
            email=wanted.email,
            mobile=wanted.mobile,
            channels=wanted.channels,
            quiet_from=wanted.quiet_from,
            quiet_until=wanted.quiet_until,
            digest_at=wanted.digest_at,
            daily_cap=wanted.daily_cap,
        )
        recipients.set_recipient(connection, after)
        recipients.replace_preferences(connection, wanted.rules, recipient_id=before.id)
        changed = sorted(
            name for name in ("email", "mobile", "channels") if getattr(before, name) != getattr(after, name)
        )
        if changed:  # where it went before is nobody's business, that it goes elsewhere now is the audit's
            note(
                connection,
                Line(action="own.change", object_type="recipient", object_id=before.id, details={"changed": changed}),
            )
        return _show(connection, after)


def list_messages(pool: Pool, principal: Principal, *, unread_only: bool, before: int, limit: int) -> list[OwnMessage]:
    """The newest first, within reach: one's own."""
    with transaction(pool) as connection:
        return messages.list_own(connection, _key(principal), unread_only=unread_only, before=before, limit=limit)


def list_after(pool: Pool, principal: Principal, *, after: int, limit: int) -> list[OwnMessage]:
    """What came behind a number, in order: nothing is ever added before what was once read."""
    with transaction(pool) as connection:
        return messages.list_own_after(connection, _key(principal), after=after, limit=limit)


def find_last(pool: Pool, principal: Principal) -> int:
    with transaction(pool) as connection:
        return messages.find_last_number(connection, _key(principal))


def mark_read(pool: Pool, principal: Principal, message_id: UUID, *, at: datetime) -> datetime:
    """Return since when it is read; a repeat changes nothing. Raises UnknownMessage."""
    with transaction(pool) as connection:
        read_at = messages.set_own_read(connection, _key(principal), message_id, at=at)
        if read_at is None:
            raise UnknownMessage("this inbox has no such message")
        return read_at


def mark_all_read(pool: Pool, principal: Principal, *, through: int, at: datetime) -> int:
    with transaction(pool) as connection:
        return messages.set_own_read_through(connection, _key(principal), through=through, at=at)


def get_unit_preferences(pool: Pool, code: str) -> tuple[dict[str, Preferred], int]:
    """Return them and their version, which is read first: it is never newer than they are. Raises UnknownUnit."""
    with transaction(pool) as connection:
        unit_id = _unit(connection, code)
        version = recipients.find_unit_version(connection, unit_id)
        return recipients.list_stated(connection, unit_id), version


def put_unit_preferences(
    pool: Pool, code: str, preferred: Mapping[str, Preferred], *, known: Sequence[str], expected: Expected
) -> dict[str, Preferred]:
    """For everybody of the unit and below it who has not said otherwise. Raises UnknownUnit, UnknownRule, Outdated."""
    _check_rules(preferred, known)
    with transaction(pool) as connection:
        unit_id = _unit(connection, code)
        check_version(recipients.move_unit_version(connection, unit_id) - 1, expected)
        recipients.replace_preferences(connection, dict(preferred), organisation_id=unit_id)
        stated = [f"{rule}: {mode}" for rule, mode in sorted(preferred.items())]
        note(
            connection,
            Line(action="preference.set", object_type="organisation", object_id=code, details={"rules": stated}),
        )
        return dict(preferred)


def _key(principal: Principal) -> Key:
    """By staff number where there is one, so that all accounts of a person share an inbox."""
    if principal.staff_number is not None:
        return Key(staff_number=principal.staff_number)
    return Key(account_id=principal.account_id)


def _own(connection: Connection, principal: Principal, new_id: UUID) -> Recipient:
    [found] = recipients.upsert_recipients(connection, [(new_id, _key(principal))])
    return found


def _show(connection: Connection, recipient: Recipient) -> OwnSettings:
    preferred = recipients.list_own_preferences(connection, [recipient.id])
    return OwnSettings(
        language=recipient.language,
        email=recipient.email,
        mobile=recipient.mobile,
        channels=recipient.channels,
        quiet_from=recipient.quiet_from,
        quiet_until=recipient.quiet_until,
        digest_at=recipient.digest_at,
        daily_cap=recipient.daily_cap,
        rules={rule: mode for (_, rule), mode in sorted(preferred.items())},
    )


def _check(wanted: OwnSettings, known: Sequence[str]) -> None:
    _check_rules(wanted.rules, known)
    if wanted.email is not None:
        check_address(wanted.email)
    if wanted.mobile is not None:
        check_mobile(wanted.mobile)
    if ("email" in wanted.channels and wanted.email is None) or ("sms" in wanted.channels and wanted.mobile is None):
        raise MissingAddress("delivery by e-mail or SMS needs an address or a number")
    if any(moment.second or moment.microsecond for moment in (wanted.quiet_from, wanted.quiet_until, wanted.digest_at)):
        raise BadHabit("times are hours and minutes")


def _check_rules(preferred: Mapping[str, Preferred], known: Sequence[str]) -> None:
    unknown = sorted(set(preferred) - set(known))
    if unknown:
        raise UnknownRule(f"there is no rule {unknown[0][:64]}")


def _unit(connection: Connection, code: str) -> UUID:
    unit_id = registers.find_within_reach(connection, code)
    if unit_id is None:
        raise UnknownUnit("no such organisation is known")
    return unit_id
