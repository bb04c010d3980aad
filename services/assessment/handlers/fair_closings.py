"""Closing by the fair scheme: inputs and results of everybody frozen under one hash, and told where no place has rules.

The department reads the scores whole. What publications tell of them stands on no citizen's answer that was not
released: docs/confidentiality.md.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment.domain.periods import Period
from services.assessment.domain.releases import QUESTIONS
from services.assessment.domain.scores import Placement
from services.assessment.fair.engine import judge_counted
from services.assessment.fair.explaining import FROM_CITIZENS, Case, explain_case
from services.assessment.fair.freezing import freeze, read_span, thaw, write_span
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Span
from services.assessment.fair.results import Result, coarsen
from services.assessment.fair.settings import INDICATORS, FairSettings, read_settings_of
from services.assessment.fair.telling import NAMES, tell_cadre
from services.assessment.fair.watching import watch_case
from services.assessment.fair.yardstick import (
    Yardstick,
    measure,
    read_own,
    read_yardstick,
    write_own,
    write_yardstick,
    yardstick_of,
)
from services.assessment.handlers.fair import show_points
from services.assessment.handlers.fair_crew import Crew, Description, Reading, gather_crew
from services.assessment.handlers.fair_reading import Places, list_shards, read_places, span_of, window_of
from services.assessment.handlers.fair_shelf import DatabaseShelf
from services.assessment.handlers.publishing import seal
from services.assessment.storage import fair_closings as storage
from services.assessment.storage import place_scores, signals
from services.assessment.storage.closed_periods import find_log_position
from services.assessment.storage.fair_closings import FairWindow, FrozenResult, Untold
from services.assessment.storage.fair_records import Window
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

ROWS_A_BATCH: Final = 200
TOO_FEW_RATINGS: Final = "too_few_ratings"
NOT_ENOUGH_EVIDENCE: Final = "not_enough_evidence"
Days = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class FairClosing:
    """By which settings, where everybody lies, by whose clock days begin, and by how many processes."""

    settings: FairSettings
    settings_text: str
    region_level: str
    zone: ZoneInfo
    workers: int = 1


class WindowHash:
    """One hash over a window, cadre by cadre in the order of their ids. docs/fair-scheme.md has the form."""

    def __init__(self, days: Days, span: Span, settings: FairSettings) -> None:
        head = {
            "scheme": {"name": settings.name, "version": settings.version, "content_hash": settings.content_hash},
            "span": write_span(span),
            "window": label_of(days),
        }
        self._hash = hashlib.sha256(seal(head)[0].encode() + b"\n")

    def add(self, cadre_id: object, inputs_hash: bytes, content_hash: bytes) -> None:
        self._hash.update(f"cadre {cadre_id} {inputs_hash.hex()} {content_hash.hex()}\n".encode())

    def digest(self) -> bytes:
        return self._hash.digest()


def label_of(days: Days) -> str:
    return f"{days[0].isoformat()}..{days[1].isoformat()}"


def close_fair(pool: Pool, closing: FairClosing, *, now: datetime) -> list[Period]:
    """Put the scheme to every closed period that it was not put to, the oldest first; return them.

    Each in one transaction, after the schemes of places. While another is at it this one does nothing.
    """
    done = []
    while (period := _close_next(pool, closing, now=now)) is not None:
        done.append(period)
    return done


def _close_next(pool: Pool, closing: FairClosing, *, now: datetime) -> Period | None:
    with transaction(pool, reach=SYSTEM) as connection:
        if not storage.try_lock_closing(connection):
            return None
        found = storage.find_period_to_score(connection)
        if found is None:
            return None
        window = window_of(found.period, closing.zone, as_of=found.closed_at)
        days = window.starts_on, window.ends_on
        frozen = storage.find_window(connection, *days)
        if frozen is None:
            with gather_crew(pool, closing.workers) as crew:
                frozen = _freeze(connection, crew, window, closing, now=now)
        told = _tell(connection, found.period, frozen)
        storage.insert_pass(connection, found.period, days, told_count=told, done_at=now)
        details = {"hash": frozen.content_hash.hex(), "results": frozen.result_count, "window": label_of(days)}
        line = Line(action="period.scored", object_type="period", object_id=found.period.label, details=details)
        note(connection, line)
        crash.point("assessment.before_fair_commit")
    return found.period


def _freeze(connection: Connection, crew: Crew, window: Window, closing: FairClosing, *, now: datetime) -> FairWindow:
    """Score everybody as of the closing, and write down what it was made from."""
    days = window.starts_on, window.ends_on
    position = find_log_position(connection)
    places = read_places(connection, window, closing.region_level)
    cleared = signals.list_cleared_within(connection, starts_on=window.starts_on, ends_on=window.ends_on)
    span = span_of(window, closing.zone)
    reading = Reading(window=window, span=span, settings=closing.settings, label=label_of(days))
    shelf = DatabaseShelf(connection)
    counted = crew.count(connection, reading, list_shards(places, _list_known(places)), shelf)
    judged = judge_counted(counted, shelf, span, closing.settings, frozenset(cleared))
    yardstick = yardstick_of(judged.scored)
    checks = _by_cadre(cleared)
    description = Description(
        yardstick=yardstick,
        write=_write_results,
        beside=lambda cadres: _Beside(days, places.list(cadres), {cadre: checks.get(cadre, []) for cadre in cadres}),
    )
    total = WindowHash(days, span, closing.settings)
    for rows, hashes in crew.describe(judged, shelf, description):
        storage.insert_results(connection, rows)
        for one in hashes:
            total.add(*one)
    storage.insert_window(
        connection,
        {
            "starts_on": window.starts_on,
            "ends_on": window.ends_on,
            "as_of": window.as_of,
            "scheme_name": closing.settings.name,
            "scheme_version": closing.settings.version,
            "scheme_hash": bytes.fromhex(closing.settings.content_hash),
            "settings": orjson.dumps(tomllib.loads(closing.settings_text), option=orjson.OPT_SORT_KEYS).decode(),
            "yardstick": seal(write_yardstick(yardstick) | {"span": write_span(span)})[0],
            "result_count": len(judged.results),
            "content_hash": total.digest(),
            "log_position": position,
            "computed_at": now,
        },
    )
    frozen = storage.find_window(connection, *days)
    assert frozen is not None  # noqa: S101 - written a moment ago, in the same transaction
    return frozen


def _list_known(places: Places) -> list[UUID]:
    """Of whom nobody knows the number nothing can be published."""
    return [cadre_id for cadre_id in places.targets if places.placements[cadre_id].subject_code is not None]


def _by_cadre(cleared: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    checks: dict[str, list[str]] = {}
    for cadre, check in cleared:
        checks.setdefault(cadre, []).append(check)
    return checks


@dataclass(frozen=True, slots=True)
class _Beside:
    """What of some cadres is written beside their cases."""

    days: Days
    placements: Mapping[str, Placement]
    cleared: Mapping[str, Sequence[str]]


def _write_results(
    cases: Sequence[Case], settings: FairSettings, beside: _Beside
) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """Rows as JSON, and the hashes of inputs and result by cadre."""
    rows = [_row(case, settings, beside) for case in cases]
    hashes = [(row["cadre_id"], bytes.fromhex(row["inputs_hash"]), bytes.fromhex(row["content_hash"])) for row in rows]
    return orjson.dumps(rows), hashes


def _row(case: Case, settings: FairSettings, beside: _Beside) -> dict[str, Any]:
    placement = beside.placements[case.cadre]
    inputs, inputs_hash = seal(freeze(case.measured.counted.dossier, beside.cleared[case.cadre]))
    document, content_hash = seal(describe(case, settings))
    result = case.measured.result
    return {
        "starts_on": beside.days[0],
        "ends_on": beside.days[1],
        "cadre_id": case.cadre,
        "staff_number": placement.subject_code,
        "organisation_id": placement.organisation_id,
        "peer_group": placement.peer_group,
        "score": str(result.score),
        "band": result.band,
        "flags": list(result.reasons),
        "inputs": inputs,
        "inputs_hash": inputs_hash.hex(),
        "own": write_own(case.own),
        "document": document,
        "content_hash": content_hash.hex(),
        "figures": watch_case(case),
    }


def describe(case: Case, settings: FairSettings) -> dict[str, Any]:
    """A closed score as the department reads it, with every step; numbers as text."""
    result = case.measured.result
    explanation = explain_case(case, settings, audience="department")
    return {
        "cadre": result.cadre,
        "peer_group": result.peer_group,
        **{name: str(getattr(result, name)) for name in ("score", "lower", "upper", "reliability")},
        **{name: getattr(result, name) for name in ("band", "rank", "rank_best", "rank_worst", "award_zone")},
        "points": show_points(result),
        "reasons": list(result.reasons),
        "explanation": orjson.loads(orjson.dumps(explanation, default=str)),
    }


def recompute(
    connection: Connection, crew: Crew, pages: Iterable[Sequence[str]], span: Span, settings: FairSettings
) -> Iterator[tuple[str, bytes, bytes]]:
    """From inputs alone, what the results and their hashes are, by cadre."""
    cleared: set[tuple[str, str]] = set()
    shelf = DatabaseShelf(connection)

    def count() -> Iterator[Counted]:
        for one, own in crew.count_frozen(pages, span, settings, shelf):
            cleared.update(own)
            yield one

    judged = judge_counted(count(), shelf, span, settings, cleared)
    checks = _by_cadre(cleared)
    description = Description(
        yardstick=yardstick_of(judged.scored),
        write=hash_results,
        beside=lambda cadres: {cadre: checks.get(cadre, []) for cadre in cadres},
    )
    for hashes in crew.describe(judged, shelf, description):
        yield from hashes


def hash_results(
    cases: Iterable[Case], settings: FairSettings, cleared: Mapping[str, Sequence[str]]
) -> list[tuple[str, bytes, bytes]]:
    return [
        (
            case.cadre,
            seal(freeze(case.measured.counted.dossier, cleared.get(case.cadre, ())))[1],
            seal(describe(case, settings))[1],
        )
        for case in cases
    ]


def read_window_settings(window: FairWindow) -> FairSettings:
    """Those that it was scored by, whatever is in force now."""
    return read_settings_of(orjson.loads(window.settings))


def read_window_span(window: FairWindow) -> Span:
    return read_span(orjson.loads(window.yardstick)["span"])


def _tell(connection: Connection, period: Period, window: FairWindow) -> int:
    """Publish of everybody of whom no scheme of a place says anything what may be told. Return how many that were."""
    days = window.starts_on, window.ends_on
    settings = read_window_settings(window)
    yardstick = read_yardstick(orjson.loads(window.yardstick))
    count, after = 0, None
    while page := storage.list_untold(connection, period, after=after, limit=ROWS_A_BATCH):
        results = {
            one.cadre_id: one for one in storage.list_frozen_of(connection, days, [one.cadre_id for one in page])
        }
        rows = [
            _told_row(one, results[one.cadre_id], period, window, settings, yardstick)
            for one in page
            if one.cadre_id in results
        ]
        if rows:
            place_scores.insert_place_scores(connection, rows)
        count += len(rows)
        after = page[-1].cadre_id
    return count


def _told_row(
    one: Untold,
    result: FrozenResult,
    period: Period,
    window: FairWindow,
    settings: FairSettings,
    yardstick: Yardstick,
) -> dict[str, Any]:
    text, content_hash = seal(tell(one, result, window, settings, yardstick))
    return {
        "subject_kind": "cadre",
        "subject_id": one.cadre_id,
        "subject_code": one.subject_code,
        "organisation_id": one.organisation_id,
        "period_kind": period.kind,
        "period_start": period.start,
        "period_end": period.end,
        "scheme_name": window.scheme_name,
        "scheme_version": window.scheme_version,
        "document": text,
        "content_hash": content_hash.hex(),
    }


def tell(
    one: Untold, frozen: FrozenResult, window: FairWindow, settings: FairSettings, yardstick: Yardstick
) -> dict[str, Any]:
    """What the cadre, a unit's machine and the public of the department may read: whole points, and only where the
    citizens' answers of the period were released; steps of what no citizen has a say in; and no single record.
    """
    publication = orjson.loads(one.publication)
    document = orjson.loads(frozen.document)
    span = read_window_span(window)
    measured = measure(thaw(orjson.loads(frozen.inputs)), read_own(frozen.own), yardstick, span, settings, frozenset())
    case = Case(measured=measured, own=read_own(frozen.own), yardstick=yardstick, set_aside=frozenset())
    explanation = explain_case(case, settings, audience="cadre")
    withheld = _withheld(one, document)
    is_released = withheld != TOO_FEW_RATINGS
    total, parts = coarsen(_read_result(document)) if withheld is None else (None, {})
    band = document["band"] if withheld is None else None
    return {
        **{name: publication[name] for name in ("subject", "organisation", "peer_group", "period")},
        "scheme": {"name": settings.name, "version": settings.version, "content_hash": settings.content_hash},
        "total": None if total is None else str(total),
        "withheld": withheld,
        "grade": band,
        "places": {},
        "flags": [],
        "items": [
            {
                "key": name,
                "name": NAMES[name],
                "points": str(parts[name]) if name in parts else None,
                "missing": name not in FROM_CITIZENS and name not in measured.left,
            }
            for name in INDICATORS
        ],
        "contributions": [
            {"part": "base" if name == "base" else "item", "key": name, "amount": str(amount)}
            for name, amount in parts.items()
        ],
        "explanation": {
            "zh": tell_cadre(explanation, "zh", total=total, band=document["band"] if is_released else None),
            "en": tell_cadre(explanation, "en", total=total, band=document["band"] if is_released else None),
        },
    }


def _withheld(one: Untold, document: Mapping[str, Any]) -> str | None:
    """Both questions have to have been released for this very period: by so many people as a release needs."""
    told = orjson.loads(one.inputs)["told"] if one.inputs is not None else {}
    if not set(QUESTIONS) <= told.keys():
        return TOO_FEW_RATINGS
    return NOT_ENOUGH_EVIDENCE if document["band"] == "not_enough_evidence" else None


def _read_result(document: Mapping[str, Any]) -> Result:
    points = {name: Decimal(text) for name, text in document["points"].items()}
    return Result(
        cadre=document["cadre"],
        peer_group=document["peer_group"],
        score=Decimal(document["score"]),
        lower=Decimal(document["lower"]),
        upper=Decimal(document["upper"]),
        reliability=Decimal(document["reliability"]),
        base=points.pop("base"),
        points=points,
    )
