"""Scoring a closed period by the schemes of places again, and all that this takes for somebody else to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.handlers.place_scores import Sealed, hash_scores, score_table, seal_score
from services.assessment.handlers.replays import MOST_TOLD, TooManyToReplay
from services.assessment.storage import place_scores as storage
from services.assessment.storage import rule_schemes
from services.assessment.storage.place_scores import PlacePass, ScoredPublication
from services.assessment.storage.rule_schemes import StoredRuleScheme
from shared.database import Connection, Pool, transaction

PAGE: Final = 500
MOST_OVER_THE_DOOR: Final = 5_000

Subject = tuple[SubjectKind, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReplay:
    """`reworded` scores come out in the same figures, explained in other words: these stand as they were told.

    Nothing is `expected` of a period that was scored before there was a hash over it; its scores are compared all the
    same.
    """

    period: Period
    scores: int
    reworded: int
    expected: str | None
    found: str
    differing: tuple[Subject, ...]

    @property
    def is_same(self) -> bool:
        return self.expected in (None, self.found) and not self.differing


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePackage:
    period: Period
    done: PlacePass
    schemes: list[StoredRuleScheme]
    scores: Iterator[ScoredPublication]


def replay_places(pool: Pool, period: Period, *, most: int | None = None) -> PlaceReplay:
    """Raises NotPublished, TooManyToReplay."""
    with transaction(pool) as connection:
        done = _find_pass(connection, period)
        if most is not None and done.score_count > most:
            raise TooManyToReplay(f"more than {most} scores are replayed by the command, not over the door")
        schemes = _list_schemes(connection, period)
    told = {
        (one.subject_kind, one.subject_id): (one.document.encode(), one.content_hash)
        for one in _iterate_scores(pool, period)
    }
    lines: list[Sealed] = []
    differing: list[Subject] = []
    reworded = 0
    for stored in schemes:
        with transaction(pool) as connection:
            subjects = storage.list_scored_by(connection, period, stored.name, stored.version)
        documents = score_table(stored, [orjson.loads(subject.document) for subject in subjects])
        for subject, document in zip(subjects, documents, strict=True):
            who = subject.subject_kind, subject.subject_id
            then, hash_then = told[who]
            if document != then and _figures(document) == _figures(then):
                reworded += 1
                document = then
            line = seal_score(subject, document)
            if document != then or line.content_hash != hash_then:
                differing.append(who)
            lines.append(line)
    return PlaceReplay(
        period=period,
        scores=len(lines),
        reworded=reworded,
        expected=done.content_hash.hex() if done.content_hash is not None else None,
        found=hash_scores(period, schemes, lines).hex(),
        differing=tuple(differing[:MOST_TOLD]),
    )


def open_place_package(pool: Pool, period: Period) -> PlacePackage:
    """Raises NotPublished."""
    with transaction(pool) as connection:
        done = _find_pass(connection, period)
        schemes = _list_schemes(connection, period)
    return PlacePackage(period=period, done=done, schemes=schemes, scores=_iterate_scores(pool, period))


def _find_pass(connection: Connection, period: Period) -> PlacePass:
    done = storage.find_place_pass(connection, period)
    if done is None:
        raise NotPublished("that period is not closed, or no scheme of a place has been put to it yet")
    return done


def _list_schemes(connection: Connection, period: Period) -> list[StoredRuleScheme]:
    used = storage.list_schemes_used(connection, period)
    found = (rule_schemes.find_rule_scheme(connection, one.name, one.version) for one in used)
    return [stored for stored in found if stored is not None]


def _iterate_scores(pool: Pool, period: Period) -> Iterator[ScoredPublication]:
    after = None
    while True:
        with transaction(pool) as connection:
            page = storage.list_scored_publications(connection, period, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].subject_kind, page[-1].subject_id


def _figures(document: bytes) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(document)
    del told["explanation"]
    return told
