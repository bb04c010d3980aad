"""Defining what contact a kind of post owes in a period, and listing it."""

from collections.abc import Hashable, Sequence
from datetime import date, datetime
from uuid import UUID

from services.intake.domain.codes import POST_LEVELS
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.registers import rejected
from services.intake.domain.repeats import unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.ledger import ENDS_BEFORE_BEGIN, Ledger
from services.intake.storage import duties as storage
from services.intake.storage import registers
from shared.contracts.intake.duties import DutyDefined
from shared.database import Connection, Pool, transaction


def define_duties(pool: Pool, commands: Sequence[DefineDuty], *, now: datetime) -> list[Outcome]:
    """Define duties. A repeat changes nothing, or ends the duty where the command may amend."""

    def run(connection: Connection, fresh: list[DefineDuty], events: Events) -> list[Outcome]:
        codes = [command.organisation_code for command in fresh if command.organisation_code is not None]
        organisation_ids = registers.find_organisation_ids(connection, codes) if codes else {}
        asked = [_ask(command, organisation_ids.get(command.organisation_code or "")) for command in fresh]
        rows = [duty for duty in asked if isinstance(duty, storage.Duty)]
        inserted = storage.insert_duties(connection, rows, recorded_at=now) if rows else []
        ledger = Ledger(inserted, events, key=_key, tell=_tell, what="duty", last="valid_until")
        left = [duty for duty in rows if duty.id not in ledger.fresh]
        if left:
            ledger.add(storage.lock_duties(connection, left))
        outcomes = [
            duty
            if isinstance(duty, Outcome)
            else ledger.take(duty, amend=command.amend, correlation_id=command.correlation_id)
            for duty, command in zip(asked, fresh, strict=True)
        ]
        storage.end_duties(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("define_duties", pool, commands, run, now=now)


def list_duties(pool: Pool, *, on: date | None, after: UUID, limit: int) -> list[storage.ListedDuty]:
    with transaction(pool) as connection:
        return storage.list_duties_on(connection, on, after=after, limit=limit)


def _ask(command: DefineDuty, organisation_id: UUID | None) -> storage.Duty | Outcome:
    if command.organisation_code is not None and organisation_id is None:
        return unknown("organisation")
    if command.post_level is not None and command.post_level not in POST_LEVELS:
        return rejected("unknown-post-level", "the post level is none of the code list")
    if command.valid_until is not None and command.valid_until < command.valid_from:
        return ENDS_BEFORE_BEGIN
    return storage.Duty(
        id=command.id,
        organisation_id=organisation_id,
        post_kind=command.post_kind,
        post_level=command.post_level,
        contact_kind=command.contact_kind,
        required_count=command.required_count,
        unit=command.unit,
        per=command.per,
        valid_from=command.valid_from,
        valid_until=command.valid_until,
        sequence=1,
    )


def _key(duty: storage.Duty) -> Hashable:
    return (
        duty.organisation_id,
        duty.post_kind,
        duty.post_level,
        duty.contact_kind,
        duty.unit,
        duty.per,
        duty.valid_from,
    )


def _tell(duty: storage.Duty) -> DutyDefined:
    return DutyDefined(
        duty_id=duty.id,
        organisation_id=duty.organisation_id,
        post_kind=duty.post_kind,
        post_level=duty.post_level,
        contact_kind=duty.contact_kind,
        required_count=duty.required_count,
        unit=duty.unit,
        per=duty.per,
        valid_from=duty.valid_from,
        valid_until=duty.valid_until,
    )
