"""Who there is: places with their hardships, cadres with their skills and cases, and citizens."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.worlds.families import Family
from services.assessment.fair.records import MICRO, Cadre

SKILLS: Final = ("timeliness", "reply", "resolution", "speed", "satisfaction", "outreach")
WEIGHTS: Final = {
    "timeliness": 0.10,
    "reply": 0.10,
    "resolution": 0.40,
    "speed": 0.05,
    "satisfaction": 0.30,
    "outreach": 0.05,
}
CATEGORIES: Final = 9
COMPLEXITIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A category at a complexity."""

    category: int
    complexity: int
    hardness: float  # in logits of being solved
    slowness: float  # in doublings of the time taken
    explained: float  # the share that policy does not allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    cadre: Cadre
    skills: Mapping[str, float]
    hardship: float  # of region and unit, in logits
    region_hardship: float
    weights_of_kinds: tuple[float, ...]
    mean_hardness: float
    caseload: int
    confirms: float
    trick: str = ""
    is_knowing: bool = False
    look_alike: str = ""


@dataclass(slots=True, kw_only=True)
class Population:
    family: Family
    kinds: list[Kind]
    persons: list[Person] = field(default_factory=list)
    truths: dict[str, float] = field(default_factory=dict)  # standardised within the peer group


def draw_kinds(draw: random.Random, family: Family) -> list[Kind]:
    kinds = []
    for category in range(CATEGORIES):
        hardness = draw.gauss(0, family.difficulty)
        slowness = draw.gauss(0, 0.5)
        explained = draw.choice((0.02, 0.04, 0.08, 0.2))
        for complexity in range(COMPLEXITIES):
            step = complexity - 1
            kinds.append(
                Kind(
                    category=category,
                    complexity=complexity,
                    hardness=hardness + 0.6 * family.difficulty * step + draw.gauss(0, 0.25),
                    slowness=slowness + 0.4 * step,
                    explained=explained,
                )
            )
    return kinds


def draw_normal(draw: random.Random, family: Family) -> float:
    """With variance one; heavy tails are those of Student's t with four degrees of freedom."""
    if not family.is_heavy_tailed:
        return draw.gauss(0, 1)
    return draw.gauss(0, 1) / math.sqrt(draw.gammavariate(2, 1) / 2) / math.sqrt(2)


def draw_population(seed: str, family: Family, tricks: tuple[str, ...], look_alikes: tuple[str, ...]) -> Population:
    draw = random.Random(f"{seed}/population")
    population = Population(family=family, kinds=draw_kinds(draw, family))
    regions = [draw.gauss(0, 1) for _ in range(family.regions)]
    confirms = [draw.uniform(*family.confirmed) for _ in range(family.regions)]
    shown = [
        family.deprivation_shown * r + math.sqrt(1 - family.deprivation_shown**2) * draw.gauss(0, 1) for r in regions
    ]
    units = [[draw.gauss(0, family.unit) for _ in range(family.units_in_region)] for _ in regions]
    for number in range(family.cadres):
        region = draw.randrange(family.regions)
        unit = draw.randrange(family.units_in_region)
        general = draw_normal(draw, family)
        skills = {
            name: family.common * general + math.sqrt(1 - family.common**2) * draw_normal(draw, family)
            for name in SKILLS
        }
        tilt = family.hard_regions * regions[region] + family.hard_to_able * general + draw.gauss(0, 0.3 / family.mix)
        raw = [
            draw.gammavariate(family.mix, 1) * math.exp(0.5 * tilt * kind.hardness) + 1e-9 for kind in population.kinds
        ]
        weights = tuple(weight / math.fsum(raw) for weight in raw)
        trick = draw.choice(tricks) if draw.random() < family.cheats else ""
        look_alike = draw.choice(look_alikes) if not trick and draw.random() < family.look_alikes else ""
        target = draw.choice((12, 24, 36))
        population.persons.append(
            Person(
                cadre=Cadre(
                    cadre=f"C{number:05d}",
                    peer_group=f"P{draw.randrange(family.peer_groups)}",
                    region=f"R{region:02d}",
                    unit=f"R{region:02d}U{unit:02d}",
                    deprivation=round(shown[region] * MICRO),
                    target=target,
                ),
                skills=skills,
                hardship=family.region * regions[region] + units[region][unit],
                region_hardship=regions[region],
                weights_of_kinds=weights,
                mean_hardness=math.fsum(w * k.hardness for w, k in zip(weights, population.kinds, strict=True)),
                caseload=max(0, round(math.exp(draw.gauss(math.log(family.caseload), family.caseload_spread)))),
                confirms=confirms[region],
                trick=trick,
                is_knowing=bool(trick) and draw.random() < family.knowing,
                look_alike=look_alike,
            )
        )
    population.truths = _standardise(population.persons)
    return population


def _standardise(persons: list[Person]) -> dict[str, float]:
    groups: dict[str, dict[str, float]] = {}
    for person in persons:
        truth = math.fsum(WEIGHTS[name] * person.skills[name] for name in SKILLS)
        groups.setdefault(person.cadre.peer_group, {})[person.cadre.cadre] = truth
    truths: dict[str, float] = {}
    for group in groups.values():
        mean = math.fsum(group.values()) / len(group)
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in group.values()) / len(group))
        truths |= {cadre: (value - mean) / spread for cadre, value in group.items()}
    return truths
