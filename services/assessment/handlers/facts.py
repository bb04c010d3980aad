"""Taking events in: the log, the registers and the facts of a batch in one transaction, and what is due by them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.handlers.folding import Batch, collect
from services.assessment.handlers.occasions import write_occasions
from services.assessment.storage import facts, marking, registers, shares
from shared import crash, inbox
from shared.contracts.envelope import Envelope
from shared.database import Connection, Pool, transaction

if TYPE_CHECKING:
    from services.assessment.handlers.issue_folding import Rows

CONSUMER = "assessment.facts"


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
            collect(batch, envelope)
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
        collect(batch, envelope)
    _note_former(connection, batch)
    _mark_due(connection, batch, zone=zone, now=now)
    remove()
    _write(connection, batch)
    _note_posts_below(connection, batch)
    _mark_due(connection, batch, zone=zone, now=now)
    marking.mark_subjects(connection, batch.touched_subjects, marked_at=now)


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
