"""Publishing channels for citizens, taking them back, and recording whether they can be reached."""

from collections.abc import Hashable, Sequence
from datetime import date, datetime
from uuid import UUID

from services.intake.domain.channels import is_usable
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.channels import ChannelKind, CheckChannel, EndChannel, PublishChannel
from services.intake.domain.registers import rejected
from services.intake.domain.repeats import id_taken, not_found, other_content, unknown
from services.intake.domain.times import CLOCK_TOLERANCE
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.ledger import ENDS_BEFORE_BEGIN, Ledger
from services.intake.storage import channels as storage
from services.intake.storage import registers
from shared.contracts.intake.channels import ChannelPublished, ReachabilityChecked
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent

UNUSABLE = rejected("unusable-channel", "nobody gets through by this: a number, a mailbox or a web address has a form")


def publish_channels(pool: Pool, commands: Sequence[PublishChannel], *, now: datetime) -> list[Outcome]:
    """Publish channels. A repeat changes nothing, or ends the channel where the command may amend."""

    def run(connection: Connection, fresh: list[PublishChannel], events: Events) -> list[Outcome]:
        organisation_ids = registers.find_organisation_ids(connection, [one.organisation_code for one in fresh])
        asked = [_ask(command, organisation_ids.get(command.organisation_code)) for command in fresh]
        rows = [channel for channel in asked if isinstance(channel, storage.StoredChannel)]
        ledger = _open(storage.insert_channels(connection, rows, recorded_at=now) if rows else [], events)
        left = [channel for channel in rows if channel.id not in ledger.fresh]
        if left:
            ledger.add(storage.lock_channels(connection, left))
        outcomes = [
            channel
            if isinstance(channel, Outcome)
            else ledger.take(channel, amend=command.amend, correlation_id=command.correlation_id)
            for channel, command in zip(asked, fresh, strict=True)
        ]
        storage.end_channels(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("publish_channels", pool, commands, run, now=now)


def end_channels(pool: Pool, commands: Sequence[EndChannel], *, now: datetime) -> list[Outcome]:
    """Take channels back after their last day. The same day again changes nothing; another day contradicts it."""

    def run(connection: Connection, fresh: list[EndChannel], events: Events) -> list[Outcome]:
        ledger = _open([], events)
        ledger.add(storage.lock_channels_by_id(connection, [command.id for command in fresh]))
        outcomes = [
            ledger.end(command.id, command.until_on, first="from_on", correlation_id=command.correlation_id)
            for command in fresh
        ]
        storage.end_channels(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("end_channels", pool, commands, run, now=now)


def check_channels(pool: Pool, commands: Sequence[CheckChannel], *, now: datetime) -> list[Outcome]:
    """Record tries. The same id with the same content is a repeat."""

    def run(connection: Connection, fresh: list[CheckChannel], events: Events) -> list[Outcome]:
        channels = storage.list_checkable(connection, [command.channel_id for command in fresh])
        rows = [
            {
                "id": command.id,
                "channel_id": command.channel_id,
                "checked_at": command.checked_at,
                "is_reached": command.is_reached,
                "waited_seconds": command.waited_seconds,
                "checked_by": command.reach.account_id if command.reach is not None else None,
            }
            for command in fresh
            if command.channel_id in channels and command.checked_at <= now + CLOCK_TOLERANCE
        ]
        made = {check.id: check for check in storage.insert_checks(connection, rows, recorded_at=now)} if rows else {}
        missing = [command.id for command in fresh if command.id not in made]
        known = {check.id: check for check in storage.list_checks_by_id(connection, missing)} if missing else {}
        outcomes = []
        for command in fresh:
            if command.channel_id not in channels:
                outcomes.append(not_found("channel"))
            elif command.checked_at > now + CLOCK_TOLERANCE:
                outcomes.append(rejected("checked-in-future", "the check lies in the future"))
            elif made.get(command.id) == _stored(command):
                known[command.id] = made.pop(command.id)
                events.append(_tell(command, *channels[command.channel_id]))
                outcomes.append(Outcome(status="created", id=command.id))
            else:
                outcomes.append(_settle_known(command, known.get(command.id)))
        return outcomes

    return run_batch("check_channels", pool, commands, run, now=now)


def _settle_known(command: CheckChannel, known: storage.StoredCheck | None) -> Outcome:
    if known is None:
        return id_taken()
    return Outcome(status="unchanged", id=known.id) if known == _stored(command) else other_content(known.id)


def _stored(command: CheckChannel) -> storage.StoredCheck:
    return storage.StoredCheck(
        id=command.id,
        channel_id=command.channel_id,
        checked_at=command.checked_at,
        is_reached=command.is_reached,
        waited_seconds=command.waited_seconds,
    )


def list_channels(
    pool: Pool, *, on: date | None, organisation_code: str | None, after: UUID, limit: int
) -> list[storage.Channel]:
    with transaction(pool) as connection:
        return storage.list_channels_on(connection, on, organisation_code=organisation_code, after=after, limit=limit)


def list_checks(pool: Pool, channel_id: UUID, *, limit: int) -> list[storage.StoredCheck]:
    """Raises ChannelNotFound."""
    with transaction(pool) as connection:
        return storage.list_checks(connection, channel_id, limit=limit)


def _ask(command: PublishChannel, organisation_id: UUID | None) -> storage.StoredChannel | Outcome:
    if organisation_id is None:
        return unknown("organisation")
    if not is_usable(command.kind, command.address):
        return UNUSABLE
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    return storage.StoredChannel(
        id=command.id,
        organisation_id=organisation_id,
        kind=command.kind,
        address=command.address,
        hours=command.hours,
        from_on=command.from_on,
        until_on=command.until_on,
        sequence=1,
    )


def _open(inserted: Sequence[storage.StoredChannel], events: Events) -> Ledger[storage.StoredChannel]:
    return Ledger(inserted, events, key=_key, tell=_publish, what="channel")


def _key(channel: storage.StoredChannel) -> Hashable:
    return (channel.organisation_id, channel.kind, channel.address, channel.from_on)


def _publish(channel: storage.StoredChannel) -> ChannelPublished:
    return ChannelPublished(
        published_channel_id=channel.id,
        organisation_id=channel.organisation_id,
        kind=channel.kind,
        from_on=channel.from_on,
        until_on=channel.until_on,
    )


def _tell(command: CheckChannel, organisation_id: UUID, kind: ChannelKind) -> OutgoingEvent:
    event = ReachabilityChecked(
        reachability_check_id=command.id,
        published_channel_id=command.channel_id,
        organisation_id=organisation_id,
        kind=kind,
        checked_at=command.checked_at,
        is_reached=command.is_reached,
        waited_seconds=command.waited_seconds,
    )
    return OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id)
