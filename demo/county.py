"""Puts the demo county together from its parts and writes the native CSV files, the same bytes every time."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo import chance
from demo.arrivals import Arrival, build_arrivals, count_a_year
from demo.catalogue import Catalogue, read_catalogue
from demo.citizens import Residents
from demo.duties import Duty, build_duties
from demo.handling import Assigner
from demo.issues import Issue, as_row, build_issues
from demo.liaison import Contact, build_contacts
from demo.people import Roster, build_roster
from demo.places import County, build_county
from demo.populations import list_groups, list_populations
from demo.ratings import Rating, list_given, rate_contacts, rate_issues
from demo.registers import list_categories, list_channels, list_households
from demo.timeline import Timeline
from demo.tricks import Tricksters, bend_issues, choose_tricksters, pad_visits

DEFAULT_SEED = 2025
# In the order in which they must be imported: what is referred to comes first.
COLUMNS = {
    "organisations": "code,name,level,parent_code,region_type",
    "cadres": "staff_number,name,organisation_code,post_kind,post_level,from_on,until_on",
    "duties": "post_kind,contact_kind,required_count,per,valid_from,valid_until",
    "categories": "code,name,parent_code",
    "channels": "organisation_code,kind,address,from_on,hours",
    "contact-households": "number,organisation_code,place_code,population_group,from_on,citizen_name,citizen_phone",
    "population-groups": "code,name",
    "place-populations": "organisation_code,place_code,population_group,counted_on,people_count,household_count",
    "contacts": "source_number,staff_number,organisation_code,kind,occurred_at,recorded_at,duration_minutes,"
    "population_group,people_count,place_code,note",
    "issues": "source_number,type,category,channel,urgency,title,description,received_at,respond_by,due_at,"
    "organisation_code,staff_number,responded_at,closed_at,outcome,reply,contact_source_number,"
    "subject_staff_number,citizen_name,citizen_phone",
    "ratings": "source_number,issue_source_number,contact_source_number,level,solved,method,rated_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """The last full year, and the running one until yesterday."""

    timeline: Timeline
    county: County
    roster: Roster
    tricksters: Tricksters
    duties: tuple[Duty, ...]
    catalogue: Catalogue
    households: Sequence[Mapping[str, Any]]
    populations: Sequence[Mapping[str, Any]]
    contacts: list[Contact]
    issues: list[Issue]
    ratings: list[Rating]


def build_years(*, today: date, seed: int = DEFAULT_SEED, scale: float = 1.0) -> Years:
    """A scale below 1 gives a smaller county with as much going on per head."""
    timeline = Timeline(today=today)
    year, begins = timeline.last_year, date(timeline.last_year, 1, 1)
    county = build_county(chance.stream(seed, "places"), scale)
    roster = build_roster(chance.stream(seed, "people"), county, scale, year)
    tricksters = choose_tricksters(roster)
    duties = build_duties(year)
    catalogue = read_catalogue()
    cadre_names = {cadre.name for cadre in roster.cadres.values()}
    residents = Residents(chance.stream(seed, "citizens"), cadre_names=cadre_names)
    households = list_households(chance.stream(seed, "households"), county, residents, begins)
    contacts: list[Contact] = []
    arrivals: list[Arrival] = []
    for stretch in timeline.stretches:
        random = chance.stream(seed, f"tricks of {stretch.year}")
        padded = pad_visits(random, tricksters.pads_visits, county, stretch) if tricksters.pads_visits else []
        met = build_contacts(chance.stream(seed, f"contacts of {stretch.year}"), county, roster, duties, stretch)
        met += padded
        contacts += met
        arrivals += build_arrivals(
            chance.stream(seed, f"arrivals of {stretch.year}"),
            county=county,
            contacts=met,
            catalogue=catalogue,
            a_year=count_a_year(timeline, scale),
            stretch=stretch,
        )
    issues = build_issues(
        chance.stream(seed, "issues"),
        arrivals=arrivals,
        residents=residents,
        assigner=Assigner(county, roster),
        catalogue=catalogue,
    )
    issues = bend_issues(chance.stream(seed, "tricks"), issues, tricksters, residents)
    ratings = [
        *rate_issues(chance.stream(seed, "ratings of issues"), issues),
        *rate_contacts(chance.stream(seed, "ratings of contacts"), contacts, roster.cadres),
    ]
    return Years(
        timeline=timeline,
        county=county,
        roster=roster,
        tricksters=tricksters,
        duties=duties,
        catalogue=catalogue,
        households=households,
        populations=list(list_populations(chance.stream(seed, "populations"), county, begins)),
        contacts=contacts,
        issues=[issue.until(timeline.end) for issue in issues if issue.arrival.received_at <= timeline.end],
        ratings=list_given(ratings, timeline.end),
    )


def write_files(years: Years, folder: Path) -> dict[str, int]:
    """Writes one file a kind of record, and returns how many rows each has."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Iterable[Mapping[str, Any]]] = {
        "organisations": _organisation_rows(years.county),
        "cadres": _cadre_rows(years.roster),
        "duties": _duty_rows(years.duties),
        "categories": list_categories(years.catalogue),
        "channels": list_channels(years.county, date(years.timeline.last_year, 1, 1)),
        "contact-households": years.households,
        "population-groups": list_groups(),
        "place-populations": years.populations,
        "contacts": map(_contact_row, years.contacts),
        "issues": map(as_row, years.issues),
        "ratings": _rating_rows(years.ratings),
    }
    return {name: _write(folder / f"{name}.csv", COLUMNS[name].split(","), rows[name]) for name in COLUMNS}


def _write(path: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row[column]) for column in columns])
            count += 1
    return count


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _organisation_rows(county: County) -> Iterator[Mapping[str, Any]]:
    for organisation in county.everything():
        yield {
            "code": organisation.code,
            "name": organisation.name,
            "level": organisation.level,
            "parent_code": organisation.parent_code,
            "region_type": organisation.region_type,
        }


def _cadre_rows(roster: Roster) -> Iterator[Mapping[str, Any]]:
    for post in roster.posts:
        yield {
            "staff_number": post.staff_number,
            "name": roster.cadres[post.staff_number].name,
            "organisation_code": post.organisation.code,
            "post_kind": post.kind,
            "post_level": post.level,
            "from_on": post.from_on,
            "until_on": post.until_on,
        }


def _duty_rows(duties: Iterable[Duty]) -> Iterator[Mapping[str, Any]]:
    for duty in duties:
        yield {column: getattr(duty, column) for column in COLUMNS["duties"].split(",")}


def _contact_row(contact: Contact) -> Mapping[str, Any]:
    return {
        "source_number": contact.source_number,
        "staff_number": contact.staff_number,
        "organisation_code": contact.organisation.code,
        "kind": contact.kind,
        "occurred_at": contact.occurred_at,
        "recorded_at": contact.recorded_at,
        "duration_minutes": contact.duration_minutes,
        "population_group": contact.population_group,
        "people_count": contact.people_count,
        "place_code": contact.place.code if contact.place is not None else "",
        "note": contact.note,
    }


def _rating_rows(ratings: Iterable[Rating]) -> Iterator[Mapping[str, Any]]:
    for number, rating in enumerate(ratings, start=1):
        yield {
            "source_number": f"PJ{rating.rated_at.year}{number:06}",
            "issue_source_number": rating.issue.source_number if rating.issue is not None else "",
            "contact_source_number": rating.contact.source_number if rating.contact is not None else "",
            "level": rating.level,
            "solved": rating.solved,
            "method": rating.method,
            "rated_at": rating.rated_at,
        }
