"""Contact points and households, who is assigned to them, and how many people live where."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.handlers import disclosures, issues, liaisons, populations
from services.intake.storage import erasures, forgetting
from services.intake.storage.liaisons import HouseholdNotFound
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, Reach, acting
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
BEGIN, END = date(2025, 1, 1), date(2026, 1, 31)
SECRETS = ("赵铁柱", "13812345678", "城关镇青石村3组18号")
HEAD = Citizen(name=SECRETS[0], phone=SECRETS[1], address=SECRETS[2])
NOBODY = new_id().__class__(int=0)


def a_household(**changes):
    command = RegisterHousehold(
        id=new_id(),
        correlation_id="a-test",
        number="H-1",
        organisation_code="town",
        place_code="330102001201",
        population_group="farmers",
        from_on=BEGIN,
        head=HEAD,
    )
    return replace(command, **changes)


def an_assignment(**changes):
    command = AssignLiaison(
        id=new_id(), correlation_id="a-test", staff_number="S1", household_number="H-1", from_on=BEGIN
    )
    return replace(command, **changes)


def results(outcomes):
    return [(one.status, one.code) for one in outcomes]


def test_a_household_is_registered_once_and_a_repeat_may_end_it(registered, events_of):
    household = a_household()

    outcomes = liaisons.register_households(
        registered,
        [
            household,
            a_household(),
            a_household(head=None),
            a_household(head=replace(HEAD, name="别人")),
            a_household(head=None, until_on=END, amend=True),
            a_household(number="H-2", population_group="martians"),
            a_household(number="H-3", organisation_code="nowhere"),
        ],
        now=NOW,
    )

    assert results(outcomes) == [
        ("created", ""),
        ("unchanged", ""),
        ("unchanged", ""),
        ("conflict", "other-content"),
        ("changed", ""),
        ("rejected", "unknown-population-group"),
        ("rejected", "unknown-organisation"),
    ]
    assert events_of(household.id) == [("contact_household.registered", 1), ("contact_household.registered", 2)]


def test_who_heads_a_household_is_sealed_and_in_no_event(registered, ask):
    household = a_household()
    liaisons.register_households(registered, [household], now=NOW)

    [(citizen,)] = ask("SELECT row_to_json(citizen)::text FROM citizen")
    told = json.dumps(ask("SELECT payload::text FROM outbox WHERE aggregate = 'contact_household'"), ensure_ascii=False)

    for secret in SECRETS:
        assert secret not in citizen
        assert secret not in told
    assert liaisons.get_household(registered, household.id).head_address == HEAD.address
    [listed] = liaisons.list_households(registered, after=NOBODY, limit=9)
    assert (listed.head_name, listed.head_phone, listed.head_address) == ("赵**", None, None)
    assert SECRETS[0] not in repr(listed)


def test_a_household_leads_to_nothing_that_its_head_complained_of(registered, ask):
    issues.receive_issues(registered, [an_issue(citizen=HEAD, organisation_code="town")], now=NOW)
    liaisons.register_households(registered, [a_household()], now=NOW)

    [(complainant,)] = ask("SELECT citizen_ref FROM issue")
    [(head,)] = ask("SELECT citizen_ref FROM contact_household")

    assert complainant != head
    assert ask("SELECT 1 FROM citizen_handle WHERE citizen_ref = %s", head) == []


def test_who_heads_a_household_is_told_what_is_held_and_can_be_erased(registered):
    household = a_household()
    liaisons.register_households(registered, [household], now=NOW)
    ref = liaisons.get_household(registered, household.id).citizen_ref
    assert ref is not None

    told = disclosures.disclose(registered, ref)
    with transaction(registered, reach=SYSTEM) as connection:
        erasures.set_erased(connection, [erasures.Erasure(citizen_ref=ref, reason_code="own_request")], at=NOW)

    assert told.citizen["address"] == SECRETS[2]
    assert [(one.number, one.population_group) for one in told.households] == [("H-1", "farmers")]
    shown = liaisons.get_household(registered, household.id)
    assert (shown.number, shown.head_name, shown.head_address) == ("H-1", None, None)


def test_a_cadre_sees_the_households_assigned_now_and_no_others(registered):
    mine, former, other = a_household(), a_household(number="H-2"), a_household(number="H-3")
    liaisons.register_households(registered, [mine, former, other], now=NOW)
    liaisons.assign_liaisons(
        registered, [an_assignment(), an_assignment(household_number="H-2", until_on=END)], now=NOW
    )

    with acting(Reach(kind="scoped", staff_number="S1", account_id=new_id())):
        seen = [one.number for one in liaisons.list_households(registered, after=NOBODY, limit=9)]
        assert liaisons.get_household(registered, mine.id).head_name == HEAD.name
        for hidden in (former, other):
            with pytest.raises(HouseholdNotFound):
                liaisons.get_household(registered, hidden.id)

    assert seen == ["H-1"]


def test_an_assignment_names_one_thing_that_is_there(registered, events_of):
    liaisons.register_households(registered, [a_household()], now=NOW)
    point = RegisterPoint(
        id=new_id(),
        correlation_id="a-test",
        code="P-1",
        organisation_code="town",
        kind="school",
        name="中心小学",
        from_on=BEGIN,
    )
    assert results(liaisons.register_points(registered, [point, replace(point, id=new_id())], now=NOW)) == [
        ("created", ""),
        ("unchanged", ""),
    ]
    first = an_assignment()

    outcomes = liaisons.assign_liaisons(
        registered,
        [
            first,
            an_assignment(),
            an_assignment(household_number=None, point_code="P-1"),
            an_assignment(until_on=END, amend=True),
            an_assignment(point_code="P-1"),
            an_assignment(household_number="H-9"),
            an_assignment(staff_number="nobody"),
        ],
        now=NOW,
    )

    assert results(outcomes) == [
        ("created", ""),
        ("unchanged", ""),
        ("created", ""),
        ("changed", ""),
        ("rejected", "assigns-one-thing"),
        ("rejected", "unknown-household"),
        ("rejected", "unknown-cadre"),
    ]
    assert events_of(first.id) == [("liaison_assignment.recorded", 1), ("liaison_assignment.recorded", 2)]
    listed = liaisons.list_assignments(registered, after=NOBODY, limit=9)
    assert {(one.household_number, one.point_code, one.until_on) for one in listed} == {
        ("H-1", None, END),
        (None, "P-1", None),
    }


def test_a_head_is_forgotten_only_after_the_household_has_ended(registered):
    liaisons.register_households(registered, [a_household()], now=NOW)
    later = datetime.now(UTC) + timedelta(days=1)
    with transaction(registered, reach=SYSTEM) as connection:
        standing = forgetting.measure_citizens(connection, later)[0]

    liaisons.register_households(registered, [a_household(until_on=END, amend=True)], now=NOW)
    with transaction(registered, reach=SYSTEM) as connection:
        ended = forgetting.measure_citizens(connection, later)[0]

    assert (standing, ended) == (0, 1)


def test_groups_come_with_the_suite_and_more_can_be_defined(pool, events_of):
    fishers = DefinePopulationGroup(id=new_id(), correlation_id="a-test", code="fishers", name="渔民")

    outcomes = populations.define_groups(
        pool, [fishers, replace(fishers, id=new_id()), replace(fishers, name="渔户")], now=NOW
    )

    assert [one.status for one in outcomes] == ["created", "unchanged", "changed"]
    assert {"farmers", "elderly_alone", "left_behind_children", "fishers"} <= {
        group.code for group in populations.list_groups(pool)
    }
    assert events_of("population_group") == [("population_group.defined", 1), ("population_group.defined", 2)]


def test_a_count_may_be_corrected_and_repeats_change_nothing(registered, events_of):
    count = RecordPopulation(
        id=new_id(),
        correlation_id="a-test",
        organisation_code="town",
        place_code="330102001201",
        counted_on=BEGIN,
        people_count=812,
        population_group="farmers",
    )

    outcomes = populations.record_populations(
        registered,
        [
            count,
            replace(count, id=new_id()),
            replace(count, id=new_id(), people_count=813),
            replace(count, id=new_id(), population_group=None),
            replace(count, population_group="martians"),
            replace(count, organisation_code="nowhere"),
            replace(count, counted_on=date(2027, 1, 1)),
        ],
        now=NOW,
    )

    assert results(outcomes) == [
        ("created", ""),
        ("unchanged", ""),
        ("changed", ""),
        ("created", ""),
        ("rejected", "unknown-population-group"),
        ("rejected", "unknown-organisation"),
        ("rejected", "in-future"),
    ]
    assert events_of(count.id) == [("place_population.recorded", 1), ("place_population.recorded", 2)]
    listed = populations.list_populations(registered, organisation_code="county", after=NOBODY, limit=9)
    assert {(one.population_group, one.people_count) for one in listed} == {("farmers", 813), (None, 812)}
