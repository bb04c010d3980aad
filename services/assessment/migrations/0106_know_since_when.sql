-- Since when the server knew of a first contact and of a closing. Later than these where a person told them
-- afterwards; empty where an older release counted them, and then they are taken as told.
ALTER TABLE issue_fact
    ADD COLUMN responded_known_at instant,
    ADD COLUMN closed_known_at    instant;
