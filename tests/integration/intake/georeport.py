"""JSON Schemas of GeoReport v2, written from its text: ids are texts, times have an offset, nothing else is there."""

from typing import Any

INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
TEXT = {"type": "string"}
ID = {"type": "string", "minLength": 1}


def _closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def _array(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_REQUEST = _closed(
    {
        "service_request_id": ID,
        "status": {"enum": ["open", "closed"]},
        "service_name": TEXT,
        "service_code": ID,
        "requested_datetime": INSTANT,
        "updated_datetime": INSTANT,
    },
    {
        **dict.fromkeys(("status_notes", "description", "agency_responsible", "service_notice", "address"), TEXT),
        **dict.fromkeys(("address_id", "zipcode", "media_url"), TEXT),
        "expected_datetime": INSTANT,
        "lat": {"type": "number"},
        "long": {"type": "number"},
        "extended_attributes": {"type": "object"},
        "notes": _array({"type": "object"}),
    },
)
_ATTRIBUTE = _closed(
    {
        "variable": {"type": "boolean"},
        "code": ID,
        "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
        "required": {"type": "boolean"},
        "datatype_description": TEXT,
        "order": {"type": "integer", "minimum": 1},
        "description": TEXT,
    },
    {"values": {**_array(_closed({"key": ID, "name": TEXT})), "minItems": 1}},
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "discovery": _closed(
        {
            "changeset": INSTANT,
            "contact": TEXT,
            "key_service": TEXT,
            "endpoints": {
                **_array(
                    _closed(
                        {
                            "specification": {"const": "http://wiki.open311.org/GeoReport_v2"},
                            "url": TEXT,
                            "changeset": INSTANT,
                            "type": {"enum": ["production", "test"]},
                            "formats": {"type": "array", "contains": {"const": "text/xml"}},
                        }
                    )
                ),
                "minItems": 1,
            },
        }
    ),
    "services": _array(
        _closed(
            {
                "service_code": ID,
                "service_name": TEXT,
                "description": TEXT,
                "metadata": {"type": "boolean"},
                "type": {"enum": ["realtime", "batch", "blackbox"]},
                "keywords": TEXT,
                "group": TEXT,
            }
        )
    ),
    "definition": _closed({"service_code": ID, "attributes": _array(_ATTRIBUTE)}),
    "requests": _array(_REQUEST),
    "filed": {
        **_array(
            {
                **_closed({}, {"service_request_id": ID, "token": ID, "service_notice": TEXT, "account_id": TEXT}),
                "oneOf": [{"required": ["service_request_id"]}, {"required": ["token"]}],
            }
        ),
        "minItems": 1,
        "maxItems": 1,
    },
    "updates": _array(
        _closed(
            {
                "update_id": ID,
                "service_request_id": ID,
                "status": {"enum": ["open", "closed"]},
                "updated_datetime": INSTANT,
                "description": TEXT,
            },
            {"media_url": TEXT, "external_status_code": TEXT},
        )
    ),
}
