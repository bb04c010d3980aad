"""The sample for call-backs: who draws it, that it can be drawn again by anybody, and what comes of it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import services.intake.__main__ as command
from services.intake.domain.rating_samples import Member, draw, read_period
from services.intake.handlers import issues, ratings
from shared.reach import SYSTEM, acting
from tests.fakes import person
from tests.integration.intake.commands import a_rating, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import PEOPLE

pytestmark = pytest.mark.integration
SEED = "2026-04-01 lottery 07 11 23".replace(" ", "-")


def draw_again(members, seed, share):
    """Written from docs/callback-sample.md alone, in other words than the product's."""
    units: dict[str, list[tuple[str, str]]] = {}
    for unit, issue in members:
        digest = hashlib.sha256(seed.encode("ascii") + b"\n" + issue.encode("ascii")).hexdigest()
        units.setdefault(unit, []).append((digest, issue))
    chosen = []
    for entries in units.values():
        entries.sort()
        number = -(-len(entries) * round(share * 100) // 100)
        chosen += [issue for _, issue in entries[:number]]
    return sorted(chosen)


@pytest.fixture(autouse=True)
def desks(monkeypatch):
    monkeypatch.setitem(PEOPLE, "county-desk", person("clerk", "county", name="county-desk"))
    monkeypatch.setitem(PEOPLE, "street-clerk", person("clerk", "street", name="street-clerk"))


@pytest.fixture
def quarter(pool, county):
    """Of the first quarter: 130 closed issues of the street, 3 of the town, and one each of other times and places."""
    assert county
    places = [("street", 130), ("town", 3), ("harbour", 1)]
    made = [
        replace(
            an_issue(organisation_code=code),
            outcome="resolved",
            reply="好",
            closed_at=NOW,
            received_at=NOW - timedelta(1),
        )
        for code, number in places
        for _ in range(number)
    ]
    made.append(replace(made[0], id=an_issue().id, closed_at=datetime(2026, 4, 1, tzinfo=UTC)))
    issues.receive_issues(pool, made, now=datetime(2026, 5, 1, tzinfo=UTC))
    return made


@pytest.fixture
def drawn(ask, quarter):
    assert quarter
    body = {"organisation_code": "town", "period": "2026Q1", "seed": SEED}
    answer = ask("POST", "/v1/rating-samples", body, who="county-officer")
    assert answer.status_code == 201, answer.text
    return answer.json()


def members_of(ask, sample, who="county-officer"):
    found: list[dict[str, Any]] = []
    path = f"/v1/rating-samples/{sample['id']}/members?limit=50"
    cursor: str | None = ""
    while cursor is not None:
        page = ask("GET", path + (f"&cursor={cursor}" if cursor else ""), who=who).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def test_whoever_has_list_and_seed_draws_the_same(ask, drawn):
    members = members_of(ask, drawn)
    pairs = [(one["unit_id"], one["issue_id"]) for one in members]
    chosen = sorted(one["issue_id"] for one in members if one["is_drawn"])

    assert len(members) == 133
    assert draw_again(pairs, drawn["seed"], float(drawn["share"])) == chosen
    assert len(chosen) == 2 + 1  # a hundredth of each unit, rounded up
    lines = "".join(sorted(f"{unit} {issue}\n" for unit, issue in pairs))
    assert hashlib.sha256(lines.encode()).hexdigest() == drawn["list_hash"]
    assert members_of(ask, drawn, who="auditor") == members


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
@pytest.mark.parametrize("share", [0.01, 0.07, 0.29, 1.0])
def test_the_product_and_the_second_drawing_agree(size, share):
    members = [Member(unit_id=an_issue().id, issue_id=an_issue().id) for _ in range(size)]
    members = [replace(one, unit_id=members[number % 3].unit_id) for number, one in enumerate(members)]

    ours = sorted(map(str, draw(members, SEED, share)))

    assert ours == draw_again([(str(one.unit_id), str(one.issue_id)) for one in members], SEED, share)
    assert ours == sorted(map(str, draw(reversed(members), SEED, share)))


def test_a_second_drawing_gives_the_first(ask, drawn, quarter, pool, rows):
    late = replace(quarter[0], id=an_issue().id)
    issues.receive_issues(pool, [late], now=datetime(2026, 5, 2, tzinfo=UTC))  # known only afterwards
    body = {"organisation_code": "town", "period": "2026Q1"}

    again = ask("POST", "/v1/rating-samples", body, who="county-officer")
    other = ask("POST", "/v1/rating-samples", {**body, "seed": "another-seed"}, who="county-officer")

    assert (again.status_code, again.json()) == (200, drawn)
    assert (other.status_code, other.json()["title"]) == (409, "sample-drawn")
    assert rows("SELECT count(*) FROM rating_sample") == [(1,)]
    [[details]] = rows("SELECT details FROM audit_record WHERE action = 'rating_sample.draw'")
    assert (details["seed"], details["members"], details["list_hash"]) == (SEED, 133, drawn["list_hash"])


def test_without_a_seed_one_is_made_that_nobody_could_foresee(ask, quarter):
    assert quarter
    seeds = [
        ask("POST", "/v1/rating-samples", {"organisation_code": "town", "period": period}, who="county-officer").json()[
            "seed"
        ]
        for period in ("2026-03", "2026-02")
    ]

    assert len({len(seed) for seed in seeds} | {32}) == 1
    assert seeds[0] != seeds[1]


def test_nobody_draws_whom_of_the_own_unit_to_ask(ask, quarter):
    assert quarter
    body = {"organisation_code": "town", "period": "2026Q1", "seed": SEED}
    outside = ask("POST", "/v1/rating-samples", body, who="harbour-officer")
    nothing = ask("POST", "/v1/rating-samples", {**body, "organisation_code": "nowhere"}, who="county-officer")

    assert ask("POST", "/v1/rating-samples", body, who="town-officer").status_code == 404
    assert ask("POST", "/v1/rating-samples", body, who="street-officer").status_code == 404
    assert outside.content == nothing.content
    for who in ("county-approver", "auditor", "town-clerk", "first", "kiosk"):
        assert ask("POST", "/v1/rating-samples", body, who=who).status_code == 403
    assert (
        ask("POST", "/v1/rating-samples", {**body, "organisation_code": "county"}, who="county-officer").status_code
        == 404
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"period": "2026-13"}, 422),
        ({"period": "2026Q9"}, 422),
        ({"period": "２０２６"}, 422),
        ({"period": "2026", "seed": "short"}, 422),
        ({"period": "2026", "seed": "with space in it"}, 422),
        ({"period": "2026", "seed": "随机数种子随机数种子"}, 422),
        ({"period": "2099Q1"}, 409),
        ({"period": "2026Q1", "share": 0}, 422),
    ],
)
def test_a_draw_that_cannot_be_is_refused(ask, quarter, body, status):
    assert quarter
    assert (
        ask("POST", "/v1/rating-samples", {"organisation_code": "town", **body}, who="county-officer").status_code
        == status
    )


def test_what_was_drawn_and_what_was_rated_lowest_is_to_be_called(ask, quarter, pool, rules, rows):
    worst = quarter[5].id
    for issue_id, level in ((worst, 1), (quarter[6].id, 2)):
        ratings.submit_ratings(
            pool,
            [a_rating(issue_id=issue_id, level=level, method="app", rated_at=NOW)],
            rules=rules,
            now=datetime(2026, 3, 20, tzinfo=UTC),
        )
    ask(
        "POST",
        "/v1/rating-samples",
        {"organisation_code": "town", "period": "2026Q1", "seed": SEED},
        who="county-officer",
    )

    def tasks(who):
        return ask("GET", "/v1/callback-tasks", who=who).json()["items"]

    waiting = tasks("county-desk")
    assert {one["origin"] for one in waiting} == {"sample", "lowest"}
    assert [one["issue_id"] for one in waiting if one["origin"] == "lowest"] == [str(worst)]
    assert tasks("street-clerk") == []
    path = f"/v1/issues/{worst}/callback-attempts"
    for _ in range(2):
        ask("POST", path, {"result": "not_reached"}, who="county-desk")
    assert [one["attempts"] for one in tasks("county-desk") if one["issue_id"] == str(worst)] == [2]
    ask("POST", path, {"result": "not_reached"}, who="county-desk")
    assert [one for one in tasks("county-desk") if one["issue_id"] == str(worst)] == []
    assert rows("SELECT state FROM callback_task WHERE issue_id = %s", worst) == [("given_up",)]
    sampled = next(one["issue_id"] for one in tasks("county-desk"))
    ask("POST", f"/v1/issues/{sampled}/callback-attempts", {"result": "reached_rated", "level": 5}, who="county-desk")
    assert rows("SELECT state FROM callback_task WHERE issue_id = %s", sampled) == [("done",)]


def test_the_command_draws_the_same(pool, settings, quarter, drawn, monkeypatch, capsys):
    assert quarter
    monkeypatch.setattr(command, "open_vault", lambda _: None)  # the tests have opened one

    with acting(SYSTEM):
        done = command.COMMANDS["draw-sample"](settings, pool, ["town", "2026Q1", "--seed", SEED])

    lines = capsys.readouterr().out.splitlines()
    assert done == 0
    assert lines[:3] == [f"sample {drawn['id']}", f"seed {SEED}", f"list {drawn['list_hash']}"]
    assert len(lines) == 4 + 3


def test_periods_are_chinas():
    begins_at, ends_at = read_period("2026-12")

    assert begins_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert ends_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert read_period("2026H2")[0] == datetime(2026, 6, 30, 16, tzinfo=UTC)
