-- A contact that was voided, or that a review found not to count, stays a fact and counts for nothing.
ALTER TABLE contact_fact ADD COLUMN counts boolean NOT NULL DEFAULT true;
