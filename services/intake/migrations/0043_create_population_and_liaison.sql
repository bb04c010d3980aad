-- Whom contact is owed: groups of the population, how many live where, and the households, villages, firms and schools
-- that a cadre keeps in touch with.
CREATE TABLE population_group (
    id          uuid           PRIMARY KEY,
    code        code           NOT NULL UNIQUE,
    name        title          NOT NULL,
    is_retired  boolean        NOT NULL,
    sequence    place_in_order NOT NULL,
    recorded_at instant        NOT NULL
);
INSERT INTO population_group (id, code, name, is_retired, sequence, recorded_at)
SELECT gen_random_uuid(), code, name, false, 1, now()
  FROM (VALUES ('farmers', '农民'), ('workers', '职工'), ('students', '学生'), ('migrants', '流动人口'),
               ('elderly', '老年人'), ('elderly_alone', '独居老人'), ('left_behind_children', '留守儿童'),
               ('disabled', '残疾人'), ('needy_households', '困难户'), ('self_employed', '个体经营者'),
               ('veterans', '退役军人'), ('residents', '居民')) AS given (code, name);

-- How many people and households of a group, or of all where none is named, live in a place by a count of that day.
CREATE TABLE place_population (
    id               uuid           PRIMARY KEY,
    organisation_id  uuid           NOT NULL REFERENCES organisation (id),
    place_code       code           NOT NULL,
    population_group code           REFERENCES population_group (code),
    counted_on       day            NOT NULL,
    people_count     integer        NOT NULL CHECK (people_count BETWEEN 0 AND 2000000000),
    household_count  integer        CHECK (household_count BETWEEN 0 AND 2000000000),
    sequence         place_in_order NOT NULL,
    recorded_at      instant        NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organisation_id, place_code, population_group, counted_on)
);

-- A village, firm or school. One that is renamed ends, and begins anew under its code.
CREATE TABLE contact_point (
    id              uuid           PRIMARY KEY,
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    code            code           NOT NULL,
    kind            text           NOT NULL CHECK (kind IN ('village', 'firm', 'school', 'project', 'other')),
    name            title          NOT NULL,
    place_code      code,
    from_on         day            NOT NULL,
    until_on        day,
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (until_on >= from_on),
    UNIQUE (code, from_on)
);

-- Who heads a household is a citizen like others: sealed, under a pseudonym and a key of its own that leads to no issue.
CREATE TABLE contact_household (
    id               uuid           PRIMARY KEY,
    organisation_id  uuid           NOT NULL REFERENCES organisation (id),
    number           code           NOT NULL,
    place_code       code           NOT NULL,
    population_group code           NOT NULL REFERENCES population_group (code),
    from_on          day            NOT NULL,
    until_on         day,
    head_hash        digest, -- keyed: tells a repeat from a change, and nobody else anything
    citizen_ref      uuid           REFERENCES citizen (ref),
    sequence         place_in_order NOT NULL,
    recorded_at      instant        NOT NULL,
    CHECK (until_on >= from_on),
    UNIQUE (number, from_on)
);
CREATE INDEX contact_household_citizen ON contact_household (citizen_ref) WHERE citizen_ref IS NOT NULL;

CREATE TABLE liaison_assignment (
    id               uuid           PRIMARY KEY,
    household_id     uuid           REFERENCES contact_household (id),
    contact_point_id uuid           REFERENCES contact_point (id),
    organisation_id  uuid           NOT NULL REFERENCES organisation (id), -- of the household or the point
    cadre_id         uuid           NOT NULL REFERENCES cadre (id),
    from_on          day            NOT NULL,
    until_on         day,
    sequence         place_in_order NOT NULL,
    recorded_at      instant        NOT NULL,
    CHECK (until_on >= from_on),
    CHECK (num_nonnulls(household_id, contact_point_id) = 1),
    UNIQUE NULLS NOT DISTINCT (household_id, contact_point_id, cadre_id, from_on)
);
CREATE INDEX liaison_assignment_cadre ON liaison_assignment (cadre_id, from_on);

ALTER TABLE population_group ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON population_group FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON population_group USING ((SELECT reaches_everything()));

ALTER TABLE place_population ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON place_population FOR SELECT USING (
    (SELECT reaches_everything()) OR is_within_reach(organisation_id));
CREATE POLICY kept ON place_population USING ((SELECT reaches_everything()));

ALTER TABLE liaison_assignment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON liaison_assignment USING ((SELECT reaches_everything()) OR is_within_reach(organisation_id));
CREATE POLICY own ON liaison_assignment FOR SELECT USING (cadre_id = (SELECT acting_cadre_id()));

ALTER TABLE contact_point ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON contact_point FOR SELECT USING (
    (SELECT reaches_everything())
    OR is_within_reach(organisation_id)
    OR EXISTS (SELECT 1 FROM liaison_assignment WHERE liaison_assignment.contact_point_id = contact_point.id));
CREATE POLICY kept ON contact_point USING ((SELECT reaches_everything()));

-- A household is for whoever answers for its place, and for the cadre who is assigned to it now.
ALTER TABLE contact_household ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON contact_household USING ((SELECT reaches_everything()) OR is_within_reach(organisation_id));
CREATE POLICY own ON contact_household FOR SELECT USING (
    EXISTS (SELECT 1
              FROM liaison_assignment AS assignment
             WHERE assignment.household_id = contact_household.id
               AND assignment.cadre_id = (SELECT acting_cadre_id())
               AND assignment.from_on <= (now() AT TIME ZONE 'Asia/Shanghai')::date
               AND (assignment.until_on IS NULL
                    OR assignment.until_on >= (now() AT TIME ZONE 'Asia/Shanghai')::date)));

-- The head of a household is seen by who sees the household.
DROP POLICY seen ON citizen;
CREATE POLICY seen ON citizen FOR SELECT USING (
    (SELECT acting_reach()) = 'system'
    OR (state = 'active' AND (EXISTS (SELECT 1 FROM issue WHERE issue.citizen_ref = citizen.ref)
                              OR EXISTS (SELECT 1 FROM contact WHERE contact.citizen_ref = citizen.ref)
                              OR EXISTS (SELECT 1
                                           FROM contact_household
                                          WHERE contact_household.citizen_ref = citizen.ref))));
