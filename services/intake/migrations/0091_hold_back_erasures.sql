-- Since when an erasure that two persons agreed on waits for a case to be closed, which they may not know of.
ALTER TABLE citizen_proposal ADD COLUMN held_at instant,
                             ADD CONSTRAINT citizen_proposal_held CHECK (held_at IS NULL OR kind = 'erase');
