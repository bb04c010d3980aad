"""Tags of what is read: the same everywhere, and nothing is sent to a reader who has it."""

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from shared.conditions import Tags, tagged
from shared.http import json_response
from tests.asking import asking

SHOWN = {"name": "陈村", "count": 3}


@pytest.fixture(scope="module")
def reader():
    app = FastAPI()
    app.add_middleware(Tags)

    @app.get("/plain")
    def show_plain() -> Response:
        return json_response(SHOWN)

    @app.get("/named")
    def show_named() -> Response:
        return Response(b"{}", media_type="application/json; charset=utf-8")

    @app.get("/own")
    def show_own(request: Request) -> Response:
        return tagged(request, SHOWN, version=7)

    @app.get("/refused")
    def refuse() -> Response:
        return json_response(SHOWN, status=404)

    @app.get("/file")
    def show_file() -> Response:
        return Response(b"a,b", media_type="text/csv")

    @app.get("/stream")
    def show_stream() -> Response:
        return StreamingResponse(iter([b"[1,", b"2]"]), media_type="application/json")

    @app.post("/plain")
    def make() -> Response:
        return json_response(SHOWN)

    with asking(app) as client:
        yield client


@pytest.mark.parametrize(("path", "shown"), [("/plain", SHOWN), ("/named", {})])
def test_what_is_read_has_a_tag_by_which_it_is_not_sent_again(reader, path, shown):
    first = reader.get(path)
    again = reader.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert first.json() == shown
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers
    assert again.headers.get("content-length", "0") == "0"


@pytest.mark.parametrize("held", ["*", '"x", W/{}', "{}"])
def test_any_of_the_tags_that_a_reader_has_counts(reader, held):
    tag = reader.get("/plain").headers["etag"]

    assert reader.get("/plain", headers={"If-None-Match": held.format(tag)}).status_code == 304


@pytest.mark.parametrize("held", ['"x"', "x", "", '""'])
def test_what_is_no_tag_of_it_does_not(reader, held):
    answer = reader.get("/plain", headers={"If-None-Match": held})

    assert (answer.status_code, answer.json()) == (200, SHOWN)


def test_a_tag_of_the_routes_own_stays(reader):
    answer = reader.get("/own")

    assert answer.headers.get_list("etag") == [answer.headers["etag"]]
    assert answer.headers["etag"].startswith('"7-')


@pytest.mark.parametrize("path", ["/refused", "/file", "/stream"])
def test_refusals_files_and_streams_have_none(reader, path):
    answer = reader.get(path, headers={"If-None-Match": "*"})

    assert "etag" not in answer.headers
    assert answer.content


def test_what_changes_something_has_none(reader):
    assert "etag" not in reader.post("/plain").headers
