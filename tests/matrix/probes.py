"""How each route is asked: what it is for, and the request that aims at an object in a given place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.matrix.expectations import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One request: what fills the path, what is asked behind it, and the body."""

    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """`aim` makes the request for an object in this place, or gives None where there can be no such object.

    A list is asked once, and what counts is what it holds: `lists` has the text by which an object of each place shows.
    `known` are places beyond reach of which it is no secret that they are there, as the units above one's own.
    """

    action: str
    aim: Callable[[Place], Shot | None]
    lists: Mapping[Place, str] | None = None
    known: frozenset[Place] = frozenset()
    fine: frozenset[int] = frozenset({200, 201, 202, 204})
    is_open: bool = False  # to everybody, whoever they are
    absent: int = 404  # 422 where the object is named in the body


def everywhere(shot: Shot) -> Callable[[Place], Shot | None]:
    """For actions without an object: one request, whoever asks."""
    return lambda place: shot if place == "own" else None
