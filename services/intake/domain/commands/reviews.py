"""Requests about what looks odd."""

from dataclasses import dataclass
from typing import Literal

from services.intake.domain.commands.base import Command

Decision = Literal["counts", "does_not_count"]
ReviewReason = Literal["genuine", "duplicate", "split_up", "not_with_the_public", "copied", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReview(Command):
    """`id` is the contact's."""

    decision: Decision
    reason_code: ReviewReason
    reason: str | None = None
