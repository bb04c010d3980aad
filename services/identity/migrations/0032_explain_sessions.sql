-- Why a session that there was is none any more: for the audit of whoever refused it, and never for its sender.
CREATE FUNCTION explain_session(digest bytea, now timestamptz)
RETURNS TABLE (session_id uuid, account_id uuid, name text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    RETURN QUERY
    SELECT session.id, account.id, account.name,
           CASE WHEN account.status <> 'active' THEN 'account-disabled'
                WHEN session.ended_at IS NOT NULL THEN 'session-ended'
                WHEN explain_session.now >= session.expires_at
                     OR explain_session.now >= session.last_seen_at + make_interval(secs => session.idle_seconds)
                THEN 'session-over'
                ELSE 'second-factor-needed' END
      FROM session
      JOIN account ON account.id = session.account_id
     WHERE session.digest = explain_session.digest;
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
REVOKE ALL ON FUNCTION explain_session(bytea, timestamptz) FROM PUBLIC;
