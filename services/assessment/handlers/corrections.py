"""Corrections: what a closed period's figures would be, had what came late been known at its closing.

An issue goes on living after a closing, and that corrects nothing. What had happened by then and was told later does,
and so does what is known otherwise since. Ratings correct nothing: they are told in later releases.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.assessment import metrics
from services.assessment.domain.measures import DATED, NOBODY, IssueFact, measure_issue
from services.assessment.domain.organisations import line_of
from services.assessment.domain.periods import Period, period_of
from services.assessment.domain.schemes import Scheme, read_scheme
from services.assessment.domain.scores import SubjectKind, UnknownScheme
from services.assessment.handlers.issue_folding import fold_issue
from services.assessment.handlers.publishing import CLAIMED, describe, seal
from services.assessment.handlers.windows import sum_measures
from services.assessment.storage import closed_periods, corrections, publications, schemes
from services.assessment.storage.closed_periods import ClosedPeriod
from services.assessment.storage.corrections import Correction, TakenEvent
from shared.contracts.envelope import BY_TYPE, Envelope
from shared.contracts.intake import contacts, issue_endings, issue_requests, issue_work, issues
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issue_requests import ExclusionDecided
from shared.contracts.intake.registers import OrganisationRegistered, PostRecorded
from shared.database import Connection, Pool, transaction

EVENTS_A_PASS: Final = 500
MOST_CAUSES: Final = 50
OF_ISSUES: Final = frozenset(
    event.type for event in (*issues.EVENTS, *issue_work.EVENTS, *issue_requests.EVENTS, *issue_endings.EVENTS)
)
OF_CONTACTS: Final = frozenset(event.type for event in contacts.EVENTS)
OF_REGISTERS: Final = frozenset(event.type for event in (DutyDefined, OrganisationRegistered, PostRecorded))
# Whenever it is decided, it is about what was before.
UNDATED: Final = frozenset({ExclusionDecided.type})

Touched = tuple[SubjectKind, UUID, Period]
Cell = tuple[UUID, UUID]


@dataclass(slots=True)
class _Pass:
    """What one look through the log found."""

    connection: Connection
    zone: ZoneInfo
    closed: Mapping[Period, ClosedPeriod]
    causes: dict[Touched, dict[UUID, TakenEvent]] = field(default_factory=dict)
    parents: dict[date, dict[UUID, UUID | None]] = field(default_factory=dict)
    schemes: dict[tuple[str, int], Scheme] = field(default_factory=dict)

    def line_of(self, organisation_id: UUID, month: date) -> list[UUID]:
        if organisation_id == NOBODY:
            return []
        if month not in self.parents:
            self.parents[month] = publications.list_parents(self.connection, on=month)
        return line_of(organisation_id, self.parents[month])

    def touch(self, period: Period, cell: Cell, month: date, causes: Iterable[TakenEvent]) -> None:
        organisation_id, cadre_id = cell
        subjects: list[Touched] = [("organisation", one, period) for one in self.line_of(organisation_id, month)]
        if cadre_id != NOBODY:
            subjects.append(("cadre", cadre_id, period))
        for subject in subjects:
            known = self.causes.setdefault(subject, {})
            known.update({event.event_id: event for event in causes if event.position > self._position(period)})

    def _position(self, period: Period) -> int:
        return self.closed[period].log_position


def record_corrections(pool: Pool, *, zone: ZoneInfo, now: datetime, limit: int = EVENTS_A_PASS) -> int:
    """One look at what came since the last; return how many corrections it made. The same again makes none.

    While a closed month waits to be counted anew nothing is looked at: the figures must be those of the events.
    """
    with transaction(pool) as connection:
        if not corrections.try_lock_corrections(connection):
            return 0
        closed = {one.period: one for one in closed_periods.list_closed_periods(connection)}
        if not closed:
            return 0
        last_end = max(period.end for period in closed)
        counted = corrections.find_counted_position(connection, last_end)
        if counted is None:
            return 0
        late = corrections.list_late(
            connection,
            between=(
                max(corrections.find_progress(connection), min(one.log_position for one in closed.values())),
                counted,
            ),
            happened_until=max(one.closed_at for one in closed.values()),
            types=[*OF_ISSUES, *OF_CONTACTS, *OF_REGISTERS],
            undated=list(UNDATED),
            limit=limit,
        )
        found = _Pass(connection=connection, zone=zone, closed=closed)
        _weigh_issues(found, [event for event in late if event.event_type in OF_ISSUES])
        _touch_contacts(found, [event for event in late if event.event_type in OF_CONTACTS])
        _touch_registers(found, [event for event in late if event.event_type in OF_REGISTERS])
        made = sum(_correct(found, touched, now=now) for touched in sorted(found.causes, key=_order))
        corrections.set_progress(connection, late[-1].position if len(late) == limit else counted)
    metrics.corrections_recorded_total.inc(made)
    return made


def list_corrections(
    pool: Pool, kind: SubjectKind, *, code: str | None, period: Period | None, before: int | None, limit: int
) -> list[Correction]:
    with transaction(pool) as connection:
        return corrections.list_corrections(connection, kind, code=code, period=period, before=before, limit=limit)


def _order(touched: Touched) -> tuple[date, date, str, str, UUID]:
    kind, subject_id, period = touched
    return period.end, period.start, period.kind, kind, subject_id


def _weigh_issues(found: _Pass, late: Sequence[TakenEvent]) -> None:
    """Work out anew how each of these issues would have counted in every closed period that it was received in."""
    issue_ids = sorted({event.aggregate_id for event in late})
    if not issue_ids:
        return
    lives: dict[UUID, list[TakenEvent]] = {}
    for event in corrections.list_whole_lives(found.connection, issue_ids):
        lives.setdefault(event.aggregate_id, []).append(event)
    before = corrections.list_effects_of(found.connection, issue_ids)
    rows = []
    for issue_id, life in lives.items():
        received = fold_issue(_envelopes(life)).get("received_at")
        if received is None:
            continue
        day = received.astimezone(found.zone).date()
        month = period_of("month", day).start
        causes = [event for event in late if event.aggregate_id == issue_id]
        left = [(one.organisation_id, one.cadre_id) for one in before if one.issue_id == issue_id]
        for period, closed in found.closed.items():
            if not period.start <= day <= period.end:
                continue
            differences = _weigh(life, closed)
            rows += [
                {
                    "period_kind": period.kind,
                    "period_start": period.start,
                    "period_end": period.end,
                    "issue_id": issue_id,
                    "organisation_id": cell[0],
                    "cadre_id": cell[1],
                    "month": month,
                    "differences": difference,
                }
                for cell, difference in differences.items()
            ]
            for cell in {*differences, *left}:
                found.touch(period, cell, month, causes)
    corrections.replace_effects(found.connection, issue_ids, rows)


def _weigh(life: Sequence[TakenEvent], closed: ClosedPeriod) -> dict[Cell, dict[str, int]]:
    """By cell, what counts more or less than at the closing."""
    then = [event for event in life if event.position <= closed.log_position]
    now = [event for event in life if event.position <= closed.log_position or _had_happened(event, closed)]
    sums: dict[Cell, Counter[str]] = {}
    for events, sign in ((then, -1), (now, 1)):
        cell, measures = _count(fold_issue(_envelopes(events)), as_of=closed.closed_at)
        for name in measures:
            sums.setdefault(cell, Counter())[CLAIMED if name == "resolved" else name] += sign
    return {
        cell: difference
        for cell, counted in sums.items()
        if (difference := {name: count for name, count in sorted(counted.items()) if count})
    }


def _had_happened(event: TakenEvent, closed: ClosedPeriod) -> bool:
    return event.event_type in UNDATED or event.occurred_at is None or event.occurred_at <= closed.closed_at


def _count(row: Mapping[str, Any], *, as_of: datetime) -> tuple[Cell, frozenset[str]]:
    """Without an answer of raters: what is denied counts as resolved, and both are told as one."""
    cell = row.get("organisation_id", NOBODY), row.get("cadre_id", NOBODY)
    if row.get("received_at") is None or row.get("excluded") == "all":
        return cell, frozenset()
    fact = IssueFact(
        issue_id=row["issue_id"],
        organisation_id=cell[0],
        cadre_id=cell[1],
        category=row["category"],
        received_at=row["received_at"],
        respond_by=row.get("respond_by"),
        due_at=row.get("due_at"),
        responded_at=row.get("responded_at"),
        closed_at=row.get("closed_at"),
        outcome=row.get("outcome"),
        denied=False,
        merged_into=row.get("merged_into"),
        issue_type=row.get("issue_type"),
        replied_at=row.get("replied_at"),
        is_reopened=row["is_reopened"],
        is_redone=row["is_redone"],
        is_returned=row["is_returned"],
    )
    return cell, measure_issue(fact, as_of)


def fold_life(events: Iterable[TakenEvent]) -> dict[str, Any]:
    """The parts of one issue as these events tell them; empty where none does."""
    return fold_issue(_envelopes(events))


def _envelopes(events: Iterable[TakenEvent]) -> list[Envelope]:
    return [
        Envelope(
            event_id=event.event_id,
            event=BY_TYPE[event.event_type].model_validate(event.payload),
            sequence=event.sequence,
            recorded_at=event.recorded_at,
            correlation_id=event.correlation_id,
            raw_data=b"",
            source="",
            body=b"",
        )
        for event in events
        if event.event_type in OF_ISSUES
    ]


def _touch_contacts(found: _Pass, late: Sequence[TakenEvent]) -> None:
    """Whoever a contact was of at any time, and where that cadre owed it."""
    contact_ids = sorted({event.aggregate_id for event in late})
    for event in corrections.list_whole_lives(found.connection, contact_ids) if contact_ids else []:
        if event.occurred_at is None:
            continue
        day = event.occurred_at.astimezone(found.zone).date()
        causes = [one for one in late if one.aggregate_id == event.aggregate_id]
        own = event.payload.get("organisation_id")
        _touch_cadre(found, UUID(event.payload["cadre_id"]), (day, day), causes, [UUID(own)] if own else [])


def _touch_registers(found: _Pass, late: Sequence[TakenEvent]) -> None:
    ids = sorted({event.aggregate_id for event in late})
    for event in corrections.list_whole_lives(found.connection, ids) if ids else []:
        causes = [one for one in late if one.aggregate_id == event.aggregate_id]
        told = event.payload
        if event.event_type == PostRecorded.type:
            days = _days(told.get("from_on"), told.get("until_on"))
            _touch_cadre(found, UUID(told["cadre_id"]), days, causes, [UUID(told["organisation_id"])])
        elif event.event_type == DutyDefined.type:
            days = _days(told.get("valid_from"), told.get("valid_until"))
            for cadre_id in corrections.list_cadres_with_posts(found.connection, [told["post_kind"]]):
                _touch_cadre(found, cadre_id, days, causes, [])
        elif event.event_type == OrganisationRegistered.type:
            for organisation_id in filter(None, (told["organisation_id"], told.get("parent_id"))):
                for period in found.closed:
                    found.touch(period, (UUID(organisation_id), NOBODY), period.end, causes)


def _touch_cadre(
    found: _Pass, cadre_id: UUID, days: tuple[date, date], causes: Sequence[TakenEvent], own: Sequence[UUID]
) -> None:
    places = {*own, *corrections.list_organisations_of(found.connection, [cadre_id]), NOBODY}
    for period in found.closed:
        if days[0] <= period.end and days[1] >= period.start:
            for organisation_id in places:
                found.touch(period, (organisation_id, cadre_id), period.end, causes)


def _days(first: str | None, last: str | None) -> tuple[date, date]:
    return date.fromisoformat(first or "1900-01-01"), date.fromisoformat(last or "2200-01-01")


def _correct(found: _Pass, touched: Touched, *, now: datetime) -> bool:
    """Return whether there is something to say."""
    kind, subject_id, period = touched
    standing = corrections.find_standing(found.connection, kind, subject_id, period)
    causes = sorted(found.causes[touched].values(), key=lambda event: event.position)
    if standing is None or not causes:
        return False
    closed = found.closed[period]
    published = orjson.loads(standing.inputs)
    measures = _would_be(found, touched, published["measures"], as_of=closed.closed_at)
    inputs, inputs_hash = seal(published | {"measures": measures})
    if inputs_hash == standing.last_inputs_hash:
        return False
    document, content_hash = seal(describe(orjson.loads(inputs), _scheme_of(found, closed)))
    was, would_be = (orjson.loads(text)["composite"] for text in (standing.document, document))
    corrections.insert_correction(
        found.connection,
        {
            "subject_kind": kind,
            "subject_id": subject_id,
            "subject_code": standing.subject_code,
            "organisation_id": standing.organisation_id,
            "period_kind": period.kind,
            "period_start": period.start,
            "period_end": period.end,
            "number": standing.number + 1,
            "known_at": now,
            "cause": {
                "count": len(causes),
                "events": [
                    {
                        "event_id": event.event_id,
                        "type": event.event_type,
                        "occurred_at": event.occurred_at,
                        "recorded_at": event.recorded_at,
                    }
                    for event in causes[:MOST_CAUSES]
                ],
            },
            "changes": {
                name: {"published": published["measures"].get(name, 0), "would_be": count}
                for name, count in measures.items()
                if published["measures"].get(name, 0) != count
            },
            "composite_was": Decimal(was) if was is not None else None,
            "composite_would_be": Decimal(would_be) if would_be is not None else None,
            "inputs": inputs,
            "inputs_hash": inputs_hash,
            "document": document,
            "content_hash": content_hash,
        },
    )
    return True


def _would_be(found: _Pass, touched: Touched, published: Mapping[str, int], *, as_of: datetime) -> dict[str, int]:
    """Of issues, what was published and what came late; of what bears its own day, what is known now."""
    kind, subject_id, period = touched
    asked = [(subject_id, period)]
    live = sum_measures(found.connection, kind, asked, as_of=as_of, zone=found.zone).get(asked[0], {})
    measures = dict(published) | {name: live.get(name, 0) for name in DATED if name in published}
    for effect in corrections.list_effects(found.connection, period):
        is_own = effect.cadre_id == subject_id
        if is_own if kind == "cadre" else subject_id in found.line_of(effect.organisation_id, effect.month):
            for name, difference in effect.differences.items():
                measures[name] = measures.get(name, 0) + difference
    return measures


def _scheme_of(found: _Pass, closed: ClosedPeriod) -> Scheme:
    key = (closed.scheme_name, closed.scheme_version)
    if key not in found.schemes:
        stored = schemes.find_scheme(found.connection, *key)
        if stored is None:
            raise UnknownScheme("the scheme of a closed period is not loaded")
        found.schemes[key] = read_scheme(stored.definition)
    return found.schemes[key]
