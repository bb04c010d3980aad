"""Schemes that nobody would write, of every kind, option and rule for missing data, and tables to put them to."""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from services.assessment.scoring.workspace import Table, Value

MODES = ("half_up", "down", "up", "half_even")
TIES = ("competition", "dense", "average", "last")
COUNTING = ("half_up", "up", "down", "exact")
COMBINES = ("mean", "sum", "max", "min", "sum", "max", "min", "each")
STEPS = ("exact", "started", "whole")
TEXTS = ("x", "y", "z")
NUMBERS = (
    "a", "b", "v1", "v2", "a / b * 100", "coalesce(a, b)", "if(t == 'x', a, b)", "round(a / 7, 2)", "all_max(a) - a",
    "group_mean(a)", "group_rank(b)", "group_rank_low(a)", "group_quantile(a, 0.3)", "group_sd(b)", "all_count(b)",
    "group_median(a / b)", "group_min(a)", "all_sum(c)", "sqrt(a)", "power(a / 10, 2)", "clamp(a, 0, 50)", "ln(b)",
    "longest_run(l > 1, a > b)",
    "exp(a / 50)", "mean(a, b, c)", "trimmed_mean(1, a, b, c, l)", "median(l, a)", "sum(l * 2)", "sum(l > 1)",
    "first(l)", "last(a, l)", "min(a, b)", "max(l)", "count(l, a)", "at_least(a, 3)", "at_most(b, 60)", "floor(b / 3)",
    "ceil(a / 3)", "abs(a)", "given(b) * 10", "one_of(t, 'x', 'z')", "contains(t, 'x') + starts(t, 'y') + ends(t, 'z')",
    "0 <= a < 50 or b > 3", "not a > b and given(c)", "sum(list(a, b) - list(1, 2))", "-a + 3 × b ÷ 4",
)  # fmt: skip
CONDITIONS = ("a > b", "given(a)", "t == 'x'", "n >= 2", "a / b < 1", "group_rank(a) <= 2", "not t != 'y'")


class MadeUp:
    def __init__(self, random: Random) -> None:
        self.random = random

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def maybe(self, share: float = 0.3) -> bool:
        return self.random.random() < share

    def number(self, low: int = 0, high: int = 100) -> Any:
        """Mostly plain, sometimes worked out."""
        if self.maybe(0.15):
            return self.one(*NUMBERS)
        return Decimal(self.random.randint(low * 4, high * 4)) / self.one(1, 4, 4, 10)

    def some(self, **keys: Any) -> dict[str, Any]:
        """Some of these keys."""
        return {key: value for key, value in keys.items() if self.maybe()}

    def scheme(self) -> dict[str, Any]:
        sections = self.sections()
        items = {f"i{number}": self.item(sections) for number in range(1, self.random.randint(2, 6))}
        used = {item["section"] for item in items.values() if "section" in item}
        if used == {"s1", "s2"} and self.maybe():
            sections["s1"]["section"] = "s2"
        return {
            "format": 1, "name": "made-up", "version": 1, "title": "Made up", "table": {"subject": "unit"},
            "measures": {
                **{key: key for key in ("a", "b", "c")},
                "n": {"column": "n", "blank": 0},
                "l": {"column": "l", "type": "list"},
                "t": {"column": "t", "type": "text"},
                "w": {"column": "w", "type": "texts"},
            },
            "values": {
                "v1": self.one("a + b", "group_mean(b) / a"),
                "v2": self.one("a * v1", {"kind": "bonus", "start": 3, **self.line(), **self.finish()}),
                "v3": self.kind() | self.finish(),
                "g": self.one(*self.labelled()),
            },
            "groups": self.some(by=self.one(["t"], ["g"], ["t", "g"]), members="n > 0"),
            "rounding": self.some(values=3, items=1, weighted=1, sections=0, total=2, mode=self.one(*MODES)),
            "sections": {key: sections[key] for key in sorted(used)},
            "items": items,
            "total": self.some(
                base=self.number(), scale=self.one("1 / 3", Decimal("0.5"), "b"), floor=self.number(0, 20),
                ceiling=self.number(20, 150), round=self.one(0, 1, "n"), rounding=self.one(*MODES),
                minimum_present=self.number(),
            ),
            "gates": list(self.gates()), "grades": list(self.grades()), "rankings": list(self.rankings()),
            "flags": [{"when": self.one("total < 50", "first_place <= 2", "a > b"), "label": "flag"}],
        }  # fmt: skip

    def labelled(self) -> Iterator[dict[str, Any]]:
        bands = [{"at_least": 50, "label": "high"}, {"above": 10, "below": 50, "label": "middle"}]
        yield {"kind": "bands", "value": "a", "bands": bands, **self.some(otherwise_label="low")}
        bands = [{"top": 40, "label": "first"}]
        yield {"kind": "quantile_bands", "value": "b", "bands": bands, "otherwise_label": "rest", "within": ["t"]}

    def sections(self) -> dict[str, dict[str, Any]]:
        return {
            key: self.some(
                weight=self.number(0, 2), full=self.number(1, 50), floor=self.number(0, 5), ceiling=self.number(5, 60),
                round=self.one(0, 1, "none"), rounding=self.one(*MODES),
            )
            for key in ("s1", "s2")
        }  # fmt: skip

    def item(self, sections: dict[str, Any]) -> dict[str, Any]:
        item = self.kind() | self.finish()
        if item.get("combine") == "each":
            del item["combine"]
        if item["kind"] not in ("proportional", "target_slope", "best_ratio", "rank_points") and "start" not in item:
            item |= self.some(full=self.number(1, 60))
        has_full = "full" in item or "start" in item or item["kind"] == "rank_points"
        missing = [
            "no_score",
            "zero",
            "skip",
            "group_mean",
            Decimal("7.25"),
            *(["full", "rescale"] if has_full else []),
        ]
        item |= self.some(section=self.one(*sections), weight=self.number(0, 2), round_weighted=self.one(0, 2))
        if isinstance(item.get("weight"), str):
            item["weight"] = f"coalesce({item['weight']}, 1)"
        if self.maybe(0.8):
            item["missing"] = self.one(*missing)
        return item

    def finish(self) -> dict[str, Any]:
        return self.some(
            when=self.one(*CONDITIONS), floor=self.one("none", self.number(0, 9)),
            ceiling=self.one("none", self.number(9, 99)),
            round=self.one(0, 2, "none", "n"), rounding=self.one(*MODES), note="a remark",
        )  # fmt: skip

    def kind(self) -> dict[str, Any]:
        kind = self.one(*(name.removeprefix("of_") for name in dir(self) if name.startswith("of_")))
        keys: dict[str, Any] = getattr(self, f"of_{kind}")()
        return {"kind": kind, **keys}

    def of_formula(self) -> dict[str, Any]:
        return {"formula": self.one(*NUMBERS)}

    def of_proportional(self) -> dict[str, Any]:
        return {"value": self.one(*NUMBERS), "full": self.number(1, 60), **self.some(whole=self.number(0, 90))}

    def of_target_slope(self) -> dict[str, Any]:
        return {
            "value": self.one(*NUMBERS), "target": self.number(), "full": self.number(1, 60),
            "slope": self.number(0, 3),
            **self.some(per=self.one(2, Decimal("0.5")), direction=self.one("higher", "lower"), steps=self.one(*STEPS),
                        gain=self.number(0, 2)),
        }  # fmt: skip

    def of_bands(self) -> dict[str, Any]:
        bands = [
            {"at_least": self.number(50), "points": self.number()},
            {"above": self.number(), "below": self.number(), "points": self.number()},
            {"at_most": self.number(0, 50), "when": self.one(*CONDITIONS), "points": self.number()},
            {"when": self.one(*CONDITIONS), "points": self.number()},
        ]
        self.random.shuffle(bands)
        return {"value": self.one(*NUMBERS), "bands": bands[:3], **self.some(otherwise=self.number())}

    def of_interpolate(self) -> dict[str, Any]:
        values = sorted(self.random.sample(range(-20, 120), 4))
        points = [[value, self.random.randint(-10, 60)] for value in values]
        return {"value": self.one(*NUMBERS), "points": points, **self.some(outside=self.one("hold", "extend"))}

    def of_lookup(self) -> dict[str, Any]:
        table = {text: self.number() for text in TEXTS}
        return {
            "value": self.one("t", "w"),
            "table": table,
            **self.some(otherwise=self.number(), combine=self.one(*COMBINES)),
        }

    def of_best_ratio(self) -> dict[str, Any]:
        return {
            "value": self.one(*NUMBERS), "full": self.number(1, 60),
            **self.some(direction=self.one("higher", "lower"), reference=self.one("best", "mean", "median", "sum"),
                        within=self.one([], ["t"]), without_reference=self.one("missing", "full", "zero")),
        }  # fmt: skip

    def of_rank_points(self) -> dict[str, Any]:
        own = {"value": self.one(*NUMBERS)} | self.some(
            direction=self.one("higher", "lower"), ties=self.one(*TIES), within=self.one([], ["t"])
        )
        place = own if self.maybe(0.7) else {"place": self.one("n + 1", "l * l + 1")}
        worth: dict[str, Any] = self.one(
            {"first": self.number(5, 60), "step": self.number(0, 3)},
            {"places": [10, 8, 7], **self.some(otherwise=self.number(0, 3))},
            {"places": [10, 8, 7], "step": self.number(0, 3)},
        )
        return place | worth

    def of_quantile_bands(self) -> dict[str, Any]:
        bands = [
            {"top": self.number(0, 50), "points": self.number()},
            {"top": self.number(50), "points": self.number()},
        ]
        return {
            "value": self.one(*NUMBERS), "bands": bands,
            **self.some(otherwise=self.number(), counting=self.one(*COUNTING), direction=self.one("higher", "lower"),
                        ties=self.one(*TIES), within=self.one([], ["t"])),
        }  # fmt: skip

    def of_deduction(self) -> dict[str, Any]:
        return self.events()

    def of_bonus(self) -> dict[str, Any]:
        return self.events()

    def events(self) -> dict[str, Any]:
        rule = self.some(start=self.number(1, 20), at_most=self.number(0, 9))
        if self.maybe(0.5):
            return rule | self.line()
        lines = [
            self.line() | self.some(title="line", at_most=self.number(0, 5), when=self.one(*CONDITIONS))
            for _ in range(2)
        ]
        return rule | {"lines": lines}

    def line(self) -> dict[str, Any]:
        line = {"count": self.one("n", "n", "l", "n / 2", "at_least(a, 0)"), "each": self.number(0, 3)}
        line |= self.some(
            free=self.one(1, 2, Decimal("0.5"), "n - 3"),
            per=self.one(2, Decimal("0.5")),
            steps=self.one(*STEPS),
            times=self.number(0, 3),
        )
        if self.maybe(0.4):
            tiers = [{"from": 2, "each": self.number(0, 3)}, {"from": 4, "each": self.number(0, 3)}]
            return line | {"tiers": tiers} | self.some(escalation="all")
        return line | self.some(growth=self.one(2, Decimal("0.5"), 1))

    def of_weighted_mean(self) -> dict[str, Any]:
        parts = {key: self.number(0, 60) for key in ("a", "b", "v1")}
        return {"parts": parts, **self.some(missing_parts=self.one("none", "rescale", "zero"))}

    def gates(self) -> Iterator[dict[str, Any]]:
        effects: list[dict[str, Any]] = [
            {"effect": "set", "value": self.one(0, "a / 7", Decimal("33.375"))},
            {"effect": "cap", "value": self.number()},
            {"effect": "no_score"}, {"effect": "no_rank"}, {"effect": "grade", "grade": "gated"},
        ]  # fmt: skip
        for effect in effects:
            if self.maybe():
                yield {"when": self.one("total > 50", "n > 2", "t == 'y'"), "reason": "reason", **effect}

    def grades(self) -> Iterator[dict[str, Any]]:
        if self.maybe(0.6):
            yield {
                "grade": "A",
                "top": self.number(),
                **self.some(counting=self.one(*COUNTING), moves_up=self.maybe(), when="a > 0"),
            }
        if self.maybe(0.6):
            yield {"grade": "B", **self.one({"at_least": 20}, {"above": self.number()}, {"at_most": 60, "below": 50})}
        yield {"grade": "C", "when": self.one("total < 30", "given(a)")}

    def rankings(self) -> Iterator[dict[str, Any]]:
        yield {
            "key": "first_place",
            **self.some(by=self.one("b", "total / 3", "i1"), order=self.one("descending", "ascending"),
                        within=self.one([], ["t"]), ties=self.one(*TIES), tie_breakers=["a", "-b"],
                        where=self.one(*CONDITIONS)),
        }  # fmt: skip
        yield {}


def table_of(random: Random, size: int) -> Table:
    """Blanks, ties, zeros, negative ones and many decimals."""

    def number() -> Value:
        return random.choice(
            [None, Fraction(0), *(Fraction(random.randint(-4, 24)) * 4 for _ in range(5)),
             Fraction(random.randint(-(10**9), 10**11), 10**9), Fraction(random.randint(0, 100 * 10**12), 10**12)]
        )  # fmt: skip

    def several(*choices: Fraction | str | None) -> Value:
        return tuple(random.choice(choices) for _ in range(random.randint(1, 5)))

    columns: dict[str, list[Value]] = {key: [number() for _ in range(size)] for key in ("a", "b", "c")}
    columns["n"] = [Fraction(random.randint(0, 6)) for _ in range(size)]
    columns["l"] = [random.choice([None, several(Fraction(1), Fraction(2), Fraction(0), None)]) for _ in range(size)]
    columns["t"] = [random.choice([*TEXTS, None]) for _ in range(size)]
    columns["w"] = [random.choice([None, several(*TEXTS)]) for _ in range(size)]
    return Table(subjects=tuple(f"u{at}" for at in range(size)), periods=("",) * size, columns=columns)


def write(document: dict[str, Any]) -> str:
    """As TOML, one line a key of the scheme."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in document.items() if value not in ({}, []))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value}"
