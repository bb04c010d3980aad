-- Registers with their past: what an entry says holds from a day on, and what it said before stays readable. The entry's
-- own table has what holds today, which is what records and policies join.
CREATE DOMAIN division_code AS text CHECK (VALUE ~ '^[1-8][0-9]{5}([0-9]{3}){0,2}$');
CREATE DOMAIN credit_code AS text CHECK (VALUE ~ '^[0-9A-HJ-NPQRTUWXY]{18}$');

ALTER TABLE organisation
    ADD COLUMN division_code division_code,
    ADD COLUMN credit_code   credit_code UNIQUE,
    ADD COLUMN from_on       day NOT NULL DEFAULT '1900-01-01', -- the first day of days: it always was so
    ADD COLUMN ended_on      day, -- the first day on which it is no more
    ADD COLUMN successor_id  uuid REFERENCES organisation (id),
    ADD CONSTRAINT organisation_end CHECK (successor_id IS NULL OR ended_on IS NOT NULL),
    ADD CONSTRAINT organisation_succession CHECK (successor_id <> id);
CREATE INDEX organisation_successor ON organisation (successor_id) WHERE successor_id IS NOT NULL;

-- One row a change. Of two that begin on one day the later corrects the earlier; neither is ever rewritten.
CREATE TABLE organisation_version (
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    sequence        place_in_order NOT NULL,
    from_on         day            NOT NULL,
    name            title          NOT NULL,
    level           code           NOT NULL,
    parent_id       uuid           REFERENCES organisation (id),
    region_type     code,
    division_code   division_code,
    credit_code     credit_code,
    ended_on        day,
    successor_id    uuid           REFERENCES organisation (id),
    recorded_at     instant        NOT NULL,
    PRIMARY KEY (organisation_id, sequence)
);
CREATE INDEX organisation_version_day ON organisation_version (organisation_id, from_on DESC, sequence DESC);
INSERT INTO organisation_version (organisation_id, sequence, from_on, name, level, parent_id, region_type, recorded_at)
SELECT id, sequence, from_on, name, level, parent_id, region_type, recorded_at
  FROM organisation;

ALTER TABLE cadre ADD COLUMN from_on day NOT NULL DEFAULT '1900-01-01';

CREATE TABLE cadre_version (
    cadre_id    uuid           NOT NULL REFERENCES cadre (id),
    sequence    place_in_order NOT NULL,
    from_on     day            NOT NULL,
    name        title          NOT NULL,
    recorded_at instant        NOT NULL,
    PRIMARY KEY (cadre_id, sequence)
);
CREATE INDEX cadre_version_day ON cadre_version (cadre_id, from_on DESC, sequence DESC);
INSERT INTO cadre_version (cadre_id, sequence, from_on, name, recorded_at)
SELECT id, sequence, from_on, name, recorded_at
  FROM cadre;

-- Kept by the table itself, so that no statement changes an entry and leaves its past out.
CREATE FUNCTION keep_organisation_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO organisation_version (organisation_id, sequence, from_on, name, level, parent_id, region_type,
                                      division_code, credit_code, ended_on, successor_id, recorded_at)
    VALUES (NEW.id, NEW.sequence, NEW.from_on, NEW.name, NEW.level, NEW.parent_id, NEW.region_type,
            NEW.division_code, NEW.credit_code, NEW.ended_on, NEW.successor_id, NEW.recorded_at);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version_of_new AFTER INSERT ON organisation
    FOR EACH ROW EXECUTE FUNCTION keep_organisation_version();
CREATE TRIGGER keep_version_of_changed AFTER UPDATE ON organisation
    FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence) EXECUTE FUNCTION keep_organisation_version();

CREATE FUNCTION keep_cadre_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cadre_version (cadre_id, sequence, from_on, name, recorded_at)
    VALUES (NEW.id, NEW.sequence, NEW.from_on, NEW.name, NEW.recorded_at);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version_of_new AFTER INSERT ON cadre FOR EACH ROW EXECUTE FUNCTION keep_cadre_version();
CREATE TRIGGER keep_version_of_changed AFTER UPDATE ON cadre
    FOR EACH ROW WHEN (NEW.name <> OLD.name OR NEW.from_on <> OLD.from_on) EXECUTE FUNCTION keep_cadre_version();

-- Who left the service, on which last day. Somebody who comes back holds a post that begins later.
CREATE TABLE cadre_departure (
    id          uuid    PRIMARY KEY,
    cadre_id    uuid    NOT NULL REFERENCES cadre (id),
    left_on     day     NOT NULL,
    reason_code text    NOT NULL CHECK (
        reason_code IN ('retired', 'transferred', 'resigned', 'dismissed', 'died', 'other')),
    recorded_at instant NOT NULL,
    UNIQUE (cadre_id, left_on)
);

-- The past of an entry is seen by who sees the entry.
ALTER TABLE organisation_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON organisation_version FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM organisation WHERE organisation.id = organisation_version.organisation_id));
CREATE POLICY kept ON organisation_version USING ((SELECT reaches_everything()));

ALTER TABLE cadre_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON cadre_version FOR SELECT USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM cadre WHERE cadre.id = cadre_version.cadre_id));
CREATE POLICY kept ON cadre_version USING ((SELECT reaches_everything()));

ALTER TABLE cadre_departure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON cadre_departure FOR SELECT USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM cadre WHERE cadre.id = cadre_departure.cadre_id));
CREATE POLICY kept ON cadre_departure USING ((SELECT reaches_everything()));
