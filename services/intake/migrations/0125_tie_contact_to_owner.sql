-- The organisation that is named for a contact is the one that it belongs to, so that the reference of the one vouches for
-- the other.
ALTER TABLE contact ADD CONSTRAINT contact_organisation_owns CHECK (
    organisation_id IS NULL OR coalesce(organisation_id = owner_organisation_id, false)) NOT VALID;
