-- Whether a citizen has records that the acting person does not see: fewer were seen than there are. The count comes from
-- the caller's own statement, where the policies of issue and contact decide, whoever owns this function.
CREATE FUNCTION has_records_beyond(citizen uuid, seen_count bigint) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT count(*) FROM issue WHERE issue.citizen_ref = $1)
            + (SELECT count(*) FROM contact WHERE contact.citizen_ref = $1) > $2;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;
