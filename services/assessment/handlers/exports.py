"""Exporting scores with all that is measured: bounded, within reach, marked with whose export it is, on record."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.indicators import Definition, compute_figure, show_value
from services.assessment.domain.periods import Period
from services.assessment.domain.scores import Score, SubjectKind
from services.assessment.exporting import ColumnType, Format, Row, write_file
from services.assessment.handlers.figures import count_kept, count_span, find_span, load_registry
from services.assessment.handlers.reading import ScoreQuery, list_scores
from services.assessment.handlers.turns import Turns
from services.assessment.storage import spans
from services.assessment.storage.reading import After
from shared.audit.chain import Line, note
from shared.database import Pool, transaction
from shared.errors import Rejected, TooMany
from shared.limits import Rate, take_in
from shared.reach import SYSTEM, current

Choice = Literal["all", "tallied"]
MOST_ROWS: Final = 20_000
DAY_SECONDS: Final = 86_400
PAGE: Final = 500
BLOCK: Final = 256 * 1024
LONGEST_SECONDS_A_PAGE: Final = 120
PAGES: Final = Turns(at_once=1, waiting=7, patience_seconds=60)  # files take turns page by page
HEAD: Final[dict[str, ColumnType]] = {
    "subject_kind": "VARCHAR",
    "code": "VARCHAR",
    "name": "VARCHAR",
    "organisation_code": "VARCHAR",
    "organisation_name": "VARCHAR",
    "peer_group": "VARCHAR",
    "period": "VARCHAR",
    "scheme": "VARCHAR",
    "scheme_version": "BIGINT",
    "composite": "DECIMAL(9, 4)",
    "present_weight": "DECIMAL(9, 4)",
}


class TooManyRows(Rejected):
    """More than one person should carry out of the house at once."""

    code = "too-many-rows"


class TooManyToday(TooMany):
    """What one person carries out in parts adds up."""

    code = "too-many-rows-today"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    id: UUID
    query: ScoreQuery
    format: Format
    indicators: Choice = "all"

    def list_definitions(self) -> list[Definition]:
        return [one for one in load_registry().definitions if one.is_tallied or self.indicators == "all"]


def export_scores(
    pool: Pool, asked: ExportRequest, *, show: Callable[[Definition], dict[str, Any]], zone: ZoneInfo, now: datetime
) -> BinaryIO:
    """Return the opened file. What is told of it is committed first.

    Raises TooManyRows, TooManyToday, CountingBusy, CountingTooLong.
    """
    definitions = asked.list_definitions()
    columns = dict(HEAD)
    for definition in definitions:
        columns |= {definition.key: "DECIMAL(9, 4)"}
        columns |= {f"{definition.key}_numerator": "BIGINT", f"{definition.key}_denominator": "BIGINT"}
    acting = current()
    mark = f"{acting.actor if acting else 'system'} {now:%Y-%m-%dT%H:%MZ} {asked.id}"
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        rows = bound_rows(_list_rows(pool, asked, zone=zone, now=now))
        shown = [show(definition) for definition in definitions]
        count = write_file(file, asked.format, columns, rows, definitions=shown, mark=mark)
        query = asked.query
        details = {
            "subject_kind": query.subject_kind,
            "period": query.period.label,
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


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Give the file away block by block, and close it."""
    with file:
        while block := file.read(BLOCK):
            yield block


def record_export(pool: Pool, export_id: UUID, details: dict[str, Any], *, count: int, now: datetime) -> None:
    """Whoever has several accounts has one sum a day. Raises TooManyToday."""
    acting = current()
    with transaction(pool) as connection:
        if acting is not None and count:
            rate = Rate(limit=MOST_ROWS, per_seconds=DAY_SECONDS)
            whose = acting.person_id or acting.account_id
            wait = take_in(connection, f"export:{whose}", rate, count=count, now=now)
            if wait is not None:
                raise TooManyToday(f"one person exports at most {MOST_ROWS} rows in a day", retry_after_seconds=wait)
        note(
            connection,
            Line(action="score.disclose", object_type="score_export", object_id=export_id, details=details),
        )


def _list_rows(pool: Pool, asked: ExportRequest, *, zone: ZoneInfo, now: datetime) -> Iterator[Row]:
    """By code, page by page. Which scores there are is asked within reach; their figures are those of everything."""
    query, after = replace(asked.query, sort="code"), None
    definitions = asked.list_definitions()
    while True:
        page, _ = list_scores(pool, query, after=after, limit=PAGE)
        measures = _count(pool, asked, [score.subject_id for score in page], zone=zone, now=now)
        for score in page:
            yield _row(score, query.period, definitions, measures[score.subject_id])
        if len(page) < PAGE:
            return
        after = After(composite=None, subject_code=page[-1].subject_code)


def _count(pool: Pool, asked: ExportRequest, subject_ids: list[UUID], *, zone: ZoneInfo, now: datetime) -> spans.Counts:
    """Of one page. Raises CountingBusy, CountingTooLong."""
    kind, period = asked.query.subject_kind, asked.query.period
    with (
        PAGES.take(),
        transaction(pool, reach=SYSTEM) as connection,
        spans.limiting(connection, seconds=LONGEST_SECONDS_A_PAGE) as limit,
    ):
        if asked.indicators == "tallied":
            return count_kept(connection, kind, subject_ids, period, zone=zone, now=now)
        span = find_span(connection, kind, subject_ids, period, zone=zone, now=now)
        return count_span(connection, span, subject_ids, limit=limit)


def _row(score: Score, period: Period, definitions: Sequence[Definition], measures: dict[str, int]) -> Row:
    return [
        score.subject_kind,
        score.subject_code,
        score.subject_name,
        score.organisation_code,
        score.organisation_name,
        score.peer_group,
        period.label,
        score.scheme_name,
        score.scheme_version,
        None if score.composite is None else str(score.composite),
        str(score.present_weight),
        *(cell for definition in definitions for cell in _list_cells(definition, score.subject_kind, measures)),
    ]


def _list_cells(definition: Definition, kind: SubjectKind, measures: dict[str, int]) -> Row:
    """Value, numerator and denominator; all empty where the indicator is of others alone."""
    if not definition.is_of(kind):
        return None, None, None
    figure = compute_figure(definition, measures)
    return show_value(definition, figure), figure.numerator, figure.denominator


def bound_rows(rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise TooManyRows(f"an export has at most {MOST_ROWS} rows; ask for one organisation after another")
        yield row
