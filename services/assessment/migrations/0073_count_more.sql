-- What more indicators are counted of. What was told before is taken from the log.
ALTER TABLE contact_fact
    ADD COLUMN population_groups text[] NOT NULL DEFAULT '{}',
    ADD COLUMN first_on          day,
    ADD COLUMN last_on           day CHECK (last_on >= first_on);
ALTER TABLE issue_fact
    ADD COLUMN replied_at             instant,
    ADD COLUMN is_reopened            boolean NOT NULL DEFAULT false,
    ADD COLUMN is_redone              boolean NOT NULL DEFAULT false,
    ADD COLUMN is_returned            boolean NOT NULL DEFAULT false,
    ADD COLUMN suggestion_answered_at instant;
CREATE INDEX issue_fact_citizen ON issue_fact (citizen_ref, category, received_at) WHERE citizen_ref IS NOT NULL;

CREATE TABLE invitation_fact (
    invitation_id uuid           PRIMARY KEY,
    issue_id      uuid,
    contact_id    uuid,
    invited_at    instant        NOT NULL,
    sequence      place_in_order NOT NULL,
    CHECK (num_nonnulls(issue_id, contact_id) = 1)
);
CREATE INDEX invitation_fact_issue ON invitation_fact (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX invitation_fact_contact ON invitation_fact (contact_id) WHERE contact_id IS NOT NULL;

-- By the parts as they come: offered, cancelled, held by whom.
CREATE TABLE reception_fact (
    reception_day_id     uuid    PRIMARY KEY,
    organisation_id      uuid,
    cadre_id             uuid,
    from_at              instant,
    held_organisation_id uuid,
    held_cadre_id        uuid,
    held_from_at         instant,
    is_cancelled         boolean NOT NULL DEFAULT false,
    offered_sequence     integer NOT NULL CHECK (offered_sequence BETWEEN 0 AND 1000000000),
    held_sequence        integer NOT NULL CHECK (held_sequence BETWEEN 0 AND 1000000000)
);
CREATE INDEX reception_fact_day ON reception_fact (coalesce(from_at, held_from_at));

CREATE TABLE channel_check_fact (
    reachability_check_id uuid           PRIMARY KEY,
    organisation_id       uuid           NOT NULL,
    checked_at            instant        NOT NULL,
    is_reached            boolean        NOT NULL,
    sequence              place_in_order NOT NULL
);
CREATE INDEX channel_check_fact_organisation ON channel_check_fact (organisation_id, checked_at);

CREATE TABLE place_population (
    place_population_id uuid           PRIMARY KEY,
    organisation_id     uuid           NOT NULL,
    place_code          code           NOT NULL,
    population_group    code,
    counted_on          day            NOT NULL,
    people_count        bigint         NOT NULL CHECK (people_count BETWEEN 0 AND 2000000000),
    household_count     bigint         CHECK (household_count BETWEEN 0 AND 2000000000),
    sequence            place_in_order NOT NULL
);
CREATE INDEX place_population_organisation ON place_population (organisation_id, place_code);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['invitation_fact', 'reception_fact', 'channel_check_fact', 'place_population']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY processes ON %I USING ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['contacted_on_time', 'contacted_late', 'contact_overdue', 'replied', 'ended',
                                'reopened', 'redone', 'closed_first_time', 'returned', 'suggestions',
                                'suggestions_answered', 'attitude_answers', 'attitude_satisfied', 'speed_answers',
                                'speed_satisfied', 'household_visits', 'field_stay_days']
    LOOP
        EXECUTE format('ALTER TABLE tally ADD COLUMN %I tally_count NOT NULL DEFAULT 0', name);
        EXECUTE format('ALTER TABLE organisation_tally ADD COLUMN %I tally_count NOT NULL DEFAULT 0', name);
    END LOOP;
END
$$;

UPDATE contact_fact
   SET first_on = (payload ->> 'first_on')::date,
       last_on = (payload ->> 'last_on')::date,
       population_groups = ARRAY(
           SELECT found.code
             FROM (SELECT jsonb_object_keys(coalesce(nullif(payload -> 'people_by_group', 'null'), '{}')) AS code
                    UNION
                   SELECT payload ->> 'population_group') AS found
            WHERE found.code IS NOT NULL
            ORDER BY found.code COLLATE "C")
  FROM event
 WHERE event.aggregate_id = contact_id
   AND event.sequence = contact_fact.sequence;
UPDATE issue_fact
   SET replied_at = told.replied_at,
       is_reopened = told.is_reopened,
       is_redone = told.is_redone,
       is_returned = told.is_returned
  FROM (SELECT aggregate_id,
               min((payload ->> 'replied_at')::timestamptz)
                   FILTER (WHERE event_type = 'cn.lianxin.issue.replied.v1') AS replied_at,
               bool_or(event_type = 'cn.lianxin.issue.reopened.v1') AS is_reopened,
               bool_or(event_type = 'cn.lianxin.issue.redo_ordered.v1') AS is_redone,
               bool_or(event_type = 'cn.lianxin.issue.assigned.v1' AND payload ->> 'kind' = 'return') AS is_returned
          FROM event
         WHERE event_type IN ('cn.lianxin.issue.replied.v1', 'cn.lianxin.issue.reopened.v1',
                              'cn.lianxin.issue.redo_ordered.v1', 'cn.lianxin.issue.assigned.v1')
         GROUP BY aggregate_id) AS told
 WHERE told.aggregate_id = issue_id;
UPDATE issue_fact
   SET suggestion_answered_at = told.decided_at
  FROM (SELECT (payload ->> 'issue_id')::uuid AS issue_id, min((payload ->> 'decided_at')::timestamptz) AS decided_at
          FROM event
         WHERE event_type = 'cn.lianxin.suggestion.decided.v1'
         GROUP BY payload ->> 'issue_id') AS told
 WHERE told.issue_id = issue_fact.issue_id;
INSERT INTO invitation_fact (invitation_id, issue_id, contact_id, invited_at, sequence)
SELECT aggregate_id, (payload ->> 'issue_id')::uuid, (payload ->> 'contact_id')::uuid,
       (payload ->> 'invited_at')::timestamptz, sequence
  FROM event
 WHERE event_type = 'cn.lianxin.rating_invitation.made.v1'
    ON CONFLICT DO NOTHING;
INSERT INTO reception_fact (reception_day_id, organisation_id, cadre_id, from_at, held_organisation_id, held_cadre_id,
                            held_from_at, is_cancelled, offered_sequence, held_sequence)
SELECT day.aggregate_id, (offered.payload ->> 'organisation_id')::uuid, (offered.payload ->> 'cadre_id')::uuid,
       (offered.payload ->> 'from_at')::timestamptz, (held.payload ->> 'organisation_id')::uuid,
       (held.payload ->> 'cadre_id')::uuid, (held.payload ->> 'from_at')::timestamptz, day.is_cancelled,
       coalesce(day.offered_sequence, 0), coalesce(day.held_sequence, 0)
  FROM (SELECT aggregate_id,
               bool_or(event_type = 'cn.lianxin.reception_day.cancelled.v1') AS is_cancelled,
               max(sequence) FILTER (WHERE event_type = 'cn.lianxin.reception_day.offered.v1') AS offered_sequence,
               max(sequence) FILTER (WHERE event_type = 'cn.lianxin.reception_day.held.v1') AS held_sequence
          FROM event
         WHERE aggregate = 'reception_day'
         GROUP BY aggregate_id) AS day
  LEFT JOIN event AS offered
    ON offered.aggregate_id = day.aggregate_id AND offered.sequence = day.offered_sequence
  LEFT JOIN event AS held
    ON held.aggregate_id = day.aggregate_id AND held.sequence = day.held_sequence;
INSERT INTO channel_check_fact (reachability_check_id, organisation_id, checked_at, is_reached, sequence)
SELECT aggregate_id, (payload ->> 'organisation_id')::uuid, (payload ->> 'checked_at')::timestamptz,
       (payload ->> 'is_reached')::boolean, sequence
  FROM event
 WHERE event_type = 'cn.lianxin.reachability_check.recorded.v1'
 ORDER BY sequence DESC
    ON CONFLICT DO NOTHING;
INSERT INTO place_population (place_population_id, organisation_id, place_code, population_group, counted_on,
                              people_count, household_count, sequence)
SELECT aggregate_id, (payload ->> 'organisation_id')::uuid, payload ->> 'place_code', payload ->> 'population_group',
       (payload ->> 'counted_on')::date, (payload ->> 'people_count')::bigint,
       (payload ->> 'household_count')::bigint, sequence
  FROM event
 WHERE event_type = 'cn.lianxin.place_population.recorded.v1'
 ORDER BY sequence DESC
    ON CONFLICT DO NOTHING;

INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
SELECT organisation_id, cadre_id, month, now(), 1, 'migration-0073'
  FROM tally
    ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
   SET revision = due.revision + 1;
