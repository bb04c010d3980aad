"""Registers against PostgreSQL: upserts, trees, posts and duties, each twice."""

from dataclasses import replace
from datetime import date

import pytest

from services.intake.domain.commands.base import IdempotencyKey
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.registers import EndPost, RegisterCadre, RegisterOrganisation
from services.intake.handlers import duties, posts, register_reading, registers
from shared.identifiers import new_id
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
TODAY = date(2026, 3, 2)


def organisation(code, parent_code=None, **changes):
    command = RegisterOrganisation(
        id=new_id(), correlation_id="a-test", code=code, name=code, level="61", parent_code=parent_code
    )
    return replace(command, **changes)


def cadre(staff_number, name):
    return RegisterCadre(id=new_id(), correlation_id="a-test", staff_number=staff_number, name=name)


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def test_children_may_stand_before_their_parents(pool, events_of):
    batch = [organisation("village", "town"), organisation("town", "county"), organisation("county")]

    first = registers.register_organisations(pool, batch, now=NOW)
    second = registers.register_organisations(pool, [replace(item, id=new_id()) for item in batch], now=NOW)

    assert statuses(first) == ["created"] * 3
    assert statuses(second) == ["unchanged"] * 3
    assert [outcome.id for outcome in first] == [outcome.id for outcome in second]
    assert events_of("organisation") == [("organisation.registered", 1)] * 3
    assert register_reading.get_organisation(pool, "village").parent_code == "town"


def test_a_changed_entry_goes_out_with_the_next_sequence(registered, events_of):
    outcomes = registers.register_organisations(registered, [organisation("town", "county", name="新名")], now=NOW)

    assert statuses(outcomes) == ["changed"]
    assert events_of(outcomes[0].id) == [("organisation.registered", 1), ("organisation.registered", 2)]


def test_a_key_stands_for_the_entry_that_its_request_was_about(registered):
    key = IdempotencyKey(caller="clerk", key="k-1", fingerprint=b"a" * 16)
    requests = [replace(organisation("town", "county", name="新名"), key=key) for _ in range(2)]

    outcomes = [registers.register_organisations(registered, [request], now=NOW)[0] for request in requests]

    assert statuses(outcomes) == ["changed", "unchanged"]
    assert {outcome.id for outcome in outcomes} == {register_reading.get_organisation(registered, "town").id}


def test_broken_trees_are_refused_and_harm_no_neighbour(registered):
    outcomes = registers.register_organisations(
        registered,
        [
            organisation("orphan", "nowhere"),
            organisation("sound"),
            organisation("child-of-orphan", "orphan"),
            organisation("county", "town", name="测试县", level="50"),
            organisation("self", "self"),
        ],
        now=NOW,
    )

    assert [outcome.code for outcome in outcomes] == [
        "unknown-parent",
        "",
        "unknown-parent",
        "circular-organisation",
        "circular-organisation",
    ]


def test_an_entry_named_several_times_is_taken_in_turn(pool, events_of):
    batch = [organisation("town"), organisation("town"), organisation("town", name="另名"), organisation("town")]

    outcomes = registers.register_organisations(pool, batch, now=NOW)

    assert statuses(outcomes) == ["created", "unchanged", "changed", "changed"]
    assert events_of("organisation") == [("organisation.registered", sequence) for sequence in (1, 2, 3)]


def test_cadres_are_created_renamed_and_left_alone(pool, events_of):
    first = registers.register_cadres(pool, [cadre("S1", "李明"), cadre("S2", "王芳")], now=NOW)
    second = registers.register_cadres(pool, [cadre("S1", "李明"), cadre("S2", "王小芳")], now=NOW)

    assert statuses(first) == ["created", "created"]
    assert statuses(second) == ["unchanged", "changed"]
    assert events_of(first[1].id) == [("cadre.registered", 1), ("cadre.registered", 2)]
    assert register_reading.list_cadres(pool, after_number="S1", limit=5, on=TODAY)[0].name == "王小芳"


def test_posts_repeat_amend_and_contradict(registered, events_of):
    post = a_post()
    until_on = date(2025, 6, 30)

    outcomes = posts.record_posts(
        registered,
        [
            post,
            replace(post, id=new_id()),
            replace(post, post_level="132"),
            replace(post, until_on=until_on),
            replace(post, until_on=until_on, amend=True),
            a_post(staff_number="nobody"),
            a_post(organisation_code="nowhere"),
            a_post(from_on=date(2025, 5, 1), until_on=date(2025, 4, 1)),
        ],
        now=NOW,
    )

    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        ("created", ""),
        ("unchanged", ""),
        ("conflict", "other-content"),
        ("conflict", "other-content"),
        ("changed", ""),
        ("rejected", "unknown-cadre"),
        ("rejected", "unknown-organisation"),
        ("rejected", "ends-before-begin"),
    ]
    assert events_of(post.id) == [("post.recorded", 1), ("post.recorded", 2)]
    assert register_reading.get_cadre(registered, "S1").posts[0][0].until_on == until_on


def test_a_post_is_ended_once(registered, events_of):
    post = a_post()
    posts.record_posts(registered, [post], now=NOW)
    end = EndPost(id=post.id, correlation_id="a-test", until_on=date(2025, 12, 31))

    first = posts.end_posts(registered, [end, replace(end, id=new_id())], now=NOW)
    second = posts.end_posts(registered, [end, replace(end, until_on=date(2026, 1, 1))], now=NOW)

    assert [(outcome.status, outcome.code) for outcome in first] == [("changed", ""), ("rejected", "post-not-found")]
    assert statuses(second) == ["unchanged", "conflict"]
    assert events_of(post.id) == [("post.recorded", 1), ("post.recorded", 2)]


def test_duties_are_defined_once_and_ended_by_an_amending_repeat(pool, events_of):
    duty = DefineDuty(
        id=new_id(),
        correlation_id="a-test",
        post_kind="township_head",
        contact_kind="visit",
        required_count=12,
        per="quarter",
        valid_from=date(2025, 1, 1),
    )

    first = duties.define_duties(pool, [duty, replace(duty, required_count=13)], now=NOW)
    second = duties.define_duties(
        pool, [replace(duty, id=new_id()), replace(duty, valid_until=date(2025, 12, 31), amend=True)], now=NOW
    )

    assert statuses(first) == ["created", "conflict"]
    assert statuses(second) == ["unchanged", "changed"]
    assert events_of(duty.id) == [("duty.defined", 1), ("duty.defined", 2)]
