"""How many contacts a cadre's contacts are worth: confirmed ones whole, and never more for more of the same."""

import sys
from collections import Counter
from collections.abc import Mapping

from services.assessment.fair.counting import root_weight
from services.assessment.fair.credit import logarithm_of_ratio
from services.assessment.fair.records import DAY, MICRO, Contact, Dossier, Span
from services.assessment.fair.settings import FairSettings, Outreach

WEEK = 7 * DAY
QUARTER_DAYS = 91


def count_contacts(
    dossier: Dossier, confirmed: set[str], span: Span, settings: FairSettings
) -> tuple[int, dict[str, tuple[int, str]]]:
    """Effective contacts in millionths, and what each contact added, with the reason where less than one.

    `confirmed` are contacts that an issue or a rating came out of, beside those marked so.
    """
    rule = settings.outreach
    with_citizen = Counter((contact.citizen, _quarter(contact)) for contact in dossier.contacts if contact.citizen)
    worths: dict[str, tuple[int, str]] = {}
    weeks: dict[int, list[Contact]] = {}
    for contact in dossier.contacts:
        worths[contact.contact] = _worth(contact, confirmed, rule, with_citizen)
        weeks.setdefault(contact.occurred_at // WEEK, []).append(contact)
    limit = weekly_limit(dossier.cadre.target, span, rule)
    for contacts in weeks.values():
        _limit_week(contacts, worths, limit)
    return sum(worth for worth, _ in worths.values()), worths


def weekly_limit(target: int, span: Span, rule: Outreach) -> int:
    """Millionths."""
    weeks = max(1, (span.ends_at - span.starts_at) // WEEK)
    return max(rule.weekly_floor * MICRO, rule.weekly_multiple * target * MICRO // weeks)


def _worth(
    contact: Contact, confirmed: set[str], rule: Outreach, with_citizen: Mapping[tuple[str, int], int]
) -> tuple[int, str]:
    if contact.is_disowned and rule.disowned < MICRO:
        return rule.disowned, "disowned"
    worth, reasons = MICRO, []
    if not (contact.is_confirmed or contact.contact in confirmed):
        worth, reasons = rule.unconfirmed, ["unconfirmed"]
    minutes = contact.duration_minutes
    if minutes is not None and minutes < rule.short_minutes and contact.kind != "call":
        worth = worth * rule.short // MICRO
        reasons.append("short")
    if contact.recorded_at - contact.occurred_at > rule.late_days * DAY:
        worth = worth * rule.late // MICRO
        reasons.append("recorded_late")
    same = with_citizen.get((contact.citizen, _quarter(contact)), 1)
    if same > 1:
        worth = worth * root_weight(same) // MICRO
        reasons.append("same_citizen")
    return worth, sys.intern(" ".join(reasons))


def _limit_week(contacts: list[Contact], worths: dict[str, tuple[int, str]], limit: int) -> None:
    """The most valuable first, so that one more contact never takes anything away."""
    left = limit
    for contact in sorted(contacts, key=lambda one: (-worths[one.contact][0], one.contact)):
        worth, reasons = worths[contact.contact]
        if worth > left:
            worths[contact.contact] = (left, f"{reasons} weekly_limit".strip())
        left -= min(worth, left)


def _quarter(contact: Contact) -> int:
    return contact.occurred_at // (QUARTER_DAYS * DAY)


def value_outreach(effective: int, target: int) -> int:
    """ln((effective + 1) / (target + 1)) in millionths."""
    return logarithm_of_ratio(effective + MICRO, (target + 1) * MICRO)
