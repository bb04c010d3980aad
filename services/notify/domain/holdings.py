"""Who has an issue, as far as the events that were heard have told."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Holding:
    """Each part stands as the event with the highest sequence told it, whenever that came in."""

    issue_id: UUID
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    assignment_sequence: int = 0
    assisting_ids: list[UUID]
    assisting_sequence: int = 0
    is_closed: bool = False
    closure_sequence: int = 0

    def assign(self, organisation_id: UUID | None, cadre_id: UUID | None, *, sequence: int) -> None:
        if sequence > self.assignment_sequence:
            self.organisation_id, self.cadre_id, self.assignment_sequence = organisation_id, cadre_id, sequence

    def assist(self, organisation_ids: list[UUID], *, sequence: int) -> None:
        if sequence > self.assisting_sequence:
            self.assisting_ids, self.assisting_sequence = organisation_ids, sequence

    def close(self, *, is_closed: bool, sequence: int) -> None:
        if sequence > self.closure_sequence:
            self.is_closed, self.closure_sequence = is_closed, sequence

    @property
    def units(self) -> set[UUID]:
        return {*self.assisting_ids, *([self.organisation_id] if self.organisation_id else [])}
