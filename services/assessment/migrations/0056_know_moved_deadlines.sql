-- Deadlines move with pauses, urgency, extensions and places: what was told last, by the highest sequence, stands. At 0
-- nothing was told since the receipt. `due_at` goes by a sequence of its own, because grants of extensions tell it as well.
ALTER TABLE issue_fact
    ADD COLUMN sign_by           instant,
    ADD COLUMN reply_by          instant,
    ADD COLUMN deadline_sequence integer NOT NULL DEFAULT 0 CHECK (deadline_sequence BETWEEN 0 AND 1000000000);
