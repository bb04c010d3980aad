"""What counts once, and what weighs no more for there being more of it."""

from dataclasses import replace

from services.assessment.fair.counting import HOUR, find_duplicates, find_same_matters
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.records import DAY, MICRO, Cadre, Dossier, Issue, Rating, Span
from services.assessment.fair.settings import read_settings
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
