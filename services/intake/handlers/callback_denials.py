"""What follows where a citizen does not know of the matter: it is told, and the cadre's other citizens are called."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.ratings import CallOrigin
from services.intake.domain.rating_rules import FollowUp, RatingRules
from services.intake.domain.ratings import Answers
from services.intake.storage import callback_denials as storage
from services.intake.storage.callback_denials import VAIN_NUMBERS, Denial, StandingDenial
from services.intake.storage.callbacks import Result
from services.intake.storage.rating_links import Rated
from shared import outbox
from shared.audit import chain
from shared.contracts.base import Event
from shared.contracts.intake.ratings import DenialOverruled, MatterDenied
from shared.database import Connection
from shared.errors import Conflict
from shared.observability import correlation_id
from shared.outbox import OutgoingEvent

DENIALS: Final[dict[str, Denial]] = {
    "reached_no_such_matter": "no_such_matter",
    "reached_did_not_ask": "did_not_ask",
}
DENIED_AS = 2  # the places among the events of the invitation that the call was
OVERRULED_AS = 3


class AlreadyDenied(Conflict):
    code = "already-denied"


class OwnDenial(Conflict):
    """What somebody was told at the telephone is not undone by the same person at the next call."""

    code = "own-denial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A call as it was just recorded. `invitation_id` is there where somebody was reached."""

    id: UUID
    rated: Rated
    result: Result
    origin: CallOrigin | None
    attempted_at: datetime
    answers: Answers | None
    invitation_id: UUID | None
    overrules: StandingDenial | None


def find_overruled(
    connection: Connection, rated: Rated, result: Result, *, caller_person: str
) -> StandingDenial | None:
    """Which denial a rating overrules. Raises AlreadyDenied, OwnDenial."""
    standing = storage.find_standing_denial(connection, rated)
    if standing is None:
        return None
    if result in DENIALS:
        raise AlreadyDenied("the citizen has said already that there was no such matter")
    if result != "reached_rated":
        return None
    if standing.caller_person == caller_person:
        raise OwnDenial("another person has to call once more")
    return standing


def settle_call(connection: Connection, attempt: Settled, *, rules: RatingRules, now: datetime) -> int:
    """Keep and tell what the call denies or overrules; return how many calls follow. Under the system's reach."""
    denial = DENIALS.get(attempt.result)
    if denial is not None and attempt.invitation_id is not None:
        _deny(connection, attempt, denial, attempt.invitation_id, now=now)
    if attempt.overrules is not None:
        _overrule(connection, attempt, attempt.overrules, now=now)
    followed = rules.follow_up
    if followed is None or not _is_followed_up(connection, attempt, followed, now=now):
        return 0
    count = storage.insert_follow_ups(
        connection,
        attempt.rated,
        attempt.id,
        since=now - timedelta(days=followed.days),
        most_attempts=rules.most_attempts,
        at=now,
    )
    chain.note(connection, _line("callback.follow_up", attempt.id, {"tasks": count}))
    metrics.callback_follow_ups_total.inc(count)
    return count


def _deny(connection: Connection, attempt: Settled, denial: Denial, invitation_id: UUID, *, now: datetime) -> None:
    subject = {"issue_id": attempt.rated.issue_id, "contact_id": attempt.rated.contact_id}
    row = {"attempt_id": attempt.id, **subject, "invitation_id": invitation_id}
    storage.insert_denial(connection, {**row, "denial": denial, "denied_at": attempt.attempted_at})
    event = MatterDenied(
        invitation_id=invitation_id,
        **subject,
        denial=denial,
        call_origin=attempt.origin,
        denied_at=attempt.attempted_at,
    )
    _tell(connection, event, DENIED_AS, now=now)


def _overrule(connection: Connection, attempt: Settled, standing: StandingDenial, *, now: datetime) -> None:
    storage.set_overruled(connection, standing.attempt_id, by=attempt.id)
    event = DenialOverruled(
        invitation_id=standing.invitation_id,
        issue_id=attempt.rated.issue_id,
        contact_id=attempt.rated.contact_id,
        overruled_at=attempt.attempted_at,
    )
    _tell(connection, event, OVERRULED_AS, now=now)
    chain.note(connection, _line("callback.overrule", standing.attempt_id, {"by": str(attempt.id)}))


def _is_followed_up(connection: Connection, attempt: Settled, followed: FollowUp, *, now: datetime) -> bool:
    if attempt.result in DENIALS:
        return DENIALS[attempt.result] in followed.after
    if attempt.result in VAIN_NUMBERS and followed.vain_numbers:
        since = now - timedelta(days=followed.days)
        return storage.count_vain(connection, attempt.rated, since=since) >= followed.vain_numbers
    issue_id = attempt.rated.issue_id
    is_unsolved = attempt.answers is not None and attempt.answers.solved is False
    if "unsolved" not in followed.after or not is_unsolved or issue_id is None:
        return False
    return storage.is_closed_as_resolved(connection, issue_id)


def _tell(connection: Connection, event: Event, sequence: int, *, now: datetime) -> None:
    told = OutgoingEvent(event=event, sequence=sequence, correlation_id=correlation_id())
    outbox.append(connection, [told], recorded_at=now, correlation_id=correlation_id())


def _line(action: str, attempt_id: UUID, details: dict[str, object]) -> chain.Line:
    return chain.Line(action=action, object_type="callback_attempt", object_id=attempt_id, details=details)
