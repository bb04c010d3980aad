"""Watching the indicators themselves over closed periods: of the fair scheme, or of those that are published.

Of the fair scheme the database makes the sums. Of what is published every document is read, and so of at most so many.
"""

from dataclasses import dataclass
from typing import Final, Literal

import orjson

from services.assessment.domain.periods import CalendarKind, Period, period_of
from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.fair.settings import INDICATORS
from services.assessment.handlers.simulations import MOST_SUBJECTS, read_publication
from services.assessment.scoring.fair_monitoring import Stretch, monitor_sums
from services.assessment.scoring.monitoring import Health, monitor
from services.assessment.storage import closed_periods, fair_watch, publications
from services.assessment.storage.fair_watch import Watched
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected

MOST_PERIODS: Final = 24
Scheme = Literal["fair", "basic"]


class OnlyOfCadres(Rejected):
    """The fair scheme scores cadres alone."""

    code = "only-of-cadres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """`limit`: how many of the latest closed periods. Without a scheme it is the one that cadres were scored by."""

    kind: SubjectKind
    every: CalendarKind
    limit: int
    scheme: Scheme | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    scheme: Scheme
    found: tuple[Health, ...]


def watch_indicators(pool: Pool, watch: Watch) -> Seen:
    """Within the reader's reach. Raises NotPublished, BadTable, OnlyOfCadres."""
    if watch.kind != "cadre" and watch.scheme == "fair":
        raise OnlyOfCadres("the fair scheme scores cadres, and no organisations")
    with transaction(pool) as connection:
        closed = []
        if watch.kind == "cadre" and watch.scheme != "basic":
            closed = fair_watch.list_closed(connection, watch.every, limit=watch.limit)
        if closed or watch.scheme == "fair":
            return Seen(scheme="fair", found=_watch_fair(connection, watch, closed))
        read = _read_published(connection, watch)
    keys = dict.fromkeys(key for _, documents in read for document in documents for key in _keys(document))
    if not keys:
        raise NotPublished("nothing is published of that")
    rows = [(label, [read_publication(document) for document in documents]) for label, documents in read]
    return Seen(scheme="basic", found=monitor(list(keys), rows))


def _watch_fair(connection: Connection, watch: Watch, closed: list[Watched]) -> tuple[Health, ...]:
    """From the oldest on; what stands now comes last, where it goes on from what is closed."""
    stretches = [
        Stretch(
            label=_label(one, watch.every),
            scheme=_name(one),
            is_provisional=False,
            sums=fair_watch.sum_closed(connection, one),
        )
        for one in reversed(closed)
    ]
    present = fair_watch.find_present(connection)
    if present is not None and all(one.ends_on < present.ends_on for one in closed):
        sums = fair_watch.sum_present(connection, present)
        label = period_of("quarter", present.ends_on).label
        stretches.append(Stretch(label=label, scheme=_name(present), is_provisional=True, sums=sums))
    if not any(one.sums for one in stretches):
        raise NotPublished("nothing is published of that")
    return monitor_sums(INDICATORS, stretches)


def _label(watched: Watched, every: CalendarKind) -> str:
    return period_of(every, watched.period_start or watched.starts_on).label


def _name(watched: Watched) -> str:
    return f"{watched.scheme_name} {watched.scheme_version}"


def _read_published(connection: Connection, watch: Watch) -> list[tuple[str, list[dict[str, object]]]]:
    periods = [one.period for one in closed_periods.list_closed_periods(connection)]
    chosen = sorted((one for one in periods if one.kind == watch.every), key=lambda one: one.start)[-watch.limit :]
    return [(period.label, _read(connection, watch.kind, period)) for period in chosen]


def _read(connection: Connection, kind: SubjectKind, period: Period) -> list[dict[str, object]]:
    found = publications.list_publications(connection, kind, period, after=None, limit=MOST_SUBJECTS + 1)
    if len(found) > MOST_SUBJECTS:
        raise BadTable(f"more than {MOST_SUBJECTS} subjects are within reach: ask of a part of the tree")
    return [orjson.loads(one.document) for one in found]


def _keys(document: dict[str, object]) -> list[str]:
    indicators = document["indicators"]
    return [str(one["key"]) for one in indicators] if isinstance(indicators, list) else []
