"""Exporting scores with every tallied indicator: bounded, within reach, marked with whose export it is, on record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final
from uuid import UUID

from services.assessment.domain.indicators import Definition, compute_figure, show_value
from services.assessment.domain.scores import Score
from services.assessment.exporting import ColumnType, Format, Row, write_file
from services.assessment.handlers.figures import load_registry
from services.assessment.handlers.reading import ScoreQuery, list_scores
from services.assessment.storage import tallies
from services.assessment.storage.reading import After
from shared.audit.chain import Line, note
from shared.database import Pool, transaction
from shared.errors import Rejected, TooMany
from shared.limits import Rate, take_in
from shared.reach import SYSTEM, current

MOST_ROWS: Final = 20_000
DAY_SECONDS: Final = 86_400
PAGE: Final = 500
BLOCK: Final = 256 * 1024
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


def export_scores(
    pool: Pool, asked: ExportRequest, *, show: Callable[[Definition], dict[str, Any]], now: datetime
) -> BinaryIO:
    """Return the opened file. What is told of it is committed first. Raises TooManyRows, TooManyToday."""
    definitions = [one for one in load_registry().definitions if one.is_tallied]
    columns = dict(HEAD)
    for definition in definitions:
        columns |= {definition.key: "DECIMAL(9, 4)"}
        columns |= {f"{definition.key}_numerator": "BIGINT", f"{definition.key}_denominator": "BIGINT"}
    acting = current()
    mark = f"{acting.actor if acting else 'system'} {now:%Y-%m-%dT%H:%MZ} {asked.id}"
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        rows = bound_rows(_list_rows(pool, asked.query, definitions))
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


def _list_rows(pool: Pool, query: ScoreQuery, definitions: list[Definition]) -> Iterator[Row]:
    """By code, page by page. Which scores there are is asked within reach; their figures are those of everything."""
    by_code, after = replace(query, sort="code"), None
    while True:
        page, _ = list_scores(pool, by_code, after=after, limit=PAGE)
        asked = [(score.subject_id, query.period) for score in page]
        with transaction(pool, reach=SYSTEM) as connection:
            sums = tallies.sum_measures(connection, query.subject_kind, asked) if asked else {}
        for score in page:
            yield _row(score, query, definitions, sums.get((score.subject_id, query.period), {}))
        if len(page) < PAGE:
            return
        after = After(composite=None, subject_code=page[-1].subject_code)


def _row(score: Score, query: ScoreQuery, definitions: list[Definition], measures: dict[str, int]) -> Row:
    figures = [(definition, compute_figure(definition, measures)) for definition in definitions]
    return [
        score.subject_kind,
        score.subject_code,
        score.subject_name,
        score.organisation_code,
        score.organisation_name,
        score.peer_group,
        query.period.label,
        score.scheme_name,
        score.scheme_version,
        None if score.composite is None else str(score.composite),
        str(score.present_weight),
        *(
            cell
            for definition, figure in figures
            for cell in (show_value(definition, figure), figure.numerator, figure.denominator)
        ),
    ]


def bound_rows(rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise TooManyRows(f"an export has at most {MOST_ROWS} rows; ask for one organisation after another")
        yield row
