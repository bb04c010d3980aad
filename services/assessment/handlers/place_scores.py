"""Scoring closed periods by the schemes of places: out of publications alone, once, each total with its reasons."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import orjson

from services.assessment.domain.periods import Period
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.handlers.simulations import lay_out_publications, read_publication
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.explaining import explain
from services.assessment.scoring.numbers import show
from services.assessment.scoring.results import Outcome
from services.assessment.storage import place_scores as storage
from services.assessment.storage import rule_schemes
from services.assessment.storage.place_scores import PlacePass, PlaceScore, PublishedSubject
from services.assessment.storage.rule_schemes import StoredRuleScheme
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import LianxinError

ROWS_A_BATCH: Final = 2_000

Shape = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The hashes of one score: of what it was made of, and of what came out."""

    subject_kind: SubjectKind
    subject_id: UUID
    publication_hash: bytes
    content_hash: bytes


def score_places(pool: Pool, *, now: datetime) -> list[Period]:
    """Score every closed period that has not been yet, the oldest first, each in one transaction; return them.

    A scheme that was agreed to after that has no say in it. While another is at it this one does nothing.
    """
    done = []
    while (period := _score_next(pool, now=now)) is not None:
        done.append(period)
    return done


def list_place_scores(
    pool: Pool, kind: SubjectKind, period: Period, *, after: str | None, limit: int
) -> list[PlaceScore]:
    with transaction(pool) as connection:
        return storage.list_place_scores(connection, kind, period, code=None, after=after, limit=limit)


def get_place_score(pool: Pool, kind: SubjectKind, code: str, period: Period) -> PlaceScore:
    """Raises NotPublished: out of reach, unknown and without a scheme are one and the same to the reader."""
    with transaction(pool) as connection:
        found = storage.list_place_scores(connection, kind, period, code=code, after=None, limit=1)
    if not found:
        raise NotPublished("nothing is published of that")
    return found[0]


def hash_scores(period: Period, schemes: Sequence[StoredRuleScheme], lines: Iterable[Sealed]) -> bytes:
    """SHA-256 over a line of the period and its schemes, and one a score, in the order of kind and id."""
    named = [
        {"content_hash": one.content_hash.hex(), "name": one.name, "version": one.version}
        for one in sorted(schemes, key=lambda one: (one.name, one.version))
    ]
    total = hashlib.sha256(_canonical({"period": period.label, "schemes": named}) + b"\n")
    for line in sorted(lines, key=lambda line: (line.subject_kind, line.subject_id)):
        hashes = f"{line.publication_hash.hex()} {line.content_hash.hex()}"
        total.update(f"{line.subject_kind} {line.subject_id} {hashes}\n".encode())
    return total.digest()


def score_table(stored: StoredRuleScheme, publications: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """What a scheme makes of all whom it holds for, as one table: a document each. Raises BadRules, BadTable."""
    scheme = read_rule_scheme(stored.document)
    outcome = evaluate(scheme, lay_out_publications(scheme, [read_publication(one) for one in publications]))
    return [
        _canonical(describe(outcome, at, publication, stored.content_hash))
        for at, publication in enumerate(publications)
    ]


def seal_score(subject: PublishedSubject, document: bytes) -> Sealed:
    return Sealed(
        subject_kind=subject.subject_kind,
        subject_id=subject.subject_id,
        publication_hash=subject.content_hash,
        content_hash=hashlib.sha256(document).digest(),
    )


def _score_next(pool: Pool, *, now: datetime) -> Period | None:
    with transaction(pool) as connection:
        if not storage.try_lock_places(connection):
            return None
        period = storage.find_period_to_score(connection)
        if period is None:
            return None
        storage.insert_place_pass(connection, period, _score(connection, period, now=now))
        crash.point("assessment.before_place_commit")
    return period


def _score(connection: Connection, period: Period, *, now: datetime) -> PlacePass:
    published = storage.list_published_under_schemes(connection, period)
    failed: list[str] = []
    schemes: list[StoredRuleScheme] = []
    lines: list[Sealed] = []
    for (name, version), group in groupby(published, key=lambda one: (one.name, one.version)):
        subjects = list(group)
        stored = rule_schemes.find_rule_scheme(connection, name, version)
        if stored is None:
            continue
        try:
            documents = score_table(stored, [orjson.loads(subject.document) for subject in subjects])
        except LianxinError as error:
            failed.append(f"{name}-{version}")
            note(connection, _failure(period, f"{name}-{version}", error))
            continue
        sealed = [seal_score(subject, text) for subject, text in zip(subjects, documents, strict=True)]
        rows = [_row(period, *one) for one in zip(subjects, documents, sealed, strict=True)]
        for start in range(0, len(rows), ROWS_A_BATCH):
            storage.insert_place_scores(connection, rows[start : start + ROWS_A_BATCH])
        schemes.append(stored)
        lines += sealed
    total = hash_scores(period, schemes, lines)
    if lines:
        details = {"scores": len(lines), "failed": len(failed), "content_hash": total.hex()}
        note(connection, Line(action="period.scored", object_type="period", object_id=period.label, details=details))
    return PlacePass(score_count=len(lines), failed=failed, content_hash=total, done_at=now)


def _row(period: Period, subject: PublishedSubject, document: bytes, sealed: Sealed) -> dict[str, Any]:
    return {
        "subject_kind": subject.subject_kind,
        "subject_id": subject.subject_id,
        "subject_code": subject.subject_code,
        "organisation_id": subject.organisation_id,
        "period_kind": period.kind,
        "period_start": period.start,
        "period_end": period.end,
        "scheme_name": subject.name,
        "scheme_version": subject.version,
        "document": document.decode(),
        "content_hash": sealed.content_hash.hex(),
    }


def _canonical(document: Shape) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def describe(outcome: Outcome, at: int, publication: Mapping[str, Any], scheme_hash: bytes) -> Shape:
    """A total with all that it is made of: contributions add up to it to the last digit."""
    scheme, one = outcome.scheme, outcome.totals[at]
    head = {name: publication[name] for name in ("subject", "organisation", "peer_group", "period")}
    return {
        **head,
        "scheme": {"name": scheme.name, "version": scheme.version, "content_hash": scheme_hash.hex()},
        "total": None if one.total is None else show(one.total, one.places),
        "withheld": one.because if one.total is None else None,
        "grade": one.grade,
        "places": {key: show(place) for key, column in outcome.ranks.items() if (place := column[at]) is not None},
        "flags": [scheme.flags[number - 1].label for number in outcome.flags[at]],
        "items": [_describe_item(scheme, outcome, key, at) for key in scheme.items],
        "contributions": [
            {"part": part.part, "key": part.key, "amount": show(part.amount, one.places)} for part in one.contributions
        ],
        "explanation": {"zh": explain(outcome, at, "zh"), "en": explain(outcome, at, "en")},
    }


def _describe_item(scheme: RuleScheme, outcome: Outcome, key: str, at: int) -> Shape:
    result = outcome.items[key]
    points = result.points[at]
    return {
        "key": key,
        "name": scheme.items[key].name,
        "points": None if points is None else show(points),
        "missing": result.missing[at],
    }


def _failure(period: Period, scheme: str, error: LianxinError) -> Line:
    return Line(
        action="scheme.failed",
        object_type="scheme",
        object_id=scheme,
        reason=error.detail[:500],
        details={"period": period.label},
    )
