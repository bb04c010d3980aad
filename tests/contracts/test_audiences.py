"""Every event that there is has been decided about: who may be told of it outside."""

from services.notify.domain.audiences import AUDIENCES, PREFIX, WITHHELD, audience_of, open_types, without_withheld
from shared.contracts.envelope import EVENTS


def test_every_event_has_an_audience_and_every_audience_an_event():
    assert {event.type for event in EVENTS} == {PREFIX + name for name in AUDIENCES}


def test_what_is_not_in_the_table_is_told_to_nobody():
    for unknown in ("cn.lianxin.secret.told.v1", "cn.lianxin.issue.received.v2", "issue.received.v1", ""):
        assert audience_of(unknown) == "nobody"


def test_nothing_about_single_ratings_or_live_scores_is_open():
    closed = {"rating", "rating_invitation", "score", "appraisal_result", "contact_household", "liaison_assignment"}

    assert not [event.type for event in EVENTS if event.aggregate in closed and event.type in open_types()]


def test_no_open_event_carries_a_pseudonym_of_a_citizen_outside():
    for event in EVENTS:
        if event.type in open_types():
            left = without_withheld(dict.fromkeys(event.model_fields))
            assert not [name for name in left if "citizen" in name or "rater" in name], event.type
            assert WITHHELD.isdisjoint(left)
