-- When somebody rated last is asked before it is forgotten who it was.
CREATE INDEX rating_rater ON rating (rater_ref, rated_at) WHERE rater_ref IS NOT NULL;
