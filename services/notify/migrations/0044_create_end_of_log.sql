-- Where the log ends, also for those who see only some of it: otherwise they would go through the same foreign events
-- again and again. The reach is put back before the answer is given.
CREATE FUNCTION end_of_log() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
    found bigint;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    SELECT coalesce(max(position), 0) INTO found FROM event;
    PERFORM set_config('lianxin.reach', asked_with, true);
    RETURN found;
END
$$;
