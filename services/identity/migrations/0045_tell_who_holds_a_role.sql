-- Who has a role in one of these organisations now: for whoever tells people of what concerns them. Disabled accounts have
-- none. Neither names nor anything else of the accounts is told.
CREATE FUNCTION list_holders(role text, organisation_codes text[])
RETURNS TABLE (account_id uuid, staff_number text, organisation_code text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    RETURN QUERY
    SELECT account.id, account.staff_number, role_grant.organisation_code
      FROM role_grant
      JOIN account ON account.id = role_grant.account_id
     WHERE role_grant.role = list_holders.role
       AND role_grant.organisation_code = ANY (list_holders.organisation_codes)
       AND account.status = 'active'
     ORDER BY account.id;
    PERFORM set_config('lianxin.reach', asked_with, true);
END
$$;
REVOKE ALL ON FUNCTION list_holders(text, text[]) FROM PUBLIC;
