-- Whether an organisation is within reach is looked up in the plan of the insert: a function asked it once a row, at
-- several times the price. Who enters an own contact is rare, and is asked as before.
DROP POLICY entered ON contact;
CREATE POLICY entered ON contact FOR INSERT WITH CHECK (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = contact.owner_organisation_id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR (cadre_id = (SELECT acting_cadre_id()) AND may_enter_contact(owner_organisation_id, cadre_id)));
