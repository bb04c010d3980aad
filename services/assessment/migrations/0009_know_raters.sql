-- Who rated, as an opaque reference: only to count people, never to be shown. NULL where the event does not say.
ALTER TABLE rating_fact ADD COLUMN rater_ref uuid;
ALTER TABLE issue_fact ADD COLUMN citizen_ref uuid;
