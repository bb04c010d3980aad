"""What a publication says: what the office did as it is, ratings as they may be told, and a score made of just that.

What it says is a function of its inputs alone, which are frozen with it: tools/verify_result.py computes it again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

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

CLAIMED: Final = "closed_as_resolved"  # what no rating changes of `resolved` and `denied`
ENDS: Final[tuple[Reading, Reading]] = ("lowest", "highest")

Shape = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Whom a publication is about, as the registers stood at the close."""

    subject: Subject
    period: Period
    organisation: Subject | None
    peer_group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What all publications of a period have in common: the scheme, its hash, what its groups were measured by."""

    scheme: Scheme
    definition_hash: bytes
    parameters: Mapping[str, Any]


def freeze(
    published: Published, process: Mapping[str, int], told: Mapping[Question, Rounded], basis: Basis
) -> dict[str, Any]:
    """All that a publication is computed from. Without enough ratings it is the same whether there are any.

    Of measures that ratings change only the sum goes in that they do not.
    """
    subject, period, organisation = published.subject, published.period, published.organisation
    measures = {name: process.get(name, 0) for name in MEASURES if name not in ANSWERS_BEHIND}
    return {
        "subject": {
            "kind": subject.subject_kind, "id": str(subject.subject_id), "code": subject.code, "name": subject.name
        },
        "organisation": {"code": organisation.code, "name": organisation.name} if organisation else None,
        "peer_group": published.peer_group,
        "period": {
            "period": period.label,
            "kind": period.kind,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
        },
        "scheme": {
            "name": basis.scheme.name, "version": basis.scheme.version, "definition_hash": basis.definition_hash.hex()
        },
        "parameters": dict(basis.parameters),
        "measures": measures | {CLAIMED: process.get("resolved", 0) + process.get("denied", 0)},
        "told": {
            question: {
                "answers": rounded.answers,
                "lowest": str(rounded.lowest),
                "middle": str(rounded.middle),
                "highest": str(rounded.highest),
            }
            for question, rounded in told.items()
        },
    }  # fmt: skip


def describe(inputs: Mapping[str, Any], scheme: Scheme) -> Shape:
    """A publication without the texts of the scheme."""
    amounts = {name: inputs["measures"].get(name, 0) for name in MEASURES}
    amounts |= {"resolved": inputs["measures"][CLAIMED], "denied": 0}
    told = {question: _thaw(rounded) for question, rounded in inputs["told"].items()}
    result = _score(amounts, told, scheme)
    subject = inputs["subject"]
    return {
        "subject": {"kind": subject["kind"], "code": subject["code"], "name": subject["name"]},
        "organisation": inputs["organisation"],
        "peer_group": inputs["peer_group"],
        "period": inputs["period"],
        "scheme": {"name": scheme.name, "version": scheme.version},
        **_outcome(result),
        "indicators": [_describe_indicator(indicator, amounts, told, result) for indicator in scheme.indicators],
    }


def seal(document: Mapping[str, object]) -> tuple[str, bytes]:
    """The one way to write it, and the hash of that."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return text.decode(), hashlib.sha256(text).digest()


def _thaw(rounded: Mapping[str, Any]) -> Rounded:
    return Rounded(
        answers=rounded["answers"],
        lowest=Fraction(rounded["lowest"]),
        middle=Fraction(rounded["middle"]),
        highest=Fraction(rounded["highest"]),
    )


def _score(process: Mapping[str, int], told: Mapping[Question, Rounded], scheme: Scheme) -> Result | None:
    """The score as anybody can compute it from what is shown. None where an indicator that it needs is withheld."""
    if any(_is_withheld(indicator, told) for indicator in scheme.indicators):
        return None
    return compute_score(measure_told(process, told, "middle"), scheme)


def _is_withheld(indicator: Indicator, told: Mapping[Question, Rounded]) -> bool:
    """Mean levels are withheld always: of them nothing is released."""
    unreleased = {"rating_level_sum"} & {*indicator.numerator, *indicator.denominator}
    return bool(unreleased) or not indicator.reads_ratings <= told.keys()


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
        shape[CLAIMED] = process["resolved"] + process["denied"]
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
