"""What a rule says of one clock: how long, counted how, what holds it up, who is told, and which issues it is for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, get_args

Clock = Literal["dispatch", "sign_in", "first_contact", "close", "reply", "dispatch_objection"]
Unit = Literal["minutes", "hours", "working_hours", "natural_days", "working_days"]
Ending = Literal["end_of_day", "end_of_working_day", "same_time"]
Start = Literal["received", "assigned", "signed"]
Restart = Literal["transferred", "redo_ordered", "reopened"]
Occasion = Literal["first", "transferred", "redo_ordered", "reopened"]
Urgency = Literal["normal", "urgent", "critical"]

CLOCKS: Final[tuple[Clock, ...]] = get_args(Clock)
DAY_UNITS: Final = frozenset({"natural_days", "working_days"})
UNLIMITED: Final = None
# Whoever may object to a dispatch within a time owes nothing when it is over: nobody is warned of it.
WINDOWS: Final = frozenset({"dispatch_objection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    count: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which issues a rule is for. None: all. A place is an organisation with all below it."""

    organisation_code: str | None = None
    issue_types: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    urgencies: frozenset[str] | None = None
    occasions: frozenset[str] | None = None
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule:
    """One version of a rule, which never changes. Budget and extensions are in the limit's unit."""

    code: str
    version: int
    clock: Clock
    limit: Limit
    scope: Scope
    starts_on: Start = "received"
    counts_first_day: bool = False
    ends: Ending = "end_of_day"
    restarts_on: frozenset[Restart] = frozenset()
    pause_reasons: frozenset[str] = frozenset()
    pause_budget: int | None = 0
    extension_most: int = 0
    extension_counts_from: Literal["decision", "request"] = "decision"
    warnings: tuple[Limit, ...] = ()  # before it is due, the earliest first
    escalations: tuple[Limit, ...] = ()  # after it was due: each one step further up
    source: str = field(default="", compare=False)

    @property
    def counts_days(self) -> bool:
        return self.limit.unit in DAY_UNITS

    @property
    def name(self) -> str:
        return f"{self.code}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """What decides which rule a turn of a clock follows.

    `line` are organisation codes, from the unit's own upwards; `categories` the issue's own code and those above it.
    """

    clock: Clock
    occasion: Occasion
    on: date
    issue_type: str
    channel: str
    urgency: str
    categories: tuple[str, ...]
    line: tuple[str, ...] = ()


def choose(rules: Iterable[ClockRule], occurrence: Occurrence) -> ClockRule | None:
    """The rule nearest to the case: first by place, then by category, type, channel, urgency and occasion, then newest.

    Between rules that are equally near the code decides, so that the answer never hangs on their order.
    """
    fitting = [(_distance(rule, occurrence), rule) for rule in rules if _fits(rule, occurrence)]
    return min(fitting, key=lambda pair: (pair[0], pair[1].code, -pair[1].version))[1] if fitting else None


def _fits(rule: ClockRule, occurrence: Occurrence) -> bool:
    scope = rule.scope
    return (
        rule.clock == occurrence.clock
        and scope.valid_from <= occurrence.on
        and (scope.valid_until is None or occurrence.on <= scope.valid_until)
        and (scope.organisation_code is None or scope.organisation_code in occurrence.line)
        and _admits(scope.issue_types, (occurrence.issue_type,))
        and _admits(scope.categories, occurrence.categories)
        and _admits(scope.channels, (occurrence.channel,))
        and _admits(scope.urgencies, (occurrence.urgency,))
        and _admits(scope.occasions, (occurrence.occasion,))
    )


def _admits(wanted: frozenset[str] | None, given: Collection[str]) -> bool:
    return wanted is None or not wanted.isdisjoint(given)


def _distance(rule: ClockRule, occurrence: Occurrence) -> tuple[int, ...]:
    scope = rule.scope
    far = len(occurrence.line)
    place = far if scope.organisation_code is None else occurrence.line.index(scope.organisation_code)
    categories = scope.categories
    steps = [step for step, code in enumerate(occurrence.categories) if categories is not None and code in categories]
    return (
        place,
        min(steps, default=len(occurrence.categories)),
        scope.issue_types is None,
        scope.channels is None,
        scope.urgencies is None,
        scope.occasions is None,
        -scope.valid_from.toordinal(),
    )


def newest_versions(rules: Iterable[ClockRule]) -> list[ClockRule]:
    """Of each rule the version that succeeded all others."""
    newest: dict[str, ClockRule] = {}
    for rule in rules:
        known = newest.get(rule.code)
        if known is None or known.version < rule.version:
            newest[rule.code] = rule
    return list(newest.values())


Rules = Mapping[str, ClockRule]
