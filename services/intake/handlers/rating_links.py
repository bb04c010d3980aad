"""One-time links by which citizens rate their closed issues: issuing, looking at and using them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.rating_links import LIVES_FOR, digest_token
from services.intake.handlers.ratings import submit_ratings
from services.intake.storage import rating_links as storage
from shared import limits
from shared.audit import chain
from shared.database import Pool, joined, transaction
from shared.errors import Conflict, NotFound
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting

TRIES_A_MINUTE = 10


class IssueNotClosed(Conflict):
    code = "issue-not-closed"


class AlreadyRated(Conflict):
    code = "already-rated"


class LinkNotUsable(NotFound):
    """The one answer for whatever is no live link: it never says why."""

    code = "link-not-usable"

    def __init__(self) -> None:
        super().__init__("this link cannot be used, or not any more")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRating:
    """What a citizen says over a link."""

    token: str = field(repr=False)
    level: int
    solved: bool | None = None


def issue_link(pool: Pool, issue_id: UUID, token: str, *, now: datetime) -> datetime:
    """Let this token rate the issue, and no earlier one; return until when.

    Raises IssueNotFound, IssueNotClosed, AlreadyRated.
    """
    link = storage.NewLink(
        id=new_id(), digest=digest_token(token), issue_id=issue_id, issued_at=now, expires_at=now + LIVES_FOR
    )
    with transaction(pool) as connection:
        if not storage.lock_closed(connection, issue_id):
            raise IssueNotClosed("only what is closed can be rated by a link")
        storage.set_replaced(connection, issue_id, at=now)  # first: it waits for a rating that is just being given
        if storage.is_rated(connection, issue_id):
            raise AlreadyRated("the issue was rated by a link")
        storage.insert_link(connection, link)
        chain.note(
            connection,
            chain.Line(action="link.issue", object_type="issue", object_id=issue_id, details={"link_id": link.id}),
        )
    return link.expires_at


def count_try(pool: Pool, network: str, *, now: datetime) -> None:
    """Call before any token is looked at. Raises TooMany."""
    limits.take(pool, f"rating-link:{network}", limit=TRIES_A_MINUTE, per_seconds=60, now=now)


def look_at_link(pool: Pool, token: str, *, now: datetime) -> datetime:
    """Return until when it can be used, and change nothing. Raises LinkNotUsable."""
    with transaction(pool, reach=SYSTEM) as connection:
        link = storage.find_live_link(connection, digest_token(token), now=now)
    if link is None:
        raise LinkNotUsable
    return link.expires_at


def rate_by_link(pool: Pool, given: GivenRating, *, correlation_id: str, now: datetime) -> None:
    """Use the link and record its rating, both or neither, once. Raises LinkNotUsable.

    It acts as the system, since a citizen has no account; what it reaches is the one issue that the token names.
    """
    digest = digest_token(given.token)
    with acting(SYSTEM), transaction(pool) as connection:
        link = storage.find_live_link(connection, digest, now=now)
        rating_id = new_id()
        if not storage.set_used(connection, digest, rating_id=rating_id, now=now) or link is None:
            raise LinkNotUsable
        command = SubmitRating(
            id=rating_id,
            correlation_id=correlation_id,
            reach=SYSTEM,
            issue_id=link.issue_id,
            level=given.level,
            solved=given.solved,
            method="link",
        )
        [outcome] = submit_ratings(joined(connection), [command], now=now)
        if outcome.status != "created":
            raise RuntimeError(f"a rating by a live link was not recorded: {outcome.code}")
