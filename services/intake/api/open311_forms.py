"""How Open311 requests are read: an empty argument is an absent one, forms alone are taken, a key tells the sender."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from services.intake.api.doors import doors
from services.intake.domain.citizens import Citizen, describe_citizen
from services.intake.domain.filings import (
    LONGEST_VALUE,
    BadKey,
    BadRequest,
    Catalogue,
    name_of,
    read_attributes,
    read_catalogue,
    read_description,
    read_link,
    read_position,
)
from services.intake.handlers import filings
from shared.access.principal import Principal
from shared.edge import FORM, check_text
from shared.errors import Forbidden, Unauthenticated
from shared.http import authenticate, authenticate_client

MOST_FIELDS = 100
LONGEST_KEY = 100
_ATTRIBUTE = re.compile(r"attribute\[([A-Za-z0-9_-]{1,64})\](\[\])?", re.ASCII)
_KEPT_AS_WRITTEN = ("address_string", "address_id", "account_id", "device_id", "email", "zipcode")

Fields = dict[str, str]


def load_catalogue(file: Path) -> Catalogue:
    """Raises OSError, ValueError: a service does not start with services that it cannot read."""
    return read_catalogue(tomllib.loads(file.read_text("utf-8")))


def catalogue_of(request: Request) -> Catalogue:
    """Asks the database: the register of categories says which of the configured services there are."""
    catalogue: Catalogue = request.app.state.open311_catalogue
    return filings.offer(doors(request).pool, catalogue)


def read_arguments(request: Request) -> Fields:
    """The query. Raises BadRequest."""
    return _once(request.query_params.multi_items())


async def read_form(request: Request) -> tuple[Fields, dict[str, list[str]]]:
    """The fields of a form, those of the query for what it lacks, and its attributes. Raises BadRequest."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"')
    if kind.strip() != FORM.decode() or charset not in {"", "utf-8", "utf8"}:
        raise BadRequest("the body must be application/x-www-form-urlencoded in UTF-8")
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("the form cannot be read") from None
    attributes: dict[str, list[str]] = {}
    plain = []
    for name, value in pairs:
        matched = _ATTRIBUTE.fullmatch(name)
        if matched is None:
            plain.append((name, value))
        elif value:
            attributes.setdefault(matched[1], []).append(_checked(name, value))
    return read_arguments(request) | _once(plain), attributes


async def known_by_key(request: Request) -> Principal:
    """The machine client whose key the form names, or whose token the request carries. Raises BadKey, BadRequest."""
    fields, _ = await read_form(request)
    key = fields.get("api_key")
    try:
        if key is None and "authorization" in request.headers:
            return await authenticate(request)
        client_id = None
        if key is not None and len(key) <= LONGEST_KEY:
            client_id = await run_in_threadpool(filings.find_client, doors(request).pool, key)
        if client_id is not None:
            return await authenticate_client(request, client_id)
    except (Unauthenticated, Forbidden):
        pass
    raise BadKey("an api_key is needed, and this is none that is active")


def read_details(fields: Fields, attributes: Mapping[str, list[str]], catalogue: Catalogue) -> dict[str, Any]:
    """Everything that somebody wrote beside the description. Raises BadRequest, NoSuchService."""
    if "service_code" not in fields:
        raise BadRequest("service_code is required")
    service = catalogue.get(fields["service_code"])
    position = read_position(fields)
    if position is None and "address_string" not in fields and "address_id" not in fields:
        raise BadRequest("one of lat and long, address_string, address_id is required")
    details: dict[str, Any] = {name: fields[name] for name in _KEPT_AS_WRITTEN if name in fields}
    for name, value in details.items():
        if len(value) > LONGEST_VALUE:
            raise BadRequest(f"{name} is too long")
    if "media_url" in fields:
        details["media_url"] = read_link("media_url", fields["media_url"])
    if position is not None:
        details |= {"lat": position[0], "long": position[1]}
    asked = read_attributes(service, attributes)
    return details | ({"attributes": asked} if asked else {})


def read_sender(fields: Fields) -> Citizen | None:
    """The citizen, where a name or a phone is given. Raises NotValid."""
    name = name_of(fields.get("first_name"), fields.get("last_name"))
    phone = fields.get("phone")
    if name is None and phone is None:
        return None
    if len(name or "") > LONGEST_VALUE or len(phone or "") > LONGEST_VALUE:
        raise BadRequest("a name or phone is too long")
    return describe_citizen(name=name, phone=phone, id_number=None, id_kind=None, address=None, today=None)


def read_text(fields: Fields) -> str | None:
    return read_description(fields["description"]) if "description" in fields else None


def client_organisation(codes: tuple[str, ...]) -> str | None:
    """Where a client files that may file in some organisations only: in the first of them."""
    return codes[0] if codes else None


def account_of(principal: Principal) -> UUID:
    return principal.account_id


def _once(pairs: list[tuple[str, str]]) -> Fields:
    """Every argument once. Empty ones are absent."""
    fields: Fields = {}
    for name, value in pairs:
        if value:
            if name in fields and fields[name] != value:
                raise BadRequest("an argument stands there twice")
            fields[name] = _checked(name, value)
    return fields


def _checked(name: str, value: str) -> str:
    try:
        return check_text(value.replace("\r\n", "\n"))
    except ValueError:
        place = name if re.fullmatch(r"[a-z_\[\]]{1,40}", name, re.ASCII) else "an argument"
        raise BadRequest(f"{place} has characters that are no text") from None
