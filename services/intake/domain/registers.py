"""Registers: the tree of organisations, and how a batch that names one entry several times is taken in turn."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.domain.repeats import unknown

Item = TypeVar("Item")


def refuse_broken_trees(
    commands: Sequence[RegisterOrganisation], parents: Mapping[str, str | None]
) -> dict[str, Outcome]:
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
            detail = "an organisation cannot stand above itself"
            verdict = Outcome(status="rejected", code="circular-organisation", detail=detail)
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
