"""Submitting ratings of issues and contacts."""

from collections.abc import Sequence
from datetime import datetime

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.contacts import check_rating, digest_rating
from services.intake.domain.repeats import id_taken, settle_repeat, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.records import Candidate, created, hexadecimal, sort_out
from services.intake.storage import ratings as storage
from services.intake.storage.reach import is_id_taken
from shared.contracts.intake.ratings import RatingSubmitted
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent


def submit_ratings(
    pool: Pool, commands: Sequence[SubmitRating], *, now: datetime, allow_odd: bool = False
) -> list[Outcome]:
    """Submit ratings. A repeat with the same content changes nothing; with other content it is a conflict."""

    def run(connection: Connection, fresh: list[SubmitRating], events: Events) -> list[Outcome]:
        candidates = [
            Candidate(
                command=command,
                check=(check := check_rating(command, now=now, allow_odd=allow_odd)),
                content_hash=digest_rating(command) if check.refusal is None else b"",
            )
            for command in fresh
        ]
        rows = [_row(candidate, now) for candidate in candidates if candidate.check.refusal is None]
        inserted = storage.insert_ratings(connection, rows, recorded_at=now) if rows else []
        outcomes = []
        for item in sort_out(candidates, inserted, lambda some: storage.list_standing_ratings(connection, some)):
            command, check = item.candidate.command, item.candidate.check
            if check.refusal is not None:
                outcomes.append(check.refusal)
            elif item.made is not None:
                events.append(_event(command, item.made))
                outcomes.append(created(item.made, check))
            elif item.met is not None:
                outcomes.append(settle_repeat(command, item.met, item.candidate.content_hash))
            elif is_id_taken(connection, "rating", command.id):
                outcomes.append(id_taken())
            else:
                outcomes.append(unknown("issue" if command.issue_id or command.issue_source_number else "contact"))
        return outcomes

    outcomes = run_batch("submit_ratings", pool, commands, run, now=now)
    metrics.ratings_submitted_total.inc(sum(outcome.status == "created" for outcome in outcomes))
    return outcomes


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
        method=command.method,
        rated_at=rating.rated_at,
        rater_ref=rating.rater_ref,
    )
    return OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id)
