-- Machines that may ask: what two persons allowed them, and what proves that it is they who ask.
CREATE TABLE machine_client (
    id                  uuid        PRIMARY KEY,
    client_id           text        NOT NULL UNIQUE CHECK (client_id ~ '^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$'),
    name                text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    purpose             text        NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 2000),
    scopes              text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    -- Empty: everywhere. Two persons have seen and allowed it.
    organisation_codes  text[]      NOT NULL CHECK (cardinality(organisation_codes) <= 200),
    -- Empty: from anywhere.
    allowed_networks    text[]      NOT NULL CHECK (cardinality(allowed_networks) <= 50),
    requests_per_minute integer     NOT NULL CHECK (requests_per_minute BETWEEN 1 AND 1000000),
    status              text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    proposed_by         text        NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 200),
    approved_by         text        NOT NULL CHECK (char_length(approved_by) BETWEEN 1 AND 200
                                                    AND approved_by <> proposed_by),
    created_at          timestamptz NOT NULL,
    changed_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL CHECK (expires_at BETWEEN '2020-01-01Z' AND '2200-01-01Z')
);

-- Secrets are kept as SHA-256 of 256 random bits, keys as their public half. The slot is what keeps them to two of a kind.
CREATE TABLE client_credential (
    id                uuid        PRIMARY KEY,
    machine_client_id uuid        NOT NULL REFERENCES machine_client,
    kind              text        NOT NULL CHECK (kind IN ('secret', 'key')),
    slot              smallint    NOT NULL CHECK (slot IN (1, 2)),
    secret_digest     bytea       UNIQUE CHECK (octet_length(secret_digest) = 32),
    kid               text        CHECK (char_length(kid) BETWEEN 1 AND 64),
    algorithm         text        CHECK (algorithm IN ('ES256', 'PS256', 'EdDSA')),
    public_key        bytea       CHECK (octet_length(public_key) BETWEEN 32 AND 2048),
    created_at        timestamptz NOT NULL,
    created_by        text        NOT NULL CHECK (char_length(created_by) BETWEEN 1 AND 200),
    expires_at        timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at        timestamptz,
    last_used_on      date,
    CHECK (CASE kind WHEN 'secret' THEN secret_digest IS NOT NULL AND kid IS NULL AND algorithm IS NULL
                                        AND public_key IS NULL
                     ELSE secret_digest IS NULL AND kid IS NOT NULL AND algorithm IS NOT NULL
                          AND public_key IS NOT NULL END)
);
CREATE UNIQUE INDEX client_credential_live ON client_credential (machine_client_id, kind, slot) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX client_credential_kid ON client_credential (machine_client_id, kid)
    WHERE revoked_at IS NULL AND kid IS NOT NULL;

-- Assertions that were accepted, until they would be refused for their age.
CREATE TABLE used_assertion (
    machine_client_id uuid        NOT NULL REFERENCES machine_client,
    assertion_digest  bytea       NOT NULL CHECK (octet_length(assertion_digest) = 32),
    expires_at        timestamptz NOT NULL,
    PRIMARY KEY (machine_client_id, assertion_digest)
);
CREATE INDEX used_assertion_expires ON used_assertion (expires_at);

ALTER TABLE machine_client ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_client FORCE ROW LEVEL SECURITY;
ALTER TABLE client_credential ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_credential FORCE ROW LEVEL SECURITY;
ALTER TABLE used_assertion ENABLE ROW LEVEL SECURITY;
ALTER TABLE used_assertion FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON machine_client USING (acting_reach() IN ('system', 'everywhere'));
CREATE POLICY reach ON client_credential USING (acting_reach() IN ('system', 'everywhere'));
CREATE POLICY reach ON used_assertion USING (acting_reach() = 'system');

-- Whether a client whose token is good may still do something, and what. The reach is put back before the answer is given.
CREATE FUNCTION resolve_client(client_id text)
RETURNS TABLE (account_id uuid, name text, person_id text, scopes text[], grants jsonb, allowed_networks text[],
               requests_per_minute int)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    RETURN QUERY
    SELECT client.id, client.client_id, 'client:' || client.client_id, client.scopes,
           CASE WHEN cardinality(client.organisation_codes) = 0
                THEN '[{"role": "machine_client", "organisation_code": null}]'::jsonb
                ELSE (SELECT jsonb_agg(jsonb_build_object('role', 'machine_client', 'organisation_code', code)
                                       ORDER BY code)
                        FROM unnest(client.organisation_codes) AS code) END,
           client.allowed_networks, client.requests_per_minute
      FROM machine_client AS client
     WHERE client.client_id = resolve_client.client_id
       AND client.status = 'active'
       AND client.expires_at > statement_timestamp();
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
REVOKE ALL ON FUNCTION resolve_client(text) FROM PUBLIC;
