"""From where on a check asks: so many records, such a share of them, so far from what is usual. And below it, not."""

from collections.abc import Iterable
from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.records import DAY, Cadre, Contact, Dossier, Issue, Rating, Span
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.closures import find_empty
from services.assessment.fair.signals.contacts import Bursts, Padding
from services.assessment.fair.signals.handling import find_splits
from services.assessment.fair.signals.odds import Everybody, Finder, Signal
from services.assessment.fair.signals.ratings import find_stuffing
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
RULES = SETTINGS.signals
HOUR = 3_600
END = 91 * DAY  # of a quarter
SPAN = Span(starts_at=0, ends_at=364 * DAY, as_of=364 * DAY, quarter_ends=(END, 2 * END, 3 * END, 4 * END))
LAMP = Issue(issue="i", category="lamps", complexity="1", complainant="li", place="lane 3", received_at=0)
RATING = Rating(rating="r", subject_kind="issue", subject="i", method="app", level=5, rated_at=0)


def _dossier(cadre: str = "odd", **records: Any) -> Dossier:
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u"), **records)


def _find(finder: Finder, dossiers: Iterable[Dossier]) -> list[Signal]:
    counted = {one.cadre.cadre: count_dossier(one, SPAN, SETTINGS) for one in dossiers}
    for one in counted.values():
        finder.note(one)
    return list(finder.find(Everybody(counted=counted, tables={})))


def _contacts(count: int, *, at: int = 40 * DAY, name: str = "v", is_confirmed: bool = False) -> list[Contact]:
    return [
        Contact(
            contact=f"{name}{number:02}",
            kind="visit",
            occurred_at=at,
            recorded_at=at + number,
            is_confirmed=is_confirmed,
        )
        for number in range(count)
    ]


def _peers(*, unconfirmed: int = 1, confirmed: int = 19) -> list[Dossier]:
    return [
        _dossier(
            f"peer {number}",
            contacts=_contacts(unconfirmed) + _contacts(confirmed, name="known", is_confirmed=True),
        )
        for number in range(20)
    ]


@pytest.mark.parametrize(
    ("unconfirmed", "confirmed", "is_asked"),
    [(8, 4, True), (8, 3, False), (7, 5, False), (9, 21, True), (9, 22, False)],
)
def test_contacts_that_no_citizen_knows_of_are_asked_about_from_eight_and_three_tenths_on(
    unconfirmed: int,
    confirmed: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = _dossier(contacts=_contacts(unconfirmed) + _contacts(confirmed, name="known", is_confirmed=True))

    assert bool(_find(Padding(RULES), [odd, *_peers()])) is is_asked


def test_beyond_the_usual_the_latest_entries_are_set_aside() -> None:
    odd = _dossier(contacts=_contacts(20))

    (signal,) = _find(Padding(RULES), [odd, *_peers(unconfirmed=2, confirmed=18), _dossier("idle")])

    assert signal.cadre == "odd"
    assert (signal.check, signal.evidence) == ("contact_padding", {"contacts": 20, "unconfirmed": 20, "usual": 2})
    assert signal.odds == round(100 * (20 - 2) / sqrt(20 * 0.1 * 0.9))
    assert signal.records == {f"v{number:02}" for number in range(2, 20)}
    assert signal.examples == ("v02", "v03", "v04", "v05", "v06")


def test_where_confirming_is_not_collected_nobody_is_asked() -> None:
    assert _find(Padding(RULES), [_dossier(contacts=_contacts(60)), *_peers(unconfirmed=13, confirmed=7)]) == []


@pytest.mark.parametrize(
    ("last", "earlier", "is_asked"),
    [(4, 9, True), (4, 10, False), (3, 1, False)],
)
def test_the_last_days_of_a_quarter_are_asked_about_from_four_and_three_tenths_on(
    last: int,
    earlier: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = _dossier(contacts=_contacts(last, at=END - 3 * DAY) + _contacts(earlier, name="before", at=END - 3 * DAY - 1))

    assert bool(_find(Bursts(SPAN, RULES), [odd, *_peers()])) is is_asked


def test_the_day_after_a_quarter_is_none_of_its_last() -> None:
    assert _find(Bursts(SPAN, RULES), [_dossier(contacts=_contacts(9, at=END)), *_peers()]) == []
    assert _find(Bursts(SPAN, RULES), [_dossier(contacts=_contacts(9, at=END - 1)), *_peers()])


@pytest.mark.parametrize(("each", "is_asked"), [((3, 2), False), ((3, 3), True), ((4, 0), True)])
def test_several_quarters_together_take_six(each: tuple[int, int], is_asked: bool) -> None:  # noqa: FBT001
    contacts = [*_contacts(each[0], at=END - 1), *_contacts(each[1], at=2 * END - 1, name="w"), *_contacts(4, name="x")]

    assert bool(_find(Bursts(SPAN, RULES), [_dossier(contacts=contacts), *_peers()])) is is_asked


def test_a_drive_that_citizens_know_of_is_not_asked_about() -> None:
    def asked(confirmed: int) -> list[Signal]:
        contacts = _contacts(6, at=END - 1) + _contacts(confirmed, at=END - 1, name="known", is_confirmed=True)
        return _find(Bursts(SPAN, RULES), [_dossier(contacts=contacts), *_peers()])

    (signal,) = asked(4)
    assert signal.check == "period_end_burst"
    assert signal.evidence == {"contacts": 10, "last_days": 10, "unconfirmed": 6, "share": 100}
    assert signal.records == frozenset()
    assert asked(5) == []


def _ratings(count: int, **more: Any) -> list[Rating]:
    return [replace(RATING, rating=f"r{number}", rated_at=number * DAY, **more) for number in range(count)]


@pytest.mark.parametrize(
    ("ratings", "doubted"),
    [
        ([replace(one, rater=f"p{n}") for n, one in enumerate(_ratings(4, device="d", is_public_device=True))], set()),
        ([replace(one, device="d", rater="li") for one in _ratings(6)], set()),  # one hand, which weighs as one
        (
            [replace(one, device="d" if n < 3 else "e", rater="" if n else "li") for n, one in enumerate(_ratings(4))],
            {"r0", "r1", "r2"},
        ),
        ([replace(one, rated_at=HOUR + n * 1_199) for n, one in enumerate(_ratings(4))], {"r0", "r1", "r2", "r3"}),
        ([replace(one, rated_at=HOUR + n * 1_200) for n, one in enumerate(_ratings(4))], set()),
        ([replace(one, rater="wang" if n else "li") for n, one in enumerate(_ratings(4))], {"r1", "r2", "r3"}),
        ([replace(one, rater="wang" if n > 1 else "li") for n, one in enumerate(_ratings(4))], set()),
        ([replace(one, rater="wang", subject_kind="contact") for one in _ratings(4)], set()),
        ([replace(one, rater="wang", method="callback") for one in _ratings(4)], set()),
        (_ratings(3, rater="wang"), set()),
        (
            [replace(one, level=4 if n else 3) for n, one in enumerate(_ratings(4, rater="wang"))],
            {"r0", "r1", "r2", "r3"},
        ),
        ([replace(one, level=4 if n > 1 else 3) for n, one in enumerate(_ratings(5, rater="wang"))], set()),
    ],
)
def test_ratings_that_look_cast_by_one_hand(ratings: list[Rating], doubted: set[str]) -> None:
    found = list(find_stuffing(_dossier(issues=[LAMP], ratings=ratings), RULES))

    assert {record for signal in found for record in signal.records} == doubted


def test_what_is_told_of_ballots() -> None:
    ratings = [replace(one, device="d", rater=f"p{n}", rated_at=0) for n, one in enumerate(_ratings(5))]

    (signal,) = find_stuffing(_dossier(issues=[LAMP], ratings=[*ratings[:4], replace(ratings[4], level=3)]), RULES)

    assert (signal.check, signal.odds) == ("ballot_stuffing", 0)
    assert signal.evidence == {
        "own_channel": 5,
        "high": 80,
        "shared_devices": 1,
        "full_hours": 1,
        "not_complainants": 5,
    }


def _repeats(count: int, *, others: int, quick: int = 9) -> Dossier:
    """The first of them is none."""
    same = [
        replace(
            LAMP,
            issue=f"i{n}",
            received_at=n * DAY,
            outcome="solved",
            closed_at=(n + 2) * DAY + (0 if n <= quick else 1),
        )
        for n in range(count + 1)
    ]
    return _dossier(issues=same + [replace(LAMP, issue=f"o{n}", complainant=f"p{n}") for n in range(others - 1)])


@pytest.mark.parametrize(
    ("dossier", "is_asked"),
    [
        (_repeats(3, others=22), True),
        (_repeats(3, others=23), False),  # under 12 per cent
        (_repeats(2, others=1), False),
        (_repeats(5, others=2, quick=2), True),
        (_repeats(5, others=2, quick=1), False),
    ],
)
def test_one_matter_in_many_issues(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    found = list(find_splits(dossier, SETTINGS))

    assert bool(found) is is_asked
    for signal in found:
        repeats = [one.issue for one in dossier.issues if one.issue.startswith("i")][1:]
        quick = [
            one for one in dossier.issues if one.issue in repeats and (one.closed_at or 0) - one.received_at == 2 * DAY
        ]
        assert (signal.check, signal.odds, signal.examples) == ("split_issues", 0, tuple(repeats[:5]))
        assert signal.evidence == {"issues": len(dossier.issues), "repeats": len(repeats), "quick": len(quick)}


@pytest.mark.parametrize(
    ("empty", "answered", "is_asked"), [(3, 15, True), (3, 16, False), (2, 2, False), (4, 4, True)]
)
def test_answers_with_nothing_in_them(empty: int, answered: int, is_asked: bool) -> None:  # noqa: FBT001
    nothing = [replace(LAMP, issue=f"e{n}", answered_at=599, has_reply=False) for n in range(empty)]
    late = [replace(LAMP, issue=f"l{n}", answered_at=600, has_reply=False) for n in range(answered - empty)]
    silent = [replace(LAMP, issue=f"s{n}", has_reply=False) for n in range(9)]

    found = list(find_empty(_dossier(issues=[*nothing, *late, *silent]), SETTINGS))

    assert bool(found) is is_asked
    for signal in found:
        assert (signal.check, signal.odds) == ("empty_replies", 0)
        assert signal.evidence == {"answered": answered, "empty": empty, "share": round(100 * empty / answered)}
        assert signal.records == frozenset()
