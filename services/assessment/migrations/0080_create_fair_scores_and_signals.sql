-- Fair scores as they stand over the last four quarters, for the department: rewritten whole at every look.
CREATE TABLE fair_score (
    cadre_id         uuid          PRIMARY KEY,
    staff_number     code          NOT NULL,
    organisation_id  uuid,
    peer_group       code,
    starts_on        day           NOT NULL,
    ends_on          day           NOT NULL CHECK (ends_on >= starts_on),
    score            numeric(6, 2) NOT NULL CHECK (score BETWEEN 0 AND 100),
    lower            numeric(6, 2) NOT NULL CHECK (lower BETWEEN 0 AND score),
    upper            numeric(6, 2) NOT NULL CHECK (upper BETWEEN score AND 100),
    reliability      numeric(4, 3) NOT NULL CHECK (reliability BETWEEN 0 AND 1),
    band             text          NOT NULL CHECK (band IN ('above', 'middle', 'below', 'not_enough_evidence')),
    rank_best        integer       NOT NULL CHECK (rank_best BETWEEN 1 AND 10000000),
    rank_worst       integer       NOT NULL CHECK (rank_worst BETWEEN rank_best AND 10000000),
    award_zone       text          NOT NULL CHECK (award_zone IN ('', 'clear', 'open', 'no')),
    explanation      jsonb         NOT NULL CHECK (jsonb_typeof(explanation) = 'object'),
    scheme_name      code          NOT NULL,
    scheme_version   integer       NOT NULL CHECK (scheme_version BETWEEN 1 AND 1000000),
    content_hash     bytea         NOT NULL CHECK (length(content_hash) = 32),
    computed_at      instant       NOT NULL
);
CREATE INDEX fair_score_staff_number ON fair_score (staff_number COLLATE "C");

-- What asks for a look by a person. Of one cadre and check there is one at a time; what was decided stays as it is.
CREATE TABLE signal (
    signal_id       uuid        PRIMARY KEY,
    cadre_id        uuid        NOT NULL,
    staff_number    code        NOT NULL,
    organisation_id uuid,
    check_name      code        NOT NULL,
    starts_on       day         NOT NULL,
    ends_on         day         NOT NULL CHECK (ends_on >= starts_on),
    odds            integer     NOT NULL CHECK (odds BETWEEN -100000000 AND 100000000),
    evidence        jsonb       NOT NULL CHECK (jsonb_typeof(evidence) = 'object'),
    record_ids      text[]      NOT NULL CHECK (cardinality(record_ids) <= 100000),
    found_at        instant     NOT NULL,
    state           text        NOT NULL CHECK (state IN ('open', 'confirmed', 'cleared', 'lapsed')),
    decided_at      instant,
    decided_by      text        CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    grounds         code,
    CHECK ((state IN ('open', 'lapsed')) = (decided_at IS NULL)),
    CHECK (num_nonnulls(decided_at, decided_by, grounds) IN (0, 3)),
    UNIQUE (cadre_id, check_name, starts_on)
);
CREATE INDEX signal_queue ON signal (state, found_at, signal_id);

-- Both move with every rating, so they are for the department, and never for whom they are about.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fair_score', 'signal']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach()) = ''system'')', name);
        EXECUTE format(
            'CREATE POLICY readers ON %I FOR SELECT
              USING (staff_number IS DISTINCT FROM (SELECT acting_as())
                     AND ((SELECT acting_reach()) = ''everywhere''
                          OR ((SELECT acting_reach()) = ''scoped''
                              AND organisation_id IN (SELECT acting_subtree()))))', name);
    END LOOP;
END
$$;
CREATE POLICY deciders ON signal FOR UPDATE
 USING (staff_number IS DISTINCT FROM (SELECT acting_as())
        AND ((SELECT acting_reach()) = 'everywhere'
             OR ((SELECT acting_reach()) = 'scoped' AND organisation_id IN (SELECT acting_subtree()))));
