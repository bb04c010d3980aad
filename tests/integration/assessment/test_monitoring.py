"""The health of indicators, over what is published within the reader's reach."""

import pytest

from shared.database import Pool
from tests.integration.assessment.test_place_scores import client_of, close

pytestmark = pytest.mark.integration


def ask(pool: Pool, who: str, **query: str | int):
    headers = {"Authorization": f"Bearer {who}"}
    return client_of(pool).get("/v1/indicator-health", params=query, headers=headers)


def test_each_indicator_is_told_period_by_period(pool):
    close(pool)

    items = {one["indicator"]: one for one in ask(pool, "officer").json()["items"]}

    on_time = items["on_time_closure_rate"]["readings"]
    assert [(one["period"], one["subjects"], one["mean"], one["at_ceiling"], one["at_floor"]) for one in on_time] == [
        ("2025-10", 3, "66.6667", 2, 1)
    ]
    assert items["satisfaction_rate"]["readings"][0]["subjects"] == 0  # withheld
    assert [one["subjects"] for one in ask(pool, "town").json()["items"][1]["readings"]] == [2]


def test_only_the_department_asks_and_only_of_what_is_closed(pool):
    close(pool)

    assert ask(pool, "cadre").status_code == 403
    assert ask(pool, "officer", every="year").status_code == 404
    assert ask(pool, "officer", periods=99).status_code == 422
