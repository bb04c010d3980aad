"""From events to digests: what is told, to whom, once, and against what was told before."""

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.notify.storage import news as news_storage
from shared.database import transaction
from tests.integration.notify.conftest import Notify, envelope_of, make_news, score_of

pytestmark = pytest.mark.integration


def digest_texts(notify: Notify) -> list[str]:
    return [str(row[0]) for row in notify.ask("SELECT text_body FROM digest ORDER BY id")]


def test_the_same_event_twice_moves_a_score_once(notify):
    told = envelope_of(score_of(make_news()))

    first = notify.take("notify.events", told, told)
    again = notify.take("notify.events", told)

    assert (first, again) == (1, 0)
    assert notify.ask("SELECT change FROM score_news") == [(1,)]


def test_order_does_not_matter(notify):
    notify.hear(make_news(sequence=3, composite="90"))
    notify.hear(make_news(sequence=2, composite="70"), make_news(sequence=1, composite="60"))

    assert notify.ask("SELECT sequence, composite::text FROM score_news") == [(3, "90.0000")]


def test_a_first_digest_tells_what_stands(notify):
    notify.subscribe()
    notify.hear(make_news(1), make_news(2), make_news(3, composite=None))

    assert notify.compose() == 1

    [text] = digest_texts(notify)
    assert "2025年第1季度 干部：新增 3 项，变动 0 项" in text
    assert notify.ask("SELECT channel, status FROM delivery ORDER BY channel") == [("email", "due"), ("inbox", "sent")]
    assert len(notify.ask("SELECT id FROM message WHERE read_at IS NULL")) == 1


def test_composing_twice_makes_one_digest(notify):
    notify.subscribe()
    notify.hear(make_news())

    assert (notify.compose(), notify.compose()) == (1, 0)


def test_a_movement_is_told_against_what_was_told_before(notify):
    notify.subscribe()
    notify.hear(make_news(sequence=1, composite="80"))
    notify.compose()
    notify.wait(timedelta(seconds=60))
    notify.hear(replace(make_news(sequence=2, composite="70")))
    notify.hear(replace(make_news(sequence=3, composite="85.5")))

    notify.compose()

    assert "80.00 → 85.50（+5.50）" in digest_texts(notify)[1]


def test_a_value_that_came_back_is_no_news(notify):
    notify.subscribe()
    notify.hear(make_news(sequence=1, composite="80"))
    notify.compose()
    notify.wait(timedelta(seconds=60))
    notify.hear(make_news(sequence=2, composite="70"))
    notify.hear(make_news(sequence=3, composite="80"))

    assert notify.compose() == 0
    assert notify.ask("SELECT count(*) FROM digest") == [(1,)]


def test_there_is_one_digest_an_interval_at_most_and_nothing_is_left_out(notify):
    notify.subscribe()
    notify.hear(make_news(1))
    notify.compose()
    notify.hear(make_news(2))

    notify.wait(timedelta(seconds=59))
    too_early = notify.compose()
    notify.wait(timedelta(seconds=1))
    in_time = notify.compose()

    assert (too_early, in_time) == (0, 1)
    assert "新增 1 项，变动 0 项" in digest_texts(notify)[1]


def test_an_organisation_hears_of_itself_and_below_only(notify):
    notify.subscribe("township", organisation_id=UUID(int=20))
    notify.hear(make_news(1, path=(10, 20)), make_news(2, path=(10, 20, 30)), make_news(3, path=(10, 40)), make_news(4))

    notify.compose()

    assert notify.ask("SELECT score_count FROM digest") == [(2,)]


def test_following_another_organisation_tells_what_is_there_and_nothing_twice(notify):
    notify.subscribe("one", organisation_id=UUID(int=20))
    notify.hear(make_news(1, path=(10, 20)), make_news(2, path=(10, 40)))
    notify.compose()
    notify.subscribe("one", organisation_id=UUID(int=10))
    notify.wait(timedelta(seconds=60))

    notify.compose()

    assert notify.ask("SELECT score_count FROM digest ORDER BY id") == [(1,), (1,)]


def test_news_beyond_the_largest_digest_come_with_the_next(notify):
    notify.largest_digest = 3
    notify.subscribe()
    notify.hear(*(make_news(number) for number in range(1, 6)))

    notify.compose()
    notify.wait(timedelta(seconds=60))
    notify.compose()

    assert notify.ask("SELECT score_count FROM digest ORDER BY id") == [(3,), (2,)]
    assert notify.ask("SELECT count(*) FROM told_score") == [(5,)]


def test_movements_are_the_largest_twenty_up_and_down(notify):
    notify.subscribe()
    notify.hear(*(make_news(number, composite="50") for number in range(1, 31)))
    notify.compose()
    notify.wait(timedelta(seconds=60))
    notify.hear(
        *(make_news(number, sequence=2, composite=str(50 + number * (-1) ** number)) for number in range(1, 31))
    )

    notify.compose()

    movements = [line for line in digest_texts(notify)[1].splitlines() if "→" in line]
    assert len(movements) == 20
    assert "C0030" in movements[0]
    assert "（+30.00）" in movements[0]
    assert "（−29.00）" in movements[1]


def test_a_commit_that_comes_late_is_never_skipped(notify):
    """The first writer holds its change number uncommitted: the second must wait, or the digest would pass it by."""
    notify.subscribe()
    second = threading.Thread(target=notify.hear, args=(make_news(2),))
    with transaction(notify.pool) as connection:
        first_change = news_storage.take_changes(connection, 1)
        news_storage.upsert_news(connection, [make_news(1)], first_change=first_change)
        second.start()
        second.join(timeout=0.5)
        waited = second.is_alive()
        composed_meanwhile = notify.compose()
    second.join(timeout=10)

    notify.compose()

    assert (waited, composed_meanwhile) == (True, 0)
    assert notify.ask("SELECT sum(score_count) FROM digest") == [(2,)]


def test_many_composers_make_one_digest_a_subscription(notify):
    for number in range(5):
        notify.subscribe(f"s{number}")
    notify.hear(*(make_news(number) for number in range(1, 50)))
    threads = [threading.Thread(target=notify.compose) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert notify.ask("SELECT count(*), count(DISTINCT subscription_id) FROM digest") == [(5, 5)]
