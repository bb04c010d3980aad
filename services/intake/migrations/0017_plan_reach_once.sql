-- The questions that policies ask of each row, as functions whose plan a session keeps: one in the language SQL that
-- cannot be inlined is planned anew in every statement, which cost a scoped sender's insert more than all else of it.
CREATE OR REPLACE FUNCTION is_within_reach(organisation uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN reaches_everything() OR EXISTS (SELECT 1
                                             FROM organisation_line AS line
                                            WHERE line.organisation_id = organisation
                                              AND line.ancestor_code = ANY (acting_organisations()));
END $$;

-- A cadre enters own contacts, for an organisation of an own post or for none.
CREATE OR REPLACE FUNCTION may_enter_contact(organisation uuid, cadre uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF is_within_reach(organisation) THEN
        RETURN true;
    END IF;
    RETURN cadre = acting_cadre_id()
       AND (organisation IS NULL
            OR EXISTS (SELECT 1 FROM post WHERE post.cadre_id = cadre AND post.organisation_id = organisation));
END $$;
