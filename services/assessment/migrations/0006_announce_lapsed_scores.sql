-- A score that was told and has lost its evidence is news too: what was told no longer stands.
DROP INDEX score_unannounced;
CREATE INDEX score_unannounced ON score (computed_at, score_id)
    WHERE subject_code IS NOT NULL AND composite IS DISTINCT FROM announced_composite;
