"""How what a cadre enters itself can be bent: what is left out, labels, clocks. No record is added, and none goes."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bench.worlds.people import Person, Population
from services.assessment.fair.records import Dossier, Issue

FAILED: Final = ("", "unsolved")
Change = Callable[[Issue], Issue]


def _leave_out(draw: random.Random, _: Population, person: Person, dossier: Dossier) -> None:
    """What failed was not accepted, or withdrawn."""
    share = 0.4 if person.is_knowing else 1.0
    _change(dossier, lambda one: _left_out(one) if one.outcome in FAILED and draw.random() < share else one)


def _left_out(issue: Issue) -> Issue:
    return replace(issue, outcome="left_out", closed_at=issue.closed_at or issue.received_at)


def _call_complex(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    share = 0.4 if person.is_knowing else 1.0
    most = str(max(kind.complexity for kind in population.kinds))
    _change(dossier, lambda one: replace(one, complexity=most) if draw.random() < share else one)


def _name_hardest(_: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Whoever knows the checks does it with what failed."""
    hardness: dict[str, float] = {}
    for kind in population.kinds:
        hardness[f"k{kind.category}"] = hardness.get(f"k{kind.category}", 0.0) + kind.hardness
    hardest = max(hardness, key=hardness.__getitem__)
    is_kept = person.is_knowing
    _change(dossier, lambda one: one if is_kept and one.outcome not in FAILED else replace(one, category=hardest))


def _shorten(_: random.Random, __: Population, person: Person, dossier: Dossier) -> None:
    """Every time told is a tenth of what it was; knowing better, half."""
    divisor = 2 if person.is_knowing else 10
    _change(dossier, lambda one: _closed_sooner(one, divisor))


def _shorten_told(_: random.Random, __: Population, person: Person, dossier: Dossier) -> None:
    """The same, told to a server that knows when it was told: when it happened."""
    divisor = 2 if person.is_knowing else 10
    _change(
        dossier,
        lambda one: replace(
            _closed_sooner(one, divisor), answer_recorded_at=one.answered_at, closing_recorded_at=one.closed_at
        ),
    )


def _closed_sooner(issue: Issue, divisor: int) -> Issue:
    return replace(
        issue,
        answered_at=None if issue.answered_at is None else _sooner(issue, issue.answered_at, divisor),
        closed_at=None if issue.closed_at is None else _sooner(issue, issue.closed_at, divisor),
    )


def _sooner(issue: Issue, instant: int, divisor: int) -> int:
    return issue.received_at + (instant - issue.received_at) // divisor


def _register_late(_: random.Random, __: Population, person: Person, dossier: Dossier) -> None:
    """Entered when nine tenths, or half, of the time to the answer have gone."""
    part = 5 if person.is_knowing else 9

    def change(issue: Issue) -> Issue:
        until = issue.answered_at or issue.closed_at
        gone = 0 if until is None else (until - issue.received_at) * part // 10
        return replace(issue, received_at=issue.received_at + gone)

    _change(dossier, change)


def _change(dossier: Dossier, change: Change) -> None:
    dossier.issues = [change(issue) for issue in dossier.issues]


ENTRIES: Final[Mapping[str, Callable[[random.Random, Population, Person, Dossier], None]]] = {
    "left out": _leave_out,
    "called complex": _call_complex,
    "named as the hardest": _name_hardest,
    "clocks shortened": _shorten,
    "clocks shortened, recorded here": _shorten_told,
    "registered late": _register_late,
}
