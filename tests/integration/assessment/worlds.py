"""Generated worlds of ratings: few cases, shared raters, late ratings, transfers, reviews; and what went where.

The reckoning here is simple and slow on purpose, and shares no line with the product: it keeps lists of answers.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from tests.integration.assessment.conftest import ZONE
from tests.integration.assessment.story import Story

MONTHS = range(1, 13)
PERIODS = {
    **{f"2025-{month:02}": range(month, month + 1) for month in MONTHS},
    **{f"2025Q{quarter}": range(quarter * 3 - 2, quarter * 3 + 1) for quarter in range(1, 5)},
    **{f"2025H{half}": range(half * 6 - 5, half * 6 + 1) for half in (1, 2)},
    "2025": MONTHS,
}
Answer = tuple[str, UUID]  # the question and the rating


@dataclass
class Rating:
    rating_id: UUID
    issue_id: UUID
    rater: UUID | None
    month: int
    level: int
    solved: bool | None
    is_set_aside: bool = False


@dataclass
class Atom:
    """Answers that were released together: of a cadre and a run of months, or of an organisation's year."""

    question: str
    cadre: str | None
    organisations: set[str]
    months: range
    answers: set[Answer]


@dataclass
class World:
    """What is told month by month, and the reckoning of what may be known of it."""

    seed: int
    k: int
    story: Story = field(default_factory=Story)
    above: dict[str, str | None] = field(default_factory=dict)
    units: dict[str, UUID] = field(default_factory=dict)
    cadres: dict[str, UUID] = field(default_factory=dict)
    placed: dict[UUID, tuple[str, str, bool]] = field(default_factory=dict)  # issue: unit, cadre, closed as resolved
    ratings: list[Rating] = field(default_factory=list)
    atoms: list[Atom] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311 - repeatable worlds, not secrets
        self.review = random.Random(self.seed)  # noqa: S311 - same
        for code, above in (("C", None), ("T0", "C"), ("T1", "C"), ("V0", "T0")):
            self.above[code] = above
            self.units[code] = self.story.organisation(code, self.units[above] if above else None)
        for number in range(5):
            code = f"S{number:03}"
            self.cadres[code] = self.story.cadre(code)
            self.story.post(self.cadres[code], self.units[self.draw.choice(["T0", "T1", "V0"])])
        self.busy = {code: self.draw.choice([0.5, 2, 4, 9]) * self.k / 10 for code in self.cadres}
        self.people = [UUID(int=0xFACE0000 + number) for number in range(self.k * 4)]

    def tell_month(self, month: int) -> None:
        """New issues and ratings, late ratings of earlier months, issues that go to somebody else, and reviews."""
        for code in self.cadres:
            for _ in range(round(self.draw.expovariate(1 / self.busy[code]))):
                self._tell_issue(code, month)
        for rating in self.draw.sample(self.ratings, min(2, len(self.ratings))):
            self._move(rating.issue_id)
        for rating in self.review.sample(self.ratings, min(3, len(self.ratings))):
            self._turn(rating)

    def _turn(self, rating: Rating) -> None:
        """Set it aside, or let it count again."""
        if rating.is_set_aside:
            self.story.review(rating.rating_id, counts=True)
        else:
            self.story.set_aside(rating.rating_id)
        rating.is_set_aside = not rating.is_set_aside

    def _tell_issue(self, code: str, month: int) -> None:
        unit = self.draw.choice(["T0", "T1", "V0"]) if self.draw.random() < 0.2 else self._unit_of(code)
        at = datetime(2025, month, self.draw.randint(1, 20), 9, tzinfo=ZONE)
        citizen = self.draw.choice(self.people) if self.draw.random() < 0.9 else None
        issue_id = self.story.issue(
            self.units[unit], self.cadres[code], at, due_at=at + timedelta(days=5), citizen_ref=citizen
        )
        outcome = self.draw.choice(["resolved", "resolved", "explained_policy"])
        self.story.close(issue_id, at + timedelta(days=2), outcome)
        self.placed[issue_id] = (unit, code, outcome == "resolved")
        if self.draw.random() < 0.9:
            late = month > 1 and self.draw.random() < 0.15  # told now, and given before the last month was closed
            self.rate(issue_id, citizen, month - late, at=at - timedelta(days=31) if late else at + timedelta(days=3))

    def rate(self, issue_id: UUID, rater: UUID | None, month: int, *, at: datetime, level: int | None = None) -> None:
        level = level or self.draw.choice([1, 2, 3, 4, 5])
        solved = self.draw.choice([True, level > 2, None]) if level else None
        at = at.replace(month=month, day=min(at.day, 25))
        told_by = self.draw.random() < 0.5  # the event names the rater, or only the issue names the citizen
        rating_id = self.story.rate(at, level, issue_id=issue_id, solved=solved, rater_ref=rater if told_by else None)
        self.ratings.append(Rating(rating_id, issue_id, rater, month, level, solved))

    def _unit_of(self, code: str) -> str:
        return ["T0", "T1", "V0"][list(self.cadres).index(code) % 3]

    def _move(self, issue_id: UUID) -> None:
        _, _, resolved = self.placed[issue_id]
        code = self.draw.choice(list(self.cadres))
        unit = self._unit_of(code)
        self.story.assign(issue_id, self.units[unit], self.cadres[code])
        self.placed[issue_id] = (unit, code, resolved)

    # The reckoning.

    def close_month(self, month: int) -> None:
        told = {answer for atom in self.atoms for answer in atom.answers}
        left: dict[str, dict[str, set[Answer]]] = {"level": {}, "solved": {}}
        for question in ("level", "solved"):
            for code in self.cadres:
                mine = {
                    (question, rating.rating_id): self.placed[rating.issue_id][0]
                    for rating in self.ratings
                    if self.placed[rating.issue_id][1] == code
                    and rating.month <= month
                    and not rating.is_set_aside
                    and self._asks(question, rating)
                }
                waiting = {answer: unit for answer, unit in mine.items() if answer not in told}
                before = [atom.months.stop for atom in self.atoms if (atom.question, atom.cadre) == (question, code)]
                months = range(max(before, default=1), month + 1)
                if self._may_end(self.people_of(waiting), months):
                    self.atoms.append(Atom(question, code, self._homes(waiting.values()), months, set(waiting)))
                else:
                    for answer, unit in waiting.items():
                        left[question].setdefault(unit, set()).add(answer)
            if month == 12:
                self._pool(question, left[question])

    def _may_end(self, people: int, months: range) -> bool:
        """Enough people, and at their pace twice as many as needed until June or December."""
        month = months[-1]
        rest = (6 if month <= 6 else 12) - month
        return people >= self.k and (rest == 0 or Fraction(people, len(months)) * rest >= 2 * self.k)

    def _pool(self, question: str, left: dict[str, set[Answer]]) -> None:
        for unit in ("V0", "T0", "T1", "C"):
            answers = left.pop(unit, set())
            if self.people_of(answers) >= self.k:
                self.atoms.append(Atom(question, None, set(self._line(unit)), MONTHS, answers))
            elif (above := self.above[unit]) is not None:
                left.setdefault(above, set()).update(answers)

    def _asks(self, question: str, rating: Rating) -> bool:
        return question == "level" or (rating.solved is not None and self.placed[rating.issue_id][2])

    def _line(self, unit: str | None) -> Iterator[str]:
        while unit is not None:
            yield unit
            unit = self.above[unit]

    def _homes(self, units: Any) -> set[str]:
        return set.intersection(*(set(self._line(unit)) for unit in units))

    def people_of(self, answers: Any) -> int:
        return len({self.rater_of[answer] for answer in answers} - {None})

    @property
    def rater_of(self) -> dict[Answer, UUID | None]:
        return {(question, one.rating_id): one.rater for one in self.ratings for question in ("level", "solved")}

    @property
    def positive(self) -> set[Answer]:
        satisfied = {("level", one.rating_id) for one in self.ratings if one.level >= 3}
        return satisfied | {("solved", one.rating_id) for one in self.ratings if one.solved}

    def released(self, kind: str, code: str, period: str, question: str) -> frozenset[Answer] | None:
        """The answers in a figure that may be shown. None where it may not."""
        months = PERIODS[period]
        within = [
            atom
            for atom in self.atoms
            if atom.question == question and atom.months.start >= months.start and atom.months.stop <= months.stop
        ]
        if kind == "organisation":
            chosen = [atom for atom in within if code in atom.organisations]
            return frozenset().union(*(atom.answers for atom in chosen)) if chosen else None
        chosen = [atom for atom in within if atom.cadre == code]
        covered = sorted(month for atom in chosen for month in atom.months)
        return frozenset().union(*(atom.answers for atom in chosen)) if covered == list(months) else None

    def given(self, kind: str, code: str, period: str, question: str) -> frozenset[Answer]:
        """Every answer about the subject that was given in the period: what a careless release would sum."""
        return frozenset(
            (question, rating.rating_id)
            for rating in self.ratings
            if rating.month in PERIODS[period] and self._asks(question, rating) and self._is_about(kind, code, rating)
        )

    def _is_about(self, kind: str, code: str, rating: Rating) -> bool:
        unit, cadre, _ = self.placed[rating.issue_id]
        return cadre == code if kind == "cadre" else code in self._line(unit)
