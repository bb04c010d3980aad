"""How issues come in over a year: on which day and hour, over which channel, about what and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from demo import chance, workdays
from demo.catalogue import Catalogue, Situation
from demo.liaison import Contact
from demo.places import County, Organisation
from demo.timeline import Stretch, Timeline

# All told, and in a year at most: spread over what is told, so that loading takes as long on any day.
WHOLE_TIME = 16_500
WHOLE_YEAR = 12_000
ENTERED_WITHIN = timedelta(minutes=8)
CHANNELS = {
    "phone": 55.5,
    "app": 9.0,
    "web": 8.0,
    "contact": 13.0,
    "reception": 5.0,
    "mailbox": 3.5,
    "social_media": 3.0,
    "other_system": 2.0,
    "staff": 4.0,
}
WEEKEND, HOLIDAY, AFTER_HOLIDAY = 0.62, 0.42, 1.35
# The telephone is answered day and night, and rings most in mid-morning and mid-afternoon.
HOURS = {
    **dict.fromkeys(range(6), 0.3),
    6: 1.0,
    7: 3.0,
    8: 8.0,
    9: 12.0,
    10: 12.0,
    11: 8.0,
    12: 5.0,
    13: 5.0,
    14: 8.0,
    15: 10.0,
    16: 9.0,
    17: 7.0,
    18: 5.0,
    19: 4.5,
    20: 4.0,
    21: 2.5,
    22: 1.5,
    23: 0.7,
}
# What staff on their rounds notice by themselves.
VISIBLE_CATEGORIES = ("sanitation", "roads", "flood_and_safety")
VISIBLE_TYPES = ("complaint", "help")
RAISING_KINDS = ("visit", "field_stay", "outreach_reception", "discussion_meeting", "field_study")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    received_at: datetime
    channel: str
    situation: Situation
    village: Organisation
    township: Organisation
    contact: Contact | None = None


class _Villages:
    """Draws where an issue comes from: by people, and more of it where things are difficult."""

    def __init__(self, county: County) -> None:
        self.township_of = {
            village.code: township for township in county.townships for village in county.villages[township.code]
        }
        self._villages = [village for township in county.townships for village in county.villages[township.code]]
        self._weights = [village.people * (0.6 + village.difficulty) for village in self._villages]
        self.areas = tuple(dict.fromkeys(area_of(village) for village in self._villages))

    def draw(self, random: Random, situation: Situation) -> Organisation:
        while True:
            village = random.choices(self._villages, weights=self._weights)[0]
            if situation.suits(area_of(village)):
                return village


class _Situations:
    """Draws what an issue is about: by the share of its category in the month."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[tuple[int, tuple[str, ...]], tuple[dict[str, float], dict[str, list[Situation]]]] = {}

    def draw(self, random: Random, *, month: int, areas: tuple[str, ...]) -> Situation:
        if (month, areas) not in self._known:
            self._known[month, areas] = self._list(month, areas)
        weights, situations = self._known[month, areas]
        return random.choice(situations[chance.pick(random, weights)])

    def _list(self, month: int, areas: tuple[str, ...]) -> tuple[dict[str, float], dict[str, list[Situation]]]:
        weights, found = {}, {}
        for category in self._catalogue.categories:
            found[category.code] = self._catalogue.in_month(category, month, areas)
            if found[category.code] and category.months[month - 1]:
                weights[category.code] = category.share * category.months[month - 1] / sum(category.months)
        return weights, found


def area_of(village: Organisation) -> str:
    return "urban" if village.is_urban else "rural"


def count_a_year(timeline: Timeline, scale: float) -> float:
    years = sum(len(stretch.days) / len(stretch.whole_year) for stretch in timeline.stretches)
    return scale * min(WHOLE_YEAR, WHOLE_TIME / years)


def build_arrivals(
    random: Random,
    *,
    county: County,
    contacts: Sequence[Contact],
    catalogue: Catalogue,
    a_year: float,
    stretch: Stretch,
) -> list[Arrival]:
    """In the order of their arrival."""
    villages = _Villages(county)
    in_time = [item for item in contacts if item.recorded_at < stretch.end - ENTERED_WITHIN and not item.is_for_show]
    by_channel = {
        "contact": [item for item in in_time if item.kind in RAISING_KINDS and item.place is not None],
        "reception": [item for item in in_time if item.kind == "reception"],
    }
    arrivals: list[Arrival] = []
    situations = _Situations(catalogue)
    days = stretch.days
    whole_year = _day_weights(random, stretch.whole_year)
    weights = whole_year[: len(days)]
    for _ in range(round(a_year * sum(weights) / sum(whole_year))):
        channel = chance.pick(random, CHANNELS)
        if by_channel.get(channel):
            contact = random.choice(by_channel[channel])
            arrivals.append(_raised_in(random, contact, channel=channel, villages=villages, situations=situations))
            continue
        day = random.choices(days, weights=weights)[0]
        moment = workdays.at(day, chance.pick(random, HOURS), random.randint(0, 59), random.randint(0, 59))
        situation = situations.draw(random, month=day.month, areas=villages.areas)
        if channel in by_channel or (channel == "staff" and not _can_be_noticed(situation)):
            channel = "phone"
        village = villages.draw(random, situation)
        arrivals.append(
            Arrival(
                received_at=moment,
                channel=channel,
                situation=situation,
                village=village,
                township=villages.township_of[village.code],
            )
        )
    return sorted(arrivals, key=lambda arrival: (arrival.received_at, arrival.village.code))


def _raised_in(
    random: Random, contact: Contact, *, channel: str, villages: _Villages, situations: "_Situations"
) -> Arrival:
    """Raised while a cadre met people: it comes from the place of the meeting, and is entered after it."""
    month = contact.occurred_at.month
    place = contact.place if contact.place is not None and contact.place.code in villages.township_of else None
    areas = (area_of(place),) if place is not None else villages.areas
    situation = situations.draw(random, month=month, areas=areas)
    while situation.about:  # Nobody complains about an official to those who come along with him.
        situation = situations.draw(random, month=month, areas=areas)
    village = place or villages.draw(random, situation)
    return Arrival(
        received_at=(contact.recorded_at + random.uniform(0.05, 1) * ENTERED_WITHIN).replace(microsecond=0),
        channel=channel,
        situation=situation,
        village=village,
        township=villages.township_of[village.code],
        contact=contact,
    )


def _can_be_noticed(situation: Situation) -> bool:
    return situation.category.code in VISIBLE_CATEGORIES and situation.type in VISIBLE_TYPES


def _day_weights(random: Random, days: Sequence[date]) -> list[float]:
    weights = []
    for day in days:
        weight = 1.0 if workdays.is_working_day(day) else HOLIDAY if workdays.is_holiday(day) else WEEKEND
        if workdays.is_working_day(day) and workdays.is_holiday(day - timedelta(days=1)):
            weight = AFTER_HOLIDAY
        weights.append(weight * chance.around(random, 1.0, 0.12))
    return weights
