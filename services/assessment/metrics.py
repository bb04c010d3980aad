"""What assessment counts."""

from prometheus_client import Counter, Gauge, Histogram

events_taken_total = Counter("assessment_events_taken_total", "New events taken in as facts.")
messages_settled_total = Counter("assessment_messages_settled_total", "What became of messages.", ["outcome"])
events_sent_total = Counter("assessment_events_sent_total", "Events that the broker has confirmed.")
scoring_passes_total = Counter("assessment_scoring_passes_total", "Scoring passes that had something to do.")
scoring_pass_seconds = Histogram("assessment_scoring_pass_seconds", "Time of a scoring pass.")
cells_tallied_total = Counter("assessment_cells_tallied_total", "Cells of cadre, organisation and month counted anew.")
scores_changed_total = Counter("assessment_scores_changed_total", "Scores that came to stand otherwise than before.")
scores_announced_total = Counter("assessment_scores_announced_total", "Scores announced to other services.")
duty_shortfalls_found_total = Counter(
    "assessment_duty_shortfalls_found_total", "Cadres told of, because duties of a period are not met yet."
)
months_closed_total = Counter("assessment_months_closed_total", "Months closed and published.")
corrections_recorded_total = Counter(
    "assessment_corrections_recorded_total", "Corrections of closed periods that were recorded."
)
releases_formed_total = Counter(
    "assessment_releases_formed_total", "Sums of ratings of enough people that were formed."
)
# Of the organisations of one level alone, so that there are few; by the same definitions as the doors.
indicator_value = Gauge(
    "assessment_indicator_value", "Value of an indicator in the year so far.", ["indicator", "organisation"]
)
indicator_numerator = Gauge(
    "assessment_indicator_numerator", "Numerator of an indicator in the year so far.", ["indicator", "organisation"]
)
indicator_denominator = Gauge(
    "assessment_indicator_denominator", "Denominator of an indicator in the year so far.", ["indicator", "organisation"]
)
fair_score_mean = Gauge(
    "assessment_fair_score_mean", "Mean fair score as it stands of an organisation's cadres.", ["organisation"]
)
fair_scores = Gauge("assessment_fair_scores", "Cadres of an organisation with a fair score.", ["organisation"])
