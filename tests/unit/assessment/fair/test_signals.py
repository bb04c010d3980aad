"""Each signal fires on what it is for, has its evidence in words, and sets records aside without a penalty."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.records import DAY, Contact, Dossier, Handover, Rating
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.fair.signals.finding import Finding
from services.assessment.fair.signals.odds import Check, Signal
from services.assessment.fair.signals.wording import EN, ZH, describe
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.few import make_dossier, make_issues
from tests.unit.assessment.fair.towns import SPAN, make_issue, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
VERSION_2 = read_settings((Path(__file__).parent / "fair-2.toml").read_text("utf-8"))
HOUR = 3_600
SPAN_OF_QUARTERS = replace(SPAN, quarter_ends=tuple(91 * DAY * number for number in range(1, 5)))


def _pad(town: list[Dossier]) -> None:
    town[0].contacts += [_contact(f"p{number}", 5 * DAY * number) for number in range(60)]


def _burst(town: list[Dossier]) -> None:
    town[0].contacts = [_contact(f"p{number}", 91 * DAY - HOUR * (number + 1)) for number in range(12)]


def _contact(name: str, at: int) -> Contact:
    return Contact(contact=name, kind="visit", occurred_at=at, recorded_at=at, duration_minutes=20, citizen=name)


def _stuff(town: list[Dossier]) -> None:
    town[0].ratings += [_rating(town[0], place, device="one", rater=f"x{place}") for place in range(5)]


def _praise(town: list[Dossier]) -> None:
    town[0].ratings = [_rating(town[0], place, rater="") for place in range(len(town[0].issues))]
    town[0].ratings += [
        replace(one, rating=f"{one.rating}c", method="callback", level=1) for one in town[0].ratings[:4]
    ]


def _rating(dossier: Dossier, place: int, *, device: str = "", rater: str) -> Rating:
    issue = dossier.issues[place]
    return Rating(
        rating=f"s{place}",
        subject_kind="issue",
        subject=issue.issue,
        method="app",
        level=5,
        rated_at=issue.received_at + 9 * DAY,
        rater=rater,
        device=device,
    )


def _circle(town: list[Dossier]) -> None:
    for dossier in town[:2]:
        for place, issue in enumerate(dossier.issues[:4]):
            solved = replace(
                issue,
                complainant=f"f{place % 2}",
                place=str(place),
                outcome="solved",
                is_denied=False,
                closed_at=issue.received_at + DAY,
            )
            dossier.issues[place] = solved
            dossier.ratings = [one for one in dossier.ratings if one.subject != issue.issue]
            dossier.ratings.append(_rating(dossier, place, rater=f"f{place % 2}"))
            dossier.ratings[-1] = replace(dossier.ratings[-1], rating=f"{dossier.cadre.cadre}{place}")


def _rush(town: list[Dossier]) -> None:
    """Beside as many that took their time."""
    draw = random.Random(3)  # noqa: S311
    for number in range(12):
        issue = make_issue(draw, f"r{number}", 1)
        town[0].issues.append(
            replace(issue, outcome="solved", is_denied=False, closed_at=issue.received_at + HOUR + number)
        )
    for number in range(8):
        issue = make_issue(draw, f"o{number}", 1)
        town[0].issues.append(
            replace(issue, outcome="solved", is_denied=False, closed_at=issue.received_at + 4 * DAY + number)
        )


def _hand_on(town: list[Dossier]) -> None:
    """What is hard here: nobody solves category z."""
    draw = random.Random(4)  # noqa: S311
    for dossier in town:
        issue = make_issue(draw, f"{dossier.cadre.cadre}-z", 0)
        dossier.issues.append(
            replace(issue, category="z", outcome="unsolved", closed_at=issue.received_at + DAY, is_denied=False)
        )
    town[0].handovers = [
        Handover(issue=f"h{place}", category="z", complexity="1", handed_at=place * DAY, channel="hotline")
        for place in range(8)
    ]


def _fake(town: list[Dossier]) -> None:
    draw = random.Random(5)  # noqa: S311
    for place, issue in enumerate(town[0].issues):
        town[0].issues[place] = replace(issue, outcome="solved", closed_at=issue.received_at + DAY, is_denied=place < 5)
    for number in range(12):
        issue = make_issue(draw, f"r{number}", 1)
        town[0].issues.append(
            replace(issue, outcome="solved", is_denied=number < 4, closed_at=issue.received_at + 3 * DAY)
        )


def _explain_away(town: list[Dossier]) -> None:
    for place, issue in enumerate(town[0].issues):
        if issue.outcome in ("", "unsolved"):
            town[0].issues[place] = replace(issue, outcome="explained", closed_at=issue.received_at + DAY)
    for place in range(16):
        issue = make_issue(random.Random(place), f"e{place}", 0)  # noqa: S311
        town[0].issues.append(replace(issue, outcome="explained", closed_at=issue.received_at + DAY, is_denied=False))
        solved = make_issue(random.Random(place), f"s{place}", 1)  # noqa: S311
        town[0].issues.append(replace(solved, outcome="solved", closed_at=solved.received_at + DAY, is_denied=False))


def _split(town: list[Dossier]) -> None:
    issue = replace(town[0].issues[0], outcome="solved", is_denied=False, complainant="one")
    town[0].issues += [
        replace(
            issue,
            issue=f"d{number}",
            received_at=issue.received_at + number * HOUR,
            closed_at=issue.received_at + (number + 5) * HOUR,
        )
        for number in range(5)
    ]


def _empty(town: list[Dossier]) -> None:
    for place, issue in enumerate(town[0].issues[:8]):
        town[0].issues[place] = replace(issue, answered_at=issue.received_at + 30, has_reply=False)


def _make_up(town: list[Dossier]) -> None:
    """Of one kind, after some days, without a fault; what the cadre has beside is as it was."""
    draw = random.Random(6)  # noqa: S311
    for number in range(9):
        issue = make_issue(draw, f"m{number}", 1)
        town[0].issues.append(
            replace(
                issue,
                category="a",
                complexity="1",
                complainant=f"m{number}",
                place=f"m{number}",
                outcome="solved",
                is_denied=False,
                has_reply=True,
                answered_at=issue.received_at + 5 * HOUR,
                closed_at=issue.received_at + (2 + number % 3) * DAY,
            )
        )


def _answer_at_once(town: list[Dossier]) -> None:
    for place, issue in enumerate(town[0].issues):
        town[0].issues[place] = replace(issue, answered_at=issue.received_at + 900 + place, has_reply=True)


def _make_up_of_many_kinds(town: list[Dossier]) -> None:
    """As long as what the cadre has beside, and nothing that goes wrong."""
    draw = random.Random(7)  # noqa: S311
    for number in range(30):
        issue = make_issue(draw, f"n{number}", 1)
        town[0].issues.append(
            replace(
                issue,
                complainant=f"n{number}",
                place=f"n{number}",
                outcome="solved",
                is_denied=False,
                has_reply=True,
                answered_at=issue.received_at + draw.randrange(DAY),
                closed_at=issue.received_at + draw.randrange(DAY, 5 * DAY),
            )
        )


def _call_all_hard(town: list[Dossier]) -> None:
    """Of what the others have of kind z little is solved."""
    draw = random.Random(8)  # noqa: S311
    for dossier in town[1:]:
        for number in range(3):
            issue = make_issue(draw, f"{dossier.cadre.cadre}-z{number}", 0)
            dossier.issues.append(
                replace(issue, category="z", outcome="unsolved", closed_at=issue.received_at + DAY, is_denied=False)
            )
    town[0].issues = [replace(issue, category="z") for issue in town[0].issues]


def _shorten_all(town: list[Dossier]) -> None:
    for place, issue in enumerate(town[0].issues):
        town[0].issues[place] = replace(issue, outcome="solved", closed_at=issue.received_at + HOUR + place)


def _disown(town: list[Dossier]) -> None:
    town[0].issues[3] = replace(town[0].issues[3], is_checked=True, is_denied=True, is_disowned=True)


TRICKS: dict[Check, Callable[[list[Dossier]], None]] = {
    "contact_padding": _pad,
    "period_end_burst": _burst,
    "ballot_stuffing": _stuff,
    "praise_apart": _praise,
    "shared_circle": _circle,
    "extreme_clock": _rush,
    "handing_on": _hand_on,
    "contradicted_closures": _fake,
    "excess_explanations": _explain_away,
    "split_issues": _split,
    "empty_replies": _empty,
    "faultless_apart": _make_up,
    "instant_answers": _answer_at_once,
    "faultless_excess": _make_up_of_many_kinds,
    "labels_apart": _call_all_hard,
    "clock_apart": _shorten_all,
    "disowned_records": _disown,
}


def _judge(town: list[Dossier], settings: FairSettings = SETTINGS) -> Judged:
    return judge(town, SPAN_OF_QUARTERS, settings)


@pytest.mark.parametrize("check", get_args(Check))
def test_the_signal_fires_on_what_it_is_for(check: Check) -> None:
    town = make_town(6, cadres=24)
    assert ("C000", check) not in {(signal.cadre, signal.check) for signal in _judge(town).signals}

    TRICKS[check](town)

    judged = _judge(town)
    signal = next(signal for signal in judged.signals if (signal.cadre, signal.check) == ("C000", check))
    assert check in next(result for result in judged.results if result.cadre == "C000").reasons
    assert signal.examples
    for language in ("zh", "en"):
        text = describe(signal, "zh" if language == "zh" else "en")
        assert all(str(signal.evidence[name]) in text for _, name, _, _ in Formatter().parse(ZH[check]) if name)


def test_a_signal_is_told_in_the_language_that_is_asked_for() -> None:
    signal = Signal(cadre="C", check="empty_replies", evidence={"answered": 3, "empty": 2, "share": 67}, odds=0)

    assert describe(signal, "zh") == (
        "3件已答复诉求中2件（67%）在十分钟内答复，但没有答复内容。请核实；核实前不作任何结论。"
    )
    assert describe(signal, "en") == (
        "2 of 3 answers (67%) came within ten minutes and without a reply. "
        "Somebody should look; until then nothing is decided."
    )


def test_both_languages_tell_the_same_evidence() -> None:
    for check in get_args(Check):
        fields = [sorted(name for _, name, _, _ in Formatter().parse(words[check]) if name) for words in (ZH, EN)]
        assert fields[0] == fields[1]


def test_signals_come_in_the_order_of_cadre_and_check_whoever_was_seen_first() -> None:
    """Somebody comes four times within an hour, and is answered four times at once, with nothing."""
    finding = Finding(SPAN, SETTINGS)
    for cadre in "ba":
        issues = make_issues(cadre, 4, complainant="li", answered_at=599, has_reply=False)
        finding.note(count_dossier(make_dossier(cadre, issues=issues), SPAN, SETTINGS))

    found = finding.find({}, {})

    assert type(found) is tuple
    checks = ("empty_replies", "split_issues")
    assert [(one.cadre, one.check) for one in found] == [(cadre, check) for cadre in "ab" for check in checks]


def test_what_is_set_aside_is_left_out_until_the_cadre_is_cleared() -> None:
    town = make_town(6, cadres=24)
    _rush(town)
    judged = _judge(town)

    cleared = judge(town, SPAN_OF_QUARTERS, SETTINGS, cleared=frozenset({("C000", "extreme_clock")}))

    assert judged.set_aside >= {f"r{number}" for number in range(12)}
    assert not any(signal.cadre == "C000" for signal in cleared.signals)
    assert cleared.scored.counted["C000"].issues > judged.scored.counted["C000"].issues


def test_of_an_instant_answer_only_its_time_is_set_aside() -> None:
    town = make_town(6, cadres=24)
    before = {one.indicator: 0 for one in count_dossier(town[0], SPAN, SETTINGS).marks}
    _answer_at_once(town)

    judged = _judge(town)

    doubted = {one for one in judged.set_aside if one.startswith("C000")}
    counted = judged.scored.counted["C000"]
    assert doubted == {f"{issue.issue}#answer" for issue in town[0].issues}
    assert {mark.indicator for mark in counted.marks} == before.keys() - {"timeliness"}
    assert len(counted.counted_issues) == len(count_dossier(town[0], SPAN, SETTINGS).counted_issues)


def test_who_is_as_good_at_the_rest_is_not_asked_about() -> None:
    town = make_town(6, cadres=24)
    _make_up(town)
    rest = [issue for issue in town[0].issues if not issue.issue.startswith("m")]
    for place, issue in enumerate(rest):
        town[0].issues[place] = replace(
            issue,
            outcome="solved",
            is_denied=False,
            has_reply=True,
            answered_at=issue.received_at + 5 * HOUR,
            closed_at=issue.received_at + 3 * DAY,
        )

    assert not any(one.check == "faultless_apart" for one in _judge(town).signals)


def test_an_office_that_closes_most_matters_fast_is_a_quick_one() -> None:
    town = make_town(6, cadres=24)
    for place, issue in enumerate(town[0].issues):
        if issue.outcome == "solved" and place % 4:
            town[0].issues[place] = replace(issue, closed_at=issue.received_at + HOUR + place)

    assert ("C000", "extreme_clock") not in {(one.cadre, one.check) for one in _judge(town).signals}
    assert ("C000", "extreme_clock") in {(one.cadre, one.check) for one in _judge(town, VERSION_2).signals}


def test_what_came_with_version_3_is_off_in_version_2() -> None:
    town = make_town(6, cadres=24)
    _make_up(town)
    _answer_at_once(town[1:])

    signals = _judge(town, VERSION_2).signals

    assert not {"faultless_apart", "instant_answers"} & {signal.check for signal in signals}
