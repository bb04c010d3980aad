"""The feed: the events that webhooks would bring, for systems that cannot be called and come to ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notify import metrics
from services.notify.domain.agreements import Agreement, narrow
from services.notify.domain.audiences import open_types
from services.notify.domain.cloud_events import tell
from services.notify.handlers.webhook_deliveries import passing
from services.notify.storage import agreements, disclosures
from services.notify.storage import feed as storage
from services.notify.storage.disclosures import Telling
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Forbidden, Rejected

STRETCH: Final = 20_000  # events of the log that one request looks at, however few of them pass


class NoAgreement(Forbidden):
    """Whoever reads the feed does so under an agreement that is in force and names it."""

    code = "no-agreement"


class SeveralAgreements(Conflict):
    """More than one would cover it: the reader says which."""

    code = "several-agreements"


class PositionExpired(Rejected):
    """Some of what came after it is not kept any more: only reading the records anew shows how things stand."""

    code = "position-expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader stands, under which agreement, and when it was told so."""

    position: int
    agreement_id: UUID
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`client_id` reads. Types and organisation narrow what its agreement covers."""

    client_id: str = ""
    agreement_number: str | None = None
    event_types: Sequence[str] = ()
    organisation_id: UUID | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """`next_place` is where to ask next, also where there was nothing: it moves on past what nobody was told."""

    items: list[dict[str, Any]]
    next_place: Place
    is_complete: bool


def read_feed(pool: Pool, wanted: Wanted, *, after: Place | None, kept_since: datetime, now: datetime) -> FeedPage:
    """What is read is in the ledger before it is answered. Without a place the feed begins with the oldest event.

    Raises NoAgreement, SeveralAgreements, UnsoundAgreement for a filter beyond the agreement, PositionExpired.
    """
    if after is not None and after.told_at < kept_since:
        raise PositionExpired("what came after this position is not all kept any more")
    with transaction(pool) as connection:
        agreement = _choose(connection, wanted, after, now)
        narrow(agreement.event_types or open_types(), tuple(wanted.event_types))
        first, end = storage.get_ends(connection)
        start = after.position if after is not None else first - 1
        through = min(end, start + STRETCH)
        rows = storage.list_passing(
            connection,
            after=start,
            through=through,
            passing=passing(
                (agreement.event_types, wanted.event_types), (agreement.organisation_id, wanted.organisation_id)
            ),
            limit=wanted.limit,
        )
        telling = Telling(agreement_id=agreement.id, via="feed", recipient=wanted.client_id, content=agreement.content)
        disclosures.insert_disclosures(connection, telling, [row.event_id for row in rows], now=now)
    metrics.feed_events_total.inc(len(rows))
    position = rows[-1].position if len(rows) == wanted.limit else max(through, start)
    return FeedPage(
        items=[tell(row.envelope, agreement.content) for row in rows],
        next_place=Place(position=position, agreement_id=agreement.id, told_at=now),
        is_complete=position >= end,
    )


def _choose(connection: Connection, wanted: Wanted, after: Place | None, now: datetime) -> Agreement:
    """The one that the place belongs to, or is named, or is the only one."""
    found = agreements.list_in_force(connection, wanted.client_id, now=now)
    if after is not None:
        found = [item for item in found if item.id == after.agreement_id]
    elif wanted.agreement_number is not None:
        found = [item for item in found if item.number == wanted.agreement_number]
    if not found:
        raise NoAgreement("no agreement in force names this client")
    if len(found) > 1:
        raise SeveralAgreements("several agreements are in force: name one by its number")
    return found[0]
