-- Of a contact whom it was with, as a pseudonym; of an issue how long the reply was. Absent where an older event told it.
ALTER TABLE contact_fact ADD COLUMN citizen_ref uuid;
ALTER TABLE issue_fact
    ADD COLUMN reply_characters integer CHECK (reply_characters BETWEEN 0 AND 1000000);

-- Whose records are these: what one cadre's score is made of is read without going through everybody's.
CREATE INDEX issue_fact_cadre ON issue_fact (cadre_id, received_at);
CREATE INDEX issue_share_cadre ON issue_share (cadre_id, issue_id);
