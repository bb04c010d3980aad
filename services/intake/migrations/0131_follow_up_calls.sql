-- Of a call that reached somebody who knows of no such matter, or nobody at all, it is kept which; and what was called because
-- of what another call found.
ALTER TABLE callback_attempt
    DROP CONSTRAINT callback_attempt_result_check,
    ADD CONSTRAINT callback_attempt_result CHECK (result IN (
        'reached_rated', 'reached_declined', 'reached_no_such_matter', 'reached_did_not_ask', 'not_reached',
        'wrong_number', 'no_such_number', 'no_number'));

ALTER TABLE callback_task
    ALTER COLUMN sample_id DROP NOT NULL,
    ADD COLUMN led_by uuid REFERENCES callback_attempt (id), -- the call that it follows
    DROP CONSTRAINT callback_task_origin_check,
    ADD CONSTRAINT callback_task_origin CHECK (
        CASE WHEN origin = 'follow_up' THEN led_by IS NOT NULL
             WHEN origin IN ('sample', 'lowest', 'targeted') THEN sample_id IS NOT NULL
             ELSE false END);
CREATE INDEX callback_task_led_by ON callback_task (led_by) WHERE led_by IS NOT NULL;

-- What a citizen who was called did not know of. It stands until a call of somebody else shows that there was something.
CREATE TABLE callback_denial (
    attempt_id    uuid    PRIMARY KEY REFERENCES callback_attempt (id),
    issue_id      uuid    REFERENCES issue (id),
    contact_id    uuid    REFERENCES contact (id),
    invitation_id uuid    NOT NULL REFERENCES rating_invitation (id),
    denial        text    NOT NULL CHECK (denial IN ('no_such_matter', 'did_not_ask')),
    denied_at     instant NOT NULL,
    overruled_by  uuid    REFERENCES callback_attempt (id),
    CHECK (num_nonnulls(issue_id, contact_id) = 1)
);
CREATE UNIQUE INDEX callback_denial_issue ON callback_denial (issue_id)
    WHERE denial = 'no_such_matter' AND overruled_by IS NULL AND issue_id IS NOT NULL;
CREATE UNIQUE INDEX callback_denial_contact ON callback_denial (contact_id)
    WHERE denial = 'no_such_matter' AND overruled_by IS NULL AND contact_id IS NOT NULL;
ALTER TABLE callback_denial ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON callback_denial USING ((SELECT acting_reach()) = 'system');
