"""When everybody is looked at again: only once something was new, by one at a time, and after a pause."""

from services.assessment.tasks import LookingPace


def test_a_look_begins_once_something_is_new_and_no_other_while_it_lasts() -> None:
    pace = LookingPace()

    assert not pace.begin(is_new=False)
    assert pace.begin(is_new=True)
    assert not pace.begin(is_new=True)


def test_after_a_look_there_is_a_pause_whatever_is_new() -> None:
    pace = LookingPace()
    pace.begin(is_new=True)

    pace.end(3.0)

    assert not pace.begin(is_new=True)
