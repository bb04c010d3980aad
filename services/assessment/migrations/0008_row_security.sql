-- The second lock behind the policy table: which rows the acting person may touch. Without a reach there are none.
-- Tables that come later take the same lock in the migration that creates them.
CREATE FUNCTION acting_reach() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('lianxin.reach', true), '');

CREATE FUNCTION acting_organisations() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('lianxin.organisations', true), ''), '{}')::text[];

-- The cadre whose own records are within reach.
CREATE FUNCTION acting_staff_number() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('lianxin.staff_number', true), '');

-- Who the actor is as a cadre, in whichever role: nobody reads the live figures of himself.
CREATE FUNCTION acting_as() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('lianxin.actor_staff_number', true), '');

-- The granted organisations and everything below them. UNION drops repeats, so that a circle in the register ends.
CREATE FUNCTION acting_subtree() RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE subtree AS (
        SELECT organisation_id
          FROM organisation
         WHERE code = ANY (acting_organisations())
         UNION
        SELECT child.organisation_id
          FROM subtree
          JOIN organisation AS child ON child.parent_id = subtree.organisation_id
    )
    SELECT organisation_id
      FROM subtree
$$;

CREATE FUNCTION acting_cadres(staff_numbers text) RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT cadre_id FROM cadre WHERE staff_number = staff_numbers
$$;

-- Processes that act for nobody reach every row; what people and machines may do here is reading.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbox', 'inbox', 'processing_failure', 'event', 'organisation', 'cadre', 'post',
                                'duty', 'contact_fact', 'issue_fact', 'rating_fact', 'tally_due', 'subject_due',
                                'sweep', 'tally', 'organisation_tally', 'scheme', 'score', 'score_indicator']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
END
$$;

-- Public in the house: the organisation tree, which the other policies read, the duties and the schemes.
CREATE POLICY readers ON organisation FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY readers ON duty FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY readers ON scheme FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);

CREATE POLICY readers ON post FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped' AND organisation_id IN (SELECT acting_subtree())));

CREATE POLICY readers ON score FOR SELECT
 USING ((subject_kind <> 'cadre' OR subject_code IS DISTINCT FROM (SELECT acting_as()))
        AND ((SELECT acting_reach()) = 'everywhere'
             OR ((SELECT acting_reach()) = 'scoped' AND organisation_id IN (SELECT acting_subtree()))));

CREATE POLICY readers ON score_indicator FOR SELECT
 USING ((SELECT acting_reach()) IN ('everywhere', 'scoped')
        AND EXISTS (SELECT FROM score WHERE score.score_id = score_indicator.score_id));

-- A cadre is known to whoever has the cadre's post or score within reach, and to the cadre.
CREATE POLICY readers ON cadre FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped'
            AND (staff_number IN ((SELECT acting_staff_number()), (SELECT acting_as()))
                 OR EXISTS (SELECT FROM post WHERE post.cadre_id = cadre.cadre_id)
                 OR EXISTS (SELECT FROM score WHERE subject_kind = 'cadre' AND subject_id = cadre.cadre_id))));

CREATE POLICY readers ON organisation_tally FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped' AND organisation_id IN (SELECT acting_subtree())));

-- What stands behind live figures: within reach, and never what is about the reader.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tally', 'contact_fact', 'issue_fact', 'rating_fact']
    LOOP
        EXECUTE format(
            'CREATE POLICY readers ON %I FOR SELECT
              USING (cadre_id NOT IN (SELECT acting_cadres(acting_as()))
                     AND ((SELECT acting_reach()) = ''everywhere''
                          OR ((SELECT acting_reach()) = ''scoped''
                              AND organisation_id IN (SELECT acting_subtree()))))', name);
    END LOOP;
END
$$;

CREATE POLICY readers ON event FOR SELECT
 USING ((SELECT acting_reach()) IN ('everywhere', 'scoped')
        AND (EXISTS (SELECT FROM contact_fact WHERE contact_id = aggregate_id)
             OR EXISTS (SELECT FROM issue_fact WHERE issue_id = aggregate_id)
             OR EXISTS (SELECT FROM rating_fact WHERE rating_id = aggregate_id)));
