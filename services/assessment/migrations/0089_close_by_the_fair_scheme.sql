-- What a fair score is measured by between two looks at everybody, and what asks for a look, beside each score.
ALTER TABLE fair_score
    ADD COLUMN own    jsonb  NOT NULL DEFAULT '{"habits": {}, "steps": {}}' CHECK (jsonb_typeof(own) = 'object'),
    ADD COLUMN points jsonb  NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(points) = 'object'),
    ADD COLUMN flags  text[] NOT NULL DEFAULT '{}' CHECK (cardinality(flags) <= 100);
CREATE INDEX fair_score_peers ON fair_score (peer_group, score);
CREATE INDEX fair_score_organisation ON fair_score (organisation_id);

-- What was usual among all at the last look, and up to where in the log the scores have followed since.
CREATE TABLE fair_frame (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    starts_on   day     NOT NULL,
    ends_on     day     NOT NULL CHECK (ends_on >= starts_on),
    scheme_hash bytea   NOT NULL CHECK (length(scheme_hash) = 32),
    yardstick   text    NOT NULL CHECK (length(yardstick) BETWEEN 2 AND 100000000),
    set_aside   text[]  NOT NULL,
    position    bigint  NOT NULL CHECK (position >= 0),
    computed_at instant NOT NULL
);

-- The days that a closed period is scored over, once, under one hash over inputs and results of everybody.
CREATE TABLE fair_window (
    starts_on         day     NOT NULL,
    ends_on           day     NOT NULL CHECK (ends_on >= starts_on),
    as_of             instant NOT NULL,
    scheme_name       code    NOT NULL,
    scheme_version    integer NOT NULL CHECK (scheme_version BETWEEN 1 AND 1000000),
    scheme_hash       bytea   NOT NULL CHECK (length(scheme_hash) = 32),
    settings          text    NOT NULL CHECK (length(settings) BETWEEN 2 AND 1000000),
    yardstick         text    NOT NULL CHECK (length(yardstick) BETWEEN 2 AND 100000000),
    result_count      integer NOT NULL CHECK (result_count BETWEEN 0 AND 10000000),
    content_hash      bytea   NOT NULL CHECK (length(content_hash) = 32),
    log_position      bigint  NOT NULL CHECK (log_position >= 0),
    weighed_position  bigint  NOT NULL CHECK (weighed_position >= log_position),
    computed_at       instant NOT NULL,
    PRIMARY KEY (ends_on, starts_on)
);

CREATE TABLE fair_result (
    starts_on       day           NOT NULL,
    ends_on         day           NOT NULL,
    cadre_id        uuid          NOT NULL,
    staff_number    code          NOT NULL,
    organisation_id uuid,
    peer_group      code,
    score           numeric(6, 2) NOT NULL CHECK (score BETWEEN 0 AND 100),
    band            text          NOT NULL CHECK (band IN ('above', 'middle', 'below', 'not_enough_evidence')),
    flags           text[]        NOT NULL CHECK (cardinality(flags) <= 100),
    inputs          text          NOT NULL CHECK (length(inputs) BETWEEN 2 AND 200000000),
    inputs_hash     bytea         NOT NULL CHECK (length(inputs_hash) = 32),
    own             jsonb         NOT NULL CHECK (jsonb_typeof(own) = 'object'),
    document        text          NOT NULL CHECK (length(document) BETWEEN 2 AND 10000000),
    content_hash    bytea         NOT NULL CHECK (length(content_hash) = 32),
    PRIMARY KEY (ends_on, starts_on, cadre_id),
    FOREIGN KEY (ends_on, starts_on) REFERENCES fair_window (ends_on, starts_on) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX fair_result_staff_number ON fair_result (ends_on, starts_on, staff_number COLLATE "C");

-- What a closed score would be if what came late had been known, by the same yardstick. Written once, like the score.
CREATE TABLE fair_correction (
    place           bigint        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    starts_on       day           NOT NULL,
    ends_on         day           NOT NULL,
    cadre_id        uuid          NOT NULL,
    staff_number    code          NOT NULL,
    organisation_id uuid,
    number          integer       NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    known_at        instant       NOT NULL,
    cause           jsonb         NOT NULL,
    score_was       numeric(6, 2) NOT NULL,
    score_would_be  numeric(6, 2) NOT NULL,
    changes         jsonb         NOT NULL, -- points by indicator
    inputs          text          NOT NULL CHECK (length(inputs) BETWEEN 2 AND 200000000),
    inputs_hash     bytea         NOT NULL CHECK (length(inputs_hash) = 32),
    document        text          NOT NULL CHECK (length(document) BETWEEN 2 AND 10000000),
    content_hash    bytea         NOT NULL CHECK (length(content_hash) = 32),
    UNIQUE (ends_on, starts_on, cadre_id, number),
    FOREIGN KEY (ends_on, starts_on, cadre_id) REFERENCES fair_result (ends_on, starts_on, cadre_id)
);

-- Which closed periods the fair scheme was put to. Those of before this release keep what they have.
CREATE TABLE fair_pass (
    period_kind  text    NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start day     NOT NULL,
    period_end   day     NOT NULL,
    starts_on    day,
    ends_on      day,
    told_count   integer NOT NULL CHECK (told_count BETWEEN 0 AND 10000000),
    done_at      instant NOT NULL,
    PRIMARY KEY (period_start, period_end, period_kind)
);
ALTER TABLE closed_period NO FORCE ROW LEVEL SECURITY;
INSERT INTO fair_pass (period_kind, period_start, period_end, told_count, done_at)
SELECT period_kind, period_start, period_end, 0, now()
  FROM closed_period;
ALTER TABLE closed_period FORCE ROW LEVEL SECURITY;

-- Where no scheme of a place holds the fair one is told in its stead; its settings are a file, and no rule_scheme.
ALTER TABLE place_score DROP CONSTRAINT place_score_scheme_name_scheme_version_fkey;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fair_frame', 'fair_window', 'fair_result', 'fair_correction', 'fair_pass']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['fair_frame', 'fair_pass']
    LOOP
        EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
    -- Written once: nobody has a policy to change or to remove a row, but to say up to where late events were weighed.
    FOREACH name IN ARRAY ARRAY['fair_window', 'fair_result', 'fair_correction']
    LOOP
        EXECUTE format('CREATE POLICY processes_read ON %I FOR SELECT USING ((SELECT acting_reach()) = ''system'')', name);
        EXECUTE format(
            'CREATE POLICY processes_write ON %I FOR INSERT WITH CHECK ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
    -- They rest on single ratings: for the department, and never for whom they are about.
    FOREACH name IN ARRAY ARRAY['fair_result', 'fair_correction']
    LOOP
        EXECUTE format(
            'CREATE POLICY readers ON %I FOR SELECT
              USING (staff_number IS DISTINCT FROM (SELECT acting_as())
                     AND ((SELECT acting_reach()) = ''everywhere''
                          OR ((SELECT acting_reach()) = ''scoped''
                              AND organisation_id IN (SELECT acting_subtree()))))', name);
    END LOOP;
END
$$;
CREATE POLICY processes_weigh ON fair_window FOR UPDATE USING ((SELECT acting_reach()) = 'system');
-- That days were scored, by which settings and under which hash, says nothing of anybody.
CREATE POLICY readers ON fair_window FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY readers ON fair_pass FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
