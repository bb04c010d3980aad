"""How near scores come to the truth: ranks, awards, bias at equal quality, intervals, and what cheating gained."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from bench.worlds.people import Person

Numbers = Mapping[str, float]


def ranks(values: Numbers) -> dict[str, float]:
    """From 0 to 1; equal values share the mean of their places."""
    order = sorted(values, key=lambda key: values[key])
    result: dict[str, float] = {}
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for key in order[start:end]:
            result[key] = ((start + end - 1) / 2 + 0.5) / len(order)
        start = end
    return result


def by_group(persons: Sequence[Person]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for person in persons:
        groups.setdefault(person.cadre.peer_group, []).append(person.cadre.cadre)
    return list(groups.values())


def ranks_in_groups(persons: Sequence[Person], values: Numbers) -> dict[str, float]:
    result: dict[str, float] = {}
    for group in by_group(persons):
        result |= ranks({cadre: values[cadre] for cadre in group})
    return result


def correlate(first: Sequence[float], second: Sequence[float]) -> float:
    a, b = fmean(first), fmean(second)
    top = math.fsum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    below = math.fsum((x - a) ** 2 for x in first) * math.fsum((y - b) ** 2 for y in second)
    return top / math.sqrt(below) if below else 0.0


def agree(persons: Sequence[Person], first: Numbers, second: Numbers) -> float:
    """Spearman's coefficient within peer groups, weighted by their size."""
    total = 0.0
    for group in by_group(persons):
        one = ranks({cadre: first[cadre] for cadre in group})
        other = ranks({cadre: second[cadre] for cadre in group})
        total += len(group) * correlate([one[c] for c in group], [other[c] for c in group])
    return total / len(persons)


def award(persons: Sequence[Person], scores: Numbers, truth: Numbers, share: float = 0.2) -> float:
    """How many of the best by score are of the best by truth."""
    hits = count = 0
    for group in by_group(persons):
        size = round(len(group) * share)
        best = set(sorted(group, key=lambda cadre: (-scores[cadre], cadre))[:size])
        hits += len(best & set(sorted(group, key=lambda cadre: -truth[cadre])[:size]))
        count += size
    return hits / count


def bias(persons: Sequence[Person], scores: Numbers, truth: Numbers) -> tuple[float, float, float]:
    """Of region, case mix and caseload: standard deviations of truth for one of theirs, at equal truth."""
    columns = [
        [truth[person.cadre.cadre] for person in persons],
        [person.region_hardship for person in persons],
        [person.mean_hardness for person in persons],
        [math.log(person.caseload + 2) for person in persons],
    ]
    target = [scores[person.cadre.cadre] for person in persons]
    found = regress([standardise(column) for column in columns], standardise(target))
    return (found[1] / found[0], found[2] / found[0], found[3] / found[0])


def error_of(values: Sequence[float]) -> float:
    """Of their mean."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf


def standardise(values: Sequence[float]) -> list[float]:
    mean = fmean(values)
    spread = math.sqrt(fmean((value - mean) ** 2 for value in values)) or 1.0
    return [(value - mean) / spread for value in values]


def regress(columns: Sequence[Sequence[float]], target: Sequence[float]) -> list[float]:
    """Least squares by Gauss-Jordan; columns and target are centred."""
    size = len(columns)
    rows = [
        [math.fsum(a * b for a, b in zip(columns[i], columns[j], strict=True)) for j in range(size)]
        + [math.fsum(a * b for a, b in zip(columns[i], target, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        pivot = rows[i][i]
        rows[i] = [value / pivot for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]
