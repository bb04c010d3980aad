"""Made-up matters in many ways: how many, of which kinds, how soon, how praised, with which faults, how often asked
about by somebody else. Nobody whom they are said to come from knows of them; who is asked says so.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.worlds.life import ANSWER_ALLOWED, HOUR, YEAR
from bench.worlds.people import Kind, Person, Population
from services.assessment.fair.records import DAY, Dossier, Issue, Rating

FAULTS: Final = ("late", "unsolved", "no reply")
YEAR_DAYS: Final = YEAR // DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`share`: made-up matters for each honest one, and `base` more. By default of the kinds that the cadre has, and as
    soon as the cadre's own that were in time.
    """

    share: float = 1 / 3
    base: int = 3
    is_of_all_kinds: bool = False
    is_quick: bool = False
    is_hard: bool = False  # only what is hard
    days: int = YEAR_DAYS  # all within so many
    rated: float = 0.35  # on the own channel
    best: float = 1.0  # of these, with the best mark; the others with the second
    faulty: float = 0.0
    asked: float = 0.0
    is_followed_up: bool = False  # if one is found out, people are asked about all matters of the cadre


WAYS: Final = {
    "as the cadre's own": Way(),
    "of all kinds, quick": Way(is_of_all_kinds=True, is_quick=True, rated=0.4),
    "as many as honest ones": Way(share=1.0),
    "four": Way(share=0.0, base=4, rated=0.5),
    "hardly rated": Way(rated=0.05),
    "rated from borrowed telephones": Way(rated=0.8, best=0.85),
    "with faults": Way(faulty=0.2, best=0.7),
    "hard ones": Way(share=0.2, is_hard=True),
    "within two months": Way(days=60),
    "a twentieth is asked": Way(asked=0.05),
    "a tenth is asked": Way(asked=0.1),
    "a quarter is asked": Way(asked=0.25),
    "a twentieth is asked, and followed up": Way(asked=0.05, is_followed_up=True),
    "a tenth is asked, and followed up": Way(asked=0.1, is_followed_up=True),
    "a quarter is asked, and followed up": Way(asked=0.25, is_followed_up=True),
}


def add_made_up(draw: random.Random, population: Population, person: Person, dossier: Dossier, way: Way) -> None:
    own = [one for one in dossier.issues if one.outcome == "solved" and one.closed_at and one.answered_at]
    honest = len(dossier.issues)
    first_at = draw.randrange(YEAR_DAYS - way.days + 1) * DAY
    for number in range(way.base + round(way.share * len(dossier.issues))):
        kind = _draw_kind(draw, population, person, way)
        received_at = first_at + draw.randrange(way.days * DAY)
        allowed = (5, 10, 20)[kind.complexity] * DAY
        taken, answer = _draw_times(draw, own if not way.is_quick else [], allowed)
        fault = draw.choice(FAULTS) if draw.random() < way.faulty else None
        if fault == "late":
            taken = int(allowed * draw.uniform(1.02, 1.4))
        is_asked = draw.random() < way.asked
        issue = Issue(
            issue=f"{person.cadre.cadre}-z{number}",
            category=f"k{kind.category}",
            complexity=str(kind.complexity),
            received_at=received_at,
            channel="hotline",
            complainant=f"{person.cadre.unit}-s{draw.randrange(10**6)}",
            place=f"{person.cadre.unit}-p{draw.randrange(12)}",
            answered_at=received_at + min(taken, answer),
            closed_at=received_at + taken,
            answer_allowed=ANSWER_ALLOWED,
            close_allowed=allowed,
            outcome="unsolved" if fault == "unsolved" else "solved",
            has_reply=fault != "no reply",
            is_checked=is_asked,
            is_denied=is_asked,
            is_disowned=is_asked,
        )
        dossier.issues.append(issue)
        if not is_asked and draw.random() < way.rated:
            dossier.ratings.append(_rate(draw, issue, way))
    made_up = {one.issue for one in dossier.issues[honest:]}
    if way.is_followed_up and any(one.is_denied for one in dossier.issues[honest:]):
        dossier.issues = [_ask(draw, population, one, is_made_up=one.issue in made_up) for one in dossier.issues]


def _ask(draw: random.Random, population: Population, issue: Issue, *, is_made_up: bool) -> Issue:
    if issue.is_checked or issue.outcome == "":
        return issue
    is_denied = is_made_up or (issue.outcome == "solved" and draw.random() < population.family.false_denial)
    return replace(issue, is_checked=True, is_denied=is_denied, is_disowned=is_made_up)


def _draw_kind(draw: random.Random, population: Population, person: Person, way: Way) -> Kind:
    if way.is_hard:
        hardest = sorted(population.kinds, key=lambda kind: -kind.hardness)
        return draw.choice(hardest[: len(hardest) // 3])
    if way.is_of_all_kinds:
        return draw.choice(population.kinds)
    return draw.choices(population.kinds, person.weights_of_kinds)[0]


def _draw_times(draw: random.Random, own: Sequence[Issue], allowed: int) -> tuple[int, int]:
    """Until the closing and the answer: those of one of these, if it was in time."""
    if not own:
        return int(allowed * draw.uniform(0.1, 0.6)), draw.randrange(HOUR // 2, 12 * HOUR)
    one = draw.choice(own)
    taken = _share(one.received_at, one.closed_at, one.close_allowed)
    answer = _share(one.received_at, one.answered_at, one.answer_allowed)
    return int(allowed * min(0.95, taken)), int(ANSWER_ALLOWED * min(0.95, answer))


def _share(received_at: int, done_at: int | None, allowed: int | None) -> float:
    return ((done_at or received_at) - received_at) / (allowed or DAY)


def _rate(draw: random.Random, issue: Issue, way: Way) -> Rating:
    return Rating(
        rating=f"{issue.issue}-g",
        subject_kind="issue",
        subject=issue.issue,
        method="app",
        level=5 if draw.random() < way.best else 4,
        rated_at=(issue.closed_at or 0) + draw.randrange(HOUR, DAY),
        rater=issue.complainant,
        device=f"d-{issue.complainant}",
    )
