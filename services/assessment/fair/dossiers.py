"""From a dossier to its marks: what each record counts for, or why it does not."""

from services.assessment.fair.counting import find_duplicates, find_same_matters, weigh_issues
from services.assessment.fair.marks import Counted, Mark, answer_of
from services.assessment.fair.outreach import count_contacts
from services.assessment.fair.ratings import mark_ratings
from services.assessment.fair.records import Dossier, Span
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.values import mark_issue

EVERYTHING = frozenset[str]()


def count_dossier(
    dossier: Dossier, span: Span, settings: FairSettings, set_aside: frozenset[str] = EVERYTHING
) -> Counted:
    """Records set aside count neither for nor against; what was said about them goes with them."""
    kept = Dossier(
        cadre=dossier.cadre,
        issues=[issue for issue in dossier.issues if issue.issue not in set_aside],
        ratings=[r for r in dossier.ratings if r.rating not in set_aside and r.subject not in set_aside],
        contacts=[contact for contact in dossier.contacts if contact.contact not in set_aside],
    )
    counted = Counted(dossier=dossier)
    duplicates = find_duplicates(kept.issues, settings.values.duplicate_hours)
    duplicates |= find_same_matters(kept.issues, settings.values.matter_hours)
    counted.counted_issues = [
        issue for issue in kept.issues if issue.issue not in duplicates and issue.outcome != "left_out"
    ]
    weights = weigh_issues(counted.counted_issues)
    counted.issues = sum(issue.share for issue in counted.counted_issues)
    for issue in counted.counted_issues:
        marks = mark_issue(issue, weights[issue.issue], span.as_of, settings)
        if answer_of(issue.issue) in set_aside:
            marks = (mark for mark in marks if mark.indicator != "timeliness")
        counted.marks.extend(marks)
    counted.marks.extend(Mark(record, "", (), 0, 0, "duplicate") for record in sorted(duplicates))
    _mark_opinions(counted, kept, duplicates, settings)
    confirmed = {issue.contact for issue in kept.issues if issue.contact}
    confirmed |= {rating.subject for rating in kept.ratings if rating.subject_kind == "contact"}
    counted.effective_contacts, counted.contact_notes = count_contacts(kept, confirmed, span, settings)
    return counted


def _mark_opinions(counted: Counted, kept: Dossier, duplicates: set[str], settings: FairSettings) -> None:
    issues = {issue.issue: issue for issue in kept.issues}
    contacts = {contact.contact: contact for contact in kept.contacts}
    opinions = [rating for rating in kept.ratings if rating.subject not in duplicates]
    counted.marks.extend(mark_ratings(opinions, issues, contacts, settings))
