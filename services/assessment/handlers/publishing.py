"""What a publication says: what the office did as it is, ratings as they may be told, and a score made of just that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import orjson

from services.assessment.domain.measures import ANSWERS_BEHIND, MEASURES
from services.assessment.domain.periods import Period
from services.assessment.domain.releases import Question
from services.assessment.domain.rounding import Reading, Rounded, measure_told
from services.assessment.domain.schemes import Indicator, Scheme
from services.assessment.domain.scores import Subject
from services.assessment.scoring.composites import Amount, IndicatorResult, Result, compute_score, half_up

TOO_FEW_RATINGS = "too_few_ratings"
NOT_ENOUGH_EVIDENCE = "not_enough_evidence"

ENDS: Final[tuple[Reading, Reading]] = ("lowest", "highest")

Shape = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Whom a publication is about, as the registers stood at the close."""

    subject: Subject
    period: Period
    organisation: Subject | None
    peer_group: str | None


def describe(
    published: Published, process: Mapping[str, int], told: Mapping[Question, Rounded], scheme: Scheme
) -> Shape:
    """A publication without the texts of the scheme. Without enough ratings it is the same whether there are any."""
    amounts = {name: process.get(name, 0) for name in MEASURES}
    result = _score(amounts, told, scheme)
    return {
        **_head(published),
        "scheme": {"name": scheme.name, "version": scheme.version},
        **_outcome(result),
        "indicators": [_describe_indicator(indicator, amounts, told, result) for indicator in scheme.indicators],
    }


def seal(document: Shape) -> tuple[str, bytes]:
    """The one way to write it, and the hash of that."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return text.decode(), hashlib.sha256(text).digest()


def _score(process: Mapping[str, int], told: Mapping[Question, Rounded], scheme: Scheme) -> Result | None:
    """The score as anybody can compute it from what is shown. None where an indicator that it needs is withheld."""
    if any(_is_withheld(indicator, told) for indicator in scheme.indicators):
        return None
    return compute_score(measure_told(process, told, "middle"), scheme)


def _is_withheld(indicator: Indicator, told: Mapping[Question, Rounded]) -> bool:
    """Mean levels are withheld always: of them nothing is released."""
    unreleased = {"rating_level_sum"} & {*indicator.numerator, *indicator.denominator}
    return bool(unreleased) or not indicator.reads_ratings <= told.keys()


def _head(published: Published) -> Shape:
    subject, period, organisation = published.subject, published.period, published.organisation
    return {
        "subject": {"kind": subject.subject_kind, "code": subject.code, "name": subject.name},
        "organisation": {"code": organisation.code, "name": organisation.name} if organisation else None,
        "peer_group": published.peer_group,
        "period": {"period": period.label, "kind": period.kind, "start": period.start, "end": period.end},
    }


def _outcome(result: Result | None) -> Shape:
    if result is None:
        return {"composite": None, "present_weight": None, "withheld": TOO_FEW_RATINGS}
    return {
        "composite": _fixed(result.composite, 2),
        "present_weight": _fixed(result.present_weight, 4),
        "withheld": None if result.composite is not None else NOT_ENOUGH_EVIDENCE,
    }


def _describe_indicator(
    indicator: Indicator, process: Mapping[str, int], told: Mapping[Question, Rounded], result: Result | None
) -> Shape:
    counted = next((one for one in result.indicators if one.indicator == indicator.key), None) if result else None
    shape: Shape = {
        "key": indicator.key,
        "value": None,
        "band": None,
        "numerator": None,
        "denominator": None,
        "ratings_at_least": None,
        "withheld": None,
        "components": _components(indicator, process),
        **_count(counted),
    }
    if _is_withheld(indicator, told):
        return shape | {"withheld": TOO_FEW_RATINGS}
    if indicator.reads_ratings:
        return shape | _tell(indicator, process, told)
    numerator, denominator = _sums(indicator, process)
    return shape | {
        "value": _fixed(_value(numerator, denominator), 4),
        "numerator": numerator,
        "denominator": denominator,
    }


def _tell(indicator: Indicator, process: Mapping[str, int], told: Mapping[Question, Rounded]) -> Shape:
    """A value, or the band it lies in where the answers read are all but unanimous."""
    ends = [_value(*_sums(indicator, measure_told(process, told, reading))) for reading in ENDS]
    lowest, highest = sorted(ends, key=lambda end: end or Decimal(0))
    read = [rounded for question, rounded in told.items() if question in indicator.reads_ratings]
    shape: Shape = {"ratings_at_least": min(rounded.answers for rounded in read)}
    if lowest == highest:
        return shape | {"value": _fixed(lowest, 4)}
    return shape | {"band": {"from": _fixed(lowest, 4), "to": _fixed(highest, 4)}}


def _components(indicator: Indicator, process: Mapping[str, int]) -> Shape:
    """What the office did. Of measures that ratings change, only the sum that they do not."""
    shape: Shape = {name: process[name] for name in indicator.measures if name not in ANSWERS_BEHIND}
    if {"resolved", "denied"} & set(indicator.measures):
        shape["closed_as_resolved"] = process["resolved"] + process["denied"]
    return shape


def _count(counted: IndicatorResult | None) -> Shape:
    if counted is None:
        return {"points": None, "weight": None}
    return {"points": _fixed(counted.points, 2), "weight": _fixed(counted.weight, 4)}


def _sums(indicator: Indicator, measures: Mapping[str, Amount]) -> tuple[Amount, Amount]:
    return sum(measures[name] for name in indicator.numerator), sum(measures[name] for name in indicator.denominator)


def _value(numerator: Amount, denominator: Amount) -> Decimal | None:
    return half_up(Fraction(numerator) / Fraction(denominator), 4) if denominator else None


def _fixed(value: Decimal | None, places: int) -> str | None:
    """As text, since a float would change it."""
    return None if value is None else f"{value:.{places}f}"
