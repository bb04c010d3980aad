"""What intake publishes of its registers: organisations, cadres and their dated posts."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.base import Code, Event, Title

LeavingReason = Literal["retired", "transferred", "resigned", "dismissed", "died", "other"]


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
    division_code: Code | None = None  # GB/T 2260, and below a county with three or six digits more
    from_on: date | None = None  # the first day on which the entry says so; absent, it always did
    ended_on: date | None = None  # the first day on which the organisation is no more


class OrganisationMerged(Event):
    """An organisation went up in another one. Its own entry tells that it stands below the successor from then on."""

    type: ClassVar[str] = "cn.lianxin.organisation.merged.v1"
    key: ClassVar[str] = "intake.organisation.merged.v1"
    aggregate: ClassVar[str] = "organisation"
    summary: ClassVar[str] = "An organisation was merged into another"

    organisation_id: UUID
    successor_id: UUID
    merged_on: date  # the first day on which it is no more


class OrganisationDissolved(Event):
    """An organisation ended, and none took its place."""

    type: ClassVar[str] = "cn.lianxin.organisation.dissolved.v1"
    key: ClassVar[str] = "intake.organisation.dissolved.v1"
    aggregate: ClassVar[str] = "organisation"
    summary: ClassVar[str] = "An organisation was dissolved"

    organisation_id: UUID
    dissolved_on: date  # the first day on which it is no more


class CadreRegistered(Event):
    """A cadre was entered in the register, or the entry changed."""

    type: ClassVar[str] = "cn.lianxin.cadre.registered.v1"
    key: ClassVar[str] = "intake.cadre.registered.v1"
    aggregate: ClassVar[str] = "cadre"
    summary: ClassVar[str] = "A cadre was registered or the entry changed"

    cadre_id: UUID
    staff_number: Code
    name: Title
    from_on: date | None = None  # the first day of the name; absent, it always was


class CadreLeft(Event):
    """A cadre left the service. The posts held until then end in events of their own."""

    type: ClassVar[str] = "cn.lianxin.cadre.left.v1"
    key: ClassVar[str] = "intake.cadre.left.v1"
    aggregate: ClassVar[str] = "cadre"
    summary: ClassVar[str] = "A cadre left the service"

    cadre_id: UUID
    left_on: date  # the last day of service
    reason_code: LeavingReason


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
    OrganisationMerged,
    OrganisationDissolved,
    CadreRegistered,
    CadreLeft,
    PostRecorded,
)
