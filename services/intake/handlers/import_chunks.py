"""One chunk of an import through the use cases that every other door uses too, and what became of each row."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter

from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers.contacts import record_contacts
from services.intake.handlers.plain_contacts import PlainContacts, prepare_plain, record_plain, split_plain
from services.intake.importing.chunks import Chunk
from services.intake.importing.findings import Finding, error, flag
from services.intake.importing.mapping import MappedRow
from shared.database import Pool
from shared.identifiers import new_id

Run = Callable[..., list[Outcome]]
WEIGHT = {"rejected": 5, "conflict": 4, "created": 3, "changed": 2, "unchanged": 1}
NOTHING_TO_DO = Outcome(status="unchanged")


@dataclass(slots=True)
class ChunkResult:
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedChunk:
    """A chunk with what could be done for its plain contacts before the database is asked, and its other rows."""

    chunk: Chunk
    contacts: PlainContacts | None
    rows: list[MappedRow]

    @property
    def is_of_contacts(self) -> bool:
        """Whether it touches nothing that other chunks of its file touch too: contacts, and of no known citizen."""
        commands = [command for row in self.rows for command in row.commands]
        others = (command for command in commands if not isinstance(command, RecordContact) or command.citizen)
        return self.contacts is not None and not any(others)


def prepare_chunk(chunk: Chunk, *, now: datetime) -> PreparedChunk:
    """To be called beside the database's work on the chunk before."""
    if chunk.plain is None:
        return PreparedChunk(chunk=chunk, contacts=None, rows=chunk.rows)
    plain, odd = split_plain(chunk.plain, now=now)
    others = [MappedRow(line, [odd.command(place, new_id())]) for place, line in enumerate(odd.lines)]
    return PreparedChunk(
        chunk=chunk,
        contacts=prepare_plain(plain, now=now),
        rows=sorted([*chunk.rows, *others], key=lambda row: row.line) if others else chunk.rows,
    )


def apply_chunk(pool: Pool, prepared: PreparedChunk, *, now: datetime) -> ChunkResult:
    """Do what the rows of a chunk ask for, registers first. The caller's transaction holds all of it."""
    if prepared.chunk.missing:
        from services.intake.handlers.import_kinds import register_missing

        register_missing(pool, prepared.chunk.missing, now=now)
    entries: dict[type[Command], list[tuple[int, Command]]] = {}
    outcomes: dict[int, Outcome] = dict.fromkeys((row.line for row in prepared.rows), NOTHING_TO_DO)
    for row in prepared.rows:
        for command in row.commands:
            entries.setdefault(type(command), []).append((row.line, command))
    for kind, run in _list_runs(entries):
        if kind in entries:
            lines, commands = zip(*entries[kind], strict=True)
            for line, outcome in zip(lines, run(pool, commands, now=now), strict=True):
                outcomes[line] = _heavier(outcomes[line], outcome)
    made = 0
    if prepared.contacts is not None:
        made, left = record_plain(pool, prepared.contacts, now=now)
        outcomes |= left
    result = _sum_up(outcomes)
    result.created += made
    return result


def _list_runs(kinds: Collection[type[Command]]) -> tuple[tuple[type[Command], Run], ...]:
    """What answers these kinds, in order. To load all takes as long as to enter thousands of contacts."""
    if all(kind is RecordContact for kind in kinds):
        return ((RecordContact, partial(record_contacts, allow_odd=True)),)
    from services.intake.handlers.import_kinds import RUNS

    return RUNS


def _heavier(before: Outcome, outcome: Outcome) -> Outcome:
    """A row that asks for two things is as refused as either, and as new."""
    return outcome if before is NOTHING_TO_DO or WEIGHT[outcome.status] > WEIGHT[before.status] else before


def _sum_up(outcomes: Mapping[int, Outcome]) -> ChunkResult:
    result = ChunkResult()
    for line, outcome in sorted(outcomes.items(), key=itemgetter(0)):
        match outcome.status:
            case "created":
                result.created += 1
            case "changed":
                result.changed += 1
            case "unchanged":
                result.unchanged += 1
            case "rejected" | "conflict":
                result.refused += 1
                result.findings.append(error(line, outcome.code, outcome.detail))
        result.findings += [
            flag(line, name.replace("_", "-"), f"accepted although odd: {name.replace('_', ' ')}")
            for name in outcome.flags
        ]
    return result
