"""What intake publishes of contact households and contact points: codes and days, and never who lives there."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.base import Code, Event, Title

PointKind = Literal["village", "firm", "school", "project", "other"]


class ContactPointRegistered(Event):
    """A village, firm or school is, or was, a contact point from one day to another."""

    type: ClassVar[str] = "cn.lianxin.contact_point.registered.v1"
    key: ClassVar[str] = "intake.contact_point.registered.v1"
    aggregate: ClassVar[str] = "contact_point"
    summary: ClassVar[str] = "A contact point was registered or ended"

    contact_point_id: UUID
    organisation_id: UUID
    code: Code
    kind: PointKind
    name: Title
    place_code: Code | None = None
    from_on: date
    until_on: date | None = None  # the last day, included


class ContactHouseholdRegistered(Event):
    """A household is, or was, a contact household from one day to another."""

    type: ClassVar[str] = "cn.lianxin.contact_household.registered.v1"
    key: ClassVar[str] = "intake.contact_household.registered.v1"
    aggregate: ClassVar[str] = "contact_household"
    summary: ClassVar[str] = "A contact household was registered or ended"

    contact_household_id: UUID
    organisation_id: UUID
    place_code: Code
    population_group: Code
    from_on: date
    until_on: date | None = None  # the last day, included


class LiaisonAssigned(Event):
    """A cadre keeps, or kept, in touch with a household or a point from one day to another."""

    type: ClassVar[str] = "cn.lianxin.liaison_assignment.recorded.v1"
    key: ClassVar[str] = "intake.liaison_assignment.recorded.v1"
    aggregate: ClassVar[str] = "liaison_assignment"
    summary: ClassVar[str] = "A cadre was assigned to a contact household or a contact point, or the assignment ended"

    liaison_assignment_id: UUID
    cadre_id: UUID
    contact_household_id: UUID | None = None
    contact_point_id: UUID | None = None
    from_on: date
    until_on: date | None = None  # the last day, included


EVENTS: tuple[type[Event], ...] = (ContactPointRegistered, ContactHouseholdRegistered, LiaisonAssigned)
