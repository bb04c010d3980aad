"""The policy table and what follows from it for a principal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from shared.access.principal import Grant, Role
from shared.errors import Forbidden
from shared.policy import POLICY, Relation, Rule, StepUpNeeded, decide
from tests.fakes import machine, person

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_every_row_names_known_roles_and_relations():
    for action, rule in POLICY.items():
        assert set(rule.roles) <= set(get_args(Role)), action
        assert set(rule.roles.values()) <= set(get_args(Relation)), action


def test_a_machine_needs_a_scope_for_whatever_it_may_do():
    unscoped = {action for action, rule in POLICY.items() if "machine_client" in rule.roles and rule.scope is None}

    assert unscoped == {"api.describe"}


def test_nobody_who_only_keeps_the_machines_running_reads_or_writes_anything():
    assert {action for action, rule in POLICY.items() if "operations" in rule.roles} == set()


def test_unit_heads_and_auditors_and_administrators_touch_no_record_of_a_citizen():
    for role in ("unit_head", "auditor", "security_administrator"):
        allowed = {action for action, rule in POLICY.items() if role in rule.roles}

        assert {
            action for action in allowed if action.startswith(("contact.", "issue.", "rating.", "import."))
        } == set()


def test_only_who_enters_records_changes_them():
    officers = {"department_officer"}  # who enter what lies long back, with the reason, and correct what is old
    for action in ("contact.record", "contact.correct"):
        assert set(POLICY[action].roles) <= {"cadre", "clerk", "machine_client"} | officers, action
    for action in ("issue.receive", "issue.assign", "issue.respond", "issue.close", "rating.submit"):
        assert set(POLICY[action].roles) <= {"cadre", "clerk", "machine_client"}, action


def test_a_grant_in_an_organisation_reaches_it_and_one_without_reaches_everything():
    near, far = person("clerk", "town"), person("clerk")

    assert decide(near, "contact.read", now=NOW).organisation_codes == ("town",)
    assert decide(near, "contact.read", now=NOW).kind == "scoped"
    assert decide(far, "contact.read", now=NOW).kind == "everywhere"


def test_grants_add_up_but_only_those_that_give_the_action():
    several = replace(
        person("clerk", "town", staff_number="S1"),
        grants=(
            Grant(role="clerk", organisation_code="town"),
            Grant(role="clerk", organisation_code="harbour"),
            Grant(role="cadre"),
            Grant(role="unit_head"),
        ),
    )

    reach = decide(several, "contact.record", now=NOW)

    assert (reach.kind, reach.organisation_codes, reach.staff_number) == ("scoped", ("harbour", "town"), "S1")
    assert reach.role == "cadre,clerk"


def test_who_acts_as_an_officer_is_still_known_as_a_cadre():
    reach = decide(person("department_officer", staff_number="S1"), "issue.read", now=NOW)

    assert (reach.kind, reach.staff_number, reach.actor_staff_number) == ("everywhere", None, "S1")


def test_what_is_of_no_organisation_needs_a_grant_that_holds_everywhere():
    assert decide(person("clerk"), "register.write", now=NOW).kind == "everywhere"
    with pytest.raises(Forbidden):
        decide(person("clerk", "county"), "register.write", now=NOW)


def test_a_cadre_without_a_staff_number_has_no_records():
    with pytest.raises(Forbidden):
        decide(person("cadre"), "contact.read", now=NOW)


def test_a_machine_has_what_its_scopes_say_and_a_person_has_no_scopes():
    assert decide(machine("intake.read", organisation_code="town"), "contact.read", now=NOW).kind == "scoped"
    for principal, action in (
        (machine("intake.read"), "contact.record"),
        (
            replace(person("clerk"), grants=(Grant(role="machine_client"),), scopes=frozenset({"intake.read"})),
            "contact.read",
        ),
        (replace(machine("intake.read"), grants=(Grant(role="department_officer"),)), "contact.read"),
    ):
        with pytest.raises(Forbidden):
            decide(principal, action, now=NOW)


def test_the_second_factor_counts_for_five_minutes(monkeypatch):
    monkeypatch.setitem(POLICY, "test.publish", Rule(roles={"approver": "within"}, step_up=True))
    approver = person("approver")

    decide(replace(approver, stepped_up_at=NOW - timedelta(minutes=5)), "test.publish", now=NOW)
    for given in (None, NOW - timedelta(minutes=5, seconds=1)):
        with pytest.raises(StepUpNeeded):
            decide(replace(approver, stepped_up_at=given), "test.publish", now=NOW)


def test_an_unknown_action_is_an_error_and_no_permission():
    with pytest.raises(KeyError):
        decide(person("department_officer"), "contact.forget", now=NOW)


@pytest.mark.parametrize("role", get_args(Role))
def test_each_role_is_forbidden_what_its_row_does_not_give(role):
    holder = machine() if role == "machine_client" else person(role, staff_number="S1")

    for action, rule in POLICY.items():
        if role in rule.roles or rule.is_open or rule.is_own:
            continue
        with pytest.raises(Forbidden):
            decide(replace(holder, stepped_up_at=NOW), action, now=NOW)
