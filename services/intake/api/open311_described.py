"""Open311 in the OpenAPI document: GeoReport's own shapes, written from its text."""

from collections.abc import Mapping
from typing import Any, Final

from services.intake.api.open311_shapes import MEDIA_TYPES, SPECIFICATION, Format
from services.intake.domain.filings import LONGEST_DESCRIPTION
from shared.answers import Answers, header
from shared.edge import FORM, PLAIN_TEXT
from shared.openapi import PROBLEM, REFERENCE

Schema = dict[str, Any]
TEXT: Final[Schema] = {"type": "string"}
GIVEN: Final[Schema] = {"type": "string", **PLAIN_TEXT}
NAME: Final[Schema] = {"type": "string", "minLength": 1, **PLAIN_TEXT}
STATE: Final[Schema] = {"type": "string", "pattern": "^([Oo][Pp][Ee][Nn]|[Cc][Ll][Oo][Ss][Ee][Dd])?$"}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
FLAG: Final[Schema] = {"type": "boolean"}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


ERRORS: Final = _list(_object({"code": TEXT, "description": TEXT}))
ENDPOINT: Final = _object(
    {
        "specification": {"const": SPECIFICATION},
        "url": {"type": "string", "format": "uri"},
        "changeset": INSTANT,
        "type": {"enum": ["production", "test"]},
        "formats": _list({"enum": ["text/xml", "application/json"]}),
    }
)
SERVICE: Final = _object(
    {
        "service_code": TEXT,
        "service_name": TEXT,
        "description": TEXT,
        "metadata": FLAG,
        "type": {"enum": ["realtime", "batch", "blackbox"]},
        "keywords": TEXT,
        "group": TEXT,
    }
)
ATTRIBUTE: Final = _object(
    {
        "variable": FLAG,
        "code": TEXT,
        "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
        "required": FLAG,
        "datatype_description": TEXT,
        "order": {"type": "integer", "minimum": 1},
        "description": TEXT,
    },
    {"values": _list(_object({"key": TEXT, "name": TEXT}))},
)
REQUEST: Final = _object(
    {
        "service_request_id": TEXT,
        "status": {"enum": ["open", "closed"]},
        "service_name": TEXT,
        "service_code": TEXT,
        "requested_datetime": INSTANT,
        "updated_datetime": INSTANT,
    },
    {
        "status_notes": TEXT,
        "agency_responsible": TEXT,
        "expected_datetime": INSTANT,
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "long": {"type": "number", "minimum": -180, "maximum": 180},
        "extended_attributes": _object(
            {"stage": {"enum": ["received", "responded", "closed"]}, "outcome": {"type": ["string", "null"]}}
        ),
        "notes": _list(_object({"datetime": INSTANT, "type": TEXT})),
    },
)
UPDATE: Final = _object(
    {
        "update_id": TEXT,
        "service_request_id": TEXT,
        "status": {"enum": ["open", "closed"]},
        "updated_datetime": INSTANT,
        "description": TEXT,
        "external_status_code": TEXT,
    }
)
SHAPES: Final[dict[str, Schema]] = {
    "discover": _object({"changeset": INSTANT, "contact": TEXT, "key_service": TEXT, "endpoints": _list(ENDPOINT)}),
    "list_services": _list(SERVICE),
    "get_service_definition": _object({"service_code": TEXT, "attributes": _list(ATTRIBUTE)}),
    "list_requests": _list(REQUEST),
    "get_request": {**_list(REQUEST), "minItems": 1, "maxItems": 1},
    "get_request_of_token": _list(_object({"service_request_id": TEXT, "token": TEXT})),
    "list_request_updates": _list(UPDATE),
    "file_request": _list(_object({"service_request_id": TEXT, "service_notice": TEXT, "account_id": TEXT})),
    "tell_request_update": _list(_object({"update_id": TEXT})),
}
REFUSED: Final = {
    400: "An argument does not fit, and the description says which.",
    403: "No api_key, or none that may do this.",
    404: "No such resource, service or jurisdiction.",
    429: "Too many requests; Retry-After says when again.",
    503: "The database is away.",
}
_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "list_requests": (
        "service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size", "extensions",
    ),
    "get_request": ("extensions",),
    "list_request_updates": ("start_date", "end_date", "page", "page_size"),
}  # fmt: skip
_PLACES: Final = {
    "get_service_definition": ("service_code",),
    "get_request": ("service_request_id",),
    "get_request_of_token": ("token",),
}
_FILED: Final = (
    "api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "zipcode", "email",
    "device_id", "account_id", "first_name", "last_name", "phone", "description", "media_url",
)  # fmt: skip
_TOLD: Final = ("api_key", "jurisdiction_id", "service_request_id", "status", "updated_datetime", "description")


def answers(name: str, form: Format) -> Answers:
    """What an operation answers, refusals included: GeoReport has words of its own for these."""
    content = {200: SHAPES[name], **dict.fromkeys(REFUSED, ERRORS)}
    return {
        status: {"description": REFUSED.get(status, "OK"), "content": _content(schema, form)}
        | ({"headers": {"Retry-After": header("Retry-After")}} if status in {429, 503} else {})
        for status, schema in content.items()
    }


def _content(schema: Schema, form: Format) -> dict[str, Any]:
    media_type = MEDIA_TYPES[form].partition(";")[0]
    problem = {PROBLEM: {"schema": {"$ref": REFERENCE + "Problem"}}} if schema is ERRORS else {}  # of the edge
    return problem | {
        media_type: {"schema": schema if form == "json" else {"type": "string", "contentMediaType": "text/xml"}}
    }


def parameters(name: str) -> dict[str, Any]:
    """Every argument is a text: an empty one is absent, and beside service_request_id no other is looked at."""
    query = ("jurisdiction_id", *_ARGUMENTS.get(name, ()))
    path = _PLACES.get(name, ())
    return {
        "parameters": [
            *({"name": one, "in": "path", "required": True, "schema": NAME} for one in path),
            *({"name": one, "in": "query", "required": False, "schema": GIVEN} for one in query),
        ]
    }


def form(name: str) -> dict[str, Any]:
    fields = _FILED if name == "file_request" else _TOLD
    properties: dict[str, Schema] = dict.fromkeys(fields, GIVEN)
    properties["description"] = {**GIVEN, "maxLength": LONGEST_DESCRIPTION}
    required = ["service_code"] if name == "file_request" else ["service_request_id"]
    properties |= dict.fromkeys(required, NAME)
    if name == "tell_request_update":
        properties["status"] = STATE
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {FORM.decode(): {"schema": schema}}}}
