-- Deadlines by rule: docs/clocks.md. A version of a rule is written once: there is no policy for changing or removing.
CREATE TABLE clock_rule (
    id          uuid    PRIMARY KEY,
    code        code    NOT NULL,
    version     integer NOT NULL CHECK (version BETWEEN 1 AND 10000),
    document    jsonb   NOT NULL,
    recorded_at instant NOT NULL,
    UNIQUE (code, version)
);
ALTER TABLE clock_rule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON clock_rule FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY entered ON clock_rule FOR INSERT WITH CHECK ((SELECT reaches_everything()));

-- Every calendar that anything was counted by, so that it can be counted again.
CREATE TABLE calendar_version (
    version     code    PRIMARY KEY,
    document    jsonb   NOT NULL,
    recorded_at instant NOT NULL
);
ALTER TABLE calendar_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON calendar_version USING ((SELECT acting_reach()) = 'system');

ALTER TABLE issue
    ADD COLUMN sign_by         instant,
    ADD COLUMN reply_by        instant,
    ADD COLUMN told_respond_by instant, -- as the source told it, or whoever entered the issue
    ADD COLUMN told_due_at     instant,
    ADD COLUMN clock_rules     jsonb NOT NULL DEFAULT '{}', -- which version each turn of a clock follows, by its name
    ADD COLUMN calendar        code, -- by which it was counted; absent: not counted yet
    ADD COLUMN alarm_at        instant; -- when the sweep has to look at it next
UPDATE issue
   SET told_respond_by = respond_by, told_due_at = due_at,
       alarm_at = CASE WHEN closed_at IS NULL AND (respond_by IS NOT NULL OR due_at IS NOT NULL) THEN recorded_at END;
CREATE INDEX issue_alarm ON issue (alarm_at) WHERE alarm_at IS NOT NULL;

-- What was said of a deadline already: each once, whoever sweeps and however often.
CREATE TABLE clock_alarm (
    issue_id  uuid    NOT NULL REFERENCES issue (id),
    clock     text    NOT NULL CHECK (
        clock IN ('dispatch', 'sign_in', 'first_contact', 'close', 'reply', 'dispatch_objection')),
    turn      integer NOT NULL CHECK (turn BETWEEN 1 AND 100000),
    kind      text    NOT NULL CHECK (kind IN ('approached', 'missed', 'escalated')),
    level     integer NOT NULL CHECK (level BETWEEN 0 AND 100),
    due_at    instant NOT NULL,
    raised_at instant NOT NULL,
    PRIMARY KEY (issue_id, clock, turn, kind, level)
);
ALTER TABLE clock_alarm ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON clock_alarm USING ((SELECT acting_reach()) = 'system');
