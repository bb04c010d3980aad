"""Records are copied and made from their values as dataclasses would be."""

from dataclasses import astuple, replace

import pytest

from services.assessment.fair.records import (
    MICRO,
    Cadre,
    Contact,
    Handover,
    Issue,
    Outcome,
    Rating,
    amend,
    make_record,
    values_of,
)

RECORDS = [
    Cadre(cadre="c", peer_group="p", region="r", unit="u", deprivation=3, target=4),
    Issue(issue="i", category="a", complexity="1", received_at=7, closed_at=9, outcome="solved", share=MICRO // 2),
    Rating(rating="g", subject_kind="issue", subject="i", method="app", level=4, rated_at=8, rater="li"),
    Contact(contact="v", kind="visit", occurred_at=1, recorded_at=2, citizen="li", is_confirmed=True),
    Handover(issue="h", category="a", complexity="1", handed_at=5, to_cadre="d"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_made_from_its_values_in_the_order_of_the_fields(record) -> None:
    assert values_of(record) == astuple(record)
    assert make_record(type(record), values_of(record)) == record


def test_an_amended_record_is_another_one() -> None:
    issue = RECORDS[1]
    assert isinstance(issue, Issue)

    assert amend(issue, complainant="li", share=1) == replace(issue, complainant="li", share=1)
    assert (issue.complainant, issue.share) == ("", MICRO // 2)
    assert amend(issue) == issue


def test_too_few_values_make_no_record() -> None:
    with pytest.raises(ValueError, match="shorter"):
        make_record(Cadre, ("c", "p"))


@pytest.mark.parametrize(
    ("outcome", "is_reopened", "is_denied", "is_contradicted"),
    [
        ("solved", True, False, True),
        ("solved", False, True, True),
        ("solved", False, False, False),
        ("unsolved", True, True, False),  # nobody said that it was solved
    ],
)
def test_a_solution_is_contradicted_where_the_citizen_denies_it_or_comes_again(
    outcome: Outcome,
    is_reopened: bool,  # noqa: FBT001
    is_denied: bool,  # noqa: FBT001
    is_contradicted: bool,  # noqa: FBT001
) -> None:
    issue = Issue(
        issue="i",
        category="a",
        complexity="1",
        received_at=0,
        outcome=outcome,
        is_reopened=is_reopened,
        is_denied=is_denied,
    )

    assert issue.is_contradicted is is_contradicted
    assert issue.share == MICRO


def test_what_is_not_known_of_a_record_is_left_open() -> None:
    issue = Issue(issue="i", category="a", complexity="1", received_at=0)
    rating = Rating(rating="g", subject_kind="issue", subject="i", method="app", level=4, rated_at=8)
    contact = Contact(contact="v", kind="visit", occurred_at=1, recorded_at=2)

    assert (issue.answered_at, issue.close_allowed, issue.has_reply) == (None, None, None)
    assert (issue.is_reopened, issue.is_denied, issue.is_checked) == (False, False, False)
    assert (rating.is_complainant, rating.is_public_device) == (None, False)
    assert (contact.duration_minutes, contact.is_confirmed) == (None, False)
    assert Handover(issue="h", category="a", complexity="1", handed_at=5).received_at is None
