"""What a search of the roster may ask the database: conditions on what is kept of a user, never less than is sought."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Text = Literal[
    "name", "external_id", "staff_number", "display_name", "family_name", "given_name", "formatted", "title",
    "department", "emails", "phone_numbers",
]  # fmt: skip
Instant = Literal["created_at", "changed_at"]
How = Literal["equals", "begins", "holds", "ends"]


@dataclass(frozen=True, slots=True)
class HasText:
    """Whatever the case of its letters."""

    column: Text
    how: How
    value: str


@dataclass(frozen=True, slots=True)
class IsAccount:
    account_id: UUID


@dataclass(frozen=True, slots=True)
class IsActive:
    value: bool


@dataclass(frozen=True, slots=True)
class IsBetween:
    column: Instant
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


Condition = HasText | IsAccount | IsActive | IsBetween | AllOf | AnyOf
