"""The `webhooks` section of the OpenAPI document: what a partner's receiver is sent, made from the contracts."""

from typing import Any, Final

from fastapi import FastAPI

from services.notify.domain.audiences import TEST_TYPE, WITHHELD, open_types
from services.notify.domain.cloud_events import CONTENT_TYPE
from shared.contracts.base import Event
from shared.contracts.envelope import BY_TYPE

Document = dict[str, Any]
ENVELOPE: Final = "ToldEvent"
ANSWERS: Final[Document] = {
    "2XX": {"description": "Taken: it is kept, or was before (the same webhook-id). Answer within twenty seconds."},
    "410": {"description": "Never call this endpoint again: it is switched off."},
    "429": {
        "description": "Too many: nothing is sent to the endpoint until Retry-After has passed.",
        "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    },
    "default": {"description": "Not taken, redirects among them: it is tried again on the schedule."},
}
HEADERS: Final[list[Document]] = [
    {
        "name": "webhook-id",
        "in": "header",
        "required": True,
        "description": "The id of the event: the same at every attempt and replay. Take each once.",
        "schema": {"type": "string", "format": "uuid"},
    },
    {
        "name": "webhook-timestamp",
        "in": "header",
        "required": True,
        "description": "When this attempt was made, in seconds since 1970. Refuse what is more than five minutes off.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    {
        "name": "webhook-signature",
        "in": "header",
        "required": True,
        "description": "Signatures of `id.timestamp.body`, with spaces between them, each `v1,...` or `v1a,...`.",
        "schema": {"type": "string"},
    },
]


def describe_webhooks(app: FastAPI) -> None:
    """Complete the document that the app describes itself with."""
    describe = app.openapi

    def described() -> Document:
        document = describe()
        if "webhooks" not in document:
            schemas = document["components"]["schemas"]
            schemas[ENVELOPE] = _envelope()
            document["webhooks"] = _webhooks(schemas)
        return document

    app.openapi = described  # type: ignore[method-assign] # as FastAPI itself advises


def _webhooks(schemas: Document) -> Document:
    made: Document = {}
    for event_type in open_types():
        contract = BY_TYPE[event_type]
        schemas[contract.__name__] = _data_of(contract)
        made[event_type] = {"post": _operation(event_type, contract.__name__, contract.summary)}
    schemas["WebhookTested"] = {"type": "object", "maxProperties": 0}
    made[TEST_TYPE] = {
        "post": _operation(TEST_TYPE, "WebhookTested", "A test that somebody asked for; it tells nothing")
    }
    return made


def _operation(event_type: str, name: str, summary: str) -> Document:
    told = {"type": "object", "properties": {"type": {"const": event_type}, "data": _either(name)}}
    return {
        "operationId": f"receive{name}",
        "summary": summary,
        "parameters": HEADERS,
        "requestBody": {
            "required": True,
            "content": {CONTENT_TYPE: {"schema": {"allOf": [{"$ref": f"#/components/schemas/{ENVELOPE}"}, told]}}},
        },
        "responses": ANSWERS,
        "security": [],
    }


def _either(name: str) -> Document:
    """Facts where the agreement covers them, else the record's id alone."""
    return {
        "anyOf": [
            {"$ref": f"#/components/schemas/{name}"},
            {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string", "format": "uuid"}},
        ]
    }


def _data_of(contract: type[Event]) -> Document:
    schema = contract.model_json_schema(mode="serialization")
    for withheld in WITHHELD & schema.get("properties", {}).keys():
        del schema["properties"][withheld]
    schema["required"] = [name for name in schema.get("required", []) if name not in WITHHELD]
    return schema


def _envelope() -> Document:
    text = {"type": "string", "minLength": 1}
    instant = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "description": "CloudEvents 1.0. `sequence` orders the events of one `subject`; `dataref` is where it is read.",
        "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid"},
            "source": text,
            "type": text,
            "subject": text,
            "time": instant,
            "timestamp": instant,
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "dataref": {"type": "string", "format": "uri-reference"},
            "data": {"type": "object"},
        },
    }
