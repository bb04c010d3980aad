"""Requests about organisations, cadres and their posts."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.domain.commands.base import Command

LeavingReason = Literal["retired", "transferred", "resigned", "dismissed", "died", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrganisation(Command):
    """Natural key: code. The parent may stand in the same batch, before or after.

    `from_on` is the first day on which the entry says so: absent, a new one always did, and a change holds from today.
    `untold` names fields that the sender says nothing of, so that what stands in them stays.
    """

    code: str
    name: str
    level: str
    parent_code: str | None = None
    region_type: str | None = None
    division_code: str | None = None
    credit_code: str | None = None
    from_on: date | None = None
    untold: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOrganisation(Command):
    """The organisation is no more from that day on: merged into the successor, or dissolved where there is none."""

    code: str
    ended_on: date
    successor_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCadre(Command):
    """Natural key: staff_number. `from_on` is the first day of the name; absent, a new name is one from today."""

    staff_number: str
    name: str
    from_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeparture(Command):
    """Natural key: cadre and last day. It ends the posts that the cadre holds on that day."""

    staff_number: str
    left_on: date
    reason_code: LeavingReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPost(Command):
    """Natural key: cadre, organisation, post kind and first day. `amend` lets a repeat bring the last day."""

    staff_number: str
    organisation_code: str
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawComing(Command):
    """Take back a change that waits for its day. `id` is the change's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPost(Command):
    """`id` is the post's."""

    until_on: date
