-- Cadre files of other systems name persons without our staff numbers. Who is who, a person said once: by a file of
-- matches. Kept is a keyed digest of name, month of birth and unit, and nothing that could be read.
CREATE TABLE roster_match (
    person      digest  PRIMARY KEY,
    cadre_id    uuid    NOT NULL REFERENCES cadre (id),
    recorded_at instant NOT NULL,
    recorded_by uuid    DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid
);
CREATE INDEX roster_match_cadre ON roster_match (cadre_id);

-- What grade a cadre got in an annual appraisal, as a cadre file tells it.
CREATE TABLE appraisal_result (
    id          uuid           PRIMARY KEY,
    cadre_id    uuid           NOT NULL REFERENCES cadre (id),
    year        integer        NOT NULL CHECK (year BETWEEN 1949 AND 2199),
    grade       text           NOT NULL CHECK (grade IN ('excellent', 'competent', 'basic', 'incompetent', 'ungraded')),
    sequence    place_in_order NOT NULL,
    recorded_at instant        NOT NULL,
    recorded_by uuid           DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid,
    UNIQUE (cadre_id, year)
);

ALTER TABLE roster_match ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON roster_match USING ((SELECT reaches_everything()));
ALTER TABLE appraisal_result ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON appraisal_result USING ((SELECT reaches_everything()));
