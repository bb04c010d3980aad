-- Whether an organisation is the one of that code, or stands below it; as a function whose plan a session keeps.
CREATE FUNCTION is_below(organisation uuid, above text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1
                     FROM organisation_line AS line
                    WHERE line.organisation_id = $1
                      AND line.ancestor_code = $2);
END $$;
