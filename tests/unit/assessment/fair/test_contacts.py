"""Contacts that look made for the count: from where on a check asks."""

from collections.abc import Iterable
from dataclasses import replace
from math import sqrt

import pytest

from services.assessment.fair.records import DAY, Contact, Dossier, Span
from services.assessment.fair.signals.contacts import Bursts, Padding
from services.assessment.fair.signals.odds import MEDIAN_OF_SQUARE, Everybody, Finder, Signal
from tests.unit.assessment.fair.few import SETTINGS, make_dossier, see

RULES = SETTINGS.signals
END = 91 * DAY  # of a quarter
SPAN = Span(starts_at=0, ends_at=364 * DAY, as_of=364 * DAY, quarter_ends=(END, 2 * END, 3 * END, 4 * END))


def _find(finder: Finder, dossiers: Iterable[Dossier]) -> list[Signal]:
    counted = see([finder], dossiers)
    return list(finder.find(Everybody(counted=counted, tables={})))


def _ask(kind: type[Padding] | type[Bursts], *dossiers: Dossier, **rules: int) -> list[str]:
    """Who is asked about, when one contact in twenty of everybody else's is not confirmed."""
    scheme = replace(RULES, **rules)
    finder = Padding(scheme) if kind is Padding else Bursts(SPAN, scheme)
    return [signal.cadre for signal in _find(finder, [*_peers(), *dossiers])]


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
        make_dossier(
            f"peer {number}",
            contacts=_contacts(unconfirmed) + _contacts(confirmed, name="known", is_confirmed=True),
        )
        for number in range(20)
    ]


@pytest.mark.parametrize(
    ("unconfirmed", "confirmed", "is_asked"),
    [(8, 4, True), (8, 3, False), (7, 5, False), (9, 21, True), (9, 22, False), (30, 70, True), (30, 71, False)],
)
def test_contacts_that_no_citizen_knows_of_are_asked_about_from_eight_and_three_tenths_on(
    unconfirmed: int,
    confirmed: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = make_dossier("odd", contacts=_contacts(unconfirmed) + _contacts(confirmed, name="known", is_confirmed=True))

    assert bool(_ask(Padding, odd)) is is_asked


def test_beyond_the_usual_the_latest_entries_are_set_aside() -> None:
    odd = make_dossier("odd", contacts=_contacts(20))

    (signal,) = _find(Padding(RULES), [odd, *_peers(unconfirmed=2, confirmed=18), make_dossier("idle")])

    assert signal.cadre == "odd"
    assert (signal.check, signal.evidence) == ("contact_padding", {"contacts": 20, "unconfirmed": 20, "usual": 2})
    assert signal.odds == round(100 * (20 - 2) / sqrt(20 * 0.1 * 0.9))
    assert signal.records == {f"v{number:02}" for number in range(2, 20)}
    assert signal.examples == ("v02", "v03", "v04", "v05", "v06")


def test_where_confirming_is_not_collected_nobody_is_asked() -> None:
    assert (
        _find(Padding(RULES), [make_dossier("odd", contacts=_contacts(60)), *_peers(unconfirmed=13, confirmed=7)]) == []
    )


@pytest.mark.parametrize(
    ("last", "earlier", "is_asked"),
    [(4, 9, True), (4, 10, False), (3, 1, False), (30, 70, True), (30, 71, False)],
)
def test_the_last_days_of_a_quarter_are_asked_about_from_four_and_three_tenths_on(
    last: int,
    earlier: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = make_dossier(
        "odd", contacts=_contacts(last, at=END - 3 * DAY) + _contacts(earlier, name="before", at=END - 3 * DAY - 1)
    )

    assert bool(_ask(Bursts, odd)) is is_asked


def test_the_day_after_a_quarter_is_none_of_its_last() -> None:
    assert _find(Bursts(SPAN, RULES), [make_dossier("odd", contacts=_contacts(9, at=END)), *_peers()]) == []
    assert _find(Bursts(SPAN, RULES), [make_dossier("odd", contacts=_contacts(9, at=END - 1)), *_peers()])


@pytest.mark.parametrize(("each", "is_asked"), [((3, 2), False), ((3, 3), True), ((4, 0), True)])
def test_several_quarters_together_take_six(each: tuple[int, int], is_asked: bool) -> None:  # noqa: FBT001
    contacts = [*_contacts(each[0], at=END - 1), *_contacts(each[1], at=2 * END - 1, name="w"), *_contacts(4, name="x")]

    assert bool(_find(Bursts(SPAN, RULES), [make_dossier("odd", contacts=contacts), *_peers()])) is is_asked


def test_a_drive_that_citizens_know_of_is_not_asked_about() -> None:
    def asked(confirmed: int) -> list[Signal]:
        contacts = _contacts(6, at=END - 1) + _contacts(confirmed, at=END - 1, name="known", is_confirmed=True)
        return _find(Bursts(SPAN, RULES), [make_dossier("odd", contacts=contacts), *_peers()])

    (signal,) = asked(4)
    assert signal.check == "period_end_burst"
    assert signal.evidence == {"contacts": 10, "last_days": 10, "unconfirmed": 6, "share": 100}
    assert signal.records == frozenset()
    assert asked(5) == []


def test_a_drive_that_few_know_of_is_told_by_its_share_of_all_contacts() -> None:
    contacts = [
        *_contacts(60, at=END - 1),
        *_contacts(40, at=END - 1, name="known", is_confirmed=True),
        *_contacts(50, name="before"),
    ]
    odd = make_dossier("odd", contacts=contacts)

    (signal,) = _find(Bursts(SPAN, RULES), [odd, *_peers()])

    assert signal.evidence == {"contacts": 150, "last_days": 100, "unconfirmed": 60, "share": 67}
    odd.contacts.append(replace(contacts[60], contact="known to one more"))
    assert _ask(Bursts, odd) == []


def test_both_are_asked_about_from_so_many_deviations_on() -> None:
    odd = make_dossier("odd", contacts=_contacts(10, at=END - 1) + _contacts(10, name="known", is_confirmed=True))
    padding = (10 - 1) / sqrt(20 * 0.05 * 0.95)  # one in twenty is usual
    scatter = 0.5**2 / (0.5 * 0.975) / MEDIAN_OF_SQUARE  # of the others, who have none where a half is usual
    bursts = 10 / sqrt(0.05) / sqrt(scatter)  # none is usual; a little for chance

    for kind, rule, odds in ((Padding, "padding_odds", padding), (Bursts, "burst_odds", bursts)):
        assert _ask(kind, odd, **{rule: int(100 * odds)}) == ["odd"]
        assert _ask(kind, odd, **{rule: int(100 * odds) + 1}) == []


def test_who_is_not_asked_about_hides_nobody() -> None:
    known = _contacts(9, at=END - 1, name="known", is_confirmed=True)
    drive = make_dossier("drive", contacts=_contacts(6, at=END - 1) + known)
    scattered = make_dossier(
        "scattered", contacts=_contacts(3, at=END - 1) + _contacts(2, at=2 * END - 1, name="w") + known[:4]
    )
    usual = [  # in their region
        make_dossier(f"late {number}", "x", contacts=_contacts(4, at=END - 1) + known[:6]) for number in range(5)
    ]
    odd = make_dossier("odd", contacts=_contacts(12, at=END - 1))

    assert _ask(Bursts, drive, scattered, *usual, odd) == ["odd"]
    assert _ask(Padding, scattered, odd) == ["odd"]


def test_who_met_nobody_does_not_say_how_far_others_differ() -> None:
    """Where half of all confirm nothing, and half everything, nobody is odd."""
    halves = [
        make_dossier(f"half {number}", contacts=_contacts(12, at=END - 1, is_confirmed=number % 2 == 0))
        for number in range(20)
    ]
    idle = [make_dossier(f"idle {number}") for number in range(60)]
    odd = make_dossier("odd", contacts=_contacts(30, at=END - 1))

    for finder in (Padding(RULES), Bursts(SPAN, RULES)):
        assert _find(finder, [*halves, odd, *idle]) == []


def test_what_is_usual_is_told_in_whole_contacts() -> None:
    (signal,) = _find(Padding(RULES), [make_dossier("odd", contacts=_contacts(25)), *_peers()])

    assert signal.evidence == {"contacts": 25, "unconfirmed": 25, "usual": 1}
    assert len(signal.records) == 24


def test_a_burst_is_not_seen_by_what_is_not_collected() -> None:
    """Where more than six in ten are not confirmed anyway, a drive is like everybody's other contacts."""
    odd = make_dossier("odd", contacts=_contacts(9, at=END - 1))
    collected, missing = [odd, *_peers(unconfirmed=2, confirmed=2)], [odd, *_peers(unconfirmed=2, confirmed=1)]

    assert _find(Bursts(SPAN, replace(RULES, burst_missing=60)), collected)
    assert _find(Bursts(SPAN, replace(RULES, burst_missing=60)), missing) == []
    assert _find(Bursts(SPAN, replace(RULES, burst_missing=100)), missing)
