-- Scores and tallies by the year: a question is about one, what is over goes with a whole part, and the keys hold what
-- the rows could be spread by over several servers: the subject, or the organisation and the cadre.
DROP VIEW subject_tally;
DROP POLICY readers ON cadre;
ALTER TABLE score RENAME TO score_whole;
ALTER TABLE tally RENAME TO tally_whole;
CREATE TABLE score (LIKE score_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (period_start);
-- Under row security a condition is looked up in an index only where its operators can leak nothing, and of numerics they
-- are taken to be able to: lists are sorted by whole numbers of hundredths. What has no composite comes behind all that have.
ALTER TABLE score
    ADD COLUMN rising  integer NOT NULL GENERATED ALWAYS AS (coalesce((composite * 100)::integer, 10100)) STORED,
    ADD COLUMN falling integer NOT NULL GENERATED ALWAYS AS (coalesce((composite * -100)::integer, 10100)) STORED;
CREATE TABLE tally (LIKE tally_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (month);
-- Whatever year has no part of its own yet: nothing is ever refused.
CREATE TABLE score_other PARTITION OF score DEFAULT;
CREATE TABLE tally_other PARTITION OF tally DEFAULT;

-- A part is read through the whole, whose policies hold; at its own name it is the processes' alone.
CREATE FUNCTION guard_part(part text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach() = ''system''))', part);
    IF part LIKE 'score%' THEN
        EXECUTE format('CREATE STATISTICS %I (mcv) ON subject_kind, period_kind, period_start FROM %I',
                       part || '_periods', part);
    END IF;
END $$;

-- Parts for these years, and for those near them of which rows stand among the others; these rows go along. Returns how
-- many were made. The service asks for it every hour, and only the owner may make tables. The part of the others is locked
-- first, so that nobody puts anything of the year into it meanwhile.
CREATE FUNCTION make_years(first_year integer, last_year integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whole   text;
    key     text;
    year    integer;
    part    text;
    columns text;
    made    integer := 0;
BEGIN
    IF last_year - first_year NOT BETWEEN 0 AND 20 THEN
        RAISE EXCEPTION 'at most twenty years at once';
    END IF;
    FOR whole, key IN VALUES ('score', 'period_start'), ('tally', 'month') LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
          INTO columns
          FROM pg_attribute
         WHERE attrelid = whole::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        FOR year IN EXECUTE format(
            'SELECT * FROM generate_series($1, $2)
              UNION
             SELECT date_part(''year'', %1$I)::integer FROM %2$I WHERE date_part(''year'', %1$I) BETWEEN $1 - 20 AND $2 + 2
              ORDER BY 1', key, whole || '_other')
            USING first_year, last_year
        LOOP
            part := whole || '_' || year;
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', whole || '_other');
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)',
                           part, whole);
            PERFORM guard_part(part);
            EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING %5$s)
                            INSERT INTO %6$I (%5$s) SELECT %5$s FROM moved',
                           whole || '_other', key, make_date(year, 1, 1), make_date(year + 1, 1, 1), columns, part);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           whole, part, make_date(year, 1, 1), make_date(year + 1, 1, 1));
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Scores of years that are over as a whole before this day go with their parts; returns how many. None while anything of
-- scores is held: then they are deleted one by one, and what is held stays.
CREATE FUNCTION drop_score_years(before date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part    text;
    counted bigint;
    removed bigint := 0;
BEGIN
    IF EXISTS (SELECT FROM legal_hold WHERE object_type = 'score') THEN
        RETURN 0;
    END IF;
    FOR part IN
        SELECT relname
          FROM pg_inherits
          JOIN pg_class ON pg_class.oid = inhrelid
         WHERE inhparent = 'score'::regclass
           AND relname ~ '^score_[0-9]{4}$'
           AND make_date(right(relname, 4)::integer + 1, 1, 1) <= before
         ORDER BY relname
    LOOP
        EXECUTE format('SELECT count(*) FROM %I', part) INTO counted;
        EXECUTE format('DROP TABLE %I', part);
        removed := removed + counted;
    END LOOP;
    RETURN removed;
END $$;

SELECT guard_part('score_other');
SELECT guard_part('tally_other');
SELECT make_years(date_part('year', now())::integer - 1, date_part('year', now())::integer + 2);
INSERT INTO score SELECT * FROM score_whole; -- in the order of its columns, which LIKE has kept; what is generated is behind
INSERT INTO tally SELECT * FROM tally_whole;
DROP TABLE score_whole;
DROP TABLE tally_whole;
SELECT make_years(date_part('year', now())::integer - 1, date_part('year', now())::integer + 2); -- and for what came in

-- A score's id follows from its key, and needs no index of its own.
ALTER TABLE score
    ADD PRIMARY KEY (subject_kind, subject_id, period_kind, period_start),
    ADD FOREIGN KEY (scheme_name, scheme_version) REFERENCES scheme (name, version);
CREATE INDEX score_by_code ON score (subject_kind, period_kind, period_start, subject_code COLLATE "C");
CREATE INDEX score_by_organisation ON score (organisation_id, period_kind, period_start);
CREATE INDEX score_by_peer_group ON score (peer_group, period_kind, period_start) WHERE peer_group IS NOT NULL;
CREATE INDEX score_rising ON score (subject_kind, period_kind, period_start, rising, subject_code COLLATE "C");
CREATE INDEX score_falling ON score (subject_kind, period_kind, period_start, falling, subject_code COLLATE "C");
CREATE INDEX score_unannounced ON score (computed_at, score_id)
    WHERE subject_code IS NOT NULL AND composite IS DISTINCT FROM announced_composite AND period_kind <> 'half_year';
ALTER TABLE tally ADD PRIMARY KEY (organisation_id, month, cadre_id);
CREATE INDEX tally_cadre ON tally (cadre_id, month);

ALTER TABLE score ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tally ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON score USING ((SELECT acting_reach() = 'system'));
CREATE POLICY processes ON tally USING ((SELECT acting_reach() = 'system'));
CREATE POLICY readers ON score FOR SELECT
 USING ((subject_kind <> 'cadre' OR subject_code IS DISTINCT FROM (SELECT acting_as()))
        AND ((SELECT acting_reach() = 'everywhere')
             OR ((SELECT acting_reach() = 'scoped') AND organisation_id IN (SELECT acting_subtree()))));
CREATE POLICY readers ON tally FOR SELECT
 USING (cadre_id NOT IN (SELECT acting_cadres(acting_as()))
        AND ((SELECT acting_reach() = 'everywhere')
             OR ((SELECT acting_reach() = 'scoped') AND organisation_id IN (SELECT acting_subtree()))));
CREATE POLICY readers ON cadre FOR SELECT
 USING ((SELECT acting_reach() = 'everywhere')
        OR ((SELECT acting_reach() = 'scoped')
            AND (staff_number IN ((SELECT acting_staff_number()), (SELECT acting_as()))
                 OR EXISTS (SELECT FROM post WHERE post.cadre_id = cadre.cadre_id)
                 OR EXISTS (SELECT FROM score WHERE subject_kind = 'cadre' AND subject_id = cadre.cadre_id))));
