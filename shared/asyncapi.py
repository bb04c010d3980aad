"""The AsyncAPI 3 document, made from the contracts: python -m shared.asyncapi [FILE]."""

import sys
from pathlib import Path
from typing import Any

import orjson

from shared.broker.seals import SEAL_HEADER
from shared.contracts.base import Event
from shared.contracts.envelope import CONTENT_TYPE, EVENTS


def build_document() -> dict[str, Any]:
    """One channel and one send operation an event; payloads are CloudEvents 1.0 in structured JSON."""
    schemas: dict[str, Any] = {"Envelope": _envelope_schema()}
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for event in EVENTS:
        name = event.__name__
        schemas[name] = _inline_schema(event)
        messages[name] = _message(event)
        channels[name] = _channel(event)
        operations[f"publish{name}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lianxin events",
            "version": "1.0.0",
            "description": "Facts that the services publish on RabbitMQ. Delivered at least once; the CloudEvents id "
            "tells repeats, `sequence` orders the events of one subject.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "account": {"type": "userPassword", "description": "An account of its own for each service."}
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:5671",
        "protocol": "amqps",
        "protocolVersion": "0-9-1",
        "description": "RabbitMQ. Other systems do not read from it: they are told by webhooks and the feed of notify.",
        "variables": {"host": {"default": "localhost", "description": "Where the installation's broker is"}},
        "security": [{"$ref": "#/components/securitySchemes/account"}],
    }


def _seal_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [SEAL_HEADER],
        "properties": {
            SEAL_HEADER: {
                "type": "string",
                "description": "A MAC under the producer's key over id, type, content type and body, in base64.",
            }
        },
    }


def _envelope_schema() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "correlationid", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid"},
            "source": text,
            "type": text,
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "correlationid": text,
            "data": {"type": "object"},
        },
    }


def _message(event: type[Event]) -> dict[str, Any]:
    data = {"type": {"const": event.type}, "data": {"$ref": f"#/components/schemas/{event.__name__}"}}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": event.summary,
        "contentType": CONTENT_TYPE,
        "headers": _seal_schema(),
        "correlationId": {"location": "$message.payload#/correlationid"},
        "payload": {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": data}]},
    }


def _channel(event: type[Event]) -> dict[str, Any]:
    exchange = f"evt.{event.key.partition('.')[0]}"
    return {
        "address": event.key,
        "description": event.summary,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _inline_schema(event: type[Event]) -> dict[str, Any]:
    schema = event.model_json_schema(mode="serialization")
    if "$defs" in schema:
        raise TypeError(f"{event.__name__}: a contract keeps its fields flat")
    return schema


def main() -> None:
    document = orjson.dumps(build_document(), option=orjson.OPT_INDENT_2) + b"\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(document)
    else:
        sys.stdout.buffer.write(document)


if __name__ == "__main__":
    main()
