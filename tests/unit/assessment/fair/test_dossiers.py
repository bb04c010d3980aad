"""What of a dossier counts: each matter once, and contacts whole that something confirms."""

from dataclasses import replace

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import DAY, MICRO, Contact, Dossier, Rating
from tests.unit.assessment.fair.few import SETTINGS, SOLVED, SPAN, make_dossier

LAMP = replace(SOLVED, issue="lamp", category="lamps", place="lane 3", complainant="li")
NOISE = replace(SOLVED, issue="noise", category="noise", complainant="li")
RATING = Rating(rating="r", subject_kind="issue", subject="lamp", method="app", level=5, rated_at=2 * DAY, rater="li")
VISIT = Contact(contact="v", kind="visit", occurred_at=0, recorded_at=0)


def _count(dossier: Dossier) -> Counted:
    return count_dossier(dossier, SPAN, SETTINGS)


def test_a_matter_counts_once_whether_the_same_person_comes_again_or_a_neighbour() -> None:
    """Of the noise nobody told the place, so that only the same person's is the same."""
    neighbours = replace(LAMP, issue="a neighbour's lamp", received_at=DAY, complainant="wang")
    again = replace(NOISE, issue="noise again", received_at=DAY)
    elsewhere = replace(NOISE, issue="another's noise", received_at=DAY, complainant="wang")
    later = [replace(NOISE, issue=f"noise {hour} hours later", received_at=hour * 3_600) for hour in (3, 5, 4)]
    issues = [NOISE, again, *later, elsewhere, neighbours, LAMP]

    counted = _count(make_dossier("c", issues=issues))

    assert [issue.issue for issue in counted.counted_issues] == ["noise", "another's noise", "lamp"]
    assert counted.issues == 3 * MICRO
    assert {mark.rater for mark in counted.marks} == {""}
    assert [mark for mark in counted.marks if mark.note == "duplicate"] == [
        Mark(record=name, indicator="", cell=(), value=0, weight=0, note="duplicate")
        for name in (
            "a neighbour's lamp",
            "noise 3 hours later",
            "noise 4 hours later",
            "noise 5 hours later",
            "noise again",
        )
    ]


def test_what_was_said_about_a_repeated_matter_goes_with_it() -> None:
    again = replace(LAMP, issue="again", received_at=DAY)
    ratings = [RATING, replace(RATING, rating="of the repeat", subject="again")]

    marks = _count(make_dossier("c", issues=[LAMP, again], ratings=ratings)).marks

    assert [mark.record for mark in marks if mark.indicator == "satisfaction"] == ["r"]


def test_a_contact_that_an_issue_or_a_rating_came_out_of_is_confirmed() -> None:
    """And none by the rating of an issue, whatever its name."""
    contacts = [replace(VISIT, contact=name, occurred_at=7 * DAY * week) for week, name in enumerate("vwxyz")]
    ratings = [
        replace(RATING, rating="of a visit", subject_kind="contact", subject="x"),
        replace(RATING, rating="of an issue", subject="y"),
    ]
    issues = [replace(LAMP, contact="w"), replace(NOISE, issue="y")]

    counted = _count(make_dossier("c", issues=issues, ratings=ratings, contacts=contacts))

    assert counted.contact_notes == {
        "v": (300_000, "unconfirmed"),
        "w": (MICRO, ""),
        "x": (MICRO, ""),
        "y": (300_000, "unconfirmed"),
        "z": (300_000, "unconfirmed"),
    }
    assert counted.effective_contacts == 2_900_000
