"""Telling recipients what has been noted for them: one message of one notice, or a digest of many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import metrics
from services.notify.channels.protocol import Channels
from services.notify.domain.deliveries import INBOX, message_id_of
from services.notify.domain.notices import SINGLES_AT_ONCE, Dropped, Notice, Recipient
from services.notify.domain.rules import next_digest
from services.notify.rendering.notices import Wordings
from services.notify.storage import deliveries, digests, messages, recipients
from services.notify.storage import notices as storage
from services.notify.storage.deliveries import NewDelivery
from services.notify.storage.digests import NewDigest
from services.notify.storage.messages import NewOwnMessage
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.working_time import Calendar

MOST_IN_ONE = 50  # what is beyond goes into a further message
TOGETHER = 25  # recipients in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingRules:
    """`while_open` are the rules of which nothing is told once the issue is closed."""

    calendar: Calendar
    channels: Channels
    while_open: frozenset[str]
    wordings: Wordings
    mail_domain: str


@dataclass(slots=True, kw_only=True)
class _Written:
    """What a transaction is about to write, so that it does so in few steps."""

    digests: list[NewDigest] = field(default_factory=list)
    told: list[tuple[UUID, UUID]] = field(default_factory=list)  # notice and digest
    messages: list[NewOwnMessage] = field(default_factory=list)
    deliveries: list[NewDelivery] = field(default_factory=list)


def tell_all(pool: Pool, rules: TellingRules, *, now: datetime, new_id: Callable[[], UUID]) -> int:
    """Tell everybody for whom something is due; return how many messages that made."""
    told = 0
    while (some := tell_some(pool, rules, now=now, new_id=new_id)) is not None:
        told += some
    return told


def tell_some(pool: Pool, rules: TellingRules, *, now: datetime, new_id: Callable[[], UUID]) -> int | None:
    """Tell a few of those for whom something is due, in one transaction; None where there is nobody.

    Safe to run twice, also at the same time: recipients are locked meanwhile.
    """
    with transaction(pool) as connection:
        waiting = recipients.lock_waiting_recipients(connection, now=now, limit=TOGETHER)
        if not waiting:
            return None
        written = _compose(connection, waiting, rules, now, new_id)
        digests.insert_digests(connection, written.digests)
        storage.set_told(connection, written.told, at=now)
        messages.insert_own_messages(connection, written.messages)
        deliveries.insert_deliveries(connection, written.deliveries)
    metrics.notices_told_total.inc(len(written.told))
    return len(written.digests)


def _compose(
    connection: Connection,
    waiting: Sequence[Recipient],
    rules: TellingRules,
    now: datetime,
    new_id: Callable[[], UUID],
) -> _Written:
    ids = [recipient.id for recipient in waiting]
    due = storage.list_due(connection, ids, now=now, limit=MOST_IN_ONE)
    worth = _drop_stale(connection, due, rules, now)
    midnight = rules.calendar.at(rules.calendar.day_of(now), timedelta())
    counts = storage.count_told(connection, ids, since=midnight)
    written = _Written()
    for recipient in waiting:
        own = [notice for notice in worth if notice.recipient_id == recipient.id]
        left = recipient.daily_cap - counts.get(recipient.id, 0)
        for together in _group(connection, recipient, own, rules, left=left, now=now):
            _tell(written, recipient, together, rules, now, new_id)
    return written


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
    reasons: tuple[tuple[Dropped, list[UUID]], ...] = (("expired", expired), ("settled", settled))
    for why, dropped in reasons:
        if dropped:
            storage.set_dropped(connection, dropped, why, at=now)
            metrics.notices_dropped_total.labels(why).inc(len(dropped))
    return [notice for notice in due if notice.id not in {*expired, *settled}]


def _group(
    connection: Connection,
    recipient: Recipient,
    worth: Sequence[Notice],
    rules: TellingRules,
    *,
    left: int,
    now: datetime,
) -> list[list[Notice]]:
    """Which notices make one message. What goes beyond a day's cap waits for the next digest, if not compulsory."""
    gathered = [notice for notice in worth if notice.mode == "digest"]
    singles = [notice for notice in worth if notice.mode == "at_once"]
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
    written: _Written,
    recipient: Recipient,
    notices: Sequence[Notice],
    rules: TellingRules,
    now: datetime,
    new_id: Callable[[], UUID],
) -> None:
    wordings = rules.wordings
    filled = [wordings.fill(notice.topic, recipient.language, notice.facts) for notice in notices]
    digest_id = new_id()
    written.digests.append(
        NewDigest(
            id=digest_id,
            recipient_id=recipient.id,
            notice_count=len(notices),
            composed_at=now,
            language=recipient.language,
            rendering=wordings.compose(recipient.language, filled),
            correlation_id=correlation_id(),
        )
    )
    written.told += [(notice.id, digest_id) for notice in notices]
    valid_until = max(notice.valid_until for notice in notices)
    for channel in _channels_of(recipient, rules.channels):
        if channel == INBOX:
            written.messages.append(NewOwnMessage(id=new_id(), recipient_id=recipient.id, digest_id=digest_id))
        address = recipient.address_for(channel)
        delivery_id = new_id()
        written.deliveries.append(
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
            )
        )


def _channels_of(recipient: Recipient, channels: Channels) -> list[str]:
    """Those that the recipient wants and that can reach it; a group is reached by its robot alone."""
    if recipient.robot is not None:
        return [name for name, channel in channels.items() if recipient.robot in channel.groups]
    wanted = dict.fromkeys([INBOX, *recipient.channels])
    return [name for name in wanted if name == INBOX or (name in channels and recipient.address_for(name))]
