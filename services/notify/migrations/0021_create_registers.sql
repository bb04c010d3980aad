-- Who stands where and who has what, as events tell of it: the highest sequence of each wins, whenever it arrives.
-- What only news of scores have told of an organisation has the sequence 0.
ALTER TABLE organisation
    ADD COLUMN name text CHECK (length(name) BETWEEN 1 AND 200),
    ADD COLUMN parent_id uuid,
    ADD COLUMN ended_on date CHECK (ended_on BETWEEN '0001-01-01' AND '9999-12-31'),
    ADD COLUMN sequence integer NOT NULL DEFAULT 0 CHECK (sequence BETWEEN 0 AND 1000000000);
CREATE INDEX organisation_parent ON organisation (parent_id);

CREATE OR REPLACE FUNCTION place_organisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO organisation AS known (id, code, path, change)
    VALUES (NEW.subject_id, NEW.subject_code, NEW.organisation_path, NEW.change)
        ON CONFLICT (id) DO UPDATE
       SET code = excluded.code, path = excluded.path, change = excluded.change
     WHERE known.change < excluded.change
       AND known.sequence = 0;
    RETURN NULL;
END $$;

CREATE TABLE cadre (
    id           uuid    PRIMARY KEY,
    staff_number text    NOT NULL CHECK (length(staff_number) BETWEEN 1 AND 64),
    name         text    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    sequence     integer NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000)
);
CREATE INDEX cadre_staff_number ON cadre (staff_number);

CREATE TABLE post (
    id              uuid    PRIMARY KEY,
    cadre_id        uuid    NOT NULL,
    organisation_id uuid    NOT NULL,
    post_kind       text    NOT NULL CHECK (length(post_kind) BETWEEN 1 AND 64),
    post_level      text    NOT NULL CHECK (length(post_level) BETWEEN 1 AND 64),
    from_on         date    NOT NULL CHECK (from_on BETWEEN '0001-01-01' AND '9999-12-31'),
    until_on        date    CHECK (until_on BETWEEN '0001-01-01' AND '9999-12-31'), -- the last day, included
    sequence        integer NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000)
);
CREATE INDEX post_cadre ON post (cadre_id);
CREATE INDEX post_organisation ON post (organisation_id);

-- Who has an issue. Each part has the sequence of the event that told it; 0 where none has yet.
CREATE TABLE issue (
    id                  uuid    PRIMARY KEY,
    organisation_id     uuid,
    cadre_id            uuid,
    assignment_sequence integer NOT NULL CHECK (assignment_sequence BETWEEN 0 AND 1000000000),
    assisting_ids       uuid[]  NOT NULL,
    assisting_sequence  integer NOT NULL CHECK (assisting_sequence BETWEEN 0 AND 1000000000),
    is_closed           boolean NOT NULL,
    closure_sequence    integer NOT NULL CHECK (closure_sequence BETWEEN 0 AND 1000000000)
);
CREATE INDEX issue_open_cadre ON issue (cadre_id) WHERE NOT is_closed;
CREATE INDEX issue_open_organisation ON issue (organisation_id) WHERE NOT is_closed;

-- Whom an aggregate concerns of whose events not all say it.
CREATE TABLE place (
    aggregate       text    NOT NULL CHECK (aggregate IN ('reception_day', 'consultation')),
    aggregate_id    uuid    NOT NULL,
    organisation_id uuid    NOT NULL,
    PRIMARY KEY (aggregate, aggregate_id)
);

ALTER TABLE cadre ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON cadre USING ((SELECT acting_reach()) = 'system');
ALTER TABLE post ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON post USING ((SELECT acting_reach()) = 'system');
ALTER TABLE issue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON issue USING ((SELECT acting_reach()) = 'system');
ALTER TABLE place ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON place USING ((SELECT acting_reach()) = 'system');
