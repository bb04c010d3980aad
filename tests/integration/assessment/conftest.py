"""A migrated database of assessment with the schemes loaded."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.assessment.handlers.facts import take_facts
from services.assessment.handlers.schemes import load_schemes
from services.assessment.handlers.scores import score_due
from shared.database import Pool

HOME = Path(__file__).parents[3] / "services" / "assessment"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 11, 15, 4, tzinfo=UTC)


@pytest.fixture
def new_assessment(new_pool: Callable[[str], Pool]) -> Callable[[], Pool]:
    def create() -> Pool:
        return with_schemes(new_pool("assessment"))

    return create


@pytest.fixture
def pool(new_assessment: Callable[[], Pool]) -> Pool:
    return new_assessment()


@pytest.fixture(scope="module")
def shared_pool(new_shared_pool: Callable[[str], Pool]) -> Pool:
    """For tests that only read what the file filled it with."""
    return with_schemes(new_shared_pool("assessment"))


def with_schemes(pool: Pool) -> Pool:
    load_schemes(pool, (HOME / "schemes").glob("*.toml"), indicators_file=HOME / "indicators.toml", now=NOW)
    return pool


def take(pool: Pool, envelopes, now: datetime = NOW) -> int:
    return take_facts(pool, envelopes, zone=ZONE, now=now)


def score_all(pool: Pool, now: datetime = NOW, limit: int = 1_000) -> int:
    """Score until nothing is due; return how many scores changed."""
    changed = 0
    while True:
        summary = score_due(pool, scheme_name="basic", zone=ZONE, now=now, limit=limit)
        changed += summary.changed
        if not summary.more:
            return changed
