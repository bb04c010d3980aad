-- The same policies, with the comparison inside the sub-select: the planner takes a truth value for a half, and took the
-- comparison for one row in two hundred, so that it sorted a million scores where an index has them in order.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['event', 'organisation', 'cadre', 'post', 'duty', 'contact_fact', 'issue_fact',
                                'rating_fact', 'issue_share', 'tally_due', 'subject_due', 'tally', 'organisation_tally',
                                'scheme', 'score']
    LOOP
        EXECUTE format('ALTER POLICY processes ON %I USING ((SELECT acting_reach() = ''system''))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tally', 'contact_fact', 'issue_fact', 'rating_fact']
    LOOP
        EXECUTE format(
            'ALTER POLICY readers ON %I
              USING (cadre_id NOT IN (SELECT acting_cadres(acting_as()))
                     AND ((SELECT acting_reach() = ''everywhere'')
                          OR ((SELECT acting_reach() = ''scoped'')
                              AND organisation_id IN (SELECT acting_subtree()))))', name);
    END LOOP;
END
$$;

ALTER POLICY readers ON organisation USING ((SELECT acting_reach() IS NOT NULL));
ALTER POLICY readers ON scheme USING ((SELECT acting_reach() IS NOT NULL));
ALTER POLICY readers ON post
 USING ((SELECT acting_reach() = 'everywhere')
        OR ((SELECT acting_reach() = 'scoped') AND organisation_id IN (SELECT acting_subtree())));
ALTER POLICY readers ON score
 USING ((subject_kind <> 'cadre' OR subject_code IS DISTINCT FROM (SELECT acting_as()))
        AND ((SELECT acting_reach() = 'everywhere')
             OR ((SELECT acting_reach() = 'scoped') AND organisation_id IN (SELECT acting_subtree()))));
ALTER POLICY readers ON cadre
 USING ((SELECT acting_reach() = 'everywhere')
        OR ((SELECT acting_reach() = 'scoped')
            AND (staff_number IN ((SELECT acting_staff_number()), (SELECT acting_as()))
                 OR EXISTS (SELECT FROM post WHERE post.cadre_id = cadre.cadre_id)
                 OR EXISTS (SELECT FROM score WHERE subject_kind = 'cadre' AND subject_id = cadre.cadre_id))));
ALTER POLICY readers ON organisation_tally
 USING ((SELECT acting_reach() = 'everywhere')
        OR ((SELECT acting_reach() = 'scoped') AND organisation_id IN (SELECT acting_subtree())));

-- Of each kind of period there are as many scores as there are subjects, which the columns one by one do not tell.
CREATE STATISTICS score_periods (mcv) ON subject_kind, period_kind, period_start FROM score;

-- Lists of one peer group, which may be a few among a million.
CREATE INDEX score_by_peer_group ON score (peer_group, period_kind, period_start) WHERE peer_group IS NOT NULL;
