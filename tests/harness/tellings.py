"""What of an experiment was to be told to whom, and what receivers and gateways were handed, as plain values.

What is owed comes from intake's outbox and from who was given which issue, never from what notify made of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.notify.domain.audiences import CONFIDENTIAL_ISSUES, open_types
from tests.harness.quiescence import wait_until_quiet
from tests.harness.sinks import HandOver
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for

ASSIGNED = "cn.lianxin.issue.assigned.v1"
MAIL = "/mail"
PLACES = {"sms": "/sms", "email": MAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedEvent:
    event_id: str
    event_type: str
    subject: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What one message to one person is: `references` are what its channel may call it."""

    delivery_id: str
    channel: str
    reference: str
    status: str
    reason: str | None


@dataclass(slots=True, kw_only=True)
class Tellings:
    """Lists and not sets: an oracle must be able to see the same thing twice."""

    hooks: list[str] = field(default_factory=list)  # the paths of the receivers
    events: list[OwedEvent] = field(default_factory=list)  # owed to each of them
    assigned: list[str] = field(default_factory=list)  # events of which one cadre each is to be told
    digests: list[tuple[str, str]] = field(default_factory=list)  # event, and a digest that tells somebody of it
    owed: dict[str, list[Owed]] = field(default_factory=dict)  # by digest
    unheard: Counter[tuple[str, str]] = field(default_factory=Counter)  # place and reference: attempts without an end
    hand_overs: list[HandOver] = field(default_factory=list)


def read_tellings(
    suite: Suite, *, hooks: Sequence[str], hand_overs: Sequence[HandOver], not_owed: frozenset[str]
) -> Tellings:
    """`not_owed` are the events from before the receivers were there."""
    tellings = Tellings(hooks=list(hooks), hand_overs=[*hand_overs, *_mails(suite)])
    with suite.database("intake") as intake:
        rows = intake.execute(
            """
            SELECT outbox.event_id::text, outbox.event_type, outbox.aggregate || '/' || outbox.aggregate_id,
                   outbox.sequence, issue.type
              FROM outbox
              LEFT JOIN issue ON outbox.aggregate = 'issue' AND issue.id = outbox.aggregate_id
             ORDER BY outbox.id
            """
        ).fetchall()
    for row in rows:
        event_id, event_type, subject, sequence = str(row[0]), str(row[1]), str(row[2]), int(str(row[3]))
        issue_type = row[4]
        if event_id in not_owed:
            continue
        if event_type in open_types() and issue_type not in CONFIDENTIAL_ISSUES:
            tellings.events.append(
                OwedEvent(event_id=event_id, event_type=event_type, subject=subject, sequence=sequence)
            )
        if event_type == ASSIGNED:
            tellings.assigned.append(event_id)
    _read_notify(suite, tellings)
    return tellings


def _read_notify(suite: Suite, tellings: Tellings) -> None:
    with suite.database("notify") as notify:
        tellings.digests = [
            (str(event_id), str(digest_id))
            for event_id, digest_id in notify.execute(
                "SELECT event_id, digest_id FROM notice WHERE rule = 'issue-assigned' AND digest_id IS NOT NULL"
            )
        ]
        for digest_id, delivery_id, channel, message_id, status, reason in notify.execute(
            "SELECT digest_id::text, id::text, channel, message_id, status, reason FROM delivery "
            "WHERE channel IN ('sms', 'email')"
        ):
            reference = delivery_id if channel == "sms" else message_id
            owed = Owed(
                delivery_id=str(delivery_id),
                channel=str(channel),
                reference=str(reference),
                status=str(status),
                reason=None if reason is None else str(reason),
            )
            tellings.owed.setdefault(str(digest_id), []).append(owed)
        for url, event_id in notify.execute(
            """
            SELECT endpoint.url, delivery.event_id::text
              FROM webhook_attempt AS attempt
              JOIN webhook_delivery AS delivery ON delivery.id = attempt.delivery_id
              JOIN webhook_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
             WHERE attempt.outcome = 'unknown'
            """
        ):
            tellings.unheard["/" + str(url).split("/", 3)[3], str(event_id)] += 1
        for channel, delivery_id, message_id in notify.execute(
            """
            SELECT channel, delivery.id::text, message_id
              FROM delivery_attempt AS attempt
              JOIN delivery ON delivery.id = attempt.delivery_id
             WHERE attempt.outcome = 'lost' OR attempt.outcome IS NULL
            """
        ):
            reference = delivery_id if channel == "sms" else message_id
            tellings.unheard[PLACES[str(channel)], str(reference)] += 1


def _mails(suite: Suite) -> list[HandOver]:
    """In the order in which they came; the server answers for each."""
    return [
        HandOver(
            place=MAIL,
            reference=str(mail["Message-ID"]).strip(),
            at=0.0,
            headers={},
            body=mail.get_body(("plain",)).get_content().encode(),  # type: ignore[union-attr] # ours have one
            answered=True,
        )
        for mail in suite.mail.mails
    ]


def read_event_ids(suite: Suite) -> frozenset[str]:
    with suite.database("intake") as intake:
        return frozenset(str(row[0]) for row in intake.execute("SELECT event_id FROM outbox"))


def count_open(suite: Suite) -> int:
    """How much of notify's waits: of the log, of what has been noted, and of what has to be handed over."""
    with suite.database("notify") as notify:
        row = notify.execute(
            """
            SELECT (SELECT coalesce(sum(last_position - position), 0) FROM event_position, webhook_endpoint
                     WHERE status = 'active')
                   + (SELECT last_position - position FROM event_position, reader WHERE name = 'notices')
                   + (SELECT count(*) FROM webhook_endpoint WHERE status = 'unverified')
                   + (SELECT count(*) FROM webhook_delivery WHERE status IN ('due', 'claimed'))
                   + (SELECT count(*) FROM notice WHERE settled_at IS NULL AND due_at <= now())
                   + (SELECT count(*) FROM delivery WHERE status IN ('due', 'claimed'))
            """
        ).fetchone()
    return int(str(row[0])) if row else 0


def wait_until_told(suite: Suite, *, timeout_seconds: float = 600) -> None:
    """Nothing waits any more, neither between the services nor to be handed over; leases of the dead run out."""
    wait_until_quiet(suite)
    wait_for(lambda: count_open(suite) == 0, "everything handed over", timeout_seconds=timeout_seconds)


def end_leases_of_the_dead(suite: Suite) -> None:
    """Let their time pass without waiting for it. Who lives ends first, with what it has under way."""
    senders = ("notify-work", "notify-push")
    for name in senders:
        suite.processes[name].stop()
    with suite.database("notify") as notify:
        notify.execute("UPDATE delivery SET next_attempt_at = now() WHERE status = 'claimed'")
        notify.execute("UPDATE webhook_delivery SET next_attempt_at = now() WHERE status = 'claimed'")
    for name in senders:
        suite.processes[name].start()
    suite.wait_until_ready()
