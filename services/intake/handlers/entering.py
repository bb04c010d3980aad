"""Entering contacts that are nothing but new: in one round trip, with all that needs no database done before it."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers.contacts import examine, row_of
from services.intake.handlers.records import Candidate, created
from services.intake.storage import entering as storage
from shared.at_once import AtOnce
from shared.database import Deadlocked
from shared.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Commands looked at, and by their places the rows of those that one statement can enter."""

    commands: Sequence[RecordContact]
    candidates: Sequence[Candidate[RecordContact] | None]  # None where it is left to others
    rows: Mapping[int, dict[str, object]]


async def enter_contacts(at_once: AtOnce, commands: Sequence[RecordContact], *, now: datetime) -> list[Outcome | None]:
    """Enter in one round trip what is nothing but new, and refuse what can be refused unseen.

    All else is None, and left to `record_contacts`: repeats and what comes with them, what names something unknown or
    out of reach, and whatever has a key or a citizen, or no reach of its own.
    Docs/decisions/0112-the-event-loop-speaks-to-the-database.md.
    """
    prepared = _prepare(commands, now=now)
    made = await _send(at_once, prepared, now=now) if prepared.rows else set()
    outcomes = _settle(prepared, made)
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, _count, outcomes, len(made))  # a turn later, when the answers have left
    return outcomes


async def _send(at_once: AtOnce, prepared: _Prepared, *, now: datetime) -> set[UUID]:
    """Return the ids of what was entered: of contacts one of which stands already none is."""
    parts = [(reach, storage.entry_of(rows, recorded_at=now)) for reach, rows in _by_reach(prepared).items()]
    try:
        with storage.telling_standing():
            try:
                answers = await at_once.run(parts, dies_at="intake.before_commit")
            except Deadlocked:  # with another batch whose senders stood in another order; it has gone on meanwhile
                answers = await at_once.run(parts, dies_at="intake.before_commit")
    except storage.StandsAlready:
        return set()
    if sum(map(len, answers)) == len(prepared.rows):
        return {prepared.commands[position].id for position in prepared.rows}
    return {UUID(value.decode()) for rows in answers for (value,) in rows if value is not None}


def _prepare(commands: Sequence[RecordContact], *, now: datetime) -> _Prepared:
    """Of several commands for one id only the first gets a row."""
    candidates: list[Candidate[RecordContact] | None] = []
    rows: dict[int, dict[str, object]] = {}
    ids: set[UUID] = set()
    for position, command in enumerate(commands):
        is_simple = command.key is None and command.citizen is None and command.reach is not None
        candidate = examine(command, now=now, allow_odd=False) if is_simple else None
        candidates.append(candidate)
        if candidate is not None and candidate.check.refusal is None and command.id not in ids:
            ids.add(command.id)
            rows[position] = row_of(candidate, None, now, allow_odd=False)
    return _Prepared(commands=commands, candidates=candidates, rows=rows)


def _by_reach(prepared: _Prepared) -> dict[Reach, list[dict[str, object]]]:
    parts: dict[Reach, list[dict[str, object]]] = {}
    for position, row in prepared.rows.items():
        reach = prepared.commands[position].reach
        if reach is not None:
            parts.setdefault(reach, []).append(row)
    return parts


def _settle(prepared: _Prepared, made: Set[UUID]) -> list[Outcome | None]:
    """What became of each command; None where that is not known yet."""
    return [
        _outcome_of(candidate, is_made=position in prepared.rows and prepared.commands[position].id in made)
        for position, candidate in enumerate(prepared.candidates)
    ]


def _count(outcomes: Sequence[Outcome | None], made_count: int) -> None:
    metrics.count_outcomes("record_contacts", [outcome.status for outcome in outcomes if outcome is not None])
    metrics.contacts_recorded_total.inc(made_count)


def _outcome_of(candidate: Candidate[RecordContact] | None, *, is_made: bool) -> Outcome | None:
    if candidate is None:
        return None
    return created(candidate.command, candidate.check) if is_made else candidate.check.refusal
