-- A policy for everything is asked beside the one for reading, of every row that is read, and each question is a part of
-- the plan that is made ready anew for every statement. What reads is now asked by `seen` alone, which says all that
-- `kept` said: making the plan of a lone contact ready took longer than carrying it out.
DROP POLICY kept ON organisation_line;
CREATE POLICY entered ON organisation_line FOR INSERT WITH CHECK (acting_reach() = 'system');
CREATE POLICY changed ON organisation_line FOR UPDATE USING ((SELECT acting_reach()) = 'system');
CREATE POLICY removed ON organisation_line FOR DELETE USING ((SELECT acting_reach()) = 'system');

DROP POLICY kept ON organisation;
CREATE POLICY entered ON organisation FOR INSERT WITH CHECK (reaches_everything());
CREATE POLICY changed ON organisation FOR UPDATE USING ((SELECT reaches_everything()));
CREATE POLICY removed ON organisation FOR DELETE USING ((SELECT reaches_everything()));

DROP POLICY kept ON cadre;
CREATE POLICY entered ON cadre FOR INSERT WITH CHECK (reaches_everything());
CREATE POLICY changed ON cadre FOR UPDATE USING ((SELECT reaches_everything()));
CREATE POLICY removed ON cadre FOR DELETE USING ((SELECT reaches_everything()));

DROP POLICY kept ON post;
CREATE POLICY entered ON post FOR INSERT WITH CHECK (reaches_everything());
CREATE POLICY changed ON post FOR UPDATE USING ((SELECT reaches_everything()));
CREATE POLICY removed ON post FOR DELETE USING ((SELECT reaches_everything()));

-- Events are read by the relay, which acts for nobody, and by whoever follows; they are written by everybody who acts.
DROP POLICY sent ON outbox;
CREATE POLICY relayed ON outbox FOR SELECT USING ((SELECT acting_reach()) = 'system');
CREATE POLICY changed ON outbox FOR UPDATE USING ((SELECT acting_reach()) = 'system');
CREATE POLICY removed ON outbox FOR DELETE USING ((SELECT acting_reach()) = 'system');
DROP POLICY told ON outbox;
CREATE POLICY told ON outbox FOR INSERT WITH CHECK (acting_reach() IS NOT NULL);

-- The units above the acting person's own, by their grants and posts: few, and the same for a whole statement.
CREATE FUNCTION codes_above() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT above.ancestor_code::text
                   FROM organisation_line AS above
                  WHERE above.organisation_id IN (SELECT own.organisation_id
                                                    FROM organisation_line AS own
                                                   WHERE own.distance = 0
                                                     AND own.ancestor_code = ANY (acting_organisations())
                                                   UNION ALL
                                                  SELECT post.organisation_id
                                                    FROM post
                                                   WHERE post.cadre_id = (SELECT acting_cadre_id())));
END $$;
DROP POLICY seen ON organisation;
CREATE POLICY seen ON organisation FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = organisation.id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR code = ANY ((SELECT codes_above())::text[]));

-- A row that is entered is asked one by one: nothing is gained by asking once a statement.
DROP POLICY entered ON contact;
CREATE POLICY entered ON contact FOR INSERT WITH CHECK (
    reaches_everything()
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = contact.owner_organisation_id
                  AND line.ancestor_code = ANY (acting_organisations()))
    OR (cadre_id = acting_cadre_id() AND may_enter_contact(owner_organisation_id, cadre_id)));
