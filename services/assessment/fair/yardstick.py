"""Measuring one cadre by what was usual among all at some moment: the same yardstick, other records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.assessment.fair.adjusting import Left
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import Frame, Scored, group_means, leave, place_left
from services.assessment.fair.factor import Position
from services.assessment.fair.habits import OwnHabits
from services.assessment.fair.marks import Counted
from services.assessment.fair.outreach import value_outreach
from services.assessment.fair.records import MICRO, Dossier, Span
from services.assessment.fair.reference import Table
from services.assessment.fair.results import Result, round_position
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.standing import Residual, Standing, residuals_of, stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What of the yardstick is one cadre's: raters' habits elsewhere, and what was taken off for load and place."""

    habits: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)  # load, region, unit, peers


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """`usual` is, by indicator and peer group, what is taken off on average: for whom nothing was taken off then."""

    tables: Mapping[str, Table]
    spreads: Mapping[str, tuple[float, float]]  # between, within
    loadings: Mapping[str, float]
    centres: Mapping[str, int]  # of outreach, by peer group
    usual: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    counted: Counted
    residuals: Sequence[Residual]
    standings: Mapping[str, Standing]
    left: Mapping[str, Left]
    position: Position
    result: Result


def yardstick_of(scored: Scored) -> Yardstick:
    frame = scored.frame
    groups = {cadre: one.cadre.peer_group for cadre, one in scored.people.items()}
    return Yardstick(
        tables=frame.tables,
        spreads=frame.spreads,
        loadings=frame.loadings,
        centres=frame.centres,
        usual={name: _usual(one.left, groups) for name, one in frame.adjusted.items()},
    )


def own_of(frame: Frame, counted: Counted) -> Own:
    return make_own(counted, part_of(frame, counted.cadre))


@dataclass(frozen=True, slots=True)
class Part:
    """What of the frame is one cadre's, whatever the records."""

    left: Mapping[str, Left]
    habits: OwnHabits


def part_of(frame: Frame, cadre: str) -> Part:
    return Part(leave(frame, cadre), frame.habits.part_of(cadre))


def make_own(counted: Counted, part: Part) -> Own:
    lefts = part.left
    return Own(
        habits=part.habits.of(counted),
        steps={name: (left.load, left.region, left.unit, left.peers) for name, left in lefts.items()},
    )


def measure(
    dossier: Dossier, own: Own, yardstick: Yardstick, span: Span, settings: FairSettings, set_aside: frozenset[str]
) -> Measured:
    """The dossier that the yardstick was made with comes out as it did then, to the digit."""
    counted = count_dossier(dossier, span, settings, set_aside)
    residuals = residuals_of(counted, yardstick.tables, own.habits, settings)
    standings = stand(residuals, yardstick.tables)
    left = {
        name: one
        for name in yardstick.spreads
        if (one := _leave(name, counted, standings, own, yardstick, settings)) is not None
    }
    position = place_left(left, yardstick.spreads, yardstick.loadings, settings)
    return Measured(
        counted=counted,
        residuals=residuals,
        standings=standings,
        left=left,
        position=position,
        result=round_position(dossier.cadre, position, settings),
    )


def _leave(
    name: str,
    counted: Counted,
    standings: Mapping[str, Standing],
    own: Own,
    yardstick: Yardstick,
    settings: FairSettings,
) -> Left | None:
    found = _mean_of(name, counted, standings, yardstick, settings)
    if found is None:
        return None
    mean, effective = found
    usual = yardstick.usual[name].get(counted.dossier.cadre.peer_group, 0.0)
    load, region, unit, peers = own.steps.get(name, (0.0, 0.0, 0.0, usual))
    return Left(
        mean=mean,
        load=load,
        region=region,
        unit=unit,
        peers=peers,
        rest=mean - load - region - unit - peers,
        effective=effective,
    )


def _mean_of(
    name: str,
    counted: Counted,
    standings: Mapping[str, Standing],
    yardstick: Yardstick,
    settings: FairSettings,
) -> tuple[float, float] | None:
    cadre = counted.dossier.cadre
    if name == "outreach":
        if cadre.target <= 0:
            return None
        centred = value_outreach(counted.effective_contacts, cadre.target) - yardstick.centres.get(cadre.peer_group, 0)
        value = min(settings.outreach.highest, max(settings.outreach.lowest, centred))
        return value / MICRO, float(cadre.target)
    standing = standings.get(name)
    if standing is None or not standing.weight or standing.error <= 0:
        return None
    return standing.mean, yardstick.spreads[name][1] / standing.error


def _usual(lefts: Mapping[str, Left], groups: Mapping[str, str]) -> dict[str, float]:
    return group_means({cadre: left.mean - left.rest for cadre, left in lefts.items()}, groups)


def write_yardstick(yardstick: Yardstick) -> dict[str, Any]:
    """As plain data, in one order."""
    return {
        "tables": {
            name: {
                "mean": table.mean,
                "cells": [
                    [list(cell), table.expected[cell], table.scatter.get(cell, 0)] for cell in sorted(table.expected)
                ],
            }
            for name, table in sorted(yardstick.tables.items())
        },
        "spreads": {name: list(pair) for name, pair in sorted(yardstick.spreads.items())},
        "loadings": dict(sorted(yardstick.loadings.items())),
        "centres": dict(sorted(yardstick.centres.items())),
        "usual": {name: dict(sorted(groups.items())) for name, groups in sorted(yardstick.usual.items())},
    }


def read_yardstick(data: Mapping[str, Any]) -> Yardstick:
    return Yardstick(
        tables={
            name: Table(
                mean=table["mean"],
                expected={tuple(cell): expected for cell, expected, _ in table["cells"]},
                scatter={tuple(cell): scatter for cell, _, scatter in table["cells"]},
            )
            for name, table in data["tables"].items()
        },
        spreads={name: (pair[0], pair[1]) for name, pair in data["spreads"].items()},
        loadings=data["loadings"],
        centres=data["centres"],
        usual=data["usual"],
    )


def write_own(own: Own) -> dict[str, Any]:
    return {"habits": dict(own.habits), "steps": {name: list(steps) for name, steps in own.steps.items()}}


def read_own(data: Mapping[str, Any]) -> Own:
    return Own(
        habits=data["habits"],
        steps={name: (one[0], one[1], one[2], one[3]) for name, one in data["steps"].items()},
    )
