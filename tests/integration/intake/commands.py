"""Valid commands; a test states only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import RecordPost
from shared.identifiers import new_id


def lately() -> str:
    """A time that anybody may enter a contact of, as a request writes it."""
    return (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0).isoformat()


def a_contact(**changes: Any) -> RecordContact:
    command = RecordContact(
        id=new_id(),
        correlation_id="a-test",
        staff_number="S1",
        kind="visit",
        occurred_at=datetime(2026, 3, 1, 1, 30, tzinfo=UTC),
    )
    return replace(command, **changes)


def an_issue(**changes: Any) -> ReceiveIssue:
    command = ReceiveIssue(
        id=new_id(), correlation_id="a-test", type="help", category="roads", channel="phone", title="路灯不亮"
    )
    return replace(command, **changes)


def a_rating(**changes: Any) -> SubmitRating:
    return replace(SubmitRating(id=new_id(), correlation_id="a-test", level=5, method="link"), **changes)


def a_post(**changes: Any) -> RecordPost:
    command = RecordPost(
        id=new_id(),
        correlation_id="a-test",
        staff_number="S1",
        organisation_code="town",
        post_kind="township_head",
        post_level="141",
        from_on=datetime(2025, 1, 1, tzinfo=UTC).date(),
    )
    return replace(command, **changes)
