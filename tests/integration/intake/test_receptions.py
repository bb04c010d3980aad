"""Reception days: what is announced, who gets a time, and that nobody reads who comes but the reception desk."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.api.app import create_intake_app
from services.intake.domain.receptions import SlotTaken
from services.intake.handlers import bookings, receptions
from services.intake.handlers import retention as classes
from services.intake.settings import IntakeSettings
from services.intake.storage.erasures import Erasure, set_erased
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM
from shared.retention.jobs import run
from shared.schedule import load_schedule
from tests.asking import asking
from tests.fakes import KnownPrincipals, machine, one_of_each_role, person

pytestmark = pytest.mark.integration

PEOPLE = {
    **one_of_each_role().principals,
    "street-clerk": person("clerk", "street", name="street-clerk"),
    "harbour-clerk": person("clerk", "harbour", name="harbour-clerk"),
    "first": person("cadre", staff_number="S1", name="first"),
    "second": person("cadre", staff_number="S2", name="second"),
    "gateway": machine("intake.write", organisation_code="street", name="gateway"),
}
VISITOR = {"slot": 2, "name": "张秀兰", "phone": "13812345678", "topic": "低保申请"}
BEGINS = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)


def a_day(**changes):
    return {
        "id": str(new_id()),
        "organisation_code": "street",
        "staff_number": "S1",
        "place": "一楼接访室",
        "from_at": BEGINS.isoformat(),
        "until_at": (BEGINS + timedelta(hours=2)).isoformat(),
        "slot_minutes": 30,
    } | changes


@pytest.fixture
def client(pool, county, tmp_path):
    assert county
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    with asking(create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE))) as client:
        yield client


@pytest.fixture
def call(client):
    def send(method, path, body=None, *, who=None, **headers):
        named = headers | ({"Authorization": f"Bearer {who}"} if who else {})
        return client.request(method, path, json=body, headers=named)

    return send


@pytest.fixture
def day(call):
    body = a_day()
    assert call("POST", "/v1/reception-days", body, who="street-clerk").status_code == 201
    return f"/v1/reception-days/{body['id']}"


@pytest.fixture
def rows(pool):
    def read(query, *parameters):
        with transaction(pool) as connection:
            cursor = connection.execute(query, list(parameters))
            return cursor.fetchall() if cursor.description else []

    return read


def begin(rows, day, *, ago=timedelta(hours=1)):
    """As if the day had begun so long ago."""
    rows(
        "UPDATE reception_day SET from_at = from_at - %s, until_at = until_at - %s WHERE id = %s",
        *[BEGINS - datetime.now(UTC) + ago] * 2,
        day.rsplit("/", 1)[1],
    )


def test_what_is_announced_is_for_everybody_with_the_times_that_are_free(call, day):
    call("POST", f"{day}/bookings", VISITOR)

    [announced] = call("GET", "/v1/reception-days").json()["items"]

    assert announced["organisation_code"] == "street"
    assert (announced["cadre_name"], announced["place"]) == ("S1", "一楼接访室")
    assert [free["slot"] for free in announced["free"]] == [1, 3, 4]
    assert datetime.fromisoformat(announced["free"][1]["starts_at"]) == BEGINS + timedelta(hours=1)
    assert call("GET", "/v1/reception-days?organisation=town").json()["items"] == [announced]
    assert call("GET", "/v1/reception-days?organisation=harbour").json()["items"] == []


def test_pages_of_announcements_go_on_where_the_last_ended(call):
    for number in range(5):
        begins = BEGINS + timedelta(hours=number // 2)
        body = a_day(from_at=begins.isoformat(), until_at=(begins + timedelta(hours=1)).isoformat())
        assert call("POST", "/v1/reception-days", body, who="street-clerk").status_code == 201
    page = call("GET", "/v1/reception-days?limit=2").json()
    seen = page["items"]
    while page["next_cursor"] is not None:
        page = call("GET", f"/v1/reception-days?limit=2&cursor={page['next_cursor']}").json()
        seen += page["items"]

    assert len({one["id"] for one in seen}) == len(seen) == 5
    assert [one["from_at"] for one in seen] == sorted(one["from_at"] for one in seen)


def test_offering_again_changes_nothing_and_otherwise_contradicts(call, events_of):
    body = a_day()
    statuses = [
        call("POST", "/v1/reception-days", body | more, who="street-clerk").status_code
        for more in ({}, {}, {"place": "二楼"})
    ]

    assert statuses == [201, 200, 409]
    assert events_of(body["id"]) == [("reception_day.offered", 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"until_at": (BEGINS + timedelta(minutes=29)).isoformat()},
        {"until_at": (BEGINS + timedelta(hours=25)).isoformat()},
        {"until_at": (BEGINS - timedelta(hours=1)).isoformat()},
        {"from_at": "2020-01-01T08:00:00+08:00", "until_at": "2020-01-01T10:00:00+08:00"},
        {"slot_minutes": 4},
        {"slot_minutes": 241},
        {"slot_minutes": True},
        {"staff_number": "nobody"},
        {"organisation_code": "nowhere"},
        {"state": "held"},
        {"place": "a\u202eb"},
    ],
)
def test_a_day_that_cannot_be_is_refused(call, changes, rows):
    answer = call("POST", "/v1/reception-days", a_day(**changes), who="street-clerk")

    assert answer.status_code == 422
    assert rows("SELECT 1 FROM reception_day") == []


def test_only_the_own_organisation_offers(call):
    assert call("POST", "/v1/reception-days", a_day(), who="harbour-clerk").status_code == 422
    assert call("POST", "/v1/reception-days", a_day(), who="gateway").status_code == 201
    assert call("POST", "/v1/reception-days", a_day(), who="first").status_code == 403


def test_a_token_looks_at_its_booking_and_gives_it_up(call, day, rows):
    booked = call("POST", f"{day}/bookings", VISITOR)
    token = booked.json()["token"]
    headers = {"authorization": f"Booking {token}"}

    assert booked.status_code == 201
    seen = call("GET", "/v1/reception-bookings", **headers).json()
    assert (seen["place"], seen["state"]) == ("一楼接访室", "booked")
    assert "张" not in str(seen)
    assert [call("POST", "/v1/reception-bookings/cancellation", {"token": token}).status_code for _ in "12"] == [
        200
    ] * 2
    assert call("GET", "/v1/reception-bookings", **headers).json()["state"] == "cancelled"
    assert call("POST", f"{day}/bookings", VISITOR | {"phone": "13912345678"}).status_code == 201
    stored = str(rows("SELECT row_to_json(reception_booking)::text FROM reception_booking"))
    assert all(word not in stored for word in (token, "张秀兰", "13812345678", "低保"))


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "' OR 1=1 --", "％" * 20])
def test_whatever_is_no_token_answers_alike(call, day, token):
    call("POST", f"{day}/bookings", VISITOR)

    answers = [call("POST", "/v1/reception-bookings/cancellation", {"token": one}) for one in (token, "of nobody")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"slot": 0}, 422),
        ({"slot": 5}, 422),
        ({"slot": "2"}, 422),
        ({"slot": 1e400}, 400),
        ({"phone": "12345"}, 422),
        ({"phone": "+1 202 555 0100"}, 422),
        ({"name": "   "}, 422),
        ({"name": "a\u0000b"}, 400),
        ({"state": "came"}, 422),
        ({"topic": "长" * 201}, 422),
    ],
)
def test_a_booking_that_cannot_be_is_refused_without_an_echo(client, day, rows, changes, status):
    body = json.dumps(VISITOR | changes)

    answer = client.post(f"{day}/bookings", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status
    assert all(str(value) not in answer.text for value in (VISITOR["phone"], "12345", "202 555"))
    assert rows("SELECT 1 FROM reception_booking") == []


def test_of_many_at_once_one_gets_the_time(pool, day, rows):
    day_id = day.rsplit("/", 1)[1]

    def book(number):
        wanted = bookings.Wanted(
            id=new_id(), reception_day_id=day_id, slot=1, name="甲", phone=f"138000000{number:02d}"
        )
        try:
            bookings.book(pool, wanted, f"token-{number}", now=datetime.now(UTC))
        except SlotTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as executor:
        done = list(executor.map(book, range(20)))

    assert done.count(True) == 1
    assert rows("SELECT count(*) FROM reception_booking") == [(1,)]


def test_one_phone_books_two_visits_to_come_and_no_third(call, day):
    statuses = [
        call("POST", f"{day}/bookings", VISITOR | {"slot": slot, "phone": phone}).status_code
        for slot, phone in (
            (1, "13812345678"),
            (2, "+86 138-1234-5678"),
            (3, "１３８１２３４５６７８"),
            (3, "13900000000"),
        )
    ]

    assert statuses == [201, 201, 409, 201]


def test_twenty_tries_an_hour_from_one_network(call, day):
    statuses = [
        call("POST", f"{day}/bookings", VISITOR | {"slot": 9, "phone": f"1380000{number:04d}"}).status_code
        for number in range(22)
    ]

    assert statuses == [422] * 20 + [429] * 2


def test_only_the_reception_desk_reads_who_comes(call, day, rows):
    call("POST", f"{day}/bookings", VISITOR)

    seen = {
        who: call("GET", f"{day}/bookings", who=who) for who in ("street-clerk", "first", "harbour-clerk", "second")
    }

    for who in ("street-clerk", "first"):
        [visitor] = seen[who].json()["items"]
        assert (visitor["name"], visitor["phone"], visitor["topic"]) == ("张秀兰", "13812345678", "低保申请")
    assert {seen[who].status_code for who in ("harbour-clerk", "second")} == {404}
    assert seen["second"].content == call("GET", f"/v1/reception-days/{new_id()}/bookings", who="second").content
    assert call("GET", f"{day}/bookings", who="department_officer").status_code == 403
    assert rows("SELECT count(*) FROM audit_record WHERE action LIKE '%%booking.read%%'")[0][0] >= 2


def test_a_day_is_held_once_with_who_came_and_who_did_not(call, day, rows, events_of):
    booked = [
        call("POST", f"{day}/bookings", VISITOR | {"slot": slot, "phone": f"1380000000{slot}"}).json()["id"]
        for slot in (1, 2)
    ]
    assert call("POST", f"{day}/holding", {"visitor_count": 3}, who="first").status_code == 409  # it has not begun
    begin(rows, day)
    assert call("POST", f"{day}/bookings/{booked[0]}/mark", {"state": "came"}, who="first").status_code == 200
    assert call("POST", f"{day}/bookings/{new_id()}/mark", {"state": "came"}, who="first").status_code == 404

    too_few = call("POST", f"{day}/holding", {"visitor_count": 0}, who="first")
    statuses = [call("POST", f"{day}/holding", {"visitor_count": 3}, who="first").status_code for _ in range(2)]
    late = call("POST", f"{day}/bookings/{booked[1]}/mark", {"state": "came"}, who="first")

    assert (too_few.status_code, too_few.json()["title"]) == (422, "fewer-than-came")
    assert statuses == [200, 200]
    assert late.status_code == 409
    assert rows("SELECT state FROM reception_booking ORDER BY slot") == [("came",), ("absent",)]
    assert events_of("reception_day") == [("reception_day.offered", 1), ("reception_day.held", 2)]
    assert call("POST", f"{day}/cancellation", {"reason_code": "illness"}, who="street-clerk").status_code == 409


def test_somebody_else_may_have_received(call, day, rows):
    begin(rows, day)

    answer = call("POST", f"{day}/holding", {"visitor_count": 1, "staff_number": "S3"}, who="clerk")
    [[payload]] = rows("SELECT payload FROM outbox WHERE routing_key = 'intake.reception_day.held.v1'")

    assert answer.status_code == 200
    assert rows("SELECT id::text FROM cadre WHERE staff_number = 'S3'") == [(payload["cadre_id"],)]


def test_a_cancelled_day_takes_nobody_and_says_so_to_whom_it_concerns(call, day, rows):
    token = call("POST", f"{day}/bookings", VISITOR).json()["token"]

    statuses = [
        call("POST", f"{day}/cancellation", {"reason_code": "illness"}, who="street-clerk").status_code
        for _ in range(2)
    ]
    [[payload]] = rows("SELECT payload FROM outbox WHERE routing_key = 'intake.reception_day.cancelled.v1'")

    assert statuses == [200, 200]
    assert (payload["booked_count"], payload["reason_code"]) == (1, "illness")
    assert call("POST", f"{day}/bookings", VISITOR | {"slot": 3}).status_code == 409
    assert call("GET", "/v1/reception-bookings", authorization=f"Booking {token}").json()["day_state"] == "cancelled"
    assert call("GET", "/v1/reception-days").json()["items"] == []


def test_what_visitors_said_is_forgotten_a_month_after_the_day(call, pool, day, rows):
    call("POST", f"{day}/bookings", VISITOR)
    begin(rows, day, ago=timedelta(days=31))
    kind = [one for one in classes.CLASSES if one.name == "reception_bookings"]

    [early] = run(pool, load_schedule(), kind, now=datetime.now(UTC) - timedelta(days=2))
    [late] = run(pool, load_schedule(), kind, now=datetime.now(UTC))

    assert (early.removed, late.removed) == (0, 1)
    assert rows(
        """
        SELECT num_nonnulls(name_sealed, phone_sealed, topic_sealed, phone_handle, person_handle)
          FROM reception_booking
        """
    ) == [(0,)]
    assert [visitor["name"] for visitor in call("GET", f"{day}/bookings", who="street-clerk").json()["items"]] == [None]


def test_erasing_a_citizen_empties_the_own_bookings_and_nobody_elses(call, pool, day, rows):
    for slot, name in ((1, "张秀兰"), (2, "张家成")):  # of one family, with one phone
        assert call("POST", f"{day}/bookings", VISITOR | {"slot": slot, "name": name}).status_code == 201
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
        assert set_erased(connection, [Erasure(citizen_ref=ref, reason_code="asked")], at=datetime.now(UTC))

    names = [visitor["name"] for visitor in call("GET", f"{day}/bookings", who="street-clerk").json()["items"]]
    assert names == [None, "张家成"]


def test_the_announcement_is_of_days_to_come(pool, day, rows):
    begin(rows, day)

    coming = receptions.list_coming(pool, organisation_code=None, after=None, limit=5, now=datetime.now(UTC))

    assert coming == []
