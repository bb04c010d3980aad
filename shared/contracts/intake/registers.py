"""What intake publishes of its registers: organisations, cadres and their dated posts."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Code, Event, Title


class OrganisationRegistered(Event):
    """An organisation was entered in the register, or its entry changed."""

    type: ClassVar[str] = "cn.lianxin.organisation.registered.v1"
    key: ClassVar[str] = "intake.organisation.registered.v1"
    aggregate: ClassVar[str] = "organisation"
    summary: ClassVar[str] = "An organisation was registered or its entry changed"

    organisation_id: UUID
    code: Code
    name: Title
    level: Code  # GB/T 12404 subordination code
    parent_id: UUID | None = None
    region_type: Code | None = None


class CadreRegistered(Event):
    """A cadre was entered in the register, or the entry changed."""

    type: ClassVar[str] = "cn.lianxin.cadre.registered.v1"
    key: ClassVar[str] = "intake.cadre.registered.v1"
    aggregate: ClassVar[str] = "cadre"
    summary: ClassVar[str] = "A cadre was registered or the entry changed"

    cadre_id: UUID
    staff_number: Code
    name: Title


class PostRecorded(Event):
    """A cadre holds, or held, a post from one day to another. A transfer ends one post and records the next."""

    type: ClassVar[str] = "cn.lianxin.post.recorded.v1"
    key: ClassVar[str] = "intake.post.recorded.v1"
    aggregate: ClassVar[str] = "post"
    summary: ClassVar[str] = "A dated post of a cadre was recorded or ended"

    post_id: UUID
    cadre_id: UUID
    organisation_id: UUID
    post_kind: Code
    post_level: Code
    from_on: date
    until_on: date | None = None  # the last day, included


EVENTS: tuple[type[Event], ...] = (
    OrganisationRegistered,
    CadreRegistered,
    PostRecorded,
)
