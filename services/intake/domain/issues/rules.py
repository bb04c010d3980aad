"""What a place may set about the life of an issue: windows and bounds. And times that a step cannot have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.commands.base import Actor
from services.intake.domain.issues.life import Ask, BeforeReceived, Issue, OutOfOrder
from shared.errors import Conflict, Rejected


class WindowPassed(Conflict):
    code = "window-passed"


class OwnRequest(Conflict):
    """Also through another account of the same person."""

    code = "own-request"


class NothingAsked(Conflict):
    code = "nothing-asked"


class AlreadyAsked(Conflict):
    code = "already-asked"


class AlreadyDecided(Conflict):
    code = "already-decided"


class UnknownReason(Rejected):
    code = "unknown-reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRules:
    """Counted in natural time; the deadlines of an issue itself come with the issue."""

    return_within: timedelta = timedelta(days=2)
    object_within: timedelta = timedelta(days=2)
    reopen_within: timedelta = timedelta(days=15)
    longest_extension: timedelta = timedelta(days=30)
    most_extensions: int = 2


def check_order(issue: Issue, at: datetime, *after: datetime | None) -> None:
    """Raises BeforeReceived, OutOfOrder. What was opened again lies behind: nothing happens before that any more."""
    if at < issue.received_at:
        raise BeforeReceived("a step cannot lie before the issue was received")
    if any(instant is not None and at < instant for instant in (issue.reopened_at, *after)):
        raise OutOfOrder("a step cannot lie before the one that it follows from")


def check_window(at: datetime, since: datetime | None, window: timedelta) -> None:
    """Raises WindowPassed."""
    if since is not None and at > since + window:
        raise WindowPassed("the time in which this may be done has passed")


def check_unasked(ask: Ask | None, wanted: Ask) -> bool:
    """Whether the same person asked the same already. Raises AlreadyAsked where something else waits to be decided."""
    if ask is None or not ask.is_open:
        return False
    if ask != wanted:
        raise AlreadyAsked("something is asked for already, and not decided yet")
    return True


def check_another(ask: Ask | None, actor: Actor, decision: str) -> bool:
    """Whether the same person decided the same already. Raises NothingAsked, AlreadyDecided, OwnRequest."""
    if ask is None:
        raise NothingAsked("nobody has asked for this")
    if not ask.is_open:
        if (ask.decided_by, ask.decision) == (actor, decision):
            return True
        raise AlreadyDecided("somebody has decided already")
    same_account = actor.account_id is not None and actor.account_id == ask.by.account_id
    same_person = actor.person_id is not None and actor.person_id == ask.by.person_id
    if same_account or same_person:
        raise OwnRequest("another person has to decide")
    return False
