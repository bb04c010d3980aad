"""Why a score is what it is: every step of every indicator, the records that moved it most, and what does not count.

Towards the cadre nothing is told that rests on what citizens said, unless enough of them answered for it to be
released: then the sums, and never single records.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from services.assessment.fair.adjusting import Left
from services.assessment.fair.engine import Judged
from services.assessment.fair.factor import Position, Term, place
from services.assessment.fair.records import MICRO
from services.assessment.fair.results import Result
from services.assessment.fair.settings import INDICATORS, FairSettings
from services.assessment.fair.standing import residuals_of

Audience = Literal["department", "cadre"]
# What citizens answer takes part in these: by denials, by ratings, and by having rated a contact.
FROM_CITIZENS: Final = frozenset({"resolution", "speed", "satisfaction", "outreach"})
PLACES: Final = 4
MOST: Final = 5


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


def explain(
    judged: Judged,
    cadre: str,
    settings: FairSettings,
    *,
    audience: Audience,
    released: frozenset[str] = frozenset(),
) -> Explanation:
    """Raises KeyError where there is no such cadre. `released`: indicators of citizens' answers that may be told."""
    result = next(one for one in judged.results if one.cadre == cadre)
    position = judged.scored.positions[cadre]
    hidden = frozenset[str]() if audience == "department" else FROM_CITIZENS - released
    withheld = tuple(term.indicator for term in position.terms if term.indicator in hidden)
    is_told = not withheld
    return Explanation(
        cadre=cadre,
        peer_group=result.peer_group,
        settings=f"{settings.name} {settings.version}",
        content_hash=settings.content_hash,
        score=result.score if is_told else None,
        lower=result.lower if is_told else None,
        upper=result.upper if is_told else None,
        reliability=result.reliability if is_told else None,
        base=result.base,
        lines=tuple(
            _explain_indicator(judged, term, result, settings, is_told=is_told)
            for term in position.terms
            if term.indicator not in hidden
        ),
        withheld=withheld,
        most=_moved_most(judged, cadre, settings) if audience == "department" else (),
        left_out=_left_out(judged, cadre, audience),
        signals=result.reasons if audience == "department" else (),
        caveats=_caveats(result, position, is_told=is_told),
        would_change=_would_change(judged, cadre, settings, hidden),
    )


def _explain_indicator(judged: Judged, term: Term, result: Result, settings: FairSettings, *, is_told: bool) -> Line:
    cadre = result.cadre
    adjusted = judged.scored.frame.adjusted[term.indicator]
    left = adjusted.left[cadre]
    observed = _observed(judged, cadre, term.indicator, left)
    steps = {name: _quantise(getattr(left, name)) for name in ("load", "region", "unit", "rest")}
    expected = _quantise(observed - left.mean)
    seen = _quantise(observed)
    spread = math.sqrt(adjusted.between)
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
        spread=_quantise(spread),
        level=_quantise(term.level, 2),
        limited=_quantise(term.limited, 2) if is_told else None,
        evidence=_quantise(term.evidence, 2),
        points=result.points[term.indicator] if is_told else None,
    )


def _observed(judged: Judged, cadre: str, indicator: str, left: Left) -> float:
    """Of outreach the value is already a difference from the peers."""
    standing = judged.scored.standings[cadre].get(indicator)
    return left.mean if standing is None else standing.observed


def _moved_most(judged: Judged, cadre: str, settings: FairSettings) -> tuple[Moved, ...]:
    scored = judged.scored
    factors = {term.indicator: _points_for_one(judged, term) for term in scored.positions[cadre].terms}
    moved = []
    for one in residuals_of(scored.counted[cadre], scored.frame.tables, scored.frame.habits, settings):
        name = one.mark.indicator
        if name not in factors:
            continue
        share = one.mark.weight / scored.standings[cadre][name].weight
        moved.append(
            Moved(
                record=one.mark.record,
                indicator=name,
                value=_quantise(one.mark.value / MICRO, 2),
                expected=_quantise((one.expected + one.habit) / MICRO, 2),
                points=_quantise(factors[name] * share * one.residual / MICRO, 2),
            )
        )
    moved.sort(key=lambda one: (-abs(one.points), one.indicator, one.record))
    return tuple(moved[:MOST])


def _points_for_one(judged: Judged, term: Term) -> float:
    """Points for a mean difference of one; what the plausibility limit took is spread over all records alike."""
    spread = math.sqrt(judged.scored.frame.adjusted[term.indicator].between)
    if term.limited == 0:
        return 0.0
    reach = term.limited / term.level if term.level else 1.0
    return term.points / term.limited * reach / spread


def _left_out(judged: Judged, cadre: str, audience: Audience) -> dict[str, tuple[str, ...]]:
    """What was set aside is not told to the cadre: it would tell what is being looked into."""
    counted = judged.scored.counted[cadre]
    found: dict[str, set[str]] = {}
    for mark in counted.marks:
        if mark.note and not (audience == "cadre" and mark.indicator in FROM_CITIZENS):
            found.setdefault(mark.note, set()).add(mark.record)
    if audience == "department":
        for contact, (_, reasons) in counted.contact_notes.items():
            for reason in reasons.split():
                found.setdefault(reason, set()).add(contact)
        own = counted.dossier
        records = {*(i.issue for i in own.issues), *(r.rating for r in own.ratings), *(c.contact for c in own.contacts)}
        if aside := records & judged.set_aside:
            found["set_aside"] = aside
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


def _would_change(judged: Judged, cadre: str, settings: FairSettings, hidden: frozenset[str]) -> dict[str, Decimal]:
    """One more record of the best value, in an average case, everything else as it is."""
    if hidden:
        return {}
    frame = judged.scored.frame
    before = judged.scored.positions[cadre]
    levels = {term.indicator: (term.level, term.error) for term in before.terms}
    changes: dict[str, Decimal] = {}
    for name in ("timeliness", "reply", "resolution"):
        adjusted = frame.adjusted.get(name)
        if adjusted is None or name not in levels:
            continue
        left = adjusted.left[cadre]
        number = left.effective
        gain = (1 - frame.tables[name].mean / MICRO - left.mean) / (number + 1)
        level = (left.rest + gain) / math.sqrt(adjusted.between)
        after = {**levels, name: (level, levels[name][1] * number / (number + 1))}
        changes[name] = _quantise(place(after, frame.loadings, settings).points - before.points, 2)
    return changes


def _quantise(value: float, places: int = PLACES) -> Decimal:
    """Half away from zero, from the exact value of the float."""
    exact = abs(Fraction(value)) * 10**places
    units = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return Decimal((1 if value < 0 and units else 0, tuple(map(int, str(units))), -places))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The differences add up to the difference of the scores, exactly."""

    cadre: str
    before: Decimal
    after: Decimal
    by_indicator: Mapping[str, Decimal]
    own: Mapping[str, Decimal]  # of that, what the own records did; the rest is what is usual, and how sure it is


def compare(cadre: str, former: Judged, present: Judged) -> Change:
    """Why the score of one date is not that of another. Raises KeyError where the cadre is missing in one of them."""
    before = next(one for one in former.results if one.cadre == cadre)
    after = next(one for one in present.results if one.cadre == cadre)
    points = {name: after.points[name] - before.points[name] for name in INDICATORS}
    if after.base != before.base:
        points["base"] = after.base - before.base
    own = {}
    for term in former.scored.positions[cadre].terms:
        adjusted = present.scored.frame.adjusted.get(term.indicator)
        left = adjusted.left.get(cadre) if adjusted else None
        if left is not None:
            mean = former.scored.frame.adjusted[term.indicator].left[cadre].mean
            own[term.indicator] = _quantise(_points_for_one(former, term) * (left.mean - mean), 2)
    return Change(cadre=cadre, before=before.score, after=after.score, by_indicator=points, own=own)
