-- Who was asked to rate, by what means and when; ids only. A row that is due waits for a gateway or a caller to take it up.
CREATE TABLE rating_invitation (
    id                    uuid    PRIMARY KEY,
    issue_id              uuid    REFERENCES issue (id),
    contact_id            uuid    REFERENCES contact (id),
    owner_organisation_id uuid    REFERENCES organisation (id),
    state                 text    NOT NULL CHECK (state IN ('due', 'made')),
    method                text    CHECK (method IN ('link', 'callback', 'kiosk')),
    due_at                instant,
    invited_at            instant,
    invited_by            uuid,
    CHECK (num_nonnulls(issue_id, contact_id) = 1),
    CHECK (num_nonnulls(method, invited_at) = CASE state WHEN 'made' THEN 2 ELSE 0 END),
    CHECK (state <> 'due' OR due_at IS NOT NULL)
);
CREATE UNIQUE INDEX rating_invitation_waiting ON rating_invitation (issue_id) WHERE state = 'due';
CREATE INDEX rating_invitation_queue ON rating_invitation (due_at, id) WHERE state = 'due';
CREATE INDEX rating_invitation_issue ON rating_invitation (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX rating_invitation_contact ON rating_invitation (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX rating_invitation_made ON rating_invitation (owner_organisation_id, invited_at) WHERE state = 'made';
CREATE INDEX issue_closed ON issue (closed_at, id) WHERE closed_at IS NOT NULL;

-- What has to be called back, because it was drawn or because it was rated lowest.
CREATE TABLE callback_task (
    id         uuid    PRIMARY KEY,
    issue_id   uuid    REFERENCES issue (id),
    contact_id uuid    REFERENCES contact (id),
    origin     text    NOT NULL CHECK (origin IN ('sample', 'lowest')),
    sample_id  uuid    NOT NULL,
    state      text    NOT NULL CHECK (state IN ('open', 'done', 'given_up')),
    created_at instant NOT NULL,
    ended_at   instant,
    CHECK (num_nonnulls(issue_id, contact_id) = 1),
    CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX callback_task_issue ON callback_task (issue_id) WHERE state = 'open' AND issue_id IS NOT NULL;
CREATE UNIQUE INDEX callback_task_contact ON callback_task (contact_id) WHERE state = 'open' AND contact_id IS NOT NULL;
CREATE INDEX callback_task_queue ON callback_task (created_at, id) WHERE state = 'open';

-- Every call, also the vain ones, by whom and with what result. Written once.
CREATE TABLE callback_attempt (
    id           uuid    PRIMARY KEY,
    issue_id     uuid    REFERENCES issue (id),
    contact_id   uuid    REFERENCES contact (id),
    task_id      uuid    REFERENCES callback_task (id),
    result       text    NOT NULL CHECK (result IN ('reached_rated', 'reached_declined', 'not_reached', 'wrong_number')),
    rating_id    uuid    UNIQUE REFERENCES rating (id) DEFERRABLE INITIALLY DEFERRED,
    attempted_at instant NOT NULL,
    recorded_at  instant NOT NULL,
    caller_id    uuid    NOT NULL,
    caller_person text   NOT NULL CHECK (length(caller_person) BETWEEN 1 AND 255),
    CHECK (num_nonnulls(issue_id, contact_id) = 1),
    CHECK ((result = 'reached_rated') = (rating_id IS NOT NULL))
);
CREATE INDEX callback_attempt_issue ON callback_attempt (issue_id, attempted_at) WHERE issue_id IS NOT NULL;
CREATE INDEX callback_attempt_contact ON callback_attempt (contact_id, attempted_at) WHERE contact_id IS NOT NULL;

CREATE INDEX rating_trace_recorded ON rating_trace (recorded_at);

-- Whoever has a part in what was handled calls nobody about it, and does not see who was asked or called.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rating_invitation', 'callback_task', 'callback_attempt']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY kept ON %I USING ((SELECT acting_reach()) = ''system'')', name);
        EXECUTE format(
            'CREATE POLICY seen ON %1$I FOR SELECT USING (
                 (EXISTS (SELECT 1 FROM issue WHERE issue.id = %1$I.issue_id)
                  OR EXISTS (SELECT 1 FROM contact WHERE contact.id = %1$I.contact_id))
                 AND NOT is_own_work(issue_id, contact_id))', name);
    END LOOP;
END $$;
