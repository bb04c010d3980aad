"""One name for one record. An id names one thing in its file only, and what is set aside is known by name alone."""

from collections.abc import Iterable, Sequence, Set

from services.assessment.fair.records import Dossier, Issue, Rating, amend


def name_apart(dossiers: Sequence[Dossier]) -> None:
    """Put its kind before the name of a contact that an issue has too, and of a rating that either has."""
    issues = {one.issue for dossier in dossiers for one in dossier.issues}
    contacts = _rename("contact", (one.contact for dossier in dossiers for one in dossier.contacts), issues)
    taken = issues | {contacts.get(one.contact, one.contact) for dossier in dossiers for one in dossier.contacts}
    ratings = _rename("rating", (one.rating for dossier in dossiers for one in dossier.ratings), taken)
    if not contacts and not ratings:
        return
    for dossier in dossiers:
        dossier.issues = [_link(one, contacts) for one in dossier.issues]
        dossier.contacts = [
            amend(one, contact=contacts[one.contact]) if one.contact in contacts else one for one in dossier.contacts
        ]
        dossier.ratings = [_point(one, ratings, contacts) for one in dossier.ratings]


def _rename(kind: str, names: Iterable[str], taken: Set[str]) -> dict[str, str]:
    renamed = {}
    for name in names:
        if name in taken:
            renamed[name] = f"{kind} {name}"
            while renamed[name] in taken:
                renamed[name] = f"{kind} {renamed[name]}"
    return renamed


def _link(issue: Issue, contacts: dict[str, str]) -> Issue:
    return amend(issue, contact=contacts[issue.contact]) if issue.contact in contacts else issue


def _point(rating: Rating, ratings: dict[str, str], contacts: dict[str, str]) -> Rating:
    name, subject = ratings.get(rating.rating, rating.rating), rating.subject
    if rating.subject_kind == "contact":
        subject = contacts.get(subject, subject)
    return amend(rating, rating=name, subject=subject)
