"""What a citizen says at a call back, out of intake's outbox and over the broker, as assessment's facts have it."""

from datetime import UTC, datetime

import pytest

from services.assessment.messaging import FactsDoor
from shared.broker.topology import declare_publishing, declare_subscription
from shared.database import transaction
from shared.reach import SYSTEM
from tests.fakes import person
from tests.integration.assessment.conftest import ZONE
from tests.integration.intake.ratings.conftest import PEOPLE
from tests.integration.shared.test_spine import FACTS, Reader, relaying, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def desks(monkeypatch):
    for name in ("county-desk", "second-desk"):
        monkeypatch.setitem(PEOPLE, name, person("clerk", "county", name=name))


def test_what_is_denied_and_overruled_in_intake_is_so_in_assessment(ask, closed, pool, new_pool, broker):
    declare_publishing(broker.urls["deploy"], "intake")
    declare_subscription(broker.urls["deploy"], FACTS)
    assessment = new_pool("assessment")
    door = FactsDoor(assessment, zone=ZONE, nudge_scoring=lambda: None, interval_seconds=3_600)
    path = f"/v1/issues/{closed}/callback-attempts"

    def is_denied():
        with transaction(assessment, reach=SYSTEM) as connection:
            row = connection.execute("SELECT outcome, denied FROM issue_fact WHERE issue_id = %s", [closed]).fetchone()
        return row if row is None else (row[0], row[1])

    with relaying(pool, broker), Reader(broker, handle=door.handle).running():
        wait_until(lambda: is_denied() == ("resolved", False))
        assert ask("POST", path, {"result": "reached_no_such_matter"}, who="county-desk").status_code == 201
        wait_until(lambda: is_denied() == ("resolved", True))
        rated = {"result": "reached_rated", "level": 4, "attempted_at": datetime.now(UTC).isoformat()}
        assert ask("POST", path, rated, who="second-desk").status_code == 201
        wait_until(lambda: is_denied() == ("resolved", False))
