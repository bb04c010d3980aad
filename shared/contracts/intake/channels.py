"""What intake publishes of the channels by which citizens can turn to an organisation, and of checks of these."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Event, Instant

ChannelKind = Literal["phone", "mailbox", "web", "office", "social_media"]


class ChannelPublished(Event):
    """A channel is, or was, published from one day to another. Its number or address stays in intake."""

    type: ClassVar[str] = "cn.lianxin.published_channel.published.v1"
    key: ClassVar[str] = "intake.published_channel.published.v1"
    aggregate: ClassVar[str] = "published_channel"
    summary: ClassVar[str] = "A channel for citizens was published or taken back"

    published_channel_id: UUID
    organisation_id: UUID
    kind: ChannelKind
    from_on: date
    until_on: date | None = None  # the last day, included


class ReachabilityChecked(Event):
    """Somebody tried a channel."""

    type: ClassVar[str] = "cn.lianxin.reachability_check.recorded.v1"
    key: ClassVar[str] = "intake.reachability_check.recorded.v1"
    aggregate: ClassVar[str] = "reachability_check"
    dated_by: ClassVar[str | None] = "checked_at"
    summary: ClassVar[str] = "It was tried whether a published channel can be reached"

    reachability_check_id: UUID
    published_channel_id: UUID
    organisation_id: UUID
    kind: ChannelKind
    checked_at: Instant
    is_reached: bool
    waited_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None


EVENTS: tuple[type[Event], ...] = (ChannelPublished, ReachabilityChecked)
