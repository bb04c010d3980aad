-- Every kind of record that events tell of can be followed, by who sees the record: the policies of the tables say who that
-- is. What a citizen is called here is no record to follow.
DROP POLICY followed ON outbox;
CREATE POLICY followed ON outbox FOR SELECT USING (
    (SELECT acting_reach()) IN ('everywhere', 'scoped')
    AND CASE aggregate
             WHEN 'appraisal_result' THEN EXISTS (SELECT 1 FROM appraisal_result AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'cadre' THEN EXISTS (SELECT 1 FROM cadre AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'category' THEN EXISTS (SELECT 1 FROM category AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'clock_rule' THEN EXISTS (SELECT 1 FROM clock_rule AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'consultation' THEN EXISTS (SELECT 1 FROM consultation AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'contact' THEN EXISTS (SELECT 1 FROM contact AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'contact_household' THEN EXISTS (SELECT 1 FROM contact_household AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'contact_point' THEN EXISTS (SELECT 1 FROM contact_point AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'duty' THEN EXISTS (SELECT 1 FROM duty AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'issue' THEN EXISTS (SELECT 1 FROM issue AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'liaison_assignment' THEN EXISTS (SELECT 1 FROM liaison_assignment AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'organisation' THEN EXISTS (SELECT 1 FROM organisation AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'place_population' THEN EXISTS (SELECT 1 FROM place_population AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'population_group' THEN EXISTS (SELECT 1 FROM population_group AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'post' THEN EXISTS (SELECT 1 FROM post AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'published_channel' THEN EXISTS (SELECT 1 FROM published_channel AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'rating' THEN EXISTS (SELECT 1 FROM rating AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'rating_invitation' THEN EXISTS (SELECT 1 FROM rating_invitation AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'reachability_check' THEN EXISTS (SELECT 1 FROM reachability_check AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'reception_day' THEN EXISTS (SELECT 1 FROM reception_day AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'responsibility' THEN EXISTS (SELECT 1 FROM responsibility AS record WHERE record.id = outbox.aggregate_id)
             WHEN 'suggestion_decision' THEN EXISTS (SELECT 1 FROM suggestion_decision AS record WHERE record.id = outbox.aggregate_id)
             ELSE false END);
