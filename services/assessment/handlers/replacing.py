"""Scores that no longer hold: what was counted is compared with those that stand, and those that differ are written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.periods import Period
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import SubjectKind, score_id_of
from services.assessment.handlers.counting import Moment, Months
from services.assessment.scoring.composites import Composer, checker, composer
from services.assessment.storage import outdated, scores
from services.assessment.storage.due import DueSubject
from services.assessment.storage.outdated import Outdated, Touched
from shared.database import Connection

SCORES_A_WRITE = 5_000


def replace_scores(
    connection: Connection,
    kind: SubjectKind,
    months: Months,
    subjects: Sequence[DueSubject],
    scheme: Scheme,
    moment: Moment,
) -> int:
    """Return how many stand otherwise now. Who is marked is looked at in all periods, the others around months."""
    of_kind = (one for one in subjects if one.subject_kind == kind and one.subject_id != NOBODY)
    marked = {one.subject_id: one.correlation_id for one in of_kind}
    around = _touched({key: one for key, one in months.items() if key[0] not in marked})
    changed = 0
    if marked:
        changed += _score_whole(connection, kind, list(marked.items()), scheme, moment)
    if around:
        found = outdated.list_outdated_around(connection, kind, around, scheme, today=moment.today)
        changed += _write(connection, kind, found, scheme, at=moment.as_of)
    return changed


def _score_whole(
    connection: Connection, kind: SubjectKind, marked: Sequence[tuple[UUID, str]], scheme: Scheme, moment: Moment
) -> int:
    """What the counts that stand come to is worked out anew too: nobody but the scheme says what a score is."""
    found, told = outdated.list_outdated_whole(connection, kind, marked, scheme, today=moment.today)
    changed = _write(connection, kind, found, scheme, at=moment.as_of)
    is_right = checker(scheme)
    if spoilt := [one for one in told if not is_right(one)]:
        wrong = outdated.list_saying(connection, kind, [subject_id for subject_id, _ in marked], spoilt)
        changed += _write(connection, kind, wrong, scheme, at=moment.as_of)
    return changed


def _touched(months: Mapping[tuple[UUID, Any], str]) -> list[Touched]:
    return [
        Touched(subject_id=subject_id, month=month, correlation_id=correlation_id)
        for (subject_id, month), correlation_id in months.items()
    ]


def _write(
    connection: Connection, kind: SubjectKind, found: Sequence[Outdated], scheme: Scheme, *, at: datetime
) -> int:
    """Work out what should stand, and put it there; return how many."""
    compose = composer(scheme)
    for start in range(0, len(found), SCORES_A_WRITE):
        rows = [_row(kind, one, compose) for one in found[start : start + SCORES_A_WRITE]]
        scores.upsert_scores(connection, kind, scheme, rows, at=at)
    return len(found)


def _row(kind: SubjectKind, one: Outdated, compose: Composer) -> dict[str, Any]:
    composite, present_weight = compose(tuple(one.counts))
    return {
        "score_id": one.score_id
        or score_id_of(kind, one.subject_id, Period(kind=one.period_kind, start=one.period_start)),
        "subject_id": one.subject_id,
        "subject_code": one.subject_code,
        "organisation_id": one.organisation_id,
        "peer_group": one.peer_group,
        "period_kind": one.period_kind,
        "period_start": one.period_start,
        "composite": composite,
        "present_weight": present_weight,
        "counts": one.counts,
        "correlation_id": one.correlation_id,
    }
