"""The tree that every service's world stands on, and the codes by which its places are known."""

from collections.abc import Mapping
from typing import Final

from tests.matrix.expectations import Place

CODES: Final[Mapping[Place, str]] = {
    "own": "330100101",
    "colleague": "330100101",
    "below": "330100101201",
    "beside": "330100102",
    "above": "330100",
    "elsewhere": "440100101",
    "unknown": "999999",
}
REAL: Final[tuple[Place, ...]] = tuple(place for place in CODES if place != "unknown")
TREE: Final = (
    ("330000", None),
    ("330100", "330000"),
    ("330100101", "330100"),
    ("330100101201", "330100101"),
    ("330100102", "330100"),
    ("440000", None),
    ("440100101", "440000"),
)


def staff_number(place: Place) -> str:
    return f"A-{place}"


# By what an object of each place is known in a list.
ORGANISATIONS: Final[Mapping[Place, str]] = {place: f'"{CODES[place]}"' for place in REAL}
CADRES: Final[Mapping[Place, str]] = {place: f'"{staff_number(place)}"' for place in REAL}
