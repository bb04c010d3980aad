"""The ledger of what other systems were told, for officers and auditors."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from services.notify.api.paging import Cursor, Limit, page
from services.notify.api.webhook_deliveries import read_number
from services.notify.handlers import disclosures
from services.notify.storage.disclosures import Disclosure, Wanted
from shared.access.principal import Principal
from shared.answers import Page, gives, shows
from shared.edge import Instant
from shared.http import AppPool, json_response, permit
from shared.reach import current

router = APIRouter(tags=["disclosures"])
Reading = Annotated[Principal, Depends(permit("disclosure.read"))]
Exporting = Annotated[Principal, Depends(permit("disclosure.read_file"))]
Subject = Annotated[str | None, Query(max_length=200, description="`aggregate/id`, as in the events")]
LINES = "application/x-ndjson"


def _read_wanted(
    agreement_id: UUID | None = None,
    subject: Subject = None,
    event_id: UUID | None = None,
    from_at: Instant | None = None,
    until_at: Instant | None = None,
) -> Wanted:
    return Wanted(agreement_id=agreement_id, subject=subject, event_id=event_id, from_at=from_at, until_at=until_at)


@router.get("/v1/disclosures", responses=shows(Page[Disclosure]))
def list_disclosures(
    _: Reading,
    pool: AppPool,
    wanted: Annotated[Wanted, Depends(_read_wanted)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What was told to whom, when and under which agreement; the newest first."""
    found = disclosures.list_disclosures(pool, wanted, before=read_number(cursor), limit=limit + 1)
    shown, next_cursor = page(found, limit, [str(item.number) for item in found])
    return json_response({"items": shown, "next_cursor": next_cursor})


@router.get(
    "/v1/disclosure-file",
    response_class=StreamingResponse,
    responses=gives(200, description="One JSON object a line.", content={LINES: {"schema": {"type": "string"}}}),
)
def get_disclosure_file(_: Exporting, pool: AppPool, wanted: Annotated[Wanted, Depends(_read_wanted)]) -> Response:
    """The same as a file without pages."""
    batches = disclosures.read_all(pool, wanted, reach=current())
    headers = {"Content-Disposition": 'attachment; filename="disclosures.ndjson"'}
    return StreamingResponse(_lines(batches), media_type=LINES, headers=headers)


def _lines(batches: Iterator[list[Disclosure]]) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(orjson.dumps(item) + b"\n" for item in batch)
