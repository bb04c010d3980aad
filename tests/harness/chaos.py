"""kill -9 of whatever is chosen, in an order that a seed decides."""

import random
from collections import Counter
from collections.abc import Sequence

from typing_extensions import override

from tests.harness.suite import Suite, process_names

BROKER, DATABASE = "rabbitmq", "postgres"


def choose_victims(seed: int, kills: int, *, among: Sequence[str] | None = None) -> list[str]:
    """Round after round over everything that can be killed, each round in another order: nobody is left out."""
    rng = random.Random(seed)  # noqa: S311 - the same order for the same seed
    victims: list[str] = []
    while len(victims) < kills:
        around = list(among or [*process_names(), BROKER, DATABASE])
        rng.shuffle(around)
        victims += around
    return victims[:kills]


class Chaos:
    """Counts what it kills. The keeper of the suite starts processes again; servers are started again here."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.kills: Counter[str] = Counter()

    def kill(self, victim: str) -> None:
        if victim == BROKER:
            self._suite.servers.crash_rabbit()
        elif victim == DATABASE:
            self._suite.servers.crash_postgres()
        else:
            self._suite.processes[victim].kill9()
        self.kills[victim] += 1

    @override
    def __str__(self) -> str:
        return ", ".join(f"{victim} {count}" for victim, count in sorted(self.kills.items()))
