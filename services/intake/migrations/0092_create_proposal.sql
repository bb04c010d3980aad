-- What one person asks for and another one decides, where no citizen is concerned: the same table as in other services.
CREATE TABLE proposal (
    id                 uuid    PRIMARY KEY,
    kind               text    NOT NULL CHECK (kind IN ('clock_rule.define', 'register.export')),
    object_id          text    NOT NULL CHECK (char_length(object_id) BETWEEN 1 AND 200),
    organisation_code  code,   -- whose it is, with all below it; absent: everybody's
    document           jsonb   NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    status             text    NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'refused')),
    proposed_by        text    NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 200),
    proposer_person_id text    NOT NULL CHECK (char_length(proposer_person_id) BETWEEN 1 AND 255),
    proposed_at        instant NOT NULL,
    decided_by         text    CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    decider_person_id  text    CHECK (decider_person_id <> proposer_person_id),
    decided_at         instant,
    reason             code,   -- of a decision, as a code: words could be about somebody
    used_at            instant,
    CHECK ((status = 'open') = (decided_at IS NULL)),
    CHECK (num_nonnulls(decided_by, decider_person_id, decided_at) IN (0, 3)),
    CHECK (used_at IS NULL OR status = 'approved')
);
CREATE INDEX proposal_object ON proposal (object_id, kind) WHERE used_at IS NULL;

ALTER TABLE proposal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON proposal USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation
                 JOIN organisation_line AS line ON line.organisation_id = organisation.id
                WHERE organisation.code = proposal.organisation_code
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[])));
