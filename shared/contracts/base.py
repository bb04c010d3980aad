"""What every event has in common: its names, its aggregate, and how strictly it is read."""

import uuid
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Code = Annotated[str, Field(min_length=1, max_length=64)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Instant = AwareDatetime


class Event(BaseModel):
    """A fact about one aggregate. Readers ignore fields they do not know; fields are only added, with a default."""

    # A process meets few of the sixty or so: each is made ready when the first of its kind comes, not at the start.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: ClassVar[str]  # CloudEvents type, for example cn.lianxin.contact.recorded.v1
    key: ClassVar[str]  # routing key: the owning service, then the same words
    aggregate: ClassVar[str]  # what it is about; its id is the field `<aggregate>_id`, or the one named here:
    identified_by: ClassVar[str | None] = None
    dated_by: ClassVar[str | None] = None  # the field that says when it happened in the world
    summary: ClassVar[str]

    @property
    def aggregate_id(self) -> uuid.UUID:
        identifier: uuid.UUID = getattr(self, self.identified_by or f"{self.aggregate}_id")
        return identifier

    @property
    def happened_at(self) -> datetime | None:
        """When it happened in the world; None where only the recording time is known."""
        instant: datetime | None = getattr(self, self.dated_by) if self.dated_by else None
        return instant
