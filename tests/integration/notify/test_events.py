"""The log of what was heard: every event once, in an order without gaps, and seen by those whom it concerns."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest

from services.notify.domain.events import CONFIDENTIAL
from services.notify.handlers import retention
from services.notify.handlers.events import list_events
from services.notify.messaging import SUBSCRIPTIONS, make_doors
from services.notify.storage import events as storage
from services.notify.storage import retention as over
from shared.contracts.envelope import BY_TYPE, decode
from shared.contracts.intake.contacts import ContactRecorded
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issue_work import AssistingUnitsSet
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueReceived
from shared.contracts.intake.participation import ReceptionDayCancelled, ReceptionDayOffered
from shared.contracts.intake.ratings import RatingSubmitted
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered, PostRecorded
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, Reach, acting
from tests.contracts.test_contracts import sample_of
from tests.integration.notify.conftest import NOW, ZONE, Notify, envelope_of, make_news, score_of

pytestmark = pytest.mark.integration

COUNTY, TOWN, STREET, HARBOUR = (UUID(int=number) for number in range(1, 5))
WANG, ISSUE = UUID(int=100), UUID(int=200)
SCOPED = Reach(kind="scoped", organisation_codes=("town",))


def unit(organisation_id: UUID, code: str, parent_id: UUID | None = None) -> OrganisationRegistered:
    return OrganisationRegistered(
        organisation_id=organisation_id, code=code, name=code, level="60", parent_id=parent_id
    )


def post(organisation_id: UUID, *, until_on: date | None = None) -> PostRecorded:
    return PostRecorded(
        post_id=new_id(),
        cadre_id=WANG,
        organisation_id=organisation_id,
        post_kind="township_head",
        post_level="141",
        from_on=date(2024, 1, 1),
        until_on=until_on,
    )


def received(**more: object) -> IssueReceived:
    return IssueReceived.model_validate(
        {
            "issue_id": ISSUE,
            "issue_type": "help",
            "category": "roads",
            "channel": "phone",
            "source": "12345",
            "received_at": NOW,
            **more,
        }
    )


def assigned(organisation_id: UUID) -> IssueAssigned:
    return IssueAssigned(issue_id=ISSUE, organisation_id=organisation_id, cadre_id=WANG, assigned_at=NOW)


TREE = (
    unit(COUNTY, "county"),
    unit(TOWN, "town", COUNTY),
    unit(STREET, "street", TOWN),
    unit(HARBOUR, "harbour", COUNTY),
)


def concerned(notify: Notify) -> list[tuple[str, list[UUID]]]:
    with acting(SYSTEM):
        found = list_events(notify.pool, after=0, limit=1_000)
    return [(event.type.split(".")[2] + "." + event.type.split(".")[3], event.organisation_ids) for event in found]


def paths(notify: Notify) -> dict[UUID, list[UUID]]:
    return {row[0]: row[1] for row in notify.ask("SELECT id, path FROM organisation")}  # type: ignore[misc] # by the columns


def seen_by(notify: Notify, reach: Reach) -> list[str]:
    with acting(reach):
        return [event.aggregate for event in list_events(notify.pool, after=0, limit=1_000)]


def test_every_kind_of_event_is_kept_as_it_was_sent(notify):
    envelopes = [replace(decode(sample_of(event_type)), event_id=new_id()) for event_type in BY_TYPE]

    assert notify.take("notify.intake", *envelopes) == len(BY_TYPE)

    with acting(SYSTEM):
        kept = list_events(notify.pool, after=0, limit=1_000)
    assert [event.envelope.encode() for event in kept] == [envelope.body for envelope in envelopes]
    assert [event.position for event in kept] == list(range(1, len(BY_TYPE) + 1))
    assert [event.occurred_at for event in kept] == [envelope.event.happened_at for envelope in envelopes]


def test_an_event_heard_again_stays_where_it_is(notify):
    first, second = envelope_of(unit(COUNTY, "county")), envelope_of(unit(TOWN, "town", COUNTY))

    assert notify.take("notify.intake", first, first) == 1
    assert notify.take("notify.intake", second, first) == 1

    assert notify.ask("SELECT position, event_id FROM event ORDER BY position") == [
        (1, first.event_id),
        (2, second.event_id),
    ]


def test_nobody_reads_past_a_position_that_is_still_being_written(notify):
    """Two take events in at once: the one that came later waits, so that no reader can miss the earlier one."""
    slow = storage.NewEvent(
        event_id=new_id(),
        source="/intake",
        type="cn.lianxin.organisation.registered.v1",
        aggregate="organisation",
        aggregate_id=COUNTY,
        sequence=1,
        organisation_ids=(),
        concerns_all=False,
        occurred_at=None,
        recorded_at=NOW,
        correlation_id="a-test",
        envelope="{}",
    )
    late = threading.Thread(target=notify.learn, args=[unit(TOWN, "town")])

    with transaction(notify.pool, reach=SYSTEM) as connection:
        storage.append_events(connection, [slow], heard_at=NOW)
        late.start()
        late.join(0.5)
        waits, seen = late.is_alive(), concerned(notify)
    late.join(10)

    assert (waits, seen) == (True, [])
    assert notify.ask("SELECT event_id FROM event WHERE position = 1") == [(slow.event_id,)]
    assert notify.ask("SELECT count(*), max(position) FROM event") == [(2, 2)]


def test_many_at_once_leave_no_gap(notify):
    def take(number: int) -> None:
        for turn in range(5):
            notify.learn(*(received(issue_id=UUID(int=number * 1_000 + turn * 10 + step)) for step in range(3)))

    threads = [threading.Thread(target=take, args=[number]) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert notify.ask("SELECT count(*), min(position), max(position) FROM event") == [(60, 1, 60)]


def test_an_event_is_never_changed(notify):
    notify.learn(unit(COUNTY, "county"))

    with pytest.raises(psycopg.IntegrityError), transaction(notify.pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE event SET type = 'another'")


def test_steps_of_an_issue_concern_whoever_has_it(notify):
    notify.learn(received())
    notify.learn((assigned(TOWN), 2), (AssistingUnitsSet(issue_id=ISSUE, set_at=NOW, organisation_ids=(STREET,)), 3))
    notify.learn((assigned(HARBOUR), 4))
    notify.learn((IssueClosed(issue_id=ISSUE, closed_at=NOW, outcome="resolved"), 5))

    assert concerned(notify) == [
        ("issue.received", []),
        ("issue.assigned", [TOWN]),
        ("issue.assisting_set", [TOWN, STREET]),
        ("issue.assigned", [TOWN, STREET, HARBOUR]),
        ("issue.closed", [STREET, HARBOUR]),
    ]
    assert notify.ask("SELECT organisation_id, cadre_id, is_closed FROM issue") == [(HARBOUR, WANG, True)]


def test_an_assignment_that_comes_late_changes_nothing(notify):
    notify.learn((assigned(HARBOUR), 4), received())
    notify.learn((assigned(TOWN), 2))

    assert notify.ask("SELECT organisation_id, assignment_sequence FROM issue") == [(HARBOUR, 4)]


def test_what_names_a_cadre_alone_concerns_where_the_cadre_serves(notify):
    notify.learn(post(HARBOUR, until_on=date(2024, 12, 31)), post(TOWN))

    notify.learn(
        ContactRecorded(contact_id=new_id(), cadre_id=WANG, kind="visit", occurred_at=NOW, recorded_at=NOW),
    )

    assert concerned(notify)[-1] == ("contact.recorded", [TOWN])


def test_a_cancelled_reception_day_concerns_whoever_offered_it(notify):
    day = new_id()
    offered = ReceptionDayOffered(
        reception_day_id=day, organisation_id=TOWN, cadre_id=WANG, from_at=NOW, until_at=NOW, slot_count=3
    )
    cancelled = ReceptionDayCancelled(reception_day_id=day, cancelled_at=NOW, reason_code="ill", booked_count=0)

    notify.learn(offered)
    notify.learn((cancelled, 2))

    assert concerned(notify)[-1] == ("reception_day.cancelled", [TOWN])


@pytest.mark.parametrize("units", [TREE, TREE[::-1]], ids=["top-down", "bottom-up"])
def test_units_stand_below_one_another_however_they_come(notify, units):
    for registered in units:
        notify.learn(registered)

    assert paths(notify) == {
        COUNTY: [COUNTY],
        TOWN: [COUNTY, TOWN],
        STREET: [COUNTY, TOWN, STREET],
        HARBOUR: [COUNTY, HARBOUR],
    }


def test_what_is_below_a_unit_moves_with_it(notify):
    notify.learn(*TREE)

    notify.learn((unit(TOWN, "town", HARBOUR), 2))
    notify.learn((unit(TOWN, "town", COUNTY), 1))

    assert paths(notify)[STREET] == [COUNTY, HARBOUR, TOWN, STREET]


def test_the_register_goes_before_what_scores_tell_of_a_unit(notify):
    notify.learn(*TREE)

    told = score_of(make_news(path=(1, 4, 2))).model_copy(
        update={"subject_kind": "organisation", "subject_id": TOWN, "subject_code": "town"}
    )
    notify.take("notify.events", envelope_of(told))

    assert paths(notify)[TOWN] == [COUNTY, TOWN]


def test_units_in_a_circle_stop_nothing(notify):
    notify.learn(unit(TOWN, "town", STREET), unit(STREET, "street", TOWN))

    assert all(len(path) <= 32 for path in paths(notify).values())


def test_who_a_cadre_is_and_was_is_told_by_the_highest_sequence(notify):
    notify.learn((CadreRegistered(cadre_id=WANG, staff_number="C1", name="王建国"), 2))
    notify.learn((CadreRegistered(cadre_id=WANG, staff_number="C0", name="王"), 1))

    assert notify.ask("SELECT staff_number, name, sequence FROM cadre") == [("C1", "王建国", 2)]


def test_an_event_is_seen_by_those_above_whom_it_concerns(notify):
    notify.learn(*TREE, (received(), 1), (assigned(STREET), 2))
    elsewhere = ContactRecorded(
        contact_id=new_id(), cadre_id=WANG, organisation_id=HARBOUR, kind="visit", occurred_at=NOW, recorded_at=NOW
    )
    rule = DutyDefined(
        duty_id=new_id(), post_kind="any", contact_kind="visit", required_count=1, per="month", valid_from=NOW.date()
    )
    notify.learn(elsewhere, rule)

    assert seen_by(notify, SCOPED) == ["organisation", "organisation", "issue", "duty"]
    assert seen_by(notify, Reach(kind="everywhere")) == [*["organisation"] * 4, "issue", "issue", "contact", "duty"]
    assert seen_by(notify, Reach(kind="scoped")) == ["duty"]


def test_ratings_scores_and_grades_are_nobodys_to_follow(notify):
    notify.learn(*TREE, (assigned(STREET), 1))
    rating = RatingSubmitted(rating_id=new_id(), issue_id=ISSUE, level=1, method="link", rated_at=NOW)
    notify.learn(rating, decode(sample_of("cn.lianxin.appraisal_result.recorded.v1")).event)
    notify.hear(make_news(path=(1, 2)))

    for reach in (SCOPED, Reach(kind="everywhere")):
        assert not CONFIDENTIAL & set(seen_by(notify, reach))
    assert CONFIDENTIAL & set(seen_by(notify, SYSTEM)) == {"rating", "score", "appraisal_result"}


def test_the_log_is_shortened_from_its_beginning(notify):
    assert "event_log" in {kind.name for kind in retention.CLASSES}
    notify.learn(unit(COUNTY, "county"), unit(TOWN, "town"))
    notify.wait(timedelta(days=1))
    notify.learn(unit(STREET, "street"))

    with transaction(notify.pool, reach=SYSTEM) as connection:
        count, oldest = over.measure_events(connection, NOW + timedelta(seconds=1))
        steps = [over.delete_events(connection, NOW + timedelta(seconds=1), 1, 0).removed for _ in range(3)]

    assert (count, oldest, steps) == (2, NOW, [1, 1, 0])
    assert notify.ask("SELECT position FROM event") == [(3,)]


def test_events_that_are_new_ask_for_a_nudge_and_repeats_do_not(notify: Notify):
    asked = []
    doors = make_doors(notify.pool, zone=ZONE, told=lambda: asked.append(1))
    batch = [envelope_of(received(), at=notify.now)]

    for _ in range(2):
        doors[SUBSCRIPTIONS["notify.intake"]](batch)

    assert asked == [1]
