"""By which channel most of somebody's issues came."""

import pytest

from services.assessment.domain.channels import find_main_channel


@pytest.mark.parametrize(
    ("counts", "main"),
    [
        ({"phone": 3, "contact": 2}, "phone"),
        ({"contact": 2, "phone": 3}, "phone"),
        ({"phone": 2, "web": 1, "app": 1, "contact": 1}, "phone"),  # more than by any other, not more than half
        ({"phone": 2, "contact": 2, "web": 1}, "tied"),
        ({"web": 1}, "web"),
        ({"phone": 0}, "none"),
        ({}, "none"),
        (None, None),
    ],
)
def test_the_main_channel_is_the_one_that_more_came_by_than_by_any_other(counts, main):
    assert find_main_channel(counts) == main
