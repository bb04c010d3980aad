"""Whatever an app answers to a test of these is held against what its document says."""

from collections.abc import Iterator

import pytest

from tests.conformance.witness import Witness, witnessed


@pytest.fixture(scope="session")
def witness() -> Iterator[Witness]:
    with witnessed() as witness:
        yield witness


@pytest.fixture(autouse=True)
def answers_are_as_documented(witness: Witness) -> Iterator[None]:
    yield
    assert witness.take_faults() == []
