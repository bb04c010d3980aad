"""The published settings: read from TOML, checked, and known by their hash. Fractions are written as text, exactly."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NewType, TypeVar, get_type_hints

from services.assessment.fair.records import MICRO
from shared.errors import Rejected

INDICATORS: Final = ("timeliness", "reply", "resolution", "speed", "satisfaction", "outreach")
HEAVIEST: Final = MICRO // 2
LONGEST: Final = 100_000
LARGEST: Final = 1_000_000


class BadFairSettings(Rejected):
    code = "bad-fair-settings"


Micro = NewType("Micro", int)  # millionths
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    timeliness: Micro
    reply: Micro
    resolution: Micro
    speed: Micro
    satisfaction: Micro
    outreach: Micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    solved_late: Micro
    contradicted: Micro
    speed_floor: Micro
    instant_seconds: int
    duplicate_hours: int
    explained_margin: Micro
    matter_hours: int
    left_out_margin: Micro = Micro(0)  # 0: what is left out is not looked at
    disowned: Micro = Micro(0)  # 0: counts as denied
    usual_from_none: int = 0
    told_sooner: Micro = Micro(0)  # 0: what is told afterwards is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    callback: Micro
    app: Micro
    on_site: Micro
    hour_limit: Micro
    own_share: Micro
    rater_prior: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outreach:
    unconfirmed: Micro
    short: Micro
    short_minutes: int
    late: Micro
    late_days: int
    weekly_floor: int
    weekly_multiple: int
    lowest: Micro
    highest: Micro
    disowned: Micro = Micro(1_000_000)  # as any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    cell_prior: int
    load_lowest: Micro
    circumstance: Micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    mean: int
    deviation: int
    limit: Micro
    interval: Micro
    model_error: Micro
    clocks_vouch: int = 1  # 0: timeliness and speed are no witnesses for one another


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRules:
    """Odds are hundredths of a deviation, `rarest` are times in 100,000 groups, everything else per cent."""

    padding_share: int
    padding_odds: int
    field_missing: int
    burst_share: int
    burst_odds: int
    burst_unconfirmed: int
    stuffing_high: int
    apart_odds: int
    clock_share: int
    clock_odds: int
    split_share: int
    split_quick: int
    handing_share: int
    handing_odds: int
    handing_gap: int
    circle_rated: int
    circle_alike: int
    paired_odds: int
    empty_share: int
    rarest_kind: int = 0
    rarest_again: int = 0
    rarest_soon: int = 0
    apart_excess: int = 0
    answer_odds: int = 0
    admitted_odds: int = 0
    best_odds: int = 0
    harder_odds: int = 0
    late_share: int = 0
    clock_most: int = 100
    clock_apart: int = 0
    clock_office: int = 0
    scatter_odds: int = 0
    scatter_kept: int = 0
    burst_missing: int = 100
    labels_share: int = 0
    labels_odds: int = 0
    complexity_odds: int = 0
    labels_harder: int = 0
    disowned_least: int = 0
    labels_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FairSettings:
    name: str
    version: int
    places: int
    weights: Weights
    values: Values
    ratings: Ratings
    outreach: Outreach
    adjustment: Adjustment
    standing: Standing
    signals: SignalRules
    content_hash: str

    def weight_of(self, indicator: str) -> int:
        return int(getattr(self.weights, indicator))


def read_settings(text: str) -> FairSettings:
    """Raises BadFairSettings, with the place of the fault."""
    if len(text) > LONGEST:
        raise BadFairSettings(f"settings: longer than {LONGEST} characters")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadFairSettings(f"settings: not TOML: {error}") from None
    return read_settings_of(document)


def read_settings_of(document: Mapping[str, Any]) -> FairSettings:
    """The same of tables that were read already. Raises BadFairSettings."""
    content_hash = hashlib.sha256(_canonical(document).encode()).hexdigest()
    settings = _read(FairSettings, "settings", {**document, "content_hash": content_hash})
    _check(settings)
    return settings


def _canonical(table: Mapping[str, Any], place: str = "") -> str:
    """The same for the same settings, whatever their order, comments and spaces."""
    return "".join(
        _canonical(value, f"{place}{key}.") if isinstance(value, Mapping) else f"{place}{key}={value!r}\n"
        for key, value in sorted(table.items())
    )


def _read(kind: type[Kind], place: str, table: object) -> Kind:
    if not isinstance(table, Mapping):
        raise BadFairSettings(f"{place}: must be a table")
    expected = get_type_hints(kind)
    optional = {one.name for one in fields(kind) if one.default is not MISSING}  # type: ignore[arg-type]
    if missing := expected.keys() - optional - table.keys():
        raise BadFairSettings(f"{place}: lacks {', '.join(sorted(missing))}")
    if unknown := table.keys() - expected.keys():
        raise BadFairSettings(f"{place}: does not know {', '.join(sorted(unknown))}")
    return kind(
        **{name: _read_value(form, f"{place}.{name}", table[name]) for name, form in expected.items() if name in table}
    )


def _read_value(form: type[Any], place: str, value: object) -> object:
    if form is Micro:
        return _read_micro(place, value)
    if form is int:
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise BadFairSettings(f"{place}: must be a whole number from 0 to {LARGEST}")
        return value
    if form is str:
        if not isinstance(value, str) or not 1 <= len(value) <= 64:
            raise BadFairSettings(f"{place}: must be a text of 1 to 64 characters")
        return value
    return _read(form, place, value)


def _read_micro(place: str, value: object) -> int:
    """As text, since a TOML number with a fraction is a float."""
    try:
        micro = Decimal(value) * MICRO if isinstance(value, str) and len(value) <= 20 else None
    except InvalidOperation:
        micro = None
    if micro is None or not micro.is_finite() or micro != int(micro) or abs(micro) > 100 * MICRO:
        raise BadFairSettings(f'{place}: must be a text such as "0.25", from -100 to 100, with at most 6 places')
    return int(micro)


def _check(settings: FairSettings) -> None:
    weights = [settings.weight_of(indicator) for indicator in INDICATORS]
    if sum(weights) != MICRO or min(weights) < 0 or max(weights) > HEAVIEST:
        raise BadFairSettings("settings.weights: must be from 0 to 0.5 and sum to 1")
    if not 1 <= settings.places <= 4 or settings.version < 1:
        raise BadFairSettings("settings: places are 1 to 4, versions begin at 1")
