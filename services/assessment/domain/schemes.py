"""Indicator definitions and schemes: data, read strictly, with errors that name the place."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from services.assessment.domain.indicators import IN_SCHEMES
from services.assessment.domain.measures import ANSWERS_BEHIND, MEASURES
from shared.errors import Rejected

FactKind = Literal["contact", "issue", "rating"]
FULL_WEIGHT = Decimal(100)
_PLACES = {"value_places": 4, "points_places": 2}  # what the columns of the scores hold
_FIXED = {"normalisation": "proportional", "missing_data": "rescale", "rounding_stage": "composite"}


class BadScheme(Rejected):
    """A scheme or an indicator definition is wrong; the detail says where."""

    code = "bad-scheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    key: str
    name: dict[str, str]
    description: dict[str, str]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    components: tuple[str, ...]
    facts: FactKind
    weight: Decimal
    minimum_denominator: int
    reads_ratings: frozenset[str]  # which answers of raters its value depends on

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure that the indicator shows, once each."""
        return tuple(dict.fromkeys((*self.numerator, *self.denominator, *self.components)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    name: str
    version: int
    title: dict[str, str]
    minimum_present_weight: Decimal
    value_places: int
    points_places: int
    indicators: tuple[Indicator, ...]

    def find_indicator(self, key: str) -> Indicator | None:
        return next((indicator for indicator in self.indicators if indicator.key == key), None)


def merge_definition(scheme_text: str, indicators_text: str) -> dict[str, Any]:
    """One self-contained definition: the scheme with the indicators it weighs. Raises BadScheme."""
    try:
        definition = tomllib.loads(scheme_text)
        known = tomllib.loads(indicators_text)
    except tomllib.TOMLDecodeError as error:
        raise BadScheme(f"not TOML: {error}") from None
    weighed = definition.get("indicators")
    if not isinstance(weighed, dict) or not weighed:
        raise BadScheme("indicators: at least one is needed")
    for key, rule in weighed.items():
        if key not in known:
            raise BadScheme(f"indicators.{key}: is not defined")
        if not isinstance(rule, dict):
            raise BadScheme(f"indicators.{key}: must be a table")
        rule["definition"] = {field: known[key][field] for field in IN_SCHEMES if field in known[key]}
    # An order of its own, since jsonb keeps none: the one in which indicators are shown and remainders are settled.
    definition["order"] = list(weighed)
    return definition


def hash_definition(definition: Mapping[str, Any]) -> bytes:
    canonical = json.dumps(definition, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def read_scheme(definition: Mapping[str, Any]) -> Scheme:
    """Raises BadScheme."""
    expected = {"name", "version", "title", "minimum_present_weight", "indicators", "order", *_PLACES, *_FIXED}
    _check_keys("scheme", definition, expected)
    for field, only in _FIXED.items():
        if definition[field] != only:
            raise BadScheme(f"{field}: only {only!r} is known")
    for field, places in _PLACES.items():
        if definition[field] != places:
            raise BadScheme(f"{field}: only {places} is known")
    indicators = tuple(_read_indicator(key, definition["indicators"][key]) for key in definition["order"])
    if sum(indicator.weight for indicator in indicators) != FULL_WEIGHT:
        raise BadScheme("indicators: the weights must sum to 100")
    return Scheme(
        name=_text("name", definition["name"], longest=64),
        version=_integer("version", definition["version"]),
        title=_bilingual("title", definition["title"]),
        minimum_present_weight=_weight("minimum_present_weight", definition["minimum_present_weight"]),
        value_places=definition["value_places"],
        points_places=definition["points_places"],
        indicators=indicators,
    )


def _read_indicator(key: str, rule: Mapping[str, Any]) -> Indicator:
    place = f"indicators.{key}"
    _check_keys(place, rule, {"weight", "minimum_denominator", "definition"})
    definition = rule["definition"]
    expected = {"name", "description", "numerator", "denominator", "components", "facts"}
    _check_keys(place, definition, expected | ({"reads_ratings"} & definition.keys()))
    if definition["facts"] not in get_args(FactKind):
        raise BadScheme(f"{place}.facts: is not one of {', '.join(get_args(FactKind))}")
    return Indicator(
        key=_text(place, key, longest=64),
        name=_bilingual(f"{place}.name", definition["name"]),
        description=_bilingual(f"{place}.description", definition["description"]),
        numerator=_measures(f"{place}.numerator", definition["numerator"]),
        denominator=_measures(f"{place}.denominator", definition["denominator"]),
        components=_measures(f"{place}.components", definition["components"]),
        facts=definition["facts"],
        weight=_weight(f"{place}.weight", rule["weight"]),
        minimum_denominator=_integer(f"{place}.minimum_denominator", rule["minimum_denominator"]),
        reads_ratings=_answers(f"{place}.reads_ratings", definition),
    )


def _answers(place: str, definition: Mapping[str, Any]) -> frozenset[str]:
    """What the definition declares, and in any case what its measures are made of: forgetting it hides nothing less."""
    declared = definition.get("reads_ratings", [])
    if not isinstance(declared, list) or not all(answer in ANSWERS_BEHIND.values() for answer in declared):
        raise BadScheme(f"{place}: must be a list of {', '.join(sorted(set(ANSWERS_BEHIND.values())))}")
    measures = [*definition["numerator"], *definition["denominator"]]
    return frozenset(declared) | {ANSWERS_BEHIND[name] for name in measures if name in ANSWERS_BEHIND}


def _check_keys(place: str, table: object, expected: set[str]) -> None:
    if not isinstance(table, Mapping):
        raise BadScheme(f"{place}: must be a table")
    if missing := expected - table.keys():
        raise BadScheme(f"{place}: lacks {', '.join(sorted(missing))}")
    if unknown := table.keys() - expected:
        raise BadScheme(f"{place}: does not know {', '.join(sorted(unknown))}")


def _text(place: str, value: object, *, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise BadScheme(f"{place}: must be a text of 1 to {longest} characters")
    return value


def _integer(place: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 1_000_000:
        raise BadScheme(f"{place}: must be a whole number from 1 to 1000000")
    return value


def _weight(place: str, value: object) -> Decimal:
    """As text, since a TOML number with a fraction is a float."""
    try:
        weight = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        weight = None
    if weight is None or not weight.is_finite() or not 0 < weight <= FULL_WEIGHT or weight != round(weight, 4):
        raise BadScheme(f'{place}: must be a text such as "12.5", above 0, at most 100, with at most 4 places')
    return weight


def _bilingual(place: str, value: object) -> dict[str, str]:
    _check_keys(place, value, {"zh", "en"})
    assert isinstance(value, Mapping)  # noqa: S101 - just checked
    return {language: _text(f"{place}.{language}", value[language], longest=500) for language in ("zh", "en")}


def _measures(place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadScheme(f"{place}: must be a list of measures")
    if unknown := [name for name in value if name not in MEASURES]:
        raise BadScheme(f"{place}: unknown measures {', '.join(map(str, unknown))}")
    return tuple(value)
