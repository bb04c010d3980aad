-- Accounts, the roles they hold and the sessions they are signed in by; what proves a person follows in 0002.

-- Who acts in this transaction. Nothing set, or an empty text, means nobody: then no policy lets a row through.
CREATE FUNCTION acting_reach() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.reach', true), '');

CREATE FUNCTION acting_account() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.account', true), '');

CREATE TABLE account (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL UNIQUE CHECK (name = lower(name) AND char_length(name) BETWEEN 2 AND 64),
    display_name text        NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
    person_id    text        NOT NULL CHECK (char_length(person_id) BETWEEN 1 AND 64),
    staff_number text        CHECK (char_length(staff_number) BETWEEN 1 AND 64),
    status       text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    created_at   timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    UNIQUE (id, person_id)
);
CREATE INDEX account_by_person ON account (person_id);
CREATE INDEX account_by_staff_number ON account (staff_number) WHERE staff_number IS NOT NULL;

-- organisation_code NULL: everywhere. Keepers of the system, of its security and of its audit act everywhere or nowhere.
CREATE TABLE role_grant (
    id                uuid        PRIMARY KEY,
    account_id        uuid        NOT NULL,
    person_id         text        NOT NULL,
    role              text        NOT NULL CHECK (role IN ('clerk', 'cadre', 'unit_head', 'department_officer', 'approver',
                                                           'auditor', 'security_administrator', 'operations')),
    organisation_code text        CHECK (char_length(organisation_code) BETWEEN 1 AND 64),
    granted_at        timestamptz NOT NULL,
    granted_by        text        NOT NULL CHECK (char_length(granted_by) BETWEEN 1 AND 200),
    FOREIGN KEY (account_id, person_id) REFERENCES account (id, person_id) ON UPDATE CASCADE,
    UNIQUE NULLS NOT DISTINCT (account_id, role, organisation_code),
    CHECK (organisation_code IS NULL OR role NOT IN ('auditor', 'security_administrator', 'operations'))
);
-- One person, whatever the number of accounts, never holds two of these.
CREATE UNIQUE INDEX role_grant_separated ON role_grant (person_id)
    WHERE role IN ('auditor', 'security_administrator', 'operations');

-- The cookie's identifier is kept as SHA-256 alone. A rotation replaces it; the session stays the same session.
CREATE TABLE session (
    id            uuid        PRIMARY KEY,
    account_id    uuid        NOT NULL REFERENCES account,
    digest        bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    method        text        NOT NULL CHECK (method IN ('password', 'password+code', 'provider', 'provider+code')),
    created_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    idle_seconds  integer     NOT NULL CHECK (idle_seconds BETWEEN 1 AND 86400),
    expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
    stepped_up_at timestamptz,
    ended_at      timestamptz,
    end_reason    text        CHECK (end_reason IN ('signed-out', 'replaced', 'displaced', 'everywhere', 'disabled',
                                                    'password-changed')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX session_open ON session (account_id, created_at) WHERE ended_at IS NULL;
CREATE INDEX session_by_end ON session (expires_at);

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
ALTER TABLE role_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_grant FORCE ROW LEVEL SECURITY;
ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE session FORCE ROW LEVEL SECURITY;

CREATE POLICY reach ON account
    USING (acting_reach() IN ('system', 'everywhere') OR id::text = acting_account());
CREATE POLICY reach ON role_grant
    USING (acting_reach() IN ('system', 'everywhere') OR account_id::text = acting_account())
    WITH CHECK (acting_reach() IN ('system', 'everywhere'));
CREATE POLICY reach ON session
    USING (acting_reach() IN ('system', 'everywhere') OR account_id::text = acting_account());

-- What every service asks before it answers anybody. SECURITY DEFINER, so that the one who asks reads no table. A function
-- cannot carry a setting of ours (only a superuser may declare that), so it is put back before the answer is given.
CREATE FUNCTION resolve_session(digest bytea, now timestamptz)
RETURNS TABLE (account_id uuid, name text, person_id text, staff_number text, session_id uuid,
               stepped_up_at timestamptz, grants jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    UPDATE session
       SET last_seen_at = resolve_session.now
     WHERE session.digest = resolve_session.digest
       AND session.ended_at IS NULL
       AND resolve_session.now < session.expires_at
       AND resolve_session.now < session.last_seen_at + make_interval(secs => session.idle_seconds)
       AND session.last_seen_at <= resolve_session.now - interval '1 minute';
    RETURN QUERY
    SELECT account.id, account.name, account.person_id, account.staff_number, session.id, session.stepped_up_at,
           coalesce((SELECT jsonb_agg(jsonb_build_object('role', role_grant.role,
                                                         'organisation_code', role_grant.organisation_code)
                                      ORDER BY role_grant.role, role_grant.organisation_code)
                       FROM role_grant
                      WHERE role_grant.account_id = account.id), '[]')
      FROM session
      JOIN account ON account.id = session.account_id
     WHERE session.digest = resolve_session.digest
       AND session.ended_at IS NULL
       AND resolve_session.now < session.expires_at
       AND resolve_session.now < session.last_seen_at + make_interval(secs => session.idle_seconds)
       AND account.status = 'active';
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
REVOKE ALL ON FUNCTION resolve_session(bytea, timestamptz) FROM PUBLIC;
