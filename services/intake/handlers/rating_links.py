"""One-time links by which citizens rate: issuing, looking at, using, amending by and revoking them.

A session at a counter is a link of a few minutes for what was just handled there.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.intake import metrics
from services.intake.domain.commands.ratings import RatingTrace, SubmitRating
from services.intake.domain.rating_links import COUNTER_LIVES_FOR, LIVES_FOR, digest_token
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.ratings import Answers
from services.intake.handlers.rating_invitations import invite
from services.intake.handlers.ratings import amend_rating, submit_ratings
from services.intake.sealing import vault
from services.intake.storage import rating_links as storage
from services.intake.storage.citizens import elevated
from services.intake.storage.rating_links import Rated, UsedLink
from shared import limits, outbox
from shared.audit import chain
from shared.database import Connection, Pool, joined, transaction
from shared.errors import Conflict, NotFound
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting

TRIES_A_MINUTE = 10


class IssueNotClosed(Conflict):
    code = "issue-not-closed"


class AlreadyRated(Conflict):
    code = "already-rated"


class NotJustHandled(Conflict):
    code = "not-just-handled"


class LinkNotUsable(NotFound):
    """The one answer for whatever is no live link: it never says why."""

    code = "link-not-usable"

    def __init__(self) -> None:
        super().__init__("this link cannot be used, or not any more")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRating:
    """What a citizen says over a link, and from where."""

    token: str = field(repr=False)
    answers: Answers
    opened_at: datetime
    network: str


def issue_link(pool: Pool, rated: Rated, token: str, *, now: datetime) -> datetime:
    """Let this token rate the issue or contact, and no earlier one; return until when.

    Raises IssueNotFound, IssueNotClosed, ContactNotFound, AlreadyRated.
    """
    link = storage.NewLink(
        id=new_id(), digest=digest_token(token), rated=rated, issued_at=now, expires_at=now + LIVES_FOR
    )
    with transaction(pool) as connection:
        if _lock_rated(connection, rated) is None:
            raise IssueNotClosed("only what is closed can be rated by a link")
        _put_in_place(connection, link, now=now)
        _note(connection, "link.issue", rated, {"link_id": link.id})
    return link.expires_at


def open_counter(pool: Pool, rated: Rated, token: str, device: str, *, rules: RatingRules, now: datetime) -> datetime:
    """Let this token rate at a counter what was just handled there; return until when.

    Raises IssueNotFound, IssueNotClosed, ContactNotFound, NotJustHandled, AlreadyRated.
    """
    link = storage.NewLink(
        id=new_id(),
        digest=digest_token(token),
        rated=rated,
        issued_at=now,
        expires_at=now + COUNTER_LIVES_FOR,
        purpose="kiosk",
        device=vault().handles("device", device)[0],
    )
    with transaction(pool) as connection:
        handled_at = _lock_rated(connection, rated)
        if handled_at is None:
            raise IssueNotClosed("only what is closed can be rated at a counter")
        if now - handled_at > rules.counter_within:
            raise NotJustHandled("a counter rates what was handled there just now")
        _put_in_place(connection, link, now=now)
        _note(connection, "link.open_counter", rated, {"link_id": link.id})
    return link.expires_at


def revoke_links(pool: Pool, rated: Rated, *, now: datetime) -> int:
    """End all links of it, those of amending too; return how many. Raises IssueNotFound, ContactNotFound."""
    with transaction(pool) as connection:
        _lock_rated(connection, rated)
        count = storage.set_revoked(connection, rated, at=now)
        _note(connection, "link.revoke", rated, {"count": count})
    return count


def count_try(pool: Pool, network: str, *, now: datetime) -> None:
    """Call before any token is looked at. Raises TooMany."""
    limits.take(pool, f"rating-link:{network}", limit=TRIES_A_MINUTE, per_seconds=60, now=now)


def look_at_link(pool: Pool, token: str, *, now: datetime) -> datetime:
    """Return until when it can be used, and change nothing. Raises LinkNotUsable."""
    with transaction(pool, reach=SYSTEM) as connection:
        link = storage.find_usable_link(connection, digest_token(token), now=now)
    if link is None:
        raise LinkNotUsable
    return link.usable_until


def rate_by_link(
    pool: Pool, given: GivenRating, *, rules: RatingRules, correlation_id: str, now: datetime
) -> Literal["created", "changed"]:
    """Use the link and record its rating, both or neither, once; or amend the rating that it gave a short while ago.

    It acts as the system, since a citizen has no account; what it reaches is the one record that the token names.
    Raises LinkNotUsable, after the same two statements whatever the reason is.
    """
    digest = digest_token(given.token)
    with acting(SYSTEM), transaction(pool) as connection:
        rating_id = new_id()
        is_first = storage.set_used(connection, digest, rating_id=rating_id, now=now, amend_for=rules.amend_for)
        link = storage.find_used_link(connection, digest, rating_id=rating_id, now=now)
        if link is None:
            raise LinkNotUsable
        if is_first:
            _submit(connection, link, given, rules=rules, correlation_id=correlation_id, now=now)
            return "created"
        event = amend_rating(
            connection, link.rating_id, given.answers, rules=rules, correlation_id=correlation_id, now=now
        )
        outbox.append(connection, [event], recorded_at=now, correlation_id=correlation_id)
    metrics.ratings_amended_total.inc()
    return "changed"


def _submit(
    connection: Connection,
    link: UsedLink,
    given: GivenRating,
    *,
    rules: RatingRules,
    correlation_id: str,
    now: datetime,
) -> None:
    trace = RatingTrace(
        network=None if link.purpose == "kiosk" else vault().handles("network", given.network)[0],
        device=link.device,
        fill_seconds=max(0, int((now - given.opened_at).total_seconds())),
    )
    command = SubmitRating(
        id=link.rating_id,
        correlation_id=correlation_id,
        reach=SYSTEM,
        issue_id=link.issue_id,
        contact_id=link.contact_id,
        level=given.answers.level,
        solved=given.answers.solved,
        attitude=given.answers.attitude,
        speed=given.answers.speed,
        comment=given.answers.comment,
        trace=trace,
        method="kiosk" if link.purpose == "kiosk" else "link",
    )
    [outcome] = submit_ratings(joined(connection), [command], rules=rules, now=now)
    if outcome.status != "created":
        raise RuntimeError(f"a rating by a live link was not recorded: {outcome.code}")


def _lock_rated(connection: Connection, rated: Rated) -> datetime | None:
    """When it was handled. Raises IssueNotFound, ContactNotFound."""
    if rated.issue_id is not None:
        return storage.lock_issue(connection, rated.issue_id)
    if rated.contact_id is None:
        raise ValueError("a link rates an issue or a contact")
    return storage.lock_contact(connection, rated.contact_id)


def _put_in_place(connection: Connection, link: storage.NewLink, *, now: datetime) -> None:
    storage.set_replaced(connection, link.rated, link.purpose, at=now)  # first: it waits for a rating being given
    if storage.is_rated(connection, link.rated, link.purpose):
        raise AlreadyRated("it was rated that way")
    storage.insert_link(connection, link)
    with elevated(connection):
        invite(connection, link.rated, "kiosk" if link.purpose == "kiosk" else "link", now=now)


def _note(connection: Connection, action: str, rated: Rated, details: dict[str, object]) -> None:
    kind, object_id = ("contact", rated.contact_id) if rated.issue_id is None else ("issue", rated.issue_id)
    chain.note(connection, chain.Line(action=action, object_type=kind, object_id=object_id, details=details))
