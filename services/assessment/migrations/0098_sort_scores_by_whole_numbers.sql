-- Under row security a condition is looked up in an index only where its operators can leak nothing, and of numerics they
-- are taken to be able to: a page far down, or of a band, read everything before it. Whole numbers of hundredths are not;
-- what has no composite comes behind all that have.
ALTER TABLE score
    ADD COLUMN rising  integer NOT NULL GENERATED ALWAYS AS (coalesce((composite * 100)::integer, 10100)) STORED,
    ADD COLUMN falling integer NOT NULL GENERATED ALWAYS AS (coalesce((composite * -100)::integer, 10100)) STORED;
DROP INDEX score_rising;
DROP INDEX score_falling;
CREATE INDEX score_rising ON score (subject_kind, period_kind, period_start, rising, subject_code COLLATE "C");
CREATE INDEX score_falling ON score (subject_kind, period_kind, period_start, falling, subject_code COLLATE "C");

-- As before, and what is generated is generated in the part too. The part of the others is locked first, so that nobody
-- puts anything of the year into it meanwhile.
CREATE OR REPLACE FUNCTION make_years(first_year integer, last_year integer) RETURNS integer
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
