"""What intake publishes of citizens: nothing but that a pseudonym leads nowhere any more."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Event, Instant


class CitizenErased(Event):
    """What tells who a citizen is was destroyed; the pseudonym remains, and leads nowhere any more."""

    type: ClassVar[str] = "cn.lianxin.citizen.erased.v1"
    key: ClassVar[str] = "intake.citizen.erased.v1"
    aggregate: ClassVar[str] = "citizen"
    identified_by: ClassVar[str | None] = "citizen_ref"
    summary: ClassVar[str] = "The identity of a citizen was erased"

    citizen_ref: UUID
    erased_at: Instant


EVENTS: tuple[type[Event], ...] = (CitizenErased,)
