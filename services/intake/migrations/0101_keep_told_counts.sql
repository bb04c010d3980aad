-- How often a source says that an issue came back, or had to be done again, before it was taken over: counts without times,
-- of which no steps can be made.
ALTER TABLE issue
    ADD COLUMN told_return_count integer CHECK (told_return_count BETWEEN 0 AND 10000),
    ADD COLUMN told_redo_count   integer CHECK (told_redo_count BETWEEN 0 AND 10000);
