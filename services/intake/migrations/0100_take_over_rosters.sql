-- What cadre files tell beside results: ranks, and the lines of a CV. Posts go where all posts are.
CREATE TABLE cadre_rank (
    id          uuid    PRIMARY KEY,
    cadre_id    uuid    NOT NULL REFERENCES cadre (id),
    ladder      text    NOT NULL CHECK (ladder IN ('post_level', 'rank')), -- code tables ZB09 and ZB148
    rank_code   code    NOT NULL,
    from_on     day     NOT NULL,
    until_on    day,
    recorded_at instant NOT NULL,
    recorded_by uuid    DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid,
    CHECK (until_on >= from_on),
    UNIQUE (cadre_id, ladder, rank_code, from_on)
);
-- Free text may name anybody: it is sealed, and told from other lines by a keyed digest.
CREATE TABLE career_line (
    id          uuid    PRIMARY KEY,
    cadre_id    uuid    NOT NULL REFERENCES cadre (id),
    from_on     day     NOT NULL,
    until_on    day,
    line        digest  NOT NULL,
    text_sealed bytea   NOT NULL,
    recorded_at instant NOT NULL,
    recorded_by uuid    DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid,
    CHECK (until_on >= from_on),
    UNIQUE (cadre_id, from_on, line)
);

-- Whose document number it is, where a profile takes document numbers: a keyed digest that cannot be asked for numbers.
CREATE TABLE roster_document (
    document    digest  PRIMARY KEY,
    cadre_id    uuid    NOT NULL REFERENCES cadre (id),
    recorded_at instant NOT NULL
);
CREATE INDEX roster_document_cadre ON roster_document (cadre_id);

-- Name and month without the unit: whoever moved is suggested, and never taken for somebody by that alone.
ALTER TABLE roster_match ADD COLUMN name_and_month digest;
CREATE INDEX roster_match_name ON roster_match (name_and_month);

CREATE TABLE roster_candidate (
    id             uuid    PRIMARY KEY,
    person         digest  NOT NULL,
    name_and_month digest  NOT NULL,
    cadre_id       uuid    NOT NULL REFERENCES cadre (id),
    basis          text    NOT NULL CHECK (basis IN ('name', 'name_and_month')),
    person_sealed  bytea   NOT NULL, -- name, month of birth and unit, for whoever decides
    suggested_at   instant NOT NULL,
    decided_at     instant,
    decided_by     uuid,
    is_same        boolean,
    CHECK ((decided_at IS NULL) = (is_same IS NULL)),
    UNIQUE (person, cadre_id)
);
CREATE INDEX roster_candidate_open ON roster_candidate (suggested_at, id) WHERE decided_at IS NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cadre_rank', 'career_line', 'roster_document', 'roster_candidate']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY kept ON %I USING ((SELECT reaches_everything()))', name);
    END LOOP;
END
$$;
