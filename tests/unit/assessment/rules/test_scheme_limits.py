"""How much a scheme may hold: each limit is reached, and one more is refused by its place."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.scheme_reading import parse_document, read_rule_document, read_rule_scheme
from services.assessment.domain.rules.schemes import Layout, RuleScheme, Validity
from tests.unit.assessment.rules.schemes import HEAD, ITEM, scheme, scheme_of


def item(**more: Any) -> RuleScheme:
    return scheme(items={"x": ITEM | more})


def values(count: int) -> RuleScheme:
    return scheme(values={f"v{number}": "1" for number in range(count)}, items={})


def sections(depth: int) -> RuleScheme:
    """An item in the innermost of so many."""
    nested: dict[str, Any] = {f"s{level}": {"section": f"s{level + 1}"} for level in range(1, depth)}
    return scheme(sections=nested | {f"s{depth}": {}}, items={"x": ITEM | {"section": "s1"}})


def nested(depth: int) -> RuleScheme:
    return item(formula="(" * depth + "a" + ")" * depth)


def bands(count: int) -> RuleScheme:
    return scheme(
        items={"x": {"kind": "bands", "value": "a", "bands": [{"at_least": -n, "points": n} for n in range(count)]}}
    )


def places(number: str) -> RuleScheme:
    return item(weight=Decimal(number))


LIMITS: list[tuple[Callable[[Any], RuleScheme], Any, Any, str]] = [
    (lambda n: scheme(name="n" * n), 64, 65, "name: must be of small letters, digits and hyphens, at most 64"),
    (lambda v: scheme(version=v), 1, 0, "version: must be a whole number from 1 to 1000000"),
    (lambda v: scheme(version=v), 1_000_000, 1_000_001, "version: must be a whole number from 1 to 1000000"),
    (lambda n: scheme(title="t" * n), 500, 501, "title: must be a text of 1 to 500 characters on one line"),
    (lambda n: scheme(title={"zh": "t" * n, "en": "t"}), 500, 501, "title.zh: must be a text of 1 to 500"),
    (lambda n: scheme(source="s" * n), 2_000, 2_001, "source: must be a text of 1 to 2000 characters"),
    (
        lambda n: scheme(recovered=True, recovery="r" * n),
        2_000,
        2_001,
        "recovery: must be a text of 1 to 2000 characters",
    ),
    (lambda n: item(note="n" * n), 1_000, 1_001, "items.x.note: must be a text of 1 to 1000 characters"),
    (lambda n: item(name="n" * n), 500, 501, "items.x.name: must be a text of 1 to 500 characters"),
    (lambda n: scheme(measures={"a": "c" * n}), 200, 201, "measures.a.column: must be a text of 1 to 200 characters"),
    (lambda n: scheme(measures={"a": "a", "n" * n: "b"}), 64, 65, f"measures: {'n' * 65!r} is no name"),
    (values, 300, 301, "values: has more than 300 keys"),
    (sections, 4, 5, "x.section: sections nest deeper than 4, or in a circle"),
    (nested, 40, 41, "items.x.formula: the formula nests deeper than 40"),
    (lambda n: item(formula="+".join("a" * n)), 200, 201, "items.x.formula: a formula has at most 400 parts"),
    (lambda n: item(formula="a".ljust(n)), 2_000, 2_001, "items.x.formula: a formula has 1 to 2000"),
    (bands, 300, 301, "items.x.bands: has more than 300 entries"),
    (places, "0.123456789012", "0.1234567890123", "items.x.weight: the number is beyond"),
    (places, "0.000000000001", "0.0000000000001", "items.x.weight: the number is beyond"),
    (places, "1000000000000000", "1000000000000001", "items.x.weight: the number is beyond"),
    (places, "-1000000000000000", "-1000000000000001", "items.x.weight: the number is beyond"),
    (lambda n: scheme(rankings=[{"tie_breakers": ["a"] * n}]), 10, 11, "rankings[1].tie_breakers: must be a list of"),
    (lambda n: scheme(overall={"minimum_count": n}), 1, 0, "overall.minimum_count: must be a whole number from 1 to"),
    (lambda n: scheme(overall={"minimum_count": n}), 1_000, 1_001, "overall.minimum_count: must be a whole number"),
    (lambda n: scheme(grades=[{"grade": "g" * n}]), 100, 101, "grades[1].grade: must be a text of 1 to 100"),
    (
        lambda n: scheme(gates=[{"when": "a", "effect": "grade", "grade": "g" * n}]),
        100,
        101,
        "gates[1].grade: must be a text of 1 to 100",
    ),
    (lambda n: scheme(table={"header_row": n}), 1, 0, "table.header_row: must be rows that follow one another"),
    (lambda n: scheme(table={"header_row": n}), 50, 51, "table.header_row: must be rows that follow one another"),
    (lambda n: scheme(table={"header_row": [*range(2, n + 2)]}), 3, 4, "table.header_row: must be the number of a row"),
    (lambda n: scheme(table={"header_row": [*range(2, n + 2)]}), 1, 0, "table.header_row: must be the number of a row"),
    (lambda n: scheme(table={"subject": ["s"] * n}), 4, 5, "table.subject: must be a heading, or a list of at most 4"),
    (lambda n: scheme(table={"subject": ["s"] * n}), 1, 0, "table.subject: must be a heading, or a list of at most 4"),
    (lambda n: scheme(table={"subject": "s" * n}), 200, 201, "table.subject: must be a text of 1 to 200"),
    (lambda n: scheme(table={"period": "p" * n}), 2_000, 2_001, "table.period: must be a text of 1 to 2000"),
    (lambda n: scheme(table={"skip_subjects": ["合计", "s" * n]}), 200, 201, "table.skip_subjects[2]: must be a text"),
    (lambda n: scheme(published={"x": "p" * n}), 200, 201, "published.x: must be a text of 1 to 200 characters"),
    (
        lambda n: scheme(validity={"from": "2025-01-01", "place": "p" * n}),
        64,
        65,
        "validity.place: must be a text of 1 to 64 characters",
    ),
    (
        lambda day: scheme(validity={"from": "2025-01-02", "until": day}),
        "2025-01-02",
        "2025-01-01",
        "validity.until: is before from",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "most", "more", "said"), LIMITS)
def test_a_limit_may_be_reached_and_not_passed(
    make: Callable[[Any], RuleScheme], most: object, more: object, said: str
) -> None:
    with pytest.raises(BadRules) as fault:
        make(more)

    assert str(fault.value).startswith(said)
    make(most)


def test_a_file_has_a_size_and_a_depth() -> None:
    plain = HEAD + '[values]\nx = "1"\n'

    assert read_rule_scheme(plain + "#" * (200_000 - len(plain.encode()))).values.keys() == {"x"}
    with pytest.raises(BadRules, match="scheme: is larger than 200000 bytes"):
        read_rule_scheme(plain + "#" * (200_001 - len(plain.encode())))
    with pytest.raises(BadRules, match="scheme: is larger than 200000 bytes"):
        read_rule_scheme(plain + "#" + "县" * 66_666)
    assert parse_document("a = " + "[" * 12 + "]" * 12) is not None
    for deep in (
        "a = " + "[" * 13 + "]" * 13,
        "a = " + "[{ b = " * 6 + "[[1]]" + " }]" * 6,
        "b = 1\na = [1, " + "[" * 12 + "]" * 13,
    ):
        with pytest.raises(BadRules, match="scheme: nests deeper than 12"):
            parse_document(deep)


def test_all_steps_together_have_a_limit() -> None:
    def steps(count: int) -> RuleScheme:
        inside = {"kind": "formula", "formula": "1", "section": "s"}
        more = {f"v{number}": "1" for number in range(count - 2)}
        return scheme(values=more, items={"x": inside}, sections={"s": {}})

    assert steps(300).has_total
    with pytest.raises(BadRules, match="scheme: has more than 300 values, items and sections"):
        steps(301)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "-x"}, "name: must be of small letters, digits and hyphens"),
    ({"name": "x-"}, "name: must be of small letters, digits and hyphens"),
    ({"name": "X"}, "name: must be of small letters, digits and hyphens"),
    ({"name": 5}, "name: must be of small letters, digits and hyphens"),
    ({"version": True}, "version: must be a whole number"),
    ({"version": "1"}, "version: must be a whole number"),
    ({"title": ""}, "title: must be a text of 1 to 500 characters on one line"),
    ({"title": "  "}, "title: must be a text of 1 to 500 characters on one line"),
    ({"title": "one\ntwo"}, "title: must be a text of 1 to 500 characters on one line"),
    ({"title": 5}, "title: must be a table"),
    ({"title": {"zh": "方案"}}, "title: lacks en"),
    ({"title": {"zh": "方案", "en": "S", "fr": "S"}}, "title: does not know fr"),
    ({"recovered": "yes"}, "recovered: must be true or false"),
    ({"recovered": True}, "recovery: says how, where recovered = true, and only there"),
    ({"recovery": "somehow"}, "recovery: says how, where recovered = true, and only there"),
    ({"measures": []}, "measures: must be a table"),
    ({"measures": {"a": 5}}, "measures.a: must be a table"),
    ({"measures": {"a": "a", "b": {"type": "date", "blank": "x"}}}, "measures.b: blank must be a plain number"),
    ({"measures": {"a": "a", "b": {"type": "text", "blank": 0}}}, "measures.b: blank must be a plain number"),
    ({"measures": {"a": "a", "b": {"type": "texts", "blank": 0}}}, "measures.b: blank must be a plain number"),
    ({"measures": {"a": "a", "total": "b"}}, "measures.total: total is the name of the result"),
    ({"measures": {"a": {"type": "colour"}}}, "measures.a.type: must be one of number, text, list, texts, date"),
    ({"values": {"if": "1"}}, "values: if is a word of formulas and cannot be a name"),
    ({"values": {"or": "1"}}, "values: or is a word of formulas and cannot be a name"),
    ({"values": {"none": "1"}}, "values: none is a word of formulas and cannot be a name"),
    ({"values": {"group_rank": "1"}}, "values: group_rank is a word of formulas and cannot be a name"),
    ({"values": {"x": "a"}}, "items.x: is also the name of one of the values"),
    ({"sections": {"a": {}}}, "sections.a: is also the name of one of the measures"),
    ({"values": {"v": 5}}, "values.v: must be a table"),
    ({"values": {"v": {"formula": "1", "colour": 1}}}, "values.v: does not know colour"),
    ({"items": {}}, "scheme: needs values or items"),
    ({"items": {"total": ITEM}}, "items.total: total is the name of the result"),
    ({"items": {"x": ITEM | {"section": 5}}}, "items.x.section: 5 is no name"),
    ({"items": {"x": ITEM | {"when": True}}}, "items.x.when: must be a number, or a formula as text"),
    ({"items": {"x": ITEM | {"weight": Decimal("NaN")}}}, "items.x.weight: must be a number"),
    ({"items": {"x": ITEM | {"weight": Decimal("Infinity")}}}, "items.x.weight: must be a number"),
    ({"items": {"x": ITEM | {"weight": -(10**400)}}}, "items.x.weight: the number is beyond"),
    ({"items": {"x": ITEM | {"weight": Decimal("1e999999999999")}}}, "items.x.weight: the number is beyond"),
    ({"items": {"x": ITEM | {"weight": Decimal("-1e5000")}}}, "items.x.weight: the number is beyond"),
    ({"items": {"x": ITEM | {"weight": Decimal("1e-999999999999")}}}, "items.x.weight: the number is beyond"),
    ({"items": {"x": ITEM | {"missing": True}}}, "items.x.missing: must be a number, or a formula as text"),
    ({"items": {"x": ITEM | {"missing": "rescale"}}}, "items.x.missing: rescale needs the item's full mark"),
    ({"items": {"x": {"formula": "a"}}}, "items.x: lacks kind"),
    ({"items": {"x": ITEM | {"note": 5}}}, "items.x.note: must be a text of 1 to 1000 characters on one line"),
    ({"source": 5}, "source: must be a text of 1 to 2000 characters on one line"),
    ({"gates": [{"when": "a"}]}, "gates[1]: lacks effect"),
    ({"items": {"x": ITEM | {"kind": ["formula"]}}}, "items.x.kind: must be one of formula"),
    ({"items": {"x": ITEM | {"colour": 1, "age": 2}}}, "items.x: does not know age, colour; known here: name, kind"),
    ({"sections": {"s": {"colour": 1}}}, "sections.s: does not know colour"),
    ({"sections": {"s": {"section": 5}}}, "sections.s.section: 5 is no name"),
    ({"sections": {"total": {}}}, "sections.total: total is the name of the result"),
    ({"total": {"colour": 1}}, "total: does not know colour"),
    ({"total": {"rounding": "up and down"}}, "total.rounding: must be one of half_up, down, up, half_even"),
    ({"total": {"base": "b"}}, "total: uses b, which nothing here is named"),
    ({"total": {"base": "total"}}, "total: uses total, which nothing here is named"),
    ({"gates": {}}, "gates: must be a list: its heading has double brackets, [[gates]]"),
    ({"gates": 1}, "gates: must be a list"),
    ({"gates": [5]}, "gates[1]: must be a table"),
    ({"gates": [{"effect": "cap", "value": 5}]}, "gates[1]: lacks when"),
    ({"gates": [{"when": "a", "effect": "set"}]}, "gates[1].value: is the total that cap and set need"),
    ({"gates": [{"when": "a", "effect": "no_rank", "value": 5}]}, "gates[1].value: is the total that cap and set"),
    ({"gates": [{"when": "a", "effect": "grade"}]}, "gates[1].grade: is the label that the effect grade needs"),
    ({"gates": [{"when": "a", "effect": "no_rank", "grade": "A"}]}, "gates[1].grade: is the label that the effect"),
    ({"gates": [{"when": "a", "effect": "no_rank", "colour": 1}]}, "gates[1]: does not know colour"),
    ({"gates": [{"when": "1", "effect": "no_rank"}, {"when": "b", "effect": "no_rank"}]}, "gates[2]: uses b"),
    ({"grades": [{"at_least": 5}]}, "grades[1]: lacks grade"),
    ({"grades": [{"grade": "A", "counting": "half_even"}]}, "grades[1].counting: must be one of half_up, up, down"),
    ({"grades": [{"grade": "A", "when": "b"}]}, "grades[1]: uses b"),
    ({"rankings": [{}, {}]}, "rankings[2].key: place is taken by another ranking"),
    ({"rankings": [{"key": "1"}]}, "rankings[1].key: '1' is no name"),
    ({"rankings": [{"tie_breakers": ["a +"]}]}, "rankings[1].tie_breakers: the formula ends too early"),
    ({"rankings": [{"key": "a"}]}, "rankings.a: is also the name of one of the measures"),
    ({"rankings": [{"key": "x"}]}, "rankings.x: is also the name of one of the items"),
    ({"rankings": [{"by": "b"}]}, "rankings[1]: uses b"),
    ({"rankings": [{"by": "a +"}]}, "rankings[1].by: the formula ends too early"),
    ({"rankings": [{"within": ["b"]}]}, "rankings.within: uses b, which nothing here is named"),
    ({"rankings": [{"tie_breakers": "a"}]}, "rankings[1].tie_breakers: must be a list of at most 10 formulas"),
    ({"rankings": [{"order": "falling"}]}, "rankings[1].order: must be one of descending, ascending"),
    ({"flags": [{"when": "place < 3"}]}, "flags[1]: uses place, which nothing here is named"),
    ({"flags": [{"when": "a", "colour": 1}]}, "flags[1]: does not know colour"),
    ({"overall": {"first": {"by": ["1"]}}}, "overall.first.by: '1' is no name"),
    ({"overall": {"combine": "max", "weight": "a"}}, "overall.weight: is for a mean"),
    ({"grades": [{"grade": "A", "moves_up": True}]}, "grades[1].moves_up: is for a grade with top"),
    ({"overall": {"colour": 1}}, "overall: does not know colour"),
    ({"overall": {"weight": "total"}}, "overall: uses total"),
    ({"published": {"y": "p"}}, "published: uses y"),
    ({"published": {"1": "p"}}, "published: '1' is no name"),
    ({"published": []}, "published: must be a table"),
    ({"groups": {"by": "a"}}, "groups.by: must be a list"),
    ({"groups": {"by": ["1"]}}, "groups.by: '1' is no name"),
    ({"groups": {"colour": 1}}, "groups: does not know colour"),
    ({"measures": {"a": {"colour": 1}}}, "measures.a: does not know colour"),
    ({"table": {"header_row": [0, 1]}}, "table.header_row: must be rows that follow one another"),
    ({"groups": {"members": "b"}}, "groups.members: uses b"),
    ({"rounding": {"mode": "up", "grades": 1}}, "rounding: does not know grades"),
    ({"table": {"transposed": 1}}, "table.transposed: must be true or false"),
    ({"table": {"header_row": [1, 3]}}, "table.header_row: must be rows that follow one another"),
    ({"table": {"header_row": [1, True]}}, "table.header_row: must be the number of a row"),
    ({"validity": {}}, "validity: lacks from"),
    ({"validity": {"from": "2025"}}, "validity.from: must be a day such as 2024-01-31"),
    ({"validity": {"from": "2025-02-29"}}, "validity.from: is not a day of the calendar"),
    ({"validity": {"from": datetime(2025, 1, 1)}}, "validity.from: must be a day such as 2024-01-31"),  # noqa: DTZ001
    ({"validity": {"from": "2025-01-01", "subjects": "dog"}}, "validity.subjects: must be one of cadre, organisation"),
    ({"colour": 1}, "scheme: does not know colour; known here: format, "),
    ({"colour": Decimal("1e999999999")}, "scheme: does not know colour; known here: format, "),
]


@pytest.mark.parametrize(("parts", "said"), WRONG)
def test_what_is_wrong_is_told_by_its_place(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRules) as fault:
        scheme(**parts)

    assert str(fault.value).startswith(said)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"items": {"x": ITEM}}, "scheme: lacks format; it stands above the first [heading]"),
        ({"format": 1, "version": 1, "values": {"v": "1"}}, "scheme: lacks name; it stands above the first [heading]"),
        ({"format": 1, "nam": "x", "values": {"v": "1"}}, "scheme: lacks name; is that what nam is meant to be?"),
        ({"format": 1, "values": {"v": {}}}, "values.v: lacks formula"),
        (
            {"format": 1, "values": {"v": {"formla": "1"}}},
            "values.v: lacks formula; is that what formla is meant to be?",
        ),
    ],
)
def test_what_is_lacking_is_told_with_what_was_meant(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRules) as fault:
        read_rule_document(document)

    assert str(fault.value) == said


@pytest.mark.parametrize("key", ["format", "name", "version", "title", "source", "recovered", "recovery"])
def test_what_stands_below_the_first_heading_and_belongs_above_it_is_told(key: str) -> None:
    with pytest.raises(BadRules, match=f"total: does not know {key}, which stands above the first .heading."):
        scheme(total={key: 1})


def test_nothing_is_said_with_none_and_a_text_has_no_blanks_around_it() -> None:
    read = scheme(title="  方案 ", items={"x": ITEM | {"when": "none", "floor": "none", "note": " as of May "}})

    assert (read.title["zh"], read.items["x"].when, read.items["x"].floor, read.items["x"].note) == (
        "方案", None, None, "as of May",
    )  # fmt: skip


def test_names_of_results_are_known_where_they_are_there() -> None:
    ranked = {"rankings": [{"key": "best"}], "flags": [{"when": "best <= 3 and total > 5"}]}
    named = {"best": "名次", "grade": "等次", "flags": "标记", "total": "总分", "x": "得分"}

    assert scheme(**ranked, published=named).published == named
    assert scheme(overall={}, published={"overall": "全年", "overall_place": "全年名次"}).overall is not None
    with pytest.raises(BadRules, match="published: uses overall, overall_place"):
        scheme(published={"overall": "全年", "overall_place": "全年名次"})


def test_a_scheme_without_items_has_no_total_to_look_at() -> None:
    with pytest.raises(BadRules, match=r"rankings\[1\]: uses total"):
        scheme_of('[values]\nx = "1"\n[[rankings]]')
    assert scheme_of('[values]\nx = "1"\n[[rankings]]\nby = "x"').rankings


def test_each_stage_is_rounded_as_is_said_for_it() -> None:
    stages = {"values": 1, "items": 2, "weighted": 3, "sections": 4, "total": 5, "mode": "down"}
    read = scheme(
        rounding=stages, values={"v": "a"}, items={"x": ITEM | {"section": "s"}}, sections={"s": {"rounding": "up"}}
    )

    rounded = (read.values["v"].places, read.items["x"].places, read.items["x"].weighted_places)
    assert [one and one.text for one in (*rounded, read.sections["s"].places, read.total.places)] == [*"12345"]
    assert (read.values["v"].mode, read.items["x"].mode, read.sections["s"].mode, read.total.mode) == (
        "down", "down", "up", "down",
    )  # fmt: skip


def test_a_value_says_for_itself_what_an_item_does() -> None:
    said = {
        "name": "N", "when": "a > 1", "floor": 1, "ceiling": 9, "round": 3, "rounding": "up", "note": "as of May",
    }  # fmt: skip
    more = {"full": 5, "weight": 2, "round_weighted": 4}

    read = scheme(values={"v": {"formula": "a"} | said}, items={"x": ITEM | said | more})

    value, item = read.values["v"], read.items["x"]
    for step in (value, item):
        formulas = [one and one.text for one in (step.when, step.floor, step.ceiling, step.places)]
        assert (step.name["zh"], formulas, step.mode, step.note) == ("N", ["a > 1", "1", "9", "3"], "up", "as of May")
    assert [one and one.text for one in (item.full, item.weight, item.weighted_places)] == ["5", "2", "4"]


def test_where_for_whom_and_when_a_scheme_holds() -> None:
    validity = {
        "from": "2025-01-01", "until": date(2025, 6, 30), "subjects": "organisation", "place": "3207",
        "peer_groups": ["b", "d", "a", "c", "b"],
    }  # fmt: skip

    assert scheme(validity=validity).validity == Validity(
        subjects="organisation", place="3207", peer_groups=("a", "b", "c", "d"), from_on=date(2025, 1, 1),
        until_on=date(2025, 6, 30),
    )  # fmt: skip
    assert scheme(validity={"from": date(2025, 1, 1)}).validity == Validity(
        subjects="cadre", place=None, peer_groups=(), from_on=date(2025, 1, 1), until_on=None
    )
    assert scheme().validity is None


def test_a_table_is_laid_out_as_is_said_and_plainly_else() -> None:
    said = {
        "subject": ["县", "镇"], "period": "月", "header_row": [50, 51], "transposed": True, "skip_subjects": ["合计"],
        "merged": ["县"],
    }  # fmt: skip
    plain = Layout(subject=("subject",), period=None, header_rows=(1,), transposed=False, skip_subjects=(), merged=())

    assert scheme().layout == plain
    assert scheme(table=said).layout == Layout(
        subject=("县", "镇"),
        period="月",
        header_rows=(50, 51),
        transposed=True,
        skip_subjects=("合计",),
        merged=("县",),
    )


def test_what_is_not_named_is_called_by_what_it_is() -> None:
    read = scheme(gates=[{"when": "a", "effect": "no_rank"}], flags=[{"when": "a"}])

    assert (read.gates[0].reason, read.flags[0].label) == (
        {"zh": "no_rank", "en": "no_rank"},
        {"zh": "flag", "en": "flag"},
    )


def test_all_that_is_worked_out_is_work() -> None:
    plain = scheme().size
    steps = {"values": {"v": "a + 1"}, "sections": {"s": {"weight": "a * 2"}}, "items": {"x": ITEM | {"section": "s"}}}
    parts = {
        "total": {"base": "a + 1"}, "gates": [{"when": "a > 2", "effect": "no_rank"}], "flags": [{"when": "a > 3"}],
        "grades": [{"grade": "A", "at_least": "a + 1"}], "rankings": [{"tie_breakers": ["-a"]}],
    }  # fmt: skip

    more = {key: scheme(**{key: part}).size - plain for key, part in parts.items()}

    assert (plain, scheme(**steps).size - plain) == (4, 4)
    assert more == {"total": 1, "gates": 2, "flags": 2, "grades": 3, "rankings": 3}


def test_half_a_character_is_no_scheme() -> None:
    with pytest.raises(BadRules):
        read_rule_scheme(HEAD + "\ud800")


@pytest.mark.parametrize("number", ["1e9999999999999999999", "1e-9999999999999999999", "0x" + "f" * 5_000, str(2**63)])
def test_a_number_that_toml_does_not_know_is_refused_wherever_it_stands(number: str) -> None:
    with pytest.raises(BadRules, match="scheme: is not TOML that can be read"):
        read_rule_scheme(f"format = {number}")
    with pytest.raises(BadRules, match="scheme: is not TOML that can be read"):
        read_rule_scheme(f"format = 1\nversion = [1, {number}]")
    with pytest.raises(BadRules, match="format: only 1 is known, not 9223372036854775807"):
        read_rule_scheme(f"format = {2**63 - 1}")
