"""Public consultations: what everybody reads, who gives an opinion and when, and that the answer says it of all."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.api.app import create_intake_app
from services.intake.handlers import retention as classes
from services.intake.settings import IntakeSettings
from services.intake.storage.erasures import Erasure, set_erased
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM
from shared.retention.jobs import run
from shared.schedule import load_schedule
from tests.asking import asking
from tests.fakes import KnownPrincipals, one_of_each_role, person

pytestmark = pytest.mark.integration

PEOPLE = {
    **one_of_each_role().principals,
    "street-clerk": person("clerk", "street", name="street-clerk"),
    "harbour-clerk": person("clerk", "harbour", name="harbour-clerk"),
    "street-head": person("unit_head", "street", name="street-head"),
    "harbour-head": person("unit_head", "harbour", name="harbour-head"),
}
NOW = datetime.now(UTC).replace(microsecond=0)
THEMES = [
    {"title": "夜间免费", "opinion_count": 2, "decision": "adopted", "explanation": "二十二时以后不收费"},
    {"title": "全天免费", "opinion_count": 1, "decision": "not_adopted", "explanation": "车位周转需要"},
]
ANSWER = {"answer": "已采纳部分意见", "themes": THEMES}
OPINION = {"stance": "against", "text": "夜里不该收费", "name": "张秀兰", "phone": "13812345678"}


def a_consultation(**changes):
    return {
        "id": str(new_id()),
        "organisation_code": "street",
        "title": "停车收费方案",
        "question": "您是否赞成？",
        "opens_at": (NOW - timedelta(hours=1)).isoformat(),
        "closes_at": (NOW + timedelta(days=30)).isoformat(),
    } | changes


@pytest.fixture
def call(pool, county, tmp_path):
    assert county
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    with asking(create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE))) as client:

        def send(method, path, body=None, *, who=None):
            headers = {"Authorization": f"Bearer {who}"} if who else {}
            return client.request(method, path, json=body, headers=headers)

        yield send


@pytest.fixture
def asked(call):
    body = a_consultation()
    assert call("POST", "/v1/consultations", body, who="street-clerk").status_code == 201
    return f"/v1/consultations/{body['id']}"


@pytest.fixture
def rows(pool):
    def read(query, *parameters):
        with transaction(pool) as connection:
            cursor = connection.execute(query, list(parameters))
            return cursor.fetchall() if cursor.description else []

    return read


def end(rows, *, ago=timedelta(minutes=1)):
    rows("UPDATE consultation SET opens_at = %s, closes_at = %s", NOW - timedelta(days=400), NOW - ago)


def test_what_is_asked_is_for_everybody_and_what_is_said_is_not(call, asked, rows):
    given = call("POST", f"{asked}/opinions", OPINION)

    public = call("GET", asked).json()

    assert given.status_code == 201
    assert (public["phase"], public["title"], public["opinion_count"]) == ("open", "停车收费方案", None)
    assert call("GET", "/v1/consultations").json()["items"][0]["id"] == public["id"]
    stored = str(rows("SELECT row_to_json(opinion)::text FROM opinion"))
    assert all(word not in stored + str(public) for word in ("张秀兰", "13812345678", "夜里"))


def test_who_answers_reads_what_was_said_and_not_by_whom(call, asked, rows):
    call("POST", f"{asked}/opinions", OPINION)
    call("POST", f"{asked}/opinions", {"stance": "for"})

    read = call("GET", f"{asked}/opinions", who="street-head")

    assert [(one["stance"], one["text"], one["is_signed"]) for one in read.json()["items"]] == [
        ("against", "夜里不该收费", True),
        ("for", None, False),
    ]
    assert "张秀兰" not in read.text
    beside = call("GET", f"{asked}/opinions", who="harbour-head")
    assert beside.status_code == 404
    assert beside.content == call("GET", f"/v1/consultations/{new_id()}/opinions", who="harbour-head").content
    assert call("GET", f"{asked}/opinions", who="cadre").status_code == 403
    assert rows("SELECT count(*) > 0 FROM audit_record WHERE action LIKE '%%opinion.read%%'") == [(True,)]


def test_pages_of_opinions_go_on_where_the_last_ended(call, asked):
    for number in range(5):
        assert call("POST", f"{asked}/opinions", {"text": f"意见{number}"}).status_code == 201
    page = call("GET", f"{asked}/opinions?limit=2", who="street-head").json()
    seen = page["items"]
    while page["next_cursor"] is not None:
        page = call("GET", f"{asked}/opinions?limit=2&cursor={page['next_cursor']}", who="street-head").json()
        seen += page["items"]

    assert [one["text"] for one in seen] == [f"意见{number}" for number in range(5)]
    assert call("GET", f"{asked}/opinions?cursor=bm9uZQ", who="street-head").status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"closes_at": (NOW - timedelta(hours=2)).isoformat()},
        {"opens_at": "2020-01-01T00:00:00+08:00", "closes_at": "2020-02-01T00:00:00+08:00"},
        {"closes_at": (NOW + timedelta(days=400)).isoformat()},
        {"organisation_code": "nowhere"},
        {"title": ""},
        {"question": "长" * 20_001},
        {"state": "answered"},
        {"opens_at": 0},
    ],
)
def test_what_cannot_be_asked_is_refused(call, rows, changes):
    assert call("POST", "/v1/consultations", a_consultation(**changes), who="street-clerk").status_code == 422
    assert rows("SELECT 1 FROM consultation") == []


def test_asking_again_changes_nothing_and_otherwise_contradicts(call, events_of):
    body = a_consultation()

    statuses = [
        call("POST", "/v1/consultations", body | more, who="street-clerk").status_code
        for more in ({}, {}, {"title": "别的"})
    ]

    assert statuses == [201, 200, 409]
    assert events_of(body["id"]) == [("consultation.opened", 1)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": "张三"}, 422),
        ({"stance": "maybe"}, 422),
        ({"stance": True}, 422),
        ({"text": ""}, 422),
        ({"text": "a", "phone": "1234"}, 422),
        ({"text": "a", "counted": False}, 422),
    ],
)
def test_what_is_no_opinion_is_refused(call, asked, rows, body, status):
    assert call("POST", f"{asked}/opinions", body).status_code == status
    assert rows("SELECT 1 FROM opinion") == []


def test_one_phone_gives_one_opinion(call, asked):
    twice = [
        call("POST", f"{asked}/opinions", OPINION | {"phone": phone}) for phone in ("13812345678", "１３８12345678")
    ]

    assert [answer.status_code for answer in twice] == [201, 409]
    assert twice[1].json()["title"] == "opinion-already-given"


def test_opinions_are_taken_while_it_is_open(call, rows):
    later = a_consultation(opens_at=(NOW + timedelta(days=1)).isoformat())
    assert call("POST", "/v1/consultations", later, who="street-clerk").status_code == 201
    path = f"/v1/consultations/{later['id']}"
    early = call("POST", f"{path}/opinions", {"stance": "for"})
    end(rows)
    late = call("POST", f"{path}/opinions", {"stance": "for"})

    assert (early.status_code, late.status_code) == (409, 409)
    assert call("POST", f"/v1/consultations/{new_id()}/opinions", {"stance": "for"}).status_code == 404


def test_what_came_on_paper_is_entered_by_the_own_clerk(call, asked):
    path = f"{asked}/received-opinions"

    assert call("POST", path, {"text": "同意"}, who="street-clerk").status_code == 201
    assert call("POST", path, {"text": "同意"}, who="harbour-clerk").status_code == 404
    assert call("POST", path, {"text": "同意"}, who="street-head").status_code == 403
    [read] = call("GET", f"{asked}/opinions", who="street-clerk").json()["items"]
    assert read["channel"] == "staff"


def test_the_answer_comes_after_the_end_once_and_says_it_of_every_theme(call, asked, rows, events_of):
    for stance in ("for", "against", "neither"):
        call("POST", f"{asked}/opinions", {"stance": stance})
    early = call("POST", f"{asked}/answer", ANSWER, who="street-head")
    end(rows)
    too_many = ANSWER | {"themes": [THEMES[0] | {"opinion_count": 4}]}

    answers = [
        call("POST", f"{asked}/answer", body, who=who)
        for body, who in (
            (too_many, "street-head"),
            (ANSWER, "harbour-head"),
            (ANSWER, "street-head"),
            (ANSWER, "street-head"),
            (ANSWER | {"answer": "改了"}, "street-head"),
        )
    ]
    public = call("GET", asked).json()

    assert early.json()["title"] == "consultation-not-closed"
    assert [answer.status_code for answer in answers] == [422, 404, 200, 200, 409]
    assert (public["phase"], public["answer"], public["opinion_count"]) == ("answered", "已采纳部分意见", 3)
    assert public["themes"] == THEMES
    assert events_of("consultation") == [("consultation.opened", 1), ("consultation.answered", 2)]
    [[payload]] = rows("SELECT payload FROM outbox WHERE routing_key = 'intake.consultation.answered.v1'")
    assert (payload["opinion_count"], payload["adopted_count"], payload["not_adopted_count"]) == (3, 1, 1)


def test_what_was_withdrawn_is_there_for_nobody_and_cannot_be_answered(call, asked, rows):
    statuses = [
        call("POST", f"{asked}/withdrawal", {"reason_code": "postponed"}, who="street-clerk").status_code for _ in "12"
    ]
    end(rows)

    assert statuses == [200, 200]
    assert call("GET", asked).status_code == 404
    assert call("GET", "/v1/consultations").json()["items"] == []
    assert call("POST", f"{asked}/answer", ANSWER, who="street-head").status_code == 409
    assert call("POST", f"{asked}/opinions", {"stance": "for"}).status_code == 409


def test_twenty_opinions_an_hour_from_one_network(call, asked):
    statuses = [call("POST", f"{asked}/opinions", {"text": f"意见{number}"}).status_code for number in range(22)]

    assert statuses == [201] * 20 + [429] * 2


def test_words_are_forgotten_a_year_after_the_answer_and_counts_stay(call, asked, pool, rows):
    call("POST", f"{asked}/opinions", OPINION)
    end(rows, ago=timedelta(days=370))
    kind = [one for one in classes.CLASSES if one.name == "opinions"]

    [done] = run(pool, load_schedule(), kind, now=NOW)

    assert done.removed == 1
    [read] = call("GET", f"{asked}/opinions", who="street-head").json()["items"]
    assert (read["stance"], read["text"], read["is_signed"]) == ("against", None, False)


def test_erasing_a_citizen_empties_what_was_said(call, asked, pool, rows):
    call("POST", f"{asked}/opinions", OPINION)
    issue = {
        "type": "help",
        "category": "roads",
        "channel": "phone",
        "title": "路灯不亮",
        "organisation_code": "street",
    }
    citizen = {"citizen": {"name": "张秀兰", "phone": "13812345678"}}
    assert call("POST", "/v1/issues", issue | citizen, who="street-clerk").status_code == 201
    [[ref]] = rows("SELECT ref FROM citizen")

    with transaction(pool, reach=SYSTEM) as connection:
        assert set_erased(connection, [Erasure(citizen_ref=ref, reason_code="asked")], at=NOW)

    assert rows("SELECT text_sealed, person_handle FROM opinion") == [(None, None)]
