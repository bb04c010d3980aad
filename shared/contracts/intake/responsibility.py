"""What intake publishes of who answers for an issue."""

from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.contracts.base import Event, Instant

WHOLE = 1_000_000
Role = Literal["lead", "assisting"]
Millionths = Annotated[int, Field(ge=0, le=WHOLE)]
Place = Annotated[int, Field(ge=0)]


class ResponsibilityShared(Event):
    """More than one held the issue: these answer for it, each for so many millionths, which sum to one.

    Four lists of one length, a place for each holder and role. An issue of which no such event tells is all its
    lead's. `is_final`: the issue is closed; until then it is as it would stand when the issue falls due.

    The slices say of the same what was held when, in order of time: the place in those lists, from when until when, and
    the millionths, which sum to one again. They are absent where an older release told it.
    """

    type: ClassVar[str] = "cn.lianxin.responsibility.shared.v1"
    key: ClassVar[str] = "intake.responsibility.shared.v1"
    aggregate: ClassVar[str] = "responsibility"
    identified_by: ClassVar[str | None] = "ledger_id"
    dated_by: ClassVar[str | None] = "until_at"
    summary: ClassVar[str] = "Who answers for an issue, and for how much of it, was worked out"

    ledger_id: UUID
    issue_id: UUID
    shared_at: Instant
    until_at: Instant
    is_final: bool
    rule_version: Annotated[int, Field(ge=1, le=10_000)]
    organisation_ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)]
    cadre_ids: Annotated[list[UUID | None], Field(min_length=1, max_length=1_000)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=1_000)]
    millionths: Annotated[list[Millionths], Field(min_length=1, max_length=1_000)]
    slice_places: list[Place] = Field(default_factory=list, max_length=10_000)
    slice_from_ats: list[Instant] = Field(default_factory=list, max_length=10_000)
    slice_until_ats: list[Instant] = Field(default_factory=list, max_length=10_000)
    slice_millionths: list[Millionths] = Field(default_factory=list, max_length=10_000)

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        slices = (self.slice_places, self.slice_from_ats, self.slice_until_ats, self.slice_millionths)
        for lists in ((self.organisation_ids, self.cadre_ids, self.roles, self.millionths), slices):
            if len({len(one) for one in lists}) != 1:
                raise ValueError("the lists differ in length")
        if sum(self.millionths) != WHOLE or sum(self.slice_millionths) != (WHOLE if self.slice_places else 0):
            raise ValueError("the shares do not sum to one")
        if any(place >= len(self.millionths) for place in self.slice_places):
            raise ValueError("a slice is of nobody")
        return self


EVENTS: tuple[type[Event], ...] = (ResponsibilityShared,)
