"""How Open311 answers look: one structure, written as XML or as the JSON that GeoReport maps it to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import orjson
from fastapi import Response

from services.intake.domain.filings import Attribute, Catalogue, Service
from services.intake.handlers.filings import ShownRequest

Format = Literal["xml", "json"]
MEDIA_TYPES: Final[dict[Format, str]] = {
    "xml": "text/xml; charset=utf-8",
    "json": "application/json; charset=utf-8",
}
SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
ZONE: Final = ZoneInfo("Asia/Shanghai")
ITEMS: Final = {
    "attributes": "attribute",
    "endpoints": "endpoint",
    "errors": "error",
    "formats": "format",
    "notes": "note",
    "service_request_updates": "request_update",
    "service_requests": "request",
    "services": "service",
    "values": "value",
}


def answer(root: str, content: object, form: Format, *, status: int = 200) -> Response:
    body = orjson.dumps(content) if form == "json" else _write_xml(root, content)
    return Response(body, status, media_type=None, headers={"Content-Type": MEDIA_TYPES[form]})


def show_instant(at: datetime) -> str:
    return at.astimezone(ZONE).isoformat(timespec="seconds")


def show_service(service: Service) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "service_name": service.name,
        "description": service.description,
        "metadata": bool(service.attributes),
        "type": "realtime",
        "keywords": ",".join(service.keywords),
        "group": service.group,
    }


def show_definition(service: Service) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "attributes": [_show_attribute(one, order) for order, one in enumerate(service.attributes, start=1)],
    }


def _show_attribute(attribute: Attribute, order: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "variable": attribute.variable,
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": attribute.required,
        "datatype_description": attribute.datatype_description,
        "order": order,
        "description": attribute.description,
    }
    if attribute.values:
        shown["values"] = [{"key": key, "name": name} for key, name in attribute.values.items()]
    return shown


def show_request(shown: ShownRequest, catalogue: Catalogue, *, extended: bool) -> dict[str, Any]:
    """Citizen-safe to the last field: what is not known or not told is left out."""
    request = shown.request
    service = catalogue.services.get(request.service_code)
    told: dict[str, Any] = {
        "service_request_id": str(request.id),
        "status": request.state,
        "status_notes": shown.notes,
        "service_name": service.name if service else request.service_code,
        "service_code": request.service_code,
        "agency_responsible": request.agency,
        "requested_datetime": show_instant(request.requested_at),
        "updated_datetime": show_instant(request.closed_at or request.updated_at),
        "expected_datetime": show_instant(request.expected_at) if request.expected_at else None,
        "lat": float(request.latitude) if request.latitude is not None else None,
        "long": float(request.longitude) if request.longitude is not None else None,
    }
    if extended:
        told["extended_attributes"] = {"stage": _stage(shown), "outcome": request.outcome}
        told["notes"] = [
            {"datetime": update["updated_datetime"], "type": update["external_status_code"]}
            for update in show_updates(shown)
        ]
    return _known(told)


def show_updates(shown: ShownRequest) -> list[dict[str, Any]]:
    """The steps that the public may know of, as updates of FixMyStreet's extension."""
    request = shown.request
    steps = (("responded", "open", request.responded_at, ""), ("closed", "closed", request.closed_at, shown.notes))
    return [
        {
            "update_id": f"{request.id}-{name}",
            "service_request_id": str(request.id),
            "status": status,
            "updated_datetime": show_instant(at),
            "description": text or "",
            "external_status_code": name,
        }
        for name, status, at, text in steps
        if at is not None
    ]


def _stage(shown: ShownRequest) -> str:
    if shown.request.closed_at is not None:
        return "closed"
    return "received" if shown.request.responded_at is None else "responded"


def show_discovery(catalogue: Catalogue, *, contact: str, base_url: str) -> dict[str, Any]:
    changeset = show_instant(catalogue.changeset)
    return {
        "changeset": changeset,
        "contact": contact,
        "key_service": "A machine client of this installation asks for a key at POST /v1/open311/keys.",
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": f"{base_url}/open311/v2",
                "changeset": changeset,
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


def _known(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _write_xml(root: str, content: object) -> bytes:
    written: bytes = ElementTree.tostring(_element(root, content), encoding="utf-8", xml_declaration=True)
    return written


def _element(name: str, content: object) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(content, Mapping):
        element.extend(_element(part, value) for part, value in content.items() if value is not None)
    elif isinstance(content, list):
        element.extend(_items(name, content))
    elif isinstance(content, bool):
        element.text = "true" if content else "false"
    else:
        element.text = str(content)
    return element


def _items(name: str, content: Iterable[object]) -> Iterable[ElementTree.Element]:
    return (_element(ITEMS[name], item) for item in content)
