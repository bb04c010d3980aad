"""What tools/verify_place.py, which shares no line with the engine, comes to on the same table: it must be the same."""

from dataclasses import dataclass
from typing import Any

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.handlers.place_scores import describe
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.workspace import Table
from shared.errors import LianxinError
from tools import verify_place

PUBLICATION: dict[str, Any] = {"subject": {}, "organisation": None, "peer_group": None, "period": {}}


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: str


def evaluate_twice(text: str, table: Table) -> Outcome:
    """The outcome, after the verifier came to it too. Raises what evaluating raises, after the verifier refused too."""
    scheme = read_rule_scheme(text)
    try:
        outcome = evaluate(scheme, table)
    except LianxinError:
        assert isinstance(verified(text, table), Refusal)
        raise
    for rows in rows_by_period(table):
        part = Table(
            subjects=tuple(table.subjects[at] for at in rows),
            periods=tuple(table.periods[at] for at in rows),
            columns={key: [column[at] for at in rows] for key, column in table.columns.items()},
        )
        found = verified(text, part)
        assert not isinstance(found, Refusal), found
        assert_same(outcome, rows, found)
    return outcome


def verified(text: str, table: Table) -> verify_place.Outcome | Refusal:
    try:
        return verify_place.evaluate(verify_place.read_scheme(text), table.columns, len(table))
    except (verify_place.Bad, verify_place.Unchecked) as error:
        return Refusal(str(error))


def rows_by_period(table: Table) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for at, period in enumerate(table.periods):
        rows.setdefault(period, []).append(at)
    return list(rows.values())


def assert_same(outcome: Outcome, rows: list[int], found: verify_place.Outcome) -> None:
    """Every step exactly, before it is written with so many places; and all that a score tells."""
    scheme = outcome.scheme
    for key in (*scheme.values, *scheme.items, *scheme.sections):
        assert [outcome.columns[key][at] for at in rows] == found.sheet.column(key), key
    for number, at in enumerate(rows):
        told = describe(outcome, at, PUBLICATION, b"")
        assert {key: told[key] for key in verify_place.KNOWN_FIELDS & found.describe(number).keys()} == found.describe(
            number
        )
        assert outcome.totals[at].total == found.totals[number].total
