ALTER TABLE contact VALIDATE CONSTRAINT contact_organisation_owns;
