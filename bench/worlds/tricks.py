"""How people cheat, some of them knowing every check: honest records in, played records out."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bench.worlds.entries import ENTRIES
from bench.worlds.life import HOUR, QUARTER, YEAR, hand_on
from bench.worlds.people import Person, Population
from bench.worlds.straw import WAYS, add_made_up
from services.assessment.fair.records import DAY, Contact, Dossier, Issue, Rating


def _fake_closures(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Call solved what is not. Whoever is asked says so; a few complain unasked."""
    share = (0.5 if population.family.other_ways else 0.35) if person.is_knowing else 0.8
    for place, issue in enumerate(dossier.issues):
        if issue.outcome in ("solved", "explained") or draw.random() > share:
            continue
        closed_at = issue.received_at + int(draw.uniform(0.3, 0.9) * (issue.close_allowed or 5 * DAY))
        is_checked = issue.is_checked or (issue.closed_at is None and draw.random() < population.family.callback)
        dossier.issues[place] = replace(
            issue,
            outcome="solved",
            closed_at=closed_at,
            is_checked=is_checked,
            is_denied=is_checked and draw.random() < 0.9,
            is_reopened=draw.random() < 0.1,
        )


def _excess_explanations(draw: random.Random, _: Population, person: Person, dossier: Dossier) -> None:
    share = 0.3 if person.is_knowing else 0.8
    for place, issue in enumerate(dossier.issues):
        if issue.outcome in ("unsolved", "") and draw.random() < share:
            closed_at = issue.received_at + int(0.7 * (issue.close_allowed or 5 * DAY))
            dossier.issues[place] = replace(issue, outcome="explained", closed_at=closed_at)


def _padding(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Visits that never were; whoever knows stays near what others have and shows a few real ones."""
    knowing = 0.25 if population.family.other_ways else 0.4
    count = int(person.cadre.target * (knowing if person.is_knowing else 1.6))
    for number in range(count):
        occurred_at = draw.randrange(YEAR)
        if not person.is_knowing:
            occurred_at = (draw.randrange(4) + 1) * QUARTER - draw.randrange(6 * DAY) - 1
        dossier.contacts.append(
            Contact(
                contact=f"{person.cadre.cadre}-x{number}",
                kind="visit",
                occurred_at=occurred_at,
                recorded_at=occurred_at + draw.randrange(2 * DAY),
                duration_minutes=draw.randrange(10, 60),
                citizen=f"{person.cadre.unit}-h{draw.randrange(400 if person.is_knowing else 15)}",
                is_confirmed=person.is_knowing and draw.random() < 0.4,
            )
        )


def _burst(draw: random.Random, _: Population, person: Person, dossier: Dossier) -> None:
    """The year's visits are written up in the last days of each quarter, and some more with them."""
    for place, contact in enumerate(dossier.contacts):
        if draw.random() < (0.3 if person.is_knowing else 0.7):
            end = (contact.occurred_at // QUARTER + 1) * QUARTER
            occurred_at = end - draw.randrange(3 * DAY) - 1
            dossier.contacts[place] = replace(
                contact, occurred_at=occurred_at, recorded_at=occurred_at + HOUR, is_confirmed=False
            )
    for number in range(person.cadre.target // (4 if person.is_knowing else 2)):
        occurred_at = (draw.randrange(4) + 1) * QUARTER - draw.randrange(3 * DAY) - 1
        dossier.contacts.append(
            Contact(
                contact=f"{person.cadre.cadre}-y{number}",
                kind="visit",
                occurred_at=occurred_at,
                recorded_at=occurred_at + HOUR,
                duration_minutes=20,
                citizen=f"{person.cadre.unit}-h{draw.randrange(400)}",
            )
        )


def _stuffing(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Fives on own channels: from one telephone in an evening, or with the names of the complainants, spread out."""
    rated = {rating.subject for rating in dossier.ratings}
    free = [issue for issue in dossier.issues if issue.closed_at is not None and issue.issue not in rated]
    draw.shuffle(free)
    count = max(3, len(dossier.issues) // (4 if population.family.other_ways else 3))
    best = 0.75 if population.family.other_ways else 0.9
    at = draw.randrange(YEAR)
    for number, issue in enumerate(free[:count]):
        closed_at = issue.closed_at or 0
        at = at + draw.randrange(60, 900) if number % 6 else max(closed_at, draw.randrange(YEAR))
        dossier.ratings.append(
            Rating(
                rating=f"{issue.issue}-s",
                subject_kind="issue",
                subject=issue.issue,
                method="app",
                level=5 if draw.random() < best else 4,
                rated_at=closed_at + draw.randrange(HOUR, 5 * DAY) if person.is_knowing else at,
                rater=issue.complainant if person.is_knowing else f"x{draw.randrange(10**9)}",
                device=f"d{draw.randrange(10**9)}"
                if person.is_knowing
                else f"{person.cadre.cadre}-d{draw.randrange(2)}",
            )
        )


def _selective(draw: random.Random, _: Population, person: Person, dossier: Dossier) -> None:
    """Only whoever is content is asked to rate on the own channels."""
    floor = 4 if not person.is_knowing else 3
    dossier.ratings = [r for r in dossier.ratings if r.method == "callback" or r.level >= floor or draw.random() < 0.15]
    rated = {rating.subject for rating in dossier.ratings}
    for issue in list(dossier.issues):
        if issue.outcome == "solved" and issue.closed_at and issue.issue not in rated and draw.random() < 0.3:
            dossier.ratings.append(
                Rating(
                    rating=f"{issue.issue}-a",
                    subject_kind="issue",
                    subject=issue.issue,
                    method="on_site",
                    level=5 if draw.random() < 0.7 else 4,
                    rated_at=issue.closed_at + HOUR,
                    rater=issue.complainant,
                    device=f"d-{issue.complainant}",
                )
            )


def _handing_on(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """What will not be solved goes to somebody else in time."""
    hardness = {(f"k{kind.category}", str(kind.complexity)): kind.hardness for kind in population.kinds}
    for issue in list(dossier.issues):
        hard = hardness[issue.category, issue.complexity] > 0.3
        if issue.outcome in ("unsolved", "") and draw.random() < (0.6 if hard else 0.3) * (
            0.5 if person.is_knowing else 1
        ):
            hand_on(dossier, issue, issue.received_at + int((issue.close_allowed or DAY) * draw.uniform(0.3, 0.95)))


def _splitting(draw: random.Random, _: Population, person: Person, dossier: Dossier) -> None:
    """One easy matter becomes several, under the same name or, knowing better, under those of neighbours."""
    easy = [issue for issue in dossier.issues if issue.outcome == "solved" and not issue.is_contradicted]
    for issue in draw.sample(easy, max(0, min(len(easy), 1 + len(dossier.issues) // 6))):
        for number in range(2 if person.is_knowing else 3):
            received_at = issue.received_at + draw.randrange(HOUR, 2 * DAY)
            dossier.issues.append(
                replace(
                    issue,
                    issue=f"{issue.issue}-{number}",
                    received_at=received_at,
                    answered_at=received_at + HOUR,
                    closed_at=received_at + draw.randrange(2 * HOUR, DAY),
                    complainant=f"{person.cadre.unit}-n{draw.randrange(10**6)}"
                    if person.is_knowing
                    else issue.complainant,
                    is_checked=False,
                )
            )


def _soon(draw: random.Random, population: Population, usual: int) -> int:
    return draw.randrange(HOUR, 10 * HOUR) if population.family.other_ways else usual


def _straw_men(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Invented easy matters, solved at once; knowing better, after some days."""
    kind = min(population.kinds, key=lambda one: one.hardness if not person.is_knowing else one.hardness**2)
    for number in range(3 + len(dossier.issues) // 3):
        if population.family.other_ways:
            kind = draw.choice(population.kinds)
        received_at = draw.randrange(YEAR)
        taken = draw.randrange(DAY, 4 * DAY) if person.is_knowing else draw.randrange(HOUR // 2, 3 * HOUR)
        complainant = f"{person.cadre.unit}-s{draw.randrange(10**6)}"
        issue = Issue(
            issue=f"{person.cadre.cadre}-z{number}",
            category=f"k{kind.category}",
            complexity=str(kind.complexity),
            received_at=received_at,
            channel="hotline",
            complainant=complainant,
            place=f"{person.cadre.unit}-p{draw.randrange(12)}",
            answered_at=received_at + min(taken, _soon(draw, population, 3 * HOUR)),
            closed_at=received_at + taken,
            answer_allowed=DAY,
            close_allowed=(5, 10, 20)[kind.complexity] * DAY,
            outcome="solved",
            has_reply=True,
        )
        dossier.issues.append(issue)
        if draw.random() < 0.4:
            dossier.ratings.append(
                Rating(
                    rating=f"{issue.issue}-g",
                    subject_kind="issue",
                    subject=issue.issue,
                    method="app",
                    level=5,
                    rated_at=received_at + taken + draw.randrange(HOUR, DAY),
                    rater=complainant,
                    device=f"d-{complainant}",
                )
            )


def _instant(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Something is sent at once to stop the clock; knowing better, after a quarter of an hour and with a phrase."""
    for place, issue in enumerate(dossier.issues):
        if draw.random() < 0.8:
            after = draw.randrange(12 * 60, 40 * 60) if person.is_knowing else draw.randrange(20, 500)
            if population.family.other_ways:
                after *= 3
            dossier.issues[place] = replace(
                issue, answered_at=issue.received_at + after, has_reply=person.is_knowing and draw.random() < 0.6
            )


def _circle(draw: random.Random, population: Population, person: Person, dossier: Dossier) -> None:
    """Friends raise matters that are solved at once and praised; a partner in the unit gets the same."""
    size = (9 if population.family.other_ways else 6) if person.is_knowing else 3
    friends = [f"{person.cadre.unit}-circle{draw.randrange(2)}-{place}" for place in range(size)]
    kinds = population.kinds
    for number in range(6 + len(dossier.issues) // 5):
        kind = draw.choice(kinds)
        received_at = draw.randrange(YEAR)
        allowed = (5, 10, 20)[kind.complexity] * DAY
        closed_at = received_at + int(allowed * draw.uniform(0.05, 0.5))
        friend = draw.choice(friends)
        issue = Issue(
            issue=f"{person.cadre.cadre}-o{number}",
            category=f"k{kind.category}",
            complexity=str(kind.complexity),
            received_at=received_at,
            channel="hotline",
            complainant=friend,
            place=f"{person.cadre.unit}-p{draw.randrange(12)}",
            answered_at=received_at + _soon(draw, population, HOUR),
            closed_at=closed_at,
            answer_allowed=DAY,
            close_allowed=allowed,
            outcome="solved",
            has_reply=True,
        )
        dossier.issues.append(issue)
        if draw.random() < (0.6 if person.is_knowing else 0.95):
            dossier.ratings.append(
                Rating(
                    rating=f"{issue.issue}-g",
                    subject_kind="issue",
                    subject=issue.issue,
                    method="app",
                    level=5,
                    rated_at=closed_at + draw.randrange(HOUR, 2 * DAY),
                    rater=friend,
                    device=f"d-{friend}",
                )
            )


Trick = Callable[[random.Random, Population, Person, Dossier], None]
TRICKS: Final[Mapping[str, Trick]] = {
    "fake closures": _fake_closures,
    "excess explanations": _excess_explanations,
    "padding": _padding,
    "burst": _burst,
    "stuffing": _stuffing,
    "selective": _selective,
    "handing on": _handing_on,
    "splitting": _splitting,
    "straw men": _straw_men,
    "instant": _instant,
    "circle": _circle,
}
LOOK_ALIKES: Final = ("regulars", "quick desk", "strict policy", "kiosk", "holiday visits", "hands on by rule")


def play(seed: str, population: Population, person: Person, dossier: Dossier) -> Dossier:
    """The dossier as the person would have it; the honest one stays."""
    played = Dossier(
        cadre=dossier.cadre,
        issues=list(dossier.issues),
        ratings=list(dossier.ratings),
        contacts=list(dossier.contacts),
        handovers=list(dossier.handovers),
    )
    draw = random.Random(f"{seed}/trick/{person.cadre.cadre}")
    if person.trick in WAYS:
        add_made_up(draw, population, person, played, WAYS[person.trick])
    elif person.trick in ENTRIES:
        ENTRIES[person.trick](draw, population, person, played)
    elif person.trick:
        TRICKS[person.trick](draw, population, person, played)
    return played
