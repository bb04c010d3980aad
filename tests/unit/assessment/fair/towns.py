"""Small towns with records of every kind, for tests that need somebody to be compared with."""

import random

from services.assessment.fair.records import DAY, Cadre, Contact, Dossier, Issue, Outcome, Rating, Span

YEAR = 365 * DAY
SPAN = Span(starts_at=0, ends_at=YEAR, as_of=YEAR + 30 * DAY)
OUTCOMES: tuple[Outcome, ...] = ("solved", "solved", "solved", "unsolved", "explained", "")


def make_town(seed: int = 1, *, cadres: int = 40, issues: int = 12) -> list[Dossier]:
    draw = random.Random(seed)  # noqa: S311 - invention, not secrets
    return [_make_dossier(draw, number, issues) for number in range(cadres)]


def _make_dossier(draw: random.Random, number: int, issues: int) -> Dossier:
    skill = draw.random()
    cadre = Cadre(
        cadre=f"C{number:03}",
        peer_group=f"P{number % 2}",
        region=f"R{number % 3}",
        unit=f"U{number % 5}",
        deprivation=number % 3 * 500_000,
        target=12,
    )
    dossier = Dossier(cadre=cadre)
    for place in range(draw.randrange(issues // 2, issues * 2)):
        issue = make_issue(draw, f"{cadre.cadre}-{place}", skill)
        dossier.issues.append(issue)
        if issue.closed_at is not None and draw.random() < 0.5:
            dossier.ratings.append(
                Rating(
                    rating=f"{issue.issue}-g",
                    subject_kind="issue",
                    subject=issue.issue,
                    method=draw.choice(("callback", "app", "on_site")),
                    level=min(5, max(1, round(draw.gauss(2 + 2 * skill + (1.3 if outcome_is_good(issue) else 0), 1)))),
                    rated_at=issue.closed_at + DAY,
                    rater=issue.complainant,
                    device=f"d-{issue.complainant}",
                )
            )
    for place in range(draw.randrange(4, 16)):
        at = draw.randrange(YEAR)
        dossier.contacts.append(
            Contact(
                contact=f"{cadre.cadre}-v{place}",
                kind="visit",
                occurred_at=at,
                recorded_at=at + draw.randrange(10 * DAY),
                duration_minutes=draw.randrange(3, 60),
                citizen=f"h{draw.randrange(30)}",
                is_confirmed=draw.random() < 0.6,
            )
        )
    return dossier


def outcome_is_good(issue: Issue) -> bool:
    return issue.outcome == "solved" and not issue.is_denied


def make_issue(draw: random.Random, name: str, skill: float) -> Issue:
    received_at = draw.randrange(YEAR)
    outcome: Outcome = "solved" if draw.random() < skill * 0.5 else draw.choice(OUTCOMES)
    taken = int(draw.uniform(0.1, 1.4) * 5 * DAY)
    return Issue(
        issue=name,
        category=draw.choice("abc"),
        complexity=draw.choice("12"),
        received_at=received_at,
        channel="hotline",
        complainant=f"c{draw.randrange(400)}",
        place=draw.choice("xyz"),
        answered_at=received_at + draw.randrange(2 * DAY),
        closed_at=received_at + taken if outcome else None,
        answer_allowed=DAY,
        close_allowed=5 * DAY,
        outcome=outcome,
        is_denied=outcome == "solved" and draw.random() < 0.05,
        has_reply=draw.random() < 0.7,
    )
