"""Scores: the one id that a score has, wherever and however often it is computed."""

from uuid import UUID

from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import score_id_of

WANG, TOWN = UUID(int=1), UUID(int=2)


def test_each_score_has_an_id_of_its_own_and_always_the_same():
    """Other services keep it, so that no release may make another one of it."""
    periods = ("2025", "2025H1", "2025Q1", "2025-01", "2025-02", "2025-01-01..2025-02-10", "2025-01-01..2025-02-11")
    kinds = ("cadre", "organisation")

    ids = {
        score_id_of(kind, subject, parse_period(text)) for kind in kinds for subject in (WANG, TOWN) for text in periods
    }

    assert len(ids) == 28
    assert score_id_of("cadre", WANG, parse_period("2025Q1")) == UUID("fcc3ec49-70c1-56b7-b129-7a576cbdc473")
    assert score_id_of("organisation", TOWN, parse_period("2025-01-05..2025-02-10")) == UUID(
        "45951585-ad05-5183-985e-81b611f8f60b"
    )
