"""What a person reads of a score: every figure in its place, in Chinese and English."""

from dataclasses import replace
from decimal import Decimal
from string import Formatter
from typing import Any, get_args

import pytest

from services.assessment.fair.explaining import Change, Explanation, Line, Moved
from services.assessment.fair.marks import Note
from services.assessment.fair.results import Band
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.telling import EN, NAMES, ZH, tell, tell_cadre, tell_change

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


def test_an_explanation_in_english() -> None:
    assert tell(EXPLANATION, "en").splitlines() == [
        "Score 78.50 (90% interval 71.20 to 85.80, reliability 0.612), among peers of towns.",
        "Resolution: 0.6200, usual for these cases 0.5500; allowed for load -0.0100, region -0.0300, unit +0.0050, "
        "peers' mean -0.0050; difference +0.1100 = +1.10 spreads (+0.90 believed), of which 15.0 records justify 0.43: "
        "+4.80 points.",
        "Outreach: difference from peers -0.2000 = -0.40 spreads (-0.30 believed), of which 0.70 is justified: "
        "-1.30 points.",
        "Records that moved it most:",
        "  i7 (Resolution): -0.50, usual 0.55: -1.20 points",
        "Not counted, or not wholly:",
        "  soon repeated: d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 +2",
        "  not due yet: i8, i9",
        "What one more would do:",
        "  the best Replies: +0.30 points",
        "A score is evidence, not the verdict: a named body decides and gives its reason.",
        "What own entries claim beyond what the rest suggests is not believed.",
        "own 3 0123456789ab",
    ]


def test_an_explanation_in_chinese() -> None:
    assert tell(EXPLANATION, "zh").splitlines() == [
        "得分78.50（90%区间71.20至85.80，依据充分程度0.612），与“towns”同类干部相比。",
        "问题解决：实际0.6200，同类事项通常0.5500；负担-0.0100、地区-0.0300、单位+0.0050、同类平均-0.0050另计；"
        "差+0.1100，合+1.10个标准差（采信+0.90），15.0件记录可证实其中0.43：+4.80分。",
        "联系群众：与同类平均相差-0.2000，合-0.40个标准差（采信-0.30），可证实其中0.70：-1.30分。",
        "影响最大的记录：",
        "　i7（问题解决）：-0.50，通常0.55：-1.20分",
        "不计或少计：",
        "  短期重复: d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 +2",
        "  尚未到期: i8, i9",
        "再多一件会怎样：",
        "　答复到位最好的一件：+0.30分",
        "得分是依据，不是结论；由有关机构作出决定并说明理由。",
        "自行登记的记录与其他情况相差过大的部分未采信。",
        "own 3 0123456789ab",
    ]


def test_what_there_is_nothing_of_has_no_heading_and_what_is_withheld_is_said_to_be() -> None:
    bare = replace(
        EXPLANATION,
        score=None,
        lines=(replace(OUTREACH, limited=None, points=None),),
        most=(),
        left_out={"duplicate": tuple(f"d{number}" for number in range(10))},
        caveats=("too_few_ratings",),
        would_change={},
    )

    assert tell(bare, "en").splitlines() == [
        "Too few people rated: what rests on them, and so the score, is not told.",
        "Outreach: difference from peers -0.2000 = -0.40 spreads (not told believed), of which 0.70 is justified: "
        "not told points.",
        "Not counted, or not wholly:",
        "  soon repeated: d0, d1, d2, d3, d4, d5, d6, d7, d8, d9",
        "Too few people rated for it to be told.",
        "own 3 0123456789ab",
    ]
    assert "Not counted" not in tell(replace(bare, left_out={}), "en")


ELSEWHERE = (
    "Resolution, Speed, Satisfaction, Outreach rest on citizens' answers: of these sums are told where enough people "
    "answered."
)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"total": 79, "band": "above"}, "Score 79 (in whole points), among peers of towns: above the peers' mean."),
        ({"total": None, "band": None}, "Too few people rated: what rests on them, and so the score, is not told."),
        ({"total": None, "band": "not_enough_evidence"}, "There are too few records to judge by."),
    ],
)
def test_a_cadre_reads_whole_points_and_the_steps_no_citizen_has_a_say_in(told: Any, sentence: str) -> None:
    reply = replace(OUTREACH, indicator="reply", points=None, limited=None)

    lines = tell_cadre(replace(EXPLANATION, lines=(reply,)), "en", **told)

    assert lines == [
        sentence,
        "Replies: 0.6200, usual for these cases 0.5500; allowed for load -0.0100, region -0.0300, unit +0.0050, "
        "peers' mean -0.0050; difference -0.2000 = -0.40 spreads (not told believed), of which 15.0 records justify "
        "0.70: not told points.",
        ELSEWHERE,
        "A score is evidence, not the verdict: a named body decides and gives its reason.",
        "It compares peers only.",
        "own 3 0123456789ab",
    ]


def test_a_cadre_reads_it_in_chinese() -> None:
    assert tell_cadre(replace(EXPLANATION, lines=()), "zh", total=72, band="middle") == [
        "得分72（取整公布），与“towns”同类干部相比：与同类平均分不出高低。",
        "问题解决、办理速度、群众满意、联系群众涉及群众评价，只按公布的合计数看，不逐项列出。",
        "得分是依据，不是结论；由有关机构作出决定并说明理由。",
        "只能与同类干部比较，不能跨类比较。",
        "own 3 0123456789ab",
    ]


def test_a_change_is_told_by_what_the_own_records_did_and_what_they_did_not() -> None:
    change = Change(
        cadre="C001",
        before=Decimal("74.10"),
        after=Decimal("75.90"),
        by_indicator={"reply": Decimal("2.00"), "speed": Decimal("0.00"), "outreach": Decimal("-0.20")},
        own={"reply": Decimal("1.70")},
    )

    assert tell_change(change, "en").splitlines() == [
        "The score went from 74.10 to 75.90.",
        "  Replies: +2.00 points (own records +1.70; the rest is what is usual, and how sure it is)",
        "  Outreach: -0.20 points (own records +0; the rest is what is usual, and how sure it is)",
    ]
    assert tell_change(change, "zh").splitlines() == [
        "得分由74.10变为75.90。",
        "　答复到位：+2.00分（其中本人记录+1.70分，其余为同类变化和依据多少）",
        "　联系群众：-0.20分（其中本人记录+0分，其余为同类变化和依据多少）",
    ]


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
