"""One-time rating links: who gets one, what it does once, and that whatever else is given answers all alike."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from services.intake.domain.rating_links import digest_token
from services.intake.domain.ratings import Answers
from services.intake.handlers import contacts, issues, rating_links
from services.intake.handlers.rating_links import AlreadyRated, GivenRating, LinkNotUsable
from services.intake.storage.rating_links import Rated
from shared.database import transaction
from shared.identifiers import new_id
from tests.fakes import one_of_each_role
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import RATING, opened

pytestmark = pytest.mark.integration
AFTER_A_DAY = "UPDATE citizen_link SET amend_until = now() - interval '1 hour' WHERE used_at IS NOT NULL"


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


def test_a_rating_by_a_link_is_one_of_its_citizen_and_is_told_of(rate, token, closed, rows):
    ref = new_id()
    rows("INSERT INTO citizen (ref, state, recorded_at) VALUES (%s, 'active', now())", ref)
    rows("UPDATE issue SET citizen_ref = %s WHERE id = %s", ref, closed)

    answer = rate(token, 2, solved=False, attitude=4, speed=1)

    assert (answer.status_code, answer.json()) == (201, {"status": "created"})
    assert rows(
        """
        SELECT rating.level, rating.solved, rating.attitude, rating.speed, rating.method, rating.rater_ref,
               rating.owner_organisation_id = issue.owner_organisation_id, rating.rated_at = link.used_at
          FROM rating
          JOIN issue ON issue.id = rating.issue_id
          JOIN citizen_link AS link ON link.rating_id = rating.id
        """
    ) == [(2, False, 4, 1, "link", ref, True, True)]
    [[event]] = rows(
        "SELECT payload FROM outbox WHERE payload ->> 'issue_id' = %s AND payload ? 'rating_id'", str(closed)
    )
    assert (event["level"], event["attitude"], event["speed"]) == (2, 4, 1)
    assert (event["method"], event["rater_ref"]) == ("link", str(ref))


def test_looking_never_uses_a_link(ask, rate, token, rows):
    for method in ("GET", "HEAD"):
        for path in ("/rate", "/rate.js", "/rate.css", "/v1/rating-links"):
            for _ in range(3):
                assert ask(method, path, authorization=f"Link {token}").status_code == 200
    assert rows("SELECT count(used_at), count(*) FROM citizen_link") == [(0, 1)]
    assert rate(token).status_code == 201
    rows(AFTER_A_DAY)
    assert ask("GET", "/v1/rating-links", authorization=f"Link {token}").status_code == 404


def test_whatever_is_no_live_link_answers_to_the_byte_alike(ask, rate, token, closed, rows):
    fresh = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway").json()["token"]  # and token is replaced
    other = fresh.swapcase()
    dead = [
        "", "x", "x" * 43, token, fresh[:-1], fresh + "A", " " + fresh, other, quote(fresh + "/", safe=""),
        quote(quote(fresh + "=")), "％" * 43, "' OR 1=1 --",
    ]  # fmt: skip
    posted = [rate(one) for one in dead]
    looked = [ask("GET", "/v1/rating-links", authorization=f"Link {one}") for one in dead if one.isascii()]
    looked += [ask("GET", "/v1/rating-links"), ask("GET", "/v1/rating-links", authorization=f"Bearer {fresh}")]
    for answers in (posted, looked):
        assert {answer.status_code for answer in answers} == {404}
        assert all(seen(answer) == seen(answers[0]) for answer in answers)

    expire = "UPDATE citizen_link SET issued_at = %s, expires_at = %s WHERE digest = %s"
    rows(expire, NOW - timedelta(days=20), NOW - timedelta(days=6), digest_token(fresh))
    assert seen(rate(fresh)) == seen(posted[0])
    rows("UPDATE citizen_link SET expires_at = now() + interval '1 day' WHERE replaced_at IS NULL")
    assert rate(fresh).status_code == 201
    rows(AFTER_A_DAY)  # used, and the day is over
    assert seen(rate(fresh)) == seen(posted[0])
    rows("UPDATE citizen_link SET amend_until = now() + interval '1 day' WHERE used_at IS NOT NULL")
    assert rate(fresh).status_code == 200
    assert ask("DELETE", f"/v1/issues/{closed}/rating-link", who="gateway").json() == {"revoked": 1}
    assert seen(rate(fresh)) == seen(posted[0])
    assert seen(ask("GET", "/v1/rating-links", authorization=f"Link {fresh}")) == seen(looked[0])


@pytest.mark.parametrize("level", ["0", "6", "4.5", '"5"', "true", "null", "-1", "1e0", "[]", "1e400"])
def test_a_level_is_one_of_five_integers(ask, token, recorded, level):
    answers = [
        ask("POST", RATING, f'{{"token": "{token}", "page": "{opened()}", "level": 5, "{name}": {level}}}'.encode())
        for name in ("attitude", "speed")
        if level != "null"
    ]
    answers.append(ask("POST", RATING, f'{{"token": "{token}", "page": "{opened()}", "level": {level}}}'.encode()))

    assert {answer.status_code for answer in answers} <= {400, 422}
    assert not any(token in answer.text for answer in answers)
    assert recorded() == []


@pytest.mark.parametrize("name", ["state", "counted", "quarantined", "rater_ref", "method", "rated_at", "issue_id"])
def test_a_citizen_says_nothing_but_the_answers(rate, token, recorded, name):
    assert rate(token, **{name: True}).status_code == 422
    assert recorded() == []


@pytest.mark.parametrize("page", ["", "x", "0.AAAA", "7fffffff.AAAA", "zz.A", "-1.A", "％.A", "6" * 300])
def test_without_having_looked_nobody_rates(ask, token, recorded, page):
    """A bare POST of whoever follows links has not looked; nor does it learn whether the token is alive."""
    bare = ask("POST", RATING, {"token": token, "level": 5})
    made_up = ask("POST", RATING, {"token": token, "level": 5, "page": page})
    dead = ask("POST", RATING, {"token": "x" * 43, "level": 5, "page": page})
    old = ask("POST", RATING, {"token": token, "level": 5, "page": opened(seconds_ago=3 * 3_600)})
    ahead = ask("POST", RATING, {"token": token, "level": 5, "page": opened(seconds_ago=-60)})

    assert {answer.status_code for answer in (bare, made_up, dead, old, ahead)} == {422}
    assert made_up.content == dead.content
    assert recorded() == []


def test_looking_gives_what_rating_needs(ask, token, recorded):
    page = ask("GET", "/v1/rating-links", authorization=f"Link {token}").json()["page"]

    assert ask("POST", RATING, {"token": token, "page": page, "level": 4}).status_code == 201
    assert recorded() == [(4, None)]


def test_for_a_day_the_same_link_amends_and_never_adds(rate, token, closed, rows, recorded):
    first = rate(token, 1, solved=False, attitude=2, comment="等了很久")
    second = rate(token, 4, solved=True, speed=3)
    [[rating_id]] = rows("SELECT id FROM rating WHERE issue_id = %s", closed)
    events = rows(
        "SELECT event_type, sequence, payload FROM outbox WHERE aggregate_id = %s ORDER BY sequence", rating_id
    )

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {"status": "changed"}
    assert recorded() == [(4, True)]
    assert rows("SELECT attitude, speed, sequence FROM rating WHERE id = %s", rating_id) == [(None, 3, 2)]
    assert rows("SELECT count(*) FROM rating_comment") == [(0,)]  # taken back with the rest
    assert [(kind.split(".")[3], sequence) for kind, sequence, _ in events] == [("submitted", 1), ("amended", 2)]
    assert events[1][2]["level"] == 4
    assert "attitude" not in events[1][2]


def test_where_the_window_is_none_a_rating_stays(pool, rules, token, recorded):
    given = GivenRating(
        token=token, answers=Answers(level=2), opened_at=datetime.now(UTC) - timedelta(minutes=1), network="n"
    )
    closed_window = replace(rules, amend_for=timedelta(0))
    now = datetime.now(UTC)

    assert rating_links.rate_by_link(pool, given, rules=closed_window, correlation_id="x", now=now) == "created"
    with pytest.raises(LinkNotUsable):
        rating_links.rate_by_link(
            pool, given, rules=closed_window, correlation_id="x", now=now + timedelta(milliseconds=1)
        )
    assert recorded() == [(2, None)]


def test_a_contact_is_rated_by_a_link_as_well(ask, rate, pool, county, rows):
    assert county
    contact = new_id()
    contacts.record_contacts(pool, [a_contact(id=contact, note="走访")], now=NOW)
    path = f"/v1/contacts/{contact}/rating-link"
    answer = ask("POST", path, {}, who="gateway")

    assert answer.status_code == 201
    assert ask("POST", path, {}, who="harbour-gateway").status_code == 404
    assert ask("POST", path, {}, who="town-clerk").status_code == 403
    assert rate(answer.json()["token"], 2).status_code == 201
    assert rows("SELECT level, issue_id FROM rating WHERE contact_id = %s", contact) == [(2, None)]
    again = ask("POST", path, {}, who="gateway")
    assert (again.status_code, again.json()["title"]) == (409, "already-rated")


def test_of_twenty_at_once_one_is_recorded_and_the_others_amend_it(token, pool, rules, recorded, rows):
    def rate(level):
        now = datetime.now(UTC)
        given = GivenRating(token=token, answers=Answers(level=level), opened_at=now, network="n")
        return rating_links.rate_by_link(pool, given, rules=rules, correlation_id="race", now=now)

    with ThreadPoolExecutor(8) as executor:
        done = list(executor.map(rate, [1, 5] * 10))

    assert (done.count("created"), done.count("changed")) == (1, 19)
    assert len(recorded()) == 1
    assert rows("SELECT sequence >= 20 FROM rating WHERE method = 'link' AND sequence > 1") == [(True,)]


def test_issuing_and_rating_at_once_never_gives_a_second_rating(token, pool, rules, closed, recorded, rows):
    tokens = [token]

    def rate(one):
        now = datetime.now(UTC)
        try:
            given = GivenRating(token=one, answers=Answers(level=3), opened_at=now, network="n")
            rating_links.rate_by_link(pool, given, rules=rules, correlation_id="race", now=now)
        except LinkNotUsable:
            return

    def turn(number):
        try:
            if number % 2:
                rating_links.issue_link(pool, Rated(issue_id=closed), f"token-{number}", now=datetime.now(UTC))
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


def test_an_issue_that_was_rated_by_a_link_gets_none_any_more(ask, rate, token, closed, pool):
    assert rate(token).status_code == 201
    with transaction(pool) as connection:  # as after the end of its retention
        connection.execute("DELETE FROM citizen_link")

    answer = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway")

    assert (answer.status_code, answer.json()["title"]) == (409, "already-rated")


def test_ten_tries_a_minute_from_one_network(rate, token):
    tries = [rate(f"guess {number}", address=f"192.0.2.{number + 1}") for number in range(12)]
    elsewhere = rate(token, address="198.51.100.1")

    assert [answer.status_code for answer in tries] == [404] * 10 + [429] * 2
    assert int(tries[-1].headers["retry-after"]) >= 1
    assert elsewhere.status_code == 201


def test_a_token_is_in_no_log_no_audit_no_event_and_no_answer_to_staff(ask, rate, token, closed, pool, capfd):
    ask("GET", "/v1/rating-links", authorization=f"Link {token}")
    rate(token, "much")
    rate(token, 1)
    rate(token, 1)
    told = [
        ask("GET", path, who=who).text
        for who in ("town-clerk", "town-officer", "first", "auditor", "kiosk", "gateway")
        for path in (
            f"/v1/issues/{closed}",
            "/v1/audit-records",
            f"/v1/issues/{closed}/rating-link",
            "/v1/rating-cases",
            "/v1/rating-comments",
            "/v1/openapi.json",
        )
    ]
    with transaction(pool) as connection:
        kept = [
            str(connection.execute(f"SELECT array_agg(row_to_json(t)::text) FROM {table} AS t").fetchone())  # noqa: S608 - the names stand here
            for table in ("audit_record", "outbox", "rating", "rating_trace", "citizen_link", "issue")
        ]
        actions = connection.execute("SELECT count(*) FROM audit_record WHERE action = 'link.issue'").fetchone()
    logged = "".join(capfd.readouterr())

    assert actions == (1,)
    assert any(str(closed) in text for text in kept)
    assert [text for text in (*told, *kept, logged) if token in text] == []


def test_of_a_restricted_citizen_no_link_can_be_used(rate, token, closed, pool):
    ref = new_id()
    with transaction(pool) as connection:
        connection.execute(
            "INSERT INTO citizen (ref, state, recorded_at, restricted_at, review_on)"
            " VALUES (%s, 'restricted', now(), now(), '2027-01-01')",
            [ref],
        )
        connection.execute("UPDATE issue SET citizen_ref = %s WHERE id = %s", [ref, closed])
    refused = rate(token, 1)
    with transaction(pool) as connection:
        connection.execute("UPDATE citizen SET state = 'active', restricted_at = NULL, review_on = NULL")

    assert refused.status_code == 404
    assert rate(token, 1).status_code == 201
