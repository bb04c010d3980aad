-- Keys that sign access tokens. The private half is encrypted with a key that the database never sees, and no function
-- hands it out: who may resolve names reads the public halves.
CREATE TABLE token_key (
    kid                text        PRIMARY KEY CHECK (char_length(kid) BETWEEN 8 AND 64),
    issuer             text        NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 500),
    public_key         bytea       NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
    sealed_private_key bytea       NOT NULL CHECK (octet_length(sealed_private_key) BETWEEN 48 AND 500),
    created_at         timestamptz NOT NULL,
    signs_from         timestamptz NOT NULL CHECK (signs_from >= created_at),
    not_after          timestamptz NOT NULL CHECK (not_after > signs_from)
);
CREATE INDEX token_key_not_after ON token_key (not_after);

ALTER TABLE token_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_key FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON token_key USING (acting_reach() = 'system');

CREATE FUNCTION list_token_keys()
RETURNS TABLE (kid text, public_key bytea, not_after timestamptz, issuer text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    RETURN QUERY
    SELECT token_key.kid, token_key.public_key, token_key.not_after, token_key.issuer
      FROM token_key
     WHERE token_key.not_after > statement_timestamp();
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
REVOKE ALL ON FUNCTION list_token_keys() FROM PUBLIC;
