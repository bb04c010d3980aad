"""Schemes as they are published: what a score was computed with, word for word."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.assessment.api.described import ShownScheme, ShownSchemeInFull
from services.assessment.handlers import schemes
from services.assessment.storage.schemes import StoredScheme
from shared.access.principal import Principal
from shared.answers import Listing, shows
from shared.conditions import tagged
from shared.edge import CodeText
from shared.http import AppPool, json_response, permit

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("scheme.read"))]


@router.get("/v1/schemes", responses=shows(Listing[ShownScheme]))
def list_schemes(_: Reader, pool: AppPool) -> Response:
    return json_response({"items": [_show(stored) for stored in schemes.list_schemes(pool)]})


@router.get("/v1/schemes/{name}/{version}", responses=shows(ShownSchemeInFull, headers=("ETag",)))
def get_scheme(
    request: Request, name: CodeText, version: Annotated[int, Path(ge=1, le=1_000_000)], _: Reader, pool: AppPool
) -> Response:
    stored = schemes.get_scheme(pool, name, version)
    return tagged(request, _show(stored) | {"definition": stored.definition})


def _show(stored: StoredScheme) -> dict[str, object]:
    return {
        "name": stored.name,
        "version": stored.version,
        "title": stored.definition["title"],
        "content_hash": stored.content_hash.hex(),
        "loaded_at": stored.loaded_at,
    }
