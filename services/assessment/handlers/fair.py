"""Scoring by the fair scheme as things stand: everybody at a look, and between looks those of whom something is new."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment.domain.scores import Placement
from services.assessment.fair.engine import Judged, judge_counted
from services.assessment.fair.explaining import Case, explain_case
from services.assessment.fair.marks import record_of
from services.assessment.fair.results import Result, rank_among
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.fair.watching import watch_case
from services.assessment.fair.yardstick import (
    Own,
    measure,
    read_own,
    read_yardstick,
    write_own,
    write_yardstick,
    yardstick_of,
)
from services.assessment.handlers.fair_crew import Description, Reading, gather_crew
from services.assessment.handlers.fair_reading import (
    Places,
    list_shards,
    read_dossiers,
    read_places,
    span_of,
    window_until,
)
from services.assessment.handlers.fair_shelf import DatabaseShelf
from services.assessment.storage import fair_records, fair_scores, signals
from services.assessment.storage.closed_periods import find_log_position
from services.assessment.storage.fair_records import Window
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

SETTINGS_FILE: Final = Path(__file__).parent.parent / "fair" / "fair-8.toml"
SIGNAL_NAMESPACE: Final = UUID("6c69616e-7869-6e2d-8073-69676e616c31")
EVENTS_A_PASS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    cadres: int
    signals: int
    new_signals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """`is_framed`: there is a yardstick of these days and settings. Without one only a look at everybody helps."""

    cadres: int
    is_framed: bool
    more: bool


def read_settings_text() -> str:
    return SETTINGS_FILE.read_text("utf-8")


def read_fair_settings() -> FairSettings:
    return read_settings(read_settings_text())


def look(
    pool: Pool, settings: FairSettings, *, region_level: str, zone: ZoneInfo, now: datetime, workers: int = 1
) -> Looked:
    """Score the last four quarters of everybody. The same facts give the same scores. Decided signals stay decided."""
    window = window_until(now, zone)
    span = span_of(window, zone)
    with gather_crew(pool, workers) as crew, transaction(pool, reach=SYSTEM) as connection:
        position = find_log_position(connection)
        places = read_places(connection, window, region_level)
        cleared = frozenset(signals.list_cleared(connection, starts_on=window.starts_on))
        shelf = DatabaseShelf(connection)
        reading = Reading(window=window, span=span, settings=settings)
        counted = crew.count(connection, reading, list_shards(places, places.targets), shelf)
        judged = judge_counted(counted, shelf, span, settings, cleared)
        yardstick = yardstick_of(judged.scored)
        found = signal_rows(judged, places, window, now)
        signals.lock_looking(connection)
        fair_scores.lock_following(connection)
        description = Description(
            yardstick=yardstick, write=_write_rows, beside=lambda cadres: _Beside(places.list(cadres), window, now)
        )
        for rows in crew.describe(judged, shelf, description):
            fair_scores.put_fair_scores(connection, rows)
        fair_scores.remove_fair_scores(connection, but=list(places.targets))
        fair_scores.put_frame(
            connection,
            {
                "starts_on": window.starts_on,
                "ends_on": window.ends_on,
                "scheme_hash": bytes.fromhex(settings.content_hash),
                "yardstick": orjson.dumps(write_yardstick(yardstick)).decode(),
                "set_aside": sorted(judged.set_aside),
                "position": position,
                "computed_at": now,
            },
        )
        new = signals.put_signals(connection, found)
        signals.lapse_signals(connection, [row["signal_id"] for row in found], starts_on=window.starts_on)
    return Looked(cadres=len(judged.results), signals=len(found), new_signals=new)


def follow(pool: Pool, settings: FairSettings, *, region_level: str, zone: ZoneInfo, now: datetime) -> Followed:
    """Measure those anew of whom events came since, by the yardstick of the last look.

    One moves nobody else: that is for the next look. While another follows or looks this one does nothing.
    """
    window = window_until(now, zone)
    with transaction(pool, reach=SYSTEM) as connection:
        if not fair_scores.try_lock_following(connection):
            return Followed(cadres=0, is_framed=True, more=False)
        frame = fair_scores.find_frame(connection)
        is_framed = frame is not None and (frame.starts_on, frame.ends_on, frame.scheme_hash.hex()) == (
            window.starts_on,
            window.ends_on,
            settings.content_hash,
        )
        if frame is None or not is_framed:
            return Followed(cadres=0, is_framed=False, more=False)
        position, cadre_ids = fair_records.list_holders_since(connection, frame.position, limit=EVENTS_A_PASS)
        if position == frame.position:
            return Followed(cadres=0, is_framed=True, more=False)
        places = read_places(connection, window, region_level, cadre_ids=cadre_ids)
        own = fair_scores.list_own(connection, list(places.targets))
        yardstick = read_yardstick(orjson.loads(frame.yardstick))
        set_aside = frozenset(frame.set_aside)
        span = span_of(window, zone)
        cases = []
        for dossier in read_dossiers(connection, window, places):
            known = own.get(UUID(dossier.cadre.cadre))
            part = Own() if known is None else read_own(known["own"])
            measured = measure(dossier, part, yardstick, span, settings, set_aside)
            reasons = () if known is None else tuple(known["flags"])
            result = replace(measured.result, reasons=reasons)
            case = Case(measured=replace(measured, result=result), own=part, yardstick=yardstick, set_aside=set_aside)
            cases.append(case)
        placed = _place_among_peers(connection, cases)
        beside = _Beside(places.list([case.cadre for case in placed]), window, now)
        fair_scores.put_fair_scores(connection, _write_rows(placed, settings, beside))
        fair_scores.set_frame_position(connection, position)
    return Followed(cadres=len(cases), is_framed=True, more=True)


def _place_among_peers(connection: Connection, cases: Sequence[Case]) -> list[Case]:
    """Ranks, bands and zones among the scores that the others have now."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.measured.result.peer_group, []).append(case)
    placed = []
    for group, own in sorted(groups.items()):
        changed = {UUID(case.cadre): case.measured.result.score for case in own}
        others = fair_scores.list_scores_of_peers(connection, group or None)
        scores = [score for cadre_id, score in others if cadre_id not in changed]
        scores += changed.values()
        standings = rank_among([case.measured.result for case in own], scores)
        placed += [replace(case, measured=replace(case.measured, result=standings[case.cadre])) for case in own]
    return placed


@dataclass(frozen=True, slots=True)
class _Beside:
    """What of some cadres is written beside their cases."""

    placements: Mapping[str, Placement]
    window: Window
    now: datetime


def _write_rows(cases: Sequence[Case], settings: FairSettings, beside: _Beside) -> bytes:
    """Whose number nobody knows yet is left out: the next look has it."""
    return orjson.dumps(
        [
            _row(case, placement, settings, beside)
            for case in cases
            if (placement := beside.placements[case.cadre]).subject_code is not None
        ]
    )


def _row(case: Case, placement: Placement, settings: FairSettings, beside: _Beside) -> dict[str, Any]:
    result = case.measured.result
    explanation = replace(explain_case(case, settings, audience="department"), cadre=placement.subject_code or "")
    return {
        "cadre_id": result.cadre,
        "staff_number": placement.subject_code,
        "organisation_id": placement.organisation_id,
        "peer_group": placement.peer_group,
        "starts_on": beside.window.starts_on,
        "ends_on": beside.window.ends_on,
        **{name: str(getattr(result, name)) for name in ("score", "lower", "upper", "reliability")},
        **{name: getattr(result, name) for name in ("band", "rank_best", "rank_worst", "award_zone")},
        "explanation": orjson.Fragment(orjson.dumps(explanation, default=str)),
        "own": write_own(case.own),
        "points": show_points(result),
        "flags": list(result.reasons),
        "figures": watch_case(case),
        "scheme_name": settings.name,
        "scheme_version": settings.version,
        "content_hash": settings.content_hash,
        "computed_at": beside.now,
    }


def show_points(result: Result) -> dict[str, str]:
    return {"base": str(result.base), **{name: str(points) for name, points in result.points.items()}}


def signal_rows(judged: Judged, places: Places, window: Window, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for signal in judged.signals:
        placement = places.placements[UUID(signal.cadre)]
        if placement.subject_code is None:
            continue
        label = f"{signal.cadre}/{signal.check}/{window.starts_on.isoformat()}"
        rows.append(
            {
                "signal_id": uuid.uuid5(SIGNAL_NAMESPACE, label),
                "cadre_id": signal.cadre,
                "staff_number": placement.subject_code,
                "organisation_id": placement.organisation_id,
                "check_name": signal.check,
                "starts_on": window.starts_on,
                "ends_on": window.ends_on,
                "odds": signal.odds,
                "evidence": dict(signal.evidence),
                "record_ids": sorted(set(map(record_of, signal.records)) | set(signal.examples)),
                "found_at": now,
            }
        )
    return rows
