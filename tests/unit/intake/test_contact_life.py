"""Correcting contacts against a plain model: whatever is amended, voided, decided and repeated, in whatever order."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.corrections import (
    AlreadyVoided,
    ChangedMeanwhile,
    Contact,
    Content,
    CorrectionClosed,
    TooLongAgo,
    amend,
    refuse_closed,
    review,
    void,
)
from services.intake.domain.sketches import are_alike, sketch
from shared.reach import Reach

AT = datetime(2026, 3, 1, 1, tzinfo=UTC)
KEY = b"a key of the tests"
CONTENT = Content(
    kind="visit",
    occurred_at=AT,
    duration_minutes=None,
    population_group=None,
    people_count=None,
    people_by_group=None,
    companion_ids=(),
    first_on=None,
    last_on=None,
    place_code=None,
    note=None,
)
RECORDED = Contact(
    id=UUID(int=1), cadre_id=UUID(int=2), organisation_id=None, recorded_at=AT + timedelta(hours=1), sequence=1,
    counts=True, voided_at=None, content=CONTENT,
)  # fmt: skip
CORRECTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("amend"), st.integers(0, 3), st.none() | st.integers(1, 6)),
        st.tuples(st.just("void"), st.none(), st.none()),
        st.tuples(st.just("review"), st.booleans(), st.none()),
    ),
    max_size=25,
)


class Model:
    """What a person would keep in a notebook: the pages so far, the last of which stands."""

    def __init__(self) -> None:
        self.pages: list[tuple[int | None, bool, bool]] = [(None, True, False)]  # count of people, counts, void

    def do(self, what: str, value, version: int | None) -> str:
        people, counts, is_void = self.pages[-1]
        wanted = {"amend": (value, counts, is_void), "void": (people, False, True), "review": (people, value, is_void)}
        if is_void and what != "void":
            return "already-voided"
        if wanted[what] == self.pages[-1]:
            return "unchanged"
        if version not in {None, len(self.pages)}:
            return "changed-meanwhile"
        self.pages.append(wanted[what])
        return "changed"


def do(contact: Contact, what: str, value, version: int | None) -> tuple[Contact, str]:
    try:
        if what == "amend":
            moved = amend(contact, replace(contact.content, people_count=value), version=version, earliest=None)
        else:
            moved = void(contact, at=AT) if what == "void" else review(contact, counts=value)
    except (AlreadyVoided, ChangedMeanwhile) as error:
        return contact, error.code
    return moved, "unchanged" if moved is contact else "changed"


@settings(max_examples=2_000, deadline=None)
@given(corrections=CORRECTIONS, seed=st.integers(0, 99))
def test_a_contact_follows_a_plain_notebook_and_readers_any_order_of_its_events(corrections, seed):
    model, contact, told = Model(), RECORDED, [RECORDED]
    for correction in corrections:
        contact, outcome = do(contact, *correction)
        assert outcome == model.do(*correction)
        if outcome == "changed":
            told.append(contact)

    stands = (contact.content.people_count, contact.counts, contact.voided_at is not None)
    assert stands == model.pages[-1]
    assert [one.sequence for one in told] == list(range(1, len(model.pages) + 1))
    arriving = [*told, *told]
    random.Random(seed).shuffle(arriving)  # noqa: S311 - repeatable shuffles, not secrets
    known = arriving[0]
    for one in arriving:
        known = one if one.sequence > known.sequence else known
    assert known == contact


def test_after_some_days_only_an_officer_corrects():
    clerk, officer = (Reach(kind="scoped", role=role) for role in ("clerk", "clerk,department_officer"))
    within = timedelta(days=31)
    in_time, late = RECORDED.recorded_at + within, RECORDED.recorded_at + within + timedelta(seconds=1)

    refuse_closed(RECORDED, clerk, within=within, now=in_time)
    refuse_closed(RECORDED, officer, within=within, now=late)
    with pytest.raises(CorrectionClosed):
        refuse_closed(RECORDED, clerk, within=within, now=late)


def test_a_time_is_not_amended_to_long_ago():
    earliest = timedelta(days=7)
    allowed, refused = (RECORDED.recorded_at - earliest - timedelta(seconds=seconds) for seconds in (0, 1))

    amend(RECORDED, replace(CONTENT, occurred_at=allowed), version=None, earliest=earliest)
    with pytest.raises(TooLongAgo):
        amend(RECORDED, replace(CONTENT, occurred_at=refused), version=None, earliest=earliest)


NOTE = "走访困难家庭三户，了解生活情况，群众反映灌溉渠淤堵、村口路灯不亮，已记录并转有关单位办理。"


@pytest.mark.parametrize(
    ("note", "alike"),
    [
        (NOTE, True),
        (NOTE.replace("三户", "５户").replace("，", ", "), True),
        ("2026年3月1日。" + NOTE, True),
        ("召开座谈会，听取企业负责人对营商环境的意见，现场答复用工问题，会后形成清单逐项落实到责任单位。", False),
    ],
)
def test_notes_that_are_nearly_alike_are_told(note, alike):
    first, second = sketch(NOTE, KEY), sketch(note, KEY)

    assert first is not None
    assert second is not None
    assert are_alike(first, second) is alike


@pytest.mark.parametrize("count", ["5", "十二", "两", "２0"])
def test_a_copy_with_another_count_is_a_copy_whatever_the_key(count):
    copy = NOTE.replace("三", count)

    assert copy != NOTE
    assert sketch(copy, KEY) == sketch(NOTE, KEY)


@pytest.mark.parametrize("note", [None, "", "走访", "1234567890" * 9, "走访三户。" * 3])
def test_of_a_short_note_nothing_is_told(note):
    assert sketch(note, KEY) is None


def test_without_the_key_a_sketch_tells_nothing():
    first, second = sketch(NOTE, KEY), sketch(NOTE, b"another key of the tests")

    assert first is not None
    assert second is not None
    assert not are_alike(first, second)
    assert all(0 <= lane < 2**63 for lane in first)
