-- The same table as in the other services that have proposals. Here they are all of no organisation.
ALTER TABLE proposal ADD COLUMN organisation_code text CHECK (char_length(organisation_code) BETWEEN 1 AND 200);
