-- What proves a person: passwords, second factors, accounts at a provider; and sign-ins that are under way.
-- Only the service acting for itself sees these rows; no administrator's request ever does.

CREATE TABLE password (
    account_id  uuid        PRIMARY KEY REFERENCES account,
    hash        text        NOT NULL CHECK (hash LIKE '$argon2id$%'),
    set_at      timestamptz NOT NULL,
    must_change boolean     NOT NULL,
    valid_until timestamptz  -- of one given by somebody else
);

CREATE TABLE former_password (
    account_id uuid        NOT NULL REFERENCES account,
    set_at     timestamptz NOT NULL,
    hash       text        NOT NULL,
    PRIMARY KEY (account_id, set_at)
);

-- The secret is encrypted with a key that is not in this database. A code's counter is accepted once, and never an older one.
CREATE TABLE second_factor (
    account_id   uuid        PRIMARY KEY REFERENCES account,
    secret       bytea       NOT NULL,
    proposed_at  timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_counter bigint      NOT NULL DEFAULT 0 CHECK (last_counter >= 0)
);

CREATE TABLE recovery_code (
    account_id uuid  NOT NULL REFERENCES account,
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (account_id, digest)
);

-- Signed in as far as the password, or the provider: what is still needed stands with the account.
CREATE TABLE unfinished_sign_in (
    digest       bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    account_id   uuid        NOT NULL REFERENCES account,
    method       text        NOT NULL CHECK (method IN ('password', 'provider')),
    code_given   boolean     NOT NULL DEFAULT false,
    failed_tries integer     NOT NULL DEFAULT 0 CHECK (failed_tries BETWEEN 0 AND 5),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX unfinished_sign_in_by_end ON unfinished_sign_in (expires_at);

-- A browser that has signed in to this account before. Failures elsewhere do not slow it down.
CREATE TABLE familiar_device (
    digest     bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    account_id uuid        NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL
);
CREATE INDEX familiar_device_by_account ON familiar_device (account_id);
CREATE INDEX familiar_device_by_end ON familiar_device (expires_at);

-- Who somebody is at a provider: by issuer and subject, and by nothing that a person can change there.
CREATE TABLE provider_identity (
    issuer     text        NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 500),
    subject    text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    account_id uuid        NOT NULL REFERENCES account,
    linked_at  timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX provider_identity_by_account ON provider_identity (account_id);

-- A browser on its way to the provider and back. The state is used once, by the browser that was sent off.
CREATE TABLE provider_visit (
    state_digest   bytea       PRIMARY KEY CHECK (octet_length(state_digest) = 32),
    browser_digest bytea       NOT NULL CHECK (octet_length(browser_digest) = 32),
    nonce          text        NOT NULL,
    code_verifier  text        NOT NULL,
    purpose        text        NOT NULL CHECK (purpose IN ('sign-in', 'step-up', 'link')),
    session_id     uuid,
    next_path      text        NOT NULL,
    started_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    CHECK ((purpose = 'sign-in') = (session_id IS NULL))
);
CREATE INDEX provider_visit_by_end ON provider_visit (expires_at);

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['password', 'former_password', 'second_factor', 'recovery_code', 'unfinished_sign_in',
                                'familiar_device', 'provider_visit'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', kept);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', kept);
        EXECUTE format('CREATE POLICY reach ON %I USING (acting_reach() = ''system'')', kept);
    END LOOP;
END
$$;

ALTER TABLE provider_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_identity FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON provider_identity
    USING (acting_reach() IN ('system', 'everywhere') OR account_id::text = acting_account());
