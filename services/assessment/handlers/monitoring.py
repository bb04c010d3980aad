"""Watching the indicators themselves over closed periods, out of what is published and nothing else."""

from typing import Final

import orjson

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.handlers.simulations import MOST_SUBJECTS, read_publication
from services.assessment.scoring.monitoring import Health, monitor
from services.assessment.storage import closed_periods, publications
from shared.database import Connection, Pool, transaction

MOST_PERIODS: Final = 24


def watch_indicators(pool: Pool, kind: SubjectKind, period_kind: PeriodKind, *, limit: int) -> tuple[Health, ...]:
    """Over the latest closed periods of a kind, within the reader's reach. Raises NotPublished, BadTable."""
    with transaction(pool) as connection:
        periods = [one.period for one in closed_periods.list_closed_periods(connection)]
        chosen = sorted((one for one in periods if one.kind == period_kind), key=lambda one: one.start)[-limit:]
        read = [(period.label, _read(connection, kind, period)) for period in chosen]
    keys = dict.fromkeys(key for _, documents in read for document in documents for key in _keys(document))
    if not keys:
        raise NotPublished("nothing is published of that")
    rows = [(label, [read_publication(document) for document in documents]) for label, documents in read]
    return monitor(list(keys), rows)


def _read(connection: Connection, kind: SubjectKind, period: Period) -> list[dict[str, object]]:
    found = publications.list_publications(connection, kind, period, after=None, limit=MOST_SUBJECTS + 1)
    if len(found) > MOST_SUBJECTS:
        raise BadTable(f"more than {MOST_SUBJECTS} subjects are within reach: ask of a part of the tree")
    return [orjson.loads(one.document) for one in found]


def _keys(document: dict[str, object]) -> list[str]:
    indicators = document["indicators"]
    return [str(one["key"]) for one in indicators] if isinstance(indicators, list) else []
