"""What makes a rating odd: one name a signal, held against thresholds that are data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.rating_rules import Signals, is_working_time

SELF_COLLECTED = frozenset({"link", "kiosk", "app"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known around one rating. Counts include the rating itself."""

    rating_id: UUID
    method: str
    recorded_at: datetime
    has_staff_phone: bool
    phone_count: int
    network_count: int
    device_count: int
    fill_seconds: int | None
    contact_recorded_at: datetime | None  # where the account that recorded the contact recorded the rating too
    is_traceless_contact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of a cadre's ratings are of the top level."""

    cadre_id: UUID
    ratings: int
    top: int


def find_signals(measured: Measured, signals: Signals) -> list[str]:
    """In a fixed order, so that the same rating under the same thresholds tells the same.

    Who was called back was asked by somebody without a part in it: hand and trace of the record are no matter.
    """
    hours = signals.working_hours
    is_collected_there = measured.method in SELF_COLLECTED
    found = {
        "staff_phone": measured.has_staff_phone,
        "phone_too_often": measured.phone_count > signals.phone_most,
        "network_too_often": measured.network_count > signals.network_an_hour,
        "device_too_often": measured.device_count > signals.device_an_hour,
        "too_fast": measured.fill_seconds is not None and measured.fill_seconds < signals.fewest_seconds,
        "same_hand_after_hours": is_collected_there
        and measured.contact_recorded_at is not None
        and not is_working_time(measured.recorded_at, hours)
        and not is_working_time(measured.contact_recorded_at, hours),
        "contact_without_trace": is_collected_there and measured.is_traceless_contact,
    }
    return [name for name, holds in found.items() if holds]


def find_outliers(shares: Mapping[UUID, Share], signals: Signals) -> set[UUID]:
    """Cadres whose share of top levels lies further from that of all than any chance explains.

    Between cadres and not within one: a service that is good everywhere is no outlier.
    """
    counted = [share for share in shares.values() if share.ratings >= signals.share_ratings]
    if len(counted) < signals.share_cadres:
        return set()
    values = [share.top / share.ratings for share in counted]
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    if deviation == 0:
        return set()
    return {
        share.cadre_id
        for share, value in zip(counted, values, strict=True)
        if (value - mean) / deviation > signals.share_z_score
    }
