"""A world: the people, what honestly happened, and what the records say after some have cheated."""

import random
from dataclasses import dataclass, replace

from bench.worlds.families import Family
from bench.worlds.life import live
from bench.worlds.people import Population, draw_population
from bench.worlds.tricks import LOOK_ALIKES, TRICKS, play
from services.assessment.fair.records import Dossier, Handover
from services.assessment.fair.shares import Hold, share_by_time


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
    return World(population=population, honest=settle(year, honest), played=settle(year, played))


def settle(seed: str, dossiers: list[Dossier]) -> list[Dossier]:
    """Give what was handed on to colleagues of the unit, with the shares that the time of holding makes."""
    draw = random.Random(f"{seed}/settle")
    units: dict[str, list[Dossier]] = {}
    settled = [
        Dossier(
            cadre=one.cadre,
            issues=list(one.issues),
            ratings=list(one.ratings),
            contacts=one.contacts,
            handovers=one.handovers,
        )
        for one in dossiers
    ]
    for one in settled:
        units.setdefault(one.cadre.unit, []).append(one)
    for giver in settled:
        for handover in giver.handovers:
            receiver = draw.choice(units[giver.cadre.unit])
            if receiver is not giver:
                _hand_over(giver, receiver, handover)
    return settled


def _hand_over(giver: Dossier, receiver: Dossier, handover: Handover) -> None:
    place = next(place for place, issue in enumerate(giver.issues) if issue.issue == handover.issue)
    issue = giver.issues.pop(place)
    holds = [
        Hold(cadre=giver.cadre.cadre, from_at=issue.received_at),
        Hold(cadre=receiver.cadre.cadre, from_at=handover.handed_at),
    ]
    shares = share_by_time(issue, holds)
    for holder in (giver, receiver):
        share = shares.get(holder.cadre.cadre, 0)
        if share:
            holder.issues.append(replace(issue, share=share))
    ratings = [rating for rating in giver.ratings if rating.subject == issue.issue]
    if not shares.get(giver.cadre.cadre):
        giver.ratings = [rating for rating in giver.ratings if rating.subject != issue.issue]
    if shares.get(receiver.cadre.cadre):
        receiver.ratings.extend(ratings)
