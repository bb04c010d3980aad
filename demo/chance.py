"""Where the demo's chance comes from: one seeded stream a topic, and the few draws that the topics share."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, topic: str) -> Random:
    """A stream of its own for each topic, so that a change to one topic leaves the others as they were."""
    return Random(f"{seed}:{topic}")


def pick(random: Random, weights: Mapping[T, float]) -> T:
    """Draws a key by its weight. The order of the mapping decides, so a mapping must never be built from a set."""
    return random.choices(list(weights), weights=list(weights.values()))[0]


def happens(random: Random, probability: float) -> bool:
    return random.random() < probability


def rounded(random: Random, amount: float) -> int:
    """Rounds up as often as the fraction says, so that small amounts keep their expected value."""
    return math.floor(amount + random.random())


def around(random: Random, median: float, spread: float) -> float:
    """A positive amount that is as often above the median as below it."""
    return median * math.exp(random.gauss(0, spread))


def clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def shuffled(random: Random, items: Sequence[T]) -> list[T]:
    return random.sample(items, len(items))
