"""The sample for call-backs: who draws it, that it can be drawn again by anybody, and what comes of it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import services.intake.__main__ as command
from services.intake.domain.rating_samples import Member, draw, read_period
from services.intake.handlers import issues, ratings
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.fakes import person
from tests.integration.intake.commands import a_rating, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import PEOPLE
from tests.integration.intake.ratings.samples import members_of

pytestmark = pytest.mark.integration
SEED = "2026-04-01 lottery 07 11 23".replace(" ", "-")


def draw_again(members, key, share):
    """Written from docs/callback-sample.md alone, in other words than the product's."""
    units: dict[str, list[tuple[str, str]]] = {}
    for unit, issue in members:
        digest = hashlib.sha256(key.encode("ascii") + b"\n" + issue.encode("ascii")).hexdigest()
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
def drawn(ask, quarter):
    assert quarter
    body = {"organisation_code": "town", "period": "2026Q1", "seed": SEED}
    answer = ask("POST", "/v1/rating-samples", body, who="county-officer")
    assert answer.status_code == 201, answer.text
    return answer.json()


def call_everybody(ask):
    while waiting := ask("GET", "/v1/callback-tasks", who="county-desk").json()["items"]:
        for one in waiting:
            path = f"/v1/issues/{one['issue_id']}/callback-attempts"
            assert ask("POST", path, {"result": "reached_declined"}, who="county-desk").status_code == 201


def test_whoever_has_list_seed_and_secret_draws_the_same(ask, quarter, entered):
    hand = new_id()
    for one in quarter[:40]:
        entered(one.id, hand, handled_by=hand)
    body = {"organisation_code": "town", "period": "2026Q1", "seed": SEED}
    drawn = ask("POST", "/v1/rating-samples", body, who="county-officer").json()
    members = members_of(ask, drawn)
    call_everybody(ask)
    told = ask("GET", f"/v1/rating-samples/{drawn['id']}", who="county-officer").json()

    def pairs(**wanted):
        return [(one["unit_id"], one["issue_id"]) for one in members if wanted.items() <= one.items()]

    def chosen(name):
        return sorted(one["issue_id"] for one in members if one[name])

    assert len(members) == 133
    assert hashlib.sha256(told["secret"].encode()).hexdigest() == drawn["secret_hash"]
    key = f"{drawn['seed']}\n{told['secret']}"
    assert draw_again(pairs(), key, float(drawn["share"])) == chosen("is_drawn")
    attested = pairs(is_self_attested=True)
    assert sorted(issue for _, issue in attested) == sorted(str(one.id) for one in quarter[:40])
    again = draw_again(attested, f"{key}\nself-attested", float(drawn["self_attested_share"]))
    assert again == chosen("is_targeted")
    assert (len(chosen("is_drawn")), len(chosen("is_targeted"))) == (2 + 1, 4)  # each unit's share, rounded up
    lines = [f"{one['unit_id']} {one['issue_id']} {int(one['is_self_attested'])}\n" for one in members]
    assert hashlib.sha256("".join(sorted(lines)).encode()).hexdigest() == drawn["list_hash"]
    assert members_of(ask, drawn, who="auditor") == members


def test_the_secret_is_told_to_nobody_as_long_as_somebody_is_to_be_called(ask, drawn, rows):
    """With it, the seed and the own issues a unit would know about whom it will be asked."""
    [[secret]] = rows("SELECT secret FROM rating_sample")
    path = f"/v1/rating-samples/{drawn['id']}"
    body = {"organisation_code": "town", "period": "2026Q1", "seed": SEED}

    said = [ask("GET", path, who=who).text for who in ("county-officer", "auditor")]
    said += [ask("POST", "/v1/rating-samples", body, who="county-officer").text]
    said += [ask("GET", f"{path}/{what}", who="county-officer").text for what in ("members", "findings")]
    kept = rows("SELECT details::text FROM audit_record UNION ALL SELECT payload::text FROM outbox")

    assert drawn["secret"] is None
    assert len(secret) == 32
    assert not [text for text in [*said, *(text for (text,) in kept)] if secret in text]
    call_everybody(ask)
    assert ask("GET", path, who="auditor").json()["secret"] == secret


def test_two_drawings_have_two_secrets(ask, quarter, rows):
    assert quarter
    for period in ("2026-03", "2026Q1"):
        body = {"organisation_code": "town", "period": period, "seed": SEED}
        assert ask("POST", "/v1/rating-samples", body, who="county-officer").status_code == 201

    [(first,), (second,)] = rows("SELECT secret FROM rating_sample")
    assert first != second


def test_whoever_is_waiting_to_be_called_on_account_of_a_sign_is_one_of_the_sample_when_drawn(ask, quarter, rows):
    """All three of the town, of which one at least is drawn, wait already; and one of these has answered before."""
    town = [one.id for one in quarter[130:133]]
    path = f"/v1/issues/{quarter[0].id}/callback-attempts"
    [attempt] = [ask("POST", path, {"result": "not_reached"}, who="county-desk").json()["id"]]
    for issue_id in town:
        rows(
            "INSERT INTO callback_task (id, issue_id, origin, led_by, state, created_at)"
            " VALUES (gen_random_uuid(), %s, 'follow_up', %s, 'open', now())",
            issue_id,
            attempt,
        )
    ask("POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer")

    tasks = rows("SELECT issue_id, origin, sample_id IS NULL FROM callback_task WHERE issue_id = ANY(%s)", town)
    [(drawn,)] = rows("SELECT issue_id FROM rating_sample_member WHERE issue_id = ANY(%s) AND is_drawn", town)

    assert sorted(tasks) == sorted((one, "sample", False) if one == drawn else (one, "follow_up", True) for one in town)


def test_nobody_is_called_again_who_has_answered(ask, quarter, rows):
    for one in quarter[130:133]:
        ask(
            "POST", f"/v1/issues/{one.id}/callback-attempts", {"result": "reached_rated", "level": 4}, who="county-desk"
        )

    ask("POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer")

    town = [one.id for one in quarter[130:133]]
    assert rows("SELECT count(*) FROM rating_sample_member WHERE issue_id = ANY(%s) AND is_drawn", town) == [(1,)]
    assert rows("SELECT count(*) FROM callback_task WHERE issue_id = ANY(%s)", town) == [(0,)]


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
    assert (details["secret_hash"], details["targeted"]) == (drawn["secret_hash"], 0)


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
    assert lines[:3] == [f"sample {drawn['id']}", f"seed {SEED}", f"secret-hash {drawn['secret_hash']}"]
    assert lines[3] == f"list {drawn['list_hash']}"
    assert len(lines) == 5 + 3


def test_periods_are_chinas():
    begins_at, ends_at = read_period("2026-12")

    assert begins_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert ends_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert read_period("2026H2")[0] == datetime(2026, 6, 30, 16, tzinfo=UTC)
