"""Groups of the population by the names of a day, and counts as they stood on it."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.handlers import populations
from services.intake.storage.populations import GroupNotFound, PopulationNotFound
from shared.database import Pool
from shared.identifiers import new_id
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
TODAY = date(2026, 3, 2)


def define(pool, name, *, now, is_retired=False):
    command = DefinePopulationGroup(id=new_id(), correlation_id="t", code="herders", name=name, is_retired=is_retired)
    return populations.define_groups(pool, [command], now=now)[0].status


def count(pool, people, counted_on, **changes):
    told = {"organisation_code": "town", "place_code": "330102001", "population_group": "farmers"} | changes
    command = RecordPopulation(id=new_id(), correlation_id="t", people_count=people, counted_on=counted_on, **told)
    [outcome] = populations.record_populations(pool, [command], now=NOW)
    return outcome.id


def name_on(pool, on):
    return next((one.name, one.is_retired) for one in populations.list_groups(pool, on=on) if one.code == "herders")


def test_a_group_is_called_what_it_was_called_that_day(registered: Pool):
    assert define(registered, "牧民", now=NOW) == "created"
    assert define(registered, "牧民", now=NOW + timedelta(days=1)) == "unchanged"
    assert define(registered, "牧业人口", now=NOW + timedelta(days=10)) == "changed"
    assert define(registered, "牧业人口", now=NOW + timedelta(days=20), is_retired=True) == "changed"

    assert name_on(registered, TODAY - timedelta(days=400)) == ("牧民", False)  # a new entry always said so
    assert name_on(registered, TODAY + timedelta(days=9)) == ("牧民", False)
    assert name_on(registered, TODAY + timedelta(days=10)) == ("牧业人口", False)
    assert name_on(registered, None) == ("牧业人口", True)
    versions = populations.list_group_versions(registered, "herders")
    assert [(one.from_on, one.name) for one in versions] == [
        (None, "牧民"),
        (TODAY + timedelta(days=10), "牧业人口"),
        (TODAY + timedelta(days=20), "牧业人口"),
    ]
    with pytest.raises(GroupNotFound):
        populations.list_group_versions(registered, "nobody")


def test_a_day_has_the_last_count_by_then_of_each_place_and_group(registered: Pool):
    first = count(registered, 100, date(2024, 1, 1))
    count(registered, 120, date(2025, 1, 1))
    count(registered, 900, date(2024, 6, 1), population_group=None)
    count(registered, 7, date(2025, 6, 1), place_code="330102002")
    assert count(registered, 101, date(2024, 1, 1)) == first

    def counted(on):
        found = populations.list_populations(registered, organisation_code="county", after=UUID(int=0), limit=10, on=on)
        return sorted(one.people_count for one in found)

    assert counted(date(2023, 12, 31)) == []
    assert counted(date(2024, 12, 31)) == [101, 900]
    assert counted(date(2025, 6, 1)) == [7, 120, 900]
    assert counted(None) == [7, 101, 120, 900]
    versions = populations.list_population_versions(registered, first)
    assert [(one.sequence, one.people_count) for one in versions] == [(1, 100), (2, 101)]
    with pytest.raises(PopulationNotFound):
        populations.list_population_versions(registered, new_id())
