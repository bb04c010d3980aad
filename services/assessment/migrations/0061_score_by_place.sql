-- A scheme that was agreed to holds for cadres or for organisations.
ALTER TABLE scheme_validity
    ADD COLUMN subject_kind text NOT NULL DEFAULT 'cadre' CHECK (subject_kind IN ('cadre', 'organisation'));
ALTER TABLE scheme_validity ALTER COLUMN subject_kind DROP DEFAULT;

-- What such schemes make of a closed period's publications, and of nothing else. Written once, like those.
CREATE TABLE place_score (
    subject_kind    text    NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id      uuid    NOT NULL,
    subject_code    code    NOT NULL,
    organisation_id uuid,
    period_kind     text    NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start    day     NOT NULL,
    period_end      day     NOT NULL CHECK (period_end >= period_start),
    scheme_name     code    NOT NULL,
    scheme_version  integer NOT NULL,
    document        text    NOT NULL CHECK (length(document) BETWEEN 2 AND 1000000),
    content_hash    bytea   NOT NULL CHECK (length(content_hash) = 32),
    PRIMARY KEY (subject_kind, subject_id, period_kind, period_start, period_end),
    FOREIGN KEY (scheme_name, scheme_version) REFERENCES rule_scheme (name, version)
);
CREATE INDEX place_score_by_code ON place_score
    (subject_kind, period_kind, period_start, period_end, subject_code COLLATE "C");
CREATE INDEX place_score_by_organisation ON place_score (organisation_id, period_kind, period_start);

-- Which closed periods have been scored by the schemes of places, and how many of these could not be applied.
CREATE TABLE place_pass (
    period_kind  text    NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start day     NOT NULL,
    period_end   day     NOT NULL,
    score_count  integer NOT NULL CHECK (score_count BETWEEN 0 AND 1000000000),
    failed       text[]  NOT NULL,
    done_at      instant NOT NULL,
    PRIMARY KEY (period_start, period_end, period_kind)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['place_score', 'place_pass']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY processes_read ON %I FOR SELECT USING ((SELECT acting_reach()) = ''system'')', name);
        EXECUTE format(
            'CREATE POLICY processes_write ON %I FOR INSERT WITH CHECK ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
END
$$;

-- As of the publications that it was worked out of.
CREATE POLICY readers ON place_score FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped'
            AND (organisation_id IN (SELECT acting_subtree())
                 OR (subject_kind = 'cadre' AND subject_id IN (SELECT acting_cadres(acting_staff_number()))))));
