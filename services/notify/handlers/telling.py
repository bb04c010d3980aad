"""Telling recipients what has been noted for them: one message of one notice, or a digest of many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import metrics
from services.notify.channels.protocol import Channels
from services.notify.domain.deliveries import INBOX, message_id_of
from services.notify.domain.notices import SINGLES_AT_ONCE, Notice, Recipient
from services.notify.domain.rules import next_digest
from services.notify.rendering.notices import Wordings
from services.notify.storage import deliveries, digests, messages, recipients
from services.notify.storage import notices as storage
from services.notify.storage.deliveries import NewDelivery
from services.notify.storage.digests import NewDigest
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.working_time import Calendar

MOST_IN_ONE = 50  # what is beyond goes into a further message


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingRules:
    """`while_open` are the rules of which nothing is told once the issue is closed."""

    calendar: Calendar
    channels: Channels
    while_open: frozenset[str]
    wordings: Wordings
    mail_domain: str


def tell_all(pool: Pool, rules: TellingRules, *, now: datetime, new_id: Callable[[], UUID]) -> int:
    """Tell everybody for whom something is due, one recipient a transaction; return how many messages that made.

    Safe to run twice, also at the same time: a recipient is locked meanwhile.
    """
    told = 0
    while True:
        with transaction(pool) as connection:
            recipient = recipients.lock_waiting_recipient(connection, now=now)
            if recipient is None:
                return told
            due = storage.list_due(connection, recipient.id, now=now, limit=MOST_IN_ONE)
            worth = _drop_stale(connection, due, rules, now)
            for together in _group(connection, recipient, worth, rules, now):
                _tell(connection, recipient, together, rules, now, new_id)
                told += 1


def _drop_stale(connection: Connection, due: Sequence[Notice], rules: TellingRules, now: datetime) -> list[Notice]:
    """What is too old is not told, and what has been settled meanwhile is no news."""
    expired = [notice.id for notice in due if notice.valid_until <= now]
    issue_ids = [notice.issue_id for notice in due if notice.issue_id is not None and notice.rule in rules.while_open]
    closed = storage.find_closed(connection, issue_ids) if issue_ids else set()
    settled = [
        notice.id
        for notice in due
        if notice.id not in expired and notice.rule in rules.while_open and notice.issue_id in closed
    ]
    storage.set_dropped(connection, expired, "expired", at=now)
    storage.set_dropped(connection, settled, "settled", at=now)
    metrics.notices_dropped_total.labels("expired").inc(len(expired))
    metrics.notices_dropped_total.labels("settled").inc(len(settled))
    return [notice for notice in due if notice.id not in {*expired, *settled}]


def _group(
    connection: Connection, recipient: Recipient, worth: Sequence[Notice], rules: TellingRules, now: datetime
) -> list[list[Notice]]:
    """Which notices make one message. What goes beyond a day's cap waits for the next digest, if not compulsory."""
    gathered = [notice for notice in worth if notice.mode == "digest"]
    singles = [notice for notice in worth if notice.mode == "at_once"]
    midnight = rules.calendar.at(rules.calendar.day_of(now), timedelta())
    left = recipient.daily_cap - storage.count_told(connection, recipient.id, since=midnight)
    groups = [[notice] for notice in singles] if len(singles) < SINGLES_AT_ONCE else [singles]
    if gathered:
        groups = [[*gathered, *singles]]  # whoever is told anyway is told all at once
    allowed: list[list[Notice]] = []
    for group in groups:
        told_now = group if len(allowed) < left or gathered else [one for one in group if one.is_compulsory]
        if told_now:
            allowed.append(told_now)
        put_off = [one.id for one in group if one not in told_now]
        if put_off:
            storage.put_off(connection, put_off, until=next_digest(recipient.habits, rules.calendar, now=now))
            metrics.notices_put_off_total.inc(len(put_off))
    return allowed


def _tell(
    connection: Connection,
    recipient: Recipient,
    notices: Sequence[Notice],
    rules: TellingRules,
    now: datetime,
    new_id: Callable[[], UUID],
) -> None:
    wordings = rules.wordings
    filled = [wordings.fill(notice.topic, recipient.language, notice.facts) for notice in notices]
    digest_id = new_id()
    digests.insert_digest(
        connection,
        NewDigest(
            id=digest_id,
            recipient_id=recipient.id,
            notice_count=len(notices),
            composed_at=now,
            language=recipient.language,
            rendering=wordings.compose(recipient.language, filled),
            correlation_id=correlation_id(),
        ),
    )
    storage.set_told(connection, [notice.id for notice in notices], digest_id, at=now)
    valid_until = max(notice.valid_until for notice in notices)
    for channel in _channels_of(recipient, rules.channels):
        if channel == INBOX:
            number = recipients.take_number(connection, recipient.id)
            messages.insert_own_message(
                connection, new_id(), recipient_id=recipient.id, digest_id=digest_id, number=number
            )
        address = recipient.address_for(channel)
        delivery_id = new_id()
        deliveries.insert_delivery(
            connection,
            NewDelivery(
                id=delivery_id,
                digest_id=digest_id,
                channel=channel,
                endpoint=INBOX if channel == INBOX else rules.channels[channel].endpoint_of(address or ""),
                recipient_name=recipient.staff_number or recipient.robot or str(recipient.account_id),
                address=address,
                message_id=message_id_of(delivery_id, rules.mail_domain),
                status="sent" if channel == INBOX else "due",
                created_at=now,
                valid_until=valid_until,
                rendering=wordings.shorten(recipient.language, filled) if channel == "sms" else None,
            ),
        )
    metrics.notices_told_total.inc(len(notices))


def _channels_of(recipient: Recipient, channels: Channels) -> list[str]:
    """Those that the recipient wants and that can reach it; a group is reached by its robot alone."""
    if recipient.robot is not None:
        return [name for name, channel in channels.items() if recipient.robot in channel.groups]
    wanted = dict.fromkeys([INBOX, *recipient.channels])
    return [name for name in wanted if name == INBOX or (name in channels and recipient.address_for(name))]
