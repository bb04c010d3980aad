-- What takes two persons: shared/approvals.py.
CREATE TABLE proposal (
    id                uuid    PRIMARY KEY,
    kind              code    NOT NULL,
    subject           code    NOT NULL,
    reason            text    NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    details           jsonb   NOT NULL,
    organisation_code code,
    status            text    NOT NULL CHECK (status IN ('proposed', 'approved', 'refused')),
    proposed_by       title   NOT NULL,
    proposer_account  uuid    NOT NULL,
    proposer_person   title   NOT NULL,
    proposed_at       instant NOT NULL,
    open_until        instant NOT NULL,
    decided_by        title,
    decider_person    title,
    decided_at        instant,
    decision_reason   text    CHECK (length(decision_reason) BETWEEN 1 AND 2000),
    CHECK ((status = 'proposed') = (decided_at IS NULL)),
    CHECK (num_nulls(decided_by, decider_person, decided_at, decision_reason) IN (0, 4)),
    CHECK (status <> 'approved' OR decider_person <> proposer_person) -- whatever the code above it believes
);
CREATE INDEX proposal_open ON proposal (kind, subject) WHERE status = 'proposed';

ALTER TABLE proposal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_reach ON proposal USING (
    (SELECT reaches_everything())
    OR proposer_account::text = (SELECT acting_account())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS own
                 JOIN organisation_line AS line USING (organisation_id)
                WHERE own.distance = 0
                  AND own.ancestor_code = proposal.organisation_code
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[])));
