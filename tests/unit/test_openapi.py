"""What each service says of itself at /v1/openapi.json: sound, whole, and the same for every route of a kind."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.unit.test_routes import make_apps

PROBLEM = "application/problem+json"
UNTYPED = {"assessment", "notify"}  # services whose answers are not all described yet
BY_STANDARD = ("/scim/v2", "/v1/oauth2/jwks", "/.well-known/")  # as RFC 7644, 7517 and 8414 describe them
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
    for service in apps.keys() - UNTYPED:
        for method, path, operation in operations(apps[service]):
            for status, response in operation["responses"].items():
                if status not in WITHOUT_CONTENT and not path.startswith(BY_STANDARD):
                    shapes = [content.get("schema") for content in response.get("content", {}).values()]
                    assert shapes, f"{method} {path} does not say what it answers with {status}"
                    assert all(shapes), f"{method} {path} does not say what it answers with {status}"


def test_no_answer_is_an_object_of_which_nothing_is_said(apps):
    for service in apps.keys() - UNTYPED:
        schemas = apps[service].openapi()["components"]["schemas"]
        for name, schema in schemas.items():
            assert schema.get("properties") or "enum" in schema or "pattern" in schema, (
                f"{service}: {name} says nothing"
            )


def test_refusals_are_problem_documents(apps):
    for service, app in apps.items():
        for method, path, operation in operations(app):
            for status, response in operation["responses"].items():
                if status >= "400" and not path.startswith((SCIM, OPEN311, "/v1/oauth2")):
                    assert set(response["content"]) == {PROBLEM}, f"{service}: {method} {path} {status}"


def test_what_needs_somebody_names_how_they_are_known_and_how_they_are_refused(apps):
    for service, app in apps.items():
        for method, path, operation in operations(app):
            statuses = operation["responses"].keys()
            is_anybodys = not operation["security"] or path.startswith((SCIM, OPEN311))

            assert is_anybodys or {"401", "403"} <= statuses, f"{method} {path}"
            assert {"429", "503"} <= statuses, f"{service}: {method} {path}"


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


# POST routes of intake that take no key, and what makes a repeat harmless there.
WITHOUT_KEY = {
    "/v1/contacts/batch": "each record has an id of its own",
    "/v1/duties/presets/{name}": "each duty is known by its natural key, and a repeat changes none",
    "/v1/export-proposals/{proposal_id}/result": "a file is given once, and a second copy takes a second agreement",
    "/v1/citizen-proposals/{proposal_id}/result": "a list is given once, and a second copy takes a second agreement",
    "/v1/rating-links/rating": "the token is used up by it, and amends within a day: a citizen has no account",
    "/v1/reception-days/{reception_day_id}/bookings": "one phone books one time of a day: a citizen has no account",
    "/v1/reception-bookings/cancellation": "the token gives up one booking, once: a citizen has no account",
    "/v1/consultations/{consultation_id}/opinions": "a citizen has no account whose key it could be",
}


def test_every_post_of_intake_takes_a_key_or_needs_none(apps):
    taking: set[str] = set()
    others: set[str] = set()
    for method, path, operation in operations(apps["intake"]):
        if method == "POST":
            named = [parameter["name"] for parameter in operation.get("parameters", ())]
            assert named.count("Idempotency-Key") <= 1, path
            (taking if "Idempotency-Key" in named else others).add(path)

    assert others == WITHOUT_KEY.keys()
    assert len(taking) > 50


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
