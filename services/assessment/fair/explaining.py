"""Why a score is what it is: every step of every indicator, the records that moved it most, and what does not count.

Towards the cadre nothing is told that rests on what citizens said, unless enough of them answered for it to be
released: then the sums, and never single records.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, Literal

from services.assessment.fair.engine import Judged, place_left
from services.assessment.fair.factor import Position, Term, place
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import MICRO
from services.assessment.fair.results import Result
from services.assessment.fair.settings import INDICATORS, FairSettings
from services.assessment.fair.standing import residuals_of, stand
from services.assessment.fair.totals import list_doubtful
from services.assessment.fair.yardstick import Measured, Own, Part, Yardstick, make_own, part_of, yardstick_of

Audience = Literal["department", "cadre"]
# What citizens answer takes part in these: by denials, by ratings, and by having rated a contact.
FROM_CITIZENS: Final = frozenset({"resolution", "speed", "satisfaction", "outreach"})
PLACES: Final = 4
MOST: Final = 5
SPREAD_NO_GIFT: Final = 4  # the first version of the settings that gives no record what the plausibility limit gave
HUNDREDTH: Final = 0.0101  # of a point, and a little for what a difference of floats loses


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """observed - expected - load - region - unit - peers = difference, exactly; all in parts of one."""

    indicator: str
    weight: Decimal
    records: Decimal  # how many equal ones they are worth
    observed: Decimal
    expected: Decimal
    load: Decimal
    region: Decimal
    unit: Decimal
    peers: Decimal
    difference: Decimal
    spread: Decimal  # one standard deviation of true levels among peers
    level: Decimal  # difference / spread
    limited: Decimal | None  # what of it is believed; it depends on the other indicators, and is withheld with them
    evidence: Decimal  # the share of the level that the records justify
    points: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One record, and by how many points the score would be other without what it differs from the usual."""

    record: str
    indicator: str
    value: Decimal
    expected: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`withheld` are indicators that may not be told to this reader; then the score is not told either."""

    cadre: str
    peer_group: str
    settings: str
    content_hash: str
    score: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    reliability: Decimal | None
    base: Decimal
    lines: tuple[Line, ...]
    withheld: tuple[str, ...]
    most: tuple[Moved, ...]
    left_out: Mapping[str, tuple[str, ...]]  # records by why they do not count, or not wholly
    signals: tuple[str, ...]
    caveats: tuple[str, ...]
    would_change: Mapping[str, Decimal]  # points that one more record of a kind would add


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that one explanation is made of."""

    measured: Measured
    own: Own
    yardstick: Yardstick
    set_aside: frozenset[str]

    @property
    def cadre(self) -> str:
        return self.measured.result.cadre


def case_of(judged: Judged, cadre: str, yardstick: Yardstick | None = None) -> Case:
    """Raises KeyError where there is no such cadre. `yardstick`: that of `judged`, where somebody has it already."""
    return _case_of(judged, judged.scored.counted[cadre], yardstick or yardstick_of(judged.scored))


def iterate_cases(judged: Judged, yardstick: Yardstick) -> Iterator[Case]:
    """Of everybody, in the order of the results."""
    for counted in judged.scored.counted.iterate():
        yield _case_of(judged, counted, yardstick)


def _case_of(judged: Judged, counted: Counted, yardstick: Yardstick) -> Case:
    part = part_of(judged.scored.frame, counted.cadre)
    case = make_case(counted, part, judged.by_cadre[counted.cadre], yardstick, judged.settings)
    return replace(case, set_aside=judged.set_aside)


def make_case(counted: Counted, part: Part, result: Result, yardstick: Yardstick, settings: FairSettings) -> Case:
    """Without what was set aside."""
    own = make_own(counted, part)
    residuals = residuals_of(counted, yardstick.tables, own.habits, settings)
    measured = Measured(
        counted=counted,
        residuals=residuals,
        standings=stand(residuals, yardstick.tables),
        left=part.left,
        position=place_left(part.left, yardstick.spreads, yardstick.loadings, settings),
        result=result,
    )
    return Case(measured=measured, own=own, yardstick=yardstick, set_aside=frozenset())


def explain(
    judged: Judged,
    cadre: str,
    settings: FairSettings,
    *,
    audience: Audience,
    released: frozenset[str] = frozenset(),
) -> Explanation:
    """Raises KeyError where there is no such cadre. `released`: indicators of citizens' answers that may be told."""
    return explain_case(case_of(judged, cadre), settings, audience=audience, released=released)


def explain_case(
    case: Case, settings: FairSettings, *, audience: Audience, released: frozenset[str] = frozenset()
) -> Explanation:
    result, position = case.measured.result, case.measured.position
    hidden = frozenset[str]() if audience == "department" else FROM_CITIZENS - released
    withheld = tuple(term.indicator for term in position.terms if term.indicator in hidden)
    is_told = not withheld
    return Explanation(
        cadre=result.cadre,
        peer_group=result.peer_group,
        settings=f"{settings.name} {settings.version}",
        content_hash=settings.content_hash,
        score=result.score if is_told else None,
        lower=result.lower if is_told else None,
        upper=result.upper if is_told else None,
        reliability=result.reliability if is_told else None,
        base=result.base,
        lines=tuple(
            _explain_indicator(case, term, settings, is_told=is_told)
            for term in position.terms
            if term.indicator not in hidden
        ),
        withheld=withheld,
        most=_moved_most(case, settings) if audience == "department" else (),
        left_out=_left_out(case, audience),
        signals=result.reasons if audience == "department" else (),
        caveats=_caveats(result, position, is_told=is_told),
        would_change=_would_change(case, settings, hidden),
    )


def _explain_indicator(case: Case, term: Term, settings: FairSettings, *, is_told: bool) -> Line:
    left = case.measured.left[term.indicator]
    standing = case.measured.standings.get(term.indicator)
    observed = left.mean if standing is None else standing.observed  # of outreach it is a difference already
    steps = {name: _quantise(getattr(left, name)) for name in ("load", "region", "unit", "rest")}
    expected = _quantise(observed - left.mean)
    seen = _quantise(observed)
    return Line(
        indicator=term.indicator,
        weight=Decimal(settings.weight_of(term.indicator)) / MICRO,
        records=_quantise(left.effective, 1),
        observed=seen,
        expected=expected,
        load=steps["load"],
        region=steps["region"],
        unit=steps["unit"],
        peers=seen - expected - steps["load"] - steps["region"] - steps["unit"] - steps["rest"],
        difference=steps["rest"],
        spread=_quantise(_spread_of(case, term)),
        level=_quantise(term.level, 2),
        limited=_quantise(term.limited, 2) if is_told else None,
        evidence=_quantise(term.evidence, 2),
        points=case.measured.result.points[term.indicator] if is_told else None,
    )


def _spread_of(case: Case, term: Term) -> float:
    return math.sqrt(case.yardstick.spreads[term.indicator][0])


def _moved_most(case: Case, settings: FairSettings) -> tuple[Moved, ...]:
    measured = case.measured
    factors = {term.indicator: _points_for_one(case, term, settings) for term in measured.position.terms}
    weights = {name: standing.weight for name, standing in measured.standings.items()}
    moved = []
    for one in measured.residuals:
        mark = one.mark
        if mark.indicator in factors:
            share = mark.weight / weights[mark.indicator]
            moved.append((factors[mark.indicator] * share * one.residual / MICRO, one))
    sizes = sorted(abs(points) for points, _ in moved)
    least = sizes[-MOST] - HUNDREDTH if len(sizes) > MOST else 0.0  # what is smaller is smaller when rounded, too
    most = [
        (-abs(_round(points, 2)), one.mark.indicator, one.mark.record, points, one)
        for points, one in moved
        if abs(points) >= least
    ]
    return tuple(
        Moved(
            record=record,
            indicator=name,
            value=_quantise(one.mark.value / MICRO, 2),
            expected=_quantise((one.expected + one.habit) / MICRO, 2),
            points=_quantise(points, 2),
        )
        for _, name, record, points, one in sorted(most, key=itemgetter(0, 1, 2))[:MOST]
    )


def _points_for_one(case: Case, term: Term, settings: FairSettings) -> float:
    """Points for a mean difference of one. What the plausibility limit took is spread over all records alike; what it
    gave is none of theirs, and they moved nothing where it turned their difference about. What was closed by earlier
    versions of the settings comes out as it did: there, what it gave was spread, too.
    """
    if settings.version < SPREAD_NO_GIFT:
        share = term.points / term.limited if term.limited else 0.0
        return share * (term.limited / term.level if term.level else 1.0) / _spread_of(case, term)
    if term.level * term.limited <= 0:
        return 0.0
    return term.points / max(term.level, term.limited, key=abs) / _spread_of(case, term)


def _left_out(case: Case, audience: Audience) -> dict[str, tuple[str, ...]]:
    """What was set aside is not told to the cadre: it would tell what is being looked into."""
    counted = case.measured.counted
    found: dict[str, set[str]] = {}
    for mark in counted.marks:
        if mark.note and not (audience == "cadre" and mark.indicator in FROM_CITIZENS):
            found.setdefault(mark.note, set()).add(mark.record)
    if audience == "department":
        for contact, (_, reasons) in counted.contact_notes.items():
            for reason in reasons.split():
                found.setdefault(reason, set()).add(contact)
        if aside := case.set_aside.intersection(list_doubtful(counted.dossier)):
            found["set_aside"] = set(aside)
    return {note: tuple(sorted(records)) for note, records in sorted(found.items())}


def _caveats(result: Result, position: Position, *, is_told: bool) -> tuple[str, ...]:
    caveats = ["evidence_not_verdict", "among_peers_only"]
    if not is_told:
        caveats.append("too_few_ratings")
    elif result.band == "not_enough_evidence":
        caveats.append("not_enough_evidence")
    elif result.award_zone == "open" or result.rank_best != result.rank_worst:
        caveats.append("ranks_not_separable")
    if len(position.terms) < len(INDICATORS):
        caveats.append("indicators_without_data")
    if any(term.limited != term.level for term in position.terms) and is_told:
        caveats.append("limited")
    return tuple(caveats)


def _would_change(case: Case, settings: FairSettings, hidden: frozenset[str]) -> dict[str, Decimal]:
    """One more record of the best value, in an average case, everything else as it is."""
    if hidden:
        return {}
    before = case.measured.position
    levels = {term.indicator: (term.level, term.error) for term in before.terms}
    changes: dict[str, Decimal] = {}
    for name in ("timeliness", "reply", "resolution"):
        left = case.measured.left.get(name)
        if left is None:
            continue
        number = left.effective
        gain = (1 - case.yardstick.tables[name].mean / MICRO - left.mean) / (number + 1)
        level = (left.rest + gain) / math.sqrt(case.yardstick.spreads[name][0])
        after = {**levels, name: (level, levels[name][1] * number / (number + 1))}
        changes[name] = _quantise(place(after, case.yardstick.loadings, settings).points - before.points, 2)
    return changes


def _quantise(value: float, places: int = PLACES) -> Decimal:
    return Decimal(_round(value, places)).scaleb(-places)


def _round(value: float, places: int) -> int:
    """Units of the last place: half away from zero, from the exact value of the float."""
    numerator, denominator = value.as_integer_ratio()
    units = (2 * abs(numerator) * int(10**places) + denominator) // (2 * denominator)
    return -units if numerator < 0 else units


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The differences add up to the difference of the scores, exactly."""

    cadre: str
    before: Decimal
    after: Decimal
    by_indicator: Mapping[str, Decimal]
    own: Mapping[str, Decimal]  # of that, what the own records did; the rest is what is usual, and how sure it is


def compare(cadre: str, former: Judged, present: Judged, settings: FairSettings) -> Change:
    """Raises KeyError where the cadre is missing in one of them."""
    return compare_explanations(
        explain(former, cadre, settings, audience="department"),
        explain(present, cadre, settings, audience="department"),
    )


def compare_explanations(former: Explanation, present: Explanation) -> Change:
    """Why the score of one date is not that of another; both as the department reads them."""
    if former.score is None or present.score is None:
        raise ValueError("what is withheld is not compared")
    before, after = ({line.indicator: line for line in one.lines} for one in (former, present))
    points: dict[str, Decimal] = {
        name: _points(after, name) - _points(before, name) for name in INDICATORS if name in before or name in after
    }
    if present.base != former.base:
        points["base"] = present.base - former.base
    own = {}
    for name, line in before.items():
        later = after.get(name)
        if later is not None and line.difference and line.points is not None:
            moved = (later.observed - later.expected) - (line.observed - line.expected)
            own[name] = _quantise(float(line.points * moved / line.difference), 2)
    return Change(cadre=present.cadre, before=former.score, after=present.score, by_indicator=points, own=own)


def _points(lines: Mapping[str, Line], name: str) -> Decimal:
    line = lines.get(name)
    return Decimal(0) if line is None or line.points is None else line.points


def read_explanation(data: Mapping[str, Any]) -> Explanation:
    """One that was written down as plain data, with numbers as text."""
    return Explanation(
        **{
            **data,
            **{name: _number(data[name]) for name in ("score", "lower", "upper", "reliability")},
            "base": Decimal(data["base"]),
            "lines": tuple(Line(**_numbers(line, ("indicator",))) for line in data["lines"]),
            "most": tuple(Moved(**_numbers(moved, ("record", "indicator"))) for moved in data["most"]),
            "left_out": {note: tuple(records) for note, records in data["left_out"].items()},
            "would_change": {name: Decimal(points) for name, points in data["would_change"].items()},
            **{name: tuple(data[name]) for name in ("withheld", "signals", "caveats")},
        }
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _numbers(row: Mapping[str, Any], texts: tuple[str, ...]) -> dict[str, Any]:
    return {name: value if name in texts else _number(value) for name, value in row.items()}
