"""What else the registers of the county hold: categories of issues, published channels, contact households."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

from demo.catalogue import Catalogue
from demo.citizens import Residents
from demo.places import County

HOUSEHOLD_GROUPS = ("needy_households", "elderly_alone", "disabled", "veterans", "farmers")
HOUSEHOLDS_PER_TOWNSHIP = 3
OFFICE_HOURS = "工作日 8:30-12:00，14:30-18:00"


def list_categories(catalogue: Catalogue) -> Iterator[Mapping[str, Any]]:
    for category in catalogue.categories:
        yield {"code": category.code, "name": category.name, "parent_code": ""}


def list_channels(county: County, from_on: date) -> Iterator[Mapping[str, Any]]:
    """The county's hotline and mailbox, and the reception room of each township."""
    published = [
        (county.root, "phone", "12345", "全天"),
        (county.root, "mailbox", "xianzhang@anlan.example", ""),
        *((township, "office", f"{township.name}群众接待室", OFFICE_HOURS) for township in county.townships),
    ]
    for organisation, kind, address, hours in published:
        yield {
            "organisation_code": organisation.code,
            "kind": kind,
            "address": address,
            "from_on": from_on,
            "hours": hours,
        }


def list_households(random: Random, county: County, residents: Residents, from_on: date) -> Sequence[Mapping[str, Any]]:
    places = [
        (township, village)
        for township in county.townships
        for village in county.villages[township.code][:HOUSEHOLDS_PER_TOWNSHIP]
    ]
    households = []
    for number, (township, village) in enumerate(places, start=1):
        citizen = residents.draw_another()
        households.append(
            {
                "number": f"LXH{number:04}",
                "organisation_code": township.code,
                "place_code": village.code,
                "population_group": random.choice(HOUSEHOLD_GROUPS),
                "from_on": from_on,
                "citizen_name": citizen.name,
                "citizen_phone": citizen.phone,
            }
        )
    return households
