-- Schemes that were written as data and agreed to by two persons. What stands under a name and version never changes.
CREATE TABLE rule_scheme (
    name         code    NOT NULL,
    version      integer NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    document     text    NOT NULL CHECK (length(document) BETWEEN 1 AND 200000),
    content_hash bytea   NOT NULL CHECK (length(content_hash) = 32),
    proposed_by  text    NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 200),
    approved_by  text    NOT NULL CHECK (char_length(approved_by) BETWEEN 1 AND 200),
    approved_at  instant NOT NULL,
    PRIMARY KEY (name, version)
);

-- For which place and peer group it holds, and when; an empty text is all of them. Of two that meet the nearer place goes
-- first, then the peer group that is named; that none of the same place and group overlap is seen to under a lock.
CREATE TABLE scheme_validity (
    name       code    NOT NULL,
    version    integer NOT NULL,
    place      text    NOT NULL CHECK (char_length(place) <= 64),
    peer_group text    NOT NULL CHECK (char_length(peer_group) <= 64),
    from_on    day     NOT NULL,
    until_on   day     CHECK (until_on >= from_on),
    PRIMARY KEY (name, version, place, peer_group),
    FOREIGN KEY (name, version) REFERENCES rule_scheme (name, version)
);
CREATE INDEX scheme_validity_place ON scheme_validity (place, peer_group, from_on);

CREATE TABLE proposal (
    id                 uuid        PRIMARY KEY,
    kind               text        NOT NULL CHECK (kind IN ('scheme.adopt', 'scheme.end')),
    object_id          text        NOT NULL CHECK (char_length(object_id) BETWEEN 1 AND 200),
    organisation_code  text        CHECK (char_length(organisation_code) BETWEEN 1 AND 200),
    document           jsonb       NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    status             text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'refused')),
    proposed_by        text        NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 200),
    proposer_person_id text        NOT NULL CHECK (char_length(proposer_person_id) BETWEEN 1 AND 200),
    proposed_at        timestamptz NOT NULL,
    decided_by         text        CHECK (char_length(decided_by) BETWEEN 1 AND 200),
    decider_person_id  text        CHECK (decider_person_id <> proposer_person_id),
    decided_at         timestamptz,
    reason             text        CHECK (char_length(reason) BETWEEN 1 AND 2000),
    used_at            timestamptz CHECK (used_at IS NULL OR status = 'approved'),
    CHECK ((status = 'open') = (decided_at IS NULL)),
    CHECK ((status = 'open') = (decider_person_id IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (status <> 'refused' OR reason IS NOT NULL)
);
CREATE INDEX proposal_status ON proposal (status, id);
CREATE INDEX proposal_object ON proposal (object_id, kind) WHERE used_at IS NULL;

ALTER TABLE rule_scheme ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE scheme_validity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE proposal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- By what people are scored is public in the house. A scheme is written once: nobody has a policy to change or remove one.
CREATE POLICY readers ON rule_scheme FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY writers ON rule_scheme FOR INSERT WITH CHECK ((SELECT acting_reach()) IN ('system', 'everywhere'));
CREATE POLICY readers ON scheme_validity FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY writers ON scheme_validity FOR INSERT WITH CHECK ((SELECT acting_reach()) IN ('system', 'everywhere'));
CREATE POLICY ending ON scheme_validity FOR UPDATE USING ((SELECT acting_reach()) IN ('system', 'everywhere'));
CREATE POLICY reach ON proposal USING ((SELECT acting_reach()) IN ('system', 'everywhere'));
