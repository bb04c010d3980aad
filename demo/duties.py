"""What contact each kind of post owes: invented for the county, in the range of published local rules."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    post_kind: str
    contact_kind: str
    required_count: int
    per: str
    valid_from: date
    valid_until: date | None = None


_EVERY_POST: dict[str, tuple[tuple[str, int, str], ...]] = {
    "county_leader": (
        ("reception", 1, "month"),
        ("visit", 1, "month"),
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
        ("visit", 2, "month"),
        ("reception", 1, "month"),
        ("outreach_reception", 1, "quarter"),
        ("field_stay", 2, "quarter"),
        ("discussion_meeting", 1, "quarter"),
    ),
    "township_head": (
        ("visit", 2, "month"),
        ("reception", 1, "month"),
        ("outreach_reception", 1, "quarter"),
        ("field_stay", 2, "quarter"),
        ("discussion_meeting", 1, "quarter"),
    ),
    "township_deputy": (
        ("visit", 2, "month"),
        ("reception", 1, "quarter"),
        ("field_stay", 1, "quarter"),
        ("paired_assistance", 1, "quarter"),
    ),
    "village_secretary": (
        ("visit", 2, "month"),
        ("discussion_meeting", 1, "quarter"),
        ("volunteer_service", 2, "year"),
    ),
    "section_member": (
        ("visit", 1, "month"),
        ("paired_assistance", 1, "quarter"),
        ("volunteer_service", 2, "year"),
    ),
}
# Raised in the middle of the last full year, so that the demo shows a duty that changed.
_RAISED = ("department_deputy", "paired_assistance", 1, 2, "quarter")


def build_duties(year: int) -> tuple[Duty, ...]:
    """In force from the beginning of that year on."""
    begins, midyear = date(year, 1, 1), date(year, 7, 1)
    post_kind, contact_kind, before, after, per = _RAISED
    standing = [
        Duty(post_kind=kind, contact_kind=contact, required_count=count, per=every, valid_from=begins)
        for kind, owed in _EVERY_POST.items()
        for contact, count, every in owed
    ]
    raised = [
        Duty(
            post_kind=post_kind,
            contact_kind=contact_kind,
            required_count=before,
            per=per,
            valid_from=begins,
            valid_until=midyear - timedelta(days=1),
        ),
        Duty(post_kind=post_kind, contact_kind=contact_kind, required_count=after, per=per, valid_from=midyear),
    ]
    return (*standing, *raised)
