"""The witness of answers: it says what contradicts the document, and is silent about all else."""

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.testclient import TestClient

from shared.answers import Shown, shows
from tests.conformance.witness import Witness, heard_by


class Thing(Shown):
    name: str
    count: int | None


APP = FastAPI()
ANSWERS: dict[str, Response] = {
    "right": JSONResponse({"name": "a", "count": None}),
    "one-too-many": JSONResponse({"name": "a", "count": 1, "colour": "red"}),
    "one-missing": JSONResponse({"name": "a"}),
    "other-kind": PlainTextResponse("a"),
    "other-status": JSONResponse({"name": "a", "count": 1}, status_code=201),
    "nothing": JSONResponse(None),
    "fault-of-ours": JSONResponse({"title": "internal"}, status_code=500),
}


@APP.get("/things/{name}", response_model=None, responses=shows(Thing))
def get_thing(name: str) -> Response:
    return ANSWERS[name]


@APP.get("/hidden", include_in_schema=False, response_model=None)
def get_hidden() -> PlainTextResponse:
    return PlainTextResponse("whatever")


def get_nothing() -> dict[str, str]:
    return {}


def found(*paths: str) -> list[str]:
    witness = Witness()
    with heard_by(witness):
        for path in paths:
            TestClient(APP).get(path)
        return witness.take_faults()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "one-too-many",
            "GET /things/{name} 200: Additional properties are not allowed ('colour' was unexpected) at $",
        ),
        ("one-missing", "GET /things/{name} 200: 'count' is a required property at $"),
        ("other-kind", "GET /things/{name} 200: the document says ['application/json'] and not 'text/plain'"),
        ("other-status", "GET /things/{name} 201: the document knows no such status"),
        ("nothing", "GET /things/{name} 200: None is not of type 'object' at $"),
    ],
)
def test_what_contradicts_the_document_is_said(name, said):
    assert found(f"/things/{name}") == [said]


def test_nothing_is_said_of_all_else():
    assert found("/things/right", "/things/fault-of-ours", "/hidden", "/nowhere") == []


def test_each_fault_is_said_once_and_nothing_after_it_is_over():
    witness = Witness()
    with heard_by(witness):
        TestClient(APP).get("/things/one-missing")
        assert len(witness.take_faults()) == 1
        assert witness.take_faults() == []
    TestClient(APP).get("/things/one-missing")

    assert witness.take_faults() == []


def test_apps_of_one_name_and_as_many_routes_have_documents_of_their_own():
    witness = Witness()
    with heard_by(witness):
        for path in ("/one", "/other"):
            app = FastAPI()
            app.get(path)(get_nothing)
            TestClient(app).get(path)
        assert witness.take_faults() == []
