-- A rating may be amended, and set aside until somebody has looked at it. Its events come in any order, so a row may know
-- of that before it knows what was rated: then `rated_at` is NULL. `sequence` is that of the answers that stand.
ALTER TABLE rating_fact
    ADD COLUMN attitude          smallint CHECK (attitude BETWEEN 1 AND 5),
    ADD COLUMN speed             smallint CHECK (speed BETWEEN 1 AND 5),
    ADD COLUMN is_set_aside      boolean  NOT NULL DEFAULT false,
    ADD COLUMN standing_sequence integer  NOT NULL DEFAULT 0 CHECK (standing_sequence BETWEEN 0 AND 1000000000),
    ALTER COLUMN level DROP NOT NULL,
    ALTER COLUMN method DROP NOT NULL,
    ALTER COLUMN rated_at DROP NOT NULL,
    ALTER COLUMN sequence DROP NOT NULL,
    DROP CONSTRAINT rating_fact_check,
    ADD CONSTRAINT rating_fact_submitted CHECK (
        num_nonnulls(issue_id, contact_id) = CASE WHEN rated_at IS NULL THEN 0 ELSE 1 END
        AND (rated_at IS NULL OR num_nonnulls(level, method, sequence) = 3));
