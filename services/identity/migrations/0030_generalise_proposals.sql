-- Whatever one person asks for and another one agrees to, of machine clients as of accounts. What is agreed to of an
-- account is done once, by whoever asked for it.
ALTER TABLE client_proposal RENAME TO proposal;
ALTER TABLE proposal RENAME COLUMN client_id TO object_id;
ALTER TABLE proposal RENAME COLUMN registration TO document;
ALTER TABLE proposal RENAME CONSTRAINT client_proposal_pkey TO proposal_pkey;
ALTER INDEX client_proposal_status RENAME TO proposal_status;
ALTER TABLE proposal
    ADD COLUMN kind text NOT NULL DEFAULT 'client.register',
    ADD COLUMN used_at timestamptz,
    ADD CONSTRAINT proposal_kind CHECK (kind IN ('client.register', 'account.enable', 'identity.link', 'password.reset',
                                                 'person.set', 'role.grant', 'second_factor.remove')),
    ADD CONSTRAINT proposal_used CHECK (used_at IS NULL OR status = 'approved');
ALTER TABLE proposal ALTER COLUMN kind DROP DEFAULT;
CREATE INDEX proposal_object ON proposal (object_id, kind) WHERE used_at IS NULL;

-- From when on there have been two persons who may decide. It stays: nobody becomes the only one again by removing others.
CREATE TABLE two_persons (
    is_so boolean     PRIMARY KEY DEFAULT true CHECK (is_so),
    since timestamptz NOT NULL
);
INSERT INTO two_persons (since)
SELECT now()
  FROM role_grant
 WHERE role IN ('approver', 'security_administrator') AND organisation_code IS NULL
HAVING count(DISTINCT person_id) > 1;

ALTER TABLE two_persons ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON two_persons USING (acting_reach() IN ('system', 'everywhere'));
