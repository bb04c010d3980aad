"""The route by which registers leave as files."""

from datetime import UTC, datetime
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from services.intake.api.doors import doors
from services.intake.exporting import MEDIA_TYPES, Format
from services.intake.handlers import exports
from shared.access.principal import Principal
from shared.answers import gives
from shared.edge import CodeText
from shared.http import permit
from shared.identifiers import new_id

router = APIRouter(prefix="/v1/registers", tags=["registers"])
FILES = {name: {"schema": {"type": "string", "format": "binary"}} for name in ("text/csv", MEDIA_TYPES["xlsx"])}


@router.get(
    "/{register}/export",
    response_class=StreamingResponse,
    responses=gives(200, description="The register as a file.", content=FILES),
)
def export_register(
    request: Request,
    _: Annotated[Principal, Depends(permit("register.disclose"))],
    register: str,
    file_format: Annotated[Format, Query(alias="format")] = "csv",
    organisation_code: Annotated[CodeText | None, Query()] = None,
) -> Response:
    """Write the register, or what of it is an organisation's and below, as it stands; each export is in the audit."""
    now = datetime.now(UTC)
    asked = exports.ExportRequest(
        id=new_id(), register=register, format=file_format, organisation_code=organisation_code
    )
    file = exports.export_register(doors(request).pool, asked, now=now)
    return send_file(asked, file, now=now)


def send_file(asked: exports.ExportRequest, file: BinaryIO, *, now: datetime) -> Response:
    name = f"{asked.register}-{now:%Y%m%d}.{asked.format}"
    return StreamingResponse(
        exports.read_blocks(file),
        media_type=MEDIA_TYPES[asked.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
