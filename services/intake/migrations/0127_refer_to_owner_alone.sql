-- contact_organisation_owns and the reference of owner_organisation_id promise the same, and each row is asked once less.
ALTER TABLE contact DROP CONSTRAINT contact_organisation_id_fkey;
