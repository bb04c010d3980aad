"""What may be told of ratings: releases, each the answers of at least k people, formed as months close.

Everything that a cadre, a unit or a machine is shown of ratings is a sum of whole releases, and an answer is in one
release at most. So no comparison of periods, cadres and units comes down to the answers of fewer than k people.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.organisations import depth_of, line_of
from services.assessment.domain.periods import Period, period_of

Question = Literal["level", "solved"]  # satisfied or not; what was closed as resolved is solved or not
HolderKind = Literal["cadre", "organisation", "pool"]
QUESTIONS: Final[tuple[Question, ...]] = ("level", "solved")
FEWEST_RATERS: Final = 5  # no setting goes below
RELEASE_NAMESPACE: Final = UUID("6c69616e-7869-6e2d-8072-656c65617365")

Parents = Mapping[UUID, UUID | None]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Holder:
    """Whose answers: a cadre's, an organisation's that no cadre answers for, or what a year left over below one."""

    kind: HolderKind
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One rating's answer to one question. `rater` is None where nobody says who it was."""

    rating_id: UUID
    question: Question
    holder: Holder
    organisation_id: UUID
    rater: UUID | None
    positive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    question: Question
    holder: Holder
    home_id: UUID | None  # the lowest organisation that has all of it
    first_month: date
    last_month: date
    answers: int
    positive: int
    raters: int
    rating_ids: tuple[UUID, ...] = ()

    @property
    def release_id(self) -> UUID:
        holder = f"{self.holder.kind}/{self.holder.id}"
        return uuid.uuid5(RELEASE_NAMESPACE, f"{self.question}/{holder}/{self.first_month}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The sum of some releases."""

    answers: int = 0
    positive: int = 0

    def plus(self, release: Release) -> "Told":
        return Told(answers=self.answers + release.answers, positive=self.positive + release.positive)


def count_people(answers: Iterable[Answer]) -> int:
    """How many people these answers surely come from.

    Who is unknown adds nobody: he may be any of the known, and the unknown of two issues may be one person.
    """
    return len({answer.rater for answer in answers} - {None})


def form_releases(
    waiting: Iterable[Answer],
    month: date,
    *,
    begun: Mapping[tuple[Question, Holder], date],
    parents: Parents,
    raters_needed: int,
) -> list[Release]:
    """Close a month: of each holder whose waiting answers come from enough people, the run of months that ends with it.

    A run goes on to the end of its half-year where it would leave too little for another one behind it.

    `waiting` is every answer up to the month that no release has; `begun` says where the run of a holder begins, if
    not with the year. With December what is left over is pooled up the organisation tree.
    """
    runs: dict[tuple[Question, Holder], list[Answer]] = {}
    for answer in waiting:
        runs.setdefault((answer.question, answer.holder), []).append(answer)
    formed, left = [], []
    for (question, holder), answers in sorted(runs.items()):
        first_month = begun.get((question, holder), date(month.year, 1, 1))
        people = count_people(answers)
        if people < raters_needed or not leaves_enough(people, first_month, month, raters_needed=raters_needed):
            left += answers
            continue
        home_id = find_home((answer.organisation_id for answer in answers), parents)
        formed.append(_release(holder, answers, home_id=home_id, months=(first_month, month)))
    if month.month == 12:
        for question in QUESTIONS:
            formed += _pool([a for a in left if a.question == question], month.year, parents, raters_needed)
    return formed


def leaves_enough(people: int, first_month: date, month: date, *, raters_needed: int) -> bool:
    """Whether the rest of the half-year, at the pace so far, would bring twice the people that a release needs.

    A release that leaves too little behind it withholds the half-year, and the year, that it begins.
    """
    months_left = (12 - month.month) % 6
    months_gone = month.month - first_month.month + 1  # a run begins with the year, or in it
    return months_left == 0 or people * months_left >= 2 * raters_needed * months_gone


def find_home(organisation_ids: Iterable[UUID], parents: Parents) -> UUID | None:
    """The lowest organisation that all of these are, or are below of. None where there is none."""
    found = set(organisation_ids)
    if not found or NOBODY in found:
        return None
    lines = [line_of(organisation_id, parents) for organisation_id in found]
    return next((above for above in lines[0] if all(above in line for line in lines[1:])), None)


def tell_cadre(releases: Iterable[Release], period: Period) -> Told | None:
    """The sum of a cadre's releases to one question. None unless they make up the whole period and nothing beyond."""
    told = Told()
    expected = period.start
    for release in sorted(releases, key=lambda release: release.first_month):
        if not _lies_in(release, period):
            continue
        if release.first_month != expected:
            return None
        told = told.plus(release)
        expected = period_of("month", release.last_month).next_start
    return told if expected == period.next_start else None


def tell_organisations(releases: Iterable[Release], parents: Parents, period: Period) -> dict[UUID, Told]:
    """For each organisation, the sum of the releases to one question that lie in the period and are below it whole."""
    sums: dict[UUID, Told] = {}
    for release in releases:
        if release.home_id is None or not _lies_in(release, period):
            continue
        for organisation_id in line_of(release.home_id, parents):
            sums[organisation_id] = sums.get(organisation_id, Told()).plus(release)
    return sums


def _lies_in(release: Release, period: Period) -> bool:
    return period.start <= release.first_month and period_of("month", release.last_month).end <= period.end


def _pool(left: Sequence[Answer], year: int, parents: Parents, raters_needed: int) -> list[Release]:
    """Gather what is left by organisation, and hand up what is still too little, the deepest first."""
    waiting: dict[UUID, list[Answer]] = {}
    for answer in left:
        if answer.organisation_id != NOBODY:
            waiting.setdefault(answer.organisation_id, []).append(answer)
    reached = {above for organisation_id in waiting for above in line_of(organisation_id, parents)}
    formed = []
    for organisation_id in sorted(reached, key=lambda one: (-depth_of(one, parents), one)):
        answers = waiting.pop(organisation_id, [])
        if count_people(answers) >= raters_needed:
            holder = Holder(kind="pool", id=organisation_id)
            months = date(year, 1, 1), date(year, 12, 1)
            formed.append(_release(holder, answers, home_id=organisation_id, months=months))
        elif (above := parents.get(organisation_id)) is not None:
            waiting.setdefault(above, []).extend(answers)
    return formed


def _release(holder: Holder, answers: Sequence[Answer], *, home_id: UUID | None, months: tuple[date, date]) -> Release:
    return Release(
        question=answers[0].question,
        holder=holder,
        home_id=home_id,
        first_month=months[0],
        last_month=months[1],
        answers=len(answers),
        positive=sum(answer.positive for answer in answers),
        raters=count_people(answers),
        rating_ids=tuple(sorted(answer.rating_id for answer in answers)),
    )
