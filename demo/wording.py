"""The words of an issue: how it was put, with estates, streets and schools filled in, and how it was answered."""

import zlib
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from demo import texts
from demo.arrivals import Arrival

OPENINGS = {
    "phone": "opening_phone",
    "web": "opening_online",
    "app": "opening_online",
    "mailbox": "opening_online",
    "social_media": "opening_online",
    "contact": "opening_contact",
    "reception": "opening_reception",
    "staff": "opening_staff",
    "other_system": "opening_transfer",
}
# What an operator writes in place of "反映" when something else than a grievance is told.
VERBS = {"enquiry": "咨询", "suggestion": "建议", "report": "举报"}
ESTATES_IN_A_COMMUNITY = 4


class Wording:
    def __init__(self, phrases: Mapping[str, Any]) -> None:
        self._phrases = phrases
        localities = texts.read("localities")
        self._estates: list[str] = localities["estates"]
        self._roads: list[str] = localities["roads"]

    def details(self, random: Random, arrival: Arrival, *, unit: str) -> dict[str, str]:
        village, township = arrival.village, arrival.township
        # A place keeps its estates, streets and schools all year: they follow from its code, not from chance.
        local = zlib.crc32(village.code.encode()) + random.randrange(ESTATES_IN_A_COMMUNITY)
        estate = self._estates[local % len(self._estates)]
        some_days_ago = arrival.received_at - timedelta(days=random.randint(2, 6))
        return {
            "place": township.name + village.name,
            "village": village.name,
            "town": township.name,
            "estate": estate if estate.endswith("小区") else f"{estate}小区",
            "road": self._roads[local % len(self._roads)],
            "school": _school(random, arrival),
            "unit": unit,
            "days": str(random.randint(2, 6)),
            "count": str(random.randint(5, 28)),
            "households": str(random.randint(30, 180)),
            "building": str(random.randint(1, 22)),
            "date": f"{some_days_ago.month}月{some_days_ago.day}日",
        }

    def describe(self, random: Random, arrival: Arrival, details: Mapping[str, str]) -> str:
        text = arrival.situation.text.format(**details)
        key = OPENINGS[arrival.channel]
        if arrival.channel == "contact" and arrival.village.is_urban:
            key = "opening_contact_urban"
        if arrival.situation.type == "thanks" and key != "opening_online":
            return text
        opening = random.choice(self._phrases[key])
        if key != "opening_online" and opening:
            # Somebody else wrote it down, so that nobody speaks of himself in it.
            text = text.replace("本人", "其")
            opening = opening.replace("反映", VERBS.get(arrival.situation.type, "反映"))
        return str(opening) + text

    def answer(self, random: Random, arrival: Arrival, *, outcome: str, details: Mapping[str, str]) -> str:
        if not outcome:
            return ""
        if outcome in ("not_accepted", "withdrawn"):
            return str(random.choice(self._phrases[outcome]))
        body = arrival.situation.policy if outcome == "explained_policy" else arrival.situation.resolved
        opening = random.choice(self._phrases["reply_opening"])
        if opening.endswith("，") and body.startswith(("经", "感谢", "您")):
            opening = "您好，"
        closing = random.choice(self._phrases["reply_closing"])
        return f"{opening}{body}{closing}".format(**details)

    def merge(self, random: Random, earlier: str) -> str:
        return str(random.choice(self._phrases["merged"])).format(earlier=earlier)

    @staticmethod
    def complain_again(description: str) -> str:
        return f"再次反映同一问题：{description.rpartition('：')[2] or description}"


def _school(random: Random, arrival: Arrival) -> str:
    if arrival.village.is_urban and arrival.township.level == "61":
        number = 1 + zlib.crc32(arrival.township.code.encode()) % 3 + random.randrange(2)
        return f"县第{'一二三四五'[number]}小学"
    kind = random.choice(("中心小学", "中心小学", "初级中学"))
    return (
        arrival.township.name.removesuffix("街道").removesuffix("镇").removesuffix("乡") + f"{_suffix(arrival)}{kind}"
    )


def _suffix(arrival: Arrival) -> str:
    return {"62": "镇", "63": "乡"}.get(arrival.township.level, "")
