-- What is missing comes behind every composite, by an amount that none has: of a row that begins with an amount the
-- planner knows how much lies behind it, and of one that began with whether it is missing it knew nothing.
CREATE INDEX score_rising ON score
    (subject_kind, period_kind, period_start, coalesce(composite, 101), subject_code COLLATE "C");
CREATE INDEX score_falling ON score
    (subject_kind, period_kind, period_start, coalesce(-composite, 101), subject_code COLLATE "C");
DROP INDEX score_ascending;
DROP INDEX score_descending;
