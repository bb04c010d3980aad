"""The whole way from dossiers to scores: counting, tables, standings, adjustment, positions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

from services.assessment.fair.adjusting import Adjusted, Evidence, adjust
from services.assessment.fair.credit import logarithm
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.factor import Position, fit_loadings, place
from services.assessment.fair.habits import find_habits
from services.assessment.fair.marks import Counted
from services.assessment.fair.outreach import value_outreach
from services.assessment.fair.records import MICRO, Dossier, Span
from services.assessment.fair.reference import Table, fit_table, tally_cells
from services.assessment.fair.results import Result, rank_among, round_position
from services.assessment.fair.settings import INDICATORS, FairSettings
from services.assessment.fair.signals.finding import Finding
from services.assessment.fair.signals.odds import Signal
from services.assessment.fair.standing import Standing, stand
from services.assessment.fair.values import EXPLAINING

FITTED = ("timeliness", "reply", "resolution", EXPLAINING, "speed", "satisfaction")
Habits = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is common to all: what is usual, and how far true levels differ."""

    tables: Mapping[str, Table]
    habits: Habits
    adjusted: Mapping[str, Adjusted]
    loadings: Mapping[str, float]
    centres: Mapping[str, int]  # of outreach, by peer group


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    frame: Frame
    counted: Mapping[str, Counted]
    standings: Mapping[str, Mapping[str, Standing]]
    positions: Mapping[str, Position]


def score(
    dossiers: Sequence[Dossier], span: Span, settings: FairSettings, set_aside: frozenset[str] = frozenset()
) -> Scored:
    return score_counted(count_all(dossiers, span, settings, set_aside), settings)


def count_all(
    dossiers: Sequence[Dossier], span: Span, settings: FairSettings, set_aside: frozenset[str] = frozenset()
) -> dict[str, Counted]:
    """By cadre, in the order of their ids."""
    return {
        dossier.cadre.cadre: count_dossier(dossier, span, settings, set_aside)
        for dossier in sorted(dossiers, key=lambda one: one.cadre.cadre)
    }


def score_counted(counted: Mapping[str, Counted], settings: FairSettings) -> Scored:
    tables = fit_tables(counted, settings)
    habits: Habits = {}
    if "satisfaction" in tables:
        habits = find_habits(counted.values(), tables["satisfaction"], settings.ratings.rater_prior)
    standings = {cadre: stand(one, tables, habits, settings) for cadre, one in counted.items()}
    adjusted = _adjust_all(counted, standings, settings)
    loadings = fit_loadings(adjusted)
    positions = {cadre: place(_levels_of(cadre, adjusted), loadings, settings) for cadre in counted}
    return Scored(
        frame=Frame(
            tables=tables,
            habits=habits,
            adjusted=adjusted,
            loadings=loadings,
            centres=_centre_outreach(counted)[1],
        ),
        counted=counted,
        standings=standings,
        positions=positions,
    )


def fit_tables(counted: Mapping[str, Counted], settings: FairSettings) -> dict[str, Table]:
    """What is usual, by indicator: one after another, so that the sums of one are gone before the next."""
    regions = {cadre: one.dossier.cadre.region for cadre, one in counted.items()}
    tables = {}
    for name in FITTED:
        tallies = tally_cells(counted.values(), name)
        if tallies:
            tables[name] = fit_table(tallies, settings.adjustment.cell_prior, regions)
    return tables


def _adjust_all(
    counted: Mapping[str, Counted], standings: Mapping[str, Mapping[str, Standing]], settings: FairSettings
) -> dict[str, Adjusted]:
    adjusted = {}
    for name in INDICATORS:
        if name == "outreach":
            evidence, within = _outreach_evidence(counted, settings)
        else:
            evidence, within = _recorded_evidence(name, counted, standings)
        if evidence and within > 0:
            adjusted[name] = adjust(evidence, within, settings, by_load=name != "outreach")
    return adjusted


def _recorded_evidence(
    name: str, counted: Mapping[str, Counted], standings: Mapping[str, Mapping[str, Standing]]
) -> tuple[list[Evidence], float]:
    evidence = []
    squares, spare = [], []
    for own in standings.values():
        standing = own.get(name)
        if standing is not None and standing.weight:
            squares.append(standing.within)
            spare.append(standing.weight / MICRO * (1 - 1 / standing.effective))
    free = fsum(spare)
    within = fsum(squares) / free if free > 0 else 0.0
    if within <= 0:
        return [], 0.0
    for cadre, own in standings.items():
        standing = own.get(name)
        if standing is None or not standing.weight:
            continue
        evidence.append(
            Evidence(
                cadre=counted[cadre].dossier.cadre,
                mean=standing.mean,
                effective=within / standing.error,
                load=logarithm(counted[cadre].issues // MICRO + 2),
            )
        )
    return evidence, within


def _outreach_evidence(counted: Mapping[str, Counted], settings: FairSettings) -> tuple[list[Evidence], float]:
    evidence, ratios = [], []
    rule = settings.outreach
    values, centres = _centre_outreach(counted)
    for one in counted.values():
        if one.dossier.cadre.cadre not in values:
            continue
        cadre = one.dossier.cadre
        centred = values[cadre.cadre] - centres[cadre.peer_group]
        value = min(rule.highest, max(rule.lowest, centred))
        evidence.append(Evidence(cadre=cadre, mean=value / MICRO, effective=float(cadre.target), load=0.0))
        ratios.append(one.effective_contacts / (cadre.target * MICRO))
    mean = fsum(ratios) / len(ratios) if ratios else 0.0
    return evidence, 1 / mean if mean > 0 else 0.0


def _centre_outreach(counted: Mapping[str, Counted]) -> tuple[dict[str, int], dict[str, int]]:
    """Values of those who owe contacts, and their means by peer group."""
    owing = [one for one in counted.values() if one.dossier.cadre.target > 0]
    values = {
        one.dossier.cadre.cadre: value_outreach(one.effective_contacts, one.dossier.cadre.target) for one in owing
    }
    return values, _mean_by_group(owing, values)


def _mean_by_group(owing: Sequence[Counted], values: Mapping[str, int]) -> dict[str, int]:
    sums: dict[str, list[int]] = {}
    for one in owing:
        sums.setdefault(one.dossier.cadre.peer_group, []).append(values[one.dossier.cadre.cadre])
    return {group: sum(own) // len(own) for group, own in sums.items()}


def group_means(values: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float]:
    """Of values by cadre, exactly rounded."""
    parts: dict[str, list[float]] = {}
    for cadre, value in values.items():
        parts.setdefault(groups[cadre], []).append(value)
    return {group: fsum(own) / len(own) for group, own in sorted(parts.items())}


def _levels_of(cadre: str, adjusted: Mapping[str, Adjusted]) -> dict[str, tuple[float, float]]:
    levels = {}
    for name, one in adjusted.items():
        left = one.left.get(cadre)
        if left is not None:
            levels[name] = (left.rest / math.sqrt(one.between), one.within / (left.effective * one.between))
    return levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Scores with what is set aside left out. Results are listed by cadre."""

    scored: Scored
    results: tuple[Result, ...]
    signals: tuple[Signal, ...]
    set_aside: frozenset[str]
    by_cadre: Mapping[str, Result]


def judge(
    dossiers: Sequence[Dossier], span: Span, settings: FairSettings, cleared: frozenset[tuple[str, str]] = frozenset()
) -> Judged:
    """What signals doubt is left out, except where somebody has cleared the cadre of the check."""
    counted = count_all(dossiers, span, settings)
    tables = fit_tables(counted, settings)
    finding = Finding(span, settings)
    for one in counted.values():
        finding.note(one)
    found = finding.find(counted, tables)
    signals = tuple(signal for signal in found if (signal.cadre, signal.check) not in cleared)
    set_aside = frozenset(record for signal in signals for record in signal.records)
    for cadre, one in counted.items():
        if set_aside and not set_aside.isdisjoint(_records_of(one.dossier)):
            counted[cadre] = count_dossier(one.dossier, span, settings, set_aside)
    scored = score_counted(counted, settings)
    results = _publish(scored, signals, settings)
    return Judged(
        scored=scored,
        results=results,
        signals=signals,
        set_aside=set_aside,
        by_cadre={result.cadre: result for result in results},
    )


def _records_of(dossier: Dossier) -> Iterator[str]:
    yield from (issue.issue for issue in dossier.issues)
    yield from (rating.rating for rating in dossier.ratings)
    yield from (contact.contact for contact in dossier.contacts)


def _publish(scored: Scored, signals: Sequence[Signal], settings: FairSettings) -> tuple[Result, ...]:
    reasons: dict[str, list[str]] = {}
    for signal in signals:
        reasons.setdefault(signal.cadre, []).append(signal.check)
    results = {
        cadre: round_position(scored.counted[cadre].dossier.cadre, position, settings)
        for cadre, position in scored.positions.items()
    }
    groups: dict[str, list[Result]] = {}
    for result in results.values():
        groups.setdefault(result.peer_group, []).append(result)
    for group in groups.values():
        results |= rank_among(group, [result.score for result in group])
    return tuple(replace(results[cadre], reasons=tuple(reasons.get(cadre, ()))) for cadre in sorted(results))
