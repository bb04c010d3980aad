"""The log of an issue, read for who held it when: what the ledger of responsibility is worked out from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.issues.table import StepKind
from services.intake.domain.responsibility import Holder, Turn

# The steps that say who holds an issue, and those that end and begin the time that counts.
SHAPING: Final = frozenset[StepKind](
    {"received", "assigned", "assisting_set", "objection_decided", "closed", "redo_ordered", "reopened"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingStep:
    kind: StepKind
    happened_at: datetime
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    assisting: tuple[UUID, ...] = ()
    is_upheld: bool = False


def list_turns(steps: Sequence[ShapingStep], *, due_at: datetime | None) -> list[Turn]:
    """Who held the issue from when on. `steps` are in the order of the log; a source may tell their times otherwise."""
    turns: list[Turn] = []
    is_ordered = False
    for step in steps:
        at = max(step.happened_at, turns[-1].at) if turns else step.happened_at
        if step.kind in ("received", "assigned") and step.organisation_id is not None:
            lead = Holder(organisation_id=step.organisation_id, cadre_id=step.cadre_id)
            stays = bool(turns) and turns[-1].lead.organisation_id == step.organisation_id
            assisting = turns[-1].assisting if stays else ()
            turns.append(Turn(at=at, lead=lead, assisting=assisting, due_at=due_at, is_ordered=is_ordered))
            is_ordered = False
        elif not turns:
            continue
        elif step.kind == "assisting_set":
            turns.append(replace(turns[-1], at=at, assisting=step.assisting, is_ordered=False))
        elif step.kind == "objection_decided" and step.is_upheld:
            turns = _undo_last_lead(turns)
            is_ordered = True
        elif step.kind == "closed":
            turns.append(replace(turns[-1], at=at, was_wrong=True, is_ordered=True))  # nobody's, until it is taken back
        elif step.kind in ("redo_ordered", "reopened"):
            turns.append(replace(turns[-1], at=at, was_wrong=False, is_ordered=True))
    return turns


def _undo_last_lead(turns: Sequence[Turn]) -> list[Turn]:
    """Mark the assignment that was objected to, with all that its unit arranged under it."""
    unit = turns[-1].lead.organisation_id
    undone = list(turns)
    for place in range(len(undone) - 1, -1, -1):
        if undone[place].lead.organisation_id != unit:
            break
        undone[place] = replace(undone[place], was_wrong=True)
    return undone
