-- Duties of places, of levels, in days and households, and by the half-year.
ALTER TABLE duty
    ADD COLUMN organisation_id uuid,
    ADD COLUMN post_level      code,
    ADD COLUMN unit            text NOT NULL DEFAULT 'count' CHECK (unit IN ('count', 'days', 'households')),
    DROP CONSTRAINT duty_per_check,
    ADD CONSTRAINT duty_per CHECK (per IN ('month', 'quarter', 'half_year', 'year'));

-- Under which parent an organisation stood from which day on: sums of months that are past stay under the parent of then.
CREATE TABLE parentage (
    organisation_id uuid           NOT NULL,
    sequence        place_in_order NOT NULL,
    from_on         day            NOT NULL,
    parent_id       uuid,
    PRIMARY KEY (organisation_id, sequence)
);
CREATE INDEX parentage_child ON parentage (parent_id, organisation_id);
INSERT INTO parentage (organisation_id, sequence, from_on, parent_id)
SELECT organisation_id, sequence, '1900-01-01', parent_id
  FROM organisation;

ALTER TABLE parentage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON parentage USING ((SELECT acting_reach()) = 'system');
CREATE POLICY readers ON parentage FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);

-- The parent of that day; of a day before the first that is known, the first one.
CREATE FUNCTION parent_on(organisation uuid, on_day date) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT parent_id
              FROM parentage
             WHERE organisation_id = $1
             ORDER BY from_on <= $2 DESC,
                      CASE WHEN from_on <= $2 THEN from_on END DESC,
                      from_on,
                      sequence DESC
             LIMIT 1);
END $$;

-- How far above an organisation a scope stands that day: 0 for itself, NULL where it does not stand above it.
CREATE FUNCTION scope_distance(organisation uuid, scope uuid, on_day date) RETURNS integer LANGUAGE plpgsql STABLE AS $$
DECLARE
    step uuid := $1;
BEGIN
    IF scope IS NULL THEN
        RETURN 1000; -- everywhere: farther than any organisation
    END IF;
    FOR distance IN 0..32 LOOP
        IF step = scope THEN
            RETURN distance;
        END IF;
        step := parent_on(step, $3);
        EXIT WHEN step IS NULL;
    END LOOP;
    RETURN NULL;
END $$;
