"""Telling whoever looks after an endpoint that it was switched off, that it has failed for long, or that a key ends."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, UUID, uuid5

from services.notify import metrics
from services.notify.domain.notices import Key, Notice
from services.notify.domain.rules import (
    AFTER_DIGEST,
    ENDPOINT_DISABLED,
    ENDPOINT_FAILING,
    ENDPOINT_KEY_ENDS,
    Rule,
    choose_mode,
    due_at,
)
from services.notify.handlers.noticing import NoticeRules, key_of
from services.notify.storage import notices as storage
from services.notify.storage import owners, recipients
from services.notify.storage.owners import Concern, Occasion
from shared.database import Connection, Pool, transaction

FAILING_FOR: Final = timedelta(hours=1)  # what is back within that is nobody's trouble
KEY_ENDS_WITHIN: Final = timedelta(hours=12)
RULES: Final[Mapping[Occasion, Rule]] = {
    "disabled": ENDPOINT_DISABLED,
    "failing": ENDPOINT_FAILING,
    "key_ends": ENDPOINT_KEY_ENDS,
}


def note_owners(pool: Pool, rules: NoticeRules, *, now: datetime, new_id: Callable[[], UUID]) -> int:
    """Return how many notices that made. Each occasion is told once, however often this is called."""
    with transaction(pool) as connection:
        concerns = owners.list_concerns(
            connection,
            since=now - ENDPOINT_DISABLED.valid_for,
            failing_before=now - FAILING_FOR,
            key_ends_before=now + KEY_ENDS_WITHIN,
            now=now,
        )
        noted = storage.find_noted(connection, [occasion_id(concern) for concern in concerns]) if concerns else set()
        made = 0
        for concern in concerns:
            if occasion_id(concern) not in noted:
                made += _note(connection, rules, concern, now, new_id)
    metrics.notices_made_total.inc(made)
    return made


def occasion_id(concern: Concern) -> UUID:
    """In the place of an event's: the same for the same switching off, outage or end of a key."""
    about = concern.key_id or concern.endpoint_id
    return uuid5(NAMESPACE_OID, f"lianxin/endpoint/{about}/{concern.occasion}/{concern.since.isoformat()}")


def _note(
    connection: Connection, rules: NoticeRules, concern: Concern, now: datetime, new_id: Callable[[], UUID]
) -> int:
    rule = RULES[concern.occasion]
    key = (
        Key(staff_number=concern.owner_staff_number)
        if concern.owner_staff_number is not None
        else Key(account_id=concern.owner_account_id)
    )
    known = {key_of(one): one for one in recipients.upsert_recipients(connection, [(new_id(), key)])}
    recipient = known[key]
    own = recipients.list_own_preferences(connection, [recipient.id])
    units = [concern.organisation_id] if concern.organisation_id is not None else []
    of_units = recipients.list_unit_preferences(connection, units)
    of_unit = of_units.get((concern.organisation_id, rule.code)) if concern.organisation_id is not None else None
    mode = choose_mode(rule, own.get((recipient.id, rule.code)), of_unit)
    if mode is None:
        return 0
    due = due_at(mode, recipient.habits, rules.calendar, now=now)
    notice = Notice(
        id=new_id(),
        recipient_id=recipient.id,
        rule=rule.code,
        topic=rule.topic,
        event_id=occasion_id(concern),
        issue_id=None,
        facts=_facts_of(concern),
        mode=mode,
        is_compulsory=rule.is_compulsory,
        made_at=now,
        due_at=due,
        valid_until=max(now + rule.valid_for, due + AFTER_DIGEST),
    )
    count = storage.insert_notices(connection, [notice])
    if concern.occasion == "disabled":
        owners.set_told(connection, concern.endpoint_id, at=now)
    return count


def _facts_of(concern: Concern) -> dict[str, str]:
    """The name of the host alone: the path or query may carry a secret of the receiver's."""
    facts = {
        "agreement": concern.agreement,
        "host": urlsplit(concern.url).hostname or "",
        "due": concern.since.isoformat(),
    }
    return facts | ({"because": concern.because} if concern.because is not None else {})
