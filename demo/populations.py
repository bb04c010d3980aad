"""Who lives in the villages and communities of the county: what breadth of contact is measured against."""

from collections.abc import Iterator, Mapping
from datetime import date
from random import Random
from typing import Any, Final

from demo import chance
from demo.places import County

HOUSEHOLDS: Final = 320  # of a village of the usual size
PEOPLE_PER_HOUSEHOLD: Final = 2.8
# The suite brings a list of its own; this county has one group more.
OWN_GROUPS: Final = {"delivery_workers": "快递外卖从业人员"}
# Shares of the residents. Nobody is bound to be of one group, and many are of none.
RURAL: Final = {
    "farmers": 0.6,
    "needy_households": 0.03,
    "elderly_alone": 0.03,
    "left_behind_children": 0.03,
    "disabled": 0.03,
    "veterans": 0.012,
    "migrants": 0.02,
    "students": 0.12,
}
URBAN: Final = {
    "workers": 0.35,
    "self_employed": 0.07,
    "elderly_alone": 0.02,
    "migrants": 0.12,
    "needy_households": 0.01,
    "delivery_workers": 0.006,
    "disabled": 0.02,
    "veterans": 0.01,
    "students": 0.14,
}


def list_groups() -> Iterator[Mapping[str, Any]]:
    for code, name in OWN_GROUPS.items():
        yield {"code": code, "name": name}


def list_populations(random: Random, county: County, counted_on: date) -> Iterator[Mapping[str, Any]]:
    """Of each place all its people and households, then group by group."""
    for township in county.townships:
        for village in county.villages[township.code]:
            place = {"organisation_code": village.code, "place_code": village.code, "counted_on": counted_on}
            households = round(HOUSEHOLDS * village.people)
            people = round(households * chance.around(random, PEOPLE_PER_HOUSEHOLD, 0.1))
            yield {**place, "population_group": None, "people_count": people, "household_count": households}
            for group, share in (URBAN if village.is_urban else RURAL).items():
                count = min(people, round(people * chance.around(random, share, 0.15)))
                yield {**place, "population_group": group, "people_count": count, "household_count": None}
