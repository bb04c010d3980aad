"""Deliveries while all that makes them is killed: nobody goes untold, and only what was not heard is repeated."""

import time
from collections.abc import Iterator

import pytest

from tests.harness.chaos import Chaos
from tests.harness.experiment import Experiment, require
from tests.harness.suite import Suite
from tests.harness.telling import VICTIMS, Telling, lose_some, telling
from tests.harness.telling_oracles import count_extra
from tests.harness.tellings import end_leases_of_the_dead

SEED = 2604


@pytest.fixture(scope="module")
def told(suite: Suite, experiment: Experiment) -> Iterator[Telling]:
    if not suite.servers.may_be_killed:
        pytest.skip("the servers are given, and not ours to kill")
    with telling(experiment, cadres=10, receivers=2, loses=lose_some(0.02, SEED)) as told:
        yield told


@pytest.mark.timeout(900)
def test_everybody_is_told_although_everything_gets_killed(suite: Suite, told: Telling) -> None:
    chaos = Chaos(suite)
    load = told.begin_load(seed=SEED, issues=150, rate=40)

    for victim in VICTIMS:
        time.sleep(1.5)
        chaos.kill(victim)
    outcome = load.wait(180)
    suite.wait_until_ready()
    end_leases_of_the_dead(suite)
    tellings, verdicts = told.wait_and_judge()

    require(verdicts)
    assert outcome.bugs == []
    assert outcome.counts["given_up"] == 0
    assert len(tellings.assigned) == 150
    extra, kept_back, unheard = count_extra(tellings)
    assert extra <= kept_back + unheard
