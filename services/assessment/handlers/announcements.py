"""Announcing scores that came to stand at a new value, gathered so that a bulk import does not flood the readers."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.assessment import metrics
from services.assessment.domain.organisations import line_of
from services.assessment.storage import scores, units
from services.assessment.storage.scores import UnannouncedScore
from shared import crash, outbox
from shared.contracts.assessment import ScoreComputed
from shared.database import Pool, transaction
from shared.observability import correlation_id

SCORES_A_BATCH = 500


def announce_scores(pool: Pool, *, now: datetime, limit: int = SCORES_A_BATCH) -> int:
    """Write an event for each score whose composite was not told yet, in one transaction; return how many."""
    with transaction(pool) as connection:
        unannounced = scores.claim_unannounced(connection, limit=limit)
        if not unannounced:
            return 0
        organisation_ids = {score.organisation_id for score in unannounced if score.organisation_id is not None}
        ancestry = units.list_ancestry(connection, [(one, now.date()) for one in sorted(organisation_ids)])
        parents = {row.organisation_id: row.parent_id for row in ancestry}
        events = [
            outbox.OutgoingEvent(
                event=_describe(score, parents),
                sequence=score.announced_sequence + 1,
                correlation_id=score.correlation_id,
            )
            for score in unannounced
        ]
        outbox.append(connection, events, recorded_at=now, correlation_id=correlation_id())
        crash.point("assessment.mid_announcing")
        scores.set_announced(connection, unannounced)
    metrics.scores_announced_total.inc(len(unannounced))
    return len(unannounced)


def _describe(score: UnannouncedScore, parents: Mapping[UUID, UUID | None]) -> ScoreComputed:
    line = line_of(score.organisation_id, parents) if score.organisation_id is not None else []
    return ScoreComputed.model_validate(
        {
            "score_id": score.score_id,
            "subject_kind": score.subject_kind,
            "subject_id": score.subject_id,
            "subject_code": score.subject_code,
            "subject_name": score.subject_name,
            "organisation_id": score.organisation_id,
            "organisation_path": line[::-1],
            "peer_group": score.peer_group,
            "period_kind": score.period_kind,
            "period_start": score.period_start,
            "composite": score.composite,
            "previous": score.announced_composite,
            "scheme": score.scheme_name,
            "scheme_version": score.scheme_version,
            "computed_at": score.computed_at,
        }
    )
