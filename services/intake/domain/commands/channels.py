"""Requests about published channels, and checks of whether they can be reached."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import Command

ChannelKind = Literal["phone", "mailbox", "web", "office", "social_media"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishChannel(Command):
    """Natural key: organisation, kind, address and first day. `amend` lets a repeat bring the last day."""

    organisation_code: str
    kind: ChannelKind
    address: str  # a number, a mailbox, a web address or a place, as it is published
    from_on: date
    hours: str | None = None
    until_on: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChannel(Command):
    """`id` is the channel's."""

    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChannel(Command):
    """`id` is the check's own. `waited_seconds` is how long it took until somebody answered, or until giving up."""

    channel_id: UUID
    checked_at: datetime
    is_reached: bool
    waited_seconds: int | None = None
