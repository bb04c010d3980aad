"""The oracles of what was told hold over a sound story and break over each way in which it can be wrong."""

import copy
from collections import Counter
from dataclasses import replace

import pytest

from tests.harness.sinks import HandOver
from tests.harness.telling_oracles import (
    check_all_told,
    check_nothing_invented,
    check_order,
    check_repeats,
    count_extra,
    judge_tellings,
)
from tests.harness.tellings import ASSIGNED, MAIL, Owed, OwedEvent, Tellings

HOOK, OTHER = "/hook/0", "/hook/1"


def handed(place, reference, *, answered=True, body=b"said"):
    return HandOver(place=place, reference=reference, at=0.0, headers={}, body=body, answered=answered)


def owed(channel, reference, *, status="sent", reason=None):
    return Owed(delivery_id=reference, channel=channel, reference=reference, status=status, reason=reason)


def sound():
    """Two events to two receivers, a cadre told over two channels; one reply kept back, one lost with its sender."""
    return Tellings(
        hooks=[HOOK, OTHER],
        events=[
            OwedEvent(event_id="e1", event_type="received", subject="issue/1", sequence=1),
            OwedEvent(event_id="e2", event_type=ASSIGNED, subject="issue/1", sequence=2),
        ],
        assigned=["e2"],
        digests=[("e2", "d1")],
        owed={"d1": [owed("sms", "s1"), owed("email", "m1")]},
        unheard=Counter({("/sms", "s1"): 1}),
        hand_overs=[
            handed(HOOK, "e1"),
            handed(OTHER, "e1", answered=False),
            handed(HOOK, "e2"),
            handed(OTHER, "e1"),
            handed(OTHER, "e2"),
            handed("/sms", "s1"),
            handed("/sms", "s1"),
            handed(MAIL, "m1"),
        ],
    )


def test_a_sound_story_is_found_sound():
    verdicts = judge_tellings(sound())

    assert all(verdict.holds for verdict in verdicts), verdicts
    assert all(verdict.checked for verdict in verdicts)
    assert count_extra(sound()) == (2, 1, 1)


@pytest.mark.parametrize("position", [0, 2, 3, 4, 7], ids=lambda position: f"the {position}th hand-over")
def test_what_never_came_is_lost(position):
    tellings = sound()
    del tellings.hand_overs[position]

    verdict = check_all_told(tellings)

    assert (verdict.holds, verdict.lost) == (False, 1)


def test_a_message_that_came_but_was_not_answered_for_is_lost():
    tellings = sound()
    tellings.hand_overs = [replace(one, answered=False) for one in tellings.hand_overs]

    assert check_all_told(tellings).lost == 6


def test_an_assignment_that_nobody_noted_is_lost():
    tellings = sound()
    tellings.digests = []

    assert check_all_told(tellings).lost == 1


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_channel_over_which_nothing_was_owed_is_lost(channel):
    tellings = sound()
    tellings.owed["d1"] = [one for one in tellings.owed["d1"] if one.channel != channel]

    assert check_all_told(tellings).lost == 1


def test_what_ended_with_a_reason_is_not_lost_and_without_one_it_is():
    tellings = sound()
    tellings.hand_overs = [one for one in tellings.hand_overs if one.place != "/sms"]
    with_reason = copy.deepcopy(tellings)
    with_reason.owed["d1"][0] = owed("sms", "s1", status="failed", reason="http 400")
    tellings.owed["d1"][0] = owed("sms", "s1", status="failed")

    assert check_all_told(with_reason).holds
    assert check_all_told(tellings).lost == 1


def test_an_assignment_told_in_two_messages_is_doubled():
    tellings = sound()
    tellings.digests.append(("e2", "d2"))
    tellings.owed["d2"] = tellings.owed["d1"]

    assert check_all_told(tellings).doubled == 1


@pytest.mark.parametrize("position", range(8))
def test_a_hand_over_more_than_replies_were_lost_is_seen(position):
    tellings = sound()
    tellings.hand_overs.append(replace(tellings.hand_overs[position], answered=True))

    verdict = check_repeats(tellings)

    assert (verdict.holds, verdict.doubled) == (False, 1)


def test_a_repeat_without_a_lost_reply_is_seen():
    tellings = sound()
    tellings.unheard.clear()

    assert check_repeats(tellings).doubled == 1


@pytest.mark.parametrize("place", [HOOK, "/sms", MAIL, "/hook/9"])
def test_what_nobody_was_owed_is_invented(place):
    tellings = sound()
    tellings.hand_overs.append(handed(place, "strange"))

    assert check_nothing_invented(tellings).invented == 1


def test_a_repeat_that_says_something_else_is_seen():
    tellings = sound()
    tellings.hand_overs[-2] = handed("/sms", "s1", body=b"said otherwise")

    assert not check_nothing_invented(tellings).holds


def test_events_of_a_subject_out_of_order_are_seen():
    tellings = sound()
    tellings.hand_overs.reverse()

    assert not check_order(tellings).holds


def test_a_repeat_of_an_earlier_event_is_not_out_of_order():
    tellings = sound()
    tellings.hand_overs.append(tellings.hand_overs[0])

    assert check_order(tellings).holds
