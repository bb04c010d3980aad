-- Who answers for an issue, and for how much of it: docs/issue-life.md. Only where it is not all its lead's.
CREATE TABLE responsibility (
    issue_id     uuid           PRIMARY KEY REFERENCES issue (id),
    id           uuid           NOT NULL UNIQUE, -- of the ledger, under which its events are numbered
    until_at     instant        NOT NULL,
    rule_version integer        NOT NULL CHECK (rule_version BETWEEN 1 AND 10000),
    sequence     place_in_order NOT NULL,
    recorded_at  instant        NOT NULL
);
CREATE TABLE responsibility_share (
    issue_id        uuid     NOT NULL REFERENCES responsibility (issue_id),
    place           smallint NOT NULL CHECK (place BETWEEN 1 AND 32000),
    organisation_id uuid     NOT NULL REFERENCES organisation (id),
    cadre_id        uuid     REFERENCES cadre (id),
    role            text     NOT NULL CHECK (role IN ('lead', 'assisting')),
    from_at         instant  NOT NULL,
    until_at        instant  NOT NULL CHECK (until_at >= from_at),
    millionths      integer  NOT NULL CHECK (millionths BETWEEN 0 AND 1000000),
    PRIMARY KEY (issue_id, place)
);

-- It is worked out by the suite itself, and read by whoever may see the issue.
ALTER TABLE responsibility ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON responsibility USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON responsibility FOR SELECT USING (
    EXISTS (SELECT 1 FROM issue WHERE issue.id = responsibility.issue_id));
ALTER TABLE responsibility_share ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON responsibility_share USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON responsibility_share FOR SELECT USING (
    EXISTS (SELECT 1 FROM issue WHERE issue.id = responsibility_share.issue_id));
