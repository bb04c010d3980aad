"""What a conformance run learns through a door, and how it is put into the requests that are made up."""

import httpx

from tests.conformance.knowing import Known, learn

DOCUMENT: dict[str, dict[str, dict[str, dict[str, str]]]] = {
    "paths": {
        "/v1/issues": {"get": {}, "post": {}},
        "/v1/issues/{issue_id}": {"get": {}},
        "/v1/issues/{issue_id}/steps": {"post": {}},
        "/v1/categories": {"get": {}},
        "/v1/accounts": {"get": {}},
        "/v1/proposals": {"get": {}},
        "/v1/files": {"get": {}},
        "/scim/v2/Users": {"get": {}},
        "/v1/refused": {"get": {}},
    }
}
ANSWERS = {
    "/v1/issues": {"items": [{"id": "i-1", "category": "roads"}], "next_cursor": None},
    "/v1/issues/i-1": {"id": "i-1", "citizen_ref": "c-1", "cadre": {"staff_number": "S1"}},
    "/v1/categories": {"items": [{"code": "roads", "name": {"zh": "道路"}}, {"code": "water"}]},
    "/v1/accounts": {"items": [{"id": "a-1", "name": "spare"}, {"id": "a-2", "name": "clerk"}]},
    "/v1/proposals": {"items": [{"account_id": "a-2"}, {"account_id": "a-1"}, {"client_id": "clerk"}]},
}


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/v1/files":
        return httpx.Response(200, text="a,b")
    if request.url.path == "/scim/v2/Users":
        users = {"Resources": [{"id": "u-1"}], "totalResults": 1}
        return httpx.Response(200, json=users, headers={"Content-Type": "application/scim+json"})
    shown = ANSWERS.get(request.url.path)
    return httpx.Response(200, json=shown) if shown else httpx.Response(403, json={"title": "forbidden"})


def learnt() -> Known:
    with httpx.Client(base_url="http://service", transport=httpx.MockTransport(answer)) as client:
        return Known.read(learn(DOCUMENT, client, leave_alone={"clerk"}).write())


def made_up(name: str) -> list[dict[str, str]]:
    return [{name: f"made-up-{number}"} for number in range(200)]


def test_a_path_is_mostly_about_what_its_list_shows():
    found = [learnt().fill_path("/v1/issues/{issue_id}/steps", one)["issue_id"] for one in made_up("issue_id")]

    assert 100 < found.count("i-1") < 190
    assert {one for one in found if one != "i-1"} <= {one["issue_id"] for one in made_up("issue_id")}


def test_a_list_of_scim_is_read_too():
    assert learnt().of_path("/scim/v2/Users/{identifier}", "identifier") == ["u-1"]


def test_a_body_names_what_the_lists_and_the_records_name():
    known = learnt()

    for name, values in (("category", {"roads", "water"}), ("citizen_ref", {"c-1"}), ("staff_number", {"S1"})):
        found = {known.fill({"of": [one]})["of"][0][name] for one in made_up(name)}
        assert values <= found, name


def test_what_has_no_known_value_stays_and_numbers_do():
    assert learnt().fill({"title": "路坏了", "issue_id": 7, "wanted": True}) == {
        "title": "路坏了",
        "issue_id": 7,
        "wanted": True,
    }


def test_what_one_may_not_list_can_be_there_all_the_same():
    own = Known(lists={"/v1/issues": {"id": ["i-1"]}, "/v1/imports": {}}, named={"issue_id": ["i-1"]})
    others = Known(lists={"/v1/issues": {"id": ["i-2"]}, "/v1/imports": {"id": ["m-1"]}}, named={"import_id": ["m-1"]})

    both = own.completed_by(others)

    assert both.of_path("/v1/issues/{issue_id}", "issue_id") == ["i-1"]
    assert both.of_path("/v1/imports/{import_id}", "import_id") == ["m-1"]


def test_the_accounts_of_the_run_are_left_alone():
    known = learnt()

    assert known.of_path("/v1/accounts/{account_id}/disable", "account_id") == ["a-1"]
    assert known.named["account_id"] == ["a-1"]  # by whatever else they are named, too
    assert "client_id" not in known.named


def test_an_id_is_exchanged_for_an_id_and_a_number_for_a_number():
    ids, numbers, codes = ["01a227c6-1e3c-758d-9e02-df0415fa6150"], [7], ["roads"]
    known = Known(lists={}, named={"delivery_id": [*ids, *numbers, *codes]})

    def found(*made_up):
        return {known.fill_path("/v1/x/{delivery_id}", {"delivery_id": one})["delivery_id"] for one in made_up}

    assert found(*range(100, 200)) - set(range(100, 200)) == {7}
    assert found(*(f"{number:08}-0000-7000-8000-000000000000" for number in range(50))) & {*ids, *codes} == {*ids}
    assert found(*(f"code-{number}" for number in range(50))) & {*ids, *codes} == {*codes}
