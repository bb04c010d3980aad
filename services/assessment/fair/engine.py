"""The whole way from dossiers to scores: counting, tables, standings, adjustment, positions.

Dossiers pass one after another. What is compared with everybody's is kept as numbers; the rest stands on a shelf.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import fsum

from services.assessment.fair.adjusting import Adjusted, Evidence, Left, adjust
from services.assessment.fair.credit import logarithm
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.factor import Position, fit_loadings, place
from services.assessment.fair.habits import Habits, find_habits
from services.assessment.fair.marks import Counted
from services.assessment.fair.outreach import value_outreach
from services.assessment.fair.records import MICRO, Dossier, Span
from services.assessment.fair.reference import Table, fit_table
from services.assessment.fair.results import Result, rank_among, round_position
from services.assessment.fair.settings import INDICATORS, FairSettings
from services.assessment.fair.shelves import InMemory, Shelf
from services.assessment.fair.signals.finding import Finding
from services.assessment.fair.signals.odds import Signal
from services.assessment.fair.standing import Standing, residuals_of, stand
from services.assessment.fair.totals import FITTED, Person, Totals

People = Mapping[str, Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is common to all: what is usual, and how far true levels differ."""

    tables: Mapping[str, Table]
    habits: Habits
    adjusted: Mapping[str, Adjusted]
    loadings: Mapping[str, float]
    centres: Mapping[str, int]  # of outreach, by peer group

    @property
    def spreads(self) -> dict[str, tuple[float, float]]:
        return {name: (one.between, one.within) for name, one in self.adjusted.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    frame: Frame
    people: People
    counted: Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Scores with what is set aside left out. Results are listed by cadre."""

    scored: Scored
    settings: FairSettings
    results: tuple[Result, ...]
    signals: tuple[Signal, ...]
    set_aside: frozenset[str]
    counted_anew: frozenset[str]  # cadres: only these may have anything that was set aside
    by_cadre: Mapping[str, Result]


def judge(
    dossiers: Iterable[Dossier],
    span: Span,
    settings: FairSettings,
    cleared: Set[tuple[str, str]] = frozenset(),
    *,
    shelf: Shelf | None = None,
) -> Judged:
    """What signals doubt is left out, except where somebody has cleared the cadre of the check.

    The order of the dossiers does not matter, and `cleared` is asked after the last of them. `shelf` is an empty one,
    by default in memory.
    """
    counted = InMemory() if shelf is None else shelf

    def count() -> Iterator[Counted]:
        for dossier in dossiers:
            one = count_dossier(dossier, span, settings)
            counted.put(one)
            yield one

    return judge_counted(count(), counted, span, settings, cleared)


def judge_counted(
    everybody: Iterable[Counted],
    counted: Shelf,
    span: Span,
    settings: FairSettings,
    cleared: Set[tuple[str, str]] = frozenset(),
) -> Judged:
    """The same of dossiers that are counted; each stands on the shelf when it comes."""
    totals = Totals()
    finding = Finding(span, settings)
    for one in everybody:
        totals.add(one)
        finding.note(one)
    tables = fit_tables(totals, settings)
    found = finding.find(counted, tables)
    del finding
    signals = tuple(signal for signal in found if (signal.cadre, signal.check) not in cleared)
    set_aside = frozenset(record for signal in signals for record in signal.records)
    counted_anew = frozenset(totals.list_holders(set_aside)) if set_aside else frozenset[str]()
    if counted_anew:
        for cadre in sorted(counted_anew):
            one = count_dossier(counted[cadre].dossier, span, settings, set_aside)
            counted.put(one)
            totals.add(one)
        tables = fit_tables(totals, settings)
    habits, people = _find_habits(totals, tables, settings), totals.people
    del totals  # what follows takes its room
    scored = _score(people, counted, tables, habits, settings)
    results = _publish(scored, signals, settings)
    return Judged(
        scored=scored,
        settings=settings,
        results=results,
        signals=signals,
        set_aside=set_aside,
        counted_anew=counted_anew,
        by_cadre={result.cadre: result for result in results},
    )


def score(
    dossiers: Iterable[Dossier], span: Span, settings: FairSettings, set_aside: frozenset[str] = frozenset()
) -> Scored:
    """By all records but these, whatever a signal would doubt."""
    counted, totals = InMemory(), Totals()
    for dossier in dossiers:
        one = count_dossier(dossier, span, settings, set_aside)
        counted.put(one)
        totals.add(one)
    tables = fit_tables(totals, settings)
    return _score(totals.people, counted, tables, _find_habits(totals, tables, settings), settings)


def fit_tables(totals: Totals, settings: FairSettings) -> dict[str, Table]:
    """What is usual, by indicator."""
    regions = {cadre: one.cadre.region for cadre, one in totals.people.items()}
    prior = settings.adjustment.cell_prior
    tables = {name: fit_table(totals.iterate_cells(name), totals.numbers.cells, prior, regions) for name in FITTED}
    return {name: table for name, table in tables.items() if table is not None}


def _find_habits(totals: Totals, tables: Mapping[str, Table], settings: FairSettings) -> Habits:
    if "satisfaction" not in tables:
        return Habits()
    return find_habits(totals, tables["satisfaction"], settings.ratings.rater_prior)


def _score(
    people: People, counted: Shelf, tables: Mapping[str, Table], habits: Habits, settings: FairSettings
) -> Scored:
    standings = {name: _Standings() for name in INDICATORS}
    for one in counted.iterate_marks():
        for name, standing in stand(residuals_of(one, tables, habits.of(one), settings), tables).items():
            if standing.weight and standing.error > 0:
                standings[name].add(one.cadre, standing)
    adjusted = _adjust_all(people, standings, settings)
    frame = Frame(
        tables=tables,
        habits=habits,
        adjusted=adjusted,
        loadings=fit_loadings(adjusted),
        centres=_centre_outreach(people)[1],
    )
    return Scored(frame=frame, people=people, counted=counted)


class _Standings:
    """Of one indicator, the numbers of each standing that are compared."""

    def __init__(self) -> None:
        self.cadres: list[str] = []
        self.means = array("d")
        self.errors = array("d")
        self.squares = array("d")
        self.spare = array("d")

    def add(self, cadre: str, standing: Standing) -> None:
        self.cadres.append(cadre)
        self.means.append(standing.mean)
        self.errors.append(standing.error)
        self.squares.append(standing.within)
        self.spare.append(standing.weight / MICRO * (1 - 1 / standing.effective))


def _adjust_all(people: People, standings: Mapping[str, _Standings], settings: FairSettings) -> dict[str, Adjusted]:
    adjusted = {}
    for name in INDICATORS:
        if name == "outreach":
            evidence, within = _outreach_evidence(people, settings)
        else:
            evidence, within = _recorded_evidence(people, standings[name])
        if within > 0:
            adjusted[name] = adjust(evidence, within, settings, by_load=name != "outreach")
    return adjusted


def _recorded_evidence(people: People, standings: _Standings) -> tuple[list[Evidence], float]:
    free = fsum(standings.spare)
    within = fsum(standings.squares) / free if free > 0 else 0.0
    evidence = [
        Evidence(
            cadre=people[cadre].cadre,
            mean=mean,
            effective=within / error,
            load=logarithm(people[cadre].issues // MICRO + 2),
        )
        for cadre, mean, error in zip(standings.cadres, standings.means, standings.errors, strict=True)
    ]
    return evidence, within


def _outreach_evidence(people: People, settings: FairSettings) -> tuple[list[Evidence], float]:
    evidence, ratios = [], []
    rule = settings.outreach
    values, centres = _centre_outreach(people)
    for cadre_id, number in values.items():
        one = people[cadre_id]
        cadre = one.cadre
        value = min(rule.highest, max(rule.lowest, number - centres[cadre.peer_group]))
        evidence.append(Evidence(cadre=cadre, mean=value / MICRO, effective=float(cadre.target), load=0.0))
        ratios.append(one.effective_contacts / (cadre.target * MICRO))
    mean = fsum(ratios) / len(ratios) if ratios else 0.0
    return evidence, 1 / mean if mean > 0 else 0.0


def _centre_outreach(people: People) -> tuple[dict[str, int], dict[str, int]]:
    """Values of those who owe contacts, and their means by peer group."""
    values = {
        cadre: value_outreach(one.effective_contacts, one.cadre.target)
        for cadre, one in people.items()
        if one.cadre.target > 0
    }
    sums: dict[str, list[int]] = {}
    for cadre, value in values.items():
        sums.setdefault(people[cadre].cadre.peer_group, []).append(value)
    return values, {group: sum(own) // len(own) for group, own in sums.items()}


def group_means(values: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float]:
    """Of values by cadre, exactly rounded."""
    parts: dict[str, list[float]] = {}
    for cadre, value in values.items():
        parts.setdefault(groups[cadre], []).append(value)
    return {group: fsum(own) / len(own) for group, own in sorted(parts.items())}


def leave(frame: Frame, cadre: str) -> dict[str, Left]:
    """What is left of the cadre's means, by indicator."""
    return {name: one.left[cadre] for name, one in frame.adjusted.items() if cadre in one.left}


def place_cadre(frame: Frame, cadre: str, settings: FairSettings) -> Position:
    return place_left(leave(frame, cadre), frame.spreads, frame.loadings, settings)


def place_left(
    lefts: Mapping[str, Left],
    spreads: Mapping[str, tuple[float, float]],
    loadings: Mapping[str, float],
    settings: FairSettings,
) -> Position:
    """`spreads`: the variances between and within, by indicator."""
    levels = {}
    for name, left in lefts.items():
        between, within = spreads[name]
        levels[name] = (left.rest / math.sqrt(between), within / (left.effective * between))
    return place(levels, loadings, settings)


def _publish(scored: Scored, signals: Sequence[Signal], settings: FairSettings) -> tuple[Result, ...]:
    reasons: dict[str, list[str]] = {}
    for signal in signals:
        reasons.setdefault(signal.cadre, []).append(signal.check)
    results = {
        cadre: round_position(one.cadre, place_cadre(scored.frame, cadre, settings), settings)
        for cadre, one in scored.people.items()
    }
    groups: dict[str, list[Result]] = {}
    for result in results.values():
        groups.setdefault(result.peer_group, []).append(result)
    for group in groups.values():
        results |= rank_among(group, [result.score for result in group])
    return tuple(replace(results[cadre], reasons=tuple(reasons.get(cadre, ()))) for cadre in sorted(results))
