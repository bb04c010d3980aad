"""Exporting fair scores: the same numbers as the list, bounded, marked with whose export it is, on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final
from uuid import UUID

from services.assessment.exporting import ColumnType, Format, Row, write_file
from services.assessment.fair.settings import INDICATORS, FairSettings
from services.assessment.fair.telling import NAMES
from services.assessment.handlers.exports import bound_rows, record_export
from services.assessment.handlers.fair import read_fair_settings
from services.assessment.handlers.fair_results import FairQuery, ShownFairScore, find_settings, list_scores
from shared.database import Pool
from shared.reach import current

PAGE: Final = 500
NUMBER: Final[ColumnType] = "DECIMAL(9, 4)"
COLUMNS: Final[dict[str, ColumnType]] = {
    "staff_number": "VARCHAR",
    "name": "VARCHAR",
    "organisation_code": "VARCHAR",
    "peer_group": "VARCHAR",
    "starts_on": "VARCHAR",
    "ends_on": "VARCHAR",
    "scheme": "VARCHAR",
    **dict.fromkeys(("score", "lower", "upper", "reliability"), NUMBER),
    "band": "VARCHAR",
    "rank_best": "BIGINT",
    "rank_worst": "BIGINT",
    "award_zone": "VARCHAR",
    "flags": "VARCHAR",
    "base": NUMBER,
    **{f"points_{name}": NUMBER for name in INDICATORS},
    "content_hash": "VARCHAR",
}

Words = tuple[str, str, str, str]  # title and meaning, in Chinese and English in turn
TITLES: Final[dict[str, Words]] = {
    "staff_number": ("干部编号", "Staff number", "", ""),
    "name": ("姓名", "Name", "", ""),
    "organisation_code": ("单位代码", "Code of the organisation", "", ""),
    "peer_group": (
        "同类组",
        "Peer group",
        "职级与职务类别；得分只在组内可比",
        "level and kind of post; compare within it only",
    ),
    "starts_on": ("起始日", "First day", "计分所依据记录的起始日", "of the records scored"),
    "ends_on": ("截止日", "Last day", "计分所依据记录的截止日", "of the records scored"),
    "scheme": ("方案", "Scheme", "名称和版本", "name and version"),
    "score": ("得分", "Score", "75分为同类平均，10分为一个标准差", "75 is the peers' mean, 10 one standard deviation"),
    "lower": ("区间下限", "Lower bound", "90%区间", "of the 90% interval"),
    "upper": ("区间上限", "Upper bound", "90%区间", "of the 90% interval"),
    "reliability": ("依据充分程度", "Reliability", "0至1；低于0.3为依据不足", "0 to 1; not enough evidence below 0.3"),
    "band": (
        "与同类平均相比",
        "Band",
        "above：高于同类平均；middle：与同类平均无明显差异；below：低于同类平均；not_enough_evidence：依据不足",
        "above, middle (cannot be told from the peers' mean), below, not_enough_evidence",
    ),
    "rank_best": ("可能的最前位次", "Best rank possible", "组内；区间重叠的分不出先后", "among peers, by the interval"),
    "rank_worst": (
        "可能的最后位次",
        "Worst rank possible",
        "组内；区间重叠的分不出先后",
        "among peers, by the interval",
    ),
    "award_zone": (
        "优秀等次参考区",
        "Zone towards a quota",
        "clear：在名额内；open：由有关机构研究决定并说明理由；no：在名额外；空白：不划区",
        "clear; open: a committee decides and gives its reasons; no; empty: none",
    ),
    "flags": ("待核实的线索", "Checks that ask for a look", "不是结论，也不扣分", "no finding, and no points off"),
    "base": (
        "同类平均",
        "Peers' mean",
        "与各项得分相加等于得分；一般为75，得分到0或100为止时相应调整",
        "with the points it adds up to the score: 75, unless that stops at 0 or 100",
    ),
    "content_hash": ("校验值", "Hash", "此人此期得分内容的校验值", "of the score's content"),
}
OF_POINTS: Final = ("本项使得分高于或低于同类平均的分数", "by how much it moves the score from the peers' mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class FairExport:
    id: UUID
    query: FairQuery
    format: Format


def export_fair_scores(pool: Pool, asked: FairExport, *, now: datetime) -> BinaryIO:
    """Return the opened file. What is told of it is committed first. Raises TooManyRows, TooManyToday."""
    query = asked.query
    settings = find_settings(pool, query.period) if query.period else read_fair_settings()
    acting = current()
    mark = f"{acting.actor if acting else 'system'} {now:%Y-%m-%dT%H:%MZ} {asked.id}"
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        rows = bound_rows(_list_rows(pool, query))
        count = write_file(file, asked.format, COLUMNS, rows, definitions=_definitions(settings), mark=mark)
        details = {
            "scheme": "fair",
            "period": query.period.label if query.period else "",
            "organisation": query.organisation_code or "",
            "format": asked.format,
            "rows": count,
            "mark": mark,
        }
        record_export(pool, asked.id, details, count=count, now=now)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _list_rows(pool: Pool, query: FairQuery) -> Iterator[Row]:
    after = None
    while True:
        page = list_scores(pool, query, after=after, limit=PAGE)
        yield from map(_row, page)
        if len(page) < PAGE:
            return
        after = page[-1].staff_number


def _row(score: ShownFairScore) -> Row:
    return [
        score.staff_number,
        score.name,
        score.organisation_code,
        score.peer_group,
        score.starts_on.isoformat(),
        score.ends_on.isoformat(),
        score.scheme,
        score.score,
        score.lower,
        score.upper,
        score.reliability,
        score.band,
        score.rank_best,
        score.rank_worst,
        score.award_zone,
        " ".join(score.flags),
        score.points["base"],
        *(score.points[name] for name in INDICATORS),
        score.content_hash,
    ]


def _definitions(settings: FairSettings) -> list[dict[str, Any]]:
    """Of every column, in their order."""
    words = TITLES | {f"points_{name}": (*NAMES[name].values(), *OF_POINTS) for name in INDICATORS}
    weights = {f"points_{name}": str(settings.weight_of(name) / 1_000_000) for name in INDICATORS}
    return [
        {
            "key": column,
            "title": {"zh": words[column][0], "en": words[column][1]},
            "meaning": {"zh": words[column][2], "en": words[column][3]},
            "weight": weights.get(column, ""),
            "scheme": f"{settings.name} {settings.version}",
            "content_hash": settings.content_hash,
        }
        for column in COLUMNS
    ]
