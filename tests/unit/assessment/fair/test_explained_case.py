"""What is told of one case, figure by figure: which records moved it, what is left out, and how sure it is."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.assessment.fair.adjusting import Left
from services.assessment.fair.explaining import (
    Case,
    Explanation,
    Line,
    compare_explanations,
    explain_case,
    read_explanation,
)
from services.assessment.fair.factor import Position, Term
from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import MICRO, Cadre, Dossier, Issue
from services.assessment.fair.reference import Table
from services.assessment.fair.results import Result
from services.assessment.fair.settings import INDICATORS, FairSettings, read_settings
from services.assessment.fair.standing import Residual, stand
from services.assessment.fair.yardstick import Measured, Own, Yardstick
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
VERSION_3 = read_settings((Path(__file__).parent / "fair-3.toml").read_text("utf-8"))
SPREAD = 0.2
TABLES = {name: Table(mean=500_000) for name in INDICATORS}
TERM = Term(indicator="timeliness", level=2.0, limited=2.0, error=1.0, evidence=0.5, lent=0.0, points=3.0)
LEFT = Left(mean=0.4, load=0.0, region=0.0, unit=0.0, peers=0.0, rest=0.4, effective=2.0)
RESULT = Result(
    cadre="c",
    peer_group="p",
    score=Decimal("78.00"),
    lower=Decimal("70.00"),
    upper=Decimal("86.00"),
    reliability=Decimal("0.500"),
    base=Decimal(75),
    points={name: Decimal("3.00") if name == "timeliness" else Decimal("0.00") for name in INDICATORS},
    rank=2,
    rank_best=2,
    rank_worst=2,
)


def _mark(record: str, indicator: str = "timeliness", **more: Any) -> Mark:
    return Mark(record=record, indicator=indicator, cell=("a",), **{"value": 500_000, "weight": MICRO, **more})


def _case(*residuals: Residual, marks: list[Mark] | None = None, aside: frozenset[str] = frozenset()) -> Case:
    dossier = Dossier(cadre=Cadre(cadre="c", peer_group="p", region="r", unit="u"))
    dossier.issues = [Issue(issue=f"i{n}", category="a", complexity="1", received_at=0) for n in range(3)]
    measured = Measured(
        counted=Counted(dossier=dossier, marks=marks or []),
        residuals=residuals,
        standings=stand(residuals, TABLES),
        left={"timeliness": LEFT},
        position=Position(terms=(TERM,), points=3.0, deviation=5.0, reliability=0.5),
        result=RESULT,
    )
    spreads = dict.fromkeys(INDICATORS, (SPREAD * SPREAD, 0.1))
    yardstick = Yardstick(tables=TABLES, spreads=spreads, loadings={"timeliness": 0.5}, centres={}, usual={})
    return Case(measured=measured, own=Own(), yardstick=yardstick, set_aside=aside)


def _differing(record: str, difference: int, indicator: str = "timeliness") -> Residual:
    return Residual(mark=_mark(record, indicator), expected=500_000 - difference, habit=0, residual=difference)


def _limit(case: Case, level: float, limited: float) -> Case:
    position = replace(case.measured.position, terms=(replace(TERM, level=level, limited=limited),))
    return replace(case, measured=replace(case.measured, position=position))


def _tell(case: Case, settings: FairSettings = SETTINGS, **result: Any) -> Explanation:
    measured = replace(case.measured, result=replace(case.measured.result, **result))
    return explain_case(replace(case, measured=measured), settings, audience="department")


@pytest.mark.parametrize(
    ("level", "limited", "moved"),
    [
        (2.0, 2.0, {"i0": "0.75", "i1": "-0.45"}),  # three points are two spreads of 0.2: 7.5 for a whole difference
        (4.0, 2.0, {"i0": "0.38", "i1": "-0.23"}),  # half was taken of each; a half of a hundredth goes away from none
        (1.0, 2.0, {"i0": "0.75", "i1": "-0.45"}),  # half of the points were given: these are not theirs
        (-2.0, -2.0, {"i0": "-0.75", "i1": "0.45"}),
        (-0.1, 2.0, {"i0": "0.00", "i1": "0.00"}),  # given against what the records say
        (0.0, 0.0, {"i0": "0.00", "i1": "0.00"}),
    ],
)
def test_a_record_moved_the_score_by_its_part_of_the_difference(
    level: float, limited: float, moved: dict[str, str]
) -> None:
    """Two records weigh alike, one 0.2 better and one 0.12 worse than usual."""
    case = _limit(_case(_differing("i0", 200_000), _differing("i1", -120_000)), level, limited)

    assert {one.record: str(one.points) for one in _tell(case).most} == moved


@pytest.mark.parametrize(
    ("level", "limited", "moved"),
    [
        (4.0, 2.0, {"i0": "0.38", "i1": "-0.23"}),
        (1.0, 2.0, {"i0": "1.50", "i1": "-0.90"}),
        (-0.1, 2.0, {"i0": "-15.00", "i1": "9.00"}),
        (0.0, 2.0, {"i0": "0.75", "i1": "-0.45"}),
        (0.0, 0.0, {"i0": "0.00", "i1": "0.00"}),
    ],
)
def test_what_an_earlier_version_closed_is_explained_as_it_was(
    level: float, limited: float, moved: dict[str, str]
) -> None:
    """Else a replay of it would not find the bytes that stand."""
    case = _limit(_case(_differing("i0", 200_000), _differing("i1", -120_000)), level, limited)

    assert {one.record: str(one.points) for one in _tell(case, VERSION_3).most} == moved


def test_the_five_that_moved_most_are_told_and_equals_in_the_order_of_their_names() -> None:
    sizes = {"b": 3, "a": -3, "f": 2, "e": 2, "g": 1, "d": -2, "c": 2}

    told = _tell(_case(*(_differing(name, 100_000 * size) for name, size in sizes.items()))).most

    assert [one.record for one in told] == ["a", "b", "c", "d", "e"]


def test_records_of_an_indicator_in_which_nobody_differs_moved_nothing() -> None:
    told = _tell(_case(_differing("i0", 200_000), _differing("i1", 200_000, "reply")))

    assert [one.record for one in told.most] == ["i0"]


def test_what_is_set_aside_is_told_to_the_department_alone() -> None:
    case = _case(aside=frozenset({"i2", "i1", "somebody else's"}))

    assert _tell(case).left_out == {"set_aside": ("i1", "i2")}
    assert explain_case(case, SETTINGS, audience="cadre").left_out == {}


def test_a_cadre_reads_what_does_not_count_where_no_citizen_has_a_say() -> None:
    marks = [
        _mark("i1", weight=0, note="empty_instant"),
        _mark("i0", weight=0, note="empty_instant"),
        _mark("i2", "resolution", weight=0, note="not_due"),
        _mark("i2", "", weight=0, note="duplicate"),
    ]

    told = explain_case(_case(marks=marks), SETTINGS, audience="cadre")

    assert list(told.left_out.items()) == [("duplicate", ("i2",)), ("empty_instant", ("i0", "i1"))]


@pytest.mark.parametrize("indicator", ["resolution", "speed", "satisfaction", "outreach"])
def test_of_what_citizens_say_a_cadre_reads_nothing_but_that_it_is_withheld(indicator: str) -> None:
    case = _case()
    terms = (TERM, replace(TERM, indicator=indicator))
    measured = replace(
        case.measured,
        left={"timeliness": LEFT, indicator: LEFT},
        position=replace(case.measured.position, terms=terms),
    )

    told = explain_case(replace(case, measured=measured), SETTINGS, audience="cadre")

    assert [line.indicator for line in told.lines] == ["timeliness"]
    assert (told.withheld, told.score) == ((indicator,), None)


@pytest.mark.parametrize(
    ("result", "is_said"),
    [
        ({}, False),
        ({"rank_best": 1}, True),
        ({"award_zone": "open"}, True),
        ({"award_zone": "clear"}, False),
        ({"award_zone": "open", "band": "not_enough_evidence"}, False),
    ],
)
def test_whoever_cannot_be_told_from_the_next_is_told_so(result: dict[str, Any], is_said: bool) -> None:  # noqa: FBT001
    assert ("ranks_not_separable" in _tell(_case(), **result).caveats) is is_said


def test_one_more_is_told_of_where_there_are_records() -> None:
    assert _tell(_case()).would_change.keys() == {"timeliness"}


def test_an_explanation_that_was_written_down_reads_as_it_was() -> None:
    case = _case(_differing("i0", 200_000), marks=[_mark("i2", "", note="duplicate")], aside=frozenset({"i1"}))
    told = replace(_tell(case, reasons=("extreme_clock",)), withheld=("speed",))
    assert told.most
    assert told.would_change

    assert read_explanation(orjson.loads(orjson.dumps(told, default=str))) == told
    hidden = replace(told, score=None, lines=(replace(told.lines[0], points=None, limited=None),))
    assert read_explanation(orjson.loads(orjson.dumps(hidden, default=str))) == hidden


def _line(indicator: str, observed: str, points: str, *, difference: str = "0.3000") -> Line:
    (line,) = _tell(_case()).lines
    return replace(
        line,
        indicator=indicator,
        observed=Decimal(observed),
        expected=Decimal("0.5000"),
        difference=Decimal(difference),
        points=Decimal(points),
    )


def test_a_change_is_told_by_indicator_and_how_far_the_own_records_did_it() -> None:
    """Two points for a difference of 0.3; the own mean rose by 0.1, which would be two thirds of a point."""
    told = _tell(_case())
    lines = _line("timeliness", "0.7000", "2.00"), _line("reply", "0.5000", "0.10", difference="0.0000")
    former = replace(told, score=Decimal("78.10"), lines=(*lines, _line("speed", "0.9000", "1.00")))
    present = replace(
        told,
        score=Decimal("78.40"),
        lines=(_line("timeliness", "0.8000", "2.50"), lines[1], _line("resolution", "0.6000", "0.80")),
    )

    change = compare_explanations(former, present)

    assert (change.before, change.after) == (Decimal("78.10"), Decimal("78.40"))
    assert list(change.by_indicator.items()) == [
        ("timeliness", Decimal("0.50")),
        ("reply", Decimal("0.00")),
        ("resolution", Decimal("0.80")),
        ("speed", Decimal("-1.00")),
    ]
    assert {name: str(points) for name, points in change.own.items()} == {"timeliness": "0.67"}
    assert compare_explanations(present, former).by_indicator["speed"] == 1


def test_a_base_that_moved_is_a_part_of_the_change() -> None:
    former = _tell(_case())

    assert compare_explanations(former, replace(former, base=Decimal("74.50"))).by_indicator["base"] == Decimal("-0.5")


def test_what_is_withheld_at_either_date_is_not_compared() -> None:
    told = _tell(_case())

    for former, present in ((told, replace(told, score=None)), (replace(told, score=None), told)):
        with pytest.raises(ValueError, match="withheld"):
            compare_explanations(former, present)
