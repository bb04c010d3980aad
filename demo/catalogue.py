"""The categories of issues and the situations within them, as read from the texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo import texts

ALL_MONTHS = tuple(range(1, 13))


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    code: str
    name: str
    share: float
    departments: tuple[str, ...]
    levels: tuple[float, float, float]  # handled by department, township, village
    working_days: int
    hardship: float
    months: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    category: Category
    departments: tuple[str, ...]
    levels: tuple[float, float, float]
    pressing: bool
    type: str
    area: str
    months: tuple[int, ...]
    title: str
    text: str
    resolved: str
    policy: str  # empty: no rule stands against what is asked
    about: str  # the kind of post in the village whose holder is complained about; mostly empty

    def suits(self, area: str) -> bool:
        return self.area in ("any", area)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    categories: tuple[Category, ...]
    situations: Mapping[str, tuple[Situation, ...]]  # by category code
    phrases: Mapping[str, Any]

    def in_month(self, category: Category, month: int, areas: Sequence[str]) -> list[Situation]:
        return [
            situation
            for situation in self.situations[category.code]
            if month in situation.months and any(situation.suits(area) for area in areas)
        ]


def read_catalogue() -> Catalogue:
    categories = tuple(_category(entry) for entry in texts.read("categories")["category"])
    entries = texts.read("situations")["situation"]
    return Catalogue(
        categories=categories,
        situations={
            category.code: tuple(_situation(category, entry) for entry in entries if entry["category"] == category.code)
            for category in categories
        },
        phrases=texts.read("replies"),
    )


def _levels(shares: Sequence[float]) -> tuple[float, float, float]:
    department, township, village = shares
    return department, township, village


def _category(entry: Mapping[str, Any]) -> Category:
    return Category(
        code=entry["code"],
        name=entry["name"],
        share=entry["share"],
        departments=tuple(entry["departments"]),
        levels=_levels(entry["levels"]),
        working_days=entry["working_days"],
        hardship=entry["hardship"],
        months=tuple(entry["months"]),
    )


def _situation(category: Category, entry: Mapping[str, Any]) -> Situation:
    return Situation(
        category=category,
        departments=tuple(entry.get("departments", category.departments)),
        levels=_levels(entry.get("levels", category.levels)),
        pressing=entry.get("pressing", False),
        type=entry["type"],
        area=entry["area"],
        months=tuple(entry.get("months", ALL_MONTHS)),
        title=entry["title"],
        text=entry["text"],
        resolved=entry["resolved"],
        policy=entry.get("policy", ""),
        about=entry.get("about", ""),
    )
