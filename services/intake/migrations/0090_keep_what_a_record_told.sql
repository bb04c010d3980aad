-- Name and phone that a record told of a citizen who was known already, where they are not what is kept of the citizen:
-- whoever reads the record sees what it told, and not what others were told. Sealed with the citizen's key.
ALTER TABLE issue ADD COLUMN is_told_apart boolean NOT NULL DEFAULT false,
                  ADD COLUMN told_name sealed, ADD COLUMN told_phone sealed,
                  ADD CONSTRAINT issue_told CHECK (is_told_apart OR num_nonnulls(told_name, told_phone) = 0);
ALTER TABLE contact ADD COLUMN is_told_apart boolean NOT NULL DEFAULT false,
                    ADD COLUMN told_name sealed, ADD COLUMN told_phone sealed,
                    ADD CONSTRAINT contact_told CHECK (is_told_apart OR num_nonnulls(told_name, told_phone) = 0);
