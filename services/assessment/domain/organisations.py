"""The organisation tree, walked upward."""

from collections.abc import Mapping
from uuid import UUID

DEEPEST = 32


def line_of(organisation_id: UUID, parents: Mapping[UUID, UUID | None]) -> list[UUID]:
    """The organisation and those above it, up to the root, or to one whose entry has not arrived. A circle ends."""
    line = [organisation_id]
    while len(line) < DEEPEST:
        above = parents.get(line[-1])
        if above is None or above in line or above not in parents:
            break
        line.append(above)
    return line


def depth_of(organisation_id: UUID, parents: Mapping[UUID, UUID | None]) -> int:
    return len(line_of(organisation_id, parents)) - 1
