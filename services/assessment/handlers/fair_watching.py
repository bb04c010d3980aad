"""Watching periods that were closed before there was a watch over the fair scheme: out of what was frozen of them."""

from typing import Final

import orjson

from services.assessment.fair.explaining import Case
from services.assessment.fair.freezing import thaw
from services.assessment.fair.records import Span
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.watching import watch_case
from services.assessment.fair.yardstick import Yardstick, measure, read_own, read_yardstick
from services.assessment.handlers.fair_closings import Days, read_window_settings, read_window_span
from services.assessment.storage import fair_closings, fair_watch
from services.assessment.storage.fair_closings import FrozenResult
from shared.database import Pool, transaction
from shared.reach import SYSTEM

PAGE: Final = 200


def watch_closed(pool: Pool) -> list[Days]:
    """Fill in what is missing, days by days in transactions of their own; return them. A repeat finds nothing to do.

    While a period is being closed this does nothing.
    """
    done = []
    while (days := _watch_next(pool)) is not None:
        done.append(days)
    return done


def _watch_next(pool: Pool) -> Days | None:
    with transaction(pool, reach=SYSTEM) as connection:
        if not fair_closings.try_lock_closing(connection):
            return None
        days = fair_watch.find_unwatched(connection)
        window = None if days is None else fair_closings.find_window(connection, *days)
        if days is None or window is None:
            return None
        yardstick = read_yardstick(orjson.loads(window.yardstick))
        settings, span = read_window_settings(window), read_window_span(window)
        after = None
        while page := fair_closings.list_frozen(connection, days, after=after, limit=PAGE):
            cases = [(one.cadre_id, _measure(one, yardstick, span, settings)) for one in page]
            fair_watch.insert_figures(connection, days, [(cadre_id, watch_case(case)) for cadre_id, case in cases])
            after = page[-1].cadre_id
    return days


def _measure(one: FrozenResult, yardstick: Yardstick, span: Span, settings: FairSettings) -> Case:
    """As it was when it was closed, to the digit."""
    own = read_own(one.own)
    waiting = frozenset(orjson.loads(one.document)["explanation"]["left_out"].get("set_aside", ()))
    measured = measure(thaw(orjson.loads(one.inputs)), own, yardstick, span, settings, waiting)
    return Case(measured=measured, own=own, yardstick=yardstick, set_aside=waiting)
