-- What tells that two issues may be the same, without their words: keyed digests of their pairs of characters, of which
-- a few are kept. Issues of before are not looked at any more.
CREATE TABLE issue_likeness (
    issue_id    uuid    PRIMARY KEY REFERENCES issue (id),
    received_at instant NOT NULL,
    bands       bigint[] NOT NULL CHECK (cardinality(bands) = 16),
    sketch      bytea   NOT NULL CHECK (octet_length(sketch) = 128)
);
CREATE INDEX issue_likeness_bands ON issue_likeness USING gin (bands);
CREATE INDEX issue_likeness_age ON issue_likeness (received_at);
ALTER TABLE issue ADD COLUMN is_sketched boolean NOT NULL DEFAULT true;
ALTER TABLE issue ALTER COLUMN is_sketched SET DEFAULT false;
CREATE INDEX issue_unsketched ON issue (received_at) WHERE NOT is_sketched;

ALTER TABLE issue_likeness ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON issue_likeness USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON issue_likeness FOR SELECT USING (
    EXISTS (SELECT 1 FROM issue WHERE issue.id = issue_likeness.issue_id));
