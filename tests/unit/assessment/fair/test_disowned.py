"""What citizens know nothing of when others ask: nothing about it counts but that, and a person is asked."""

from dataclasses import replace

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.marks import Mark
from services.assessment.fair.records import DAY, MICRO, Contact, Dossier, Issue, Outcome, Rating
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.fair.signals.disowned import find_disowned
from services.assessment.fair.signals.odds import Signal
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.few import SETTINGS, SOLVED, SPAN, VERSION_2, make_dossier, make_issues

DISOWNED = replace(
    SOLVED,
    issue="d",
    answered_at=DAY,
    answer_allowed=2 * DAY,
    close_allowed=2 * DAY,
    has_reply=True,
    is_checked=True,
    is_denied=True,
    is_disowned=True,
    contact="v",
)
ENDINGS: tuple[Outcome, ...] = ("solved", "explained", "unsolved")
VISIT = Contact(contact="v", kind="visit", occurred_at=0, recorded_at=0)


def _find(dossier: Dossier, settings: FairSettings = SETTINGS) -> list[Signal]:
    return list(find_disowned(dossier, settings.signals))


@pytest.mark.parametrize("outcome", ENDINGS)
def test_whatever_came_of_it_it_counts_as_denied_and_nothing_else_of_it_counts(outcome: Outcome) -> None:
    issue = replace(DISOWNED, outcome=outcome)
    rating = Rating(
        rating="r", subject_kind="issue", subject="d", method="app", level=5, rated_at=DAY, is_complainant=True
    )

    counted = count_dossier(make_dossier("c", issues=[issue], ratings=[rating]), SPAN, SETTINGS)

    assert [(mark.indicator, mark.value, mark.weight, mark.note) for mark in counted.marks] == [
        ("timeliness", 0, 0, "disowned"),
        ("reply", 0, 0, "disowned"),
        ("resolution", -MICRO // 2, MICRO, ""),
    ]


def test_in_former_versions_it_is_a_denied_one() -> None:
    as_it_was = replace(DISOWNED, is_disowned=False)

    def count(issue: Issue) -> list[Mark]:
        return count_dossier(make_dossier("c", issues=[issue], contacts=[VISIT]), SPAN, VERSION_2).marks

    assert count(DISOWNED) == count(as_it_was)
    assert _find(make_dossier("c", issues=[DISOWNED]), VERSION_2) == []


def test_a_contact_that_is_disowned_is_worth_nothing_and_one_is_not_confirmed_by_a_disowned_issue() -> None:
    by_rating = Rating(rating="r", subject_kind="contact", subject="w", method="app", level=5, rated_at=DAY)
    contacts = [VISIT, replace(VISIT, contact="w", occurred_at=7 * DAY, is_confirmed=True, is_disowned=True)]
    dossier = make_dossier("c", issues=[DISOWNED], contacts=contacts, ratings=[by_rating])

    assert count_dossier(dossier, SPAN, SETTINGS).contact_notes == {"v": (300_000, "unconfirmed"), "w": (0, "disowned")}
    former = count_dossier(dossier, SPAN, VERSION_2).contact_notes
    assert former["w"] == (MICRO, "")


def test_one_asks_a_person_and_nothing_waits() -> None:
    [signal] = _find(make_dossier("c", issues=[DISOWNED, *make_issues("i", 3)], contacts=[VISIT]))

    assert signal.evidence == {"issues": 4, "asked": 1, "disowned_issues": 1, "contacts": 1, "disowned_contacts": 0}
    assert (signal.check, signal.records, signal.examples) == ("disowned_records", frozenset(), ("d",))
    assert signal.odds == 0  # nothing is likely or unlikely here: somebody said so


def test_from_two_on_all_waits_that_nobody_else_has_looked_at() -> None:
    """What others asked about, the citizen came again about or rated is known, and the disowned ones count."""
    issues = [
        DISOWNED,
        *make_issues("i", 2),
        replace(SOLVED, issue="asked", is_checked=True),
        replace(SOLVED, issue="again", is_reopened=True, contact="its own"),
    ]
    names = ("unconfirmed", "its own", "rated")
    contacts = [
        *(replace(VISIT, contact=name) for name in names),
        replace(VISIT, contact="confirmed", is_confirmed=True),
        replace(VISIT, contact="disowned", is_disowned=True),
    ]
    rating = Rating(rating="r", subject_kind="contact", subject="rated", method="app", level=5, rated_at=DAY)

    [signal] = _find(make_dossier("c", issues=issues, contacts=contacts, ratings=[rating]))

    assert signal.records == {"i00", "i01", "unconfirmed"}
    assert (signal.evidence["disowned_issues"], signal.evidence["disowned_contacts"]) == (1, 1)
    assert signal.examples == ("d", "disowned")


def test_nobody_is_asked_about_who_has_none() -> None:
    assert _find(make_dossier("c", issues=[replace(DISOWNED, is_disowned=False)], contacts=[VISIT])) == []


def test_settings_say_from_how_many_on() -> None:
    text = OWN_SETTINGS.read_text("utf-8")
    three = read_settings(text.replace("disowned_least = 2", "disowned_least = 3"))
    dossier = make_dossier("c", issues=[DISOWNED, replace(DISOWNED, issue="e"), *make_issues("i", 1)])

    assert [bool(_find(dossier, settings)[0].records) for settings in (SETTINGS, three)] == [True, False]
