"""Reading a sample for call-backs as the department does."""

from typing import Any


def members_of(ask, sample, who="county-officer"):
    found: list[dict[str, Any]] = []
    path = f"/v1/rating-samples/{sample['id']}/members?limit=50"
    cursor: str | None = ""
    while cursor is not None:
        page = ask("GET", path + (f"&cursor={cursor}" if cursor else ""), who=who).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found
