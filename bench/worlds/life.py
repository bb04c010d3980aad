"""What honestly happens: a year of issues, answers, solutions, ratings and contacts of one person."""

import math
import random

from bench.worlds.families import Family
from bench.worlds.people import Kind, Person, Population
from services.assessment.fair.records import DAY, Contact, Dossier, Handover, Issue, Method, Rating, Span

HOUR = 3_600
YEAR = 365 * DAY
ANSWER_ALLOWED = DAY
QUARTER = YEAR // 4
SPAN = Span(
    starts_at=0,
    ends_at=YEAR,
    as_of=YEAR + 30 * DAY,
    quarter_ends=tuple(QUARTER * number for number in range(1, 5)),
)


def live(seed: str, population: Population, person: Person) -> Dossier:
    draw = random.Random(f"{seed}/life/{person.cadre.cadre}")
    dossier = Dossier(cadre=person.cadre)
    regulars = [f"{person.cadre.unit}-r{draw.randrange(40)}" for _ in range(3)]
    for number in range(person.caseload):
        kind = draw.choices(population.kinds, person.weights_of_kinds)[0]
        citizen = _draw_citizen(draw, person, regulars)
        make_issue(draw, population.family, person, dossier, (f"{person.cadre.cadre}-i{number}", kind, citizen))
    _make_contacts(draw, person, dossier)
    if person.look_alike == "hands on by rule":
        _hand_on_by_rule(draw, dossier)
    return dossier


def _draw_citizen(draw: random.Random, person: Person, regulars: list[str]) -> str:
    chance = 0.35 if person.look_alike == "regulars" else 0.06
    return draw.choice(regulars) if draw.random() < chance else f"{person.cadre.unit}-c{draw.randrange(100_000)}"


def chance_of(family: Family, logit: float) -> float:
    if family.is_linear:
        return min(0.99, max(0.02, 0.5 + 0.17 * logit))
    return 1 / (1 + math.exp(-logit))


def make_issue(
    draw: random.Random, family: Family, person: Person, dossier: Dossier, what: tuple[str, Kind, str]
) -> Issue:
    issue_id, kind, citizen = what
    strain = family.load * math.log((person.caseload + 2) / (family.caseload + 2))
    hardship = person.hardship + strain
    received_at = draw.randrange(YEAR)
    skills = person.skills
    quick = 2.2 if person.look_alike == "quick desk" else 0.0
    answer = 2 ** (
        -1.4 - 0.55 * skills["timeliness"] + 0.4 * hardship + 0.3 * kind.slowness - quick + draw.gauss(0, 1.1)
    )
    allowed = (5, 10, 20)[kind.complexity] * DAY
    explained = min(0.9, kind.explained * (3 if person.look_alike == "strict policy" else 1))
    is_explained = draw.random() < explained
    logit = 1.1 + family.skill * skills["resolution"] - kind.hardness - hardship
    is_solved = not is_explained and draw.random() < chance_of(family, logit)
    taken = 2 ** (-0.8 - 0.45 * skills["speed"] + 0.4 * hardship + 0.5 * kind.slowness - quick + draw.gauss(0, 0.9))
    closed_at = received_at + int(allowed * (taken if is_solved else min(max(taken, 0.6), 1.6)))
    has_reply = draw.random() < chance_of(family, 1.3 + 0.8 * skills["reply"] - 0.3 * hardship)
    is_open = not is_solved and not is_explained and draw.random() < 0.3
    is_checked = draw.random() < family.callback
    is_denied = is_solved and is_checked and draw.random() < family.false_denial
    is_reopened = is_solved and draw.random() < 0.015
    issue = Issue(
        issue=issue_id,
        category=f"k{kind.category}",
        complexity=str(kind.complexity),
        received_at=received_at,
        channel="hotline",
        complainant=citizen,
        place=f"{person.cadre.unit}-p{draw.randrange(12)}",
        answered_at=min(received_at + int(ANSWER_ALLOWED * answer), closed_at) if not is_open or answer < 4 else None,
        closed_at=None if is_open else closed_at,
        answer_allowed=ANSWER_ALLOWED,
        close_allowed=allowed,
        outcome="" if is_open else "solved" if is_solved else "explained" if is_explained else "unsolved",
        is_reopened=is_reopened,
        is_denied=is_denied,
        is_checked=is_checked and not is_open,
        has_reply=has_reply and not is_open,
    )
    dossier.issues.append(issue)
    rate(draw, family, person, dossier, (issue, is_solved and not is_denied))
    return issue


def rate(draw: random.Random, family: Family, person: Person, dossier: Dossier, what: tuple[Issue, bool]) -> None:
    """At most one channel rates an issue; the citizen's temper goes with the citizen."""
    issue, is_solved = what
    if issue.closed_at is None:
        return
    if issue.is_checked:
        method: Method | None = "callback" if draw.random() < 0.7 else None
    else:
        method = draw.choices(("app", "on_site", None), (family.app, family.on_site, 1 - family.app - family.on_site))[
            0
        ]
    if method is None:
        return
    temper = random.Random(f"temper/{issue.complainant}").gauss(0, family.leniency)
    latent = (
        0.15
        + 0.6 * person.skills["satisfaction"]
        + (0.9 if is_solved else 0.1 if issue.outcome == "explained" else -0.5)
        - 0.5 * person.hardship
        + (family.on_site_bonus if method == "on_site" else 0)
        + temper
        + draw.gauss(0, family.rating_noise)
    )
    is_kiosk = method == "on_site" and person.look_alike == "kiosk"
    dossier.ratings.append(
        Rating(
            rating=f"{issue.issue}-g",
            subject_kind="issue",
            subject=issue.issue,
            method=method,
            level=1 + sum(latent > step for step in (-1.6, -0.9, -0.2, 0.6)),
            rated_at=issue.closed_at + draw.randrange(HOUR, 5 * DAY),
            rater=issue.complainant if draw.random() < 0.97 else "",
            device=f"{person.cadre.unit}-kiosk" if is_kiosk else f"d-{issue.complainant}",
            is_public_device=is_kiosk,
        )
    )


def _make_contacts(draw: random.Random, person: Person, dossier: Dossier) -> None:
    wanted = person.cadre.target * math.exp(0.3 * person.skills["outreach"] - 0.1 * person.hardship)
    for number in range(max(0, round(draw.gauss(wanted, math.sqrt(wanted))))):
        occurred_at = draw.randrange(YEAR)
        if person.look_alike == "holiday visits" and draw.random() < 0.4:
            occurred_at = (draw.randrange(4) + 1) * QUARTER - draw.randrange(3 * DAY) - 1
        late = draw.random() < 0.1
        dossier.contacts.append(
            Contact(
                contact=f"{person.cadre.cadre}-v{number}",
                kind="visit",
                occurred_at=occurred_at,
                recorded_at=occurred_at + (draw.randrange(8 * DAY, 20 * DAY) if late else draw.randrange(2 * DAY)),
                duration_minutes=draw.randrange(8, 90),
                citizen=f"{person.cadre.unit}-h{draw.randrange(80)}",
                is_confirmed=draw.random() < person.confirms,
            )
        )


def _hand_on_by_rule(draw: random.Random, dossier: Dossier) -> None:
    """What another office is competent for goes there at once, whether or not it is hard."""
    for issue in list(dossier.issues):
        if draw.random() < 0.2:
            hand_on(dossier, issue, issue.received_at + DAY)


def hand_on(dossier: Dossier, issue: Issue, handed_at: int) -> None:
    """Who gets it is found when everybody's records are there."""
    dossier.handovers.append(
        Handover(
            issue=issue.issue,
            category=issue.category,
            complexity=issue.complexity,
            handed_at=handed_at,
            channel=issue.channel,
            received_at=issue.received_at,
            close_allowed=issue.close_allowed,
        )
    )
