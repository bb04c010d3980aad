"""Scoring the last four quarters by the fair scheme, and noting what asks for a look: read, compute, write at once."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.organisations import line_of
from services.assessment.domain.periods import period_of
from services.assessment.domain.scores import Placement
from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.explaining import explain
from services.assessment.fair.records import Cadre, Contact, Dossier, Issue, Method, Outcome, Rating, Span
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.storage import fair_records, fair_scores, signals
from services.assessment.storage.fair_records import Row, Window
from services.assessment.storage.fair_scores import FairScore
from services.assessment.storage.scores import list_placements_of_cadres
from shared.database import Connection, Pool, transaction
from shared.errors import NotFound
from shared.reach import SYSTEM

SETTINGS_FILE: Final = Path(__file__).parent.parent / "fair" / "fair-1.toml"
SIGNAL_NAMESPACE: Final = UUID("6c69616e-7869-6e2d-8073-69676e616c31")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=8)))  # hours and weeks begin as in Shanghai
QUARTERS: Final = 4
OUTCOMES: Final[Mapping[str | None, Outcome]] = {None: "", "resolved": "solved", "explained_policy": "explained"}
METHODS: Final[Mapping[str, Method]] = {"callback": "callback", "kiosk": "on_site"}


class UnknownFairScore(NotFound):
    code = "unknown-fair-score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    cadres: int
    signals: int
    new_signals: int


@dataclass(slots=True, kw_only=True)
class Records:
    """By cadre, and who has a part in each issue and contact."""

    dossiers: dict[str, Dossier]
    holders: dict[UUID, list[str]]
    placements: dict[str, Placement]


def read_fair_settings() -> FairSettings:
    return read_settings(SETTINGS_FILE.read_text("utf-8"))


def look(pool: Pool, settings: FairSettings, *, region_level: str, zone: ZoneInfo, now: datetime) -> Looked:
    """A region is what lies in one organisation of the level, such as a county.

    The same facts give the same scores. Decided signals stay decided.
    """
    window = window_until(now, zone)
    with transaction(pool, reach=SYSTEM) as connection:
        records = _read(connection, window, region_level, today=now.astimezone(zone).date())
        cleared = frozenset(signals.list_cleared(connection, starts_on=window.starts_on))
    span = _span_of(window, now, zone)
    judged = judge(list(records.dossiers.values()), span, settings, cleared)
    found = _signal_rows(judged, records, window, now)
    with transaction(pool, reach=SYSTEM) as connection:
        signals.lock_looking(connection)
        fair_scores.replace_fair_scores(connection, _score_rows(judged, records, window, settings, now))
        new = signals.put_signals(connection, found)
        signals.lapse_signals(connection, [row["signal_id"] for row in found], starts_on=window.starts_on)
    return Looked(cadres=len(records.dossiers), signals=len(found), new_signals=new)


def list_scores(pool: Pool, *, peer_group: str | None, after: str | None, limit: int) -> list[FairScore]:
    with transaction(pool) as connection:
        return fair_scores.list_fair_scores(connection, peer_group=peer_group, after=after, limit=limit)


def get_explanation(pool: Pool, staff_number: str) -> dict[str, Any]:
    """Raises UnknownFairScore, also for what is out of reach."""
    with transaction(pool) as connection:
        explanation = fair_scores.find_explanation(connection, staff_number)
    if explanation is None:
        raise UnknownFairScore("there is no such score")
    return explanation


def window_until(now: datetime, zone: ZoneInfo) -> Window:
    """The quarter that is on and the three before it."""
    present = period_of("quarter", now.astimezone(zone).date())
    first = present.start
    for _ in range(QUARTERS - 1):
        first = period_of("quarter", first - timedelta(days=1)).start
    return Window(
        starts_on=first,
        ends_on=present.end,
        starts_at=_midnight(first, zone),
        ends_at=_midnight(present.next_start, zone),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _span_of(window: Window, now: datetime, zone: ZoneInfo) -> Span:
    ends, day = [], window.starts_on
    while day <= window.ends_on:
        day = period_of("quarter", day).next_start
        ends.append(_seconds(_midnight(day, zone)))
    return Span(
        starts_at=_seconds(window.starts_at),
        ends_at=_seconds(window.ends_at),
        as_of=_seconds(now),
        quarter_ends=tuple(ends),
    )


def _seconds(instant: datetime) -> int:
    return int((instant - EPOCH).total_seconds())


def _since(instant: datetime | None) -> int | None:
    return None if instant is None else _seconds(instant)


def _read(connection: Connection, window: Window, region_level: str, *, today: date) -> Records:
    owed = {row["cadre_id"]: int(row["target"]) for row in fair_records.list_owed(connection, window)}
    placements = _place(connection, list(owed), window, today=today)
    regions = _regions(fair_records.list_organisations(connection), region_level)
    records = Records(dossiers={}, holders={}, placements=placements)
    for cadre_id, target in owed.items():
        key = str(cadre_id)
        placement = placements[key]
        unit = placement.organisation_id or NOBODY
        cadre = Cadre(
            cadre=key,
            peer_group=placement.peer_group or "",
            region=str(regions.get(unit, unit)),
            unit=str(unit),
            target=target,
        )
        records.dossiers[key] = Dossier(cadre=cadre)
    opinions = fair_records.list_ratings(connection, window)
    called = {row["issue_id"] for row in opinions if row["method"] == "callback"}
    complainants: dict[UUID, str] = {}
    for row in fair_records.list_issues(connection, window):
        complainants[row["issue_id"]] = _name(row["citizen_ref"])
        _add(records, row["issue_id"], row["cadre_id"], issue=_issue_of(row, called))
    for row in fair_records.list_contacts(connection, window):
        _add(records, row["contact_id"], row["cadre_id"], contact=_contact_of(row))
    for row in opinions:
        subject = row["issue_id"] or row["contact_id"]
        rating = _rating_of(row, complainants.get(subject, ""))
        for key in records.holders.get(subject, []):
            records.dossiers[key].ratings.append(rating)
    return records


def _place(connection: Connection, cadre_ids: Sequence[UUID], window: Window, *, today: date) -> dict[str, Placement]:
    """Where they stand now: in the quarter that is on."""
    present = period_of("quarter", window.ends_on)
    found = list_placements_of_cadres(connection, [(cadre_id, present) for cadre_id in cadre_ids], today=today)
    return {str(cadre_id): found.get((cadre_id, present), Placement()) for cadre_id in cadre_ids}


def _regions(organisations: Sequence[Row], region_level: str) -> dict[UUID, UUID]:
    """The organisation of the level that each lies in; without one the topmost above it."""
    parents = {row["organisation_id"]: row["parent_id"] for row in organisations}
    levels = {row["organisation_id"]: row["level"] for row in organisations}
    regions = {}
    for organisation_id in parents:
        line = line_of(organisation_id, parents)
        regions[organisation_id] = next((one for one in line if levels[one] == region_level), line[-1])
    return regions


def _add(
    records: Records, record_id: UUID, cadre_id: UUID, *, issue: Issue | None = None, contact: Contact | None = None
) -> None:
    dossier = records.dossiers.get(str(cadre_id))
    if dossier is None:
        return  # not counted yet: its cell waits to be scored, and the next look has it
    records.holders.setdefault(record_id, []).append(str(cadre_id))
    if issue is not None:
        dossier.issues.append(issue)
    if contact is not None:
        dossier.contacts.append(contact)


def _issue_of(row: Row, called: set[UUID]) -> Issue:
    received_at = _seconds(row["received_at"])
    respond_by, due_at = _since(row["respond_by"]), _since(row["due_at"])
    merged = row["merged_into"] is not None
    return Issue(
        issue=str(row["issue_id"]),
        category=row["category"] or "",
        complexity=row["issue_type"] or "",
        channel=row["channel"] or "",
        complainant=_name(row["citizen_ref"]),
        received_at=received_at,
        answered_at=_since(row["responded_at"]),
        closed_at=_since(row["closed_at"]),
        answer_allowed=None if respond_by is None else max(0, respond_by - received_at),
        close_allowed=None if due_at is None else max(0, due_at - received_at),
        outcome="left_out" if merged else OUTCOMES.get(row["outcome"], "left_out"),
        is_reopened=row["is_reopened"],
        is_denied=row["denied"],
        is_checked=row["denied"] or row["issue_id"] in called,
        contact=_name(row["contact_id"]),
        share=int(row["share"]),
    )


def _contact_of(row: Row) -> Contact:
    """Intake tells no citizen of a contact: what confirms it are issues and ratings that came out of it."""
    return Contact(
        contact=str(row["contact_id"]),
        kind=row["kind"],
        occurred_at=_seconds(row["occurred_at"]),
        recorded_at=_seconds(row["recorded_at"]),
        duration_minutes=row["duration_minutes"],
    )


def _rating_of(row: Row, complainant: str) -> Rating:
    """A link goes to the complainant alone."""
    rater = _name(row["rater_ref"]) or (complainant if row["method"] == "link" else "")
    return Rating(
        rating=str(row["rating_id"]),
        subject_kind="issue" if row["issue_id"] else "contact",
        subject=str(row["issue_id"] or row["contact_id"]),
        method=METHODS.get(row["method"], "app"),
        level=row["level"],
        rated_at=_seconds(row["rated_at"]),
        rater=rater,
        is_public_device=row["method"] == "kiosk",
    )


def _name(reference: UUID | None) -> str:
    return "" if reference is None else str(reference)


def _signal_rows(judged: Judged, records: Records, window: Window, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for signal in judged.signals:
        placement = records.placements[signal.cadre]
        if placement.subject_code is None:
            continue  # of whom nobody knows the number yet: the next look has it
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
                "record_ids": sorted(signal.records | set(signal.examples)),
                "found_at": now,
            }
        )
    return rows


def _score_rows(
    judged: Judged, records: Records, window: Window, settings: FairSettings, now: datetime
) -> list[dict[str, Any]]:
    rows = []
    for result in judged.results:
        placement = records.placements[result.cadre]
        if placement.subject_code is None:
            continue
        explanation = asdict(explain(judged, result.cadre, settings, audience="department"))
        explanation["cadre"] = placement.subject_code
        rows.append(
            {
                "cadre_id": result.cadre,
                "staff_number": placement.subject_code,
                "organisation_id": placement.organisation_id,
                "peer_group": placement.peer_group,
                "starts_on": window.starts_on,
                "ends_on": window.ends_on,
                **{name: str(getattr(result, name)) for name in ("score", "lower", "upper", "reliability")},
                **{name: getattr(result, name) for name in ("band", "rank_best", "rank_worst", "award_zone")},
                "explanation": orjson.Fragment(orjson.dumps(explanation, default=str)),
                "scheme_name": settings.name,
                "scheme_version": settings.version,
                "content_hash": settings.content_hash,
                "computed_at": now,
            }
        )
    return rows
