"""Putting the record of a contact right, or voiding it. Pure: each takes a contact and returns it as it stands then."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.contacts import too_long_ago
from shared.errors import Conflict, Rejected
from shared.reach import Reach


class CorrectionClosed(Rejected):
    """The days have passed in which whoever records contacts may correct them."""

    code = "correction-closed"


class AlreadyVoided(Conflict):
    code = "already-voided"


class ChangedMeanwhile(Conflict):
    """Somebody else amended it since the sender looked."""

    code = "changed-meanwhile"


class TooLongAgo(Rejected):
    code = "too-long-ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an amendment may change."""

    kind: ContactKind
    occurred_at: datetime
    duration_minutes: int | None
    population_group: str | None
    people_count: int | None
    people_by_group: dict[str, int] | None
    companion_ids: tuple[UUID, ...]
    first_on: date | None
    last_on: date | None
    place_code: str | None
    note: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What decides what may happen to a contact, with what is said of it."""

    id: UUID
    cadre_id: UUID
    organisation_id: UUID | None
    recorded_at: datetime
    sequence: int
    counts: bool
    voided_at: datetime | None
    content: Content
    citizen_ref: UUID | None = None


def is_officer(reach: Reach | None) -> bool:
    """Whether an officer acts, or intake itself."""
    return reach is None or "department_officer" in reach.role.split(",")


def refuse_closed(contact: Contact, reach: Reach | None, *, within: timedelta | None, now: datetime) -> None:
    """Raises CorrectionClosed."""
    if within is not None and not is_officer(reach) and now - contact.recorded_at > within:
        raise CorrectionClosed(f"after {within.days} days only an officer corrects a contact")


def amend(contact: Contact, content: Content, *, version: int | None, earliest: timedelta | None) -> Contact:
    """Return the very contact where it stands so already. Raises AlreadyVoided, ChangedMeanwhile, TooLongAgo.

    `earliest` is how long before its recording a contact may be said to have been, where the time is amended.
    """
    if contact.voided_at is not None:
        raise AlreadyVoided("the contact was voided; record it anew")
    if content == contact.content:
        return contact
    if version is not None and version != contact.sequence:
        raise ChangedMeanwhile("the contact was changed since; look at it again")
    moved = content.occurred_at != contact.content.occurred_at
    if moved and earliest is not None and content.occurred_at < contact.recorded_at - earliest:
        raise TooLongAgo(too_long_ago(earliest).detail)
    return replace(contact, content=content, sequence=contact.sequence + 1)


def review(contact: Contact, *, counts: bool) -> Contact:
    """Return the very contact where it counts so already. Raises AlreadyVoided."""
    if contact.voided_at is not None:
        raise AlreadyVoided("the contact was voided: there is nothing to decide")
    if contact.counts == counts:
        return contact
    return replace(contact, counts=counts, sequence=contact.sequence + 1)


def void(contact: Contact, *, at: datetime) -> Contact:
    """Return the very contact where it is void already."""
    if contact.voided_at is not None:
        return contact
    return replace(contact, voided_at=at, counts=False, sequence=contact.sequence + 1)
