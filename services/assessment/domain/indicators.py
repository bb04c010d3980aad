"""The registry of indicators: each defined once, as data, and every figure of it computed here and nowhere else."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, get_args

from services.assessment.domain.measures import ANSWERS_BEHIND, MEASURES, SPANNED
from services.assessment.domain.scores import SubjectKind
from shared.errors import Rejected

Unit = Literal["share", "days"]
PeriodRule = Literal["received", "occurred", "rated", "invited", "units", "distinct", "spans"]
Attribution = Literal["responsible", "leader", "post", "rated", "organisation"]
FactKind = Literal["contact", "issue", "rating"]
KNOWN: Final = frozenset({*MEASURES, *SPANNED})
# What a scheme is kept with. The rest of a definition may be put in better words without another version of it.
IN_SCHEMES: Final = (
    "name",
    "description",
    "numerator",
    "denominator",
    "components",
    "facts",
    "reads_ratings",
)
_FIELDS: Final = frozenset({*IN_SCHEMES, "unit", "exclusions", "period_rule", "attribution", "value_places"})


class BadIndicator(Rejected):
    """A definition is wrong; the detail says where."""

    code = "bad-indicator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Without a denominator the value is the numerator: a count of `unit`."""

    key: str
    name: dict[str, str]
    description: dict[str, str]
    exclusions: dict[str, str]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    components: tuple[str, ...]
    facts: FactKind
    unit: Unit
    period_rule: PeriodRule
    attribution: Attribution
    value_places: int
    reads_ratings: frozenset[str]

    @property
    def is_tallied(self) -> bool:
        """Whether it is kept up with every event, so that a scheme may weigh it and lists have it."""
        return {*self.numerator, *self.denominator} <= set(MEASURES)

    def is_of(self, kind: SubjectKind) -> bool:
        """Whether subjects of this kind have it at all; what has no case so far is another matter."""
        return kind == "organisation" or self.attribution != "organisation"

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.numerator, *self.denominator, *self.components)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`denominator` is None for a count; `value` is None without any case."""

    key: str
    numerator: int
    denominator: int | None
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """`content_hash` is of the text that it was read from."""

    definitions: tuple[Definition, ...]
    content_hash: bytes

    def get(self, key: str) -> Definition | None:
        return next((one for one in self.definitions if one.key == key), None)


def read_registry(text: str) -> Registry:
    """Raises BadIndicator."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadIndicator(f"not TOML: {error}") from None
    definitions = tuple(_read(key, table) for key, table in tables.items())
    return Registry(definitions=definitions, content_hash=hashlib.sha256(text.encode()).digest())


def compute_figure(definition: Definition, measures: Mapping[str, int]) -> Figure:
    """Exact, and rounded once, half up."""
    numerator = sum(measures.get(name, 0) for name in definition.numerator)
    if not definition.denominator:
        return Figure(key=definition.key, numerator=numerator, denominator=None, value=Decimal(numerator))
    denominator = sum(measures.get(name, 0) for name in definition.denominator)
    value = _half_up(Fraction(numerator, denominator), definition.value_places) if denominator else None
    return Figure(key=definition.key, numerator=numerator, denominator=denominator, value=value)


def show_value(definition: Definition, figure: Figure) -> str | None:
    """With all its places, as text: a float would change it."""
    return None if figure.value is None else f"{figure.value:.{definition.value_places}f}"


def _half_up(exact: Fraction, places: int) -> Decimal:
    units = (2 * exact.numerator * 10**places + exact.denominator) // (2 * exact.denominator)
    return Decimal((0, tuple(map(int, str(units))), -places))


def _read(key: str, table: object) -> Definition:
    if not isinstance(table, dict):
        raise BadIndicator(f"{key}: must be a table")
    if missing := _FIELDS - {"reads_ratings"} - table.keys():
        raise BadIndicator(f"{key}: lacks {', '.join(sorted(missing))}")
    if unknown := table.keys() - _FIELDS:
        raise BadIndicator(f"{key}: does not know {', '.join(sorted(unknown))}")
    numerator, denominator = _measures(key, table, "numerator"), _measures(key, table, "denominator")
    if not numerator:
        raise BadIndicator(f"{key}.numerator: at least one measure is needed")
    places = table["value_places"]
    if type(places) is not int or not 0 <= places <= 4:
        raise BadIndicator(f"{key}.value_places: must be a whole number from 0 to 4")
    return Definition(
        key=key,
        name=_bilingual(key, table, "name"),
        description=_bilingual(key, table, "description"),
        exclusions=_bilingual(key, table, "exclusions"),
        numerator=numerator,
        denominator=denominator,
        components=_measures(key, table, "components"),
        facts=_one_of(key, table, "facts", get_args(FactKind)),
        unit=_one_of(key, table, "unit", get_args(Unit)),
        period_rule=_one_of(key, table, "period_rule", get_args(PeriodRule)),
        attribution=_one_of(key, table, "attribution", get_args(Attribution)),
        value_places=places,
        reads_ratings=frozenset(table.get("reads_ratings", []))
        | {ANSWERS_BEHIND[name] for name in (*numerator, *denominator) if name in ANSWERS_BEHIND},
    )


def _measures(key: str, table: Mapping[str, Any], field: str) -> tuple[str, ...]:
    names = table[field]
    if not isinstance(names, list) or not set(map(str, names)) <= KNOWN:
        raise BadIndicator(f"{key}.{field}: must be a list of measures that are known")
    return tuple(names)


def _one_of(key: str, table: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> Any:  # noqa: ANN401 - a literal
    if table[field] not in allowed:
        raise BadIndicator(f"{key}.{field}: is not one of {', '.join(allowed)}")
    return table[field]


def _bilingual(key: str, table: Mapping[str, Any], field: str) -> dict[str, str]:
    texts = table[field]
    if not isinstance(texts, dict) or texts.keys() != {"zh", "en"} or not all(texts.values()):
        raise BadIndicator(f"{key}.{field}: needs a text in zh and in en")
    return {language: str(texts[language]) for language in ("zh", "en")}
