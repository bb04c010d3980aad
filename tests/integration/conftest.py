"""Whatever an app answers to a test of these is held against what its document says."""

from collections.abc import Iterator

import pytest

from tests.conformance.witness import Witness, heard_by


@pytest.fixture(scope="session")
def witness() -> Witness:
    """One for all: it reads each document once."""
    return Witness()


@pytest.fixture(autouse=True)
def answers_are_as_documented(witness: Witness) -> Iterator[None]:
    with heard_by(witness):
        yield
    assert witness.take_faults() == []
