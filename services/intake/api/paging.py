"""Pages of lists that are ordered by time: where one ends and the next begins."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response

from shared.http import json_response
from shared.pages import BadCursor, decode_cursor, encode_cursor

Place = tuple[datetime, UUID]


def page(items: list[dict[str, Any]], limit: int) -> Response:
    """Items have an `id`, and say by `at` where they stand."""
    last = items[-1] if len(items) == limit else None
    following = encode_cursor([last["at"].isoformat(), str(last["id"])]) if last else None
    return json_response({"items": items, "next_cursor": following})


def place_after(cursor: str | None) -> Place | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    at, item_id = decode_cursor(cursor, length=2)
    try:
        return datetime.fromisoformat(at or ""), UUID(item_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
