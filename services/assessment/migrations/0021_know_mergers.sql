-- Into which issue another one was merged, by the highest sequence: that one is counted for both. A source that only says
-- that a case was a duplicate does not say of which: such a case is counted as it always was.
ALTER TABLE issue_fact
    ADD COLUMN merged_into    uuid,
    ADD COLUMN merge_sequence integer NOT NULL DEFAULT 0 CHECK (merge_sequence BETWEEN 0 AND 1000000000);
