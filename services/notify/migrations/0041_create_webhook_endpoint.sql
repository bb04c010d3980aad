-- Where a partner wants to be told. `position`: the event up to which deliveries were made out of the log. `hold_until`,
-- `probe_at`: no attempt before then. The URL never changes: another one is another endpoint, which two persons agree to.
CREATE TABLE webhook_endpoint (
    id                 uuid        PRIMARY KEY,
    agreement_id       uuid        NOT NULL REFERENCES agreement,
    url                text        NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
    event_types        text[]      NOT NULL CHECK (cardinality(event_types) <= 200), -- empty: all of the agreement
    organisation_id    uuid,
    status             text        NOT NULL DEFAULT 'proposed'
                                   CHECK (status IN ('proposed', 'refused', 'unverified', 'active', 'paused', 'disabled',
                                                     'removed')),
    version            integer     NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000),
    position           bigint      NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 1000000000000000),
    rate_per_minute    integer     CHECK (rate_per_minute BETWEEN 1 AND 1000000),
    free_at            timestamptz,
    failures           integer     NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND 1000000),
    failing_since      timestamptz,
    probe_at           timestamptz,
    hold_until         timestamptz,
    last_success_at    timestamptz,
    handshakes         integer     NOT NULL DEFAULT 0 CHECK (handshakes BETWEEN 0 AND 1000000),
    handshake_fault    text        CHECK (length(handshake_fault) <= 200),
    disabled_because   text        CHECK (disabled_because IN ('gone', 'failing', 'handshake')),
    disabled_at        timestamptz,
    owner_told_at      timestamptz,
    proposed_by        text        NOT NULL CHECK (length(proposed_by) BETWEEN 1 AND 200),
    proposer_person_id text        NOT NULL CHECK (length(proposer_person_id) BETWEEN 1 AND 200),
    decided_by         text        CHECK (length(decided_by) BETWEEN 1 AND 200),
    decider_person_id  text        CHECK (decider_person_id <> proposer_person_id),
    decided_at         timestamptz,
    reason             text        CHECK (length(reason) BETWEEN 1 AND 2000),
    created_at         timestamptz NOT NULL,
    CHECK (status IN ('proposed', 'removed') OR decider_person_id IS NOT NULL),
    CHECK ((status = 'disabled') = (disabled_because IS NOT NULL)),
    CHECK ((disabled_because IS NULL) = (disabled_at IS NULL))
);
CREATE INDEX webhook_endpoint_agreement ON webhook_endpoint (agreement_id);
CREATE INDEX webhook_endpoint_open ON webhook_endpoint (id) WHERE status IN ('unverified', 'active');

-- What signs. A key that another one has replaced goes on signing beside it until `retires_at`.
CREATE TABLE webhook_key (
    id          uuid        PRIMARY KEY,
    endpoint_id uuid        NOT NULL REFERENCES webhook_endpoint,
    kind        text        NOT NULL CHECK (kind IN ('v1', 'v1a')),
    sealed      bytea       NOT NULL CHECK (octet_length(sealed) BETWEEN 32 AND 500),
    public_key  text        CHECK (public_key ~ '^whpk_[A-Za-z0-9+/]{43}=$'),
    created_at  timestamptz NOT NULL,
    created_by  text        NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200),
    retires_at  timestamptz,
    CHECK ((kind = 'v1a') = (public_key IS NOT NULL)),
    CHECK (retires_at >= created_at)
);
CREATE INDEX webhook_key_endpoint ON webhook_key (endpoint_id);
CREATE UNIQUE INDEX webhook_key_current ON webhook_key (endpoint_id, kind) WHERE retires_at IS NULL;

-- An endpoint is seen by whoever sees its agreement: that table's policy says who that is.
ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY with_agreement ON webhook_endpoint USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM agreement WHERE agreement.id = webhook_endpoint.agreement_id));
ALTER TABLE webhook_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY with_endpoint ON webhook_key USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM webhook_endpoint WHERE webhook_endpoint.id = webhook_key.endpoint_id));
