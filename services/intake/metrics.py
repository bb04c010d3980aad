"""What intake counts."""

from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import Counter, Histogram

contacts_recorded_total = Counter("intake_contacts_recorded_total", "Contacts recorded for the first time.")
issues_received_total = Counter("intake_issues_received_total", "Issues received for the first time.")
ratings_submitted_total = Counter("intake_ratings_submitted_total", "Ratings submitted for the first time.")
ratings_quarantined_total = Counter(
    "intake_ratings_quarantined_total", "Ratings that thresholds set aside until a person has looked."
)
callback_follow_ups_total = Counter(
    "intake_callback_follow_ups_total", "Citizens to be called because of what another call about the same cadre found."
)
ratings_amended_total = Counter("intake_ratings_amended_total", "Ratings that their raters amended.")
reveals_total = Counter(
    "intake_reveals_total", "Citizens shown to staff, or refused because an account asked for too many.", ["result"]
)
people_exported_total = Counter(
    "intake_people_exported_total",
    "Rows about people that left in exports of registers, by day and by night.",
    ["time"],
)
exports_refused_total = Counter(
    "intake_exports_refused_total", "Exports refused because they were more than one person carries out alone."
)
exports_agreed_total = Counter("intake_exports_agreed_total", "Exports beyond that which a second person agreed to.")
# What is not there before its first count has no increase when that comes.
for _time in ("day", "night"):
    people_exported_total.labels(_time)
undecipherable_total = Counter(
    "intake_undecipherable_total",
    "Sealed values that did not open: altered, moved to another row, or without their key.",
)
erasures_total = Counter("intake_erasures_total", "Citizens whose identity was erased.")
keys_rewrapped_total = Counter("intake_keys_rewrapped_total", "Citizens' keys that were wrapped anew for a new epoch.")
contacts_examined_total = Counter("intake_contacts_examined_total", "Contacts that were looked at for anything odd.")
reviews_noted_total = Counter("intake_reviews_noted_total", "Contacts that a person is to decide about.")
events_sent_total = Counter("intake_events_sent_total", "Events that the broker has confirmed.")
outcomes_total = Counter("intake_outcomes_total", "What became of commands.", ["use_case", "status"])
group_size = Histogram(
    "intake_group_size", "Requests that shared one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
citizen_messages_made_total = Counter(
    "intake_citizen_messages_made_total", "Messages to citizens that were noted, by what of.", ["kind"]
)
citizen_messages_skipped_total = Counter(
    "intake_citizen_messages_skipped_total", "Events of which the citizen is not told, by why.", ["reason"]
)
citizen_message_attempts_total = Counter(
    "intake_citizen_message_attempts_total", "Attempts at messages to citizens, by outcome.", ["outcome"]
)
citizen_messages_given_up_total = Counter(
    "intake_citizen_messages_given_up_total", "Messages to citizens that were not sent, by how they ended.", ["state"]
)
citizen_receipts_total = Counter(
    "intake_citizen_receipts_total", "Receipts that the gateway of citizens' messages told.", ["outcome"]
)
alarms_raised_total = Counter(
    "intake_alarms_raised_total", "Deadlines that came near, were missed or went up a level.", ["kind"]
)
coming_changes_total = Counter(
    "intake_coming_changes_total", "Changes of registers whose day came: entered, or refused on it.", ["state"]
)
import_rows_total = Counter("intake_import_rows_total", "Rows of imported files, dry runs left out.", ["result"])
import_runs_total = Counter("intake_import_runs_total", "Imports that came to their end.", ["state"])


def count_outcomes(use_case: str, statuses: Iterable[str]) -> dict[str, int]:
    """Count after the commit, so that the figures never tell of what was rolled back. Returns the counts by status."""
    counts: dict[str, int] = {}
    for status in statuses:
        counts[status] = counts.get(status, 0) + 1
    for status, count in counts.items():
        _outcomes_of(use_case, status).inc(count)
    return counts


@lru_cache(maxsize=1_024)
def _outcomes_of(use_case: str, status: str) -> Counter:
    """Looking up a measure by its labels takes longer than counting."""
    return outcomes_total.labels(use_case, status)
