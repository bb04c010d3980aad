"""Rules of the clocks that two persons have agreed on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.intake.handlers.clocks import rules
from shared.database import Pool
from shared.proposals import Decision, Proposal
from tests.fakes import person


def agree_on_rules(pool: Pool, documents: Mapping[str, Mapping[str, Any]], *, now: datetime) -> Proposal:
    """Raises what asking for them raises."""
    asked = rules.propose(pool, "some", documents, by=person("department_officer"), now=now)
    return approve(pool, asked, now=now)


def approve(pool: Pool, asked: object, *, now: datetime) -> Proposal:
    assert isinstance(asked, Proposal), asked
    return rules.decide(pool, asked.id, Decision(status="approved", by=person("approver"), at=now))
