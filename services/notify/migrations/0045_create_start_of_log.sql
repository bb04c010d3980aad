-- Where the log begins, also for those who see only some of it: whoever reads it for the first time begins there, and
-- goes through it a stretch at a time. The reach is put back before the answer is given.
CREATE FUNCTION start_of_log() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked_with text := coalesce(current_setting('lianxin.reach', true), '');
    found bigint;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    SELECT coalesce(min(position), 1) INTO found FROM event;
    PERFORM set_config('lianxin.reach', asked_with, true);
    RETURN found;
END
$$;
