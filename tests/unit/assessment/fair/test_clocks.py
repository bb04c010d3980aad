"""The fastest twentieth of a category, and who has more of it than others."""

import random
from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.clocks import (
    ClocksApart,
    ExtremeClocks,
    InstantAnswers,
    Times,
    time_of_answer,
    time_of_closing,
)
from services.assessment.fair.signals.odds import Everybody, Signal
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
ISSUE = Issue(issue="i", category="a", complexity="1", received_at=DAY, outcome="solved", closed_at=3 * DAY)


def _counted(cadre: str, hours: list[int], category: str = "a", unit: str = "u", **more: Any) -> Counted:
    """Closed after so many hours of a hundred that are allowed."""
    issues = [
        replace(
            ISSUE,
            issue=f"{cadre}-{category}{number:02}",
            category=category,
            closed_at=DAY + taken * 3_600,
            close_allowed=360_000,
            **more,
        )
        for number, taken in enumerate(hours)
    ]
    return Counted(dossier=Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit=unit), issues=issues))


def _find(*everybody: Counted, **rules: int) -> dict[str, Signal]:
    scheme = replace(SETTINGS, signals=replace(SETTINGS.signals, **rules))
    finder = ExtremeClocks(Times(time_of_closing), scheme)
    for one in everybody:
        finder.note(one)
    counted = {one.cadre: one for one in everybody}
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables={}))}


def test_a_time_is_the_part_of_what_was_allowed() -> None:
    assert time_of_closing(ISSUE) == 2  # of a day, where nothing is due
    assert time_of_closing(replace(ISSUE, close_allowed=4 * DAY)) == 0.5
    assert time_of_closing(replace(ISSUE, outcome="unsolved")) is None
    assert time_of_closing(replace(ISSUE, closed_at=None)) is None
    answered = replace(ISSUE, answered_at=2 * DAY, answer_allowed=4 * DAY)
    assert time_of_answer(answered) == 0.25
    assert time_of_answer(replace(answered, answer_allowed=0)) == DAY
    assert time_of_answer(replace(answered, answered_at=None)) is None
    assert time_of_answer(replace(answered, answer_allowed=None)) is None


def test_who_is_among_the_fastest_is_told_by_the_place_in_the_category() -> None:
    draw = random.Random(2)  # noqa: S311 - invention, not secrets
    for size in (1, 5, 19, 20, 21, 60):
        times = Times(time_of_closing)
        everybody = [
            _counted(f"c{number}", [draw.randrange(12) for _ in range(size)], draw.choice("ab")) for number in range(4)
        ]
        for one in everybody:
            times.note(one)

        for cadre, count in times.fastest.items():
            places = times.find_places(cadre)
            assert count.found == sum(place < 0.05 for place in places)
            assert count.expected == pytest.approx(size / 20)
            assert count.variance == pytest.approx(size / 20 * 0.95)
            assert all(0 <= place < 1 for place in places)
            assert times.size_of(cadre) == size


def test_a_place_is_the_share_of_those_who_were_faster() -> None:
    times = Times(time_of_closing)
    for one in (_counted("a", [10, 20, 20, 40]), _counted("b", [5], category="b")):
        times.note(one)

    assert times.find_places("a") == [0, 0.25, 0.25, 0.75]
    assert times.find_places("b") == [0]
    assert times.find_places("nobody") == []


HOURS = [[10, *range(14 + number, 90 + number, 4)] for number in range(10)]
PEERS = [_counted(f"peer {number}", hours) for number, hours in enumerate(HOURS)]  # each with one in a twentieth


@pytest.mark.parametrize(
    ("fast", "slow", "is_asked"),
    [
        (4, 12, True),
        (4, 13, False),  # under a quarter
        (3, 5, False),  # under four
        (5, 5, True),
        (6, 5, False),  # whoever closes most so fast is a quick office
    ],
)
def test_a_quarter_among_the_fastest_is_asked_about(fast: int, slow: int, is_asked: bool) -> None:  # noqa: FBT001
    found = _find(*PEERS, _counted("odd", [1] * fast + [60] * slow))

    assert ("odd" in found) is is_asked
    if is_asked:
        share = (200 * fast + fast + slow) // (2 * (fast + slow))
        assert found["odd"].evidence == {"closed": fast + slow, "fastest": fast, "share": share}
        assert found["odd"].records == {f"odd-a{number:02}" for number in range(fast)}
        size = fast + slow
        odds = (fast - size / 20) / sqrt(size / 20 * 0.95)
        assert (found["odd"].check, found["odd"].odds) == ("extreme_clock", round(100 * odds))


@pytest.mark.parametrize(
    ("fast", "slow", "is_asked"), [(25, 75, True), (25, 76, False), (50, 50, True), (50, 49, False)]
)
def test_shares_are_counted_to_the_single_record(fast: int, slow: int, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in _find(*PEERS, _counted("odd", [1] * fast + [60] * slow))) is is_asked


def _find_apart(*everybody: Counted, apart: int = 87, odds: int = 350) -> dict[str, Signal]:
    scheme = replace(SETTINGS, signals=replace(SETTINGS.signals, clock_apart=apart, clock_odds=odds))
    closings = Times(time_of_closing)
    finder = ClocksApart(closings, scheme)
    for one in everybody:
        closings.note(one)
        finder.note(one)
    counted = {one.cadre: one for one in everybody}
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables={}))}


@pytest.mark.parametrize(
    ("fast", "slow", "is_asked"),
    [(5, 0, True), (4, 0, False), (7, 1, True), (6, 1, False)],
)
def test_nearly_all_among_the_fastest_are_asked_about_by_their_times(fast: int, slow: int, is_asked: bool) -> None:  # noqa: FBT001
    odd = _counted("odd", [1] * fast + [60] * slow)
    odd.dossier.issues.append(replace(ISSUE, issue="open", outcome="", closed_at=None))

    found = _find_apart(*PEERS, odd)

    assert found.keys() == ({"odd"} if is_asked else set())
    if is_asked:
        size = fast + slow
        assert found["odd"].check == "clock_apart"
        assert found["odd"].records == {f"{issue.issue}#clock" for issue in odd.dossier.issues}
        share = (200 * fast + size) // (2 * size)
        assert found["odd"].evidence == {
            "closed": size,
            "fastest": fast,
            "share": share,
            "office": 5 if fast < 20 else 0,
        }
        odds = (fast - size / 20) / sqrt(size / 20 * 0.95)
        assert found["odd"].odds == round(100 * odds)


@pytest.mark.parametrize(("fast", "slow", "is_asked"), [(87, 13, True), (86, 13, False)])
def test_nearly_all_is_counted_to_the_single_record(fast: int, slow: int, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in _find_apart(*PEERS, _counted("odd", [1] * fast + [60] * slow))) is is_asked


def test_odds_are_asked_for_clocks_apart_as_for_single_closings() -> None:
    odds = _find_apart(*PEERS, _counted("odd", [1] * 9))["odd"].odds

    assert _find_apart(*PEERS, _counted("odd", [1] * 9), odds=odds - 1)
    assert not _find_apart(*PEERS, _counted("odd", [1] * 9), odds=odds + 1)


@pytest.mark.parametrize(
    ("mate", "is_asked"),
    [
        ([1] * 5 + [60] * 5, False),
        ([1] * 4 + [60] * 5, True),
        ([1] * 99 + [60] * 100, True),
        ([], True),
    ],  # nobody else there: nobody to go by
)
def test_a_quick_office_is_not_asked_about(mate: list[int], is_asked: bool) -> None:  # noqa: FBT001
    here = [_counted("odd", [1] * 9, unit="here"), _counted("mate", mate, unit="here")]

    assert ("odd" in _find_apart(*PEERS, *here)) is is_asked
    assert not _find_apart(*PEERS, *here, apart=0)
    assert "other" in _find_apart(*here, *PEERS, _counted("other", [1] * 9))


# Of 192, each at an hour of its own from 10 to 201.
SPREAD = [_counted(f"peer {number}", [10 + number + 8 * n for n in range(24)]) for number in range(8)]


@pytest.mark.parametrize(
    ("middle", "is_asked"),
    [
        (16, False),  # ten of two hundred are faster: it is just not among the fastest twentieth, and all there is
        (65, False),
        (66, True),  # sixty of two hundred are faster
    ],
)
def test_whose_other_closings_are_fast_as_well_is_not_odd(middle: int, is_asked: bool) -> None:  # noqa: FBT001
    found = _find(_counted("odd", [1] * 4 + [middle] * 4), *SPREAD)

    assert ("odd" in found) is is_asked
    assert not is_asked or found["odd"].records == {f"odd-a{number:02}" for number in range(4)}


def test_it_is_asked_about_from_so_many_deviations_on() -> None:
    odd = _counted("odd", [1] * 4 + [60] * 12)
    odds = (4 - 0.05 * 16) / sqrt(0.05 * 0.95 * 16)

    assert "odd" in _find(odd, *PEERS, clock_odds=int(100 * odds))
    assert "odd" not in _find(odd, *PEERS, clock_odds=int(100 * odds) + 1)


def test_who_is_not_asked_about_hides_nobody() -> None:
    quick, swift = _counted("quick office", [1] * 6 + [60] * 5), _counted("swift", [1] * 4 + [SWIFT] * 4)

    assert _find(*PEERS, quick, swift, _counted("odd", [1] * 9 + [60] * 9)).keys() == {"odd"}


SWIFT, ORDINARY = 16, 60  # hours: a sixth, and two thirds, of all are faster


@pytest.mark.parametrize(
    ("rest", "is_asked"),
    [
        ([ORDINARY, SWIFT, SWIFT, ORDINARY], True),
        ([SWIFT, ORDINARY, ORDINARY, ORDINARY], True),
        ([ORDINARY, ORDINARY, SWIFT, SWIFT, SWIFT], False),
        ([ORDINARY, SWIFT, ORDINARY, SWIFT, ORDINARY], True),
    ],
)
def test_it_goes_by_the_middle_one_of_the_rest(rest: list[int], is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in _find(_counted("odd", [1] * 4 + rest), *PEERS)) is is_asked


def test_where_many_have_many_of_the_fastest_nobody_is_odd() -> None:
    unlike = [
        _counted(f"peer {number}", [10] * (3 * (number % 2)) + [14 + number + n for n in range(20)])
        for number in range(10)
    ]

    assert "odd" not in _find(_counted("odd", [1] * 4 + [60] * 12), *unlike)
    idle = [_counted(f"idle {number}", []) for number in range(30)]
    assert "odd" not in _find(_counted("odd", [1] * 4 + [60] * 12), *unlike, *idle)


def test_what_lies_just_beyond_the_fastest_twentieth_is_not_set_aside() -> None:
    """Of a hundred, five are the fastest."""
    peers = [_counted(f"peer {number}", [20 + number + n for n in range(22)]) for number in range(4)]

    signal = _find(_counted("odd", [1] * 5 + [2] + [60] * 6), *peers)["odd"]

    assert signal.evidence["fastest"] == 5
    assert signal.records == {f"odd-a{number:02}" for number in range(5)}


def test_a_scheme_that_allows_it_asks_about_who_closes_everything_so_fast() -> None:
    finder = ExtremeClocks(Times(time_of_closing), replace(SETTINGS, signals=replace(SETTINGS.signals, clock_most=100)))
    everybody = [_counted("odd", [1] * 9), *PEERS]
    for one in everybody:
        finder.note(one)

    found = finder.find(Everybody(counted={one.cadre: one for one in everybody}, tables={}))

    assert [signal.cadre for signal in found] == ["odd"]


def _answer(one: Counted, hours: list[int]) -> Counted:
    issues = [
        replace(issue, answered_at=DAY + taken * 3_600, answer_allowed=360_000)
        for issue, taken in zip(one.dossier.issues, hours, strict=True)
    ]
    return Counted(dossier=replace(one.dossier, issues=issues))


def _find_instant(*everybody: Counted, **rules: int) -> dict[str, Signal]:
    closings = Times(time_of_closing)
    finder = InstantAnswers(closings, replace(SETTINGS, signals=replace(SETTINGS.signals, **rules)))
    for one in everybody:
        closings.note(one)
        finder.note(one)
    counted = {one.cadre: one for one in everybody}
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables={}))}


ANSWERING = [_answer(peer, [40 + n for n in range(20)]) for peer in PEERS]
ORDINARILY = [60] * 16  # hours until the closing


@pytest.mark.parametrize(
    ("fast", "slow", "closings", "is_asked"),
    [
        (4, 12, ORDINARILY, True),
        (4, 13, [*ORDINARILY, 60], False),
        (3, 5, ORDINARILY[:8], False),
        (12, 0, ORDINARILY[:12], True),
        (25, 75, [60] * 100, True),
        (25, 76, [60] * 101, False),
        (4, 12, [12] * 16, False),
        (4, 12, [12] * 8 + [60] * 8, True),  # the middle one, or the later of the two
        (4, 12, [60] * 8 + [12] * 8, True),  # in whatever order they came
        (4, 12, [12] * 9 + [60] * 7, False),
    ],
)
def test_answers_among_the_fastest_are_asked_about_where_closings_are_ordinary(
    fast: int,
    slow: int,
    closings: list[int],
    is_asked: bool,  # noqa: FBT001
) -> None:
    size = fast + slow
    odd = _answer(_counted("odd", closings), [1] * fast + [60] * slow)

    found = _find_instant(*ANSWERING, odd)

    assert ("odd" in found) is is_asked
    if is_asked:
        assert found["odd"].evidence == {"answered": size, "fastest": fast, "share": 100 * fast // size}
        assert found["odd"].records == {f"odd-a{number:02}#answer" for number in range(fast)}
        assert found["odd"].examples[0] == "odd-a00"
        assert found["odd"].check == "instant_answers"


def test_answers_are_asked_about_from_so_many_deviations_on() -> None:
    odd = _answer(_counted("odd", ORDINARILY), [1] * 4 + [60] * 12)
    odds = (4 - 0.05 * 16) / sqrt(0.05 * 0.95 * 16)

    assert _find_instant(odd, *ANSWERING, answer_odds=int(100 * odds))["odd"].odds == round(100 * odds)
    assert "odd" not in _find_instant(odd, *ANSWERING, answer_odds=int(100 * odds) + 1)


def test_without_odds_no_answer_is_asked_about() -> None:
    odd = _answer(_counted("odd", ORDINARILY), [1] * 16)

    assert _find_instant(odd, *ANSWERING, answer_odds=0) == {}


def test_an_answer_just_beyond_the_fastest_twentieth_is_not_set_aside() -> None:
    """Ten of two hundred are faster."""
    peers = [_answer(peer, [10 + number + 8 * n for n in range(24)]) for number, peer in enumerate(SPREAD)]
    odd = _answer(_counted("odd", [100] * 8), [1] * 4 + [16] * 4)

    assert _find_instant(odd, *peers)["odd"].records == {f"odd-a{number:02}#answer" for number in range(4)}


def test_of_whom_nothing_is_closed_yet_nobody_knows_whether_closings_are_ordinary() -> None:
    open_ones = _answer(_counted("odd", ORDINARILY, outcome=""), [1] * 4 + [60] * 12)

    assert _find_instant(open_ones, *ANSWERING) == {}
