-- What groups of the population were called on a day, and how counts were corrected: kept as other registers keep it.
CREATE TABLE population_group_version (
    population_group_id uuid           NOT NULL REFERENCES population_group (id),
    sequence            place_in_order NOT NULL,
    from_on             day            NOT NULL,
    name                title          NOT NULL,
    is_retired          boolean        NOT NULL,
    recorded_at         instant        NOT NULL,
    PRIMARY KEY (population_group_id, sequence)
);
INSERT INTO population_group_version (population_group_id, sequence, from_on, name, is_retired, recorded_at)
SELECT id, sequence, '1900-01-01', name, is_retired, recorded_at
  FROM population_group;

CREATE TABLE place_population_version (
    place_population_id uuid           NOT NULL REFERENCES place_population (id),
    sequence            place_in_order NOT NULL,
    people_count        integer        NOT NULL,
    household_count     integer,
    recorded_at         instant        NOT NULL,
    PRIMARY KEY (place_population_id, sequence)
);
INSERT INTO place_population_version (place_population_id, sequence, people_count, household_count, recorded_at)
SELECT id, sequence, people_count, household_count, recorded_at
  FROM place_population;

CREATE FUNCTION keep_population_group_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO population_group_version (population_group_id, sequence, from_on, name, is_retired, recorded_at)
    VALUES (NEW.id, NEW.sequence,
            CASE WHEN NEW.sequence = 1 THEN date '1900-01-01'
                 ELSE (NEW.recorded_at AT TIME ZONE 'Asia/Shanghai')::date END,
            NEW.name, NEW.is_retired, NEW.recorded_at);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version_of_new AFTER INSERT ON population_group
    FOR EACH ROW EXECUTE FUNCTION keep_population_group_version();
CREATE TRIGGER keep_version_of_changed AFTER UPDATE ON population_group
    FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence) EXECUTE FUNCTION keep_population_group_version();

CREATE FUNCTION keep_place_population_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO place_population_version (place_population_id, sequence, people_count, household_count, recorded_at)
    VALUES (NEW.id, NEW.sequence, NEW.people_count, NEW.household_count, NEW.recorded_at);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version_of_new AFTER INSERT ON place_population
    FOR EACH ROW EXECUTE FUNCTION keep_place_population_version();
CREATE TRIGGER keep_version_of_changed AFTER UPDATE ON place_population
    FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence) EXECUTE FUNCTION keep_place_population_version();

ALTER TABLE population_group_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON population_group_version FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON population_group_version USING ((SELECT reaches_everything()));
ALTER TABLE place_population_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON place_population_version FOR SELECT USING (
    EXISTS (SELECT 1 FROM place_population WHERE place_population.id = place_population_version.place_population_id));
CREATE POLICY kept ON place_population_version USING ((SELECT reaches_everything()));
