"""What counts once, and what weighs no more for there being more of it."""

from dataclasses import replace

import pytest

from services.assessment.fair.counting import HOUR, find_duplicates, find_same_matters, weigh_issues
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.marks import Cell
from services.assessment.fair.records import DAY, MICRO, Cadre, Contact, Dossier, Issue, Outcome, Rating, Span
from services.assessment.fair.settings import INDICATORS, FairSettings, Micro, read_settings
from services.assessment.fair.values import LEAVING
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
SPAN = Span(starts_at=0, ends_at=365 * DAY, as_of=365 * DAY)
CADRE = Cadre(cadre="c", peer_group="p", region="r", unit="u")
LAMP = Issue(
    issue="a",
    category="lamps",
    complexity="1",
    complainant="li",
    place="lane 3",
    received_at=0,
    closed_at=DAY,
    outcome="solved",
)


def test_what_neighbours_report_of_one_place_is_one_matter() -> None:
    neighbour = replace(LAMP, issue="b", complainant="wang", received_at=72 * HOUR)
    late = replace(LAMP, issue="c", complainant="zhao", received_at=72 * HOUR * 2 + 1)
    elsewhere = replace(LAMP, issue="d", complainant="qian", place="lane 4")

    assert find_duplicates([LAMP, neighbour], 72) == set()
    assert find_same_matters([late, elsewhere, neighbour, LAMP], 72) == {"b"}


def test_where_no_place_is_told_only_the_same_complainant_repeats() -> None:
    nowhere = replace(LAMP, place="")
    again = replace(nowhere, issue="b", received_at=HOUR)

    assert find_same_matters([nowhere, replace(again, complainant="wang")], 72) == set()
    assert find_duplicates([nowhere, again], 72) == {"b"}


def test_whoever_is_not_known_does_not_repeat_anything() -> None:
    assert find_duplicates([replace(LAMP, complainant=""), replace(LAMP, issue="b", complainant="")], 72) == set()


def test_hours_are_counted_from_the_last_time_whenever_that_was() -> None:
    first = replace(LAMP, received_at=100 * DAY)
    again, later = (replace(LAMP, issue=name, received_at=at) for name, at in (("b", 103 * DAY), ("c", 106 * DAY + 1)))

    assert find_duplicates([first, again, later], 72) == {"b"}


def test_ratings_beyond_what_is_usual_weigh_together_as_much_as_the_usual() -> None:
    def weight_of(rated: int) -> int:
        issues = [
            replace(LAMP, issue=f"i{number}", complainant=f"p{number}", place="", received_at=number * 9 * DAY)
            for number in range(20)
        ]
        ratings = [
            Rating(
                rating=f"r{number}",
                subject_kind="issue",
                subject=f"i{number}",
                method="app",
                level=5,
                rated_at=number * 9 * DAY + DAY,
                rater=f"p{number}",
            )
            for number in range(rated)
        ]
        counted = count_dossier(Dossier(cadre=CADRE, issues=issues, ratings=ratings), SPAN, SETTINGS)
        return sum(mark.weight for mark in counted.marks if mark.indicator == "satisfaction")

    usual = 6  # 30 % of the twenty that were closed
    assert weight_of(3) == 3 * SETTINGS.ratings.app
    assert weight_of(usual) == usual * SETTINGS.ratings.app
    assert usual * SETTINGS.ratings.app - MICRO // 1_000 <= weight_of(20) <= usual * SETTINGS.ratings.app


ELSEWHERE = replace(LAMP, issue="b", place="lane 4", complainant="wang", received_at=9 * DAY, answer_allowed=DAY)
BOTH = Dossier(
    cadre=CADRE,
    issues=[replace(LAMP, answer_allowed=DAY), ELSEWHERE],
    ratings=[
        Rating(
            rating=f"r{issue}",
            subject_kind="issue",
            subject=issue,
            method="callback",
            level=5,
            rated_at=20 * DAY,
            is_complainant=True,
        )
        for issue in "ab"
    ],
    contacts=[Contact(contact="v", kind="visit", occurred_at=0, recorded_at=0, is_confirmed=True)],
)


@pytest.mark.parametrize(
    ("aside", "left", "contacts"),
    [
        ("", {"a", "b", "ra", "rb"}, 1),
        ("a", {"b", "rb"}, 1),  # what was said of it goes with it
        ("rb", {"a", "b", "ra"}, 1),
        ("v", {"a", "b", "ra", "rb"}, 0),
    ],
)
def test_what_is_set_aside_counts_neither_for_nor_against(aside: str, left: set[str], contacts: int) -> None:
    counted = count_dossier(BOTH, SPAN, SETTINGS, frozenset({aside}))

    assert {mark.record for mark in counted.marks if mark.weight} == left
    assert {issue.issue for issue in counted.counted_issues} == left & {"a", "b"}
    assert counted.issues == len(counted.counted_issues) * MICRO
    assert (counted.effective_contacts, set(counted.contact_notes)) == (contacts * MICRO, {"v"} if contacts else set())


def test_of_an_answer_set_aside_only_the_time_does_not_count() -> None:
    counted = count_dossier(BOTH, SPAN, SETTINGS, frozenset({"a#answer"}))

    timed = {mark.record for mark in counted.marks if mark.indicator == "timeliness"}
    solved = {mark.record for mark in counted.marks if mark.indicator == "resolution"}
    assert (timed, solved) == ({"b"}, {"a", "b"})


def test_of_all_times_set_aside_the_rest_of_the_issue_counts() -> None:
    issues = [
        replace(one, answer_allowed=DAY, close_allowed=9 * DAY, outcome="solved", closed_at=DAY) for one in BOTH.issues
    ]

    counted = count_dossier(replace(BOTH, issues=issues), SPAN, SETTINGS, frozenset({"a#clock"}))

    by_indicator = {
        name: {mark.record for mark in counted.marks if mark.indicator == name and mark.weight} for name in INDICATORS
    }
    assert by_indicator["timeliness"] == by_indicator["speed"] == {"b"}
    assert by_indicator["resolution"] == {"a", "b"}


def test_where_the_labels_are_set_aside_an_issue_and_its_ratings_are_of_no_kind() -> None:
    counted = count_dossier(BOTH, SPAN, SETTINGS, frozenset({"a#label"}))

    assert {mark.cell for mark in counted.marks if mark.record in ("a", "ra")} == {()}
    assert () not in {mark.cell for mark in counted.marks if mark.record in ("b", "rb")}
    assert {mark.record for mark in counted.marks if mark.weight} == {"a", "b", "ra", "rb"}


def test_a_repeat_is_told_and_an_issue_that_is_left_out_of_assessment_is_none() -> None:
    again = replace(LAMP, issue="c", received_at=DAY)
    left_out = replace(ELSEWHERE, outcome="left_out")

    counted = count_dossier(replace(BOTH, issues=[LAMP, again, left_out], ratings=[]), SPAN, SETTINGS)

    assert [issue.issue for issue in counted.counted_issues] == ["a"]
    assert [(mark.record, mark.weight) for mark in counted.marks if mark.note == "duplicate"] == [("c", 0)]
    assert [mark.indicator for mark in counted.marks if mark.record == "b"] == [LEAVING]
    assert counted.issues == MICRO


OUTCOMES: tuple[Outcome, ...] = ("left_out", "left_out", "excluded", "solved", "")


def test_how_many_were_left_out_is_counted_but_not_what_somebody_else_excluded() -> None:
    issues = [
        replace(LAMP, issue=f"i{place}", received_at=place * 9 * DAY, outcome=outcome)
        for place, outcome in enumerate(OUTCOMES)
    ]
    dossier = replace(BOTH, issues=issues, ratings=[])

    leaving = [mark for mark in count_dossier(dossier, SPAN, SETTINGS).marks if mark.indicator == LEAVING]

    assert sorted((mark.record, mark.value, mark.weight, mark.note) for mark in leaving) == [
        ("i0", MICRO, 707_106, "unassessed"),  # two of one complainant
        ("i1", MICRO, 707_106, "unassessed"),
        ("i3", 0, 707_106, ""),
    ]
    unasked = replace(SETTINGS, values=replace(SETTINGS.values, left_out_margin=Micro(0)))
    assert LEAVING not in {mark.indicator for mark in count_dossier(dossier, SPAN, unasked).marks}


def test_the_labels_of_what_was_left_out_may_wait() -> None:
    dossier = replace(
        BOTH, issues=[replace(LAMP, outcome="left_out"), replace(ELSEWHERE, outcome="solved")], ratings=[]
    )
    former = replace(SETTINGS, signals=replace(SETTINGS.signals, labels_left_out=0))
    aside = frozenset({"a#label"})

    def cells(settings: FairSettings, waiting: frozenset[str]) -> dict[str, Cell]:
        marks = count_dossier(dossier, SPAN, settings, waiting).marks
        return {mark.record: mark.cell for mark in marks if mark.indicator == LEAVING}

    labelled = cells(SETTINGS, frozenset())
    assert labelled["a"]
    assert labelled["b"]
    assert cells(SETTINGS, aside) == {"a": (), "b": labelled["b"]}
    assert cells(former, aside) == labelled  # what versions before 7 closed stays


def test_many_issues_of_one_complainant_weigh_as_the_root_of_them() -> None:
    issues = [replace(LAMP, issue=f"i{number}", received_at=number * 9 * DAY) for number in range(3)]
    unknown = [replace(one, complainant="", place="") for one in issues]

    weights = weigh_issues(issues)

    assert set(weights.values()) == {577_350}  # 1 / sqrt(3), and together no more than the root
    assert set(weigh_issues(unknown).values()) == {MICRO}
    assert weigh_issues([replace(issues[0], share=333_333), *issues[1:]])["i0"] == 192_449  # rounded down
