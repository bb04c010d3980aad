"""Reads a document closely: an answer has no property that it does not name. Its readers allow for new ones."""

from typing import Any


def close_shapes(document: dict[str, Any]) -> dict[str, Any]:
    for schema in document.get("components", {}).get("schemas", {}).values():
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    return document
