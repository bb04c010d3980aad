"""The filters of the queue of signals, which are those of its door: how the page asks for them, and keeps them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from services.assessment.fair.signals.odds import Check
from services.assessment.handlers.signals import SignalQuery, SignalState
from services.assessment.storage.signals import SignalCount
from services.assessment.web.list_filters import Field, UnknownFlag, tidy
from shared.edge import Day
from shared.errors import Rejected

OF_SIGNALS: Final = ("organisation", "staff_number", "found_from", "found_until", "check")
ASKED: Final = ("state", *OF_SIGNALS)
DAYS: Final = ("found_from", "found_until")
STATES: Final[tuple[SignalState, ...]] = get_args(SignalState)
_DAY: Final[TypeAdapter[Any]] = TypeAdapter(Day | None)


class UnknownState(Rejected):
    code = "unknown-state"


class BadDay(Rejected):
    code = "bad-day"


def read_kept(text: str) -> dict[str, str]:
    """What was asked for when a form was made, as the form gives it back."""
    try:
        kept = dict(parse_qsl(text, max_num_fields=len(ASKED)))
    except ValueError:
        kept = {}
    return tidy(kept, ASKED)


def read_query(asked: Mapping[str, str]) -> SignalQuery:
    """Raises UnknownState, UnknownFlag, BadDay."""
    if asked["state"] and asked["state"] not in STATES:
        raise UnknownState("there is no such state")
    if asked["check"] and asked["check"] not in get_args(Check):
        raise UnknownFlag("there is no such check")
    try:
        found_from, found_until = (_DAY.validate_python(asked[name] or None) for name in DAYS)
    except ValidationError:
        raise BadDay("a day is written 2025-03-05") from None
    return SignalQuery(
        state=asked["state"] or "open",
        check=cast("Check | None", asked["check"] or None),
        organisation_code=asked["organisation"] or None,
        staff_number=asked["staff_number"] or None,
        found_from=found_from,
        found_until=found_until,
    )


def list_signal_fields(
    asked: Mapping[str, str], counts: Sequence[SignalCount], texts: Mapping[str, Any]
) -> list[Field]:
    """With how many there are of each check."""
    known = {one.check_name: one.signal_count for one in counts}
    checks = {
        code: texts["check_with_count"].format(check=words, count=known[code]) if code in known else words
        for code, words in texts["checks"].items()
    }
    return [
        Field(name=name, value=asked[name], choices=checks if name == "check" else None, is_day=name in DAYS)
        for name in OF_SIGNALS
    ]
