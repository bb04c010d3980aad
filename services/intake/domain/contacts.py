"""Contacts and ratings: what makes their times odd, and which of their values a repeat must match."""

from datetime import datetime

from services.intake.domain.citizens import digestible
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.times import TimeCheck, digest


def check_contact(command: RecordContact, *, now: datetime, allow_odd: bool) -> TimeCheck:
    check = TimeCheck(now=now, allow_odd=allow_odd)
    if check.bounded(command.occurred_at, command.recorded_at):
        check.not_in_future("occurred_in_future", command.occurred_at)
        check.not_in_future("recorded_in_future", command.recorded_at)
        check.in_order("recorded_before_occurred", command.occurred_at, command.recorded_at)
    return check


def digest_contact(command: RecordContact) -> bytes:
    return digest(
        (
            command.staff_number,
            command.organisation_code,
            command.kind,
            command.occurred_at,
            command.recorded_at,
            command.duration_minutes,
            command.population_group,
            command.people_count,
            command.place_code,
            command.note,
            *digestible(command.citizen),
        )
    )


def check_rating(command: SubmitRating, *, now: datetime, allow_odd: bool) -> TimeCheck:
    check = TimeCheck(now=now, allow_odd=allow_odd)
    if check.bounded(command.rated_at):
        check.not_in_future("rated_in_future", command.rated_at)
    return check


def digest_rating(command: SubmitRating) -> bytes:
    return digest(
        (
            command.issue_id,
            command.contact_id,
            command.issue_source_number,
            command.contact_source_number,
            command.level,
            command.solved,
            command.method,
            command.rated_at,
        )
    )
