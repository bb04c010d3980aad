"""Ratings: what a citizen says, what makes its time odd, and which of its values a repeat must match."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.times import TimeCheck, digest

RatingState = Literal["counted", "quarantined", "removed"]
LONGEST_COMMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Satisfied? Solved? And with the manner, and with the speed? Of the four only the first has to be answered."""

    level: int
    solved: bool | None = None
    attitude: int | None = None
    speed: int | None = None
    comment: str | None = field(default=None, repr=False)


def check_rating(command: SubmitRating, *, now: datetime, allow_odd: bool) -> TimeCheck:
    check = TimeCheck(now=now, allow_odd=allow_odd)
    if check.bounded(command.rated_at):
        check.not_in_future("rated_in_future", command.rated_at)
    return check


def digest_rating(command: SubmitRating) -> bytes:
    """What older releases could not say adds nothing where it is not said, so that their repeats are still known."""
    newer = (command.attitude, command.speed) if command.attitude or command.speed else ()
    return digest(
        (
            command.issue_id,
            command.contact_id,
            command.issue_source_number,
            command.contact_source_number,
            command.level,
            command.solved,
            command.method,
            command.rated_at,
            *newer,
            *((command.comment,) if command.comment else ()),
        )
    )


def accuses(comment: str, words: Sequence[str]) -> bool:
    """Whether one of the words stands in it, also in full width or with something between its characters."""
    plain = _letters(comment)
    return any(_letters(word) in plain for word in words)


def repeats_verbatim(paraphrase: str, comment: str, *, length: int = 8) -> bool:
    """Whether so many characters in a row are the rater's own. Of a shorter comment all of it."""
    own, said = _letters(comment), _letters(paraphrase)
    span = min(length, len(own))
    return span > 0 and any(own[at : at + span] in said for at in range(len(own) - span + 1))


def _letters(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if one.isalnum())
