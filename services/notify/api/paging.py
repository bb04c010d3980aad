"""Pages of lists: where one ends and the next begins."""

from collections.abc import Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from shared.pages import BadCursor, decode_cursor, encode_cursor

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


def read_id(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0])
    except (ValueError, TypeError, AttributeError):
        raise BadCursor("the cursor is not one of ours") from None


def page(found: Sequence[Item], limit: int, keys: Sequence[str]) -> tuple[Sequence[Item], str | None]:
    """One more than the page was asked for: whether it is there tells whether there is a next page."""
    return found[:limit], encode_cursor([keys[limit - 1]]) if len(found) > limit else None
