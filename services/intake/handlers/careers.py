"""What cadre files tell of careers: posts for the register, ranks, and the lines of a CV.

A file that is older than what stands changes nothing, a newer one ends what stands open, and what ended stays so.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import RecordPost
from services.intake.domain.commands.rosters import Ladder, TakeOverCareerLine, TakeOverPost, TakeOverRank
from services.intake.domain.registers import rejected
from services.intake.domain.repeats import other_content, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.ledger import ENDS_BEFORE_BEGIN
from services.intake.handlers.posts import take_posts
from services.intake.handlers.roster_persons import identify
from services.intake.sealing import vault
from services.intake.storage import careers as storage
from services.intake.storage import registers, roster_persons
from services.intake.storage.posts import Post
from shared.database import Connection, Pool, transaction

AMBIGUOUS = rejected("ambiguous-organisation", "several organisations have this name, and the code is none of ours")


class Dated(Protocol):
    """What is kept once under its key, and may get its last day once."""

    @property
    def id(self) -> UUID: ...
    @property
    def key(self) -> tuple[object, ...]: ...
    @property
    def until_on(self) -> date | None: ...


AnyDated = TypeVar("AnyDated", bound=Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRank:
    ladder: Ladder
    code: str
    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    from_on: date
    until_on: date | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCareer:
    """What cadre files told of a cadre beside the posts, which are in the register."""

    staff_number: str
    ranks: list[ShownRank]
    lines: list[ShownLine]
    results: list[storage.Result]


def take_over_posts(pool: Pool, commands: Sequence[TakeOverPost], *, now: datetime) -> list[Outcome]:
    """Record the posts of persons who are known, in organisations that are. One that ended keeps its end."""

    def run(connection: Connection, fresh: list[TakeOverPost], events: Events) -> list[Outcome]:
        who = identify(connection, fresh, now=now)
        places = _find_places(connection, fresh)
        numbers = roster_persons.list_staff_numbers(connection, [one for one in who if isinstance(one, UUID)])
        asked = [
            {"cadre_id": one, "organisation_code": place, "from_on": command.from_on}
            for command, one, place in zip(fresh, who, places, strict=True)
            if isinstance(one, UUID) and isinstance(place, str)
        ]
        begun = _by_beginning(connection, asked)
        outcomes: dict[int, Outcome] = {}
        wanted: dict[int, RecordPost] = {}
        for position, (command, one, place) in enumerate(zip(fresh, who, places, strict=True)):
            if isinstance(one, Outcome):
                outcomes[position] = one
            elif isinstance(place, Outcome):
                outcomes[position] = place
            elif (settled := _settle(command, begun.get((one, place, command.from_on), []))) is not None:
                outcomes[position] = settled
            else:
                wanted[position] = _post_of(command, numbers[one], place)
        done = take_posts(connection, list(wanted.values()), events, now=now)
        outcomes |= dict(zip(wanted, done, strict=True))
        return [outcomes[position] for position in range(len(fresh))]

    return run_batch("take_over_posts", pool, commands, run, now=now)


def _post_of(command: TakeOverPost, staff_number: str, place: str) -> RecordPost:
    return RecordPost(
        id=command.id,
        correlation_id=command.correlation_id,
        staff_number=staff_number,
        organisation_code=place,
        post_kind=command.post_kind,
        post_level=command.post_level,
        from_on=command.from_on,
        until_on=command.until_on,
        amend=True,
    )


def _find_places(connection: Connection, commands: Sequence[TakeOverPost]) -> list[str | Outcome]:
    """By the code, ours or the credit code; else by a name that one organisation has, of those that still are first."""
    codes = [command.organisation_code for command in commands if command.organisation_code is not None]
    names = [command.organisation_name for command in commands if command.organisation_name is not None]
    known = storage.list_named(connection, codes, names)
    by_code = {one.credit_code: one.code for one in known if one.credit_code is not None}
    by_code |= {one.code: one.code for one in known}
    by_name: dict[str, list[storage.Named]] = {}
    for one in known:
        by_name.setdefault(one.name, []).append(one)
    return [_find_place(command, by_code, by_name) for command in commands]


def _find_place(
    command: TakeOverPost, by_code: dict[str, str], by_name: dict[str, list[storage.Named]]
) -> str | Outcome:
    if command.organisation_code in by_code:
        return by_code[command.organisation_code]
    alike = by_name.get(command.organisation_name or "", [])
    standing = [one.code for one in alike if not one.is_ended] or [one.code for one in alike]
    if not standing:
        return unknown("organisation")
    return standing[0] if len(standing) == 1 else AMBIGUOUS


def _by_beginning(
    connection: Connection, asked: Sequence[dict[str, object]]
) -> dict[tuple[UUID, str, date], list[Post]]:
    if not asked:
        return {}
    codes = registers.find_organisation_ids(connection, [str(row["organisation_code"]) for row in asked])
    code_of = {organisation_id: code for code, organisation_id in codes.items()}
    begun: dict[tuple[UUID, str, date], list[Post]] = {}
    for post in storage.list_posts_begun(connection, asked):
        posts = begun.setdefault((post.cadre_id, code_of[post.organisation_id], post.from_on), [])
        if post not in posts:
            posts.append(post)
    return begun


def _settle(command: TakeOverPost, begun: Sequence[Post]) -> Outcome | None:
    """What stands decides; None where the register has to: nothing began there that day, or it stands open."""
    if not begun:
        return None
    same = [one for one in begun if (one.post_kind, one.post_level) == (command.post_kind, command.post_level)]
    if not same:
        return other_content(begun[0].id)
    [standing] = same[:1]
    if standing.until_on == command.until_on or command.until_on is None:
        return Outcome(status="unchanged", id=standing.id)
    return None if standing.until_on is None else other_content(standing.id)


def take_over_ranks(pool: Pool, commands: Sequence[TakeOverRank], *, now: datetime) -> list[Outcome]:
    def run(connection: Connection, fresh: list[TakeOverRank], _: Events) -> list[Outcome]:
        who = identify(connection, fresh, now=now)
        asked = [
            _check(command)
            or storage.Rank(
                id=command.id,
                cadre_id=one,
                ladder=command.ladder,
                rank_code=command.rank_code,
                from_on=command.from_on,
                until_on=command.until_on,
            )
            if isinstance(one, UUID)
            else one
            for command, one in zip(fresh, who, strict=True)
        ]
        ranks = [one for one in asked if isinstance(one, storage.Rank)]
        made = storage.insert_ranks(connection, ranks, recorded_at=now)
        standing = storage.lock_ranks(connection, [one.cadre_id for one in ranks])
        outcomes, ends = _settle_dated(asked, standing, made)
        storage.end_ranks(connection, ends)
        return outcomes

    return run_batch("take_over_ranks", pool, commands, run, now=now)


def take_over_career_lines(pool: Pool, commands: Sequence[TakeOverCareerLine], *, now: datetime) -> list[Outcome]:
    def run(connection: Connection, fresh: list[TakeOverCareerLine], _: Events) -> list[Outcome]:
        who = identify(connection, fresh, now=now)
        asked = [
            _check(command)
            or storage.Line(
                id=command.id,
                cadre_id=one,
                from_on=command.from_on,
                until_on=command.until_on,
                line=_digest(command.text),
                text_sealed=vault().seal("career_line", "text", command.id, command.text),
            )
            if isinstance(one, UUID)
            else one
            for command, one in zip(fresh, who, strict=True)
        ]
        lines = [one for one in asked if isinstance(one, storage.Line)]
        made = storage.insert_lines(connection, lines, recorded_at=now)
        standing = storage.lock_lines(connection, [one.cadre_id for one in lines])
        outcomes, ends = _settle_dated(asked, standing, made)
        storage.end_lines(connection, ends)
        return outcomes

    return run_batch("take_over_career_lines", pool, commands, run, now=now)


def _check(command: TakeOverRank | TakeOverCareerLine) -> Outcome | None:
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    return None


def _settle_dated(
    asked: Sequence[AnyDated | Outcome], standing: Sequence[AnyDated], made: set[UUID]
) -> tuple[list[Outcome], dict[UUID, date]]:
    """Of each what became of it, and which of those that stood open end now."""
    by_key = {one.key: one for one in standing}
    fresh = set(made)
    ends: dict[UUID, date] = {}
    outcomes = []
    for one in asked:
        if isinstance(one, Outcome):
            outcomes.append(one)
            continue
        stood = by_key[one.key]
        until_on = ends.get(stood.id, stood.until_on)
        if stood.id in fresh:
            fresh.discard(stood.id)
            outcomes.append(Outcome(status="created", id=stood.id))
        elif one.until_on is None or one.until_on == until_on:
            outcomes.append(Outcome(status="unchanged", id=stood.id))
        elif until_on is None:
            ends[stood.id] = one.until_on
            outcomes.append(Outcome(status="changed", id=stood.id))
        else:
            outcomes.append(other_content(stood.id))
    return outcomes, ends


def _digest(text: str) -> bytes:
    plain = "".join(unicodedata.normalize("NFC", text).split())
    return vault().keyed(hashlib.blake2b(plain.encode(), digest_size=16).digest())


def read_career(pool: Pool, staff_number: str) -> ShownCareer:
    """Raises CadreNotFound."""
    with transaction(pool) as connection:
        cadre = registers.get_cadre(connection, staff_number)
        ranks = storage.list_ranks(connection, cadre.id)
        lines = storage.list_lines(connection, cadre.id)
        results = storage.list_results(connection, cadre.id)
    return ShownCareer(
        staff_number=staff_number,
        ranks=[
            ShownRank(ladder=one.ladder, code=one.rank_code, from_on=one.from_on, until_on=one.until_on)
            for one in ranks
        ],
        lines=[
            ShownLine(
                from_on=one.from_on,
                until_on=one.until_on,
                text=vault().open("career_line", "text", one.id, one.text_sealed, None),
            )
            for one in lines
        ],
        results=results,
    )
