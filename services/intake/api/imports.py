"""Routes of imports: a file comes in as the bare body of a request and is imported after the answer."""

import asyncio
import errno
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from services.intake.api.doors import doors, read_key_text
from services.intake.handlers import imports
from services.intake.importing.spool import Upload, UploadTooLarge, remove_stored, stored_name
from services.intake.storage.imports import ImportRun, Severity, State
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.conditions import tagged
from shared.errors import Rejected, Transient
from shared.http import json_response, permit, problem
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.openapi import IDEMPOTENCY_KEY
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.reach import current

SILENCE_SECONDS = 30  # a sender that says nothing for so long has gone, or wants to keep us busy
BLOCK = 1024 * 1024
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in (
                "text/csv",
                "application/gzip",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            )
        },
    }
}

router = APIRouter(prefix="/v1/imports", tags=["imports"])
Reader = Annotated[Principal, Depends(permit("import.read"))]
FindingsReader = Annotated[Principal, Depends(permit("import.read_findings"))]
Writer = Annotated[Principal, Depends(permit("import.run"))]


class ShownImport(Shown):
    id: UUID
    profile: str
    file_name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: int
    dry_run: bool
    state: State
    reason_code: str | None
    reason: str | None
    rows_read: int
    created: int
    changed: int
    unchanged: int
    errors: int
    flags: int
    findings: dict[str, int]
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ShownFinding(Shown):
    line: int
    severity: Severity
    code: str
    column: str | None
    detail: str


ACCEPTED = (
    shows(ShownImport, description="The key stood for this import already.")
    | shows(ShownImport, status=202, description="The file is stored and the import entered.", headers=("Location",))
    | refuses(404)
)


class EmptyUpload(Rejected):
    code = "empty-upload"


class UploadBrokeOff(Rejected):
    code = "upload-broke-off"


class SpoolFull(Transient):
    code = "spool-full"


@router.post("", status_code=202, responses=ACCEPTED, openapi_extra=UPLOAD_BODY | {"parameters": [IDEMPOTENCY_KEY]})
async def start_import(
    request: Request,
    principal: Writer,
    profile: Annotated[str, Query(min_length=1, max_length=64)],
    file_name: Annotated[str, Query(max_length=1_000)] = "",
    *,
    dry_run: bool = False,
) -> Response:
    """Store the file, enter the import, and only then answer. The profile is checked before the first byte is read."""
    pool = doors(request).pool
    settings = imports.settings_of(doors(request).settings)
    key = read_key_text(request)
    await run_in_threadpool(imports.check_import, pool, profile, settings, current())
    run_id = new_id()
    upload = await run_in_threadpool(Upload, settings.directory, stored_name(run_id), settings.most_bytes)
    try:
        await _receive(request, upload)
    except UploadTooLarge as refusal:
        upload.abandon()
        return problem(413, refusal.code, refusal.detail)
    except BaseException:  # a cancelled request too must not leave half a file behind
        upload.abandon()
        raise
    asked = imports.ImportRequest(
        id=run_id,
        profile=profile,
        dry_run=dry_run,
        file_name=file_name,
        storage_name=upload.name,
        sha256=upload.sha256,
        byte_count=upload.byte_count,
        requested_by=str(principal.account_id),
        reach=current(),
        correlation_id=correlation_id(),
        idempotency_key=key,
    )
    # An error here leaves the file where it is: the commit may have gone through. The sweep removes what no run wants.
    run, is_new = await run_in_threadpool(imports.request_import, pool, asked, now=datetime.now(UTC))
    if not is_new:
        await run_in_threadpool(remove_stored, settings.directory, upload.name)
        return json_response(_describe(run))
    request.app.state.nudge_import(str(run.id))
    return json_response(_describe(run), status=202, headers={"Location": f"/v1/imports/{run.id}"})


@router.get("/{import_id}", responses=shows(ShownImport, headers=("ETag",)))
def get_import(request: Request, _: Reader, import_id: UUID) -> Response:
    return tagged(request, _describe(imports.get_import(doors(request).pool, import_id)))


@router.get("/{import_id}/findings", responses=shows(Page[ShownFinding]))
def list_findings(
    request: Request,
    _: FindingsReader,
    import_id: UUID,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    after_id = _read_cursor(cursor)
    found = imports.list_findings(doors(request).pool, import_id, after_id=after_id, limit=limit + 1)
    page = found[:limit]
    items = [
        {
            "line": finding.line,
            "severity": finding.severity,
            "code": finding.code,
            "column": finding.column_name or None,
            "detail": finding.detail,
        }
        for finding in page
    ]
    following = encode_cursor([str(page[-1].id)]) if len(found) > limit else None
    return json_response({"items": items, "next_cursor": following})


async def _receive(request: Request, upload: Upload) -> None:
    """Write the body to the disk in large blocks, off the event loop. Raises what is wrong with the upload."""
    stream = request.stream().__aiter__()
    waiting = bytearray()
    try:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                block = await anext(stream, None)
            waiting += block or b""
            if len(waiting) >= BLOCK or block is None:
                await run_in_threadpool(upload.write, bytes(waiting))
                waiting.clear()
            if block is None:
                break
        if upload.byte_count == 0:
            raise EmptyUpload("the body is empty; it must be the file")
        await run_in_threadpool(upload.finish)
    except (ClientDisconnect, TimeoutError):
        raise UploadBrokeOff("the upload ended early") from None
    except OSError as problem:
        if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SpoolFull("there is no room for the file at the moment") from None
        raise


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    text = decode_cursor(cursor, length=1)[0] or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadCursor("the cursor is not one of ours")
    return int(text)


def _describe(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "profile": run.profile,
        "file_name": run.file_name,
        "sha256": run.sha256.hex(),
        "size": run.byte_count,
        "dry_run": run.dry_run,
        "state": run.state,
        "reason_code": run.reason_code,
        "reason": run.reason,
        "rows_read": run.rows_read,
        "created": run.created_count,
        "changed": run.changed_count,
        "unchanged": run.unchanged_count,
        "errors": run.refused_count,
        "flags": run.flagged_count,
        "findings": run.tallies,
        "attempts": run.attempts,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
