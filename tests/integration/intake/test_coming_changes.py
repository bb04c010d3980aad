"""What registers are told of days to come: it waits, it is entered on its day, and until then nobody knows of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.registers import (
    EndOrganisation,
    RecordDeparture,
    RegisterCadre,
    RegisterOrganisation,
    WithdrawComing,
)
from services.intake.handlers import categories, coming, coming_days, contacts, departures, mergers, posts, registers
from services.intake.handlers.register_reading import get_cadre, get_organisation
from services.intake.storage.contacts import ContactNotFound
from shared.database import Pool
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.commands import a_contact, a_post
from tests.integration.intake.conftest import NOW  # Monday, 2 March 2026

pytestmark = pytest.mark.integration
DAY = date(2026, 4, 1)
EVE, MORNING = NOW + timedelta(days=29), NOW + timedelta(days=30)


def an_organisation(code="town", parent_code="county", **changes):
    command = RegisterOrganisation(
        id=new_id(),
        correlation_id="a-test",
        code=code,
        name="城关街道",
        level="61",
        parent_code=parent_code,
        from_on=DAY,
    )
    return replace(command, **changes)


def register(pool, *commands, now=NOW):
    return [
        (outcome.status, outcome.code, outcome.flags)
        for outcome in registers.register_organisations(pool, list(commands), now=now)
    ]


def waiting(pool):
    return [(one.kind, one.code, one.from_on, one.refusal) for one in coming.list_coming(pool, limit=10)]


def test_a_change_of_a_day_to_come_waits_and_holds_from_its_day_on(registered: Pool, ask):
    asked = an_organisation()
    assert register(registered, asked) == [("created", "", ("comes_later",))]
    assert register(registered, an_organisation()) == [("unchanged", "", ("comes_later",))]
    assert register(registered, an_organisation(name="城关新区")) == [("changed", "", ("comes_later",))]
    assert waiting(registered) == [("organisation", "town", DAY, None)]

    assert coming_days.enter_due(registered, now=EVE) == 0
    assert get_organisation(registered, "town").name == "城关镇"
    events = "SELECT count(*) FROM outbox WHERE event_type = 'cn.lianxin.organisation.registered.v1'"
    before = ask(events)

    assert coming_days.enter_due(registered, now=MORNING) == 1
    assert coming_days.enter_due(registered, now=MORNING) == 0
    assert get_organisation(registered, "town").name == "城关新区"
    assert get_organisation(registered, "town", on=DAY - timedelta(days=1)).name == "城关镇"
    assert ask(events)[0][0] == before[0][0] + 1
    assert waiting(registered) == []


def test_what_was_missed_in_downtime_is_entered_with_its_own_day(registered: Pool):
    register(registered, an_organisation())

    coming_days.enter_due(registered, now=MORNING + timedelta(days=10))

    assert get_organisation(registered, "town", on=DAY).name == "城关街道"
    assert get_organisation(registered, "town", on=DAY - timedelta(days=1)).name == "城关镇"


def test_reach_goes_by_the_new_parent_from_its_day_on_and_not_before(registered: Pool):
    other = an_organisation("other", None, name="邻县", level="50", from_on=None)
    register(registered, other)
    contact = a_contact(organisation_code="town")
    contacts.record_contacts(registered, [contact], now=NOW)
    register(registered, an_organisation(parent_code="other"))

    def sees(code):
        with acting(Reach(kind="scoped", organisation_codes=(code,), account_id=new_id(), actor="x", role="clerk")):
            try:
                contacts.get_contact(registered, contact.id)
            except ContactNotFound:
                return False
            return True

    assert (sees("county"), sees("other")) == (True, False)
    coming_days.enter_due(registered, now=MORNING)
    assert (sees("county"), sees("other")) == (False, True)


def test_every_kind_of_change_is_entered_on_its_day(registered: Pool, ask):
    posts.record_posts(registered, [a_post()], now=NOW)
    departure = RecordDeparture(id=new_id(), correlation_id="t", staff_number="S1", left_on=DAY, reason_code="retired")
    departures.record_departures(registered, [departure], now=NOW)
    renamed = RegisterCadre(id=new_id(), correlation_id="t", staff_number="S2", name="王芳芳", from_on=DAY)
    registers.register_cadres(registered, [renamed], now=NOW)
    tree = [DefineCategory(id=new_id(), correlation_id="t", code="roads", name="道路", from_on=DAY)]
    categories.define_categories(registered, tree, now=NOW)
    register(registered, an_organisation("north", name="城北", from_on=None))
    end = EndOrganisation(id=new_id(), correlation_id="t", code="north", ended_on=DAY, successor_code="town")
    [outcome] = mergers.end_organisations(registered, [end], now=NOW)
    assert outcome.flags == ("comes_later",)
    assert len(waiting(registered)) == 4
    assert ask("SELECT count(*) FROM category") == [(0,)]

    assert coming_days.enter_due(registered, now=MORNING) == 4

    assert [one.left_on for one in get_cadre(registered, "S1").departures] == [DAY]
    assert [post.until_on for post, _ in get_cadre(registered, "S1").posts] == [DAY]
    assert get_cadre(registered, "S2").cadre.name == "王芳芳"
    assert get_organisation(registered, "north").successor_code == "town"
    assert ask("SELECT code, from_on FROM category") == [("roads", DAY)]


def test_what_cannot_be_entered_stays_with_its_reason_and_holds_up_nothing(registered: Pool):
    register(registered, an_organisation("new", "gone"), an_organisation())

    assert coming_days.enter_due(registered, now=MORNING) == 2
    assert coming_days.enter_due(registered, now=MORNING) == 0

    assert waiting(registered) == [("organisation", "new", DAY, "unknown-parent")]
    assert get_organisation(registered, "town").name == "城关街道"


def test_what_can_never_be_is_refused_at_once(registered: Pool):
    assert register(registered, an_organisation(level="99"))[0][:2] == ("rejected", "unknown-level")
    assert waiting(registered) == []


def test_what_waits_can_be_taken_back_and_what_was_entered_cannot(registered: Pool):
    asked, entered = an_organisation(), an_organisation("county", None, name="新县", level="50")
    register(registered, asked)
    taken = coming.withdraw_coming(registered, [WithdrawComing(id=asked.id, correlation_id="t")], now=NOW)
    register(registered, entered)
    coming_days.enter_due(registered, now=MORNING)
    late = coming.withdraw_coming(registered, [WithdrawComing(id=entered.id, correlation_id="t")], now=MORNING)

    assert [outcome.status for outcome in taken] == ["changed"]
    assert [outcome.code for outcome in late] == ["coming-change-not-found"]
    assert (get_organisation(registered, "town").name, get_organisation(registered, "county").name) == (
        "城关镇",
        "新县",
    )


def test_only_who_keeps_the_registers_sees_what_is_to_come(registered: Pool):
    register(registered, an_organisation())

    with acting(Reach(kind="scoped", organisation_codes=("county",), account_id=new_id(), actor="x", role="clerk")):
        assert waiting(registered) == []
