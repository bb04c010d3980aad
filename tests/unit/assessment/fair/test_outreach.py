"""What contacts are worth: confirmed ones whole, and never more for more of the same."""

from dataclasses import replace

import pytest

from services.assessment.fair.outreach import count_contacts, value_outreach, weekly_limit
from services.assessment.fair.records import DAY, MICRO, Cadre, Contact, Dossier, Span
from services.assessment.fair.settings import read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
SPAN = Span(starts_at=700 * DAY, ends_at=(700 + 7 * 52 + 6) * DAY, as_of=1_100 * DAY)
START = 700 * DAY
MET = Contact(
    contact="v",
    kind="visit",
    occurred_at=START,
    recorded_at=START,
    duration_minutes=20,
    citizen="wang",
    is_confirmed=True,
)


def _count(*contacts: Contact, target: int = 12, confirmed: frozenset[str] = frozenset()) -> tuple[int, dict[str, str]]:
    cadre = Cadre(cadre="c", peer_group="p", region="r", unit="u", target=target)
    effective, notes = count_contacts(Dossier(cadre=cadre, contacts=list(contacts)), set(confirmed), SPAN, SETTINGS)
    assert effective == sum(worth for worth, _ in notes.values())
    assert {type(worth) for worth, _ in notes.values()} == {int}
    return effective, {contact: note for contact, (_, note) in notes.items()}


def _many(count: int, *, days: int, citizens: int = 99) -> list[Contact]:
    return [
        replace(
            MET, contact=f"v{n:02}", citizen=f"h{n % citizens}", occurred_at=START + n * days * DAY, recorded_at=START
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("contact", "worth", "note"),
    [
        (MET, MICRO, ""),
        (replace(MET, is_confirmed=False), 300_000, "unconfirmed"),
        (replace(MET, duration_minutes=4), 200_000, "short"),
        (replace(MET, duration_minutes=5), MICRO, ""),
        (replace(MET, duration_minutes=None), MICRO, ""),
        (replace(MET, duration_minutes=1, kind="call"), MICRO, ""),
        (replace(MET, recorded_at=START + 7 * DAY), MICRO, ""),
        (replace(MET, recorded_at=START + 7 * DAY + 1), 500_000, "recorded_late"),
        (
            replace(MET, is_confirmed=False, duration_minutes=4, recorded_at=START + 8 * DAY),
            30_000,
            "unconfirmed short recorded_late",
        ),
        (replace(MET, citizen=""), MICRO, ""),
    ],
)
def test_a_contact_counts_less_where_nobody_knows_of_it_or_it_was_hardly_one(
    contact: Contact, worth: int, note: str
) -> None:
    assert _count(contact) == (worth, {"v": note})


def test_an_issue_or_a_rating_that_came_out_of_a_contact_confirms_it() -> None:
    assert _count(replace(MET, is_confirmed=False), confirmed=frozenset("v")) == (MICRO, {"v": ""})


def test_contacts_with_one_citizen_in_a_quarter_count_as_the_root_of_them() -> None:
    effective, notes = _count(*_many(4, days=8, citizens=1))

    assert (effective, set(notes.values())) == (2 * MICRO, {"same_citizen"})
    assert _count(*_many(2, days=8, citizens=1))[0] == 2 * 707_106
    assert _count(*_many(2, days=91, citizens=1)) == (2 * MICRO, {"v00": "", "v01": ""})


def test_whom_nobody_named_is_not_taken_for_one_citizen() -> None:
    assert _count(*(replace(one, citizen="") for one in _many(3, days=8)))[0] == 3 * MICRO


def test_a_week_has_a_limit_and_the_most_valuable_come_first() -> None:
    week = [*_many(2, days=1), replace(MET, contact="u", citizen="zhao", is_confirmed=False)]

    effective, notes = _count(*reversed(week))

    assert (effective, notes) == (2 * MICRO, {"v00": "", "v01": "", "u": "unconfirmed weekly_limit"})
    assert _count(*_many(3, days=1))[1] == {"v00": "", "v01": "", "v02": "weekly_limit"}
    assert _count(*_many(3, days=7))[0] == 3 * MICRO


def test_what_fills_the_week_counts_in_part() -> None:
    parts = [replace(one, is_confirmed=number > 0) for number, one in enumerate(_many(3, days=1))]

    effective, notes = _count(*parts, target=56)  # a little more than two a week

    assert effective == 2 * 56 * MICRO // 52
    assert notes == {"v00": "unconfirmed weekly_limit", "v01": "", "v02": ""}


def test_the_limit_is_twice_the_week_s_share_of_the_target_and_never_under_two() -> None:
    rule = SETTINGS.outreach

    assert weekly_limit(120, SPAN, rule) == 4_615_384
    assert weekly_limit(52, SPAN, rule) == weekly_limit(0, SPAN, rule) == 2 * MICRO
    assert weekly_limit(12, Span(starts_at=START, ends_at=START + 3 * DAY, as_of=START), rule) == 24 * MICRO


def test_who_does_what_is_owed_is_worth_nothing_more_or_less() -> None:
    assert value_outreach(12 * MICRO, 12) == 0
    assert value_outreach(0, 1) == -693_147
    assert value_outreach(3 * MICRO, 1) == 693_147
