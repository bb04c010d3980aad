"""The indicators as gauges: of the organisations of one level, which are few, for the year so far."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.domain.indicators import compute_figure
from services.assessment.domain.periods import period_of
from services.assessment.handlers.fair_results import list_spreads
from services.assessment.handlers.figures import count_everything, load_registry
from services.assessment.storage import reading
from shared.database import Pool, transaction

MOST_ORGANISATIONS: Final = 100


def gauge_figures(pool: Pool, *, level: str, zone: ZoneInfo, now: datetime) -> int:
    """Set the gauges anew, and return of how many organisations: the first by code where there are more than a hundred.

    What is not asked for any more, or has no case, is shown no longer. Where counting fails, what was shown stays.
    """
    year = period_of("year", now.astimezone(zone).date())
    with transaction(pool) as connection:
        organisations = reading.list_organisations_of_level(connection, level, limit=MOST_ORGANISATIONS)
    counted = []
    for organisation in organisations:
        with transaction(pool) as connection:
            whom = organisation.subject_id
            measures = count_everything(connection, "organisation", [whom], year, zone=zone, now=now)[whom]
        counted.append((organisation.code, measures))
    _gauge_fair_scores(pool, [organisation.code for organisation in organisations])
    for gauge in (metrics.indicator_value, metrics.indicator_numerator, metrics.indicator_denominator):
        gauge.clear()
    for code, measures in counted:
        for definition in load_registry().definitions:
            figure = compute_figure(definition, measures)
            labels = definition.key, code
            metrics.indicator_numerator.labels(*labels).set(figure.numerator)
            metrics.indicator_denominator.labels(*labels).set(figure.denominator or 0)
            if figure.value is not None:
                metrics.indicator_value.labels(*labels).set(float(figure.value))
    return len(organisations)


def _gauge_fair_scores(pool: Pool, codes: list[str]) -> None:
    """The means that the door tells by peer group, of all peer groups together."""
    told = {code: list_spreads(pool, code, None) for code in codes}
    metrics.fair_score_mean.clear()
    metrics.fair_scores.clear()
    for code, groups in told.items():
        count = sum(group.cadres for group in groups)
        metrics.fair_scores.labels(code).set(count)
        if count:
            total = sum((group.total for group in groups), Decimal(0))
            metrics.fair_score_mean.labels(code).set(float(round(total / count, 2)))
