"""Whether a citizen wants to be told, what was told of an issue, and what is sent again by hand or heard afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.intake import metrics
from services.intake.domain.citizen_messages import NobodyToTell, NotReplayable, State, UnknownMessage
from services.intake.storage import citizen_messages as storage
from services.intake.storage import citizen_sending as sending
from services.intake.storage import citizen_wishes as wishes
from services.intake.storage.citizen_messages import Message
from services.intake.storage.citizen_wishes import Addressee
from services.intake.storage.citizens import elevated
from services.intake.storage.issues import IssueNotFound
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.gateways.receipts import Told
from shared.observability import get_logger
from shared.reach import SYSTEM

AHEAD = timedelta(minutes=5)  # how far a gateway's clock may run ahead of ours
BEHIND = timedelta(days=400)

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOfIssue:
    """`wants_messages`: what the citizen said when somebody asked."""

    wants_messages: bool | None
    messages: list[Message]


def set_wish(pool: Pool, issue_id: UUID, *, wants_messages: bool, by: UUID | None, now: datetime) -> None:
    """Of whoever raised it, for whatever they raise. Raises IssueNotFound, NobodyToTell."""
    with transaction(pool) as connection:
        found = _find(connection, issue_id)
        if found.citizen_ref is None:
            raise NobodyToTell("the issue names nobody who could be told")
        with elevated(connection):
            is_news = wishes.set_wish(connection, found.citizen_ref, wants_messages=wants_messages, by=by, now=now)
        if is_news:
            details = {"wants_messages": wants_messages}
            note(
                connection,
                Line(action="citizen.set_wish", object_type="issue", object_id=issue_id, details=details),
            )


def list_of_issue(pool: Pool, issue_id: UUID) -> ToldOfIssue:
    """Raises IssueNotFound."""
    with transaction(pool) as connection:
        found = _find(connection, issue_id)
        messages = storage.list_of_issue(connection, issue_id)
        with elevated(connection):
            wish = wishes.find_wish(connection, found.citizen_ref) if found.citizen_ref is not None else None
    return ToldOfIssue(wants_messages=wish, messages=messages)


def list_messages(pool: Pool, *, state: State | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Message]:
    with transaction(pool) as connection:
        return storage.list_messages(connection, state=state, after=after, limit=limit)


def replay_message(pool: Pool, message_id: UUID, *, valid_for: timedelta, now: datetime) -> Message:
    """Have it tried anew, under the same id. Raises UnknownMessage, NotReplayable."""
    with transaction(pool) as connection:
        if storage.find_message(connection, message_id) is None:
            raise UnknownMessage("there is no such message")
        with elevated(connection):
            if not storage.set_due_by_hand(connection, message_id, now=now, valid_until=now + valid_for):
                raise NotReplayable("only what failed, expired or was not delivered, and is kept, can be sent again")
        note(connection, Line(action="citizen_message.replay", object_type="citizen_message", object_id=message_id))
        replayed = storage.find_message(connection, message_id)
    if replayed is None:
        raise UnknownMessage("there is no such message")
    return replayed


def take_receipts(pool: Pool, receipts: Sequence[Told], *, now: datetime) -> int:
    """Return how many were new. Raises UnknownMessage where none of them is of a message of ours.

    The sender has proved to be the gateway: it acts for nobody in particular.
    """
    new = known = 0
    for told in receipts:
        with transaction(pool, reach=SYSTEM) as connection:
            message_id = sending.lock_message(connection, told.reference, _own_id(told.reference))
            if message_id is None:
                metrics.citizen_receipts_total.labels("unknown").inc()
                continue
            known += 1
            is_new = _enter(connection, message_id, told, now)
        new += is_new
        metrics.citizen_receipts_total.labels(told.state if is_new else "repeated").inc()
        log.info("citizen_receipt_taken", message_id=str(message_id), state=told.state, is_new=is_new)
    if receipts and not known:
        raise UnknownMessage("none of these is of a message of ours")
    return new


def _enter(connection: Connection, message_id: UUID, told: Told, now: datetime) -> bool:
    at = told.at if told.at is not None and now - BEHIND <= told.at <= now + AHEAD else now
    if not sending.insert_receipt(connection, message_id, told.state, reported_at=at, heard_at=now):
        return False
    if told.state == "delivered":
        # It may be the first to tell: the gateway's own answer was lost, and the message would be sent again.
        sending.set_sent(connection, message_id, at=now)
    return True


def _find(connection: Connection, issue_id: UUID) -> Addressee:
    """Raises IssueNotFound."""
    found = wishes.find_addressee(connection, issue_id)
    if found is None:
        raise IssueNotFound("there is no such issue")
    return found


def _own_id(reference: str) -> UUID | None:
    try:
        return UUID(reference)
    except ValueError:
        return None
