"""Folders that leave untold what others tell: hours of the day, closings, whose name is whose."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.assessment.fair.records import DAY, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.ratings import find_stuffing
from services.assessment.importing.records.cli import OWN_SETTINGS
from services.assessment.importing.records.customs import MANY, WITHIN_A_DAY
from services.assessment.importing.records.folder import read_folder

RULES = read_settings(OWN_SETTINGS.read_text("utf-8")).signals


def _write(folder: Path, issues: Sequence[str], ratings: Sequence[str] = (), ratings_heading: str = "") -> None:
    (folder / "cadres.csv").write_text("cadre\nA\n", "utf-8")
    heading = "issue,cadre,received_at,answered_at,closed_at,allowed_hours,outcome,complainant"
    (folder / "issues.csv").write_text("\n".join((heading, *issues)) + "\n", "utf-8")
    if ratings:
        heading = ratings_heading or "issue,method,level,rated_at,rater"
        (folder / "ratings.csv").write_text("\n".join((heading, *ratings)) + "\n", "utf-8")


def _issues(folder: Path) -> list[Issue]:
    return read_folder(folder)[0][0].issues


def _ratings(folder: Path) -> list[Rating]:
    return read_folder(folder)[0][0].ratings


def test_where_only_days_are_told_the_day_of_the_receipt_is_not_an_instant_later(tmp_path: Path) -> None:
    days = [f"{n},A,2025-01-02,2025-01-02,2025-01-04,120,solved,p" for n in range(MANY)]
    _write(tmp_path, days)

    first = _issues(tmp_path)[0]

    assert first.answered_at == first.received_at + WITHIN_A_DAY
    assert first.closed_at == first.received_at + 2 * DAY

    _write(tmp_path, [*days[1:], "0,A,2025-01-02T09:00:00,2025-01-02T09:00:00,,120,,p"])
    assert all(issue.answered_at == issue.received_at for issue in _issues(tmp_path))


def test_where_no_closing_is_told_outcomes_count_and_nobody_is_late(tmp_path: Path) -> None:
    _write(tmp_path, ["1,A,0,,,120,solved,p", "2,A,30,,,120,unsolved,p", "3,A,9,,,120,,p", "4,A,9,,,120,withdrawn,p"])

    solved, unsolved, still_open, left_out = _issues(tmp_path)

    assert [issue.outcome for issue in (solved, unsolved, still_open, left_out)] == [
        *("solved", "unsolved", "", "left_out")
    ]
    assert (solved.close_allowed, unsolved.close_allowed, still_open.close_allowed) == (None, None, 120 * 3600)
    assert solved.closed_at is not None
    assert unsolved.closed_at is not None
    assert solved.closed_at - solved.received_at == unsolved.closed_at - unsolved.received_at

    _write(tmp_path, ["1,A,0,,,120,solved,p", "2,A,30,,40,120,unsolved,p"])
    assert [issue.outcome for issue in _issues(tmp_path)] == ["", "unsolved"]


@pytest.mark.parametrize("closed_at", ["", "40"])
@pytest.mark.parametrize(
    ("word", "outcome"),
    [("not_accepted", "left_out"), ("withdrawn", "left_out"), ("merged", "left_out"), ("excluded", "excluded")],
)
def test_what_is_not_assessed_is_told_from_what_somebody_else_excluded(
    tmp_path: Path, word: str, outcome: str, closed_at: str
) -> None:
    _write(tmp_path, ["1,A,0,,40,120,solved,p", f"2,A,0,,{closed_at},120,{word},p"])

    assert [issue.outcome for issue in _issues(tmp_path)] == ["solved", outcome]


@pytest.mark.parametrize(("method", "rater"), [("app", "other-0"), ("callback", "")])
def test_raters_who_go_by_other_names_than_complainants_are_no_strangers(
    tmp_path: Path, method: str, rater: str
) -> None:
    """Of call-backs it is then told who called."""
    issues = [f"{n},A,0,1,2,120,solved,p{n}" for n in range(MANY)]
    others = [f"{n},{method},5,{n + 3},other-{n}" for n in range(MANY)]
    others += [f"{n},{'app' if method == 'callback' else 'callback'},5,{n + 3},p{n}" for n in range(MANY)]
    _write(tmp_path, issues, others)

    ratings = _ratings(tmp_path)

    assert [one.is_complainant for one in ratings if one.method == method] == [True] * MANY
    assert [one.is_complainant for one in ratings if one.method != method] == [None] * MANY
    assert ratings[0].rater == rater


def test_one_who_is_known_shows_that_names_are_comparable(tmp_path: Path) -> None:
    issues = [f"{n},A,0,1,2,120,solved,p{n}" for n in range(MANY)]
    _write(tmp_path, issues, [f"{n},app,5,{n + 3},{'p0' if n == 0 else f'other-{n}'}" for n in range(MANY)])

    assert {one.is_complainant for one in _ratings(tmp_path)} == {None}


def test_whoever_is_told_to_be_the_complainant_is_no_stranger_to_the_check(tmp_path: Path) -> None:
    issues = [f"{n},A,0,1,2,120,solved,p{n}" for n in range(MANY)]
    for known, found in ((("p0", "x1"), 1), (("x0", "x1"), 0)):
        names = [*known, *(f"x{n}" for n in range(2, MANY))]
        _write(tmp_path, issues, [f"{n},app,5,{n + 3},{name}" for n, name in enumerate(names)])

        assert len(list(find_stuffing(read_folder(tmp_path)[0][0], RULES))) == found


@pytest.mark.parametrize(
    ("method", "told", "public"),
    [("on_site", "", True), ("on_site", "no", False), ("app", "", False), ("app", "1", True)],
)
def test_what_stands_in_an_office_is_everybody_s_unless_told_otherwise(
    tmp_path: Path, method: str, told: str, *, public: bool
) -> None:
    _write(
        tmp_path,
        ["1,A,0,1,2,120,solved,p"],
        [f"1,{method},5,3,d,{told}"],
        "issue,method,level,rated_at,device,public_device",
    )

    assert _ratings(tmp_path)[0].is_public_device is public
