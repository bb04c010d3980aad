-- The roles whose holders need a second factor, as the settings say. A session that was opened by a password alone is none
-- for their holders, whichever came first: the session, the role or the setting.
CREATE TABLE second_factor_role (
    role text PRIMARY KEY CHECK (char_length(role) BETWEEN 1 AND 64)
);
ALTER TABLE second_factor_role ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reach ON second_factor_role USING (acting_reach() = 'system');

CREATE OR REPLACE FUNCTION resolve_session(digest bytea, now timestamptz)
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
       AND account.status = 'active'
       AND (session.method <> 'password'
            OR NOT EXISTS (SELECT 1
                             FROM role_grant
                             JOIN second_factor_role ON second_factor_role.role = role_grant.role
                            WHERE role_grant.account_id = account.id));
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
