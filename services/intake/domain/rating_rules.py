"""Under which rules ratings are taken: thresholds that set one aside, words that accuse, how long one may amend."""

import tomllib
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE = ZoneInfo("Asia/Shanghai")
FOLLOWED_UP = frozenset({"no_such_matter", "did_not_ask", "unsolved"})


class BadRules(ValueError):
    """The file of rules does not read; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Thresholds. What lies beyond one is looked at by a person and is no finding by itself."""

    phone_most: int
    phone_days: int
    network_an_hour: int
    device_an_hour: int
    fewest_seconds: int
    working_hours: tuple[int, int]
    share_z_score: float
    share_ratings: int
    share_cadres: int
    share_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """After which findings everybody is called whose matter the same cadre closed in so many days."""

    after: tuple[str, ...]
    vain_numbers: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRules:
    """A file of an older release says nothing of following up, nor of what nobody else attests to: neither is done."""

    name: str
    version: int
    signals: Signals
    accusing_words: tuple[str, ...]
    most_attempts: int
    sample_share: float
    lowest_level: int
    self_attested_share: float | None = None
    follow_up: FollowUp | None = None
    amend_for: timedelta = timedelta(hours=24)
    counter_within: timedelta = timedelta(hours=12)
    invite_after: timedelta = timedelta(days=3)

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"


def read_rules(text: str, **settings: timedelta) -> RatingRules:
    """Raises BadRules: a threshold that is missing, unknown or absurd is found at the start and not at a rating."""
    try:
        document = tomllib.loads(text)
        given = {**document["signals"], "working_hours": tuple(document["signals"]["working_hours"])}
        if given.keys() != {field.name for field in fields(Signals)}:
            raise BadRules("[signals] must name each threshold once")
        rules = RatingRules(
            name=document["name"],
            version=document["version"],
            signals=Signals(**given),
            accusing_words=tuple(document["comment"]["accusing_words"]),
            most_attempts=document["callback"]["most_attempts"],
            sample_share=document["sample"]["share"],
            lowest_level=document["sample"]["lowest_level"],
            self_attested_share=document["sample"].get("self_attested_share"),
            follow_up=_read_follow_up(document["follow_up"]) if "follow_up" in document else None,
            **settings,
        )
        _check(rules)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadRules(f"the rules do not read: {error}") from None
    return rules


def _read_follow_up(table: dict[str, Any]) -> FollowUp:
    if table.keys() != {field.name for field in fields(FollowUp)}:
        raise BadRules("[follow_up] names after, vain_numbers and days")
    return FollowUp(**{**table, "after": tuple(table["after"])})


def _check_follow_up(rules: FollowUp | None) -> None:
    if rules is None:
        return
    if not set(rules.after) <= FOLLOWED_UP:
        raise BadRules(f"what is followed up is one of {', '.join(sorted(FOLLOWED_UP))}")
    numbers = (rules.vain_numbers, rules.days)
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise BadRules("vain_numbers and days are whole numbers")
    if not 0 <= rules.vain_numbers <= 1000 or not 1 <= rules.days <= 1000:
        raise BadRules("vain_numbers is 0 to 1000, days 1 to 1000")


def _check(rules: RatingRules) -> None:
    signals = rules.signals
    numbers: Mapping[str, Any] = {
        field.name: getattr(signals, field.name) for field in fields(Signals) if field.name != "working_hours"
    }
    wrong = [name for name, value in numbers.items() if isinstance(value, bool) or not 0 < value <= 1_000_000]
    if wrong:
        raise BadRules(f"thresholds out of range: {', '.join(wrong)}")
    if not 0 <= signals.working_hours[0] < signals.working_hours[1] <= 24:
        raise BadRules("working_hours are two hours of the day")
    if not all(word.strip() for word in rules.accusing_words):
        raise BadRules("accusing_words are words")
    if not 0.01 <= rules.sample_share <= 1 or not 1 <= rules.lowest_level <= 4 or not 1 <= rules.most_attempts <= 20:
        raise BadRules("a sample is 1 % at least; levels are 1 to 5; attempts 1 to 20")
    if rules.self_attested_share is not None and not 0.01 <= rules.self_attested_share <= 1:
        raise BadRules("self_attested_share is 1 % at least")
    _check_follow_up(rules.follow_up)
    if rules.version < 1 or not rules.name.isidentifier():
        raise BadRules("rules have a name and a version")


def is_working_time(at: datetime, hours: tuple[int, int]) -> bool:
    there = at.astimezone(ZONE)
    return there.weekday() < 5 and hours[0] <= there.hour < hours[1]
