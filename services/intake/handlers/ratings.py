"""Submitting ratings of issues and contacts, and amending them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.ratings import Answers, accuses, check_rating, digest_rating
from services.intake.domain.repeats import settle_repeat, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.rating_signals import set_odd_ones_aside
from services.intake.handlers.records import Candidate, Sorted, created, hexadecimal, refuse_taken, sort_out
from services.intake.sealing import vault
from services.intake.storage import rating_comments as comment_storage
from services.intake.storage import ratings as storage
from services.intake.storage.citizens import elevated
from shared.contracts.intake.ratings import RatingAmended, RatingSubmitted
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

Submitted = tuple[SubmitRating, storage.StoredRating]


def submit_ratings(
    pool: Pool,
    commands: Sequence[SubmitRating],
    *,
    now: datetime,
    rules: RatingRules | None = None,
    allow_odd: bool = False,
) -> list[Outcome]:
    """Submit ratings. A repeat with the same content changes nothing; with other content it is a conflict.

    Without rules, as for what another system has recorded long ago, nothing is held against any threshold.
    """

    def run(connection: Connection, fresh: list[SubmitRating], events: Events) -> list[Outcome]:
        candidates = [
            Candidate(
                command=command,
                check=(check := check_rating(command, now=now, allow_odd=allow_odd)),
                content_hash=_digest(command) if check.refusal is None else b"",
            )
            for command in fresh
        ]
        rows = [_row(candidate, now) for candidate in candidates if candidate.check.refusal is None]
        inserted = storage.insert_ratings(connection, rows, recorded_at=now) if rows else []
        outcomes = []
        made: list[Submitted] = []
        for item in sort_out(candidates, inserted, lambda some: storage.list_standing_ratings(connection, some)):
            if item.made is not None:
                made.append((item.candidate.command, item.made))
            outcomes.append(_settle(connection, item))
        events.extend(_event(command, rating) for command, rating in made)
        events.extend(_follow_up(connection, made, rules, now=now) if made else [])
        return outcomes

    outcomes = run_batch("submit_ratings", pool, commands, run, now=now)
    metrics.ratings_submitted_total.inc(sum(outcome.status == "created" for outcome in outcomes))
    return outcomes


def _settle(connection: Connection, item: Sorted[SubmitRating, storage.StoredRating]) -> Outcome:
    command, check = item.candidate.command, item.candidate.check
    if check.refusal is not None:
        return check.refusal
    if item.made is not None:
        return created(item.made, check)
    if item.met is not None:
        return settle_repeat(command, item.met, item.candidate.content_hash)
    taken = refuse_taken(connection, "rating", command)
    if taken is not None:
        return taken
    return unknown("issue" if command.issue_id or command.issue_source_number else "contact")


def _follow_up(
    connection: Connection, made: Sequence[Submitted], rules: RatingRules | None, *, now: datetime
) -> list[OutgoingEvent]:
    with elevated(connection):
        _keep_what_goes_along(connection, made, rules, now=now)
        if rules is None:
            return []
        correlations = {rating.id: command.correlation_id for command, rating in made}
        return set_odd_ones_aside(connection, correlations, rules, now=now)


def amend_rating(
    connection: Connection, rating_id: UUID, answers: Answers, *, rules: RatingRules, correlation_id: str, now: datetime
) -> OutgoingEvent:
    """Put these answers in the place of the ones before, words included. Under the system's reach."""
    sequence = storage.set_answers(connection, rating_id, answers)
    if answers.comment is None:
        comment_storage.delete_harmless(connection, rating_id)
    else:
        [rating] = storage.list_ratings(connection, [rating_id])
        _keep_comments(connection, {rating_id: (answers.comment, rating.rater_ref)}, rules, now=now)
    event = RatingAmended(
        rating_id=rating_id,
        level=answers.level,
        solved=answers.solved,
        attitude=answers.attitude,
        speed=answers.speed,
        amended_at=now,
    )
    return OutgoingEvent(event=event, sequence=sequence, correlation_id=correlation_id)


def _keep_what_goes_along(
    connection: Connection, made: Sequence[Submitted], rules: RatingRules | None, *, now: datetime
) -> None:
    """The rater's words and the traces, each in a place of its own that fewer may see."""
    said = {rating.id: (command.comment, rating.rater_ref) for command, rating in made if command.comment is not None}
    if said:
        _keep_comments(connection, said, rules, now=now)
    traces = [
        {
            "rating_id": rating.id,
            "network": _hexadecimal(command.trace.network),
            "device": _hexadecimal(command.trace.device),
            "fill_seconds": command.trace.fill_seconds,
        }
        for command, rating in made
        if command.trace is not None
    ]
    if traces:
        storage.insert_traces(connection, traces, recorded_at=now)


def _keep_comments(
    connection: Connection,
    said: Mapping[UUID, tuple[str, UUID | None]],
    rules: RatingRules | None,
    *,
    now: datetime,
) -> None:
    """Sealed under the rater's key where the rater is known, and past the unit where the words accuse somebody."""
    wrapped = storage.list_rater_keys(connection, [ref for _, ref in said.values() if ref is not None])
    rows = []
    for rating_id, (comment, ref) in said.items():
        key = None if ref is None else vault().open_key(ref, wrapped.get(ref))
        rows.append(
            {
                "rating_id": rating_id,
                "text": vault().seal_if("rating_comment", "text", rating_id, comment, key),
                "is_accusation": rules is not None and accuses(comment, rules.accusing_words),
            }
        )
    comment_storage.upsert_comments(connection, rows, recorded_at=now)


def _digest(command: SubmitRating) -> bytes:
    """Words could be guessed from a plain digest: one of them goes through the key."""
    plain = digest_rating(command)
    return plain if command.comment is None else vault().keyed(plain)


def _hexadecimal(value: bytes | None) -> str | None:
    return None if value is None else hexadecimal(value)


def _row(candidate: Candidate[SubmitRating], now: datetime) -> dict[str, object]:
    command = candidate.command
    return {
        "id": command.id,
        "source": command.source,
        "source_number": command.source_number,
        "issue_id": command.issue_id,
        "contact_id": command.contact_id,
        "issue_source_number": command.issue_source_number,
        "contact_source_number": command.contact_source_number,
        "level": command.level,
        "solved": command.solved,
        "attitude": command.attitude,
        "speed": command.speed,
        "method": command.method,
        "rated_at": command.rated_at or now,
        "flags": candidate.check.flags,
        "content_hash": hexadecimal(candidate.content_hash),
    }


def _event(command: SubmitRating, rating: storage.StoredRating) -> OutgoingEvent:
    event = RatingSubmitted(
        rating_id=rating.id,
        issue_id=rating.issue_id,
        contact_id=rating.contact_id,
        level=command.level,
        solved=command.solved,
        attitude=command.attitude,
        speed=command.speed,
        method=command.method,
        rated_at=rating.rated_at,
        rater_ref=rating.rater_ref,
        call_origin=command.call_origin,
    )
    return OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id)
