"""What stands above a category: by day, by place, and without end where somebody made a circle."""

from datetime import date
from uuid import UUID

import pytest

from services.intake.domain.clocks.categories import CategoryTree, CategoryVersion

DAY = date(2026, 3, 2)
PLACE = ("town", "county")


def version(number, code, parent=None, *, place=None, from_on=date(1900, 1, 1)):
    return CategoryVersion(
        category_id=UUID(int=number),
        code=code,
        organisation_code=place,
        from_on=from_on,
        parent_id=None if parent is None else UUID(int=parent),
    )


def test_what_stands_above_comes_nearest_first():
    tree = CategoryTree([version(1, "works"), version(2, "roads", 1), version(3, "potholes", 2)])

    assert tree.line("potholes", on=DAY, place=PLACE) == ("potholes", "roads", "works")
    assert tree.line("works", on=DAY, place=()) == ("works",)


def test_what_no_tree_knows_stands_alone():
    assert CategoryTree().line("potholes", on=DAY, place=PLACE) == ("potholes",)


def test_the_tree_of_the_day_counts():
    tree = CategoryTree(
        [
            version(1, "works"),
            version(2, "parks"),
            version(3, "trees", 1),
            version(3, "trees", 2, from_on=date(2026, 3, 2)),
            version(4, "later", 1, from_on=date(2026, 3, 3)),
        ]
    )

    assert tree.line("trees", on=date(2026, 3, 1), place=()) == ("trees", "works")
    assert tree.line("trees", on=DAY, place=()) == ("trees", "parks")
    assert tree.line("later", on=DAY, place=()) == ("later",)


@pytest.mark.parametrize(
    ("place", "above"), [(("town", "county"), "of-town"), (("county",), "of-county"), (("other",), "of-all")]
)
def test_of_one_code_the_nearest_place_is_meant(place, above):
    tree = CategoryTree(
        [
            version(1, "of-all"),
            version(2, "of-county"),
            version(3, "of-town"),
            version(4, "roads", 1),
            version(5, "roads", 2, place="county"),
            version(6, "roads", 3, place="town"),
        ]
    )

    assert tree.line("roads", on=DAY, place=place) == ("roads", above)


def test_a_circle_ends():
    tree = CategoryTree([version(1, "a", 2), version(2, "b", 1)])

    assert tree.line("a", on=DAY, place=()) == ("a", "b")
