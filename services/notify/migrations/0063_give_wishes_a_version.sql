-- Who says how somebody is told may say which version of that they have read. What a unit prefers is many rows: it has a row
-- of its own for that, under whose lock one after the other replaces them.
ALTER TABLE subscription ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000);
ALTER TABLE recipient ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000);
CREATE TABLE unit_preference (
    organisation_id uuid    PRIMARY KEY,
    version         integer NOT NULL CHECK (version BETWEEN 1 AND 1000000000)
);
INSERT INTO unit_preference (organisation_id, version)
SELECT DISTINCT organisation_id, 1 FROM preference WHERE organisation_id IS NOT NULL;
ALTER TABLE unit_preference ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON unit_preference USING ((SELECT acting_reach()) = 'system');
CREATE POLICY by_reach ON unit_preference USING (is_within_reach(organisation_id));
