-- Of an issue that was opened again, or is to be done again, the closure is taken back; a closure that comes later stands.
-- `excluded` all: the issue and its ratings are not counted; rating: its ratings alone are not. Each goes by sequence.
ALTER TABLE issue_fact
    ADD COLUMN due_sequence       integer NOT NULL DEFAULT 0 CHECK (due_sequence BETWEEN 0 AND 1000000000),
    ADD COLUMN excluded           text    CHECK (excluded IN ('all', 'rating')),
    ADD COLUMN exclusion_sequence integer NOT NULL DEFAULT 0 CHECK (exclusion_sequence BETWEEN 0 AND 1000000000);
ALTER TABLE rating_fact ADD COLUMN is_excluded boolean NOT NULL DEFAULT false; -- follows what was rated
UPDATE issue_fact SET due_sequence = 1 WHERE received_at IS NOT NULL;
