-- Which closed issues of an organisation and a period were drawn to be called back: docs/callback-sample.md. The whole list
-- is kept with the seed, so that anybody who has it can draw again.
CREATE TABLE rating_sample (
    id              uuid    PRIMARY KEY,
    organisation_id uuid    NOT NULL REFERENCES organisation (id),
    period          code    NOT NULL,
    begins_at       instant NOT NULL,
    ends_at         instant NOT NULL,
    seed            text    NOT NULL CHECK (length(seed) BETWEEN 8 AND 200),
    algorithm       code    NOT NULL,
    share           numeric NOT NULL CHECK (share BETWEEN 0.01 AND 1),
    list_hash       bytea   NOT NULL CHECK (length(list_hash) = 32),
    drawn_by        uuid,
    drawn_at        instant NOT NULL,
    UNIQUE (organisation_id, period),
    CHECK (ends_at > begins_at)
);
CREATE TABLE rating_sample_member (
    sample_id uuid    NOT NULL REFERENCES rating_sample (id),
    unit_id   uuid    NOT NULL REFERENCES organisation (id),
    issue_id  uuid    NOT NULL REFERENCES issue (id),
    is_drawn  boolean NOT NULL,
    PRIMARY KEY (sample_id, unit_id, issue_id)
);
ALTER TABLE callback_task ADD CONSTRAINT callback_task_sample FOREIGN KEY (sample_id) REFERENCES rating_sample (id);

ALTER TABLE rating_sample ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON rating_sample USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON rating_sample FOR SELECT
    USING (is_within_reach(organisation_id) AND NOT is_in_units(ARRAY[organisation_id]));
ALTER TABLE rating_sample_member ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON rating_sample_member USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON rating_sample_member FOR SELECT
    USING (EXISTS (SELECT 1 FROM rating_sample WHERE rating_sample.id = sample_id));
