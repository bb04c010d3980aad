"""One-time rating links: who gets one, what it does once, and that whatever else is given answers all alike."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import quote, urlencode

import httpx
import pytest

from services.intake.api.app import create_intake_app
from services.intake.domain.rating_links import digest_token
from services.intake.handlers import issues, rating_links
from services.intake.handlers.rating_links import AlreadyRated, GivenRating, LinkNotUsable
from services.intake.settings import IntakeSettings
from services.intake.web.pages import add_pages
from shared.access.principal import Grant
from shared.database import transaction
from shared.identifiers import new_id
from tests.fakes import KnownPrincipals, machine, one_of_each_role, person
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration

PEOPLE = {
    **one_of_each_role().principals,
    "gateway": machine("links.issue", organisation_code="town", name="gateway"),
    "harbour-gateway": machine("links.issue", organisation_code="harbour", name="harbour-gateway"),
    "kiosk": machine("ratings.submit", "intake.read", "intake.write", organisation_code="town", name="kiosk"),
    "county-gateway": machine("links.issue", name="county-gateway"),
    "line-gateway": replace(  # reaches all of the county, and acts for the street where S1 serves
        machine("links.issue", name="line-gateway"),
        grants=tuple(Grant(role="machine_client", organisation_code=code) for code in ("county", "street")),
    ),
    "town-officer": person("department_officer", "town", name="town-officer", stepped_up_at=datetime.now(UTC)),
    "town-clerk": person("clerk", "town", name="town-clerk"),
    "first": person("cadre", staff_number="S1", name="first"),
}
FORM = "application/x-www-form-urlencoded"
RATING = "/v1/rating-links/rating"
networks: "count[int]" = count()


@pytest.fixture
def app(pool, tmp_path):
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    app = create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE))
    add_pages(app, pool)
    return app


@pytest.fixture
def ask(app):
    """Send one request, from another network each time unless told."""

    async def send(method, path, content, headers, address):
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, client=(address, 4711)), base_url="http://intake"
            ) as client,
        ):
            return await client.request(method, path, content=content, headers=headers)

    def run(method, path, body=None, *, who=None, address=None, **headers):
        named = {"content-type": "application/json"} | {key.replace("_", "-"): text for key, text in headers.items()}
        if who is not None:
            named["authorization"] = f"Bearer {who}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        number = next(networks)
        address = address or f"10.{number // 250}.{number % 250}.7"
        return asyncio.run(send(method, path, content, named, address))

    return run


@pytest.fixture
def closed(pool, county):
    """A further issue of the street, closed."""
    assert county
    command = replace(
        an_issue(staff_number="S1", organisation_code="street"),
        outcome="resolved",
        reply="已修好",
        closed_at=NOW,
    )
    [outcome] = issues.receive_issues(pool, [command], now=NOW)
    assert outcome.status == "created", outcome
    return command.id


@pytest.fixture
def token(ask, closed):
    answer = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway")
    assert answer.status_code == 201
    return answer.json()["token"]


@pytest.fixture
def rows(pool):
    def run(query, *parameters):
        with transaction(pool) as connection:
            cursor = connection.execute(query, list(parameters))
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def recorded(rows, closed):
    """What stands of the closed issue's ratings."""
    return lambda: rows("SELECT level, solved FROM rating WHERE issue_id = %s", closed)


def seen(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """What a caller can tell answers apart by."""
    names = {name: text for name, text in answer.headers.items() if name not in {"x-correlation-id", "date"}}
    return answer.status_code, answer.content, names


def test_a_link_is_256_random_bits_of_which_only_a_digest_is_kept(ask, token, closed, rows):
    again = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway")
    found = rows("SELECT digest, expires_at - issued_at, row_to_json(citizen_link)::text FROM citizen_link")

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert again.json()["token"] != token
    assert again.headers["cache-control"] == "no-store"
    assert {digest for digest, _, _ in found} == {digest_token(token), digest_token(again.json()["token"])}
    assert all(lives == timedelta(days=14) and token not in text for _, lives, text in found)


def test_a_rating_by_a_link_is_one_of_its_citizen_and_is_told_of(ask, token, closed, rows):
    ref = new_id()
    rows("INSERT INTO citizen (ref, state, recorded_at) VALUES (%s, 'active', now())", ref)
    rows("UPDATE issue SET citizen_ref = %s WHERE id = %s", ref, closed)

    answer = ask("POST", RATING, {"token": token, "level": 2, "solved": False})

    assert (answer.status_code, answer.json()) == (201, {"status": "created"})
    assert rows(
        """
        SELECT rating.level, rating.solved, rating.method, rating.rater_ref,
               rating.owner_organisation_id = issue.owner_organisation_id, rating.rated_at = link.used_at
          FROM rating
          JOIN issue ON issue.id = rating.issue_id
          JOIN citizen_link AS link ON link.rating_id = rating.id
        """
    ) == [(2, False, "link", ref, True, True)]
    [[event]] = rows(
        "SELECT payload FROM outbox WHERE payload ->> 'issue_id' = %s AND payload ? 'rating_id'", str(closed)
    )
    assert (event["level"], event["method"], event["rater_ref"]) == (2, "link", str(ref))


@pytest.mark.parametrize(("solved", "stored"), [("yes", True), ("no", False), ("", None)])
def test_the_form_of_the_page_does_the_same(ask, token, recorded, solved, stored):
    body = urlencode({"token": token, "level": "4", "solved": solved}).encode()

    first = ask("POST", "/rate", body, content_type=FORM)
    second = ask("POST", "/rate", body, content_type=FORM)

    assert (first.status_code, second.status_code) == (201, 404)
    assert recorded() == [(4, stored)]


def test_looking_never_uses_a_link(ask, token, rows):
    for method in ("GET", "HEAD"):
        for path in ("/rate", "/rate.js", "/rate.css", "/v1/rating-links"):
            for _ in range(3):
                assert ask(method, path, authorization=f"Link {token}").status_code == 200
    assert rows("SELECT count(used_at), count(*) FROM citizen_link") == [(0, 1)]
    assert ask("POST", RATING, {"token": token, "level": 5}).status_code == 201
    assert ask("GET", "/v1/rating-links", authorization=f"Link {token}").status_code == 404


def test_the_page_is_the_same_for_all_and_loads_nothing_but_ours(ask, token):
    page, script = ask("GET", "/rate"), ask("GET", "/rate.js")

    assert page.content == ask("GET", "/rate", authorization=f"Link {token}").content
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert re.findall(r'(?:src|href|action)="([^"]*)"', page.text) == ["rate.css", "rate.js", "rate"]
    assert "innerHTML" not in script.text
    assert "fetch" not in script.text


def test_whatever_is_no_live_link_answers_to_the_byte_alike(ask, token, closed, pool):
    fresh = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway").json()["token"]  # and token is replaced
    other = fresh.swapcase()
    dead = [
        "", "x", "x" * 43, token, fresh[:-1], fresh + "A", " " + fresh, other, quote(fresh + "/", safe=""),
        quote(quote(fresh + "=")), "％" * 43, "' OR 1=1 --",
    ]  # fmt: skip
    posted = [ask("POST", RATING, {"token": one, "level": 5}) for one in dead]
    formed = [
        ask("POST", "/rate", urlencode({"token": one, "level": "5"}).encode(), content_type=FORM)
        for one in dead
        if one.strip() != fresh
    ]
    looked = [ask("GET", "/v1/rating-links", authorization=f"Link {one}") for one in dead if one.isascii()]
    looked += [ask("GET", "/v1/rating-links"), ask("GET", "/v1/rating-links", authorization=f"Bearer {fresh}")]
    for answers in (posted, formed, looked):
        assert {answer.status_code for answer in answers} == {404}
        assert all(seen(answer) == seen(answers[0]) for answer in answers)

    with transaction(pool) as connection:  # expired
        connection.execute(
            "UPDATE citizen_link SET issued_at = %s, expires_at = %s WHERE digest = %s",
            [NOW - timedelta(days=20), NOW - timedelta(days=6), digest_token(fresh)],
        )
    assert seen(ask("POST", RATING, {"token": fresh, "level": 5})) == seen(posted[0])
    with transaction(pool) as connection:  # used
        connection.execute("UPDATE citizen_link SET expires_at = now() + interval '1 day' WHERE replaced_at IS NULL")
    assert ask("POST", RATING, {"token": fresh, "level": 5}).status_code == 201
    assert seen(ask("POST", RATING, {"token": fresh, "level": 5})) == seen(posted[0])


@pytest.mark.parametrize("level", ["0", "6", "4.5", '"5"', "true", "null", "-1", "1e0", "[]", "1e400"])
def test_a_level_is_one_of_five_integers(ask, token, recorded, level):
    answer = ask("POST", RATING, f'{{"token": "{token}", "level": {level}}}'.encode())
    form = ask("POST", "/rate", urlencode({"token": token, "level": level}).encode(), content_type=FORM)

    assert answer.status_code in {400, 422}
    assert form.status_code == 422
    assert token not in answer.text + form.text
    assert recorded() == []


@pytest.mark.parametrize(
    "body", [b"level=5", b"", b"token=a&level=5&level=4", b"token=a&level=5&staff=S1", b"\xff=1", b"token=%ff&level=5"]
)
def test_a_form_of_another_shape_records_nothing(ask, token, body):
    answer = ask("POST", "/rate", body.replace(b"token=a", b"token=" + token.encode()), content_type=FORM)

    assert answer.status_code in {404, 422}
    assert ask("POST", RATING, {"token": token, "level": 5}).status_code == 201


def test_of_twenty_at_once_one_is_recorded(token, pool, recorded):
    def rate(level):
        try:
            rating_links.rate_by_link(
                pool, GivenRating(token=token, level=level), correlation_id="race", now=datetime.now(UTC)
            )
        except LinkNotUsable:
            return False
        return True

    with ThreadPoolExecutor(8) as executor:
        done = list(executor.map(rate, [1, 5] * 10))

    assert done.count(True) == 1
    assert len(recorded()) == 1


def test_issuing_and_rating_at_once_never_gives_a_second_rating(token, pool, closed, recorded, rows):
    tokens = [token]

    def rate(one):
        try:
            given = GivenRating(token=one, level=3)
            rating_links.rate_by_link(pool, given, correlation_id="race", now=datetime.now(UTC))
        except LinkNotUsable:
            return

    def turn(number):
        try:
            if number % 2:
                rating_links.issue_link(pool, closed, f"token-{number}", now=datetime.now(UTC))
                tokens.append(f"token-{number}")
            else:
                rate(tokens[-1])
        except AlreadyRated:
            return

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(turn, range(60)))
    for one in tokens:  # where every try met a link that was just replaced
        rate(one)

    assert len(recorded()) == 1
    assert rows("SELECT count(*) FROM citizen_link WHERE used_at IS NULL AND replaced_at IS NULL") == [(0,)]


def test_only_a_closed_issue_within_reach_gets_a_link_and_only_from_a_gateway(ask, closed, county):
    path = f"/v1/issues/{closed}/rating-link"
    for who in (*one_of_each_role().principals, "kiosk", "town-officer", "town-clerk", "first"):
        if who != "machine_client":
            assert ask("POST", path, {}, who=who).status_code == 403, who
    beside = ask("POST", path, {}, who="harbour-gateway")
    nothing = ask("POST", f"/v1/issues/{new_id()}/rating-link", {}, who="harbour-gateway")
    opened = ask("POST", f"/v1/issues/{county['issues'][0].id}/rating-link", {}, who="gateway")

    assert seen(beside) == seen(nothing)
    assert beside.status_code == 404
    assert (opened.status_code, opened.json()["title"]) == (409, "issue-not-closed")
    assert ask("POST", path, {}).status_code == 401


def test_who_is_in_the_line_of_the_accused_gets_no_link(ask, pool, county):
    assert county
    command = replace(
        an_issue(organisation_code="county"), subject_staff_number="S1", outcome="resolved", reply="已查", closed_at=NOW
    )
    [outcome] = issues.receive_issues(pool, [command], now=NOW)
    assert outcome.status == "created", outcome
    path = f"/v1/issues/{command.id}/rating-link"

    assert ask("POST", path, {}, who="line-gateway").status_code == 404
    assert ask("POST", path, {}, who="county-gateway").status_code == 201


def test_an_issue_that_was_rated_by_a_link_gets_none_any_more(ask, token, closed, pool):
    assert ask("POST", RATING, {"token": token, "level": 5}).status_code == 201
    with transaction(pool) as connection:  # as after the end of its retention
        connection.execute("DELETE FROM citizen_link")

    answer = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway")

    assert (answer.status_code, answer.json()["title"]) == (409, "already-rated")


def test_ten_tries_a_minute_from_one_network(ask, token):
    tries = [
        ask("POST", RATING, {"token": f"guess {number}", "level": 5}, address=f"192.0.2.{number + 1}")
        for number in range(12)
    ]
    page = ask(
        "POST", "/rate", urlencode({"token": token, "level": "5"}).encode(), content_type=FORM, address="192.0.2.9"
    )
    elsewhere = ask("POST", RATING, {"token": token, "level": 5}, address="198.51.100.1")

    assert [answer.status_code for answer in tries] == [404] * 10 + [429] * 2
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) >= 1
    assert elsewhere.status_code == 201


def test_a_token_is_in_no_log_no_audit_no_event_and_no_answer_to_staff(ask, token, closed, pool, capfd, caplog):
    ask("GET", "/v1/rating-links", authorization=f"Link {token}")
    ask("POST", RATING, {"token": token, "level": "much"})
    ask("POST", RATING, {"token": token, "level": 1})
    ask("POST", RATING, {"token": token, "level": 1})
    told = [
        ask("GET", path, who=who).text
        for who in ("town-clerk", "town-officer", "first", "auditor", "kiosk", "gateway")
        for path in (
            f"/v1/issues/{closed}",
            "/v1/audit-records",
            f"/v1/issues/{closed}/rating-link",
            "/v1/openapi.json",
        )
    ]
    with transaction(pool) as connection:
        kept = [
            str(connection.execute(f"SELECT array_agg(row_to_json(t)::text) FROM {table} AS t").fetchone())  # noqa: S608 - the names stand here
            for table in ("audit_record", "outbox", "rating", "citizen_link", "issue")
        ]
        actions = connection.execute("SELECT count(*) FROM audit_record WHERE action = 'link.issue'").fetchone()
    logged = "".join(capfd.readouterr()) + caplog.text

    assert actions == (1,)
    assert any(str(closed) in text for text in kept)
    assert [text for text in (*told, *kept, logged) if token in text] == []


def test_of_a_restricted_citizen_no_link_can_be_used(ask, token, closed, pool):
    ref = new_id()
    with transaction(pool) as connection:
        connection.execute(
            "INSERT INTO citizen (ref, state, recorded_at, restricted_at, review_on)"
            " VALUES (%s, 'restricted', now(), now(), '2027-01-01')",
            [ref],
        )
        connection.execute("UPDATE issue SET citizen_ref = %s WHERE id = %s", [ref, closed])
    refused = ask("POST", RATING, {"token": token, "level": 1})
    with transaction(pool) as connection:
        connection.execute("UPDATE citizen SET state = 'active', restricted_at = NULL, review_on = NULL")

    assert refused.status_code == 404
    assert ask("POST", RATING, {"token": token, "level": 1}).status_code == 201
