"""The program that scores by schemes of places again: whom a scheme is for, and what it may read of a publication."""

from pathlib import Path
from random import Random
from typing import Any

from tests.unit.place_packages import CADRES, package_of, publication, replace_scheme, seal, verify


def leaders(count: int) -> list[dict[str, Any]]:
    return [
        publication("cadre", number, Random(number)) | {"peer_group": "141.leader"}  # noqa: S311 figures, not secrets
        for number in range(count)
    ]


def test_a_scheme_may_be_of_some_peer_groups_and_is_of_cadres_where_it_does_not_say(tmp_path: Path) -> None:
    text = CADRES.replace('subjects = "cadre"\n', "") + 'peer_groups = ["141.leader", "999.clerk"]\n'
    published = leaders(5)

    assert verify(tmp_path, package_of(text, published))[0] == 0
    published[2]["peer_group"] = "141.clerk"
    assert "the scheme is of other peer groups" in verify(tmp_path, package_of(text, published))[1]


def test_nobody_is_scored_under_two_ids_though_all_figures_fit(tmp_path: Path) -> None:
    published = leaders(5)

    assert "stands here twice" in verify(tmp_path, package_of(CADRES, [*published, published[4]]))[1]


EVERYTHING = """
format = 1
name = "county"
version = 2
title = "Everything that a publication says"
[measures]
code = { column = "subject", type = "text" }
office = { column = "organisation", type = "text" }
group = { column = "peer_group", type = "text" }
level = { column = "post_level", type = "text" }
kind = { column = "post_kind", type = "text" }
ratings = { column = "ratings", blank = "3" }
composite = "composite"
nothing = { column = "nothing", optional = true, blank = 5 }
[items.x]
kind = "formula"
formula = '''
ends(code, '3') + 10 * coalesce(office == '3207', 7) + 100 * coalesce(group == '141.leader', 7)
+ 1000 * coalesce(level == '141', 7) + 10000 * coalesce(kind == 'clerk', 7) + ratings / 100 + nothing / 10000
'''
[validity]
from = 2025-01-01
"""


def test_all_that_a_publication_says_can_be_read(tmp_path: Path) -> None:
    published = leaders(6)
    published[1]["peer_group"], published[2]["peer_group"] = "141.clerk", None
    published[3]["organisation"] = None

    package = package_of(EVERYTHING, published)

    assert verify(tmp_path, package)[0] == 0, verify(tmp_path, package)
    totals = {line["document"]["subject"]["code"]: line["document"]["total"] for line in package[1:]}
    assert totals["0002"][:5] == "77710"
    assert totals["0003"][:4] == "1171"


def test_a_measure_that_no_publication_says_scores_nobody(tmp_path: Path) -> None:
    optional = CADRES.replace('"on_time_closure_rate"', '{ column = "nowhere", optional = true }')
    package = package_of(optional, leaders(4))
    assert verify(tmp_path, package)[0] == 0

    replace_scheme(package, 0, optional.replace(", optional = true }", " }", 1))
    assert "no publication says nowhere" in verify(tmp_path, seal(package))[1]


LOOSE = """
format = 1
name = "county"
version = 2
[measures]
composite = { blank = 0 }
kind = { column = " post_kind ", type = "text" }
[groups]
members = "none"
[values.level]
kind = "bands"
value = "composite"
bands = [{ at_least = 60, below = "none", when = "none", label = " good " }]
otherwise_label = " poor "
[items.x]
name = " X "
kind = "formula"
formula = "10 * (level == 'good') + (level == 'poor')"
full = "none"
when = "none"
[items.y]
name = { zh = " 乙 ", en = " Y " }
kind = "lookup"
value = "kind"
table = { " leader " = 5 }
otherwise = "none"
[items.z]
kind = "deduction"
lines = [{ count = 2, each = 1, growth = "none", at_most = "none" }]
at_most = "none"
[items.w]
kind = "rank_points"
value = 1
place = "none"
first = 3
step = 1
[total]
minimum_present = "none"
[[gates]]
when = "composite < 0"
effect = "no_rank"
value = "none"
[[grades]]
grade = " A "
at_least = "none"
top = "none"
[[rankings]]
where = "none"
[[flags]]
when = "composite >= 60"
[validity]
from = 2025-01-01
peer_groups = [" 141.leader "]
"""


def test_a_scheme_may_leave_out_what_it_may_and_put_blanks_around_texts(tmp_path: Path) -> None:
    published = leaders(3)
    published[1]["composite"], published[2]["composite"] = "60.00", None

    package = package_of(LOOSE, published)

    assert verify(tmp_path, package)[0] == 0, verify(tmp_path, package)
    good, poor = (
        next(line["document"] for line in package[1:] if line["document"]["subject"]["code"] == code)
        for code in ("0001", "0002")
    )
    assert (good["total"], good["grade"], good["flags"]) == (
        "16",
        "A",
        [{"zh": "flag", "en": "flag"}],
    )  # 10 + 5 - 2 + 3
    assert (poor["total"], poor["flags"]) == ("7", [])
    assert [item["name"]["zh"] for item in good["items"]] == ["X", "乙", "z", "w"]


TOLD = """
format = 1
name = "county"
version = 2
[measures]
composite = "composite"
kind = { column = "post_kind", type = "text" }
[values.marks]
kind = "lookup"
value = "kind"
table = { leader = 2.5 }
combine = "each"
[items.x]
kind = "formula"
formula = "composite / 3"
missing = 7
section = "s"
[items.y]
kind = "formula"
formula = "composite"
ceiling = 10
missing = "skip"
[sections.s]
[[grades]]
grade = "A"
at_least = 20
[[rankings]]
[[flags]]
when = "total < 20"
label = { zh = "低", en = "low" }
[[gates]]
when = "composite > 90"
effect = "no_score"
[validity]
from = 2025-01-01
"""


def _told(tmp_path: Path, package: Any, code: str) -> list[str]:
    status, said = verify(tmp_path, package, "--subject", code)
    assert status == 0
    assert "scored nobody (none)" in said
    return said.splitlines()[3:]


def test_a_total_is_told_line_by_line(tmp_path: Path) -> None:
    published = leaders(3)
    for one, composite in zip(published, ("81.25", None, "91"), strict=True):
        one["composite"] = composite

    package = package_of(TOLD, published)

    assert _told(tmp_path, package, "0000") == [
        "cadre 0000 by county 2",
        "  measure composite = 81.25",
        "  measure kind = leader",
        "  value marks = 2.5",
        "  item x = 27.083333…",
        "  item y = 10",
        "  section s = 27.083333…",
        "  item y: 10.000000000000",
        "  item x: 27.083333333333",
        "  total = 37.083333333333",
        "  grade = A",
        "  place place = 1",
    ]
    assert _told(tmp_path, package, "0001")[1:] == [
        "  measure composite = missing",
        "  measure kind = leader",
        "  value marks = 2.5",
        "  item x = 7 (no data: 7)",
        "  item y = missing (no data: skip)",
        "  section s = 7",
        "  item x: 7",
        "  total = 7",
        "  place place = 2",
        '  flag {"zh": "低", "en": "low"}',
    ]
    assert _told(tmp_path, package, "0002")[-2:] == ["  section s = 30.333333…", "  total = none, because of gate 1"]
