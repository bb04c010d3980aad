"""The text of annual appraisals: three conventions read, each written so that it reads as the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.appraisals import (
    WRITTEN,
    AppraisalResult,
    Convention,
    NotReadable,
    read_appraisals,
    write_appraisals,
)

CONVENTIONS: tuple[Convention, ...] = ("quoted", "plain", "merged")
HISTORIES = st.dictionaries(st.integers(1949, 2199), st.sampled_from(sorted(WRITTEN)), max_size=60)


def pairs(text: str) -> list[tuple[int, str]]:
    return [(result.year, result.grade) for result in read_appraisals(text)]


@pytest.mark.parametrize(
    ("text", "results"),
    [
        (
            "2019年年度考核“优秀”等次；2020年年度考核“称职”等次；2021年年度考核不定等次。",
            [(2019, "excellent"), (2020, "competent"), (2021, "ungraded")],
        ),
        ("2017年年度考核为称职,2018年年度考核为优秀。", [(2017, "competent"), (2018, "excellent")]),
        (
            "1997、1998年度考核为称职,1999年度考核为优秀",
            [(1997, "competent"), (1998, "competent"), (1999, "excellent")],
        ),
        (
            "2015年至2017年年度考核均为称职".replace("均", ""),
            [(2015, "competent"), (2016, "competent"), (2017, "competent")],
        ),
        ("2020：基本称职\n2021：不称职", [(2020, "basic"), (2021, "incompetent")]),
        ("2020年，2021年年度考核为合格；2020年度考核为称职", [(2020, "competent"), (2021, "competent")]),
        ("(无)", []),
        ("", []),
        ("  无 ", []),
    ],
)
def test_what_the_systems_write_is_read(text: str, results: list[tuple[int, str]]) -> None:
    assert pairs(text) == results


@pytest.mark.parametrize(
    "text",
    [
        "优秀",
        "2019年",
        "2019年年度考核优异",
        "2019年年度考核为优秀，2019年年度考核为称职",
        "12019年年度考核为优秀",
        "1918年年度考核为优秀",
        "2019年受到嘉奖，年度考核为优秀",
        "2000年至2199年年度考核为称职",
        "2019年年度考核为优秀，另见附页",
        "٢٠١٩年年度考核为优秀",
    ],
)
def test_what_does_not_read_is_not_guessed(text: str) -> None:
    with pytest.raises(NotReadable):
        read_appraisals(text)


@settings(deadline=None)
@given(history=HISTORIES, convention=st.sampled_from(CONVENTIONS))
def test_every_history_reads_as_it_was_written(history, convention) -> None:
    results = [AppraisalResult(year, grade) for year, grade in sorted(history.items())]

    assert read_appraisals(write_appraisals(results, convention)) == results


@settings(deadline=None)
@given(st.text(alphabet="20195年度考核为优秀称职不定等次“”、，；。至-x ", max_size=300))
def test_no_text_brings_it_down(text: str) -> None:
    try:
        results = read_appraisals(text)
    except NotReadable:
        return
    assert read_appraisals(write_appraisals(results, "merged")) == results


@pytest.mark.parametrize(
    "text", ["2019" * 25_000, "年" * 100_000, "2019、" * 20_000, "优秀" * 50_000, "2019年至" * 12_000]
)
def test_long_texts_end_quickly_one_way_or_the_other(text: str) -> None:
    with pytest.raises(NotReadable):
        read_appraisals(text)


def test_the_conventions_differ_as_their_systems_do() -> None:
    results = [
        AppraisalResult(2019, "competent"),
        AppraisalResult(2020, "competent"),
        AppraisalResult(2021, "ungraded"),
    ]

    assert (
        write_appraisals(results, "quoted")
        == "2019年年度考核“称职”等次；2020年年度考核“称职”等次；2021年年度考核不定等次。"
    )
    assert write_appraisals(results, "plain").startswith("2019年年度考核为称职,2020年年度考核为称职,")
    assert write_appraisals(results, "merged") == "2019、2020年度考核为称职,2021年度考核为不定等次"
    assert write_appraisals([], "merged") == "(无)"
