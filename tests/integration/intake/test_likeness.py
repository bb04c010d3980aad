"""Duplicates that are suggested: within reach, of the last ninety days, without a word in the database."""

from datetime import timedelta

import pytest

from services.intake.domain.citizens import describe_citizen
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.handlers import issues, likeness, registers
from services.intake.storage.erasures import Erasure, set_erased
from services.intake.storage.issues import IssueNotFound
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, Reach, acting
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
LAMP = "人民路与和平街路口的路灯坏了三天没有人来修"
SAME = "反映人民路与和平街路口的路灯坏了三天，没有人来修"
OTHER = "小区物业乱收停车费，多次反映没有结果"


@pytest.fixture
def receive(registered):
    def run(title, *, at=NOW, **changes):
        command = an_issue(title=title, received_at=at, **({"organisation_code": "town"} | changes))
        [outcome] = issues.receive_issues(registered, [command], now=NOW)
        assert outcome.status == "created", outcome
        return command.id

    registers.register_organisations(
        registered,
        [
            RegisterOrganisation(
                id=new_id(), correlation_id="t", code="harbour", name="港口", level="61", parent_code="county"
            )
        ],
        now=NOW,
    )
    return run


def clerk(*codes):
    return Reach(kind="scoped", organisation_codes=codes, account_id=new_id(), actor="clerk", role="clerk")


def found(pool, issue_id):
    return [one.issue_id for one in likeness.list_duplicates(pool, issue_id)]


def test_the_same_matter_is_suggested_the_likeliest_first(registered, receive):
    asked = receive(LAMP)
    same_unit, elsewhere, other = receive(SAME), receive(SAME, organisation_code="harbour"), receive(OTHER)
    likeness.sketch_new_issues(registered, now=NOW)

    suggested = likeness.list_duplicates(registered, asked)

    assert [one.issue_id for one in suggested] == [same_unit, elsewhere]
    assert (suggested[0].is_same_unit, suggested[1].is_same_unit) == (True, False)
    assert all(40 <= one.likeness <= 100 and one.is_same_category for one in suggested)
    assert found(registered, other) == []


def test_each_is_looked_at_once_however_often_it_is_swept(registered, receive, ask):
    receive(LAMP)
    receive("嗯")  # nothing to compare

    assert [likeness.sketch_new_issues(registered, now=NOW) for _ in range(3)] == [2, 0, 0]
    assert ask("SELECT count(*) FROM issue_likeness") == [(1,)]


def test_nothing_out_of_reach_is_suggested(registered, receive):
    asked = receive(LAMP)
    receive(SAME, organisation_code="harbour")
    likeness.sketch_new_issues(registered, now=NOW)

    with acting(clerk("town")):
        assert found(registered, asked) == []
    with acting(clerk("county")):
        assert len(found(registered, asked)) == 1
    with acting(clerk("harbour")), pytest.raises(IssueNotFound):
        likeness.list_duplicates(registered, asked)


def test_a_complaint_about_an_official_is_suggested_to_nobody_else(registered, receive):
    asked = receive(LAMP)
    complaint = receive(SAME, type="complaint", organisation_code="county", subject_staff_number="S2")
    likeness.sketch_new_issues(registered, now=NOW)

    assert found(registered, asked) == []
    assert found(registered, complaint) == []


def test_sketches_end_after_ninety_days(registered, receive, ask):
    receive(LAMP, at=NOW - timedelta(days=91))
    receive(SAME, at=NOW - timedelta(days=89))

    likeness.sketch_new_issues(registered, now=NOW)
    assert ask("SELECT count(*) FROM issue_likeness") == [(1,)]
    likeness.sketch_new_issues(registered, now=NOW + timedelta(days=2))
    assert ask("SELECT count(*) FROM issue_likeness") == [(0,)]


def test_no_word_lies_in_it_and_it_goes_with_the_citizen(registered, receive, ask):
    citizen = describe_citizen(name="张秀兰", phone="13812345678", today=None)
    receive(LAMP, citizen=citizen)
    likeness.sketch_new_issues(registered, now=NOW)
    [(stored,)] = ask("SELECT row_to_json(l)::text FROM issue_likeness AS l")
    [(ref,)] = ask("SELECT ref FROM citizen")

    assert all(pair not in stored and pair.encode().hex() not in stored for pair in ("路灯", "和平", "人民"))
    with transaction(registered, reach=SYSTEM) as connection:
        assert set_erased(connection, [Erasure(citizen_ref=ref, reason_code="asked")], at=NOW)
    assert ask("SELECT count(*) FROM issue_likeness") == [(0,)]


def test_a_merged_issue_is_suggested_no_more(registered, receive):
    asked, duplicate = receive(LAMP), receive(SAME)
    likeness.sketch_new_issues(registered, now=NOW)
    with transaction(registered) as connection:
        connection.execute("UPDATE issue SET merged_into = %s WHERE id = %s", [asked, duplicate])

    assert found(registered, asked) == []
