"""What does cheating gain? Many rounds in one world, in each of which other people cheat: enough of them to tell.

The settings were chosen by some families; the others were held out, and there cheats also go about it in other ways.
"""

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Final

from bench.worlds.entries import ENTRIES
from bench.worlds.families import FAMILIES, Family
from bench.worlds.judging import agree, award, bias, error_of, ranks_in_groups
from bench.worlds.life import SPAN, live
from bench.worlds.people import Person, Population, draw_population
from bench.worlds.straw import WAYS
from bench.worlds.tricks import LOOK_ALIKES, TRICKS, play
from bench.worlds.world import settle
from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

RESULTS: Final = Path(__file__).parent / "results"
SEED: Final = "2027"  # not that of the page of fairness
ROUNDS: Final = 2
ROUNDS_ALIKE: Final = 3
CHOSEN_BY: Final = ("base", "heavy tails", "sparse counties", "strong units", "few call-backs")
CHEATS: Final = 0.2  # of those without an odd habit
KNOWING: Final = 0.5
ALIKE: Final = 0.1  # of the same, where all make up matters, or all bend what they enter

HEAD: Final = """# What cheating gains

`python -m bench cheating` writes this page; with a file of settings it measures by these. In each round other
people cheat, a fifth of those without an odd habit, and half of them know the checks. Gains are percentile ranks
within the peer group against the same people's honest twins, with the standard errors of their means. The last
table of each part is of the same worlds without anybody who cheats.

The third and fourth part have nobody but a tenth who make up matters, each in one of many ways. Unless it says so none
of these is asked about when people are called back; who is asked says that there was no such matter. Followed up means
that people are then asked about everything that the cadre has closed. That is done by itself, and a tenth of what
nobody but its handlers attests to is drawn, unless an installation's rules say otherwise (docs/callback-sample.md).

The last two parts have nobody but a tenth who bend what they enter about the matters that they have. Clocks can be
shortened freely only where a file tells the times: what a person tells this server afterwards counts by when it was
recorded (recorded here).

"""

Cell = tuple[str, bool]


@dataclass(slots=True)
class Findings:
    """Gains in percentile ranks and flags by trick and whether its player knows the checks; figures by family."""

    gains: dict[Cell, list[float]] = field(default_factory=dict)
    flags: dict[Cell, list[bool]] = field(default_factory=dict)
    checks: dict[str, list[bool]] = field(default_factory=dict)  # whether each flag fell on somebody who cheats
    figures: dict[str, dict[str, float]] = field(default_factory=dict)


def measure(
    families: Iterable[Family], seed: str, rounds: int, settings: FairSettings, tempting: Callable[..., list[Person]]
) -> Findings:
    """`tempting` gives the persons of a round, some of whom cheat."""
    findings = Findings()
    for family in families:
        print(f"inventing {family.name} ...", file=sys.stderr, flush=True)
        population = draw_population(f"{seed}/{family.name}", replace(family, cheats=0.0), tuple(TRICKS), LOOK_ALIKES)
        lives = [live(f"{seed}/{family.name}", population, person) for person in population.persons]
        honest = judge(settle(seed, lives), SPAN, settings)
        scores = _scores(honest)
        findings.figures[family.name] = _figures(population, honest, scores)
        before = ranks_in_groups(population.persons, scores)
        for number in range(rounds):
            year = f"{seed}/{family.name}/{number}"
            tempted = Population(family=family, kinds=population.kinds, persons=tempting(year, population.persons))
            played = [play(year, tempted, one, life) for one, life in zip(tempted.persons, lives, strict=True)]
            judged = judge(settle(seed, played), SPAN, settings)
            _note(findings, tempted.persons, before, judged)
    return findings


def tempt(seed: str, persons: Sequence[Person]) -> list[Person]:
    draw = random.Random(f"{seed}/tempt")
    return [
        replace(person, trick=draw.choice(tuple(TRICKS)), is_knowing=draw.random() < KNOWING)
        if not person.look_alike and draw.random() < CHEATS
        else person
        for person in persons
    ]


def tempt_to_make_up(seed: str, persons: Sequence[Person]) -> list[Person]:
    draw = random.Random(f"{seed}/make up")
    return [
        replace(person, trick=draw.choice(tuple(WAYS)), is_knowing=True)
        if not person.look_alike and draw.random() < ALIKE
        else person
        for person in persons
    ]


def tempt_to_bend(seed: str, persons: Sequence[Person]) -> list[Person]:
    draw = random.Random(f"{seed}/bend")
    return [
        replace(person, trick=draw.choice(tuple(ENTRIES)), is_knowing=draw.random() < KNOWING)
        if not person.look_alike and draw.random() < ALIKE
        else person
        for person in persons
    ]


def _scores(judged: Judged) -> dict[str, float]:
    return {result.cadre: float(result.score) for result in judged.results}


def _figures(population: Population, judged: Judged, scores: dict[str, float]) -> dict[str, float]:
    persons, truth = population.persons, population.truths
    cut = sorted(person.caseload for person in persons)[len(persons) // 3]
    region, mix, load = bias(persons, scores, truth)
    return {
        "rank": agree(persons, scores, truth),
        "rank of the third with fewest cases": agree([one for one in persons if one.caseload <= cut], scores, truth),
        "award": award(persons, scores, truth),
        "region": region,
        "case mix": mix,
        "caseload": load,
        "coverage": fmean(float(r.lower) <= 75 + 10 * truth[r.cadre] <= float(r.upper) for r in judged.results),
        "width": fmean(float(r.upper - r.lower) for r in judged.results),
    }


def _note(findings: Findings, persons: Sequence[Person], before: dict[str, float], judged: Judged) -> None:
    after = ranks_in_groups(persons, _scores(judged))
    flagged = {result.cadre for result in judged.results if result.reasons}
    cheats = {person.cadre.cadre for person in persons if person.trick}
    for person in persons:
        cadre = person.cadre.cadre
        cell = person.trick or person.look_alike or "nothing odd", person.is_knowing
        findings.flags.setdefault(cell, []).append(cadre in flagged)
        if person.trick:
            findings.gains.setdefault(cell, []).append(100 * (after[cadre] - before[cadre]))
    for signal in judged.signals:
        findings.checks.setdefault(signal.check, []).append(signal.cadre in cheats)


def describe(findings: Findings) -> str:
    """In Markdown."""
    lines = ["| trick | knows the checks | people | gained | ± | flagged |", "| --- | --- | --- | --- | --- | --- |"]
    for (trick, knowing), gains in sorted(findings.gains.items()):
        flagged = fmean(findings.flags[trick, knowing])
        lines.append(
            f"| {trick} | {'yes' if knowing else 'no'} | {len(gains)} | {fmean(gains):+.1f} | {error_of(gains):.1f} "
            f"| {flagged:.0%} |"
        )
    lines += ["", "| honest | people | flagged | ± |", "| --- | --- | --- | --- |"]
    for (kind, knowing), flags in sorted(findings.flags.items()):
        if (kind, knowing) not in findings.gains:
            share = [float(flag) for flag in flags]
            lines.append(f"| {kind} | {len(flags)} | {fmean(share):.1%} | {error_of(share):.1%} |")
    lines += ["", "| check | flags | on somebody who cheats |", "| --- | --- | --- |"]
    lines += [f"| {check} | {len(hits)} | {fmean(hits):.0%} |" for check, hits in sorted(findings.checks.items())]
    columns = list(next(iter(findings.figures.values())))
    lines += ["", f"| family | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for name, row in findings.figures.items():
        lines.append(f"| {name} | {' | '.join(f'{row[column]:.3f}' for column in columns)} |")
    means = [fmean(abs(row[column]) for row in findings.figures.values()) for column in columns]
    lines.append(f"| **mean size** | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(lines) + "\n"


def run(wanted: Sequence[str]) -> int:
    """All families, or those named; by other settings where a file of them is named, for a comparison."""
    files = [Path(name) for name in wanted if name.endswith(".toml")]
    names = [name for name in wanted if not name.endswith(".toml")]
    if unknown := [name for name in names if name not in FAMILIES]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(FAMILIES)}", file=sys.stderr)
        return 2
    settings = read_settings((files[0] if files else OWN_SETTINGS).read_text("utf-8"))
    parts = []
    for tempting, rounds, about in (
        (tempt, ROUNDS, ""),
        (tempt_to_make_up, ROUNDS_ALIKE, ": made-up matters"),
        (tempt_to_bend, ROUNDS_ALIKE, ": bent entries"),
    ):
        for title, families in _sets_of(names).items():
            findings = measure(families, SEED, rounds, settings, tempting)
            head = f"## {title}{about}\n{settings.name} {settings.version}, {rounds} rounds.\n\n"
            parts.append(head + describe(findings))
    text = HEAD + "\n".join(parts)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"cheating-{settings.version}.md").write_text(text, "utf-8")
    return 0


def _sets_of(names: Sequence[str]) -> dict[str, list[Family]]:
    if names:
        return {", ".join(names): [FAMILIES[name] for name in names]}
    held_out = [replace(family, other_ways=True) for name, family in FAMILIES.items() if name not in CHOSEN_BY]
    return {
        "Families by which the settings were chosen": [FAMILIES[name] for name in CHOSEN_BY],
        "Families held out, where cheats go about it in other ways": held_out,
    }
