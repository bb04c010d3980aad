-- Lists that had no index in their order were read whole for each page, with the row policy asked of every row.
CREATE INDEX citizen_message_made ON citizen_message (made_at, id);
CREATE INDEX citizen_message_state ON citizen_message (state, made_at, id);
CREATE INDEX rating_comment_plain ON rating_comment (recorded_at, rating_id) WHERE NOT is_accusation;
CREATE INDEX contact_review_decided ON contact_review (noted_at, contact_id) WHERE decision IS NOT NULL;
-- How often somebody was called is counted for each task of a page.
CREATE INDEX callback_attempt_task ON callback_attempt (task_id) WHERE task_id IS NOT NULL;

-- As before, but the contact is found by its key: under row security what holds a sub-select is asked of every row, and the
-- policies of calls, cases and comments ask this of each of theirs.
CREATE OR REPLACE FUNCTION is_own_work(rated_issue uuid, rated_contact uuid) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    acting_person text := nullif(current_setting('lianxin.person', true), '');
    origin uuid := rated_contact;
    answer boolean;
BEGIN
    IF given = 'system' THEN
        RETURN false;
    END IF;
    PERFORM set_config('lianxin.reach', 'system', true);
    IF origin IS NULL THEN
        SELECT contact_id INTO origin FROM issue WHERE id = rated_issue;
    END IF;
      WITH part AS (
           SELECT cadre_id, array_append(assisting, organisation_id) AS units, received_at AS at,
                  NULL::uuid AS account, NULL::text AS person
             FROM issue
            WHERE id = rated_issue
            UNION ALL
           SELECT unnest(array_append(companion_ids, cadre_id)), ARRAY[organisation_id], occurred_at, recorded_by,
                  recorded_person
             FROM contact
            WHERE id = origin
            UNION ALL
           SELECT NULL, '{}', recorded_at, actor_id, actor_person
             FROM issue_step
            WHERE issue_id = rated_issue
              AND kind IN ('contacted', 'started', 'paused', 'resumed', 'replied', 'closed', 'merged'))
    SELECT bool_or(coalesce(is_recused(cadre_id, at), false)
                   OR coalesce(account::text = acting_account(), false)
                   OR coalesce(person = acting_person, false)
                   OR is_in_units(units))
      INTO answer
      FROM part;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN coalesce(answer, false);
END $$;
