-- How an issue of which something came late after a closing would have been counted there: the difference, by cell.
CREATE TABLE late_effect (
    period_kind     text NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start    day  NOT NULL,
    period_end      day  NOT NULL CHECK (period_end >= period_start),
    issue_id        uuid NOT NULL,
    organisation_id uuid NOT NULL,
    cadre_id        uuid NOT NULL,
    month           day  NOT NULL, -- of the issue's reception
    differences     jsonb NOT NULL,
    PRIMARY KEY (period_start, period_end, period_kind, issue_id, organisation_id, cadre_id)
);
CREATE INDEX late_effect_issue ON late_effect (issue_id);

-- What a published figure would be if what came late had been known. The publication itself stays as it is.
CREATE TABLE correction (
    place           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_kind    text    NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id      uuid    NOT NULL,
    subject_code    code    NOT NULL,
    organisation_id uuid,
    period_kind     text    NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start    day     NOT NULL,
    period_end      day     NOT NULL CHECK (period_end >= period_start),
    number          integer NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    known_at        instant NOT NULL,
    cause           jsonb   NOT NULL, -- which events came late
    changes         jsonb   NOT NULL, -- by measure, what was published and what it would be
    composite_was   numeric(7, 2),
    composite_would_be numeric(7, 2),
    inputs          text    NOT NULL CHECK (length(inputs) BETWEEN 2 AND 1000000),
    inputs_hash     bytea   NOT NULL CHECK (length(inputs_hash) = 32),
    document        text    NOT NULL CHECK (length(document) BETWEEN 2 AND 1000000),
    content_hash    bytea   NOT NULL CHECK (length(content_hash) = 32),
    UNIQUE (subject_kind, subject_id, period_start, period_end, period_kind, number)
);
CREATE INDEX correction_by_organisation ON correction (organisation_id, place);

-- Up to where the log was looked through for what came late.
CREATE TABLE correction_progress (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    position bigint  NOT NULL CHECK (position >= 0)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['late_effect', 'correction', 'correction_progress']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END
$$;
CREATE POLICY processes ON late_effect USING ((SELECT acting_reach()) = 'system');
CREATE POLICY processes ON correction_progress USING ((SELECT acting_reach()) = 'system');
-- Written once, like what it corrects; and read by whoever reads that.
CREATE POLICY processes_read ON correction FOR SELECT USING ((SELECT acting_reach()) = 'system');
CREATE POLICY processes_write ON correction FOR INSERT WITH CHECK ((SELECT acting_reach()) = 'system');
CREATE POLICY readers ON correction FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped'
            AND (organisation_id IN (SELECT acting_subtree())
                 OR (subject_kind = 'cadre' AND subject_id IN (SELECT acting_cadres(acting_staff_number()))))));
