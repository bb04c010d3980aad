"""Contacts that look made for the count: written up at the end of a quarter, or that no citizen knows of."""

from collections.abc import Iterator, Mapping, Sequence

from services.assessment.fair.records import DAY, Contact, Dossier, Span
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import (
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
    per_cent,
)

LAST_DAYS = 3
PADDING_LEAST = 12
UNCONFIRMED_LEAST = 8
BURST_LEAST = 4
LARGE_BURST = 6


def find_padding(dossiers: Mapping[str, Dossier], rules: SignalRules) -> Iterator[Signal]:
    unconfirmed = {
        cadre: [contact for contact in one.contacts if not contact.is_confirmed]
        for cadre, one in dossiers.items()
        if one.contacts
    }
    shares = {cadre: (len(own), len(dossiers[cadre].contacts)) for cadre, own in unconfirmed.items()}
    counts = count_shares(shares, lambda cadre: dossiers[cadre].cadre.region)
    odds = deviations(counts)
    for cadre, own in unconfirmed.items():
        found, size = shares[cadre]
        usual = counts[cadre].expected
        if size < PADDING_LEAST or found < UNCONFIRMED_LEAST or usual > rules.field_missing / 100 * size:
            continue
        if 100 * found >= rules.padding_share * size and odds[cadre] * 100 >= rules.padding_odds:
            spare = max(0, found - round(usual))
            latest = sorted(own, key=lambda one: (-one.recorded_at, one.contact))[:spare]
            yield Signal(
                cadre=cadre,
                check="contact_padding",
                evidence={"contacts": size, "unconfirmed": found, "usual": round(usual)},
                odds=hundredths(odds[cadre]),
                records=frozenset(contact.contact for contact in latest),
                examples=first_few(contact.contact for contact in latest),
            )


def find_bursts(dossiers: Mapping[str, Dossier], span: Span, rules: SignalRules) -> Iterator[Signal]:
    """Honest end-of-quarter drives are confirmed like other contacts; what is not known to citizens counts here."""
    ends = span.quarter_ends
    late: dict[str, list[Contact]] = {}
    for cadre, one in dossiers.items():
        if one.contacts:
            late[cadre] = [
                contact for contact in one.contacts if not contact.is_confirmed and _is_last_days(contact, ends)
            ]
    counts = count_shares(
        {cadre: (len(own), len(dossiers[cadre].contacts)) for cadre, own in late.items()},
        lambda cadre: dossiers[cadre].cadre.region,
    )
    odds = deviations(counts)
    for cadre, own in late.items():
        contacts = dossiers[cadre].contacts
        fullest = max((_count_until(own, end) for end in ends), default=0)
        at_end = sum(_is_last_days(contact, ends) for contact in contacts)
        if len(own) < BURST_LEAST or (fullest < BURST_LEAST and len(own) < LARGE_BURST):
            continue
        if 100 * len(own) >= rules.burst_share * len(contacts) and odds[cadre] * 100 >= rules.burst_odds:
            if 100 * len(own) < rules.burst_unconfirmed * at_end:
                continue
            yield Signal(
                cadre=cadre,
                check="period_end_burst",
                evidence={
                    "contacts": len(contacts),
                    "last_days": at_end,
                    "unconfirmed": len(own),
                    "share": per_cent(at_end, len(contacts)),
                },
                odds=hundredths(odds[cadre]),
                examples=first_few(contact.contact for contact in own),
            )


def _is_last_days(contact: Contact, ends: Sequence[int]) -> bool:
    return any(end - LAST_DAYS * DAY <= contact.occurred_at < end for end in ends)


def _count_until(contacts: Sequence[Contact], end: int) -> int:
    return sum(end - LAST_DAYS * DAY <= contact.occurred_at < end for contact in contacts)
