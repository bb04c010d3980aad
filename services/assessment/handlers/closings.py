"""Closing months: forming what may be told of ratings, and writing down what is published, once and for ever."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.domain.periods import Period, period_of, periods_ending_with
from services.assessment.domain.releases import (
    QUESTIONS,
    Holder,
    Parents,
    Question,
    Release,
    form_releases,
    tell_cadre,
    tell_organisations,
)
from services.assessment.domain.rounding import Rounded, round_told
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import Placement, Subject
from services.assessment.handlers.publishing import Published, describe, seal
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.storage import publications, releases, scores, tallies
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction

SUBJECTS_A_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRule:
    """How many people an answer must hide among, and how long after its end a month is closed.

    `spares_first_load`: old months that a database is first loaded with get the time that a new one gets.
    """

    raters_needed: int
    delay: timedelta
    scheme_name: str
    zone: ZoneInfo
    spares_first_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edition:
    """One period's publications: what may be told of whose ratings, in the words of which scheme."""

    period: Period
    scheme: Scheme
    organisations: Mapping[UUID, Subject]
    told: Mapping[UUID, Mapping[Question, Rounded]]


def close_months(pool: Pool, *, rule: ClosingRule, now: datetime) -> list[date]:
    """Close every month whose time has come, the oldest first, each in one transaction; return them.

    While another closes this one does nothing. A month that is closed is never closed again.
    """
    closed = []
    while (month := _close_next(pool, rule=rule, now=now)) is not None:
        closed.append(month)
        metrics.months_closed_total.inc()
    return closed


def measure_closing(pool: Pool, *, rule: ClosingRule, now: datetime) -> tuple[int, float]:
    """Return how many months should be closed by now and are not, and how many seconds the oldest has waited."""
    with transaction(pool) as connection:
        month = releases.find_month_to_close(connection)
        started_at = releases.find_clock(connection)
    if month is None or started_at is None:
        return 0, 0.0
    waited = (now - _closing_time(month, started_at, rule)).total_seconds()
    count = 0
    while _closing_time(month, started_at, rule) <= now:
        count += 1
        month = period_of("month", month).next_start
    return count, max(0.0, waited)


def _close_next(pool: Pool, *, rule: ClosingRule, now: datetime) -> date | None:
    with transaction(pool) as connection:
        if not releases.try_lock_closing(connection):
            return None
        started_at = releases.start_clock(connection, now)
        month = releases.find_month_to_close(connection)
        if month is None or now < _closing_time(month, started_at, rule):
            return None
        tallies.lock_scoring(connection)  # the figures of the month's periods are of one moment
        _close(connection, month, rule=rule, now=now)
        crash.point("assessment.before_closing_commit")
    return month


def _closing_time(month: date, started_at: datetime, rule: ClosingRule) -> datetime:
    ends_at = datetime.combine(period_of("month", month).next_start, time(), tzinfo=rule.zone)
    return (max(ends_at, started_at) if rule.spares_first_load else ends_at) + rule.delay


def _close(connection: Connection, month: date, *, rule: ClosingRule, now: datetime) -> None:
    scheme = read_scheme_in_force(connection, rule.scheme_name)
    parents = publications.list_parents(connection, on=month)
    formed = form_releases(
        releases.list_waiting_answers(connection, month, time_zone=rule.zone.key),
        month,
        begun=releases.list_begun(connection, month.year),
        parents=parents,
        raters_needed=rule.raters_needed,
    )
    if formed:
        releases.insert_releases(connection, formed)
    crash.point("assessment.after_releases")
    releases.insert_closing(
        connection,
        month,
        raters_needed=rule.raters_needed,
        scheme=(scheme.name, scheme.version),
        closed_at=now,
    )
    for period in periods_ending_with(month):
        _publish(connection, period, scheme, parents, today=period.next_start)
        crash.point("assessment.after_publication")
    metrics.releases_formed_total.inc(len(formed))
    details = {"scheme": scheme.name, "scheme_version": scheme.version, "releases": len(formed)}
    note(connection, Line(action="month.closed", object_type="month", object_id=month.isoformat(), details=details))


def _publish(connection: Connection, period: Period, scheme: Scheme, parents: Parents, *, today: date) -> None:
    told = releases.list_releases(connection, period)
    organisations = publications.list_organisations(connection)
    edition = _Edition(
        period=period,
        scheme=scheme,
        organisations={organisation.subject_id: organisation for organisation in organisations},
        told=_tell_cadres(told, period) | _tell_organisations(told, parents, period),
    )
    for batch in _batches(publications.list_cadres_at_work(connection, period)):
        asked = [(cadre.subject_id, period) for cadre in batch]
        _write(connection, edition, batch, scores.list_placements_of_cadres(connection, asked, today=today))
    for batch in _batches(organisations):
        placements = {(one.subject_id, period): Placement(organisation_id=one.subject_id) for one in batch}
        _write(connection, edition, batch, placements)


def _write(
    connection: Connection,
    edition: _Edition,
    subjects: Sequence[Subject],
    placements: Mapping[tuple[UUID, Period], Placement],
) -> None:
    asked = [(subject.subject_id, edition.period) for subject in subjects]
    measures = tallies.sum_measures(connection, subjects[0].subject_kind, asked)
    rows = [
        _row(edition, subject, placements[subject.subject_id, edition.period], measures.get(key, {}))
        for subject, key in zip(subjects, asked, strict=True)
    ]
    publications.insert_publications(connection, rows)


def _row(edition: _Edition, subject: Subject, placement: Placement, process: Mapping[str, int]) -> dict[str, Any]:
    home = placement.organisation_id
    published = Published(
        subject=subject,
        period=edition.period,
        organisation=edition.organisations.get(home) if home is not None else None,
        peer_group=placement.peer_group,
    )
    document, content_hash = seal(
        describe(published, process, edition.told.get(subject.subject_id, {}), edition.scheme)
    )
    return {
        "subject_kind": subject.subject_kind,
        "subject_id": subject.subject_id,
        "subject_code": subject.code,
        "organisation_id": home,
        "period_kind": edition.period.kind,
        "period_start": edition.period.start,
        "scheme_name": edition.scheme.name,
        "scheme_version": edition.scheme.version,
        "document": document,
        "content_hash": content_hash.hex(),
    }


def _tell_cadres(told: Iterable[Release], period: Period) -> dict[UUID, dict[Question, Rounded]]:
    by_holder: dict[tuple[Holder, Question], list[Release]] = {}
    for release in told:
        if release.holder.kind == "cadre":
            by_holder.setdefault((release.holder, release.question), []).append(release)
    figures: dict[UUID, dict[Question, Rounded]] = {}
    for (holder, question), of_one in by_holder.items():
        if (sum_told := tell_cadre(of_one, period)) is not None:
            figures.setdefault(holder.id, {})[question] = round_told(sum_told)
    return figures


def _tell_organisations(
    told: Sequence[Release], parents: Parents, period: Period
) -> dict[UUID, dict[Question, Rounded]]:
    figures: dict[UUID, dict[Question, Rounded]] = {}
    for question in QUESTIONS:
        sums = tell_organisations((release for release in told if release.question == question), parents, period)
        for organisation_id, sum_told in sums.items():
            figures.setdefault(organisation_id, {})[question] = round_told(sum_told)
    return figures


def _batches(subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
    for start in range(0, len(subjects), SUBJECTS_A_BATCH):
        yield subjects[start : start + SUBJECTS_A_BATCH]
