"""Registers: the tree of organisations, and how a batch that names one entry several times is taken in turn."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Final, Protocol, TypeVar

from services.intake.domain import codes
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.domain.repeats import unknown

Item = TypeVar("Item")

CHINA: Final = timezone(timedelta(hours=8))  # it has one zone
BEGINNING: Final = date(1900, 1, 1)  # the first day of days: what holds from it always did


class Entry(Protocol):
    """What stands in a register, as far as a change of it must know."""

    @property
    def from_on(self) -> date | None: ...
    @property
    def ended_on(self) -> date | None: ...


def day_in_china(now: datetime) -> date:
    return now.astimezone(CHINA).date()


def rejected(code: str, detail: str) -> Outcome:
    return Outcome(status="rejected", code=code, detail=detail)


IN_FUTURE = rejected("in-future", "a register tells of days that have come; enter it on the day")
ENDED = Outcome(status="conflict", code="organisation-ended", detail="the organisation is no more and stays as it was")
BEFORE_LAST_CHANGE = Outcome(
    status="conflict", code="before-last-change", detail="the entry was changed from a later day on already"
)


def check_organisation(command: RegisterOrganisation) -> Outcome | None:
    """Return a refusal for a code that cannot be one. Whether the place lies under its parent's, the tree says."""
    if command.level not in codes.LEVELS:
        return rejected("unknown-level", "the level is none of GB/T 12404")
    if command.division_code is not None and not codes.is_division_code(command.division_code):
        return rejected("bad-division-code", "not the form of a division code: 6, 9 or 12 digits by GB/T 2260")
    if command.credit_code is not None and not codes.is_credit_code(command.credit_code):
        return rejected("bad-credit-code", "not a unified social credit code: its check character does not fit")
    return None


def refuse_misplaced(
    commands: Sequence[RegisterOrganisation], divisions: Mapping[str, str | None], moved: frozenset[str]
) -> dict[str, Outcome]:
    """Return a refusal for those of the moved whose place does not lie in the parent's.

    Only what moves or is told anew is judged: after a merger villages keep their old codes for a time.
    """
    wanted = {**divisions, **{command.code: command.division_code for command in commands}}
    refusal = rejected("division-not-under-parent", "the place does not lie in the place of the parent")
    return {
        command.code: refusal
        for command in commands
        if command.code in moved
        and command.division_code is not None
        and (above := wanted.get(command.parent_code or "")) is not None
        and not codes.lies_under(command.division_code, above)
    }


def settle_day(given: date | None, standing: Entry | None, *, today: date) -> date | Outcome:
    """Say from which day on a new or changed entry holds: what is not told, holds always, or changes today."""
    day = given or (today if standing is not None else BEGINNING)
    if day > today:
        return IN_FUTURE
    if standing is None:
        return day
    if standing.ended_on is not None:
        return ENDED
    return BEFORE_LAST_CHANGE if day < (standing.from_on or BEGINNING) else day


class Node(Protocol):
    """What of a command places it in a tree."""

    @property
    def code(self) -> str: ...
    @property
    def parent_code(self) -> str | None: ...


def refuse_broken_trees(commands: Sequence[Node], parents: Mapping[str, str | None]) -> dict[str, Outcome]:
    """Return a refusal for every code whose parent is unknown, is itself refused, or descends from the code.

    `parents` tells the parent of every registered code that matters: those of the batch and all above them.
    """
    wanted = {**parents, **{command.code: command.parent_code for command in commands}}
    settled: dict[str, Outcome | None] = {}
    for command in commands:
        _settle_way_up(command.code, wanted, settled)
    return {command.code: refusal for command in commands if (refusal := settled[command.code]) is not None}


def _settle_way_up(code: str, wanted: Mapping[str, str | None], settled: dict[str, Outcome | None]) -> None:
    """Walk up to the root, or to what is settled, and settle everything on the way alike."""
    way: dict[str, None] = {}
    step: str | None = code
    verdict: Outcome | None = None
    while step is not None and step not in settled and verdict is None:
        if step in way:
            verdict = rejected("circular-organisation", "an entry cannot stand above itself")
        elif step not in wanted:
            verdict = unknown("parent")
        else:
            way[step] = None
            step = wanted[step]
    if verdict is None and step is not None:
        verdict = settled[step]
    settled.update(dict.fromkeys(way, verdict))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Positions of a batch in turns that name no entry twice, and positions that merely repeat an earlier one."""

    turns: list[list[int]]
    copies: dict[int, int]


def split_into_turns(
    items: Sequence[Item], *, key: Callable[[Item], Hashable], content: Callable[[Item], Hashable]
) -> Turns:
    """Split so that equal keys keep their order, and what says the same as the one before it needs no turn."""
    split = Turns(turns=[], copies={})
    last: dict[Hashable, tuple[int, int]] = {}
    for position, item in enumerate(items):
        earlier, turn = last.get(key(item), (None, -1))
        if earlier is not None and content(items[earlier]) == content(item):
            split.copies[position] = earlier
            continue
        turn += 1
        last[key(item)] = (position, turn)
        if turn == len(split.turns):
            split.turns.append([])
        split.turns[turn].append(position)
    return split


def take_in_turns(commands: Sequence[Item], split: Turns, run: Callable[[list[Item]], list[Outcome]]) -> list[Outcome]:
    """Run turn after turn; what says the same as the one before it is settled by what became of that."""
    outcomes: dict[int, Outcome] = {}
    for turn in split.turns:
        outcomes.update(zip(turn, run([commands[position] for position in turn]), strict=True))
    for position, earlier in split.copies.items():
        outcome = outcomes[earlier]
        outcomes[position] = replace(outcome, status="unchanged") if outcome.id is not None else outcome
    return [outcomes[position] for position in range(len(commands))]
