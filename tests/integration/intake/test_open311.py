"""GeoReport v2 point by point, and what the public must never see. Against a real database, through the real app."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4
from xml.etree import ElementTree

import jsonschema
import pytest
from httpx2 import Client, Response

from services.intake.api.app import create_intake_app
from services.intake.api.open311_described import ERRORS
from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.handlers import registers
from services.intake.settings import IntakeSettings
from shared.database import Pool
from shared.identifiers import new_id
from tests.asking import asking
from tests.fakes import KnownPrincipals, machine, person
from tests.integration.intake.conftest import NOW
from tests.integration.intake.georeport import SCHEMAS

pytestmark = pytest.mark.integration

FORM = "application/x-www-form-urlencoded; charset=utf-8"
FORMATS = ("xml", "json")
MEDIA_TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
LIGHT = {"service_code": "street_lights", "lat": "31.23456", "long": "121.98765", "description": "村口路灯不亮"}
SECRETS = (
    "王芳芳",
    "13800138000",
    "wang@example.org",
    "人民路七号",
    "村口路灯不亮",
    "31.23456",
    "DEVICE-77",
    "photo.jpg",
)
FULL = {
    **LIGHT,
    "first_name": "芳芳",
    "last_name": "王",
    "phone": "13800138000",
    "email": "wang@example.org",
    "address_string": "人民路七号",
    "device_id": "DEVICE-77",
    "media_url": "http://127.0.0.1:9/photo.jpg",
}


class City:
    """The door as other cities' software meets it, and as staff do."""

    def __init__(self, client: Client, *, who: str = "app") -> None:
        self.client = client
        self.key = client.post("/v1/open311/keys", headers={"Authorization": f"Bearer {who}"}).json()["api_key"]

    def get(self, path: str, **arguments: str) -> Response:
        return self.client.get(f"/open311/v2/{path}", params=arguments)

    def post(self, path: str = "requests.json", /, **fields: Any) -> Response:
        named = {"api_key": self.key, **fields}
        body = urlencode({name: value for name, value in named.items() if value is not None}, doseq=True)
        return self.client.post(f"/open311/v2/{path}", content=body, headers={"Content-Type": FORM})

    def file(self, **fields: Any) -> str:
        answer = self.post(**{**LIGHT, **fields})
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0]["service_request_id"])

    def as_officer(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        named = {"Authorization": "Bearer officer"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.request(method, path, json=body, headers=named)


@pytest.fixture
def city(make_city: Callable[..., City]) -> City:
    return make_city()


@pytest.fixture
def make_city(pool: Pool, tmp_path: Any) -> Iterator[Callable[..., City]]:
    opened = ExitStack()

    def make(**settings: Any) -> City:
        registers.register_organisations(
            pool,
            [RegisterOrganisation(id=new_id(), correlation_id="x", code="county", name="测试县", level="50")],
            now=NOW,
        )
        registers.register_cadres(
            pool, [RegisterCadre(id=new_id(), correlation_id="x", staff_number="S1", name="李明")], now=NOW
        )
        own = IntakeSettings(
            mode="test",
            database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            import_directory=tmp_path,
            **settings,
        )
        people = {
            "app": machine("open311.file", name="app"),
            "other": machine("open311.file", name="other"),
            "reader": machine("intake.read", name="reader"),
            "officer": person("department_officer"),
            "clerk": person("clerk"),
        }
        app = create_intake_app(own, pool, authenticator=KnownPrincipals(people))
        return City(opened.enter_context(asking(app)))

    with opened:
        yield make


def texts(answer: Response) -> ElementTree.Element:
    """The XML, which declares its encoding, has no namespace, and is what the media type says."""
    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>"), answer.content[:80]
    assert answer.headers["content-type"] == MEDIA_TYPES["xml"]
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own door wrote it
    assert not any(element.tag.startswith("{") for element in root.iter())
    return root


def valid(answer: Response, name: str) -> Any:
    assert answer.headers["content-type"] == MEDIA_TYPES["json"]
    document = answer.json()
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(document)
    return document


def refused(answer: Response, status: int) -> list[dict[str, str]]:
    assert answer.status_code == status, answer.text
    if answer.headers["content-type"] == MEDIA_TYPES["xml"]:
        errors = [{part.tag: part.text or "" for part in error} for error in texts(answer)]
        assert texts(answer).tag == "errors"
    else:
        errors = answer.json()
    jsonschema.Draft202012Validator(ERRORS).validate(errors)
    assert [error["code"] for error in errors] == [str(status)]
    return errors


# 1. Discovery


def test_discovery_names_the_endpoint_in_both_formats(city: City):
    document = valid(city.client.get("/open311/discovery.json"), "discovery")
    root = texts(city.client.get("/open311/discovery.xml"))

    assert document["endpoints"][0]["url"].endswith("/open311/v2")
    assert [one.text for one in root.iter("format")] == ["text/xml", "application/json"]
    assert root.findtext("endpoints/endpoint/specification") == "http://wiki.open311.org/GeoReport_v2"
    assert datetime.fromisoformat(document["changeset"]) < datetime.fromisoformat("2030-01-01T00:00:00Z")


def test_a_list_of_services_that_cannot_be_read_stops_the_start(make_city, tmp_path):
    broken = tmp_path / "services.toml"
    for text in (
        "",
        "changeset = 2026-01-01T00:00:00\n",
        "changeset = 2026-01-01T00:00:00Z\n[[service]]\ncode='a b'\n",
    ):
        broken.write_text(text)
        with pytest.raises((ValueError, KeyError)):
            make_city(open311_services=broken)


# 2. and 3. Six operations and the token, in XML and JSON


@pytest.mark.parametrize("form", FORMATS)
def test_every_operation_answers_in_the_format_of_its_suffix(city: City, form):
    identifier = city.file()
    for path in (
        "services",
        "services/roads",
        "requests",
        f"requests/{identifier}",
        f"tokens/{identifier}",
        "servicerequestupdates",
    ):
        answer = city.get(f"{path}.{form}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == MEDIA_TYPES[form], path
    filed = city.post(f"requests.{form}", **LIGHT)
    assert filed.status_code == 200
    assert filed.headers["content-type"] == MEDIA_TYPES[form]


def test_json_is_arrays_at_the_top_and_xml_the_same_content(city: City):
    identifier = city.file()
    listed = valid(city.get("requests.json"), "requests")
    root = texts(city.get("requests.xml"))

    assert isinstance(listed, list)
    assert root.tag == "service_requests"
    assert [one.findtext("service_request_id") for one in root.iter("request")] == [identifier]
    assert {part.tag: part.text for part in root[0]} == {name: str(value) for name, value in listed[0].items()}


# 4. Times


def test_every_time_has_its_offset(city: City):
    city.file()
    for request in valid(city.get("requests.json"), "requests"):
        for name in ("requested_datetime", "updated_datetime"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", request[name])


# 5. Empty is absent


def test_an_empty_argument_is_an_absent_one(city: City):
    identifier = city.file(first_name="", phone="", address_string="")

    empty = dict.fromkeys(("jurisdiction_id", "service_request_id", "status", "start_date", "page", "page_size"), "")

    assert [one["service_request_id"] for one in city.get("requests.json", **empty).json()] == [identifier]
    refused(city.post(service_code="", lat="1", long="1"), 400)
    refused(city.post(**{**LIGHT, "api_key": ""}), 403)


def test_a_jurisdiction_is_needed_by_nobody_and_an_unknown_one_is_not_found(make_city):
    city = make_city(open311_jurisdiction="anlan.example.org")

    assert city.get("services.xml").status_code == 200
    assert city.get("services.xml", jurisdiction_id="anlan.example.org").status_code == 200
    refused(city.get("services.xml", jurisdiction_id="elsewhere.example.org"), 404)
    refused(city.post(**LIGHT, jurisdiction_id="elsewhere.example.org"), 404)


# 6. and 7. Services and definitions


def test_services_say_whether_they_have_a_definition(city: City):
    services = {one["service_code"]: one for one in valid(city.get("services.json"), "services")}

    assert services["roads"]["metadata"] is True
    assert services["greening"]["metadata"] is False
    assert services["greening"]["keywords"] == "绿化,树木"
    assert texts(city.get("services.xml")).findtext("service/metadata") == "true"


def test_the_register_of_categories_says_which_services_there_are_and_how_they_are_called(city: City, ask):
    for code, name, is_retired in (("roads", "道路桥梁", False), ("greening", "绿化", True), ("secret", "内部", False)):
        ask(
            "INSERT INTO category (id, code, name, is_retired, from_on, sequence, recorded_at) "
            "VALUES (%s, %s, %s, %s, '2020-01-01', 1, now()) RETURNING 1",
            uuid4(),
            code,
            name,
            is_retired,
        )

    services = {one["service_code"]: one["service_name"] for one in valid(city.get("services.json"), "services")}

    assert services == {"roads": "道路桥梁"}
    refused(city.post(**LIGHT), 404)
    refused(city.get("services/greening.json"), 404)


def test_a_definition_numbers_its_attributes_and_lists_its_values(city: City):
    definition = valid(city.get("services/roads.json"), "definition")
    root = texts(city.get("services/roads.xml"))

    assert [one["order"] for one in definition["attributes"]] == [1, 2]
    assert definition["attributes"][0]["values"][0] == {"key": "pothole", "name": "坑洼"}
    assert root.findtext("attributes/attribute/values/value/key") == "pothole"
    refused(city.get("services/nothing.json"), 404)
    refused(city.get("services/nothing.xml"), 404)


# 8. Filing


def test_a_filing_becomes_an_issue_with_its_citizen_and_all_that_was_said(city: City, ask):
    answer = city.post("requests.json", **FULL, **{"attribute[pole_number]": "A-7", "account_id": "acc-1"})
    filed = valid(answer, "filed")
    identifier = filed[0]["service_request_id"]

    issue = city.as_officer("GET", f"/v1/issues/{identifier}").json()
    kept = city.as_officer("GET", f"/v1/issues/{identifier}/filing").json()

    assert filed[0]["account_id"] == "acc-1"
    assert (issue["type"], issue["category"], issue["channel"]) == ("help", "street_lights", "other_system")
    assert issue["description"] == "村口路灯不亮"
    assert issue["citizen"] == {"name": "王**", "phone": "138****8000"}
    assert kept["details"] == {
        "account_id": "acc-1",
        "address_string": "人民路七号",
        "attributes": {"pole_number": ["A-7"]},
        "device_id": "DEVICE-77",
        "email": "wang@example.org",
        "lat": 31.23456,
        "long": 121.98765,
        "media_url": "http://127.0.0.1:9/photo.jpg",
    }
    assert ask("SELECT count(*) FROM outbox WHERE aggregate_id = %s", identifier) == [(1,)]


def test_nothing_that_was_written_lies_in_clear_or_in_an_event(city: City, ask):
    city.post(**FULL)

    everything = str(ask("SELECT filing::text FROM filing")) + str(ask("SELECT issue::text FROM issue"))
    everything += str(ask("SELECT payload::text FROM outbox")) + str(ask("SELECT citizen::text FROM citizen"))

    for secret in SECRETS:
        assert secret not in everything
        assert secret.encode().hex() not in everything


@pytest.mark.parametrize(
    "fields",
    [
        {"service_code": None},
        {"lat": None},
        {"lat": "91"},
        {"long": "1e2"},
        {"lat": "NaN"},
        {"lat": None, "long": None},
        {"description": "长" * 4_001},
        {"description": "<script>alert(1)</script>"},
        {"description": "a\x00b"},
        {"description": "\u202eabc"},
        {"media_url": "file:///etc/passwd"},
        {"media_url": "gopher://x/"},
        {"media_url": "http://[::1"},
        {"phone": "not a phone"},
        {"email": "e" * 501},
        {"attribute[unknown]": "1"},
        {"attribute[pole_number]": ["1", "2"]},
        {"address_string": "路" * 501},
    ],
)
def test_what_does_not_fit_is_refused_with_400_and_leaves_nothing(city: City, ask, fields):
    for form in FORMATS:
        errors = refused(city.post(f"requests.{form}", **{**LIGHT, **fields}), 400)
        assert "passwd" not in errors[0]["description"]

    assert ask("SELECT count(*) FROM issue") == [(0,)]
    assert ask("SELECT count(*) FROM citizen") == [(0,)]


def test_attributes_are_checked_by_the_definition(city: City):
    base = {"service_code": "roads", "address_string": "人民路"}

    refused(city.post(**base), 400)
    refused(city.post(**base, **{"attribute[defect]": "volcano"}), 400)
    refused(city.post(**base, **{"attribute[defect]": "cover", "attribute[affected][]": ["pedestrians", "x"]}), 400)
    fits = city.post(**base, **{"attribute[defect]": "cover", "attribute[affected][]": ["pedestrians", "cyclists"]})

    identifier = fits.json()[0]["service_request_id"]
    kept = city.as_officer("GET", f"/v1/issues/{identifier}/filing").json()["details"]["attributes"]
    assert kept == {"defect": ["cover"], "affected": ["pedestrians", "cyclists"]}


def test_an_unknown_service_is_not_found(city: City):
    refused(city.post("requests.xml", **{**LIGHT, "service_code": "volcanoes"}), 404)


def test_only_a_form_is_taken(city: City):
    for path in ("requests.json", "requests.xml"):
        answer = city.client.post(f"/open311/v2/{path}", json={**LIGHT, "api_key": city.key})
        refused(answer, 400)
    wrong = {"Content-Type": "application/x-www-form-urlencoded; charset=gbk"}
    refused(city.client.post("/open311/v2/requests.xml", content=urlencode(LIGHT), headers=wrong), 400)


def test_the_longest_description_of_chinese_characters_is_taken(city: City):
    assert city.file(description="长" * 4_000)


def test_the_same_key_of_the_same_request_files_once(city: City, ask):
    body = urlencode({**LIGHT, "api_key": city.key})
    headers = {"Content-Type": FORM, "Idempotency-Key": "once"}

    answers = [city.client.post("/open311/v2/requests.json", content=body, headers=headers).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert ask("SELECT count(*) FROM issue") == [(1,)]


# Keys


def test_a_key_is_of_one_active_client_with_the_scope_and_ends_with_the_next(city: City):
    first = city.key
    refused(city.post(**{**LIGHT, "api_key": None}), 403)
    refused(city.post(**{**LIGHT, "api_key": first[:-1] + ("A" if first[-1] != "A" else "B")}), 403)
    refused(city.post("requests.xml", **{**LIGHT, "api_key": "k" * 3_000}), 403)
    again = city.client.post("/v1/open311/keys", headers={"Authorization": "Bearer app"})

    assert again.status_code == 201
    refused(city.post(**LIGHT), 403)
    city.key = again.json()["api_key"]
    assert city.post(**LIGHT).status_code == 200


def test_a_key_is_stored_as_a_digest_and_given_to_machines_with_the_scope_alone(city: City, ask):
    for who in ("reader", "officer", "clerk"):
        assert city.client.post("/v1/open311/keys", headers={"Authorization": f"Bearer {who}"}).status_code == 403
    assert city.key not in str(ask("SELECT filing_key::text FROM filing_key"))


def test_a_token_of_identity_does_as_well_as_a_key(city: City):
    for who, status in (("app", 200), ("reader", 403), ("clerk", 403), ("nobody", 403)):
        headers = {"Content-Type": FORM, "Authorization": f"Bearer {who}"}
        answer = city.client.post("/open311/v2/requests.json", content=urlencode(LIGHT), headers=headers)
        assert answer.status_code == status, who


# 9. Queries


def test_ids_go_before_everything_else(city: City):
    first, second = city.file(), city.file()

    found = city.get("requests.json", service_request_id=f"{first},{second},{uuid4()},x", status="closed").json()

    assert {one["service_request_id"] for one in found} == {first, second}
    assert city.get("requests.json", service_request_id=str(uuid4())).json() == []


def test_requests_are_found_by_service_status_and_time(city: City):
    light, other = city.file(), city.file(service_code="greening")
    city.client.post(
        f"/v1/issues/{other}/closure",
        json={"outcome": "resolved", "reply": "已修剪"},
        headers={"Authorization": "Bearer clerk"},
    )

    def found(**arguments: str) -> list[str]:
        answer = city.get("requests.json", **arguments)
        assert answer.status_code == 200, answer.text
        return sorted(one["service_request_id"] for one in answer.json())

    assert found() == sorted([light, other])
    assert found(service_code="street_lights") == [light]
    assert found(service_code="street_lights,greening", status="closed") == [other]
    assert found(status="open") == [light]
    assert found(end_date="2020-01-01T00:00:00+08:00") == []
    assert found(start_date="2026-01-01T00:00:00Z", end_date="2026-03-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
        {"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"start_date": "2026-01-01T00:00:00"},
        {"start_date": "yesterday"},
        {"start_date": "0000-01-01T00:00:00Z"},
        {"end_date": "9999-12-31T23:59:59Z"},
        {"status": "pending"},
        {"page": "0"},
        {"page_size": "1001"},
        {"page_size": "ten"},
        {"service_request_id": ",".join(["x"] * 101)},
    ],
)
def test_a_query_that_does_not_fit_is_400_and_never_422(city: City, arguments):
    for form in FORMATS:
        refused(city.get(f"requests.{form}", **arguments), 400)


def test_a_plus_that_nobody_encoded_is_still_an_offset(city: City):
    assert city.client.get("/open311/v2/requests.json?start_date=2026-11-01T00:00:00+08:00").status_code == 200


def test_pages_follow_one_another_without_gap(city: City):
    filed = {city.file() for _ in range(5)}

    pages = [city.get("requests.json", page=str(page), page_size="2").json() for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert {one["service_request_id"] for page in pages for one in page} == filed


# 10. The fields, and nothing else


def test_the_public_sees_category_status_times_agency_and_a_coarse_place_only(city: City):
    identifier = city.file(**FULL)
    for form in FORMATS:
        for path in ("requests", f"requests/{identifier}", "servicerequestupdates"):
            for extensions in ("", "true"):
                answer = city.get(f"{path}.{form}", extensions=extensions)
                for secret in SECRETS:
                    assert secret not in answer.text, path
    [shown] = city.get(f"requests/{identifier}.json").json()

    assert (shown["lat"], shown["long"]) == (31.23, 121.99)
    assert shown["service_name"] == "路灯照明"
    assert shown.keys() <= SCHEMAS["requests"]["items"]["properties"].keys()
    assert not shown.keys() & {"description", "address", "address_id", "zipcode", "media_url"}


def test_a_reply_is_shown_only_where_an_officer_released_words(city: City):
    identifier = city.file()
    city.client.post(
        f"/v1/issues/{identifier}/closure",
        json={"outcome": "resolved", "reply": "已联系王芳修好"},
        headers={"Authorization": "Bearer clerk"},
    )

    [before] = city.get(f"requests/{identifier}.json").json()
    city.as_officer("PUT", f"/v1/issues/{identifier}/publication", {"is_public": True, "notes": "路灯已修复"})
    [after] = city.get(f"requests/{identifier}.json").json()

    assert before["status"] == "closed"
    assert "status_notes" not in before
    assert after["status_notes"] == "路灯已修复"
    assert after["updated_datetime"] == before["updated_datetime"]  # the time of closing, where it is closed


def test_what_was_not_filed_is_not_public_until_an_officer_says_so(city: City, ask):
    body = {"type": "help", "category": "roads", "channel": "phone", "title": "路坏了", "organisation_code": "county"}
    issue = city.client.post("/v1/issues", json=body, headers={"Authorization": "Bearer clerk"}).json()["id"]

    assert city.get("requests.json").json() == []
    refused(city.get(f"requests/{issue}.json"), 404)
    assert city.as_officer("PUT", f"/v1/issues/{issue}/publication", {"is_public": True}).status_code == 200
    [shown] = city.get("requests.json").json()
    city.as_officer("PUT", f"/v1/issues/{issue}/publication", {"is_public": False})

    assert shown["agency_responsible"] == "测试县"
    assert city.get("requests.json").json() == []
    assert len(ask("SELECT 1 FROM audit_record WHERE action IN ('issue.publish', 'issue.withdraw')")) == 2


def test_words_for_everybody_are_replaced_in_the_version_that_was_read(city: City):
    issue = city.file()
    path = f"/v1/issues/{issue}/publication"
    read = city.as_officer("GET", f"/v1/issues/{issue}/filing")
    first, second = ({"is_public": True, "notes": notes} for notes in ("路灯已修复", "路灯已更换"))

    assert city.as_officer("PUT", path, first, if_match=read.headers["etag"]).status_code == 200
    other = city.as_officer("PUT", path, second, if_match=read.headers["etag"])

    assert (other.status_code, other.json()["title"]) == (412, "outdated")
    shown = city.as_officer("GET", f"/v1/issues/{issue}/filing").json()
    assert (shown["notes"], shown["version"]) == ("路灯已修复", read.json()["version"] + 1)
    assert city.as_officer("PUT", path, second, if_match=f'"{shown["version"]}"').status_code == 200


@pytest.mark.parametrize("more", [{"type": "complaint"}, {"type": "report"}, {"subject_staff_number": "S1"}])
def test_a_complaint_is_never_public_whoever_says_so(city: City, ask, more):
    body = {"type": "help", "category": "roads", "channel": "phone", "title": "某人", **more}
    issue = city.client.post("/v1/issues", json=body, headers={"Authorization": "Bearer clerk"}).json()["id"]

    answer = city.as_officer("PUT", f"/v1/issues/{issue}/publication", {"is_public": True})
    ask(
        "INSERT INTO filing (issue_id, account_id, service_code, is_public, changed_at) "
        "VALUES (%s, %s, 'roads', true, now()) RETURNING 1",
        issue,
        uuid4(),
    )

    assert (answer.status_code, answer.json()["title"]) == (409, "not-publishable")
    assert city.get("requests.json").json() == []
    refused(city.get(f"requests/{issue}.xml"), 404)


def test_who_is_restricted_or_erased_is_not_public_either(city: City, ask):
    identifier = city.file(**FULL)
    [(ref,)] = ask("SELECT citizen_ref FROM issue WHERE id = %s", identifier)
    ask(
        "UPDATE citizen SET state = 'restricted', restricted_at = now(), review_on = '2030-01-01' WHERE ref = %s "
        "RETURNING 1",
        ref,
    )

    assert city.get("requests.json").json() == []


def test_a_closed_jurisdiction_shows_nothing_and_takes_everything(make_city):
    city = make_city(open311_public="nothing")
    identifier = city.file()

    assert city.get("requests.json").json() == []
    refused(city.get(f"requests/{identifier}.json"), 404)
    refused(city.get(f"tokens/{identifier}.json"), 404)
    assert city.as_officer("GET", f"/v1/issues/{identifier}/filing").json()["is_public"] is False


def test_where_only_what_is_released_is_public_a_filing_waits_for_an_officer(make_city):
    city = make_city(open311_public="released")
    identifier = city.file()

    assert city.get("requests.json").json() == []
    city.as_officer("PUT", f"/v1/issues/{identifier}/publication", {"is_public": True})
    assert [one["service_request_id"] for one in city.get("requests.json").json()] == [identifier]


# 11. Errors


def test_what_is_not_there_is_404_in_the_format_asked_for(city: City):
    for path in ("requests/nothing", f"requests/{uuid4()}", "tokens/nothing", "services/nothing"):
        for form in FORMATS:
            refused(city.get(f"{path}.{form}"), 404)


# 12. Extensions


def test_extensions_tell_of_the_stage(city: City):
    identifier = city.file()

    [shown] = valid(city.get(f"requests/{identifier}.json", extensions="true"), "requests")

    assert shown["extended_attributes"] == {"stage": "received", "outcome": None}
    assert texts(city.get(f"requests/{identifier}.xml", extensions="true")).find("request/notes") is not None


def test_updates_tell_of_steps_and_are_told_by_the_client_that_filed(city: City):
    identifier = city.file()
    city.client.post(
        f"/v1/issues/{identifier}/closure",
        json={"outcome": "resolved", "reply": "好了"},
        headers={"Authorization": "Bearer clerk"},
    )
    told = city.post("servicerequestupdates.xml", service_request_id=identifier, status="OPEN", description="又坏了")
    other = City(city.client, who="other")

    [update] = valid(city.get("servicerequestupdates.json"), "updates")
    kept = city.as_officer("GET", f"/v1/issues/{identifier}/filing").json()["updates"]

    assert update["update_id"] == f"{identifier}-closed"
    assert update["description"] == ""
    assert texts(told).findtext("request_update/update_id") == kept[0]["id"]
    assert (kept[0]["status"], kept[0]["text"]) == ("open", "又坏了")
    refused(other.post("servicerequestupdates.json", service_request_id=identifier, status="open"), 404)
    refused(city.post("servicerequestupdates.json", service_request_id=identifier, status="gone"), 400)


def test_reads_are_counted_by_network(city: City):
    # A slow machine asks slowly, and is allowed some more meanwhile.
    assert any(city.get("services.json").status_code == 429 for _ in range(1_000))
    last = city.get("services.json")
    assert refused(last, 429)
    assert int(last.headers["retry-after"]) >= 1


def test_hostile_text_comes_back_as_nothing_but_text(city: City):
    for value in ("' OR 1=1 --", "${jndi:ldap://x}", "{{7*7}}", "=HYPERLINK(1)", "]]>", "&lol;"):
        identifier = city.file(description=value, address_string=value)
        assert city.as_officer("GET", f"/v1/issues/{identifier}").json()["description"] == value
        assert value not in city.get(f"requests/{identifier}.xml").text
    for path in ("%ff", quote("' OR 1=1 --")):
        refused(city.client.get(f"/open311/v2/requests/{path}.json"), 404)
    for path in ("%2e%2e%2f", "%252e%252e%252f"):  # no request's number: nothing of ours is asked
        assert city.client.get(f"/open311/v2/requests/{path}.json").status_code == 404


def test_a_span_of_ninety_days_is_the_longest(city: City):
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    fits, over = (start + timedelta(days=90), start + timedelta(days=90, seconds=1))

    assert city.get("requests.json", start_date=start.isoformat(), end_date=fits.isoformat()).status_code == 200
    refused(city.get("requests.json", start_date=start.isoformat(), end_date=over.isoformat()), 400)
