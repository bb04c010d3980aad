-- In which order events were taken in: what was known at a closing is what stands up to its position.
ALTER TABLE event ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX event_position ON event (position);

-- What a publication was computed from, to the byte, so that it can be computed again. Older ones have none.
ALTER TABLE publication
    ADD COLUMN period_end  day,
    ADD COLUMN inputs      text  CHECK (length(inputs) BETWEEN 2 AND 1000000),
    ADD COLUMN inputs_hash bytea CHECK (length(inputs_hash) = 32),
    DROP CONSTRAINT publication_period_kind_check,
    ADD CONSTRAINT publication_period_kind_check
        CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    ADD CHECK ((inputs IS NULL) = (inputs_hash IS NULL));
-- Nobody has a policy to change what is published, the owner of the table neither: for this one sentence.
ALTER TABLE publication NO FORCE ROW LEVEL SECURITY;
UPDATE publication
   SET period_end = (period_start + CASE period_kind
                                         WHEN 'month' THEN interval '1 month'
                                         WHEN 'quarter' THEN interval '3 months'
                                         WHEN 'half_year' THEN interval '6 months'
                                         ELSE interval '1 year'
                                    END - interval '1 day')::date;
ALTER TABLE publication FORCE ROW LEVEL SECURITY;
ALTER TABLE publication
    ALTER COLUMN period_end SET NOT NULL,
    DROP CONSTRAINT publication_pkey,
    ADD PRIMARY KEY (subject_kind, subject_id, period_kind, period_start, period_end),
    ADD CHECK (period_end >= period_start);

-- Days that somebody wants figures of which no calendar knows: closed and published like the others.
CREATE TABLE custom_period (
    first_on day     NOT NULL,
    last_on  day     NOT NULL CHECK (last_on >= first_on),
    asked_by title   NOT NULL,
    asked_at instant NOT NULL,
    PRIMARY KEY (first_on, last_on)
);

-- A closed period under one hash over every publication of it, its scheme and the parameters of its groups.
CREATE TABLE closed_period (
    period_kind       text    NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year', 'custom')),
    period_start      day     NOT NULL,
    period_end        day     NOT NULL CHECK (period_end >= period_start),
    scheme_name       code    NOT NULL,
    scheme_version    integer NOT NULL,
    definition_hash   bytea   NOT NULL CHECK (length(definition_hash) = 32),
    parameters        text    NOT NULL CHECK (length(parameters) BETWEEN 2 AND 100000000),
    publication_count integer NOT NULL CHECK (publication_count BETWEEN 0 AND 1000000000),
    content_hash      bytea   NOT NULL CHECK (length(content_hash) = 32),
    log_position      bigint  NOT NULL CHECK (log_position >= 0),
    closed_at         instant NOT NULL,
    PRIMARY KEY (period_start, period_end, period_kind),
    FOREIGN KEY (scheme_name, scheme_version) REFERENCES scheme (name, version)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['custom_period', 'closed_period']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY readers ON %I FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL)', name);
    END LOOP;
END
$$;
-- Written once: nobody has a policy to change or to remove a row.
CREATE POLICY processes_write ON closed_period FOR INSERT WITH CHECK ((SELECT acting_reach()) = 'system');
CREATE POLICY writers ON custom_period FOR INSERT WITH CHECK ((SELECT acting_reach()) IN ('system', 'everywhere'));
