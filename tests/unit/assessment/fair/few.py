"""Dossiers of few records, for tests that say which, and what a check finds among them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue, Span
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.closures import Admissions
from services.assessment.fair.signals.odds import Everybody, Finder, Signal
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
VERSION_2 = read_settings((Path(__file__).parent / "fair-2.toml").read_text("utf-8"))
SPAN = Span(starts_at=0, ends_at=365 * DAY, as_of=365 * DAY)
TABLES = {
    "resolution": Table(mean=600_000, expected={("hard", "1", ""): 200_000}),
    "explaining": Table(mean=100_000),
}
SOLVED = Issue(issue="i", category="a", complexity="1", received_at=0, closed_at=DAY, outcome="solved")


def make_dossier(cadre: str, region: str = "r", **records: Any) -> Dossier:
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region=region, unit="u"), **records)


def make_issues(name: str, count: int, **more: Any) -> list[Issue]:
    return [replace(SOLVED, issue=f"{name}{number:02}", **more) for number in range(count)]


def see(finders: Iterable[Finder | Admissions], dossiers: Iterable[Dossier]) -> dict[str, Counted]:
    counted = {one.cadre.cadre: count_dossier(one, SPAN, SETTINGS) for one in dossiers}
    for one in counted.values():
        for finder in finders:
            finder.note(one)
    return counted


def find(finder: Finder, *dossiers: Dossier, tables: Mapping[str, Table] = TABLES) -> dict[str, Signal]:
    counted = see([finder], dossiers)
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables=tables))}
