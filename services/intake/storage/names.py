"""The names by which a batch asks for standing records: ids, and numbers of their sources."""

from collections.abc import Sequence
from uuid import UUID

from services.intake.domain.repeats import Named


def list_names(wanted: Sequence[Named]) -> list[list[UUID] | list[str]]:
    """Return three parameters: the ids, and in step with one another the sources and their numbers."""
    numbered = [(record.source, record.source_number) for record in wanted if record.source_number is not None]
    return [[record.id for record in wanted], [source for source, _ in numbered], [number for _, number in numbered]]
