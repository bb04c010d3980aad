"""From a dossier to its marks: what each record counts for, or why it does not."""

from collections.abc import Iterable, Iterator

from services.assessment.fair.counting import find_duplicates, find_same_matters, weigh_issues
from services.assessment.fair.marks import UNLABELLED, Counted, Mark, answer_of, clock_of, label_of
from services.assessment.fair.outreach import count_contacts
from services.assessment.fair.ratings import mark_ratings
from services.assessment.fair.records import UNASSESSED, Dossier, Span
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.values import mark_issue, mark_left_out

EVERYTHING = frozenset[str]()
ANSWERS = frozenset({"timeliness"})
CLOCKS = frozenset({"timeliness", "speed"})


def count_dossier(
    dossier: Dossier, span: Span, settings: FairSettings, set_aside: frozenset[str] = EVERYTHING
) -> Counted:
    """Records set aside count neither for nor against; what was said about them goes with them. So it does with what
    the citizen knows nothing of, when asked by others.
    """
    disowned = _list_disowned(dossier) if settings.values.disowned else EVERYTHING
    silent = set_aside | disowned
    kept = Dossier(
        cadre=dossier.cadre,
        issues=[issue for issue in dossier.issues if issue.issue not in set_aside],
        ratings=[r for r in dossier.ratings if r.rating not in set_aside and r.subject not in silent],
        contacts=[contact for contact in dossier.contacts if contact.contact not in set_aside],
    )
    counted = Counted(dossier=dossier)
    duplicates = find_duplicates(kept.issues, settings.values.duplicate_hours)
    duplicates |= find_same_matters(kept.issues, settings.values.matter_hours)
    single = [issue for issue in kept.issues if issue.issue not in duplicates]
    counted.counted_issues = [issue for issue in single if issue.outcome not in UNASSESSED]
    weights = weigh_issues(counted.counted_issues)
    counted.issues = sum(issue.share for issue in counted.counted_issues)
    for issue in counted.counted_issues:
        marks = mark_issue(issue, weights[issue.issue], span.as_of, settings)
        counted.marks.extend(_keep(marks, issue.issue, set_aside) if set_aside else marks)
    if settings.values.left_out_margin:
        left_out = [issue for issue in single if issue.outcome == "left_out"]
        own = weigh_issues(left_out)
        waiting = set_aside if settings.signals.labels_left_out else EVERYTHING
        for issue in left_out:
            counted.marks.extend(_keep([mark_left_out(issue, own[issue.issue])], issue.issue, waiting))
    counted.marks.extend(Mark(record, "", (), 0, 0, "duplicate") for record in sorted(duplicates))
    _mark_opinions(counted, kept, duplicates, set_aside, settings)
    confirmed = {issue.contact for issue in kept.issues if issue.contact and issue.issue not in disowned}
    confirmed |= {rating.subject for rating in kept.ratings if rating.subject_kind == "contact"}
    counted.effective_contacts, counted.contact_notes = count_contacts(kept, confirmed, span, settings)
    return counted


def _list_disowned(dossier: Dossier) -> frozenset[str]:
    """Issues and contacts."""
    issues = frozenset(issue.issue for issue in dossier.issues if issue.is_disowned)
    return issues | {contact.contact for contact in dossier.contacts if contact.is_disowned}


def _keep(marks: Iterable[Mark], issue: str, set_aside: frozenset[str]) -> Iterator[Mark]:
    """What is left of an issue of which a part is set aside."""
    doubted = frozenset[str]()
    if clock_of(issue) in set_aside:
        doubted = CLOCKS
    elif answer_of(issue) in set_aside:
        doubted = ANSWERS
    is_labelled = label_of(issue) not in set_aside
    for mark in marks:
        if mark.indicator not in doubted:
            yield mark if is_labelled else mark._replace(cell=UNLABELLED)


def _mark_opinions(
    counted: Counted, kept: Dossier, duplicates: set[str], set_aside: frozenset[str], settings: FairSettings
) -> None:
    issues = {issue.issue: issue for issue in kept.issues}
    contacts = {contact.contact: contact for contact in kept.contacts}
    opinions = [rating for rating in kept.ratings if rating.subject not in duplicates]
    for rating, mark in zip(opinions, mark_ratings(opinions, issues, contacts, settings), strict=True):
        is_labelled = label_of(rating.subject) not in set_aside
        counted.marks.append(mark if is_labelled else mark._replace(cell=UNLABELLED))
