"""What a closed fair score would be, had what came late been known: by the yardstick of then, beside what stands."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment import metrics
from services.assessment.domain.periods import custom_period
from services.assessment.fair.explaining import Case
from services.assessment.fair.freezing import freeze, rename, thaw
from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.yardstick import Yardstick, measure, read_own, read_yardstick
from services.assessment.handlers.fair_closings import describe, label_of, read_window_settings, read_window_span
from services.assessment.handlers.fair_reading import read_dossiers, read_places, window_of
from services.assessment.handlers.publishing import seal
from services.assessment.storage import fair_closings as storage
from services.assessment.storage import fair_records
from services.assessment.storage.closed_periods import find_log_position
from services.assessment.storage.fair_closings import FairWindow, FrozenResult
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

EVENTS_A_PASS: Final = 2_000
MOST_CAUSES: Final = 50
STANDINGS: Final = frozenset({"band", "rank", "rank_best", "rank_worst", "award_zone", "reasons"})  # the others' affair
KINDS: Final = {"issues": "issue", "ratings": "rating", "contacts": "contact"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighing:
    """`last`: by cadre, the number of the last correction and the hash of its inputs."""

    window: FairWindow
    settings: FairSettings
    yardstick: Yardstick
    last: Mapping[UUID, tuple[int, bytes]]
    now: datetime


def correct_fair(pool: Pool, *, region_level: str, zone: ZoneInfo, now: datetime) -> int:
    """Look through what was told since, window by window, and return how many corrections that made.

    Ratings count here, too, since only the department reads it. What has happened since the closing is not known to
    it: an issue goes on living after a closing, and that corrects nothing.
    """
    with transaction(pool, reach=SYSTEM) as connection:
        windows = storage.list_windows_to_weigh(connection, find_log_position(connection))
    made = 0
    for days in windows:
        with transaction(pool, reach=SYSTEM) as connection:
            if not storage.try_lock_closing(connection):
                return made
            window = storage.find_window(connection, *days)
            if window is not None:
                made += _weigh(connection, window, region_level=region_level, zone=zone, now=now)
    metrics.corrections_recorded_total.inc(made)
    return made


def _weigh(connection: Connection, window: FairWindow, *, region_level: str, zone: ZoneInfo, now: datetime) -> int:
    position, cadre_ids = fair_records.list_holders_since(connection, window.weighed_position, limit=EVENTS_A_PASS)
    if position == window.weighed_position:
        return 0
    storage.set_weighed_position(connection, window, position)
    days = window.starts_on, window.ends_on
    frozen = {one.cadre_id: one for one in storage.list_frozen_of(connection, days, cadre_ids)}
    if not frozen:
        return 0
    weighing = _Weighing(
        window=window,
        settings=read_window_settings(window),
        yardstick=read_yardstick(orjson.loads(window.yardstick)),
        last=storage.list_last_corrections(connection, days, list(frozen)),
        now=now,
    )
    known = window_of(custom_period(*days), zone, as_of=window.as_of)
    places = read_places(connection, known, region_level, cadre_ids=list(frozen))
    rows = []
    for dossier in read_dossiers(connection, known, places):
        row = _correct(connection, frozen[UUID(dossier.cadre.cadre)], dossier, weighing)
        if row is not None:
            rows.append(row)
    for row in rows:
        storage.insert_correction(connection, row)
    return len(rows)


def _correct(connection: Connection, was: FrozenResult, dossier: Dossier, weighing: _Weighing) -> dict[str, Any] | None:
    """None where what is known now is what was known, or what the last correction said."""
    window = weighing.window
    days = window.starts_on, window.ends_on
    inputs = orjson.loads(was.inputs)
    present = _as_closed(connection, thaw(inputs), rename(dossier, label_of(days)))
    text, inputs_hash = seal(freeze(present, inputs["cleared"]))
    number, former_hash = weighing.last.get(was.cadre_id, (0, was.inputs_hash))
    if inputs_hash == former_hash:
        return None
    published = orjson.loads(was.document)
    own, set_aside = read_own(was.own), frozenset(published["explanation"]["left_out"].get("set_aside", ()))
    measured = measure(present, own, weighing.yardstick, read_window_span(window), weighing.settings, set_aside)
    case = Case(measured=measured, own=own, yardstick=weighing.yardstick, set_aside=set_aside)
    would_be = {name: told for name, told in describe(case, weighing.settings).items() if name not in STANDINGS}
    document, content_hash = seal(would_be)
    return {
        "starts_on": days[0],
        "ends_on": days[1],
        "cadre_id": was.cadre_id,
        "staff_number": was.staff_number,
        "organisation_id": was.organisation_id,
        "number": number + 1,
        "known_at": weighing.now,
        "cause": _cause(inputs, orjson.loads(text)),
        "score_was": published["score"],
        "score_would_be": would_be["score"],
        "changes": {
            name: str(Decimal(points) - Decimal(published["points"][name]))
            for name, points in would_be["points"].items()
            if points != published["points"][name]
        },
        "inputs": text,
        "inputs_hash": inputs_hash,
        "document": document,
        "content_hash": content_hash,
    }


def _as_closed(connection: Connection, closed: Dossier, present: Dossier) -> Dossier:
    """Where somebody stands, what was owed, and for how much of an issue somebody answers stay as they were closed:
    they go on changing. What was left out of assessment since is left out.
    """
    shares = {issue.issue: issue.share for issue in closed.issues}
    issues = [replace(issue, share=shares.get(issue.issue, issue.share)) for issue in present.issues]
    gone = shares.keys() - {issue.issue for issue in issues}
    if gone:
        excluded = fair_records.list_excluded(connection, [UUID(issue) for issue in sorted(gone)])
        left = {issue for issue in gone if UUID(issue) not in excluded}
        issues += [issue for issue in closed.issues if issue.issue in left]
        known = {rating.rating for rating in present.ratings}
        kept = [one for one in closed.ratings if one.subject in left and one.rating not in known]
        present.ratings.extend(kept)
    return Dossier(
        cadre=closed.cadre,
        issues=issues,
        ratings=present.ratings,
        contacts=present.contacts,
        handovers=closed.handovers,
    )


def _cause(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Which records are known otherwise than they were."""
    differing: dict[str, list[str]] = {}
    for kind, key in KINDS.items():
        was, now = ({one[key]: one for one in data[kind]} for data in (before, after))
        found = sorted(one for one in was.keys() | now.keys() if was.get(one) != now.get(one))
        if found:
            differing[kind] = found
    return {
        "count": sum(map(len, differing.values())),
        "records": {kind: found[:MOST_CAUSES] for kind, found in differing.items()},
    }
