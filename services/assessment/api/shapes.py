"""How scores, indicators and evidence look in JSON. Decimals are texts with fixed places: a float would change them."""

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.assessment.domain.duties import DutyUnit
from services.assessment.domain.periods import Period
from services.assessment.domain.scores import Score, ScoreIndicator
from services.assessment.handlers.evidence import Evidence, EvidencePage
from services.assessment.handlers.reading import IndicatorReading, ScoreReading
from services.assessment.storage.evidence import LoggedEvent

NOT_ENOUGH_EVIDENCE = "not_enough_evidence"  # why a composite is withheld

Shape = dict[str, object]


def fixed(value: Decimal | None, places: int) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def show_period(period: Period) -> Shape:
    return {"period": period.label, "kind": period.kind, "start": period.start, "end": period.end}


def show_score(score: Score, indicators: Sequence[ScoreIndicator]) -> Shape:
    period = Period(kind=score.period_kind, start=score.period_start, last=score.period_last)
    return {
        "score_id": score.score_id,
        "subject": {"kind": score.subject_kind, "code": score.subject_code, "name": score.subject_name},
        "organisation": _show_organisation(score),
        "peer_group": score.peer_group,
        "period": show_period(period),
        "composite": fixed(score.composite, 2),
        "withheld": None if score.composite is not None else NOT_ENOUGH_EVIDENCE,
        "present_weight": fixed(score.present_weight, 4),
        "indicators": [
            {"key": row.indicator, **_show_result(row)} for row in sorted(indicators, key=lambda row: row.indicator)
        ],
        "scheme": {"name": score.scheme_name, "version": score.scheme_version},
        "as_of": score.as_of,
        "computed_at": score.computed_at,
        "revision": score.revision,
    }


def show_reading(found: ScoreReading) -> Shape:
    head: Shape = {
        "subject": {"kind": found.subject.subject_kind, "code": found.subject.code, "name": found.subject.name},
        "period": show_period(found.period),
        "composite": None,
        "withheld": NOT_ENOUGH_EVIDENCE,
        "scheme": {"name": found.scheme.name, "version": found.scheme.version},
        "as_of": None,
    }
    if found.score is not None:
        head = show_score(found.score, ()) | {"correlation_id": found.score.correlation_id}
    return head | {"indicators": [_show_indicator(reading) for reading in found.indicators]}


def show_evidence(found: EvidencePage, page: Sequence[Evidence], next_cursor: str | None, *, zone: ZoneInfo) -> Shape:
    today = found.as_of.astimezone(zone).date()
    return {
        "indicator": {
            "key": found.indicator.key,
            "name": found.indicator.name,
            "description": found.indicator.description,
            "numerator": found.indicator.numerator,
            "denominator": found.indicator.denominator,
        },
        "as_of": found.as_of,
        "items": [_show_item(item) for item in page],
        "duties": [_show_duty(unit, owed=unit.owed(today), met=unit.met(today)) for unit in found.duties],
        "next_cursor": next_cursor,
    }


def _show_organisation(score: Score) -> Shape | None:
    if score.organisation_code is None:
        return None
    return {"code": score.organisation_code, "name": score.organisation_name}


def _show_result(row: ScoreIndicator) -> Shape:
    return {
        "numerator": row.numerator,
        "denominator": row.denominator,
        "value": fixed(row.value, 4),
        "points": fixed(row.points, 2),
        "weight": fixed(row.weight, 4),
    }


def _show_indicator(reading: IndicatorReading) -> Shape:
    return {
        "key": reading.definition.key,
        "name": reading.definition.name,
        "description": reading.definition.description,
        **_show_result(reading.result),
        "full_weight": fixed(reading.definition.weight, 4),
        "minimum_denominator": reading.definition.minimum_denominator,
        "components": reading.measures,
    }


def _show_item(item: Evidence) -> Shape:
    return {
        "fact": item.fact,
        "id": item.fact_id,
        "at": item.at,
        "organisation_code": item.organisation_code,
        "staff_number": item.staff_number,
        "kind": item.kind,
        "kind_name": item.kind_name,
        "in_numerator": item.in_numerator,
        "in_denominator": item.in_denominator,
        "measures": item.measures,
        "events": [show_event(event) for event in item.events],
    }


def show_event(event: LoggedEvent) -> Shape:
    return {
        "event_id": event.event_id,
        "type": event.event_type,
        "sequence": event.sequence,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
    }


def _show_duty(unit: DutyUnit, *, owed: int, met: int) -> Shape:
    return {
        "contact_kind": unit.contact_kind,
        "required_count": unit.required_count,
        "counted_in": unit.unit,
        "unit": show_period(Period(kind=unit.per, start=unit.unit_start)),
        "held_from": unit.held_from,
        "held_until": unit.held_until,
        "owed": owed,
        "done": unit.done,
        "met": met,
    }
