"""The feed of changes: no gap and nothing twice however many write, and nothing that the reader may not see."""

import random
import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import pytest

from services.intake.domain.changes import FOLLOWED, FOR_PEOPLE, Position, read_position
from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.liaisons import RegisterHousehold
from services.intake.domain.commands.receptions import OfferReceptionDay
from services.intake.handlers import categories, changes, channels, contacts, issues, liaisons, receptions
from shared import outbox, reach
from shared.contracts.envelope import EVENTS
from shared.contracts.intake.duties import DutyDefined
from shared.database import Pool, transaction
from shared.errors import Rejected
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.harness.waiting import wait_for
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
WRITERS = 6
ROUNDS = 25


def page_of(pool: Pool, after: Position | None, *, limit: int = 7) -> changes.ChangePage:
    with reach.acting(reach.SYSTEM):
        return changes.list_changes(pool, after=after, limit=limit, kept_since=LONG_AGO, now=datetime.now(UTC))


def everything(pool: Pool, after: Position | None = None) -> tuple[list[UUID], Position]:
    """All that comes after, page by page, and where it ends."""
    found: list[UUID] = []
    while True:
        page = page_of(pool, after)
        found += [item.id for item in page.items]
        after = read_position(page.next_position)
        if page.is_complete:
            return found, after


def settle(pool: Pool) -> None:
    """Wait for whoever writes at this moment, in any database of the server: the feed waits for them too."""

    def read(bound: LiteralString) -> int:
        with transaction(pool) as connection:
            row = connection.execute(f"SELECT pg_snapshot_{bound}(pg_current_snapshot())::text").fetchone()
        assert row is not None
        return int(str(row[0]))

    begun = read("xmax")
    wait_for(lambda: read("xmin") >= begun, "the end of all that was being written", timeout_seconds=120)


def all_told(pool: Pool, after: Position | None = None) -> list[UUID]:
    """All that comes after, once nobody writes any more."""
    settle(pool)
    return everything(pool, after)[0]


def tell(connection: Any, count: int = 1) -> list[UUID]:
    told = [
        outbox.OutgoingEvent(
            event=DutyDefined(
                duty_id=new_id(),
                post_kind="head",
                contact_kind="visit",
                required_count=1,
                per="month",
                valid_from=NOW.date(),
            ),
            sequence=1,
            event_id=new_id(),
        )
        for _ in range(count)
    ]
    outbox.append(connection, told, recorded_at=NOW, correlation_id="a-test")
    return [one.event_id for one in told if one.event_id is not None]


def test_what_commits_late_is_not_passed_by(pool: Pool):
    with transaction(pool) as slow:
        first = tell(slow)
        with transaction(pool) as quick:
            second = tell(quick)
        while_it_is_open, position = everything(pool)

    assert while_it_is_open == []
    assert all_told(pool, position) == first + second


def test_many_writers_and_a_reader_who_asks_all_the_time_miss_nothing_and_see_nothing_twice(pool: Pool):
    told: list[UUID] = []
    lock = threading.Lock()

    def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - a seed for each
        for _ in range(ROUNDS):
            with transaction(pool) as connection:
                mine = tell(connection, chance.randint(1, 3))
                connection.execute("SELECT pg_sleep(%s)", [chance.random() / 200])
                mine += tell(connection)
            with lock:
                told.extend(mine)

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    seen: list[UUID] = []
    position: Position | None = None
    while any(one.is_alive() for one in threads):
        found, position = everything(pool, position)
        seen += found
    for thread in threads:
        thread.join()
    seen += all_told(pool, position)

    assert len(seen) == len(set(seen))
    assert set(seen) == set(told)
    assert all_told(pool) == seen


def test_any_position_gives_the_same_again(pool: Pool):
    with transaction(pool) as connection:
        told = tell(connection, 10)
    settle(pool)
    page = page_of(pool, None, limit=10)

    for place, item in enumerate(page.items, start=1):
        assert all_told(pool, read_position(item.position)) == told[place:]


def test_an_emptied_event_is_passed_over(pool: Pool, ask: Callable[..., Any]):
    with transaction(pool) as connection:
        told = tell(connection, 2)
    ask("UPDATE outbox SET payload = '{}' WHERE event_id = %s RETURNING 1", told[0])

    assert all_told(pool) == told[1:]


def test_a_restored_database_goes_on_behind_what_it_brought(pool: Pool, ask: Callable[..., Any]):
    with transaction(pool) as connection:
        old = tell(connection, 3)
    ask("UPDATE outbox SET written_by = '99999999999'::xid8 RETURNING 1")

    assert all_told(pool) == []
    assert changes.renumber_restored(pool) == 3
    assert changes.renumber_restored(pool) == 0
    with transaction(pool) as connection:
        new = tell(connection)
    assert all_told(pool) == old + new


def test_positions_of_others_and_of_long_ago_are_refused(pool: Pool):
    for text in ("", "x", "MS4x", "!", "MS4xLjEuMQ==x", "9" * 200):
        with pytest.raises(Rejected):
            read_position(text)
    far = Position(transaction=2**40, event=0, at=NOW)
    old = Position(transaction=1, event=0, at=NOW - timedelta(days=1))

    for position, code in ((far, "bad-position"), (old, "position-expired")):
        with pytest.raises(Rejected) as refusal:
            changes.list_changes(pool, after=position, limit=1, kept_since=NOW, now=NOW)
        assert refusal.value.code == code


@pytest.fixture
def door(pool: Pool, tmp_path: Path) -> Door:
    people = {
        "officer": person("department_officer", "street", name="officer"),
        "above": person("department_officer", name="above"),
        "machine": machine("intake.read", organisation_code="street", name="machine"),
        "clerk": person("clerk", "street", name="clerk"),
        "accused": person("department_officer", "street", name="accused", staff_number="S1"),
    }
    return Door(pool, people, tmp_path)


def follow(door: Door, who: str, **arguments: str) -> list[dict[str, Any]]:
    settle(door.pool)
    query = "&".join(f"{name}={value}" for name, value in {"limit": "1000", **arguments}.items())
    answer = door.get(who, f"/v1/changes?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_everybody_follows_what_they_see_and_nothing_else(county, door: Door):
    own = {str(county["contacts"][0].id), str(county["issues"][0].id)}
    other = {str(county["contacts"][1].id), str(county["issues"][1].id)}

    officers = {item["aggregate_id"] for item in follow(door, "officer")}
    machines = {item["aggregate_id"] for item in follow(door, "machine")}
    everywhere = {item["aggregate_id"] for item in follow(door, "above")}

    assert own <= officers
    assert own <= machines
    assert not other & (officers | machines)
    assert own | other <= everywhere
    assert door.get("clerk", "/v1/changes").status_code == 403


@pytest.mark.usefixtures("county")
def test_machines_follow_no_single_rating_and_nobody_a_pseudonym(door: Door, pool: Pool):
    told = an_issue(organisation_code="street", citizen=None)
    issues.receive_issues(pool, [told], now=NOW)

    kinds = {who: {item["aggregate"] for item in follow(door, who)} for who in ("officer", "machine")}

    assert "rating" in kinds["officer"]
    assert "rating" not in kinds["machine"]
    assert not [item for item in follow(door, "officer") if item["data"].keys() & {"citizen_ref", "rater_ref"}]


@pytest.mark.usefixtures("county")
def test_the_accused_and_their_line_follow_nothing_of_a_complaint(door: Door, pool: Pool):
    complaint = an_issue(subject_staff_number="S1", organisation_code="county", type="complaint")
    [outcome] = issues.receive_issues(pool, [complaint], now=NOW)

    assert outcome.status == "created"
    assert str(complaint.id) in {item["aggregate_id"] for item in follow(door, "above")}
    for who in ("officer", "accused", "machine"):
        assert str(complaint.id) not in {item["aggregate_id"] for item in follow(door, who)}


@pytest.mark.usefixtures("county")
def test_a_page_moves_on_past_what_the_reader_does_not_see(door: Door, pool: Pool):
    settle(pool)
    position = door.get("officer", "/v1/changes?limit=1000").json()["next_position"]
    contacts.record_contacts(pool, [a_contact(staff_number="S2")], now=NOW)
    settle(pool)

    answer = door.get("officer", f"/v1/changes?after={position}").json()
    later = read_position(answer["next_position"])

    assert answer["items"] == []
    assert answer["is_complete"] is True
    assert later.transaction > read_position(position).transaction


def test_a_position_that_makes_no_sense_is_422(door: Door):
    for text in ("x", "'", "%00", "9" * 300, "MS4xLjEuMQ%3D%3D%3D"):
        assert door.get("officer", f"/v1/changes?after={text}").status_code in {400, 422}


def test_every_record_that_events_tell_of_is_followed_by_who_sees_it(ask: Callable[..., Any]):
    """A new kind needs its line in the policy of a migration, and in the list of the domain."""
    told = {event.aggregate for event in EVENTS if event.key.startswith("intake.")}
    [(policy,)] = ask("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'followed'")

    assert told == set(FOLLOWED) | {"citizen"}  # a citizen is a pseudonym here, and no record to follow
    assert set(re.findall(r"WHEN '(\w+)'", policy)) == set(FOLLOWED)
    assert {table for table, _ in re.findall(r"FROM (\w+) (record)", policy)} == set(FOLLOWED)
    guarded = ask("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    assert set(FOLLOWED) <= {name for (name,) in guarded}
    assert set(FOLLOWED) > FOR_PEOPLE


def test_registers_and_participation_are_followed_too(county, door: Door, pool: Pool):  # noqa: ARG001 - its units
    made: dict[str, Any] = {"id": new_id(), "correlation_id": "a-test"}
    categories.define_categories(pool, [DefineCategory(**made, code="ferry", name="渡口")], now=NOW)
    placed: dict[str, Any] = {"organisation_code": "street", "from_on": date(2025, 1, 1)}
    channels.publish_channels(
        pool, [PublishChannel(**made | {"id": new_id()}, **placed, kind="phone", address="0571-87654321")], now=NOW
    )
    household = RegisterHousehold(
        **made | {"id": new_id()},
        **placed,
        number="H-1",
        place_code="330102001201",
        population_group="farmers",
        head=Citizen(name="张三", phone="13812345678"),
    )
    assert liaisons.register_households(pool, [household], now=NOW)[0].status == "created"
    offered = OfferReceptionDay(
        **made | {"id": new_id()},
        organisation_code="street",
        staff_number="S1",
        place="一楼接访室",
        from_at=NOW + timedelta(days=7),
        until_at=NOW + timedelta(days=7, hours=2),
        slot_minutes=30,
        topic=None,
    )
    assert receptions.offer_days(pool, [offered], now=NOW)[0].status == "created"

    kinds = {who: {item["aggregate"] for item in follow(door, who)} for who in ("officer", "machine")}

    public = {"category", "published_channel", "reception_day"}
    assert public | {"contact_household"} <= kinds["officer"]
    assert public <= kinds["machine"]
    assert not FOR_PEOPLE & kinds["machine"]
