"""Exporting fair scores: the same numbers as the list, bounded, marked with whose export it is, on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final
from uuid import UUID

from services.assessment.exporting import ColumnType, Format, Row, write_file
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.telling import NAMES
from services.assessment.handlers.exports import bound_rows, record_export
from services.assessment.handlers.fair import read_fair_settings
from services.assessment.handlers.fair_results import FairQuery, ShownFairScore, list_scores
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FairExport:
    id: UUID
    query: FairQuery
    format: Format


def export_fair_scores(pool: Pool, asked: FairExport, *, now: datetime) -> BinaryIO:
    """Return the opened file. What is told of it is committed first. Raises TooManyRows, TooManyToday."""
    acting = current()
    mark = f"{acting.actor if acting else 'system'} {now:%Y-%m-%dT%H:%MZ} {asked.id}"
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        rows = bound_rows(_list_rows(pool, asked.query))
        count = write_file(file, asked.format, COLUMNS, rows, definitions=_definitions(), mark=mark)
        query = asked.query
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


def _definitions() -> list[dict[str, Any]]:
    settings = read_fair_settings()
    return [
        {
            "key": f"points_{name}",
            "title": dict(NAMES[name]),
            "weight": str(settings.weight_of(name) / 1_000_000),
            "scheme": f"{settings.name} {settings.version}",
            "content_hash": settings.content_hash,
        }
        for name in INDICATORS
    ]
