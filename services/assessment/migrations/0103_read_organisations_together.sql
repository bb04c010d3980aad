-- An organisation's month is summed from its cells. They lie together, half as wide as they were, and with room on their pages
-- for those that change. What a cadre does for an organisation in a month never needs 64 bits; what is summed of it may.
CREATE DOMAIN cell_count AS integer CHECK (VALUE >= 0);

CREATE OR REPLACE FUNCTION guard_part(part text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach() = ''system''))', part);
    IF part LIKE 'score%' THEN
        EXECUTE format('CREATE STATISTICS %I (mcv) ON subject_kind, period_kind, period_start FROM %I',
                       part || '_periods', part);
    END IF;
    IF part LIKE 'tally%' THEN
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 90)', part);
    END IF;
END $$;

DO $$
DECLARE
    counts text;
    part   text;
BEGIN
    SELECT string_agg(format('ALTER %I TYPE cell_count', attname), ', ' ORDER BY attnum)
      INTO counts
      FROM pg_attribute
     WHERE attrelid = 'tally'::regclass
       AND atttypid = 'tally_count'::regtype;
    EXECUTE 'ALTER TABLE tally ' || counts;
    FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'tally'::regclass ORDER BY 1 LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 90)', part);
        EXECUTE format('CREATE INDEX as_read ON %s (organisation_id, cadre_id, month)', part);
        EXECUTE format('CLUSTER %s USING as_read', part);
        DROP INDEX as_read;
    END LOOP;
END $$;

-- Every question is about one period: with the period first, what a pass writes of it lies on a few pages.
DROP INDEX score_by_organisation;
CREATE INDEX score_by_organisation ON score (period_kind, period_start, organisation_id);

-- Whether anybody may read here at all is asked before who the reader is: that is looked up in the registers, once for each
-- table of each statement, and processes have no use for it.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tally', 'contact_fact', 'issue_fact', 'rating_fact', 'issue_share']
    LOOP
        EXECUTE format(
            'ALTER POLICY readers ON %I
              USING (((SELECT acting_reach() = ''everywhere'')
                      OR ((SELECT acting_reach() = ''scoped'')
                          AND organisation_id IN (SELECT acting_subtree())))
                     AND cadre_id NOT IN (SELECT acting_cadres(acting_as())))', name);
    END LOOP;
END
$$;
