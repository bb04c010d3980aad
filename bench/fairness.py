"""Is the fair scheme nearer to the truth than what hotlines do today? In invented worlds the truth is known."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from bench.worlds.baselines import score_raw, score_shrunk, score_wilson
from bench.worlds.families import FAMILIES, Family
from bench.worlds.judging import agree, award, bias, error_of, ranks_in_groups
from bench.worlds.life import SPAN
from bench.worlds.people import Person
from bench.worlds.world import World, make_world
from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

RESULTS: Final = Path(__file__).parent / "results"
SEED: Final = "2026"
METHODS: Final[Mapping[str, Callable[[Sequence[Dossier]], dict[str, float]]]] = {
    "raw rates": score_raw,
    "Wilson bounds": score_wilson,
    "plain shrinkage": score_shrunk,
}
FAIR: Final = "fair"


@dataclass(slots=True)
class Findings:
    """Figures by family and method; gains by trick; flags by trick or look-alike."""

    figures: list[dict[str, Any]] = field(default_factory=list)
    gains: dict[tuple[str, bool], dict[str, list[float]]] = field(default_factory=dict)
    flags: dict[tuple[str, bool], list[bool]] = field(default_factory=dict)
    checks: dict[str, list[bool]] = field(default_factory=dict)  # whether each flag fell on somebody who cheats


def measure(families: Sequence[Family], seed: str, settings: FairSettings) -> Findings:
    findings = Findings()
    for family in families:
        print(f"inventing {family.name} ...", file=sys.stderr, flush=True)
        world, again = make_world(seed, family), make_world(seed, family, redraw=1)
        persons, truth = world.population.persons, world.population.truths
        for name, method in METHODS.items():
            honest, played, other = method(world.honest), method(world.played), method(again.honest)
            findings.figures.append(_figures(family, name, persons, truth, (honest, played, other)))
            _note_gains(findings, persons, name, honest, played)
        judged = [judge(one, SPAN, settings) for one in (world.honest, world.played, again.honest)]
        scores = [{result.cadre: float(result.score) for result in one.results} for one in judged]
        figures = _figures(family, FAIR, persons, truth, (scores[0], scores[1], scores[2]))
        findings.figures.append({**figures, **_coverage(world, judged[0])})
        _note_gains(findings, persons, FAIR, scores[0], scores[1])
        _note_flags(findings, persons, judged[1])
    return findings


def _figures(
    family: Family,
    method: str,
    persons: Sequence[Person],
    truth: Mapping[str, float],
    scores: tuple[Mapping[str, float], Mapping[str, float], Mapping[str, float]],
) -> dict[str, Any]:
    honest, played, again = scores
    cut = sorted(person.caseload for person in persons)[len(persons) // 3]
    region, mix, load = bias(persons, honest, truth)
    return {
        "family": family.name,
        "method": method,
        "rank": agree(persons, honest, truth),
        "rank of the third with fewest cases": agree([one for one in persons if one.caseload <= cut], honest, truth),
        "rank among cheats": agree(persons, played, truth),
        "award": award(persons, honest, truth),
        "region": region,
        "case mix": mix,
        "caseload": load,
        "redraw": agree(persons, honest, again),
    }


def _coverage(world: World, judged: Judged) -> dict[str, float]:
    truths = world.population.truths
    within = [float(r.lower) <= 75 + 10 * truths[r.cadre] <= float(r.upper) for r in judged.results]
    return {"coverage": fmean(within), "width": fmean(float(r.upper - r.lower) for r in judged.results)}


def _note_gains(
    findings: Findings,
    persons: Sequence[Person],
    method: str,
    honest: Mapping[str, float],
    played: Mapping[str, float],
) -> None:
    before, after = ranks_in_groups(persons, honest), ranks_in_groups(persons, played)
    for person in persons:
        if person.trick:
            cadre = person.cadre.cadre
            gains = findings.gains.setdefault((person.trick, person.is_knowing), {})
            gains.setdefault(method, []).append(100 * (after[cadre] - before[cadre]))


def _note_flags(findings: Findings, persons: Sequence[Person], judged: Judged) -> None:
    flagged = {result.cadre for result in judged.results if result.reasons}
    cheats = {person.cadre.cadre for person in persons if person.trick}
    for person in persons:
        kind = person.trick or person.look_alike or "nothing odd"
        findings.flags.setdefault((kind, person.is_knowing), []).append(person.cadre.cadre in flagged)
    for signal in judged.signals:
        findings.checks.setdefault(signal.check, []).append(signal.cadre in cheats)


COLUMNS: Final = (
    *("rank", "rank of the third with fewest cases", "rank among cheats", "award"),
    *("region", "case mix", "caseload", "redraw", "coverage", "width"),
)


def describe(findings: Findings) -> str:
    """In Markdown."""
    lines = [
        "# Fairness in invented worlds",
        "",
        "`python -m bench fairness` writes this page. Ranks: Spearman's coefficient with the true quality within peer",
        "groups. Award: how many of the best fifth by score are of the best fifth by truth. Region, case mix, load:",
        "what one standard deviation of hardship, hardness of cases or log caseload moves the score at equal quality,",
        "in standard deviations of quality. Redraw: agreement of the ranks of two years of the same people. Coverage:",
        "how many 90 % intervals hold the truth.",
        "",
        "A method that scores places and caseloads instead of people agrees well with itself from year to year:",
        "redraws say something beside the first columns only. Decisions [96](decisions/0096-the-fair-scheme.md),",
        "[97](decisions/0097-signals-ask-a-person.md),",
        "[111](decisions/0111-one-matter-counts-once-whoever-complains.md),",
        "[120](decisions/0120-signals-compare-a-cadre-with-itself.md), [130](decisions/0130-faults-scatter.md) and",
        "[131](decisions/0131-bent-entries.md) say what was chosen by these figures.",
        "",
        f"| family | method | {' | '.join(COLUMNS)} |",
        f"| --- | --- |{' --- |' * len(COLUMNS)}",
    ]
    for row in findings.figures:
        cells = " | ".join(f"{row[name]:.3f}" if name in row else "" for name in COLUMNS)
        lines.append(f"| {row['family']} | {row['method']} | {cells} |")
    for method in (*METHODS, FAIR):
        rows = [row for row in findings.figures if row["method"] == method]
        means = " | ".join(
            f"{fmean(abs(row[name]) for row in rows):.3f}" if name in rows[0] else "" for name in COLUMNS
        )
        lines.append(f"| **mean size** | {method} | {means} |")
    lines += [
        "",
        "## What cheating gained",
        "Percentile ranks within the peer group, against the same people's honest twins; ± is the standard error of",
        "the last. `python -m bench cheating` asks more people ([cheating.md](cheating.md)).",
        "",
        f"| trick | knows the checks | people | {' | '.join((*METHODS, FAIR))} | ± | flagged |",
        f"| --- | --- | --- |{' --- |' * (len(METHODS) + 3)}",
    ]
    for (trick, knowing), gains in sorted(findings.gains.items()):
        cells = " | ".join(f"{fmean(gains[method]):+.1f}" for method in (*METHODS, FAIR))
        flagged = f"{fmean(findings.flags[trick, knowing]):.0%}"
        error = f"{error_of(gains[FAIR]):.1f}"
        lines.append(f"| {trick} | {'yes' if knowing else 'no'} | {len(gains[FAIR])} | {cells} | {error} | {flagged} |")
    lines += ["", "## False alarms", "", "| honest | people | flagged |", "| --- | --- | --- |"]
    tricks = {trick for trick, _ in findings.gains}
    for (kind, _), flags in sorted(findings.flags.items()):
        if kind not in tricks:
            lines.append(f"| {kind} | {len(flags)} | {fmean(flags):.1%} |")
    lines += ["", "| check | flags | on somebody who cheats |", "| --- | --- | --- |"]
    lines += [f"| {check} | {len(hits)} | {fmean(hits):.0%} |" for check, hits in sorted(findings.checks.items())]
    return "\n".join(lines) + "\n"


def run(wanted: Sequence[str]) -> int:
    """All families, or those named."""
    if unknown := [name for name in wanted if name not in FAMILIES]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(FAMILIES)}", file=sys.stderr)
        return 2
    settings = read_settings(OWN_SETTINGS.read_text("utf-8"))
    findings = measure([FAMILIES[name] for name in wanted or FAMILIES], SEED, settings)
    text = describe(findings)
    print(text)
    if not wanted:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "fairness.md").write_text(text, "utf-8")
        (RESULTS / "fairness.json").write_text(json.dumps(findings.figures, indent=1) + "\n", "utf-8")
    return 0
