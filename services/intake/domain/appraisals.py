"""The text in which cadre files tell of annual appraisals, read and written: one grammar for its three conventions."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

AppraisalGrade = Literal["excellent", "competent", "basic", "incompetent", "ungraded"]
# quoted: 2021年年度考核“优秀”等次；  plain: 2021年年度考核为优秀,  merged: 2020、2021年度考核为优秀,
Convention = Literal["quoted", "plain", "merged"]

FIRST_YEAR: Final = 1949
LAST_YEAR: Final = 2199
LONGEST_RANGE: Final = 20
WORDS: Final[dict[str, AppraisalGrade]] = {
    "优秀": "excellent",
    "基本称职": "basic",
    "不称职": "incompetent",
    "称职": "competent",
    "不定等次": "ungraded",
    "不确定等次": "ungraded",
    "未定等次": "ungraded",
    "基本合格": "basic",
    "不合格": "incompetent",
    "合格": "competent",
}
WRITTEN: Final[dict[AppraisalGrade, str]] = {
    "excellent": "优秀",
    "competent": "称职",
    "basic": "基本称职",
    "incompetent": "不称职",
    "ungraded": "不定等次",
}
NOTHING: Final = "(无)"
EMPTY: Final = frozenset({"", "无", "(无)", "（无）", "NULL"})
TOKEN: Final = re.compile(r"(?P<year>(?<![0-9])[0-9]{4}(?![0-9]))|(?P<grade>" + "|".join(WORDS) + ")", re.ASCII)
BETWEEN: Final = re.compile(r"[年度考核等次结果为定：:“”\"'‘’、，,；;。.\s和及]*")
UNTIL: Final = re.compile(r"\s*(?:年(?:年度)?\s*|年度\s*)?(?:至|—|–|-|~|～)+\s*")


class NotReadable(ValueError):
    """The text holds something that is no year, no grade and no word between them; it is not repeated here."""


@dataclass(frozen=True, slots=True, order=True)
class AppraisalResult:
    year: int
    grade: AppraisalGrade


def read_appraisals(text: str) -> list[AppraisalResult]:
    """Return the results by year. A year that is named twice with two grades is not guessed. Raises NotReadable."""
    if text.strip() in EMPTY:
        return []
    found: dict[int, AppraisalGrade] = {}
    years: list[int] = []
    place = 0
    for token in TOKEN.finditer(text):
        between = text[place : token.start()]
        place = token.end()
        if token["year"] is not None:
            years += _years_until(years, int(token["year"]), between)
            continue
        _require(bool(years) and BETWEEN.fullmatch(between) is not None)
        for year in years:
            _require(found.setdefault(year, WORDS[token["grade"]]) == WORDS[token["grade"]])
        years = []
    _require(bool(found) and not years and BETWEEN.fullmatch(text[place:]) is not None)
    return [AppraisalResult(year, grade) for year, grade in sorted(found.items())]


def write_appraisals(results: Iterable[AppraisalResult], convention: Convention) -> str:
    """Write the results, oldest first, as `read_appraisals` reads them."""
    listed = sorted(results)
    if not listed:
        return NOTHING if convention == "merged" else ""
    if convention == "quoted":
        return "；".join(_quoted(result) for result in listed) + "。"
    if convention == "plain":
        return ",".join(f"{result.year}年年度考核为{WRITTEN[result.grade]}" for result in listed) + "。"
    return ",".join(f"{'、'.join(map(str, years))}年度考核为{WRITTEN[grade]}" for years, grade in _runs(listed))


def _quoted(result: AppraisalResult) -> str:
    word = WRITTEN[result.grade]
    return f"{result.year}年年度考核{word if result.grade == 'ungraded' else f'“{word}”等次'}"


def _runs(results: Sequence[AppraisalResult]) -> list[tuple[list[int], AppraisalGrade]]:
    return [([result.year for result in run], grade) for grade, run in groupby(results, lambda result: result.grade)]


def _years_until(years: Sequence[int], year: int, between: str) -> list[int]:
    """The year itself, or with all from the one before it where a range is written."""
    _require(FIRST_YEAR <= year <= LAST_YEAR)
    if years and UNTIL.fullmatch(between):
        _require(0 < year - years[-1] <= LONGEST_RANGE)
        return list(range(years[-1] + 1, year + 1))
    _require(BETWEEN.fullmatch(between) is not None)
    return [year]


def _require(holds: bool) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if not holds:
        raise NotReadable("is no text of annual appraisals")
