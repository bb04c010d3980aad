-- Half-years have scores of their own, so that what is owed by the half-year no longer stands with the year.
ALTER TABLE tally
    ADD COLUMN duties_owed_half_year tally_count NOT NULL DEFAULT 0,
    ADD COLUMN duties_met_half_year  tally_count NOT NULL DEFAULT 0;
ALTER TABLE organisation_tally
    ADD COLUMN duties_owed_half_year tally_count NOT NULL DEFAULT 0,
    ADD COLUMN duties_met_half_year  tally_count NOT NULL DEFAULT 0;

ALTER TABLE score DROP CONSTRAINT score_period_kind_check;
ALTER TABLE score
    ADD CONSTRAINT score_period_kind_check CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year'));

-- Month, quarter and year are announced; the half-year is read.
DROP INDEX score_unannounced;
CREATE INDEX score_unannounced ON score (computed_at, score_id)
    WHERE subject_code IS NOT NULL AND composite IS DISTINCT FROM announced_composite AND period_kind <> 'half_year';

-- Whoever is counted anew gets the half-years too.
INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
SELECT organisation_id, cadre_id, month, now(), 1, 'migration-0070'
  FROM tally
    ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
   SET revision = due.revision + 1;
