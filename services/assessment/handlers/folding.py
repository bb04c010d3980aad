"""What a batch of events tells of each aggregate, whatever order they came in: its rows, and whom they touch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from services.assessment.domain.measures import NOBODY
from services.assessment.handlers.issue_folding import STEPS, Rows, collect_step, collect_suggestion
from services.assessment.handlers.occasions import KINDS as OCCASIONS
from services.assessment.handlers.occasions import collect_occasion
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.contacts import ContactAmended, ContactRecorded, ContactReviewed, ContactVoided
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.participation import SuggestionDecided
from shared.contracts.intake.ratings import (
    DenialOverruled,
    MatterDenied,
    RatingAmended,
    RatingInvited,
    RatingQuarantined,
    RatingReviewed,
    RatingSubmitted,
)
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered, PostRecorded
from shared.contracts.intake.responsibility import ResponsibilityShared

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class Batch:
    """The rows of new events by aggregate, with the correlation id of the event that touched each last."""

    log: list[dict[str, Any]] = field(default_factory=list)
    organisations: Rows = field(default_factory=dict)
    parents: list[dict[str, Any]] = field(default_factory=list)
    cadres: Rows = field(default_factory=dict)
    posts: Rows = field(default_factory=dict)
    duties: Rows = field(default_factory=dict)
    contacts: Rows = field(default_factory=dict)
    issues: Rows = field(default_factory=dict)
    ratings: Rows = field(default_factory=dict)
    ledgers: Rows = field(default_factory=dict)  # by issue
    occasions: dict[str, Rows] = field(default_factory=dict)
    rated: set[UUID] = field(default_factory=set)  # issues and contacts
    touched_facts: dict[UUID, str] = field(default_factory=dict)
    touched_duties: dict[UUID, str] = field(default_factory=dict)
    touched_subjects: dict[tuple[str, UUID], str] = field(default_factory=dict)


def collect(batch: Batch, envelope: Envelope) -> None:
    """Log every event of intake, whether or not it counts today: a later release makes its facts from the log."""
    event = envelope.event
    if not event.key.startswith("intake."):
        return  # another service's event on a queue bound too widely: its inbox row is all it gets
    batch.log.append(
        {
            "event_id": envelope.event_id,
            "event_type": event.type,
            "aggregate": event.aggregate,
            "aggregate_id": event.aggregate_id,
            "sequence": envelope.sequence,
            "occurred_at": event.happened_at,
            "recorded_at": envelope.recorded_at,
            "correlation_id": envelope.correlation_id,
            "payload": orjson.Fragment(envelope.raw_data),
        }
    )
    if collector := COLLECTORS.get(type(event)):
        collector(batch, envelope)
    elif type(event) in OCCASIONS:
        collect_occasion(batch.occasions, envelope)


def _keep_newest(rows: Rows, key: UUID, row: dict[str, Any]) -> None:
    if key not in rows or rows[key]["sequence"] < row["sequence"]:
        rows[key] = row


def _collect_organisation(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, OrganisationRegistered)  # noqa: S101 - by COLLECTORS, as in the functions below
    _keep_newest(batch.organisations, event.organisation_id, {**dict(event), "sequence": envelope.sequence})
    batch.parents.append(
        {
            "organisation_id": event.organisation_id,
            "sequence": envelope.sequence,
            "from_on": event.from_on,
            "parent_id": event.parent_id,
        }
    )
    batch.touched_subjects["organisation", event.organisation_id] = envelope.correlation_id


def _collect_cadre(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, CadreRegistered)  # noqa: S101
    _keep_newest(batch.cadres, event.cadre_id, {**dict(event), "sequence": envelope.sequence})
    batch.touched_subjects["cadre", event.cadre_id] = envelope.correlation_id


def _collect_post(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, PostRecorded)  # noqa: S101
    _keep_newest(batch.posts, event.post_id, {**dict(event), "sequence": envelope.sequence})
    batch.touched_subjects["cadre", event.cadre_id] = envelope.correlation_id
    batch.touched_duties[event.post_id] = envelope.correlation_id


def _collect_duty(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, DutyDefined)  # noqa: S101
    _keep_newest(batch.duties, event.duty_id, {**dict(event), "sequence": envelope.sequence})
    batch.touched_duties[event.duty_id] = envelope.correlation_id


def _collect_contact(batch: Batch, envelope: Envelope) -> None:
    """Each event of a contact tells the whole of it, so that the newest is what stands, whichever came first."""
    event = envelope.event
    assert isinstance(event, ContactRecorded | ContactAmended | ContactVoided | ContactReviewed)  # noqa: S101
    row = {
        **dict(event),
        "organisation_id": event.organisation_id or NOBODY,
        "counts": True if isinstance(event, ContactRecorded) else event.counts,
        "population_groups": sorted({*(event.people_by_group or {}), *filter(None, [event.population_group])}),
        "sequence": envelope.sequence,
    }
    _keep_newest(batch.contacts, event.contact_id, row)
    batch.touched_facts[event.contact_id] = envelope.correlation_id


def _collect_rating(batch: Batch, envelope: Envelope) -> None:
    """Merge the parts of one rating; nothing is known of its answers without a sequence, nor set aside at 0."""
    event = envelope.event
    assert isinstance(event, RatingSubmitted | RatingAmended | RatingQuarantined | RatingReviewed)  # noqa: S101
    row = batch.ratings.setdefault(
        event.rating_id,
        {
            "rating_id": event.rating_id,
            "organisation_id": NOBODY,
            "cadre_id": NOBODY,
            "sequence": None,
            "is_set_aside": False,
            "standing_sequence": 0,
        },
    )
    if isinstance(event, RatingSubmitted):
        row |= {name: getattr(event, name) for name in ("issue_id", "contact_id", "method", "rated_at", "rater_ref")}
        if (rated_id := event.issue_id or event.contact_id) is not None:
            batch.rated.add(rated_id)
            batch.touched_facts[rated_id] = envelope.correlation_id
    if isinstance(event, RatingSubmitted | RatingAmended):
        if envelope.sequence > (row["sequence"] or 0):
            row |= {name: getattr(event, name) for name in ("level", "solved", "attitude", "speed")}
            row["sequence"] = envelope.sequence
    elif envelope.sequence > row["standing_sequence"]:
        row["is_set_aside"] = isinstance(event, RatingQuarantined) or not event.counts
        row["standing_sequence"] = envelope.sequence
    batch.touched_facts[event.rating_id] = envelope.correlation_id


def _collect_invitation(batch: Batch, envelope: Envelope) -> None:
    """By a call there may be a denial, which may have been told before: the log has it."""
    event = envelope.event
    assert isinstance(event, RatingInvited)  # noqa: S101
    collect_occasion(batch.occasions, envelope)
    if event.method == "callback":
        _note_called(batch, event.issue_id or event.contact_id, envelope)


def _collect_denial(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, MatterDenied | DenialOverruled)  # noqa: S101
    _note_called(batch, event.issue_id or event.contact_id, envelope)


def _note_called(batch: Batch, record_id: UUID | None, envelope: Envelope) -> None:
    if record_id is not None:
        batch.rated.add(record_id)
        batch.touched_facts[record_id] = envelope.correlation_id


def _collect_ledger(batch: Batch, envelope: Envelope) -> None:
    """Each event of a ledger tells the whole of it."""
    event = envelope.event
    assert isinstance(event, ResponsibilityShared)  # noqa: S101
    row = {
        "issue_id": event.issue_id,
        "rule_version": event.rule_version,
        "until_at": event.until_at,
        "is_final": event.is_final,
        "sequence": envelope.sequence,
        "shares": list(_shares_of(event)),
    }
    _keep_newest(batch.ledgers, event.issue_id, row)
    batch.touched_facts[event.issue_id] = envelope.correlation_id


def _shares_of(event: ResponsibilityShared) -> Iterator[dict[str, Any]]:
    """A row a slice of time; of an older release, which told none, a row a holder."""
    slices: Iterable[tuple[int, datetime | None, datetime, int]] = zip(
        event.slice_places, event.slice_from_ats, event.slice_until_ats, event.slice_millionths, strict=True
    )
    if not event.slice_places:
        slices = ((holder, None, event.until_at, count) for holder, count in enumerate(event.millionths))
    for place, (holder, from_at, until_at, millionths) in enumerate(slices, start=1):
        yield {
            "issue_id": event.issue_id,
            "place": place,
            "organisation_id": event.organisation_ids[holder],
            "cadre_id": event.cadre_ids[holder] or NOBODY,
            "role": event.roles[holder],
            "from_at": from_at,
            "until_at": until_at,
            "millionths": millionths,
        }


def _collect_step(batch: Batch, envelope: Envelope) -> None:
    collect_step(batch.issues, envelope)
    batch.touched_facts[envelope.event.aggregate_id] = envelope.correlation_id


def _collect_suggestion(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, SuggestionDecided)  # noqa: S101
    collect_suggestion(batch.issues, event)
    batch.touched_facts[event.issue_id] = envelope.correlation_id


COLLECTORS: dict[type[Event], Callable[[Batch, Envelope], None]] = {
    OrganisationRegistered: _collect_organisation,
    CadreRegistered: _collect_cadre,
    PostRecorded: _collect_post,
    DutyDefined: _collect_duty,
    ContactRecorded: _collect_contact,
    ContactAmended: _collect_contact,
    ContactVoided: _collect_contact,
    ContactReviewed: _collect_contact,
    **dict.fromkeys(STEPS, _collect_step),
    SuggestionDecided: _collect_suggestion,
    ResponsibilityShared: _collect_ledger,
    RatingSubmitted: _collect_rating,
    RatingAmended: _collect_rating,
    RatingQuarantined: _collect_rating,
    RatingReviewed: _collect_rating,
    RatingInvited: _collect_invitation,
    MatterDenied: _collect_denial,
    DenialOverruled: _collect_denial,
}
