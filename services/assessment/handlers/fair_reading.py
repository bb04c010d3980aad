"""From facts to dossiers, some cadres at a time: what the fair scheme is told of each as of one moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.organisations import line_of
from services.assessment.domain.periods import Period, custom_period, period_of
from services.assessment.domain.scores import Placement
from services.assessment.fair.records import Cadre, Contact, Dossier, Handover, Issue, Method, Outcome, Rating, Span
from services.assessment.handlers.corrections import fold_life
from services.assessment.storage import corrections, fair_records
from services.assessment.storage.fair_records import Record, Row, Window
from services.assessment.storage.scores import list_placements_of_cadres
from shared.database import Connection

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=8)))  # hours and weeks begin as in Shanghai
SHANGHAI: Final = 8 * 3_600  # what that is more than the seconds of the database
QUARTERS: Final = 4
CADRES_A_SHARD: Final = 500
LEAST_CHARACTERS: Final = 10  # of a reply that says something
OUTCOMES: Final[Mapping[str | None, Outcome]] = {None: "", "resolved": "solved", "explained_policy": "explained"}
METHODS: Final[Mapping[str, Method]] = {"callback": "callback", "kiosk": "on_site"}
TO_THE_CITIZEN: Final = frozenset({"link", "callback"})  # nobody else gets it, or is called


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everybody stands, by cadre, and the region of each organisation."""

    placements: Mapping[UUID, Placement]
    targets: Mapping[UUID, int]
    regions: Mapping[UUID, UUID]

    def list(self, cadres: Sequence[str]) -> dict[str, Placement]:
        return {cadre: self.placements[UUID(cadre)] for cadre in cadres}

    def cadre_of(self, cadre_id: UUID) -> Cadre:
        placement = self.placements[cadre_id]
        unit = placement.organisation_id or NOBODY
        return Cadre(
            cadre=str(cadre_id),
            peer_group=placement.peer_group or "",
            region=str(self.regions.get(unit, unit)),
            unit=str(unit),
            target=self.targets[cadre_id],
        )


def window_until(now: datetime, zone: ZoneInfo) -> Window:
    """The quarter that is on and the three before it."""
    present = period_of("quarter", now.astimezone(zone).date())
    return window_of(present, zone, as_of=now)


def window_of(period: Period, zone: ZoneInfo, *, as_of: datetime) -> Window:
    """The four quarters' time that ends with a period of the calendar; of days that somebody asked for, those days."""
    first = period.start
    if period.kind != "custom":
        month = period.next_start
        first = date(month.year - QUARTERS // 4, month.month, 1)
    return Window(
        starts_on=first,
        ends_on=period.end,
        starts_at=_midnight(first, zone),
        ends_at=_midnight(period.next_start, zone),
        as_of=as_of,
    )


def span_of(window: Window, zone: ZoneInfo) -> Span:
    ends, day = [], window.starts_on
    while day <= window.ends_on:
        day = period_of("quarter", day).next_start
        ends.append(seconds_of(_midnight(day, zone)))
    return Span(
        starts_at=seconds_of(window.starts_at),
        ends_at=seconds_of(window.ends_at),
        as_of=seconds_of(window.as_of),
        quarter_ends=tuple(ends),
    )


def read_places(
    connection: Connection, window: Window, region_level: str, *, cadre_ids: Sequence[UUID] | None = None
) -> Places:
    """Of all who have anything to their name in the window, or of these. A region is what lies in one organisation
    of the level, such as a county.
    """
    if cadre_ids is None:
        rows = fair_records.list_owed(connection, window)
    else:
        rows = fair_records.list_owed_by(connection, window, cadre_ids)
    targets = {row["cadre_id"]: int(row["target"]) for row in rows}
    period = custom_period(period_of("quarter", window.ends_on).start, window.ends_on)
    today = window.as_of.date()
    placements: dict[UUID, Placement] = {}
    for batch in fair_records.iterate_batches(list(targets), CADRES_A_SHARD):
        asked = [(cadre_id, period) for cadre_id in batch]
        found = list_placements_of_cadres(connection, asked, today=today)
        placements |= {cadre_id: found.get((cadre_id, period), Placement()) for cadre_id in batch}
    regions = _regions(fair_records.list_organisations(connection), region_level)
    return Places(placements=placements, targets=targets, regions=regions)


def read_dossiers(connection: Connection, window: Window, places: Places) -> Iterator[Dossier]:
    """In the order of the cadres' ids, so many in memory as one shard has."""
    for cadres in list_shards(places, places.targets):
        yield from read_shard(connection, window, cadres)


def list_shards(places: Places, cadre_ids: Iterable[UUID]) -> Iterator[list[Cadre]]:
    for batch in fair_records.iterate_batches(sorted(cadre_ids, key=str), CADRES_A_SHARD):
        yield [places.cadre_of(cadre_id) for cadre_id in batch]


def seconds_of(instant: datetime) -> int:
    return int((instant - EPOCH).total_seconds())


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _regions(organisations: Sequence[Row], region_level: str) -> dict[UUID, UUID]:
    """The organisation of the level that each lies in; without one the topmost above it."""
    parents = {row["organisation_id"]: row["parent_id"] for row in organisations}
    levels = {row["organisation_id"]: row["level"] for row in organisations}
    regions = {}
    for organisation_id in parents:
        line = line_of(organisation_id, parents)
        regions[organisation_id] = next((one for one in line if levels[one] == region_level), line[-1])
    return regions


def read_shard(connection: Connection, window: Window, cadres: Sequence[Cadre]) -> Iterator[Dossier]:
    dossiers = {cadre.cadre: Dossier(cadre=cadre) for cadre in cadres}
    cadre_ids = [UUID(cadre.cadre) for cadre in cadres]
    issues = _as_of(connection, window, fair_records.list_issues(connection, window, cadre_ids))
    contacts = fair_records.list_contacts(connection, window, cadre_ids)
    disowned = fair_records.list_disowned(
        connection,
        window,
        issue_ids=[row.issue_id for row in issues if row.denied],
        contact_ids=[row.contact_id for row in contacts],
    )
    opinions = fair_records.list_ratings_of(
        connection,
        window,
        issue_ids=list({row.issue_id for row in issues}),
        contact_ids=[row.contact_id for row in contacts],
    )
    by_call = [row for row in opinions if row.method == "callback"]
    called = {row.issue_id for row in by_call}
    sought = fair_records.list_sought(connection, [row.rating_id for row in by_call]) if by_call else set()
    known = {row.contact_id for row in opinions} | {row.contact_id for row in issues}
    by_subject: dict[str, list[Record]] = {}
    for row in opinions:
        if row.rating_id not in sought:  # that says what became of the matter, and nothing of how content citizens are
            by_subject.setdefault(row.issue_id or row.contact_id, []).append(row)
    for row in issues:
        own = dossiers[row.cadre_id]
        own.issues.append(_issue_of(row, called, disowned))
        own.ratings += [_rating_of(one, row.citizen_ref) for one in by_subject.get(row.issue_id, [])]
    for row in contacts:
        own = dossiers[row.cadre_id]
        own.contacts.append(_contact_of(row, known, disowned))
        own.ratings += [_rating_of(one, row.citizen_ref) for one in by_subject.get(row.contact_id, [])]
    for row in fair_records.list_handovers(connection, window, cadre_ids):
        dossiers[row.cadre_id].handovers.append(_handover_of(row))
    yield from dossiers.values()


def _as_of(connection: Connection, window: Window, rows: list[Record]) -> list[Record]:
    """What is known of these issues as of the moment, though they went on living: folded from the log where needed."""
    later = {UUID(row.issue_id) for row in rows if row.went_on}
    if not later:
        return rows
    lives: dict[UUID, list[corrections.TakenEvent]] = {}
    for event in corrections.list_whole_lives(connection, sorted(later)):
        if event.occurred_at is None or event.occurred_at <= window.as_of:
            lives.setdefault(event.aggregate_id, []).append(event)
    folded = {str(issue_id): fold_life(life) for issue_id, life in lives.items()}
    return [_fold(row, folded.get(row.issue_id, {})) if row.went_on else row for row in rows]


def _fold(row: Record, life: Mapping[str, Any]) -> Record:
    times = ("responded_at", "responded_known_at", "closed_at", "closed_known_at")
    told = {name: life.get(name) for name in times}
    return row._replace(
        **{name: None if instant is None else seconds_of(instant) - SHANGHAI for name, instant in told.items()},
        outcome=life.get("outcome"),
        is_merged=life.get("merged_into") is not None,
    )


def _issue_of(row: Record, called: set[str], disowned: set[str]) -> Issue:
    received_at = row.received_at
    is_denied = row.is_denied or row.issue_id in disowned
    return Issue(
        issue=row.issue_id,
        category=row.category or "",
        complexity=row.issue_type or "",
        channel=row.channel or "",
        complainant=row.citizen_ref or "",
        received_at=received_at + SHANGHAI,
        answered_at=_since(row.responded_at),
        closed_at=_since(row.closed_at),
        answer_allowed=None if row.respond_by is None else max(0, row.respond_by - received_at),
        close_allowed=None if row.due_at is None else max(0, row.due_at - received_at),
        outcome="left_out" if row.is_merged else OUTCOMES.get(row.outcome, "left_out"),
        is_reopened=row.is_reopened,
        is_denied=is_denied,
        is_checked=is_denied or row.issue_id in called,
        has_reply=_has_reply(row),
        contact=row.contact_id or "",
        share=row.share,
        is_disowned=row.issue_id in disowned,
        answer_recorded_at=_afterwards(row.responded_at, row.responded_known_at),
        closing_recorded_at=_afterwards(row.closed_at, row.closed_known_at),
    )


def _since(seconds: int | None) -> int | None:
    return None if seconds is None else seconds + SHANGHAI


def _afterwards(told: int | None, known: int | None) -> int | None:
    """When it was recorded, where that was later."""
    return None if told is None or known is None or known <= told else known + SHANGHAI


def _has_reply(row: Record) -> bool | None:
    """None where nobody told how long it was: an older event, or another system's."""
    characters: int | None = row.reply_characters
    return None if characters is None else characters >= LEAST_CHARACTERS


def _contact_of(row: Record, known: set[str], disowned: set[str]) -> Contact:
    """What confirms a contact are issues and ratings that came out of it."""
    return Contact(
        contact=row.contact_id,
        kind=row.kind,
        occurred_at=row.occurred_at + SHANGHAI,
        recorded_at=row.recorded_at + SHANGHAI,
        duration_minutes=row.duration_minutes,
        citizen=row.citizen_ref or "",
        is_confirmed=row.contact_id in known,
        is_disowned=row.contact_id in disowned,
    )


def _rating_of(row: Record, citizen_ref: str | None) -> Rating:
    is_own = row.method in TO_THE_CITIZEN
    rater = row.rater_ref or (citizen_ref if is_own else None)
    return Rating(
        rating=row.rating_id,
        subject_kind="issue" if row.issue_id else "contact",
        subject=row.issue_id or row.contact_id,
        method=METHODS.get(row.method, "app"),
        level=row.level,
        rated_at=row.rated_at + SHANGHAI,
        rater=rater or "",
        is_public_device=row.method == "kiosk",
        is_complainant=True if is_own and rater in (None, citizen_ref) else None,
    )


def _handover_of(row: Record) -> Handover:
    return Handover(
        issue=row.issue_id,
        category=row.category or "",
        complexity=row.issue_type or "",
        channel=row.channel or "",
        handed_at=row.handed_at + SHANGHAI,
        to_cadre=row.to_cadre_id,
        received_at=row.received_at + SHANGHAI,
        close_allowed=None if row.due_at is None else max(0, row.due_at - row.received_at),
    )
