-- What a policy asks must mean the same tables whatever path the session has set.
ALTER FUNCTION codes_above() SET search_path = public, pg_temp;
