"""Reading fair scores, as they stand and as they were closed: lists, explanations, what changed, sums over places."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import NotPublished, UnknownOrganisation
from services.assessment.fair.explaining import Explanation, compare_explanations, read_explanation
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.telling import tell, tell_change
from services.assessment.handlers.fair_closings import (
    Days,
    WindowHash,
    read_window_settings,
    read_window_span,
    recompute,
)
from services.assessment.handlers.fair_crew import gather_crew
from services.assessment.storage import evidence, fair_closings, fair_scores, reading
from services.assessment.storage.evidence import SeenFact
from services.assessment.storage.fair_closings import FairCorrection, FairWindow, FrozenResult
from services.assessment.storage.fair_scores import FairFilter, FairSpread
from shared.database import Connection, Pool, transaction
from shared.errors import NotFound, Rejected
from shared.reach import SYSTEM, Reach

PAGE: Final = 500
MOST_OVER_THE_DOOR: Final = 5_000
Band = Literal["above", "middle", "below", "not_enough_evidence"]


class UnknownFairScore(NotFound):
    code = "unknown-fair-score"


class TooManyToRecompute(Rejected):
    """More than a request should wait for: the command does any number."""

    code = "too-many-to-recompute"


@dataclass(frozen=True, slots=True, kw_only=True)
class FairQuery:
    """Without a period, scores as they stand. `flag`: `any`, `none`, or the name of a check."""

    period: Period | None = None
    organisation_code: str | None = None
    peer_group: str | None = None
    post_kind: str | None = None
    band: Band | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFairScore:
    """75 is the peers' mean and 10 points one standard deviation of true performance; a band of 90 % around it.

    `points` add up to the score to the last digit. Without `computed_at` it is a closed one, which never changes.
    """

    staff_number: str
    name: str | None
    organisation_code: str | None
    organisation_name: str | None
    peer_group: str | None
    starts_on: date
    ends_on: date
    score: str
    lower: str
    upper: str
    reliability: str
    band: str
    rank_best: int
    rank_worst: int
    award_zone: str
    points: dict[str, str]
    flags: list[str]
    scheme: str
    content_hash: str
    computed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FairProfile:
    """A score with why it is so; `facts` are the records that the explanation names and that are still known."""

    score: ShownFairScore
    explanation: Explanation
    facts: Mapping[str, SeenFact]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    staff_number: str
    before: str
    after: str
    by_indicator: dict[str, str]
    own: dict[str, str]
    text: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FairReplay:
    window: str
    results: int
    expected: str
    found: str
    differing: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return self.expected == self.found and not self.differing


def list_scores(pool: Pool, query: FairQuery, *, after: str | None, limit: int) -> list[ShownFairScore]:
    """By staff number. Raises UnknownOrganisation, and NotPublished of a period that is not closed."""
    with transaction(pool) as connection:
        wanted = FairFilter(
            organisation_ids=list_wanted(connection, query.organisation_code),
            peer_group=query.peer_group,
            post_kind=query.post_kind,
            band=query.band,
            flag=query.flag,
        )
        if query.period is None:
            return [_show(one) for one in fair_scores.list_fair_scores(connection, wanted, after=after, limit=limit)]
        days = _days_of(connection, query.period)
        found = fair_closings.list_results(connection, days, wanted, after=after, limit=limit)
        window = _window_of(connection, days)
    return [_show_closed(one, window) for one in found]


def find_settings(pool: Pool, period: Period) -> FairSettings:
    """Those that a closed period was scored by, whatever is in force now. Raises NotPublished."""
    with transaction(pool) as connection:
        return read_window_settings(_window_of(connection, _days_of(connection, period)))


def get_profile(pool: Pool, staff_number: str, period: Period | None) -> FairProfile:
    """Raises UnknownFairScore, also for what is out of reach, and NotPublished."""
    with transaction(pool) as connection:
        found = list_scores_of(connection, staff_number, period)
        explanation = _find_explanation(connection, staff_number, period)
        if not found:
            raise UnknownFairScore("there is no such score")
        named = {one.record: fact_of(one.record) for one in explanation.most}
        known = {fact.fact_id: fact for fact in evidence.list_seen(connection, list(filter(None, named.values())))}
    facts = {record: known[fact_id] for record, fact_id in named.items() if fact_id in known}
    return FairProfile(score=found[0], explanation=explanation, facts=facts)


def list_scores_of(connection: Connection, staff_number: str, period: Period | None) -> list[ShownFairScore]:
    """One or none: somebody's score as it stands, or of a closed period. Raises NotPublished."""
    wanted = FairFilter(staff_number=staff_number)
    if period is None:
        return [_show(one) for one in fair_scores.list_fair_scores(connection, wanted, after=None, limit=1)]
    days = _days_of(connection, period)
    closed = fair_closings.list_results(connection, days, wanted, after=None, limit=1)
    return [_show_closed(one, _window_of(connection, days)) for one in closed]


def fact_of(record: str) -> UUID | None:
    """The fact that a record was made of: what follows a # names a part of it."""
    try:
        return UUID(record.partition("#")[0])
    except ValueError:
        return None


def get_explanation(pool: Pool, staff_number: str, period: Period | None) -> Explanation:
    """Raises UnknownFairScore, also for what is out of reach, and NotPublished."""
    with transaction(pool) as connection:
        return _find_explanation(connection, staff_number, period)


def show_explanation(explanation: Explanation) -> dict[str, Any]:
    shown: dict[str, Any] = orjson.loads(orjson.dumps(asdict(explanation), default=str))
    return shown


def tell_both(explanation: Explanation) -> dict[str, str]:
    return {"zh": tell(explanation, "zh"), "en": tell(explanation, "en")}


def get_change(pool: Pool, staff_number: str, *, since: Period, until: Period | None) -> ShownChange:
    """Between two closed periods, or from one until now. Raises UnknownFairScore, NotPublished."""
    with transaction(pool) as connection:
        former = _find_explanation(connection, staff_number, since)
        present = _find_explanation(connection, staff_number, until)
    change = compare_explanations(former, present)
    return ShownChange(
        staff_number=staff_number,
        before=str(change.before),
        after=str(change.after),
        by_indicator={name: str(points) for name, points in change.by_indicator.items()},
        own={name: str(points) for name, points in change.own.items()},
        text={"zh": tell_change(change, "zh"), "en": tell_change(change, "en")},
    )


def list_spreads(pool: Pool, organisation_code: str, period: Period | None) -> list[FairSpread]:
    """Of the cadres below it, by peer group. Raises UnknownOrganisation, NotPublished."""
    with transaction(pool) as connection:
        wanted = list_wanted(connection, organisation_code) or []
        if period is None:
            return fair_scores.list_spreads(connection, wanted)
        return fair_closings.list_spreads(connection, _days_of(connection, period), wanted)


def list_corrections(
    pool: Pool, period: Period, *, staff_number: str | None, before: int | None, limit: int
) -> list[FairCorrection]:
    """Raises NotPublished."""
    with transaction(pool) as connection:
        days = _days_of(connection, period)
        return fair_closings.list_corrections(connection, days, staff_number=staff_number, before=before, limit=limit)


def list_wanted(connection: Connection, organisation_code: str | None) -> list[UUID] | None:
    """The organisation and everything below it; None where none is asked for. Raises UnknownOrganisation."""
    if organisation_code is None:
        return None
    organisation = reading.find_organisation(connection, organisation_code)
    if organisation is None:
        raise UnknownOrganisation("there is no such organisation")
    return reading.list_subtree(connection, organisation.subject_id)


def open_package(
    pool: Pool, period: Period, *, reach: Reach | None = None
) -> tuple[FairWindow, Iterator[FrozenResult]]:
    """All that a closed period's scores are computed from, result by result. Raises NotPublished."""
    with transaction(pool, reach=reach) as connection:
        window = _window_of(connection, _days_of(connection, period))
    return window, _iterate(pool, window, reach)


def replay(pool: Pool, period: Period, *, workers: int = 1, most: int | None = None) -> FairReplay:
    """Compute a closed period again from its inputs and compare by hash; only that is told of anybody.

    Raises NotPublished, TooManyToRecompute.
    """
    with gather_crew(pool, workers) as crew, transaction(pool, reach=SYSTEM) as connection:
        window = _window_of(connection, _days_of(connection, period))
        if most is not None and window.result_count > most:
            raise TooManyToRecompute(f"more than {most} results are computed again by the command, not over the door")
        settings, span = read_window_settings(window), read_window_span(window)
        days = window.starts_on, window.ends_on
        expected: dict[str, tuple[bytes, bytes]] = {}

        def read() -> Iterator[list[str]]:
            for page in _list_pages(connection, days):
                expected.update({str(one.cadre_id): (one.inputs_hash, one.content_hash) for one in page})
                yield [one.inputs for one in page]

        total, count, differing = WindowHash(days, span, settings), 0, []
        for cadre, *hashes in recompute(connection, crew, read(), span, settings):
            total.add(cadre, *hashes)
            count += 1
            if tuple(hashes) != expected[cadre]:
                differing.append(cadre)
    return FairReplay(
        window=f"{days[0]}..{days[1]}",
        results=count,
        expected=window.content_hash.hex(),
        found=total.digest().hex(),
        differing=tuple(differing),
    )


def _list_pages(connection: Connection, days: Days) -> Iterator[list[FrozenResult]]:
    after = None
    while page := fair_closings.list_frozen(connection, days, after=after, limit=PAGE):
        yield page
        after = page[-1].cadre_id


def _iterate(pool: Pool, window: FairWindow, reach: Reach | None) -> Iterator[FrozenResult]:
    after = None
    while True:
        with transaction(pool, reach=reach) as connection:
            days = window.starts_on, window.ends_on
            page = fair_closings.list_frozen(connection, days, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].cadre_id


def _find_explanation(connection: Connection, staff_number: str, period: Period | None) -> Explanation:
    if period is None:
        data = fair_scores.find_explanation(connection, staff_number)
    else:
        days = _days_of(connection, period)
        found = fair_closings.list_results(connection, days, FairFilter(staff_number=staff_number), after=None, limit=1)
        data = orjson.loads(found[0].document)["explanation"] if found else None
    if data is None:
        raise UnknownFairScore("there is no such score")
    return replace(read_explanation(data), cadre=staff_number)


def _days_of(connection: Connection, period: Period) -> Days:
    days = fair_closings.find_days(connection, period)
    if days is None:
        raise NotPublished("that period is not closed, or was before it was scored by this scheme")
    return days


def _window_of(connection: Connection, days: Days) -> FairWindow:
    window = fair_closings.find_window(connection, *days)
    if window is None:
        raise NotPublished("that period is not closed, or was before it was scored by this scheme")
    return window


def _show(score: fair_scores.FairScore) -> ShownFairScore:
    return ShownFairScore(
        staff_number=score.staff_number,
        name=score.name,
        organisation_code=score.organisation_code,
        organisation_name=score.organisation_name,
        peer_group=score.peer_group,
        starts_on=score.starts_on,
        ends_on=score.ends_on,
        score=str(score.score),
        lower=str(score.lower),
        upper=str(score.upper),
        reliability=str(score.reliability),
        band=score.band,
        rank_best=score.rank_best,
        rank_worst=score.rank_worst,
        award_zone=score.award_zone,
        points=score.points,
        flags=score.flags,
        scheme=f"{score.scheme_name} {score.scheme_version}",
        content_hash=score.content_hash.hex(),
        computed_at=score.computed_at,
    )


def _show_closed(one: fair_closings.FairResult, window: FairWindow) -> ShownFairScore:
    told: Mapping[str, Any] = orjson.loads(one.document)
    return ShownFairScore(
        staff_number=one.staff_number,
        name=one.name,
        organisation_code=one.organisation_code,
        organisation_name=one.organisation_name,
        peer_group=one.peer_group,
        starts_on=window.starts_on,
        ends_on=window.ends_on,
        score=told["score"],
        lower=told["lower"],
        upper=told["upper"],
        reliability=told["reliability"],
        band=told["band"],
        rank_best=told["rank_best"],
        rank_worst=told["rank_worst"],
        award_zone=told["award_zone"],
        points=told["points"],
        flags=told["reasons"],
        scheme=f"{window.scheme_name} {window.scheme_version}",
        content_hash=one.content_hash.hex(),
        computed_at=None,
    )
