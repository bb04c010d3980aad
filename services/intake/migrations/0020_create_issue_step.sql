-- The whole life of an issue: docs/issue-life.md. `issue` holds what is known now, `issue_step` how it came about.
ALTER TABLE issue
    ADD COLUMN first_organisation_id uuid REFERENCES organisation (id),
    ADD COLUMN first_cadre_id uuid REFERENCES cadre (id),
    ADD COLUMN handed_over_by uuid REFERENCES organisation (id),
    ADD COLUMN signed_at instant,
    ADD COLUMN started_at instant,
    ADD COLUMN paused_at instant,
    ADD COLUMN replied_at instant,
    ADD COLUMN reply_means code,
    ADD COLUMN merged_into uuid REFERENCES issue (id),
    ADD COLUMN reopened_at instant,
    ADD COLUMN redo_count integer NOT NULL DEFAULT 0 CHECK (redo_count BETWEEN 0 AND 10000),
    ADD COLUMN extension_count integer NOT NULL DEFAULT 0 CHECK (extension_count BETWEEN 0 AND 10000),
    ADD COLUMN assisting uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(assisting) <= 100),
    ADD COLUMN passed_on uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN objectors uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN problem_code code,
    ADD COLUMN excluded text CHECK (excluded IN ('all', 'rating')),
    ADD COLUMN supervised_at instant,
    ADD COLUMN escalation_level integer NOT NULL DEFAULT 0 CHECK (escalation_level BETWEEN 0 AND 100),
    ADD COLUMN asked jsonb NOT NULL DEFAULT '{}', -- what somebody asked for and another person has not decided yet
    ADD COLUMN updated_at instant NOT NULL DEFAULT now(), -- when its last step was recorded
    DROP CONSTRAINT issue_status_check,
    ADD CONSTRAINT issue_status CHECK (
        status IN ('received', 'assigned', 'signed', 'responded', 'in_progress', 'closed')),
    ADD CONSTRAINT issue_closed_is_not_paused CHECK (closed_at IS NULL OR paused_at IS NULL),
    ADD CONSTRAINT issue_merged_elsewhere CHECK (merged_into <> id);
UPDATE issue
   SET first_organisation_id = organisation_id, first_cadre_id = cadre_id, updated_at = recorded_at,
       replied_at = CASE WHEN reply_sealed IS NOT NULL OR reply IS NOT NULL THEN closed_at END;

-- Written once and never changed: there is no policy for changing or removing. A step's number is its event's.
-- `reply_sealed` is sealed as the reply of the issue is, so that each reply that was ever given is kept.
CREATE TABLE issue_step (
    issue_id     uuid           NOT NULL REFERENCES issue (id),
    sequence     place_in_order NOT NULL,
    kind         text           NOT NULL CHECK (kind IN (
        'received', 'assigned', 'signed', 'contacted', 'started', 'paused', 'resumed', 'assisting_set', 'urgency_set',
        'extension_requested', 'extension_decided', 'objection_raised', 'objection_decided', 'replied', 'closed',
        'merged', 'redo_ordered', 'reopened', 'exclusion_requested', 'exclusion_decided', 'supervised', 'escalated',
        'problem_raised')),
    happened_at  instant        NOT NULL,
    recorded_at  instant        NOT NULL,
    actor_id     uuid, -- the account; absent for a process and an import
    actor_person text           CHECK (length(actor_person) BETWEEN 1 AND 200),
    reason_code  code,
    details      jsonb          NOT NULL DEFAULT '{}', -- codes, ids, numbers and times
    note_sealed  sealed,
    reply_sealed sealed,
    PRIMARY KEY (issue_id, sequence)
);

ALTER TABLE issue_step ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Everybody's step tells of itself; who reads it is for the policies of issue to say.
CREATE POLICY taken ON issue_step FOR INSERT WITH CHECK ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY seen ON issue_step FOR SELECT USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = issue_step.issue_id));

-- The responsible cadre takes steps of the own issues.
DROP POLICY changed ON issue;
CREATE POLICY changed ON issue FOR UPDATE
    USING ((SELECT reaches_everything())
           OR is_within_reach(owner_organisation_id)
           OR cadre_id = (SELECT acting_cadre_id()));
