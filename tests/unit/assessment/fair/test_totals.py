"""Numbers of everybody: sums by kind of case, ratings by rater, and who holds which record."""

from services.assessment.fair.engine import judge
from services.assessment.fair.explaining import Case, case_of, explain_case
from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import DAY, MICRO, Cadre, Contact, Dossier, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.fair.totals import HASH_BYTES, Totals
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
EASY, HARD = ("easy", "1", ""), ("hard", "1", "")


def _dossier(cadre: str) -> Dossier:
    return Dossier(
        cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u"),
        issues=[Issue(issue=f"i-{cadre}", category="easy", complexity="1", received_at=0)],
        ratings=[
            Rating(rating=f"r-{cadre}", subject_kind="issue", subject=f"i-{cadre}", method="app", level=5, rated_at=DAY)
        ],
        contacts=[Contact(contact=f"c-{cadre}", kind="visit", occurred_at=0, recorded_at=0)],
    )


def _mark(value: int, weight: int = MICRO, cell: tuple[str, ...] = EASY, indicator: str = "reply") -> Mark:
    return Mark("i", indicator, cell, value, weight)


def _total(**marks: list[Mark]) -> Totals:
    totals = Totals()
    for cadre, own in marks.items():
        totals.add(Counted(dossier=_dossier(cadre), marks=own))
    return totals


def _sums(totals: Totals, indicator: str = "reply") -> dict[str, dict[str, tuple[float, float, float]]]:
    return {
        one.cadre: {
            totals.numbers.cells[cell][0]: tuple(one.sums[place :: len(one.cells)])  # type: ignore[misc]
            for place, cell in enumerate(one.cells)
        }
        for one in totals.iterate_cells(indicator)
    }


def test_of_each_kind_of_case_there_are_three_sums_of_what_weighs() -> None:
    totals = _total(
        a=[_mark(MICRO), _mark(500_000, 500_000), _mark(MICRO, cell=HARD), _mark(MICRO, indicator="speed")],
        b=[_mark(0), _mark(MICRO, 0, HARD)],
        c=[_mark(MICRO, 0)],
    )

    assert _sums(totals) == {"a": {"easy": (1.5, 1.25, 1.125), "hard": (1.0, 1.0, 1.0)}, "b": {"easy": (1.0, 0.0, 0.0)}}
    assert _sums(totals, "speed") == {"a": {"easy": (1.0, 1.0, 1.0)}}


def test_what_has_no_labels_is_in_no_sum() -> None:
    """It is compared with all, and tells nothing of any kind."""
    assert _sums(_total(a=[_mark(MICRO), _mark(0, cell=())])) == {"a": {"easy": (1.0, 1.0, 1.0)}}


def test_an_opinion_is_a_rating_that_weighs_by_somebody_who_is_known() -> None:
    def rate(rater: str, weight: int = MICRO) -> Mark:
        return _mark(MICRO, weight, indicator="satisfaction")._replace(rater=rater)

    opinions = _total(a=[rate("li"), rate(""), rate("wang", weight=0), rate("wang")]).opinions["a"]

    assert (len(opinions.raters), list(opinions.values)) == (2 * HASH_BYTES, [MICRO, MICRO])


def test_who_was_added_before_is_replaced() -> None:
    totals = _total(a=[_mark(MICRO)])

    totals.add(Counted(dossier=_dossier("a"), marks=[_mark(0)]))

    assert _sums(totals) == {"a": {"easy": (1.0, 0.0, 0.0)}}


def test_whoever_has_a_record_is_found_by_it_and_by_each_of_its_parts() -> None:
    totals = _total(a=[], b=[])

    for record in ("i-a", "r-a", "c-a", "i-a#answer", "i-a#clock", "i-a#label"):
        assert totals.list_holders({record}) == ["a"]
    assert totals.list_holders({"c-b", "r-a"}) == ["a", "b"]
    assert totals.list_holders({"i-c"}) == []


def test_of_what_is_set_aside_the_department_is_told_what_is_the_cadre_s() -> None:
    judged = judge(make_town(3, cadres=12), SPAN, SETTINGS)
    case = case_of(judged, "C003")
    dossier = case.measured.counted.dossier
    own = {
        dossier.issues[0].issue,
        dossier.ratings[0].rating,
        dossier.contacts[0].contact,
        f"{dossier.issues[1].issue}#answer",
    }
    aside = Case(
        measured=case.measured,
        own=case.own,
        yardstick=case.yardstick,
        set_aside=frozenset({*own, "C001-0", "nobody's"}),
    )

    assert set(explain_case(aside, SETTINGS, audience="department").left_out["set_aside"]) == own
    assert "set_aside" not in explain_case(aside, SETTINGS, audience="cadre").left_out
