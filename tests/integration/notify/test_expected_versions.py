"""Changes of what is wished that are meant for one version of it: to that one, or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.notify.handlers import own
from shared.reach import Reach, acting
from shared.versions import Outdated
from tests.integration.notify.test_api import WISH, app, client_of  # noqa: F401
from tests.integration.notify.test_events import STREET
from tests.integration.notify.test_notices import told  # noqa: F401
from tests.integration.notify.test_own import client  # noqa: F401

pytestmark = pytest.mark.integration
OUTDATED = (412, "outdated")
HEAD = Reach(kind="scoped", organisation_codes=("street",), actor="head", role="unit_head")


def put(client, path, body, if_match):  # noqa: F811 - whichever service
    answer = client.put(path, json=body, headers={"If-Match": if_match})
    return answer.status_code, answer.json().get("title")


def test_a_subscription_is_replaced_in_the_version_that_was_listed(app):  # noqa: F811 - the fixture of that name
    officer, path = client_of(app, "department_officer"), "/v1/subscriptions/county"

    assert put(officer, path, WISH, '"1"') == OUTDATED  # there is none yet
    assert officer.put(path, json=WISH).json()["version"] == 1

    assert put(officer, path, WISH | {"language": "en"}, '"1"') == (200, None)
    assert put(officer, path, WISH, '"1"') == OUTDATED
    [listed] = officer.get("/v1/subscriptions").json()["items"]
    assert (listed["language"], listed["version"]) == ("en", 2)
    assert put(officer, path, WISH, "*") == (200, None)


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("wang", "/v1/own/settings", {"digest_at": "09:00"}),
        ("head", "/v1/organisations/street/preferences", {"rules": {"deadline-near-unit": "off"}}),
    ],
    ids=["own", "unit"],
)
def test_a_tag_that_was_read_is_a_tag_that_can_be_sent_back(client, who, path, body):  # noqa: F811 - same
    read = client(who).get(path).headers["etag"]

    assert put(client(who), path, body, read) == (200, None)
    changed = client(who).get(path)

    assert put(client(who), path, {"rules": {}}, read) == OUTDATED
    assert client(who).get(path).json() == changed.json()
    assert put(client(who), path, {"rules": {}}, changed.headers["etag"]) == (200, None)


def test_two_accounts_of_one_person_do_not_overwrite_one_another_unseen(client):  # noqa: F811 - same
    read = client("wang").get("/v1/own/settings").headers["etag"]

    assert put(client("wang-too"), "/v1/own/settings", {"daily_cap": 3}, read) == (200, None)
    assert put(client("wang"), "/v1/own/settings", {"daily_cap": 4}, read) == OUTDATED


def test_of_many_at_once_who_read_the_same_preferences_one_replaces_them(told):  # noqa: F811 - same
    rules = ("deadline-near-unit", "deadline-missed-unit")

    def replace(number, expected):
        try:
            with acting(HEAD):
                own.put_unit_preferences(
                    told.pool, "street", {rules[number % 2]: "off"}, known=rules, expected=expected
                )
        except Outdated:
            return "outdated"
        return "replaced"

    with ThreadPoolExecutor(6) as threads:
        careful = sorted(threads.map(lambda number: replace(number, frozenset({0})), range(6)))
        careless = sorted(threads.map(lambda number: replace(number, None), range(6)))

    assert careful == [*["outdated"] * 5, "replaced"]
    assert careless == ["replaced"] * 6  # one after the other: each replaces what the one before stated
    assert len(told.ask(f"SELECT rule FROM preference WHERE organisation_id = '{STREET}'")) == 1  # noqa: S608
