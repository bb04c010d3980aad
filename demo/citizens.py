"""Invented citizens: who raises an issue, and how they can be called back. No operator gives out their numbers."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from demo import chance, names
from demo.arrivals import Arrival

# Operators of the mainland have every range from 150 to 159 but this one.
PHONE_RANGE = "154"
SHARE_OF_MEN = 0.5
# Of those who raise an issue, who did so before: few raise many, and most one.
RETURNING_SHARE = 0.3
NOTICED_BY_STAFF = "staff"
ANONYMOUS_SHARE = {"report": 0.4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    name: str
    phone: str


class Residents:
    """The people of each village, who become known as they first raise something there."""

    def __init__(self, random: Random, *, cadre_names: Collection[str]) -> None:
        self._random = random
        self._cadre_names = cadre_names
        self._known: dict[str, list[Citizen]] = defaultdict(list)
        self._count = 0

    def who_raises(self, arrival: Arrival) -> Citizen | None:
        """Nobody where staff noticed it themselves, or where the citizen would not say."""
        anonymous = chance.happens(self._random, ANONYMOUS_SHARE.get(arrival.situation.type, 0.0))
        if anonymous or arrival.channel == NOTICED_BY_STAFF:
            return None
        known = self._known[arrival.village.code]
        if known and chance.happens(self._random, RETURNING_SHARE):
            # Each is in the list as often as they raised something, so that who raises much raises more.
            citizen = self._random.choice(known)
        else:
            citizen = self.draw_another()
        known.append(citizen)
        return citizen

    def draw_another(self) -> Citizen:
        """Somebody who was not known before."""
        self._count += 1
        name = names.draw_name(self._random, share_of_men=SHARE_OF_MEN)
        while name in self._cadre_names:  # A reader of the demo would take them for one person.
            name = names.draw_name(self._random, share_of_men=SHARE_OF_MEN)
        return Citizen(name=name, phone=f"{PHONE_RANGE}{self._count:08}")
