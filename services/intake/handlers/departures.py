"""Cadres who leave the service: a fact with its day and reason, which ends the posts held until then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import RecordDeparture
from services.intake.domain.repeats import not_found, other_content
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.coming import Ahead, put_off
from services.intake.handlers.posts import announce_post
from services.intake.storage import posts, registers
from services.intake.storage import versions as storage
from shared.contracts.intake.registers import CadreLeft
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

DEPARTURES: Final[Ahead[RecordDeparture]] = Ahead(
    kind="cadre_departure", begins=lambda command: command.left_on, names=lambda command: command.staff_number
)


def record_departures(pool: Pool, commands: Sequence[RecordDeparture], *, now: datetime) -> list[Outcome]:
    """Record that cadres left. The same again changes nothing; another reason for the same day contradicts it."""

    def run(connection: Connection, fresh: list[RecordDeparture], events: Events) -> list[Outcome]:
        known = registers.find_cadre_ids(connection, [command.staff_number for command in fresh])
        return put_off(
            connection,
            fresh,
            DEPARTURES,
            lambda some: _record(connection, some, events, now),
            now=now,
            check=lambda command: None if command.staff_number in known else not_found("cadre"),
        )

    return run_batch("record_departures", pool, commands, run, now=now)


def _record(
    connection: Connection, commands: Sequence[RecordDeparture], events: Events, now: datetime
) -> list[Outcome]:
    cadre_ids = registers.find_cadre_ids(connection, [command.staff_number for command in commands])
    outcomes = []
    for command in commands:
        cadre_id = cadre_ids.get(command.staff_number)
        if cadre_id is None:
            outcomes.append(not_found("cadre"))
            continue
        row = {
            "id": command.id,
            "cadre_id": cadre_id,
            "left_on": command.left_on,
            "reason_code": command.reason_code,
        }
        if not storage.insert_departure(connection, row, recorded_at=now):
            known = {one.left_on: one.reason_code for one in storage.list_departures(connection, cadre_id)}
            same = known.get(command.left_on) == command.reason_code
            outcomes.append(Outcome(status="unchanged", id=cadre_id) if same else other_content(cadre_id))
            continue
        for post in posts.lock_open_posts(connection, cadre_id, held_on=command.left_on):
            ended = replace(post, until_on=command.left_on, sequence=post.sequence + 1)
            posts.end_posts(connection, [ended])
            events.append(announce_post(ended, command.correlation_id))
        event = CadreLeft(cadre_id=cadre_id, left_on=command.left_on, reason_code=command.reason_code)
        sequence = storage.advance_cadre(connection, cadre_id)
        events.append(OutgoingEvent(event=event, sequence=sequence, correlation_id=command.correlation_id))
        outcomes.append(Outcome(status="created", id=cadre_id))
    return outcomes
