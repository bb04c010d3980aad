"""What calling a sample finds out of everything that it was drawn from: each who was called stands for others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal
from uuid import UUID

from services.intake.domain.rating_samples import UnitCounts

SATISFIED_LEVEL: Final = 3  # of five levels, this one and better
Answer = Literal["rated", "denied", "unreachable", "silent", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A drawn issue. `unreachable`: its number leads to nobody. `silent`: neither rated nor denied, and over."""

    unit_id: UUID
    is_self_attested: bool
    is_drawn: bool
    is_targeted: bool
    answer: Answer
    level: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of the random part, or of what was drawn besides. What was drawn in both ways is in both."""

    drawn: int
    waiting: int
    rated: int
    satisfied: int
    denied: int
    unreachable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The shares are of all that was closed: satisfied of those who would rate, by the random part alone; denied of
    those who answered and unreachable of those whose calls are over, by both parts.
    """

    random: Part
    targeted: Part
    satisfied_share: Fraction | None
    denied_share: Fraction | None
    unreachable_share: Fraction | None


def estimate(called: Iterable[Called], units: Mapping[UUID, UnitCounts]) -> Findings:
    members = list(called)
    drawn = [one for one in members if one.is_drawn]
    by_unit = {one: Fraction(units[one].members, units[one].drawn) for one in {member.unit_id for member in drawn}}
    rated = [(by_unit[one.unit_id], _is_satisfied(one)) for one in drawn if one.answer == "rated"]
    weighed = [(1 / units[one.unit_id].chance(is_self_attested=one.is_self_attested), one.answer) for one in members]
    return Findings(
        random=_count(drawn),
        targeted=_count([one for one in members if one.is_targeted]),
        satisfied_share=_share(rated),
        denied_share=_share(
            (weight, answer == "denied") for weight, answer in weighed if answer in ("rated", "denied")
        ),
        unreachable_share=_share(
            (weight, answer == "unreachable") for weight, answer in weighed if answer != "waiting"
        ),
    )


def _count(members: list[Called]) -> Part:
    answers = [one.answer for one in members]
    return Part(
        drawn=len(members),
        waiting=answers.count("waiting"),
        rated=answers.count("rated"),
        satisfied=sum(_is_satisfied(one) for one in members),
        denied=answers.count("denied"),
        unreachable=answers.count("unreachable"),
    )


def _is_satisfied(one: Called) -> bool:
    return one.answer == "rated" and one.level is not None and one.level >= SATISFIED_LEVEL


def _share(weighed: Iterable[tuple[Fraction, bool]]) -> Fraction | None:
    hits = total = Fraction()
    for weight, is_hit in weighed:
        total += weight
        hits += weight * is_hit
    return hits / total if total else None
