-- What one person wants a machine client to be allowed, until another one decides. The same person may have two accounts.
CREATE TABLE client_proposal (
    id                  uuid        PRIMARY KEY,
    client_id           text        NOT NULL CHECK (char_length(client_id) BETWEEN 3 AND 64),
    registration        jsonb       NOT NULL CHECK (jsonb_typeof(registration) = 'object'),
    status              text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'refused')),
    proposed_by         text        NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 200),
    proposer_person_id  text        NOT NULL CHECK (char_length(proposer_person_id) BETWEEN 1 AND 200),
    proposed_at         timestamptz NOT NULL,
    decided_by          text        CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    decider_person_id   text        CHECK (decider_person_id <> proposer_person_id),
    decided_at          timestamptz,
    reason              text        CHECK (char_length(reason) BETWEEN 1 AND 2000),
    CHECK ((status = 'open') = (decided_at IS NULL)),
    CHECK ((status = 'open') = (decider_person_id IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (status <> 'refused' OR reason IS NOT NULL)
);
CREATE INDEX client_proposal_status ON client_proposal (status, id);

ALTER TABLE client_proposal ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_proposal FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON client_proposal USING (acting_reach() IN ('system', 'everywhere'));
