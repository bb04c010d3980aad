"""The route by which scores leave as files, with every indicator and its definition."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import StreamingResponse

from services.assessment.api.doors import AppSettings
from services.assessment.api.indicators import show_definition
from services.assessment.api.scores import Composite, Flag
from services.assessment.domain.periods import parse_calendar_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.exporting import ENDINGS, MEDIA_TYPES, Format
from services.assessment.handlers import exports
from services.assessment.handlers.exports import Choice, ExportRequest
from services.assessment.handlers.reading import ScoreQuery
from shared.access.principal import Principal
from shared.answers import gives, refuses
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, permit
from shared.identifiers import new_id

router = APIRouter()
Exporter = Annotated[Principal, Depends(permit("score.disclose"))]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]
FILES = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}


@router.get(
    "/v1/scores/export",
    response_class=StreamingResponse,
    responses=gives(200, description="The scores as a file.", content=FILES) | refuses(404),
)
def export_scores(  # noqa: PLR0913 - the filters of a list are its arguments
    _: Exporter,
    pool: AppPool,
    settings: AppSettings,
    *,
    subject: SubjectKind,
    period_text: PeriodText,
    file_format: Annotated[Format, Query(alias="format")] = "csv",
    organisation: CodeText | None = None,
    peer_group: CodeText | None = None,
    post_kind: CodeText | None = None,
    composite_from: Composite = None,
    composite_below: Composite = None,
    flag: Flag = None,
    indicators: Choice = "all",
) -> Response:
    """Every indicator with its definition, or those alone that are tallied: that takes a fraction of the time.

    CSV comes in a ZIP with its definitions, XLSX with a sheet of them, Parquet with them in its metadata.
    """
    now = datetime.now(UTC)
    period = parse_calendar_period(period_text)
    query = ScoreQuery(
        subject_kind=subject,
        period=period,
        organisation_code=organisation,
        peer_group=peer_group,
        post_kind=post_kind,
        composite_from=Decimal(composite_from) if composite_from is not None else None,
        composite_below=Decimal(composite_below) if composite_below is not None else None,
        flag=flag,
        sort="code",
    )
    asked = ExportRequest(id=new_id(), query=query, format=file_format, indicators=indicators)
    file = exports.export_scores(pool, asked, show=show_definition, zone=settings.zone, now=now)
    name = f"scores-{period.label}.{ENDINGS[file_format]}"
    return StreamingResponse(
        exports.read_blocks(file),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
