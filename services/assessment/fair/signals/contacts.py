"""Contacts that look made for the count: written up at the end of a quarter, or that no citizen knows of."""

from collections.abc import Iterator, Sequence

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Contact, Dossier, Span
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import (
    Everybody,
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


class Padding:
    def __init__(self, rules: SignalRules) -> None:
        self._rules = rules
        self._shares: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        contacts = one.dossier.contacts
        if contacts:
            self._shares[one.cadre] = (len(_unconfirmed(one.dossier)), len(contacts))
            self._regions[one.cadre] = one.dossier.cadre.region

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        rules = self._rules
        counts = count_shares(self._shares, self._regions.__getitem__)
        odds = deviations(counts)
        for cadre, (found, size) in self._shares.items():
            usual = counts[cadre].expected
            if size < PADDING_LEAST or found < UNCONFIRMED_LEAST or usual > rules.field_missing / 100 * size:
                continue
            if 100 * found >= rules.padding_share * size and odds[cadre] * 100 >= rules.padding_odds:
                own = _unconfirmed(everybody.counted[cadre].dossier)
                latest = sorted(own, key=lambda one: (-one.recorded_at, one.contact))[: found - round(usual)]
                yield Signal(
                    cadre=cadre,
                    check="contact_padding",
                    evidence={"contacts": size, "unconfirmed": found, "usual": round(usual)},
                    odds=hundredths(odds[cadre]),
                    records=frozenset(contact.contact for contact in latest),
                    examples=first_few(contact.contact for contact in latest),
                )


def _unconfirmed(dossier: Dossier) -> list[Contact]:
    return [contact for contact in dossier.contacts if not contact.is_confirmed]


class Bursts:
    """Honest end-of-quarter drives are confirmed like other contacts; what is not known to citizens counts here."""

    def __init__(self, span: Span, rules: SignalRules) -> None:
        self._ends = span.quarter_ends
        self._rules = rules
        self._shares: dict[str, tuple[int, int]] = {}
        self._unconfirmed: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        contacts = one.dossier.contacts
        if contacts:
            self._shares[one.cadre] = (len(self._late(one.dossier)), len(contacts))
            self._unconfirmed[one.cadre] = (len(_unconfirmed(one.dossier)), len(contacts))
            self._regions[one.cadre] = one.dossier.cadre.region

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        rules = self._rules
        odds = deviations(count_shares(self._shares, self._regions.__getitem__))
        unconfirmed = count_shares(self._unconfirmed, self._regions.__getitem__)
        for cadre, (found, size) in self._shares.items():
            if found < BURST_LEAST or 100 * found < rules.burst_share * size:
                continue
            if odds[cadre] * 100 < rules.burst_odds or unconfirmed[cadre].expected > rules.burst_missing / 100 * size:
                continue
            dossier = everybody.counted[cadre].dossier
            own = self._late(dossier)
            fullest = max(sum(_is_last_days(contact, [end]) for contact in own) for end in self._ends)
            at_end = sum(_is_last_days(contact, self._ends) for contact in dossier.contacts)
            if fullest < BURST_LEAST and found < LARGE_BURST:
                continue
            if 100 * found < rules.burst_unconfirmed * at_end:
                continue
            yield Signal(
                cadre=cadre,
                check="period_end_burst",
                evidence={
                    "contacts": size,
                    "last_days": at_end,
                    "unconfirmed": found,
                    "share": per_cent(at_end, size),
                },
                odds=hundredths(odds[cadre]),
                examples=first_few(contact.contact for contact in own),
            )

    def _late(self, dossier: Dossier) -> list[Contact]:
        return [
            contact for contact in dossier.contacts if not contact.is_confirmed and _is_last_days(contact, self._ends)
        ]


def _is_last_days(contact: Contact, ends: Sequence[int]) -> bool:
    return any(end - LAST_DAYS * DAY <= contact.occurred_at < end for end in ends)
