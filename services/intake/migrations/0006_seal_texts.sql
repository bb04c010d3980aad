-- The columns in clear text stay for what older releases wrote: `migrate` seals it and empties them. Nothing new
-- goes there.
ALTER TABLE contact ADD COLUMN note_sealed sealed;
ALTER TABLE issue ALTER COLUMN title DROP NOT NULL;
ALTER TABLE issue ADD COLUMN title_sealed sealed;
ALTER TABLE issue ADD COLUMN description_sealed sealed;
ALTER TABLE issue ADD COLUMN reply_sealed sealed;
CREATE INDEX issue_in_clear ON issue (id)
    WHERE title IS NOT NULL OR description IS NOT NULL OR reply IS NOT NULL;
-- Digests of content go through a key as well: those of older releases are marked, because not all have a note.
ALTER TABLE contact ADD COLUMN is_keyed boolean NOT NULL DEFAULT false;
ALTER TABLE contact ALTER COLUMN is_keyed SET DEFAULT true;
CREATE INDEX contact_in_clear ON contact (id) WHERE note IS NOT NULL OR NOT is_keyed;
