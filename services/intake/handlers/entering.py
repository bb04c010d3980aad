"""Entering contacts that are nothing but new: in one round trip, and with all that needs no database done before it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers.contacts import examine, record_contacts, row_of
from services.intake.handlers.records import Candidate, created
from services.intake.storage import contacts as storage
from shared.at_once import run_at_once
from shared.database import Deadlocked, Pool, set_reach, transaction
from shared.outbox import refusing_taken_ids
from shared.reach import Reach, current


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedContacts:
    """Commands looked at, and by their places the rows of those that one statement can enter."""

    commands: Sequence[RecordContact]
    candidates: Sequence[Candidate[RecordContact] | None]  # None where it has a key or a citizen
    rows: Mapping[int, dict[str, object]]
    allow_odd: bool


async def enter_contacts(pool: Pool, commands: Sequence[RecordContact], *, now: datetime) -> list[Outcome | None]:
    """Enter in one round trip what is nothing but new, and refuse what can be refused unseen.

    All else is None, and left to `record_contacts`: repeats, what names something unknown or out of reach, and whatever
    has a key or a citizen, or no reach of its own. Docs/decisions/0112-the-event-loop-speaks-to-the-database.md.
    """
    prepared = prepare_contacts([command for command in commands if command.reach is not None], now=now)
    parts = [
        (reach, storage.insertion_of(rows, recorded_at=now)) for reach, rows in _by_reach(prepared).items() if reach
    ]
    with refusing_taken_ids():
        try:
            answers = await run_at_once(pool, parts, dies_at="intake.before_commit") if parts else []
        except Deadlocked:  # with another batch whose senders stood in another order; it has gone on meanwhile
            answers = await run_at_once(pool, parts, dies_at="intake.before_commit")
    made = {UUID(str(row[0], "ascii")) for rows in answers for row in rows if row[0] is not None}
    outcomes = iter(_settle(prepared, made))
    return [next(outcomes) if command.reach is not None else None for command in commands]


def prepare_contacts(commands: Sequence[RecordContact], *, now: datetime, allow_odd: bool = False) -> PreparedContacts:
    """Of several commands for one id only the first gets a row."""
    candidates: list[Candidate[RecordContact] | None] = []
    rows: dict[int, dict[str, object]] = {}
    ids: set[UUID] = set()
    for position, command in enumerate(commands):
        is_simple = command.key is None and command.citizen is None
        candidate = examine(command, now=now, allow_odd=allow_odd) if is_simple else None
        candidates.append(candidate)
        if candidate is not None and candidate.check.refusal is None and command.id not in ids:
            ids.add(command.id)
            rows[position] = row_of(candidate, None, now, allow_odd=allow_odd)
    return PreparedContacts(commands=commands, candidates=candidates, rows=rows, allow_odd=allow_odd)


def record_prepared(pool: Pool, prepared: PreparedContacts, *, now: datetime) -> list[Outcome]:
    """Enter what is nothing but new, and settle the rest as `record_contacts` does."""
    outcomes = dict(enumerate(_settle(prepared, _enter(pool, prepared, now=now))))
    left = [position for position, outcome in outcomes.items() if outcome is None]
    for are_tried in (True, False):
        positions = [position for position in left if (position in prepared.rows) is are_tried]
        some = [prepared.commands[position] for position in positions]
        settled = record_contacts(pool, some, now=now, allow_odd=prepared.allow_odd, are_tried=are_tried)
        outcomes.update(zip(positions, settled, strict=True))
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _enter(pool: Pool, prepared: PreparedContacts, *, now: datetime) -> set[UUID]:
    """Enter contacts and their events, those of each sender under their own reach; return the ids of those made."""
    made: set[UUID] = set()
    with transaction(pool) as connection, refusing_taken_ids():
        for reach, rows in _by_reach(prepared).items():
            if reach is not None:
                set_reach(connection, reach)
            made |= {contact.id for contact in storage.insert_contacts(connection, rows, recorded_at=now)}
    return made


def _by_reach(prepared: PreparedContacts) -> dict[Reach | None, list[dict[str, object]]]:
    parts: dict[Reach | None, list[dict[str, object]]] = {}
    for position, row in prepared.rows.items():
        parts.setdefault(prepared.commands[position].reach or current(), []).append(row)
    return parts


def _settle(prepared: PreparedContacts, made: Set[UUID]) -> list[Outcome | None]:
    """What became of each command; None where that is not known yet."""
    outcomes = [
        _outcome_of(candidate, is_made=position in prepared.rows and prepared.commands[position].id in made)
        for position, candidate in enumerate(prepared.candidates)
    ]
    metrics.count_outcomes("record_contacts", [outcome.status for outcome in outcomes if outcome is not None])
    metrics.contacts_recorded_total.inc(len(made))
    return outcomes


def _outcome_of(candidate: Candidate[RecordContact] | None, *, is_made: bool) -> Outcome | None:
    if candidate is None:
        return None
    return created(candidate.command, candidate.check) if is_made else candidate.check.refusal
