"""Calling citizens back, by somebody who has no part in what was handled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.intake.domain.commands.ratings import CallOrigin, SubmitRating
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.ratings import Answers
from services.intake.domain.times import CLOCK_TOLERANCE
from services.intake.handlers.callback_denials import Settled, find_overruled, settle_call
from services.intake.handlers.rating_invitations import invite
from services.intake.handlers.rating_links import AlreadyRated, IssueNotClosed
from services.intake.handlers.ratings import submit_ratings
from services.intake.storage import callback_denials, rating_links
from services.intake.storage import callbacks as storage
from services.intake.storage.callbacks import Attempt, Result
from services.intake.storage.citizens import elevated
from services.intake.storage.contacts import ContactNotFound
from services.intake.storage.issues import IssueNotFound
from services.intake.storage.rating_links import Rated
from shared.access.principal import Principal
from shared.audit import chain
from shared.database import Connection, Pool, joined, transaction
from shared.errors import Conflict, Forbidden, Rejected
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.reach import current

RECORDED_WITHIN = timedelta(days=30)
RATED_ONCE = frozenset({"reached_rated", "reached_no_such_matter"})


class OwnWork(Forbidden):
    """Whoever handled it, recorded it or stands in the line of who did asks nobody how it was."""

    code = "own-work"


class OtherContent(Conflict):
    code = "other-content"


class BadCallTime(Rejected):
    code = "bad-call-time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`answers` are there where the citizen was reached and rated."""

    id: UUID
    rated: Rated
    result: Result
    attempted_at: datetime | None
    answers: Answers | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    attempt: Attempt
    is_new: bool
    follow_up_count: int


def record_call(pool: Pool, call: Call, principal: Principal, *, rules: RatingRules, now: datetime) -> Recorded:
    """Keep the attempt, with the rating that it gave; a repeat changes nothing.

    Raises IssueNotFound, ContactNotFound, IssueNotClosed, OwnWork, AlreadyRated, AlreadyDenied, OwnDenial,
    OtherContent, BadCallTime.
    """
    at = call.attempted_at or now
    if not now - RECORDED_WITHIN <= at <= now + CLOCK_TOLERANCE:
        raise BadCallTime("a call is recorded within thirty days, and not before it was made")
    with transaction(pool) as connection:
        _require_others_work(connection, call.rated)
        with elevated(connection):
            standing = storage.find_attempt(connection, call.id)
            if standing is not None:
                count = callback_denials.count_follow_ups(connection, call.id)
                return Recorded(attempt=_same(standing, call), is_new=False, follow_up_count=count)
            overrules = find_overruled(connection, call.rated, call.result, caller_person=principal.person_id)
            origin = storage.find_origin(connection, call.rated)
        if call.result in RATED_ONCE and storage.has_callback_rating(connection, call.rated):
            raise AlreadyRated("the citizen has rated it on the telephone")
        rating_id = None
        if call.answers is not None:
            rating_id = _rate(connection, call, call.answers, origin=origin, rules=rules, now=now)
        values = {
            "id": call.id,
            "issue_id": call.rated.issue_id,
            "contact_id": call.rated.contact_id,
            "result": call.result,
            "rating_id": rating_id,
            "attempted_at": at,
            "recorded_at": now,
            "caller_id": principal.account_id,
            "caller_person": principal.person_id,
        }
        with elevated(connection):
            storage.insert_attempt(connection, values)
            storage.end_task(connection, call.rated, call.result, most_attempts=rules.most_attempts, at=now)
            is_reached = call.result.startswith("reached")
            settled = Settled(
                id=call.id,
                rated=call.rated,
                result=call.result,
                origin=origin,
                attempted_at=at,
                answers=call.answers,
                invitation_id=invite(connection, call.rated, "callback", now=now) if is_reached else None,
                overrules=overrules,
            )
            follow_up_count = settle_call(connection, settled, rules=rules, now=now)
        chain.note(
            connection,
            chain.Line(action="callback.record", object_type="callback_attempt", object_id=call.id, reason=call.result),
        )
    attempt = Attempt(
        id=call.id,
        issue_id=call.rated.issue_id,
        contact_id=call.rated.contact_id,
        result=call.result,
        attempted_at=at,
        rating_id=rating_id,
    )
    return Recorded(attempt=attempt, is_new=True, follow_up_count=follow_up_count)


def list_tasks(pool: Pool, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[storage.Task]:
    with transaction(pool) as connection:
        return storage.list_tasks(connection, after=after, limit=limit)


def _require_others_work(connection: Connection, rated: Rated) -> None:
    """What is rated is within reach, over, and nobody's whom this person stands by. Held until the transaction ends."""
    if rated.issue_id is not None and not storage.is_visible(connection, "issue", rated.issue_id):
        raise IssueNotFound("there is no such issue")
    if rated.contact_id is not None and not storage.is_visible(connection, "contact", rated.contact_id):
        raise ContactNotFound("there is no such contact")
    if storage.is_own_work(connection, rated):
        raise OwnWork("another person has to call")
    with elevated(connection):
        if rated.issue_id is not None and rating_links.lock_issue(connection, rated.issue_id) is None:
            raise IssueNotClosed("only what is closed is called back about")
        if rated.contact_id is not None:
            rating_links.lock_contact(connection, rated.contact_id)
        if not storage.is_citizen_active(connection, rated):
            raise IssueNotFound("there is no such issue")


def _is_visible(connection: Connection, kind: storage.Kind, record_id: UUID) -> bool:
    return storage.is_visible(connection, kind, record_id)


def _rate(
    connection: Connection,
    call: Call,
    answers: Answers,
    *,
    origin: CallOrigin | None,
    rules: RatingRules,
    now: datetime,
) -> UUID:
    command = SubmitRating(
        id=new_id(),
        correlation_id=correlation_id(),
        reach=current(),
        issue_id=call.rated.issue_id,
        contact_id=call.rated.contact_id,
        level=answers.level,
        solved=answers.solved,
        attitude=answers.attitude,
        speed=answers.speed,
        comment=answers.comment,
        method="callback",
        call_origin=origin,
    )
    [outcome] = submit_ratings(joined(connection), [command], rules=rules, now=now)
    if outcome.status != "created":
        raise RuntimeError(f"a rating by telephone was not recorded: {outcome.code}")
    return command.id


def _same(standing: Attempt, call: Call) -> Attempt:
    """Raises OtherContent."""
    told = (call.rated.issue_id, call.rated.contact_id, call.result)
    if (standing.issue_id, standing.contact_id, standing.result) != told:
        raise OtherContent("an attempt with this id stands with other content")
    return standing
