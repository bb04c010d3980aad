"""The categories of issues: trees for everywhere and for places, their past, and issues that name none."""

from dataclasses import replace
from datetime import date

import pytest

from services.intake.domain.commands.categories import DefineCategory
from services.intake.handlers import categories, issues
from shared.identifiers import new_id
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
BEFORE, CHANGE = date(2026, 1, 31), date(2026, 2, 1)
FIRST = ("", "00000000-0000-0000-0000-000000000000")


def category(code, parent_code=None, **changes):
    command = DefineCategory(id=new_id(), correlation_id="a-test", code=code, name=code, parent_code=parent_code)
    return replace(command, **changes)


def define(pool, *commands):
    return [(one.status, one.code) for one in categories.define_categories(pool, commands, now=NOW)]


def listed(pool, on=CHANGE, organisation_code=None):
    found = categories.list_categories(pool, on=on, organisation_code=organisation_code, after=FIRST, limit=99)
    return [(one.code, one.name, one.parent_code, one.is_retired) for one in found]


def receive(pool, *, allow_odd=False, refuse=False, **changes):
    [outcome] = issues.receive_issues(
        pool, [an_issue(**changes)], now=NOW, allow_odd=allow_odd, refuse_unknown_categories=refuse
    )
    return outcome.status, outcome.code, outcome.flags


def test_a_tree_is_loaded_in_any_order_and_a_second_time_changes_nothing(pool, events_of):
    batch = [category("pothole", "roads"), category("roads", "county-affairs"), category("county-affairs")]

    assert define(pool, *batch) == [("created", "")] * 3
    assert define(pool, *(replace(one, id=new_id()) for one in batch)) == [("unchanged", "")] * 3
    assert events_of("category") == [("category.defined", 1)] * 3


def test_a_renamed_category_keeps_its_former_name_for_the_time_before(pool):
    define(pool, category("roads", name="道路"))
    define(pool, category("roads", name="交通", from_on=CHANGE))

    assert listed(pool, BEFORE) == [("roads", "道路", None, False)]
    assert listed(pool, CHANGE) == [("roads", "交通", None, False)]


def test_a_retired_category_stays_readable(pool):
    define(pool, category("roads"))

    assert define(pool, category("roads", is_retired=True, from_on=CHANGE)) == [("changed", "")]
    assert listed(pool) == [("roads", "roads", None, True)]
    assert listed(pool, BEFORE) == [("roads", "roads", None, False)]


def test_a_places_own_tree_stands_beside_that_of_everywhere_and_may_hang_below_it(registered):
    outcomes = define(
        registered,
        category("roads"),
        category("ferry", "roads", organisation_code="town"),
        category("roads", name="镇道路", organisation_code="town"),
    )

    assert outcomes == [("created", "")] * 3
    assert [code for code, *_ in listed(registered, organisation_code="county")] == ["roads"]
    assert sorted(code for code, *_ in listed(registered, organisation_code="town")) == ["ferry", "roads", "roads"]


def test_broken_trees_and_unknown_places_are_refused_and_days_to_come_wait(registered):
    outcomes = define(
        registered,
        category("a", "b"),
        category("b", "a"),
        category("orphan", "nowhere"),
        category("c", organisation_code="nowhere"),
        category("d", from_on=date(2026, 3, 3)),
        category("e", "d"),
    )

    assert [code for _, code in outcomes] == [
        "circular-organisation",
        "circular-organisation",
        "unknown-parent",
        "unknown-organisation",
        "",
        "unknown-parent",
    ]


def test_an_issue_of_an_unknown_category_is_taken_and_flagged_once_there_is_a_tree(registered):
    before = receive(registered, category="nonsense")
    define(registered, category("roads"), category("old", is_retired=True, from_on=BEFORE))

    assert before == ("created", "", ())
    assert receive(registered, category="roads") == ("created", "", ())
    assert receive(registered, category="nonsense") == ("created", "", ("unknown_category",))
    assert receive(registered, category="old") == ("created", "", ("unknown_category",))


def test_a_house_that_wants_it_so_refuses_unknown_categories_but_never_a_files(registered):
    define(registered, category("roads"))

    assert receive(registered, category="nonsense", refuse=True) == ("rejected", "unknown-category", ())
    assert receive(registered, category="nonsense", refuse=True, allow_odd=True)[2] == ("unknown_category",)


def test_a_tree_of_one_place_says_nothing_of_another(registered):
    define(registered, category("ferry", organisation_code="town"))

    assert receive(registered, category="roads", organisation_code="county") == ("created", "", ())
    assert receive(registered, category="roads", organisation_code="town")[2] == ("unknown_category",)
    assert receive(registered, category="ferry", organisation_code="town") == ("created", "", ())
