"""A world: the people, what honestly happened, and what the records say after some have cheated."""

from dataclasses import dataclass

from bench.worlds.families import Family
from bench.worlds.life import live
from bench.worlds.people import Population, draw_population
from bench.worlds.tricks import LOOK_ALIKES, TRICKS, play
from services.assessment.fair.records import Dossier


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    population: Population
    honest: list[Dossier]
    played: list[Dossier]


def make_world(seed: str, family: Family, *, redraw: int = 0) -> World:
    """The same people; another `redraw` gives them another year."""
    population = draw_population(f"{seed}/{family.name}", family, tuple(TRICKS), LOOK_ALIKES)
    year = f"{seed}/{family.name}/{redraw}"
    honest = [live(year, population, person) for person in population.persons]
    played = [
        play(year, population, person, dossier) for person, dossier in zip(population.persons, honest, strict=True)
    ]
    return World(population=population, honest=honest, played=played)
