"""Answering why: the facts behind an indicator, what each was counted for, and the events behind the facts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.duties import DutyUnit
from services.assessment.domain.indicators import Definition
from services.assessment.domain.measures import ContactFact, measure_contact, measure_issue, measure_rating
from services.assessment.domain.periods import Period, periods_covering, units_within
from services.assessment.domain.schemes import Indicator
from services.assessment.domain.scores import Subject, SubjectKind, UnknownIndicator
from services.assessment.handlers.figures import load_registry
from services.assessment.handlers.reading import find_scheme_of, find_score_within_reach, find_subject
from services.assessment.storage import categories, evidence, reading
from services.assessment.storage.duties import list_duty_units
from services.assessment.storage.evidence import LoggedEvent, Scope
from shared.database import Connection, Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceQuery:
    subject_kind: SubjectKind
    code: str
    period: Period
    indicator: str
    after_at: datetime | None = None
    after_id: UUID | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    fact: str
    fact_id: UUID
    at: datetime
    organisation_code: str | None
    staff_number: str | None
    kind: str | None
    kind_name: str | None  # of issues, what the category was called when they came in
    in_numerator: bool
    in_denominator: bool
    measures: tuple[str, ...]
    events: tuple[LoggedEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    indicator: Indicator | Definition
    as_of: datetime
    items: tuple[Evidence, ...]
    duties: tuple[DutyUnit, ...]  # what a cadre owed; the denominator of contact_duty is made of these, not of facts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A fact with the measures it counts for, before codes and events are known."""

    fact: str
    fact_id: UUID
    at: datetime
    organisation_id: UUID
    cadre_id: UUID
    kind: str | None
    measures: frozenset[str]


def list_evidence(pool: Pool, query: EvidenceQuery, *, scheme_name: str, zone: ZoneInfo, now: datetime) -> EvidencePage:
    """Raises UnknownSubject, UnknownIndicator, UnknownScheme."""
    with transaction(pool) as connection:
        subject = find_subject(connection, query.subject_kind, query.code)
        score = find_score_within_reach(connection, subject, query.period)
        scheme = find_scheme_of(connection, score, scheme_name)
        indicator = scheme.find_indicator(query.indicator) or _get_tallied(query.indicator)
        as_of = score.as_of if score is not None else now
        scope = _scope(connection, subject, query, zone)
        counted, duties = _list_counted(connection, indicator, scope, as_of=as_of, zone=zone)
        codes = evidence.list_codes(
            connection, list({fact.organisation_id for fact in counted} | {fact.cadre_id for fact in counted})
        )
        events = list_events_behind(connection, [fact.fact_id for fact in counted])
        issue_ids = [fact.fact_id for fact in counted if fact.fact == "issue"]
        names = categories.list_names(connection, issue_ids, time_zone=zone.key)
    items = tuple(
        replace(_describe(fact, indicator, codes, events.get(fact.fact_id, ())), kind_name=names.get(fact.fact_id))
        for fact in counted
    )
    return EvidencePage(indicator=indicator, as_of=as_of, items=items, duties=duties)


def _get_tallied(key: str) -> Definition:
    """One that the scheme does not weigh. Raises UnknownIndicator."""
    definition = load_registry().get(key)
    if definition is None or not definition.is_tallied:
        raise UnknownIndicator("there is no such indicator that each fact counts for by itself")
    return definition


def name_kinds(pool: Pool, fact_ids: Sequence[UUID], *, zone: ZoneInfo) -> dict[UUID, str]:
    """Of the issues among them, what the category was called when they came in."""
    with transaction(pool) as connection:
        return categories.list_names(connection, fact_ids, time_zone=zone.key)


def _scope(connection: Connection, subject: Subject, query: EvidenceQuery, zone: ZoneInfo) -> Scope:
    scope = Scope(
        period=query.period,
        time_zone=zone.key,
        after_at=query.after_at,
        after_id=query.after_id,
        limit=query.limit,
    )
    if subject.subject_kind == "cadre":
        return replace(scope, cadre_id=subject.subject_id)
    return replace(
        scope, organisation_ids=tuple(reading.list_subtree(connection, subject.subject_id, on=query.period.start))
    )


def _list_counted(
    connection: Connection, indicator: Indicator | Definition, scope: Scope, *, as_of: datetime, zone: ZoneInfo
) -> tuple[list[_Counted], tuple[DutyUnit, ...]]:
    if indicator.facts == "contact":
        return _count_contacts(connection, scope, as_of=as_of, zone=zone)
    if indicator.facts == "rating":
        ratings = evidence.list_rating_facts(connection, scope)
        return [
            _Counted(
                fact="rating",
                fact_id=rating.rating_id,
                at=rating.rated_at,
                organisation_id=rating.organisation_id,
                cadre_id=rating.cadre_id,
                kind=None,
                measures=measure_rating(rating),
            )
            for rating in ratings
        ], ()
    issues = evidence.list_issue_facts(connection, scope)
    return [
        _Counted(
            fact="issue",
            fact_id=issue.issue_id,
            at=issue.received_at,
            organisation_id=issue.organisation_id,
            cadre_id=issue.cadre_id,
            kind=issue.category,
            measures=measure_issue(issue, as_of),
        )
        for issue in issues
    ], ()


def _count_contacts(
    connection: Connection, scope: Scope, *, as_of: datetime, zone: ZoneInfo
) -> tuple[list[_Counted], tuple[DutyUnit, ...]]:
    """A contact meets a duty when fewer than what is owed came before it: the first ones count, the rest are extra."""
    contacts = evidence.list_contact_facts(connection, scope)
    today = as_of.astimezone(zone).date()
    wanted = {
        (contact.cadre_id, unit)
        for contact in contacts
        for unit in periods_covering(contact.occurred_at.astimezone(zone).date())
        if scope.period.contains(unit)
    }
    if scope.cadre_id is not None:
        wanted |= {(scope.cadre_id, unit) for unit in units_within(scope.period)}
    units = list_duty_units(connection, sorted(wanted), time_zone=scope.time_zone) if wanted else []
    if scope.organisation_ids is not None:
        units = [unit for unit in units if unit.organisation_id in set(scope.organisation_ids)]
    pairs = [(contact, unit) for contact in contacts for unit in units if _falls_in(contact, unit, zone)]
    ranks = evidence.count_earlier_contacts(
        connection,
        [(contact, datetime.combine(unit.held_from, time(), tzinfo=zone)) for contact, unit in pairs],
    )
    meeting = {
        contact.contact_id for (contact, unit), rank in zip(pairs, ranks, strict=True) if rank < unit.owed(today)
    }
    counted = [
        _Counted(
            fact="contact",
            fact_id=contact.contact_id,
            at=contact.occurred_at,
            organisation_id=contact.organisation_id,
            cadre_id=contact.cadre_id,
            kind=contact.kind,
            measures=measure_contact(contact, meets_duty=contact.contact_id in meeting),
        )
        for contact in contacts
    ]
    return counted, tuple(units) if scope.cadre_id is not None else ()


def _falls_in(contact: ContactFact, unit: DutyUnit, zone: ZoneInfo) -> bool:
    day = contact.occurred_at.astimezone(zone).date()
    return contact.cadre_id == unit.cadre_id and contact.kind == unit.contact_kind and unit.is_held_on(day)


def list_events_behind(connection: Connection, fact_ids: Sequence[UUID]) -> dict[UUID, list[LoggedEvent]]:
    """The events by fact, in their order. A rating that denies an issue stands behind the issue too."""
    behind = {fact_id: fact_id for fact_id in fact_ids}
    behind |= evidence.list_denials(connection, fact_ids)
    events: dict[UUID, list[LoggedEvent]] = {}
    for event in evidence.list_events(connection, list(behind)):
        events.setdefault(behind[event.aggregate_id], []).append(event)
    return events


def _describe(
    fact: _Counted, indicator: Indicator | Definition, codes: dict[UUID, str], events: Sequence[LoggedEvent]
) -> Evidence:
    return Evidence(
        fact=fact.fact,
        fact_id=fact.fact_id,
        at=fact.at,
        organisation_code=codes.get(fact.organisation_id),
        staff_number=codes.get(fact.cadre_id),
        kind=fact.kind,
        kind_name=None,
        in_numerator=not fact.measures.isdisjoint(indicator.numerator),
        in_denominator=not fact.measures.isdisjoint(indicator.denominator),
        measures=tuple(sorted(fact.measures)),
        events=tuple(events),
    )
