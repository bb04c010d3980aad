"""Defining what contact a kind of post owes in a period."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.repeats import other_content
from services.intake.handlers.batches import BatchRaced, Events, run_batch
from services.intake.handlers.posts import ENDS_BEFORE_BEGIN
from services.intake.storage import posts as storage
from shared.contracts.intake.duties import DutyDefined
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent


def define_duties(pool: Pool, commands: Sequence[DefineDuty], *, now: datetime) -> list[Outcome]:
    """Define duties. A repeat changes nothing, or ends the duty where the command may amend."""

    def run(connection: Connection, fresh: list[DefineDuty], events: Events) -> list[Outcome]:
        asked = [_duty(command) for command in fresh]
        rows = [duty for duty in asked if _is_in_order(duty)]
        inserted = {duty.id: duty for duty in storage.insert_duties(connection, rows, recorded_at=now)}
        left = [duty for duty in rows if duty.id not in inserted]
        known = [*inserted.values(), *(storage.lock_duties(connection, left) if left else [])]
        ledger = _DutyLedger(known, {*inserted}, events)
        outcomes = [
            ledger.take(duty, command) if _is_in_order(duty) else ENDS_BEFORE_BEGIN
            for duty, command in zip(asked, fresh, strict=True)
        ]
        storage.end_duties(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("define_duties", pool, commands, run, now=now)


class _DutyLedger:
    """The duties that a batch is about, as they stand after each of its commands."""

    def __init__(self, known: Sequence[storage.Duty], fresh: set[object], events: Events) -> None:
        self._by_id: dict[object, storage.Duty] = {duty.id: duty for duty in known}
        self._by_key: dict[object, storage.Duty] = {_key(duty): duty for duty in known}
        self._fresh = fresh
        self._events = events
        self.amended: dict[object, storage.Duty] = {}

    def take(self, asked: storage.Duty, command: DefineDuty) -> Outcome:
        duty = self._by_key.get(_key(asked)) or self._by_id.get(asked.id)
        if duty is None:
            raise BatchRaced("a duty was being defined by somebody else")
        if asked == duty and duty.id in self._fresh:
            self._fresh.discard(duty.id)
            self._announce(duty, command.correlation_id)
            return Outcome(status="created", id=duty.id)
        if replace(asked, id=duty.id, sequence=duty.sequence) == duty:
            return Outcome(status="unchanged", id=duty.id)
        same_but_end = replace(asked, id=duty.id, sequence=duty.sequence, valid_until=duty.valid_until) == duty
        if not (command.amend and same_but_end and asked.valid_until is not None):
            return other_content(duty.id)
        return self._amend(duty, asked.valid_until, command.correlation_id)

    def _amend(self, duty: storage.Duty, valid_until: date, correlation_id: str) -> Outcome:
        amended = replace(duty, valid_until=valid_until, sequence=duty.sequence + 1)
        self._by_id[amended.id] = self._by_key[_key(amended)] = self.amended[amended.id] = amended
        self._announce(amended, correlation_id)
        return Outcome(status="changed", id=amended.id)

    def _announce(self, duty: storage.Duty, correlation_id: str) -> None:
        event = DutyDefined(
            duty_id=duty.id,
            post_kind=duty.post_kind,
            contact_kind=duty.contact_kind,
            required_count=duty.required_count,
            per=duty.per,
            valid_from=duty.valid_from,
            valid_until=duty.valid_until,
        )
        self._events.append(OutgoingEvent(event=event, sequence=duty.sequence, correlation_id=correlation_id))


def _duty(command: DefineDuty) -> storage.Duty:
    return storage.Duty(
        id=command.id,
        post_kind=command.post_kind,
        contact_kind=command.contact_kind,
        required_count=command.required_count,
        per=command.per,
        valid_from=command.valid_from,
        valid_until=command.valid_until,
        sequence=1,
    )


def _is_in_order(duty: storage.Duty) -> bool:
    return duty.valid_until is None or duty.valid_until >= duty.valid_from


def _key(duty: storage.Duty) -> tuple[object, ...]:
    return (duty.post_kind, duty.contact_kind, duty.per, duty.valid_from)
