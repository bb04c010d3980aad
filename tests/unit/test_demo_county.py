"""The demo county holds together: every code exists, times run forward, and no text points to a person."""

import csv
import re
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest

from demo.county import COLUMNS, build_years, write_files
from demo.timeline import Timeline
from demo.workdays import at
from shared.contracts.intake.contacts import ContactKind
from shared.contracts.intake.duties import DutyPeriod
from shared.contracts.intake.issues import Channel, IssueOutcome, IssueType, Urgency
from shared.contracts.intake.ratings import RatingMethod

TODAY = date(2026, 12, 1)
END = Timeline(today=TODAY).end
Table = list[dict[str, str]]
# Those that intake comes with.
GIVEN_GROUPS = (
    *("farmers", "workers", "students", "migrants", "elderly", "elderly_alone", "left_behind_children", "disabled"),
    *("needy_households", "self_employed", "veterans", "residents"),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, Table]:
    folder = tmp_path_factory.mktemp("county")
    write_files(build_years(today=TODAY, scale=0.2), folder)
    read = {}
    for name in COLUMNS:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            read[name] = list(csv.DictReader(file))
    return read


def keys(table: Table, column: str) -> set[str]:
    return {row[column] for row in table}


def instants(row: dict[str, str], *columns: str) -> list[datetime]:
    return [datetime.fromisoformat(row[column]) for column in columns if row[column]]


def test_the_whole_county_has_the_promised_size():
    years = build_years(today=TODAY)

    levels = Counter(organisation.level for organisation in years.county.everything())
    assert levels["50"] == 26
    assert levels["61"] + levels["62"] + levels["63"] == 15
    assert levels["71"] + levels["72"] == 180
    assert len(years.roster.cadres) == 400
    assert 20_000 <= len(years.contacts) <= 23_000
    assert 16_000 <= len(years.issues) <= 17_000
    assert 14_000 <= len(years.ratings) <= 17_000


@pytest.mark.parametrize("today", [date(2027, 1, 1), date(2027, 1, 2), date(2028, 2, 29), date(2027, 12, 31)])
def test_on_any_day_the_last_full_year_and_the_running_one_are_told(today):
    years = build_years(today=today, scale=0.05)
    last_year = today.year - 1

    received = {issue.arrival.received_at.date() for issue in years.issues}
    told = [contact.recorded_at for contact in years.contacts] + [rating.rated_at for rating in years.ratings]

    assert {day.month for day in received if day.year == last_year} == set(range(1, 13))
    assert {day.year for day in received} == {last_year, (today - timedelta(days=1)).year}
    assert today - timedelta(days=8) < max(received) < today
    assert max(told) < at(today, 0, 0)


def test_loading_takes_as_much_on_any_day():
    amounts = [len(build_years(today=today, scale=0.1).issues) for today in (date(2027, 7, 1), date(2027, 12, 31))]

    assert max(amounts) < 1.1 * min(amounts)


def test_issues_name_categories_and_households_live_in_places_of_the_registers(tables):
    assert keys(tables["issues"], "category") <= keys(tables["categories"], "code")
    assert keys(tables["contact-households"], "place_code") <= keys(tables["organisations"], "code")
    assert keys(tables["channels"], "organisation_code") <= keys(tables["organisations"], "code")
    phones = [row["citizen_phone"] for row in tables["contact-households"]]
    assert len(set(phones)) == len(phones) > 0
    assert not set(phones) & keys(tables["issues"], "citizen_phone")


def test_who_lives_where_is_counted_of_every_village_and_everybody_met_is_of_a_group_that_lives_there(tables):
    villages = {row["code"] for row in tables["organisations"] if row["level"] in ("71", "72")}
    groups = keys(tables["population-groups"], "code") | set(GIVEN_GROUPS)
    whole = {row["place_code"]: row for row in tables["place-populations"] if not row["population_group"]}

    assert whole.keys() == villages
    assert all(0 < int(row["household_count"]) < int(row["people_count"]) for row in whole.values())
    assert (
        keys(tables["contacts"], "population_group")
        <= keys(tables["place-populations"], "population_group")
        <= groups | {""}
    )
    assert keys(tables["contact-households"], "population_group") <= groups
    for row in tables["place-populations"]:
        assert int(row["people_count"]) <= int(whole[row["place_code"]]["people_count"])


def test_parents_come_before_their_children_and_codes_are_unassigned(tables):
    known: set[str] = set()
    for row in tables["organisations"]:
        assert not row["parent_code"] or row["parent_code"] in known
        assert row["code"].startswith("99")
        assert row["code"] not in known
        known.add(row["code"])


@pytest.mark.parametrize(
    ("table", "column", "register", "key"),
    [
        ("cadres", "organisation_code", "organisations", "code"),
        ("contacts", "organisation_code", "organisations", "code"),
        ("contacts", "place_code", "organisations", "code"),
        ("contacts", "staff_number", "cadres", "staff_number"),
        ("issues", "organisation_code", "organisations", "code"),
        ("issues", "staff_number", "cadres", "staff_number"),
        ("issues", "contact_source_number", "contacts", "source_number"),
        ("issues", "subject_staff_number", "cadres", "staff_number"),
        ("ratings", "issue_source_number", "issues", "source_number"),
        ("ratings", "contact_source_number", "contacts", "source_number"),
    ],
)
def test_every_reference_exists(tables, table, column, register, key):
    assert keys(tables[table], column) - {""} <= keys(tables[register], key)


@pytest.mark.parametrize(
    ("table", "column", "permitted"),
    [
        ("duties", "contact_kind", ContactKind),
        ("duties", "per", DutyPeriod),
        ("contacts", "kind", ContactKind),
        ("issues", "type", IssueType),
        ("issues", "channel", Channel),
        ("issues", "urgency", Urgency),
        ("issues", "outcome", IssueOutcome),
        ("ratings", "method", RatingMethod),
    ],
)
def test_coded_fields_use_the_codes_of_the_contracts(tables, table, column, permitted):
    used = keys(tables[table], column) - {""}

    assert used <= set(get_args(permitted))
    assert used


@pytest.mark.parametrize("table", ["contacts", "issues", "ratings"])
def test_source_numbers_are_unique(tables, table):
    assert len(keys(tables[table], "source_number")) == len(tables[table])


def test_posts_of_a_cadre_do_not_overlap_and_some_cadres_move(tables):
    posts: dict[str, list[tuple[date, date]]] = {}
    for row in tables["cadres"]:
        until = date.fromisoformat(row["until_on"]) if row["until_on"] else date.max
        posts.setdefault(row["staff_number"], []).append((date.fromisoformat(row["from_on"]), until))

    for spans in posts.values():
        assert all(start <= end for start, end in spans)
        assert all(earlier[1] < later[0] for earlier, later in pairwise(spans))
    assert any(len(spans) > 1 for spans in posts.values())


@pytest.mark.parametrize(("table", "moment"), [("contacts", "occurred_at"), ("issues", "received_at")])
def test_who_acts_holds_a_post_there_on_that_day(tables, table, moment):
    posts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in tables["cadres"]:
        span = (row["from_on"], row["until_on"] or "9999-12-31")
        posts.setdefault((row["staff_number"], row["organisation_code"]), []).append(span)

    for row in tables[table]:
        day = row[moment][:10]
        assert any(start <= day <= end for start, end in posts[row["staff_number"], row["organisation_code"]])


def test_times_of_an_issue_run_forward_and_end_before_today(tables):
    for row in tables["issues"]:
        course = instants(row, "received_at", "responded_at", "closed_at")
        assert course == sorted(course)
        assert all(moment <= END and moment.year >= END.year - 1 for moment in course)
        assert instants(row, "received_at") < instants(row, "due_at")
        assert bool(row["closed_at"]) == bool(row["outcome"]) == bool(row["reply"])


def test_contacts_are_recorded_after_they_happened(tables):
    for row in tables["contacts"]:
        occurred, recorded = instants(row, "occurred_at", "recorded_at")
        assert occurred < recorded <= END


def test_an_issue_raised_in_a_contact_comes_after_it(tables):
    contacts = {row["source_number"]: row for row in tables["contacts"]}

    raised = [row for row in tables["issues"] if row["contact_source_number"]]

    assert raised
    for row in raised:
        contact = contacts[row["contact_source_number"]]
        assert instants(contact, "occurred_at") < instants(row, "received_at")


def test_ratings_come_after_the_closure_or_the_contact(tables):
    ends = {row["source_number"]: row["closed_at"] for row in tables["issues"]}
    ends |= {row["source_number"]: row["recorded_at"] for row in tables["contacts"]}

    for row in tables["ratings"]:
        subjects = [row["issue_source_number"], row["contact_source_number"]]
        (subject,) = filter(None, subjects)
        assert ends[subject]
        assert datetime.fromisoformat(ends[subject]) < instants(row, "rated_at")[0] <= END
        assert row["level"] in {"1", "2", "3", "4", "5"}


def test_the_county_has_every_outcome_late_closures_and_open_issues(tables):
    issues = tables["issues"]

    outcomes = keys(issues, "outcome")
    late = [row for row in issues if row["closed_at"] > row["due_at"]]

    assert outcomes == {*get_args(IssueOutcome), ""}
    assert 0.04 < len(late) / len(issues) < 0.2


def test_ratings_are_worse_where_the_closure_was_late(tables):
    issues = {row["source_number"]: row for row in tables["issues"] if row["outcome"] == "resolved"}
    levels: dict[bool, list[int]] = {True: [], False: []}
    for row in tables["ratings"]:
        issue = issues.get(row["issue_source_number"])
        if issue is not None:
            levels[issue["closed_at"] > issue["due_at"]].append(int(row["level"]))

    average = {late: sum(given) / len(given) for late, given in levels.items()}

    assert average[True] < average[False] - 0.2


def test_no_text_has_an_unfilled_brace_or_a_personal_number(tables):
    for name, columns in {"issues": ("title", "description", "reply"), "contacts": ("note",)}.items():
        for row in tables[name]:
            for column in columns:
                text = re.sub(r"工单\d{18}", "", row[column])
                assert not re.search(r"[{}]|\d{6}|：：|，，|。。", text), text
    assert all(1 <= len(row["title"]) <= 60 for row in tables["issues"])
