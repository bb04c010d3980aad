-- Under what agreement another system is told of events. Two persons make one; it is never changed, only ended.

-- The machine client that is acting; NULL for everybody else.
CREATE FUNCTION acting_client() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('lianxin.person', true) LIKE 'client:%'
                THEN substr(current_setting('lianxin.person', true), 8) END;

CREATE TABLE agreement (
    id                 uuid        PRIMARY KEY,
    number             text        NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 64),
    partner            text        NOT NULL CHECK (length(partner) BETWEEN 1 AND 200),
    client_id          text        CHECK (client_id ~ '^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$'),
    event_types        text[]      NOT NULL CHECK (cardinality(event_types) <= 200), -- empty: all that are open
    organisation_id    uuid,                                                         -- NULL: of everywhere
    content            text        NOT NULL CHECK (content IN ('ids', 'facts')),
    valid_from         timestamptz NOT NULL CHECK (valid_from BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    valid_until        timestamptz NOT NULL CHECK (valid_until BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    status             text        NOT NULL DEFAULT 'proposed'
                                   CHECK (status IN ('proposed', 'agreed', 'refused', 'ended')),
    proposed_by        text        NOT NULL CHECK (length(proposed_by) BETWEEN 1 AND 200),
    proposer_person_id text        NOT NULL CHECK (length(proposer_person_id) BETWEEN 1 AND 200),
    proposed_at        timestamptz NOT NULL,
    decided_by         text        CHECK (length(decided_by) BETWEEN 1 AND 200),
    decider_person_id  text        CHECK (decider_person_id <> proposer_person_id),
    decided_at         timestamptz,
    reason             text        CHECK (length(reason) BETWEEN 1 AND 2000),
    ended_at           timestamptz,
    CHECK (valid_from < valid_until),
    CHECK ((decider_person_id IS NULL) = (decided_at IS NULL)),
    CHECK (status IN ('proposed', 'ended') OR decided_at IS NOT NULL),
    CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CHECK (status <> 'refused' OR reason IS NOT NULL)
);
CREATE INDEX agreement_client ON agreement (client_id) WHERE client_id IS NOT NULL;

-- A machine sees what was agreed with it and nothing else, whatever else it reaches.
ALTER TABLE agreement ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_reach ON agreement USING (
    CASE WHEN (SELECT acting_client()) IS NOT NULL THEN client_id = (SELECT acting_client())
         ELSE (SELECT reaches_everything())
              OR EXISTS (SELECT 1
                           FROM organisation
                          WHERE organisation.id = agreement.organisation_id
                            AND organisation.path && (SELECT acting_organisation_ids()))
         END);
