"""Rules as documents: how files, requests and the database write them, and what is wrong with one."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, get_args

from services.intake.domain.clocks.rules import (
    CLOCKS,
    Clock,
    ClockRule,
    Ending,
    Limit,
    Occasion,
    Restart,
    Scope,
    Start,
    Unit,
    Urgency,
)
from services.intake.domain.commands.issues import Channel, IssueType
from services.intake.domain.times import EARLIEST, LATEST
from shared.errors import Rejected

LARGEST_COUNT: Final = 9_999
MOST_ALARMS: Final = 10
_LIMIT = re.compile(r"([1-9][0-9]{0,3}) ([a-z_]{1,20})", re.ASCII)
_DELAY = re.compile(r"(0|[1-9][0-9]{0,3}) (hours|working_days)", re.ASCII)
RESTARTS: Final[Mapping[Clock, frozenset[Restart]]] = {
    "sign_in": frozenset({"transferred", "redo_ordered", "reopened"}),
    "close": frozenset({"redo_ordered", "reopened"}),
    "reply": frozenset({"redo_ordered", "reopened"}),
    "dispatch_objection": frozenset({"transferred"}),
}
STARTS: Final[Mapping[Clock, Start]] = {"sign_in": "assigned", "dispatch_objection": "assigned"}


class BadRule(Rejected):
    """The detail names the key and what may stand there."""

    code = "bad-clock-rule"


def read_rule(code: str, version: int, document: Mapping[str, Any]) -> ClockRule:
    """Raises BadRule. What a document leaves out is as its clock usually has it."""
    rest = dict(document)
    clock = _take(rest, "clock", _one_of(CLOCKS))
    if clock is None:
        raise BadRule("clock: is missing")
    limit = _take(rest, "limit", _limit)
    if limit is None:
        raise BadRule("limit: is missing")
    restarts = _take(rest, "restarts_on", _some_of(get_args(Restart)))
    budget = _take(rest, "pause_budget", _budget)
    rule = ClockRule(
        code=code,
        version=version,
        clock=clock,
        limit=limit,
        scope=_scope(rest),
        starts_on=_take(rest, "starts_on", _one_of(get_args(Start))) or STARTS.get(clock, "received"),
        counts_first_day=bool(_take(rest, "counts_first_day", _flag)),
        ends=_take(rest, "ends", _one_of(get_args(Ending))) or "end_of_day",
        restarts_on=RESTARTS.get(clock, frozenset()) if restarts is None else restarts,
        pause_reasons=_take(rest, "pause_reasons", _codes) or frozenset(),
        pause_budget=None if budget == "unlimited" else budget or 0,
        extension_most=_take(rest, "extension_most", _count) or 0,
        extension_counts_from=_take(rest, "extension_counts_from", _one_of(("decision", "request"))) or "decision",
        warnings=_take(rest, "warnings", _delays) or (),
        escalations=_take(rest, "escalations", _delays) or (),
        source=_take(rest, "source", _text) or "",
    )
    if rest:
        raise BadRule(f"{str(min(rest))[:40]}: there is no such key")
    return rule


def _scope(rest: dict[str, Any]) -> Scope:
    valid_from = _take(rest, "valid_from", _day)
    if valid_from is None:
        raise BadRule("valid_from: is missing")
    scope = Scope(
        organisation_code=_take(rest, "organisation_code", _code),
        issue_types=_take(rest, "issue_types", _some_of(get_args(IssueType), at_least=1)),
        categories=_take(rest, "categories", _codes),
        channels=_take(rest, "channels", _some_of(get_args(Channel), at_least=1)),
        urgencies=_take(rest, "urgencies", _some_of(get_args(Urgency), at_least=1)),
        occasions=_take(rest, "occasions", _some_of(get_args(Occasion), at_least=1)),
        valid_from=valid_from,
        valid_until=_take(rest, "valid_until", _day),
    )
    if scope.valid_until is not None and scope.valid_until < valid_from:
        raise BadRule("valid_until: lies before valid_from")
    return scope


def _take(rest: dict[str, Any], key: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - whatever `read` makes
    value = rest.pop(key, None)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        raise BadRule(f"{key}: {error}") from None


def _one_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:  # noqa: ANN401 - from a document
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"is one of {', '.join(names)}")
        return value

    return read


def _some_of(names: tuple[str, ...], *, at_least: int = 0) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:  # noqa: ANN401 - from a document
        if not isinstance(value, list) or len(value) < at_least or not all(one in names for one in map(str, value)):
            raise ValueError(f"is a list of {', '.join(names)}")
        return frozenset(value)

    return read


def _codes(value: Any) -> frozenset[str]:  # noqa: ANN401 - from a document
    if not isinstance(value, list) or not 1 <= len(value) <= 100:
        raise ValueError("is a list of 1 to 100 codes")
    return frozenset(_code(one) for one in value)


def _code(value: Any) -> str:  # noqa: ANN401 - from a document
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable():
        raise ValueError("is a code of 1 to 64 characters")
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - from a document
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError("is a text of 1 to 200 characters")
    return value


def _flag(value: Any) -> bool:  # noqa: ANN401 - from a document
    if not isinstance(value, bool):
        raise ValueError("is true or false")  # noqa: TRY004 - every fault of a document is a ValueError
    return value


def _count(value: Any) -> int:  # noqa: ANN401 - from a document
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
        raise ValueError(f"is a number from 0 to {LARGEST_COUNT}")
    return value


def _budget(value: Any) -> int | str:  # noqa: ANN401 - from a document
    return "unlimited" if value == "unlimited" else _count(value)


def _limit(value: Any) -> Limit:  # noqa: ANN401 - from a document
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in get_args(Unit):
        raise ValueError(f"is such as '5 working_days', in one of {', '.join(get_args(Unit))}")
    return Limit(count=int(match[1]), unit=match[2])  # type: ignore[arg-type] # it is one of them


def _delays(value: Any) -> tuple[Limit, ...]:  # noqa: ANN401 - from a document
    matches = [_DELAY.fullmatch(one) for one in value if isinstance(one, str)] if isinstance(value, list) else [None]
    if not isinstance(value, list) or len(value) > MOST_ALARMS or len(matches) != len(value) or None in matches:
        raise ValueError(f"is a list of up to {MOST_ALARMS} times such as '48 hours' or '1 working_days'")
    return tuple(Limit(count=int(match[1]), unit=match[2]) for match in matches if match)  # type: ignore[arg-type] # same


def _day(value: Any) -> date:  # noqa: ANN401 - from a document
    day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else value
    if not isinstance(day, date) or isinstance(day, datetime) or not EARLIEST.date() <= day < LATEST.date():
        raise ValueError("is a day such as 2026-03-01")
    return day
