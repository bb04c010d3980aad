"""Issues and contacts of which citizens know nothing when others ask: the one sign of what is made up well."""

from collections.abc import Iterator

from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import Signal, first_few


def find_disowned(one: Dossier, rules: SignalRules) -> Iterator[Signal]:
    """A person is asked about the first, which may be a mistake. From `disowned_least` on all waits that nobody else
    has looked at.
    """
    issues = [issue.issue for issue in one.issues if issue.is_disowned]
    contacts = [contact.contact for contact in one.contacts if contact.is_disowned]
    found = len(issues) + len(contacts)
    if rules.disowned_least and found:
        yield Signal(
            cadre=one.cadre.cadre,
            check="disowned_records",
            evidence={
                "issues": len(one.issues),
                "asked": sum(issue.is_checked for issue in one.issues),
                "disowned_issues": len(issues),
                "contacts": len(one.contacts),
                "disowned_contacts": len(contacts),
            },
            odds=0,
            records=_list_unchecked(one) if found >= rules.disowned_least else frozenset(),
            examples=first_few([*issues, *contacts]),
        )


def _list_unchecked(one: Dossier) -> frozenset[str]:
    seen = {issue.contact for issue in one.issues} | {rating.subject for rating in one.ratings}
    issues = (issue.issue for issue in one.issues if not issue.is_checked and not issue.is_contradicted)
    contacts = (contact for contact in one.contacts if not contact.is_confirmed and not contact.is_disowned)
    return frozenset(issues) | frozenset(contact.contact for contact in contacts if contact.contact not in seen)
