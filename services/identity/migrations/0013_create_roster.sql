-- Accounts and groups that a staff system keeps over SCIM. What it does not keep it neither sees nor changes.
CREATE TABLE roster_user (
    account_id  uuid        PRIMARY KEY REFERENCES account,
    external_id text        CHECK (char_length(external_id) BETWEEN 1 AND 500),
    attributes  jsonb       NOT NULL CHECK (jsonb_typeof(attributes) = 'object'),
    version     integer     NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000),
    created_at  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE INDEX roster_user_external ON roster_user (external_id) WHERE external_id IS NOT NULL;

-- A group with a role gives it to its members: in its organisation, or, for cadres, over their own records.
-- Nothing that a second person must allow can be given so: the database says it too.
CREATE TABLE roster_group (
    id                uuid        PRIMARY KEY,
    display_name      text        NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 500),
    external_id       text        CHECK (char_length(external_id) BETWEEN 1 AND 500),
    role              text        CHECK (role IN ('clerk', 'unit_head', 'department_officer', 'cadre')),
    organisation_code text        CHECK (char_length(organisation_code) BETWEEN 1 AND 64),
    version           integer     NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000),
    created_at        timestamptz NOT NULL,
    changed_at        timestamptz NOT NULL
);

CREATE TABLE roster_member (
    group_id   uuid NOT NULL REFERENCES roster_group ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES roster_user ON DELETE CASCADE,
    PRIMARY KEY (group_id, account_id)
);
CREATE INDEX roster_member_account ON roster_member (account_id);

ALTER TABLE roster_user ENABLE ROW LEVEL SECURITY;
ALTER TABLE roster_user FORCE ROW LEVEL SECURITY;
ALTER TABLE roster_group ENABLE ROW LEVEL SECURITY;
ALTER TABLE roster_group FORCE ROW LEVEL SECURITY;
ALTER TABLE roster_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE roster_member FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON roster_user USING (acting_reach() IN ('system', 'everywhere'));
CREATE POLICY reach ON roster_group USING (acting_reach() IN ('system', 'everywhere'));
CREATE POLICY reach ON roster_member USING (acting_reach() IN ('system', 'everywhere'));
