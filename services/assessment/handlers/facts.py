"""Taking events in: the log, the registers and the facts of a batch in one transaction, and what is due by them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment import metrics
from services.assessment.domain.measures import NOBODY
from services.assessment.handlers.occasions import KINDS as OCCASIONS
from services.assessment.handlers.occasions import collect_occasion, write_occasions
from services.assessment.storage import facts, marking, registers, shares
from shared import crash, inbox
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.contacts import ContactAmended, ContactRecorded, ContactReviewed, ContactVoided
from shared.contracts.intake.deadlines import DeadlinesMoved
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issue_endings import IssueMerged, IssueReopened, IssueReplied, RedoOrdered
from shared.contracts.intake.issue_requests import ExclusionDecided, ExtensionDecided
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueReceived, IssueResponded
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
from shared.database import Connection, Pool, transaction

CONSUMER = "assessment.facts"
DEADLINES = ("sign_by", "respond_by", "due_at", "reply_by")
Rows = dict[UUID, dict[str, Any]]


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


def take_facts(pool: Pool, envelopes: Sequence[Envelope], *, zone: ZoneInfo, now: datetime) -> int:
    """Take in those events that are new, all or none; return how many. The same events again change nothing."""
    with transaction(pool) as connection:
        facts.lock_projection(connection)
        new = inbox.claim_new(connection, CONSUMER, [envelope.event_id for envelope in envelopes])
        if not new:
            return 0
        crash.point("assessment.after_inbox_insert")
        batch = Batch()
        for envelope in {one.event_id: one for one in envelopes if one.event_id in new}.values():
            _collect(batch, envelope)
        facts.append_events(connection, batch.log)
        _note_former(connection, batch)
        _mark_due(connection, batch, zone=zone, now=now)
        _write(connection, batch)
        _note_posts_below(connection, batch)
        _mark_due(connection, batch, zone=zone, now=now)
        marking.mark_subjects(connection, batch.touched_subjects, marked_at=now)
        crash.point("assessment.before_commit")
    metrics.events_taken_total.inc(len(new))
    return len(new)


def remake_facts(
    connection: Connection, envelopes: Sequence[Envelope], remove: Callable[[], None], zone: ZoneInfo, now: datetime
) -> None:
    """Make the facts of these events anew, in place of what `remove` removes; what stood and what stands is due.

    The events are in the log already, and all that there are of their aggregates.
    """
    batch = Batch()
    for envelope in envelopes:
        _collect(batch, envelope)
    _note_former(connection, batch)
    _mark_due(connection, batch, zone=zone, now=now)
    remove()
    _write(connection, batch)
    _note_posts_below(connection, batch)
    _mark_due(connection, batch, zone=zone, now=now)
    marking.mark_subjects(connection, batch.touched_subjects, marked_at=now)


def fold_issue(envelopes: Iterable[Envelope]) -> dict[str, Any]:
    """The parts of one issue as these events tell them, in whatever order; empty where none does."""
    batch = Batch()
    for envelope in envelopes:
        if COLLECTORS.get(type(envelope.event)) is _collect_issue:
            _collect_issue(batch, envelope)
    return next(iter(batch.issues.values()), {})


def _note_former(connection: Connection, batch: Batch) -> None:
    """A parent that loses a child, a cadre whose post was recorded otherwise, and what a rating is about, are due."""
    if batch.organisations:
        correlation_id = next(reversed(batch.touched_subjects.values()))
        for parent_id in marking.list_parents(connection, list(batch.organisations)):
            batch.touched_subjects.setdefault(("organisation", parent_id), correlation_id)
    if batch.posts:
        for post_id, cadre_id in marking.list_cadres_of_posts(connection, list(batch.posts)).items():
            batch.touched_subjects.setdefault(("cadre", cadre_id), batch.touched_duties[post_id])
    if batch.ratings:
        for rating_id, rated_id in facts.list_rated(connection, list(batch.ratings)).items():
            batch.rated.add(rated_id)
            batch.touched_facts.setdefault(rated_id, batch.touched_facts[rating_id])


def _note_posts_below(connection: Connection, batch: Batch) -> None:
    """Where what stands above a post is told anew, so is which place's duties it owes."""
    if batch.parents:
        correlation_id = next(reversed(batch.touched_subjects.values()))
        for post_id in marking.list_posts_owing_by_place(connection, list(batch.organisations)):
            batch.touched_duties.setdefault(post_id, correlation_id)


def _mark_due(connection: Connection, batch: Batch, *, zone: ZoneInfo, now: datetime) -> None:
    marking.mark_cells_of_facts(connection, batch.touched_facts, time_zone=zone.key, marked_at=now)
    marking.mark_cells_of_duties(connection, batch.touched_duties, today=now.astimezone(zone).date(), marked_at=now)


def _write(connection: Connection, batch: Batch) -> None:
    writers: tuple[tuple[Rows, Callable[[Connection, Sequence[dict[str, Any]]], None]], ...] = (
        (batch.organisations, registers.upsert_organisations),
        (batch.cadres, registers.upsert_cadres),
        (batch.posts, registers.upsert_posts),
        (batch.duties, registers.upsert_duties),
        (batch.contacts, facts.upsert_contacts),
        (batch.issues, facts.merge_issues),
        (batch.ratings, facts.merge_ratings),
        (batch.ledgers, shares.put_ledgers),
    )
    if batch.parents:
        registers.insert_parents(connection, batch.parents)
    write_occasions(connection, batch.occasions)
    for rows, write in writers:
        if rows:
            write(connection, list(rows.values()))
    issue_ids, contact_ids = batch.issues.keys() | batch.rated, batch.contacts.keys() | batch.rated
    if issue_ids or contact_ids:
        facts.settle_ratings(connection, issue_ids=list(issue_ids), contact_ids=list(contact_ids))


def _collect(batch: Batch, envelope: Envelope) -> None:
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
    if collect := COLLECTORS.get(type(event)):
        collect(batch, envelope)
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


def _collect_suggestion(batch: Batch, envelope: Envelope) -> None:
    event = envelope.event
    assert isinstance(event, SuggestionDecided)  # noqa: S101
    row = _issue_row(batch, event.issue_id)
    row["suggestion_answered_at"] = min(event.decided_at, row.get("suggestion_answered_at", event.decided_at))
    batch.touched_facts[event.issue_id] = envelope.correlation_id


def _issue_row(batch: Batch, issue_id: UUID) -> dict[str, Any]:
    return batch.issues.setdefault(
        issue_id,
        {
            "issue_id": issue_id,
            "organisation_id": NOBODY,
            "cadre_id": NOBODY,
            "assignment_sequence": 0,
            "closure_sequence": 0,
            "due_sequence": 0,
            "deadline_sequence": 0,
            "exclusion_sequence": 0,
            "merge_sequence": 0,
            "is_reopened": False,
            "is_redone": False,
            "is_returned": False,
        },
    )


def _collect_issue(batch: Batch, envelope: Envelope) -> None:
    """Merge the parts of one issue; nobody is assigned at sequence 0, and nothing closed, moved or excluded."""
    event = envelope.event
    sequence = envelope.sequence
    row = _issue_row(batch, event.aggregate_id)
    if isinstance(event, IssueReceived):
        kept = ["organisation_id", "cadre_id", *(name for name in DEADLINES if name in row)]
        row |= dict(event) | {name: row[name] for name in kept}
        row["due_sequence"] = max(row["due_sequence"], sequence)
    if isinstance(event, IssueReceived | IssueAssigned) and sequence > row["assignment_sequence"]:
        row["organisation_id"] = event.organisation_id or NOBODY
        row["cadre_id"] = event.cadre_id or NOBODY
        row["assignment_sequence"] = sequence
    if isinstance(event, IssueResponded):
        row["responded_at"] = min(event.responded_at, row.get("responded_at", event.responded_at))
    replied_at = _find_reply(event)
    if replied_at is not None:
        row["replied_at"] = min(replied_at, row.get("replied_at", replied_at))
    if isinstance(event, IssueReplied | IssueClosed) and event.reply_characters is not None:
        row["reply_characters"] = max(event.reply_characters, row.get("reply_characters", 0))
    row["is_reopened"] |= isinstance(event, IssueReopened)
    row["is_redone"] |= isinstance(event, RedoOrdered)
    row["is_returned"] |= isinstance(event, IssueAssigned) and event.kind == "return"
    if isinstance(event, DeadlinesMoved):
        _collect_deadlines(row, event, sequence)
    _collect_ending(row, event, sequence)
    batch.touched_facts[event.aggregate_id] = envelope.correlation_id


def _find_reply(event: Event) -> datetime | None:
    """A closure with a reply tells the citizen, too."""
    if isinstance(event, IssueReplied):
        return event.replied_at
    if isinstance(event, IssueClosed) and event.reply_characters is not None:
        return event.closed_at
    return None


def _collect_deadlines(row: dict[str, Any], event: DeadlinesMoved, sequence: int) -> None:
    """What is not named does not stand any more. Whoever missed a deadline is not in time by the next one."""
    if sequence > row["deadline_sequence"]:
        row |= {"sign_by": event.sign_by, "respond_by": event.respond_by, "reply_by": event.reply_by}
        row["deadline_sequence"] = sequence
    if sequence > row["due_sequence"]:
        row |= {"due_at": event.missed_due_at or event.due_at, "due_sequence": sequence}


def _collect_ending(row: dict[str, Any], event: Event, sequence: int) -> None:
    if isinstance(event, IssueClosed) and sequence > row["closure_sequence"]:
        row |= {"closed_at": event.closed_at, "outcome": event.outcome, "closure_sequence": sequence}
    if isinstance(event, IssueReopened | RedoOrdered) and sequence > row["closure_sequence"]:
        row |= {"closed_at": None, "outcome": None, "closure_sequence": sequence}
    if isinstance(event, IssueMerged | IssueReopened) and sequence > row["merge_sequence"]:
        row["merged_into"] = event.merged_into if isinstance(event, IssueMerged) else None
        row["merge_sequence"] = sequence
    if isinstance(event, ExtensionDecided) and event.due_at is not None and sequence > row["due_sequence"]:
        row |= {"due_at": event.due_at, "due_sequence": sequence}
    if isinstance(event, ExclusionDecided) and sequence > row["exclusion_sequence"]:
        row |= {"excluded": event.effect, "exclusion_sequence": sequence}


COLLECTORS: dict[type[Event], Callable[[Batch, Envelope], None]] = {
    OrganisationRegistered: _collect_organisation,
    CadreRegistered: _collect_cadre,
    PostRecorded: _collect_post,
    DutyDefined: _collect_duty,
    ContactRecorded: _collect_contact,
    ContactAmended: _collect_contact,
    ContactVoided: _collect_contact,
    ContactReviewed: _collect_contact,
    IssueReceived: _collect_issue,
    IssueAssigned: _collect_issue,
    IssueResponded: _collect_issue,
    IssueClosed: _collect_issue,
    IssueMerged: _collect_issue,
    IssueReopened: _collect_issue,
    IssueReplied: _collect_issue,
    SuggestionDecided: _collect_suggestion,
    RedoOrdered: _collect_issue,
    ExtensionDecided: _collect_issue,
    DeadlinesMoved: _collect_issue,
    ExclusionDecided: _collect_issue,
    ResponsibilityShared: _collect_ledger,
    RatingSubmitted: _collect_rating,
    RatingAmended: _collect_rating,
    RatingQuarantined: _collect_rating,
    RatingReviewed: _collect_rating,
    RatingInvited: _collect_invitation,
    MatterDenied: _collect_denial,
    DenialOverruled: _collect_denial,
}
