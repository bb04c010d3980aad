"""What contact each kind of post owes in 2025: invented for the county, in the range of published local rules."""

from dataclasses import dataclass
from datetime import date

YEAR_START = date(2025, 1, 1)
MIDYEAR = date(2025, 7, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    post_kind: str
    contact_kind: str
    required_count: int
    per: str
    valid_from: date = YEAR_START
    valid_until: date | None = None


_EVERY_POST: dict[str, tuple[tuple[str, int, str], ...]] = {
    "county_leader": (
        ("reception", 1, "month"),
        ("visit", 2, "month"),
        ("field_stay", 2, "quarter"),
        ("outreach_reception", 1, "quarter"),
        ("discussion_meeting", 1, "quarter"),
        ("field_study", 1, "quarter"),
    ),
    "department_head": (
        ("visit", 1, "month"),
        ("reception", 1, "quarter"),
        ("discussion_meeting", 1, "quarter"),
        ("field_study", 1, "quarter"),
        ("hotline_duty", 1, "quarter"),
    ),
    "department_deputy": (
        ("visit", 1, "month"),
        ("field_study", 1, "quarter"),
    ),
    "township_secretary": (
        ("visit", 4, "month"),
        ("reception", 2, "month"),
        ("outreach_reception", 1, "month"),
        ("field_stay", 3, "quarter"),
        ("discussion_meeting", 1, "quarter"),
    ),
    "township_head": (
        ("visit", 4, "month"),
        ("reception", 2, "month"),
        ("outreach_reception", 1, "month"),
        ("field_stay", 3, "quarter"),
        ("discussion_meeting", 1, "quarter"),
    ),
    "township_deputy": (
        ("visit", 4, "month"),
        ("reception", 1, "month"),
        ("field_stay", 2, "quarter"),
        ("paired_assistance", 1, "quarter"),
    ),
    "village_secretary": (
        ("visit", 4, "month"),
        ("discussion_meeting", 1, "quarter"),
        ("volunteer_service", 1, "quarter"),
    ),
    "section_member": (
        ("visit", 1, "month"),
        ("paired_assistance", 1, "quarter"),
        ("volunteer_service", 2, "year"),
    ),
}
# Raised in the middle of the year, so that the demo shows a duty that changed.
_RAISED = ("department_deputy", "paired_assistance", 1, 2, "quarter")


def build_duties() -> tuple[Duty, ...]:
    post_kind, contact_kind, before, after, per = _RAISED
    standing = [
        Duty(post_kind=kind, contact_kind=contact, required_count=count, per=every)
        for kind, owed in _EVERY_POST.items()
        for contact, count, every in owed
    ]
    raised = [
        Duty(
            post_kind=post_kind,
            contact_kind=contact_kind,
            required_count=before,
            per=per,
            valid_until=date(2025, 6, 30),
        ),
        Duty(post_kind=post_kind, contact_kind=contact_kind, required_count=after, per=per, valid_from=MIDYEAR),
    ]
    return (*standing, *raised)
