"""Registers with their past: what a change, a merger or a departure leaves as it was."""

from dataclasses import replace
from datetime import date

import pytest

from services.intake.domain.commands.registers import (
    EndOrganisation,
    RecordDeparture,
    RegisterCadre,
    RegisterOrganisation,
)
from services.intake.handlers import departures, mergers, posts, register_reading, registers
from services.intake.storage.registers import CadreNotFound, OrganisationNotFound
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
TODAY = date(2026, 3, 2)
BEFORE, CHANGE = date(2026, 1, 31), date(2026, 2, 1)


def organisation(code, parent_code=None, **changes):
    command = RegisterOrganisation(
        id=new_id(), correlation_id="a-test", code=code, name=code, level="62", parent_code=parent_code
    )
    return replace(command, **changes)


def enter(pool, *commands):
    return [(one.status, one.code) for one in registers.register_organisations(pool, commands, now=NOW)]


def end(pool, code, successor_code=None, ended_on=CHANGE):
    command = EndOrganisation(
        id=new_id(), correlation_id="a-test", code=code, ended_on=ended_on, successor_code=successor_code
    )
    [outcome] = mergers.end_organisations(pool, [command], now=NOW)
    return outcome.status, outcome.code


def on(pool, code, day):
    return register_reading.get_organisation(pool, code, on=day)


def leave(pool, left_on=BEFORE, reason_code="retired", staff_number="S1"):
    command = RecordDeparture(
        id=new_id(), correlation_id="a-test", staff_number=staff_number, left_on=left_on, reason_code=reason_code
    )
    [outcome] = departures.record_departures(pool, [command], now=NOW)
    return outcome.status, outcome.code


def test_a_renamed_and_moved_organisation_stays_what_it_was_before(pool):
    enter(pool, organisation("county"), organisation("other"), organisation("town", "county", name="旧名"))

    changed = enter(pool, organisation("town", "other", name="新名", from_on=CHANGE))

    assert changed == [("changed", "")]
    assert (on(pool, "town", BEFORE).name, on(pool, "town", BEFORE).parent_code) == ("旧名", "county")
    assert (on(pool, "town", CHANGE).name, on(pool, "town", CHANGE).parent_code) == ("新名", "other")
    listed = register_reading.list_organisations(pool, after_code="town"[:-1], limit=9, on=BEFORE)
    assert [(one.code, one.name) for one in listed if one.code == "town"] == [("town", "旧名")]
    assert register_reading.get_organisation(pool, "town").from_on == CHANGE


def test_a_change_without_a_day_holds_from_today_and_one_of_the_same_day_corrects_it(pool):
    enter(pool, organisation("town", name="旧名"))
    enter(pool, organisation("town", name="错名"))
    enter(pool, organisation("town", name="新名"))

    versions = register_reading.list_organisation_versions(pool, "town")

    assert [(one.from_on, one.name) for one in versions] == [(None, "旧名"), (TODAY, "错名"), (TODAY, "新名")]
    assert on(pool, "town", TODAY).name == "新名"


def test_what_was_founded_on_a_day_was_not_there_before(pool):
    enter(pool, organisation("town", from_on=CHANGE))

    assert on(pool, "town", CHANGE).from_on == CHANGE
    with pytest.raises(OrganisationNotFound):
        on(pool, "town", BEFORE)
    assert register_reading.list_organisations(pool, after_code="", limit=9, on=BEFORE) == []


def test_no_change_reaches_behind_a_later_one_and_one_of_a_day_to_come_waits(pool):
    enter(pool, organisation("town"), organisation("town", name="新名", from_on=CHANGE))

    outcomes = enter(
        pool,
        organisation("town", name="更早", from_on=BEFORE),
        organisation("town", name="明天", from_on=date(2026, 3, 3)),
        organisation("new", from_on=date(2026, 3, 3)),
        organisation("child-of-new", "new"),
    )

    assert outcomes == [
        ("conflict", "before-last-change"),
        ("created", ""),
        ("created", ""),
        ("rejected", "unknown-parent"),
    ]


def test_codes_are_checked_and_a_place_lies_in_its_parents_place(pool):
    outcomes = enter(
        pool,
        organisation("county", level="50", division_code="330102"),
        organisation("bureau", "county", level="50", division_code="330102", credit_code="91110000600037341L"),
        organisation("town", "county", division_code="330102001"),
        organisation("village", "town", level="72", division_code="330102001201"),
        organisation("elsewhere", "county", division_code="330103001"),
        organisation("below-elsewhere", "elsewhere", level="72"),
        organisation("no-level", level="township"),
        organisation("no-place", division_code="33010"),
        organisation("no-credit", credit_code="91110000600037341M"),
        organisation("taken", credit_code="91110000600037341L"),
    )

    assert [code for _, code in outcomes] == [
        "",
        "",
        "",
        "",
        "division-not-under-parent",
        "unknown-parent",
        "unknown-level",
        "bad-division-code",
        "bad-credit-code",
        "credit-code-taken",
    ]
    assert enter(pool, organisation("second", credit_code="91110000600037341L")) == [("rejected", "credit-code-taken")]


def test_what_a_sender_says_nothing_of_stays(pool):
    enter(pool, organisation("town", division_code="330102001", region_type="plain"))

    told = organisation("town", name="新名", untold=frozenset({"division_code", "region_type"}))

    assert enter(pool, told) == [("changed", "")]
    kept = register_reading.get_organisation(pool, "town")
    assert (kept.name, kept.division_code, kept.region_type) == ("新名", "330102001", "plain")


def test_a_merged_organisation_stands_below_its_successor_from_that_day_on(pool, events_of):
    enter(
        pool,
        organisation("county"),
        organisation("old", "county"),
        organisation("new", "county"),
        organisation("village", "old", level="72"),
    )
    old, village = (register_reading.get_organisation(pool, code) for code in ("old", "village"))

    outcomes = [end(pool, "old", "new"), end(pool, "old", "new"), end(pool, "old", "county")]

    assert outcomes == [("changed", ""), ("unchanged", ""), ("conflict", "other-content")]
    before, after = on(pool, "old", BEFORE), on(pool, "old", CHANGE)
    assert (before.parent_code, before.ended_on, before.successor_code) == ("county", None, None)
    assert (after.parent_code, after.ended_on, after.successor_code) == ("new", CHANGE, "new")
    assert (on(pool, "village", BEFORE).parent_code, on(pool, "village", CHANGE).parent_code) == ("old", "new")
    assert events_of(old.id) == [
        ("organisation.registered", 1),
        ("organisation.registered", 2),
        ("organisation.merged", 3),
    ]
    assert events_of(village.id) == [("organisation.registered", 1), ("organisation.registered", 2)]


def test_who_answers_for_the_successor_reaches_what_the_merged_one_left(pool):
    enter(pool, organisation("old"), organisation("new"))
    end(pool, "old", "new")

    with transaction(pool, reach=Reach(kind="scoped", organisation_codes=("new",))) as connection:
        rows = connection.execute("SELECT is_within_reach(id) FROM organisation WHERE code = 'old'").fetchall()

    assert rows == [(True,)]


def test_an_ended_organisation_takes_no_change_and_no_new_post(registered):
    enter(registered, organisation("other", "county"))
    end(registered, "other")

    changed = enter(registered, organisation("other", "county", name="改名"))
    outcomes = posts.record_posts(
        registered,
        [a_post(organisation_code="other", from_on=CHANGE), a_post(organisation_code="other", from_on=BEFORE)],
        now=NOW,
    )

    assert changed == [("conflict", "organisation-ended")]
    assert [outcome.code for outcome in outcomes] == ["organisation-ended", ""]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("nowhere", "town"), "organisation-not-found"),
        (("town", "nowhere"), "unknown-successor"),
        (("county", "town"), "circular-organisation"),
        (("town", "town"), "circular-organisation"),
        (("county", None), "has-children"),
        (("nowhere", "town", date(2026, 3, 3)), "organisation-not-found"),
    ],
)
def test_an_end_that_cannot_be_is_refused(registered, asked, code):
    assert end(registered, *asked) == ("rejected", code)


def test_a_cadres_former_name_stays_with_its_days(registered, events_of):
    renamed = RegisterCadre(id=new_id(), correlation_id="a-test", staff_number="S1", name="李新明", from_on=CHANGE)

    outcomes = [
        registers.register_cadres(registered, [command], now=NOW)[0]
        for command in (
            renamed,
            renamed,
            replace(renamed, name="李早", from_on=BEFORE),
            replace(renamed, name="李后", from_on=date(2027, 1, 1)),
        )
    ]

    assert [(one.status, one.code) for one in outcomes] == [
        ("changed", ""),
        ("unchanged", ""),
        ("conflict", "before-last-change"),
        ("created", ""),
    ]
    assert register_reading.get_cadre(registered, "S1", on=BEFORE).cadre.name == "李明"
    assert register_reading.get_cadre(registered, "S1", on=CHANGE).cadre.name == "李新明"
    assert [one.name for one in register_reading.list_cadres(registered, after_number="", limit=9, on=BEFORE)] == [
        "李明",
        "王芳",
    ]
    assert events_of(outcomes[0].id) == [("cadre.registered", 1), ("cadre.registered", 2)]


def test_a_departure_ends_the_posts_held_and_no_others(registered, events_of):
    held, later = a_post(), a_post(from_on=date(2026, 2, 15), post_kind="adviser")
    posts.record_posts(registered, [held, later], now=NOW)

    outcomes = [leave(registered), leave(registered), leave(registered, reason_code="died")]

    assert outcomes == [("created", ""), ("unchanged", ""), ("conflict", "other-content")]
    record = register_reading.get_cadre(registered, "S1")
    assert {post.id: post.until_on for post, _ in record.posts} == {held.id: BEFORE, later.id: None}
    assert [(one.left_on, one.reason_code) for one in record.departures] == [(BEFORE, "retired")]
    assert events_of(held.id) == [("post.recorded", 1), ("post.recorded", 2)]
    assert events_of(record.cadre.id) == [("cadre.registered", 1), ("cadre.left", 2)]
    assert register_reading.get_cadre(registered, "S1", on=CHANGE).posts == []


def test_nobody_unknown_leaves_neither_today_nor_on_a_day_to_come(registered):
    for left_on in (BEFORE, date(2026, 3, 3)):
        assert leave(registered, left_on=left_on, staff_number="nobody") == ("rejected", "cadre-not-found")
    assert leave(registered, left_on=date(2026, 3, 3)) == ("created", "")
    assert register_reading.get_cadre(registered, "S1").departures == []


def test_a_name_of_a_time_before_the_entry_is_nobodys(pool):
    registers.register_cadres(
        pool,
        [RegisterCadre(id=new_id(), correlation_id="a-test", staff_number="S9", name="新人", from_on=CHANGE)],
        now=NOW,
    )

    with pytest.raises(CadreNotFound):
        register_reading.get_cadre(pool, "S9", on=BEFORE)


def test_a_post_level_is_one_of_the_list(registered):
    [outcome] = posts.record_posts(registered, [a_post(post_level="chief")], now=NOW)

    assert (outcome.status, outcome.code) == ("rejected", "unknown-post-level")
