"""Labels that make matters look harder than they are, beside those of the office's others."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

import pytest

from services.assessment.fair.records import DAY, Cadre, Dossier
from services.assessment.fair.reference import Table
from services.assessment.fair.signals.labels import LabelsApart
from services.assessment.fair.signals.odds import Signal
from tests.unit.assessment.fair.few import SETTINGS, SOLVED, find

TABLES = {"resolution": Table(mean=600_000, expected={("hard", "1", ""): 500_000, ("a", "2", ""): 400_000})}


def _dossier(
    cadre: str, hard: int, others: int, *, unit: str = "u", label: str = "category", failed: int = 0
) -> Dossier:
    """Each of another day; of the hard ones the first so many are not solved."""
    kind = replace(SOLVED, category="hard") if label == "category" else replace(SOLVED, complexity="2")
    issues = [replace(kind, issue=f"{cadre}-h{number:02}", received_at=number * 9 * DAY) for number in range(hard)]
    issues = [replace(one, outcome="unsolved") if place < failed else one for place, one in enumerate(issues)]
    issues += [replace(SOLVED, issue=f"{cadre}-o{number:02}", received_at=number * 9 * DAY) for number in range(others)]
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit=unit), issues=issues)


def _find(*dossiers: Dossier, tables: Mapping[str, Table] = TABLES) -> dict[str, Signal]:
    return find(LabelsApart(SETTINGS), *dossiers, tables=tables)


def _find_by(rules: dict[str, int], *dossiers: Dossier) -> dict[str, Signal]:
    settings = replace(SETTINGS, signals=replace(SETTINGS.signals, **rules))
    return find(LabelsApart(settings), *dossiers, tables=TABLES)


def _make_peers(label: str) -> list[Dossier]:
    """Five in the office, and thirty elsewhere."""
    return [_dossier(f"peer {number}", 2, 18, unit="u" if number < 5 else "v", label=label) for number in range(35)]


PEERS = _make_peers("category")


@pytest.mark.parametrize("label", ["category", "complexity"])
def test_who_calls_all_hard_is_asked_about_by_the_labels_beyond_the_office_s(label: str) -> None:
    found = _find(*_make_peers(label), _dossier("odd", 20, 0, label=label))

    assert found.keys() == {"odd"}
    signal = found["odd"]
    rate = (10 + 20 * 90 / 720) / (100 + 20)
    assert signal.check == "labels_apart"
    assert signal.evidence == {"issues": 20, "labelled": 20, "share": 100, "usual": round(100 * rate)}
    variance = 20 * rate * (1 - rate) * (1 + 20 / (100 + 20))
    assert signal.odds == round(100 * (20 - 20 * rate) / sqrt(variance))
    assert signal.records == {f"odd-h{number:02}#label" for number in range(2, 20)}  # the latest
    assert signal.examples == tuple(f"odd-h{number:02}" for number in range(2, 7))


@pytest.mark.parametrize(
    ("hard", "others", "rules", "is_asked"),
    [
        (6, 0, {}, True),
        (5, 0, {}, False),
        (9, 11, {"labels_odds": 300}, True),
        (9, 11, {"labels_share": 40, "labels_odds": 300}, False),
        (20, 0, {"labels_share": 89}, True),
        (20, 0, {"labels_share": 90}, False),
        (9, 11, {"labels_odds": 100_000}, False),
        (20, 0, {"labels_odds": 0}, False),
        (20, 0, {"labels_harder": 10}, True),
        (20, 0, {"labels_harder": 11}, False),
    ],
)
def test_few_or_not_far_from_the_others_or_hardly_harder_is_not(
    hard: int,
    others: int,
    rules: dict[str, int],
    is_asked: bool,  # noqa: FBT001
) -> None:
    assert ("odd" in _find_by(rules, *PEERS, _dossier("odd", hard, others))) is is_asked


def test_complexities_have_a_threshold_of_their_own() -> None:
    cases = [*_make_peers("complexity"), _dossier("odd", 20, 0, label="complexity")]
    (signal,) = _find(*cases).values()

    assert _find_by({"complexity_odds": signal.odds, "labels_odds": 100_000}, *cases)
    assert not _find_by({"complexity_odds": signal.odds + 1}, *cases)
    assert not _find_by({"complexity_odds": 0}, *cases)


def test_who_has_the_hard_ones_and_solves_as_few_of_them_is_not_asked_about() -> None:
    assert _find(*PEERS, _dossier("odd", 20, 0, failed=10))
    assert not _find(*PEERS, _dossier("odd", 20, 0, failed=11))


def test_who_really_has_the_hard_ones_hides_nobody() -> None:
    honest = _dossier("honest", 20, 0, failed=11, unit="hard")

    assert _find(*PEERS, honest, _dossier("odd", 20, 0)).keys() == {"odd"}


@pytest.mark.parametrize(("usual", "is_asked"), [(500_000, True), (500_001, False)])
def test_harder_is_counted_to_the_millionth(usual: int, is_asked: bool) -> None:  # noqa: FBT001
    """Ten in a hundred harder than all are."""
    tables = {"resolution": Table(mean=600_000, expected={("hard", "1", ""): usual})}
    settings = replace(SETTINGS, signals=replace(SETTINGS.signals, labels_harder=10))

    found = find(LabelsApart(settings), *PEERS, _dossier("odd", 20, 0), tables=tables)

    assert bool(found) is is_asked


def test_the_usual_share_is_told_in_per_cent() -> None:
    """Of those of the office seven in ten, and of everybody's."""
    peers = [_dossier(f"peer {number}", 14, 6) for number in range(30)]

    (signal,) = _find_by({"labels_odds": 100, "labels_share": 25}, *peers, _dossier("odd", 40, 0)).values()

    rate = (420 + 20 * 460 / 640) / (600 + 20)
    assert signal.evidence["usual"] == round(100 * rate) == 70
    assert len(signal.records) == round(40 * (1 - rate))


def test_an_office_of_hard_matters_is_not_asked_about() -> None:
    here = [_dossier(f"here {number}", 20, 0, unit="here") for number in range(3)]

    assert not _find(*PEERS, *here)
    assert _find(*PEERS, here[0], _dossier("mate", 0, 40, unit="here")).keys() == {"here 0"}


def test_without_anything_solved_or_any_issue_nothing_is_asked() -> None:
    assert not _find(*PEERS, _dossier("odd", 20, 0), tables={})
    assert not _find(Dossier(cadre=Cadre(cadre="none", peer_group="p", region="r", unit="u")))


@pytest.mark.parametrize(("own", "others", "told"), [(12, 0, 12), (15, 5, 20)])
def test_of_two_odd_labels_the_odder_one_is_told(own: int, others: int, told: int) -> None:
    """All twenty of the one are called hard, and so many complex; of the others' as many are complex."""
    odd, *peers = (_make_complex(_dossier("odd", 20, 0), own), *(_make_complex(one, others) for one in PEERS))
    hard: dict[tuple[str, ...], int] = {("hard", level, ""): 300_000 for level in "12"}
    tables = {"resolution": Table(mean=600_000, expected={**hard, ("a", "2", ""): 300_000})}

    (signal,) = _find(*peers, odd, tables=tables).values()

    assert (signal.evidence["labelled"], signal.evidence["share"]) == (told, 5 * told)
    simple = _find(*peers, _make_complex(_dossier("odd", 0, 20), own), tables=tables)
    assert [one.evidence["labelled"] for one in simple.values()] == [own]  # odd by itself, too


def _make_complex(dossier: Dossier, count: int) -> Dossier:
    issues = [replace(one, complexity="2") if place < count else one for place, one in enumerate(dossier.issues)]
    return replace(dossier, issues=issues)


def test_of_two_labels_that_are_as_odd_the_same_is_told_in_whatever_order_they_come() -> None:
    """Half of the matters bear each, and nobody else's do."""
    issues = [
        replace(one, category="one" if place % 2 else "two", complainant="", place="")
        for place, one in enumerate(_dossier("odd", 20, 0).issues)
    ]
    tables = {"resolution": Table(mean=600_000, expected={("one", "1", ""): 300_000, ("two", "1", ""): 300_000})}
    told = [
        _find(*PEERS, replace(_dossier("odd", 0, 0), issues=order), tables=tables)["odd"].records
        for order in (issues, issues[::-1])
    ]

    assert told[0] == told[1]
