-- What needs two persons: showing many citizens at once, restricting, freeing and erasing one.
CREATE TABLE citizen_proposal (
    id              uuid    PRIMARY KEY,
    kind            text    NOT NULL CHECK (kind IN ('reveal', 'restrict', 'lift', 'erase')),
    citizen_ref     uuid    REFERENCES citizen (ref),
    issue_ids       uuid[]  NOT NULL CHECK (cardinality(issue_ids) <= 500),
    reason_code     code    NOT NULL,
    reason          sealed  NOT NULL,
    review_on       day,
    proposed_by     uuid    NOT NULL,
    proposer_person text    NOT NULL CHECK (length(proposer_person) BETWEEN 1 AND 255),
    proposed_at     instant NOT NULL,
    state           text    NOT NULL CHECK (state IN ('open', 'refused', 'approved', 'done', 'not_done')),
    decided_by      uuid,
    decider_person  text    CHECK (length(decider_person) BETWEEN 1 AND 255),
    decided_at      instant,
    finished_at     instant,
    outcome_code    code, -- why it was not done after all
    CHECK ((kind = 'reveal') = (citizen_ref IS NULL)),
    CHECK ((kind = 'reveal') = (cardinality(issue_ids) > 0)),
    CHECK (kind <> 'restrict' OR review_on IS NOT NULL),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK (num_nonnulls(decided_by, decider_person, decided_at) IN (0, 3)),
    CHECK (decider_person <> proposer_person),
    CHECK ((state IN ('done', 'not_done')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'not_done') = (outcome_code IS NOT NULL))
);
CREATE INDEX citizen_proposal_approved ON citizen_proposal (decided_at) WHERE state = 'approved';
CREATE UNIQUE INDEX citizen_proposal_open ON citizen_proposal (citizen_ref, kind) WHERE state IN ('open', 'approved');

-- Who saw whom, one row a citizen. The audit says the same without the citizen.
CREATE TABLE reveal (
    id          uuid    PRIMARY KEY,
    account_id  uuid    NOT NULL,
    issue_id    uuid    NOT NULL REFERENCES issue (id),
    citizen_ref uuid    NOT NULL REFERENCES citizen (ref),
    proposal_id uuid    REFERENCES citizen_proposal (id),
    reason_code code    NOT NULL,
    reason      sealed, -- in the officer's words, which may name the citizen: erased with them
    revealed_at instant NOT NULL
);
CREATE INDEX reveal_account ON reveal (account_id, revealed_at) WHERE proposal_id IS NULL;

-- What was erased stays erased: read again after a restore, before anything else.
CREATE TABLE erasure (
    citizen_ref uuid    PRIMARY KEY,
    proposal_id uuid,
    reason_code code    NOT NULL,
    erased_at   instant NOT NULL
);

-- A proposal is seen by whoever made it and whoever may see every record that it is about, restricted citizens included.
ALTER TABLE citizen_proposal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON citizen_proposal FOR SELECT USING (
    (SELECT acting_reach()) = 'system'
    OR proposed_by::text = (SELECT acting_account())
    OR (citizen_ref IS NOT NULL
        AND (EXISTS (SELECT 1 FROM issue WHERE issue.citizen_ref = citizen_proposal.citizen_ref)
             OR EXISTS (SELECT 1 FROM contact WHERE contact.citizen_ref = citizen_proposal.citizen_ref)))
    OR (citizen_ref IS NULL
        AND cardinality(issue_ids) = (SELECT count(*) FROM issue WHERE issue.id = ANY (citizen_proposal.issue_ids))));
CREATE POLICY made ON citizen_proposal FOR INSERT
    WITH CHECK ((SELECT acting_reach()) = 'system' OR proposed_by::text = (SELECT acting_account()));
CREATE POLICY settled ON citizen_proposal FOR UPDATE USING ((SELECT acting_reach()) IS NOT NULL);

ALTER TABLE reveal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON reveal USING (
    (SELECT acting_reach()) = 'system' OR account_id::text = (SELECT acting_account()));

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON erasure USING ((SELECT acting_reach()) = 'system');
