"""What a person reads of a score: every figure in its place, in Chinese and English."""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from string import Formatter
from typing import get_args

import pytest

from services.assessment.fair.explaining import Change, Explanation, Line, Moved
from services.assessment.fair.marks import Note
from services.assessment.fair.results import Band
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.signals.wording import Language
from services.assessment.fair.telling import EN, NAMES, ZH, tell, tell_cadre, tell_change, tell_lines

RESOLUTION = Line(
    indicator="resolution",
    weight=Decimal("0.4"),
    records=Decimal("15.0"),
    observed=Decimal("0.6200"),
    expected=Decimal("0.5500"),
    load=Decimal("-0.0100"),
    region=Decimal("-0.0300"),
    unit=Decimal("0.0050"),
    peers=Decimal("-0.0050"),
    difference=Decimal("0.1100"),
    spread=Decimal("0.1000"),
    level=Decimal("1.10"),
    limited=Decimal("0.90"),
    evidence=Decimal("0.43"),
    points=Decimal("4.80"),
)
OUTREACH = replace(
    RESOLUTION,
    indicator="outreach",
    difference=Decimal("-0.2000"),
    level=Decimal("-0.40"),
    limited=Decimal("-0.30"),
    evidence=Decimal("0.70"),
    points=Decimal("-1.30"),
)
EXPLANATION = Explanation(
    cadre="C001",
    peer_group="towns",
    settings="own 3",
    content_hash="0123456789abcdef",
    score=Decimal("78.50"),
    lower=Decimal("71.20"),
    upper=Decimal("85.80"),
    reliability=Decimal("0.612"),
    base=Decimal(75),
    lines=(RESOLUTION, OUTREACH),
    withheld=(),
    most=(
        Moved(
            record="i7",
            indicator="resolution",
            value=Decimal("-0.50"),
            expected=Decimal("0.55"),
            points=Decimal("-1.20"),
        ),
    ),
    left_out={"duplicate": tuple(f"d{number}" for number in range(12)), "not_due": ("i8", "i9")},
    signals=(),
    caveats=("evidence_not_verdict", "limited"),
    would_change={"reply": Decimal("0.30")},
)


FIGURE = re.compile(r"[a-z]?[+-]?\d+(?:\.\d+)?%?")


def _figures(lines: Iterable[str]) -> list[list[str]]:
    """Numbers and records line by line, in whatever order the words have them."""
    return [sorted(FIGURE.findall(line)) for line in lines]


def _list(*lines: str) -> list[list[str]]:
    return [sorted(line.split()) for line in lines]


IDENTITY = "own 3 0123456789ab"


@pytest.mark.parametrize("language", get_args(Language))
def test_every_figure_of_an_explanation_is_told(language: Language) -> None:
    *lines, identity = tell(EXPLANATION, language).splitlines()

    assert _figures(lines) == _list(
        "78.50 90% 71.20 85.80 0.612",
        "0.6200 0.5500 -0.0100 -0.0300 +0.0050 -0.0050 +0.1100 +1.10 +0.90 15.0 43% +4.80",
        "-0.2000 -0.40 -0.30 15.0 70% -1.30",
        "",
        "i7 -0.50 0.55 -1.20",
        "",
        "12 d0 d1 d2 d3 d4 d5 d6 d7 d8 d9",
        "2 i8 i9",
        "",
        "+0.30",
        "",
        "",
    )
    assert identity == IDENTITY


@pytest.mark.parametrize(
    ("language", "name"),
    [("zh", "乡镇（街道）行政正职·乡科级正职"), ("en", "township heads (township-section, principal)")],
)
def test_the_peer_group_is_told_in_words(language: Language, name: str) -> None:
    explanation = replace(EXPLANATION, peer_group="141.township_head")

    told = tell(explanation, language).splitlines()[0], tell_cadre(explanation, language, total=75, band="middle")[0]

    assert all(name in line and "141" not in line for line in told)


@pytest.mark.parametrize("language", get_args(Language))
def test_names_and_sentences_are_those_of_the_language(language: Language) -> None:
    words = {"zh": ZH, "en": EN}[language]
    lines = tell(EXPLANATION, language).splitlines()

    assert EXPLANATION.peer_group in lines[0]
    assert words["resolution"] in lines[1]
    assert words["outreach"] in lines[2]
    assert lines[3] == words["most"]
    assert words["resolution"] in lines[4]
    assert lines[5] == words["left_out"]
    assert words["duplicate"] in lines[6]
    assert words["more"] in lines[6]
    assert words["not_due"] in lines[7]
    assert words["more"] not in lines[7]
    assert lines[8] == words["would_change"]
    assert words["reply"] in lines[9]
    assert lines[10:12] == [words["evidence_not_verdict"], words["limited"]]
    assert tell_lines(EXPLANATION, language) == lines[1:3]


@pytest.mark.parametrize("language", get_args(Language))
def test_what_there_is_nothing_of_has_no_heading_and_no_figure(language: Language) -> None:
    words = {"zh": ZH, "en": EN}[language]
    line = replace(RESOLUTION, load=Decimal(0), region=Decimal(0), unit=Decimal("0.0000"), peers=Decimal(0))
    bare = replace(
        EXPLANATION,
        score=None,
        lines=(replace(line, limited=line.level), replace(OUTREACH, limited=None, points=None)),
        most=(),
        left_out={"duplicate": tuple(f"d{number}" for number in range(10))},
        caveats=("too_few_ratings",),
        would_change={},
    )

    lines = tell(bare, language).splitlines()

    assert lines[0] == words["no_score"]
    assert _figures(lines[1:3]) == _list("0.6200 0.5500 +0.1100 +1.10 15.0 43% +4.80", "-0.2000 -0.40 15.0 70%")
    assert words["less"].partition("{")[0] not in lines[1]
    assert lines[3] == words["left_out"]
    assert words["more"] not in lines[4]
    assert lines[5:] == [words["too_few_ratings"], IDENTITY]
    assert words["left_out"] not in tell(replace(bare, left_out={}), language)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize(
    ("total", "band", "word"),
    [
        (79, "above", "band_above"),
        (75, "middle", "band_middle"),
        (None, None, "no_score"),
        (None, "not_enough_evidence", "not_enough_evidence"),
    ],
)
def test_a_cadre_reads_whole_points_and_the_steps_no_citizen_has_a_say_in(
    language: Language, total: int | None, band: Band | None, word: str
) -> None:
    words = {"zh": ZH, "en": EN}[language]
    reply = replace(OUTREACH, indicator="reply", points=None, limited=None)

    score, step, elsewhere, *rest = tell_cadre(replace(EXPLANATION, lines=(reply,)), language, total=total, band=band)

    assert words[word] in score
    assert FIGURE.findall(score) == ([] if total is None else [str(total)])
    assert (EXPLANATION.peer_group in score) is (total is not None)
    assert words["reply"] in step
    assert all(words[name] in elsewhere for name in ("resolution", "speed", "satisfaction", "outreach"))
    assert not any(words[name] in elsewhere for name in ("timeliness", "reply"))
    assert rest == [words["evidence_not_verdict"], words["among_peers_only"], IDENTITY]


@pytest.mark.parametrize("language", get_args(Language))
def test_a_change_is_told_by_what_the_own_records_did_and_what_they_did_not(language: Language) -> None:
    words = {"zh": ZH, "en": EN}[language]
    change = Change(
        cadre="C001",
        before=Decimal("74.10"),
        after=Decimal("75.90"),
        by_indicator={"reply": Decimal("2.00"), "speed": Decimal("0.00"), "outreach": Decimal("-0.20")},
        own={"reply": Decimal("1.70")},
    )

    whole, reply, outreach = tell_change(change, language).splitlines()

    assert FIGURE.findall(whole) == ["74.10", "75.90"]
    assert FIGURE.findall(reply) == ["+2.00", "+1.70"]
    assert FIGURE.findall(outreach) == ["-0.20", "+0"]
    assert words["reply"] in reply
    assert words["outreach"] in outreach


CAVEATS = (
    "evidence_not_verdict",
    "among_peers_only",
    "too_few_ratings",
    "not_enough_evidence",
    "ranks_not_separable",
    "indicators_without_data",
    "limited",
)
OF_CONTACTS = ("unconfirmed", "short", "recorded_late", "same_citizen", "weekly_limit")
NOTES = tuple(note for note in get_args(Note) if note) + OF_CONTACTS


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_everything_that_may_be_said_has_words_of_its_own(words: dict[str, str]) -> None:
    said = [*INDICATORS, "base", *NOTES, *CAVEATS, *(f"band_{band}" for band in get_args(Band))]

    assert len({words[name] for name in said}) == len(said)
    assert ZH.keys() == EN.keys()
    assert NAMES["speed"] == {"zh": "办理速度", "en": "Speed"}


def test_both_languages_tell_the_same_figures() -> None:
    for name, text in ZH.items():
        fields = [sorted(field for _, field, _, _ in Formatter().parse(one) if field) for one in (text, EN[name])]
        assert fields[0] == fields[1], name
