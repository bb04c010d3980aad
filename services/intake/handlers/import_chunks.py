"""One chunk of an import through the use cases that every other door uses too, and what became of each row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import EndOrganisation, RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.domain.commands.rosters import (
    MatchPerson,
    RecordAppraisalResult,
    TakeOverCareerLine,
    TakeOverPost,
    TakeOverRank,
)
from services.intake.handlers.careers import take_over_career_lines, take_over_posts, take_over_ranks
from services.intake.handlers.categories import define_categories
from services.intake.handlers.channels import publish_channels
from services.intake.handlers.duties import define_duties
from services.intake.handlers.entering import PreparedContacts, prepare_contacts, record_prepared
from services.intake.handlers.issues import receive_issues
from services.intake.handlers.liaisons import assign_liaisons, register_households, register_points
from services.intake.handlers.mergers import end_organisations
from services.intake.handlers.populations import define_groups, record_populations
from services.intake.handlers.posts import record_posts
from services.intake.handlers.ratings import submit_ratings
from services.intake.handlers.registers import register_cadres, register_organisations
from services.intake.handlers.roster_persons import match_persons
from services.intake.handlers.rosters import record_appraisal_results
from services.intake.importing.chunks import Chunk
from services.intake.importing.findings import Finding, error, flag
from services.intake.importing.mapping import MappedRow
from services.intake.storage import imports as storage
from shared.database import Pool, transaction

Run = Callable[[Pool, Sequence[Any], datetime], list[Outcome]]
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
    """A chunk with its commands by kind, and what could be done for its contacts before the database is asked."""

    chunk: Chunk
    entries: Mapping[type[Command], list[tuple[int, Command]]]
    contacts: PreparedContacts


def prepare_chunk(chunk: Chunk, *, now: datetime) -> PreparedChunk:
    """To be called beside the database's work on the chunk before."""
    entries: dict[type[Command], list[tuple[int, Command]]] = {}
    for row in chunk.rows:
        for command in row.commands:
            entries.setdefault(type(command), []).append((row.line, command))
    told = [command for _, command in entries.get(RecordContact, ()) if isinstance(command, RecordContact)]
    return PreparedChunk(chunk=chunk, entries=entries, contacts=prepare_contacts(told, now=now, allow_odd=True))


def apply_chunk(pool: Pool, prepared: PreparedChunk, *, now: datetime) -> ChunkResult:
    """Do what the rows of a chunk ask for, registers first. The caller's transaction holds all of it."""
    _register_missing(pool, prepared.chunk.missing, now=now)
    outcomes: dict[int, Outcome] = {}
    for kind, run in RUNS:
        entries = prepared.entries.get(kind)
        if not entries:
            continue
        if run is None:
            done = record_prepared(pool, prepared.contacts, now=now)
        else:
            done = run(pool, [command for _, command in entries], now)
        for (line, _), outcome in zip(entries, done, strict=True):
            outcomes[line] = _heavier(outcomes.get(line), outcome)
    return _sum_up(prepared.chunk.rows, outcomes)


def _register_missing(pool: Pool, commands: Sequence[Command], *, now: datetime) -> None:
    """Register only what is not there: an entry that somebody has since put right is not overwritten by a file."""
    if not commands:
        return
    organisations = [command for command in commands if isinstance(command, RegisterOrganisation)]
    cadres = [command for command in commands if isinstance(command, RegisterCadre)]
    posts = [command for command in commands if isinstance(command, RecordPost)]
    with transaction(pool) as connection:
        known = storage.find_known_names(
            connection,
            codes=[command.code for command in organisations],
            staff_numbers=[command.staff_number for command in cadres],
        )
    register_organisations(
        pool, [command for command in organisations if command.code not in known.organisations], now=now
    )
    register_cadres(pool, [command for command in cadres if command.staff_number not in known.cadres], now=now)
    record_posts(pool, [command for command in posts if command.staff_number not in known.cadres], now=now)


def _heavier(before: Outcome | None, outcome: Outcome) -> Outcome:
    """A row that asks for two things is as refused as either, and as new."""
    return outcome if before is None or WEIGHT[outcome.status] > WEIGHT[before.status] else before


def _sum_up(rows: Sequence[MappedRow], outcomes: dict[int, Outcome]) -> ChunkResult:
    result = ChunkResult()
    for row in rows:
        outcome = outcomes.get(row.line, NOTHING_TO_DO)
        match outcome.status:
            case "created":
                result.created += 1
            case "changed":
                result.changed += 1
            case "unchanged":
                result.unchanged += 1
            case "rejected" | "conflict":
                result.refused += 1
                result.findings.append(error(row.line, outcome.code, outcome.detail))
        result.findings += [
            flag(row.line, name.replace("_", "-"), f"accepted although odd: {name.replace('_', ' ')}")
            for name in outcome.flags
        ]
    return result


def _plainly(handler: Callable[..., list[Outcome]], **options: bool) -> Run:
    return lambda pool, commands, now: partial(handler, **options)(pool, commands, now=now)


RUNS: tuple[tuple[type[Command], Run | None], ...] = (
    (RegisterOrganisation, _plainly(register_organisations)),
    (EndOrganisation, _plainly(end_organisations)),
    (RegisterCadre, _plainly(register_cadres)),
    (RecordPost, _plainly(record_posts)),
    (DefineDuty, _plainly(define_duties)),
    (DefineCategory, _plainly(define_categories)),
    (PublishChannel, _plainly(publish_channels)),
    (DefinePopulationGroup, _plainly(define_groups)),
    (RecordPopulation, _plainly(record_populations)),
    (RegisterPoint, _plainly(register_points)),
    (RegisterHousehold, _plainly(register_households)),
    (AssignLiaison, _plainly(assign_liaisons)),
    (RecordContact, None),  # prepared beforehand: of these there are millions
    (ReceiveIssue, _plainly(receive_issues, allow_odd=True)),
    (MatchPerson, _plainly(match_persons)),
    (TakeOverPost, _plainly(take_over_posts)),
    (TakeOverRank, _plainly(take_over_ranks)),
    (TakeOverCareerLine, _plainly(take_over_career_lines)),
    (RecordAppraisalResult, _plainly(record_appraisal_results)),
    (SubmitRating, _plainly(submit_ratings, allow_odd=True)),
)
