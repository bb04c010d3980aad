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


def make_explained_kind(town: list[Dossier]) -> list[Dossier]:
    """The town without matters of one kind, and somebody who has one of it, explained, and nothing else."""
    for dossier in town:
        dossier.issues = [one for one in dossier.issues if (one.category, one.complexity) != ("c", "2")]
    issue = Issue(
        issue="explained",
        category="c",
        complexity="2",
        channel="hotline",
        received_at=0,
        closed_at=DAY,
        outcome="explained",
    )
    return [*town, Dossier(cadre=Cadre(cadre="explains", peer_group="P0", region="R0", unit="U0"), issues=[issue])]


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


def make_mixed_town(seed: int, *, cadres: int) -> list[Dossier]:
    """Records of every kind, many of them at a limit or lacking something."""
    draw = random.Random(seed)  # noqa: S311 - invention, not secrets
    return [_make_mixed_dossier(draw, number) for number in range(cadres)]


def _make_mixed_dossier(draw: random.Random, number: int) -> Dossier:
    cadre = Cadre(
        cadre=f"C{number:03}",
        peer_group=draw.choice(("P0", "P0", "P1")),
        region=draw.choice(("R0", "R1", "R2")),
        unit=f"U{number % 7}",
        deprivation=draw.choice((0, 300_000, 900_000)),
        target=draw.choice((0, 1, 3, 12, 120)),
    )
    dossier = Dossier(cadre=cadre)
    for place in range(draw.randrange(14)):
        _add_mixed_issue(draw, dossier, place)
    for place in range(draw.choice((0, 3, 9, 16))):
        _add_mixed_contact(draw, dossier, place)
    return dossier


def _add_mixed_issue(draw: random.Random, dossier: Dossier, place: int) -> None:
    """Some fall due just now, and some came as long after another as still makes them one matter with it."""
    last = dossier.issues[-1] if dossier.issues else None
    drawn = draw.choice((draw.randrange(YEAR), SPAN.as_of - 5 * DAY, SPAN.as_of - 5 * DAY - 1))
    received_at = (
        draw.choice((drawn, drawn, last.received_at + 3 * DAY, last.received_at + 3 * DAY + 1)) if last else drawn
    )
    outcome: Outcome = draw.choice(("solved", "solved", "solved", "unsolved", "explained", "explained", "left_out", ""))
    answer = draw.choice((None, 30, 599, 600, DAY // 8, DAY // 2, DAY - 1, DAY, DAY + 1, 3 * DAY, 4 * DAY, 9 * DAY))
    closing = draw.choice((0, DAY // 2, 5 * DAY // 8, 2 * DAY, 5 * DAY, 5 * DAY + 1, 11 * DAY, 20 * DAY))
    issue = Issue(
        issue=f"{dossier.cadre.cadre}-{place}",
        category=draw.choice("ab"),
        complexity=draw.choice("12"),
        received_at=received_at,
        channel=draw.choice(("", "hotline", "app")),
        complainant=draw.choice(("", "", "c0", "c1", "c2", "c3", "c4")),
        place=draw.choice(("", "", "x", "y")),
        answered_at=None if answer is None else received_at + answer,
        closed_at=received_at + closing if outcome and draw.random() < 0.9 else None,
        answer_allowed=draw.choice((None, DAY, DAY)),
        close_allowed=draw.choice((None, 5 * DAY, 5 * DAY, 5 * DAY)),
        outcome=outcome,
        is_reopened=draw.random() < 0.1,
        is_denied=draw.random() < 0.1,
        has_reply=draw.choice((None, True, False)),
        contact=draw.choice(("", f"{dossier.cadre.cadre}-v{draw.randrange(9)}")),
        share=draw.choice((1_000_000, 1_000_000, 333_333, 666_667)),
    )
    dossier.issues.append(issue)
    if draw.random() < 0.6:
        dossier.ratings.append(_make_mixed_rating(draw, dossier, issue))


def _make_mixed_rating(draw: random.Random, dossier: Dossier, issue: Issue) -> Rating:
    is_about_contact = draw.random() < 0.3
    return Rating(
        rating=f"{issue.issue}-g",
        subject_kind="contact" if is_about_contact else "issue",
        subject=f"{dossier.cadre.cadre}-v{draw.randrange(9)}"
        if is_about_contact
        else draw.choice((issue.issue, "lost")),
        method=draw.choice(("callback", "app", "app", "on_site")),
        level=draw.randrange(1, 6),
        rated_at=draw.choice((100 * DAY, 100 * DAY + 3_599, 100 * DAY + 3_600, issue.received_at + 9 * DAY)),
        rater=draw.choice((issue.complainant, issue.complainant, "", "h0", "h1", "c1")),
        device=draw.choice(("", "d0", "d1", f"d-{issue.issue}")),
        is_public_device=draw.random() < 0.3,
        is_complainant=draw.choice((None, None, None, True, False)),
    )


def _add_mixed_contact(draw: random.Random, dossier: Dossier, place: int) -> None:
    at = draw.choice((70 * DAY, 77 * DAY - 1, 77 * DAY, 91 * DAY - 1, 91 * DAY, draw.randrange(YEAR)))
    dossier.contacts.append(
        Contact(
            contact=f"{dossier.cadre.cadre}-v{place}",
            kind=draw.choice(("visit", "visit", "call")),
            occurred_at=at,
            recorded_at=at + draw.choice((0, 7 * DAY, 7 * DAY + 1)),
            duration_minutes=draw.choice((None, 4, 5, 60)),
            citizen=draw.choice(("", "h0", "h1", f"h{place}")),
            is_confirmed=draw.random() < 0.4,
        )
    )
