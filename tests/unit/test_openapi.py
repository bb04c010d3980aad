"""What each service says of itself at /v1/openapi.json: sound, whole, and the same for every route of a kind."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.http import list_actions
from shared.policy import POLICY
from tests.asking import client_at
from tests.unit.test_routes import make_apps

PROBLEM = "application/problem+json"
SCIM = "/scim/v2"  # speaks as RFC 7644 has it
OPEN311 = "/open311/"  # speaks as GeoReport has it
WITHOUT_CONTENT = {"204", "303", "304"}

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return make_apps(tmp_path_factory.mktemp("keys"))


def operations(app: FastAPI) -> Iterator[Operation]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_document_is_valid_and_every_reference_leads_somewhere(apps):
    for app in apps.values():
        OpenAPIV31SpecValidator(app.openapi()).validate()


def test_an_operation_has_a_name_of_its_own(apps):
    for service, app in apps.items():
        names = Counter(operation["operationId"] for _, _, operation in operations(app))

        assert [name for name, count in names.items() if count > 1] == [], service
        assert [name for name in names if not name.replace("_", "").isalnum()] == [], service


def test_every_answer_says_what_it_looks_like(apps):
    """A route without it: `responses=shows(Model)`, `responses=ANSWERS` or `responses=STEPS` (CONTRIBUTING.md)."""
    for app in apps.values():
        for method, path, operation in operations(app):
            for status, response in operation["responses"].items():
                if status not in WITHOUT_CONTENT:
                    shapes = [content.get("schema") for content in response.get("content", {}).values()]
                    assert shapes, f"{method} {path} does not say what it answers with {status}"
                    assert all(shapes), f"{method} {path} does not say what it answers with {status}"


def test_no_answer_is_an_object_of_which_nothing_is_said(apps):
    for service, app in apps.items():
        for name, schema in app.openapi()["components"]["schemas"].items():
            says = {"properties", "enum", "pattern"} & schema.keys() or schema.get("maxProperties") == 0
            assert says, f"{service}: {name} says nothing"


def test_refusals_are_problem_documents(apps):
    for service, app in apps.items():
        for method, path, operation in operations(app):
            for status, response in operation["responses"].items():
                if status >= "400" and not path.startswith((SCIM, OPEN311, "/v1/oauth2")):
                    assert set(response["content"]) == {PROBLEM}, f"{service}: {method} {path} {status}"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing/like/it", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("PUT", "/v1/openapi.json", 405, "method-not-allowed"),
        ("TRACE", "/v1/openapi.json", 405, "method-not-allowed"),
        ("GET", "/v1/openapi.json?x=%00", 400, "not-text"),
        ("PUT", "/v1/openapi.json", 415, "not-json"),
    ],
)
def test_what_no_route_answers_is_a_problem_document_as_well(apps, method, path, status, code):
    sent = b"a,b" if status == 415 else b""
    for service, app in apps.items():
        answer = client_at(app).request(method, path, content=sent, headers={"Content-Type": "text/csv"})

        assert answer.headers["content-type"] == PROBLEM, service
        assert (answer.status_code, answer.json()["title"]) == (status, code), service
        assert answer.headers["x-correlation-id"], service
        assert ("allow" in answer.headers) is (status == 405), service


def test_what_needs_somebody_names_how_they_are_known_and_how_they_are_refused(apps):
    for service, app in apps.items():
        for method, path, operation in operations(app):
            statuses = operation["responses"].keys()
            is_anybodys = not operation["security"] or path.startswith((SCIM, OPEN311))

            assert is_anybodys or {"401", "403"} <= statuses, f"{method} {path}"
            assert {"429", "503"} <= statuses, f"{service}: {method} {path}"


def test_an_operation_names_the_roles_that_it_lets_in(apps):
    for app in apps.values():
        named = {(path, method): operation["x-roles"] for method, path, operation in operations(app)}
        for route, [action] in list_actions(app):
            for method in (route.methods or ()) if route.include_in_schema else ():
                assert named[route.path_format, method] == sorted(POLICY[action].roles), route.path_format


def test_whatever_is_read_has_a_tag_and_need_not_be_sent_again(apps):
    for app in apps.values():
        for method, path, operation in operations(app):
            shown = operation["responses"].get("200", {})
            if method == "GET" and "application/json" in shown.get("content", {}):
                assert "ETag" in shown["headers"], path
                assert "304" in operation["responses"], path
                assert "If-None-Match" in [parameter["name"] for parameter in operation["parameters"]], path


def test_a_page_that_is_not_the_last_is_gone_on_from_by_a_cursor(apps):
    for app in apps.values():
        for method, path, operation in operations(app):
            if "Page_" in str(operation["responses"].get("200", {}).get("content")):
                named = {parameter["name"] for parameter in operation["parameters"]}
                assert {"limit", "cursor"} <= named, f"{method} {path}"


def test_nothing_in_an_address_or_a_header_is_null(apps):
    for service, app in apps.items():
        for method, path, operation in operations(app):
            for parameter in operation.get("parameters", ()):
                assert "null" not in json.dumps(parameter["schema"]), f"{service}: {method} {path} {parameter['name']}"


def test_the_wait_is_told_wherever_one_must_wait(apps):
    for app in apps.values():
        for method, path, operation in operations(app):
            for status in ("429", "503"):
                assert "Retry-After" in operation["responses"][status]["headers"], f"{method} {path} {status}"


def test_what_records_something_may_be_sent_with_a_key(apps):
    recorded = {"$ref": "#/components/schemas/Recorded"}
    for method, path, operation in operations(apps["intake"]):
        shown = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        named = [parameter["name"] for parameter in operation.get("parameters", ())]

        assert ("Idempotency-Key" in named) or shown != recorded, f"{method} {path}"


DECIDED = "what is decided is decided: a repeat is refused with 409, or is the same state again"
NOTHING_KEPT = "nothing is kept"
STATE = "it is in that state, or is not, however often that is asked for"
SIGNING_IN = "each step is taken once in a sign-in, and the next request is for the step after it"
NEW_SECRET = (
    "whoever lost the answer lost the secret and needs another; how many stand is bounded, and each can be ended"
)
MARKED = "what is read stays read since when it was"
CITIZEN = "a citizen has no account whose key it could be"

# POST routes that take no key, and what makes a repeat harmless there.
WITHOUT_KEY = {
    "intake": {
        "/v1/contacts/batch": "each record has an id of its own",
        "/v1/duties/presets/{name}": "each duty is known by its natural key, and a repeat changes none",
        "/v1/export-proposals/{proposal_id}/result": "a file is given once; a copy takes a second agreement",
        "/v1/citizen-proposals/{proposal_id}/result": "a list is given once; a copy takes a second agreement",
        "/v1/rating-links/rating": f"the token is used up by it, and amends within a day: {CITIZEN}",
        "/v1/reception-days/{reception_day_id}/bookings": f"one phone books one time of a day: {CITIZEN}",
        "/v1/reception-bookings/cancellation": f"the token gives up one booking, once: {CITIZEN}",
        "/v1/consultations/{consultation_id}/opinions": CITIZEN,
        "/v1/receipts/sms": "a receipt is known by its message, state and time: a gateway has no account",
    },
    "assessment": {
        "/v1/scheme-checks": NOTHING_KEPT,
        "/v1/simulations": NOTHING_KEPT,
        "/v1/scheme-proposals": "a version is adopted once: of two proposals the second can only be refused",
        "/v1/rule-schemes/{name}/{version}/end": "of two proposals the second can only be refused",
        "/v1/scheme-proposals/{proposal_id}/approve": DECIDED,
        "/v1/scheme-proposals/{proposal_id}/refuse": DECIDED,
        "/v1/signals/{signal_id}/decision": DECIDED,
    },
    "identity": {
        "/v1/sign-in": SIGNING_IN,
        "/v1/sign-in/code": SIGNING_IN,
        "/v1/sign-in/new-password": SIGNING_IN,
        "/v1/sign-in/second-factor": SIGNING_IN,
        "/v1/sign-in/second-factor/confirmation": SIGNING_IN,
        "/v1/sign-out": STATE,
        "/v1/sign-out/everywhere": STATE,
        "/v1/step-up": "it is proved anew",
        "/v1/password": "the old password is not the password any more",
        "/v1/second-factor": "an unconfirmed secret is replaced by the next",
        "/v1/second-factor/confirmation": "a code is good once",
        "/v1/accounts": "a name is given once",
        "/v1/accounts/{account_id}/disable": STATE,
        "/v1/accounts/{account_id}/enable": STATE,
        "/v1/accounts/{account_id}/roles": "a role in an organisation is granted once",
        "/v1/accounts/{account_id}/password": NEW_SECRET,
        "/v1/account-proposals/{proposal_id}/approve": DECIDED,
        "/v1/account-proposals/{proposal_id}/refuse": DECIDED,
        "/v1/client-proposals": "of one name there is one client: the second proposal changes it to what it is",
        "/v1/client-proposals/{proposal_id}/approve": DECIDED,
        "/v1/client-proposals/{proposal_id}/refuse": DECIDED,
        "/v1/clients/{client_id}/secrets": NEW_SECRET,
        "/v1/clients/{client_id}/keys": "a key has an id of its own",
        "/v1/clients/{client_id}/disable": STATE,
        "/scim/v2/Users": "a userName is given once",
        "/scim/v2/Users/.search": NOTHING_KEPT,
        "/scim/v2/Groups": "a second group of the same members gives them no more than the first",
        "/scim/v2/Groups/.search": NOTHING_KEPT,
        "/v1/oauth2/token": NOTHING_KEPT,
    },
    "notify": {
        "/v1/inbox/{subscription}/messages/{message_id}/read": MARKED,
        "/v1/own/messages/{message_id}/read": MARKED,
        "/v1/own/messages/read": MARKED,
        "/v1/templates/{topic}/{language}/preview": NOTHING_KEPT,
        "/v1/templates/{topic}/{language}": "what its author wrote last is no new version",
        "/v1/templates/{topic}/{language}/{version}/activate": STATE,
        "/v1/deliveries/{delivery_id}/replay": "what is due again is refused with 409 until it has failed again",
        "/v1/receipts/sms": "a receipt tells once of a delivery",
        "/v1/agreements": "a number is given once",
        "/v1/agreements/{agreement_id}/approve": DECIDED,
        "/v1/agreements/{agreement_id}/refuse": DECIDED,
        "/v1/agreements/{agreement_id}/end": STATE,
        "/v1/webhook-endpoints": "what is proposed already is refused with 409",
        "/v1/webhook-endpoints/{endpoint_id}/approve": DECIDED,
        "/v1/webhook-endpoints/{endpoint_id}/refuse": DECIDED,
        "/v1/webhook-endpoints/{endpoint_id}/keys": NEW_SECRET,
        "/v1/webhook-endpoints/{endpoint_id}/verify": STATE,
        "/v1/webhook-endpoints/{endpoint_id}/pause": STATE,
        "/v1/webhook-endpoints/{endpoint_id}/resume": STATE,
        "/v1/webhook-endpoints/{endpoint_id}/tests": "a test tells of nothing",
        "/v1/webhook-endpoints/{endpoint_id}/replays": "what is owed is not owed twice, and has the id it had before",
    },
}


def test_every_post_takes_a_key_or_needs_none(apps):
    for service, app in apps.items():
        without: set[str] = set()
        for method, path, operation in operations(app):
            if method == "POST":
                named = [parameter["name"] for parameter in operation.get("parameters", ())]
                assert named.count("Idempotency-Key") <= 1, path
                without |= set() if "Idempotency-Key" in named else {path}

        assert without == WITHOUT_KEY[service].keys(), service


def test_every_example_is_what_its_schema_asks_for(apps):
    for app in apps.values():
        document = app.openapi()
        for place, schema, example in examples(document):
            shape = {**schema, "components": document["components"]}
            assert jsonschema.Draft202012Validator(shape).is_valid(example), place


def examples(document: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    if isinstance(document, dict):
        schema = document.get("schema", document)
        if "example" in document and isinstance(schema, dict):
            yield place, schema, document["example"]
        for example in document.get("examples", ()) if isinstance(document.get("examples"), list) else ():
            yield place, schema, example
        for name, part in document.items():
            if name not in {"example", "examples"}:
                yield from examples(part, f"{place}/{name}")
    elif isinstance(document, list):
        for number, part in enumerate(document):
            yield from examples(part, f"{place}/{number}")
