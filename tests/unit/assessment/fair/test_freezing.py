"""A frozen dossier: plain, short, in one order, and without a name that holds beyond its window."""

from dataclasses import replace

from services.assessment.fair.freezing import freeze, read_span, rename, thaw, write_span
from services.assessment.fair.records import Cadre, Contact, Dossier, Handover, Issue, Rating, Span

LAMP = Issue(issue="i2", category="lamps", complexity="1", received_at=5, complainant="wang")
PRAISE = Rating(
    rating="r2", subject_kind="issue", subject="i2", method="app", level=5, rated_at=9, rater="wang", device="phone"
)
VISIT = Contact(contact="v2", kind="visit", occurred_at=3, recorded_at=4, citizen="wang")
GIVEN = Handover(issue="h2", category="lamps", complexity="1", handed_at=7)
DOSSIER = Dossier(
    cadre=Cadre(cadre="c", peer_group="p", region="r", unit="u"),
    issues=[LAMP, replace(LAMP, issue="i1", complainant="")],
    ratings=[PRAISE, replace(PRAISE, rating="r1", rater="", device="")],
    contacts=[VISIT, replace(VISIT, contact="v1", citizen="li", is_confirmed=True)],
    handovers=[GIVEN, replace(GIVEN, issue="h1", received_at=0)],
)


def test_records_are_frozen_by_their_ids_without_what_stands_at_its_default() -> None:
    assert freeze(DOSSIER, ["split_issues", "extreme_clock"]) == {
        "cadre": {"cadre": "c", "peer_group": "p", "region": "r", "unit": "u"},
        "issues": [
            {"issue": "i1", "category": "lamps", "complexity": "1", "received_at": 5},
            {"issue": "i2", "category": "lamps", "complexity": "1", "received_at": 5, "complainant": "wang"},
        ],
        "ratings": [
            {"rating": "r1", "subject_kind": "issue", "subject": "i2", "method": "app", "level": 5, "rated_at": 9},
            {
                "rating": "r2",
                "subject_kind": "issue",
                "subject": "i2",
                "method": "app",
                "level": 5,
                "rated_at": 9,
                "rater": "wang",
                "device": "phone",
            },
        ],
        "contacts": [
            {
                "contact": "v1",
                "kind": "visit",
                "occurred_at": 3,
                "recorded_at": 4,
                "citizen": "li",
                "is_confirmed": True,
            },
            {"contact": "v2", "kind": "visit", "occurred_at": 3, "recorded_at": 4, "citizen": "wang"},
        ],
        "handovers": [
            {"issue": "h1", "category": "lamps", "complexity": "1", "handed_at": 7, "received_at": 0},
            {"issue": "h2", "category": "lamps", "complexity": "1", "handed_at": 7},
        ],
        "cleared": ["extreme_clock", "split_issues"],
    }
    assert freeze(DOSSIER)["cleared"] == []


def test_a_frozen_dossier_comes_back_with_its_records_in_order() -> None:
    assert thaw(freeze(DOSSIER)) == Dossier(
        cadre=DOSSIER.cadre,
        issues=DOSSIER.issues[::-1],
        ratings=DOSSIER.ratings[::-1],
        contacts=DOSSIER.contacts[::-1],
        handovers=DOSSIER.handovers[::-1],
    )


def test_a_citizen_has_one_name_within_a_window_and_another_in_the_next() -> None:
    first, again = rename(DOSSIER, "2025Q1"), rename(DOSSIER, "2025Q2")

    names = [first.issues[0].complainant, first.ratings[0].rater, first.contacts[0].citizen]
    assert len(set(names)) == 1
    assert len(names[0]) == 16
    assert not {names[0], "wang"} & {again.issues[0].complainant, again.ratings[0].rater, again.contacts[0].citizen}
    assert first.ratings[0].device not in {"phone", again.ratings[0].device}
    assert first.contacts[1].citizen not in {"li", names[0]}
    assert (first.issues[1].complainant, first.ratings[1].rater, first.ratings[1].device) == ("", "", "")


def test_nothing_but_citizens_and_devices_is_renamed() -> None:
    renamed = rename(DOSSIER, "2025Q1")

    assert renamed.cadre == DOSSIER.cadre
    assert renamed.handovers == DOSSIER.handovers
    assert [replace(one, complainant="") for one in renamed.issues] == [
        replace(one, complainant="") for one in DOSSIER.issues
    ]
    assert [replace(one, rater="", device="") for one in renamed.ratings] == [
        replace(one, rater="", device="") for one in DOSSIER.ratings
    ]
    assert [replace(one, citizen="") for one in renamed.contacts] == [
        replace(one, citizen="") for one in DOSSIER.contacts
    ]


def test_a_span_is_written_and_read() -> None:
    span = Span(starts_at=1, ends_at=9, as_of=10, quarter_ends=(4, 9))

    assert write_span(span) == {"starts_at": 1, "ends_at": 9, "as_of": 10, "quarter_ends": [4, 9]}
    assert read_span(write_span(span)) == span
