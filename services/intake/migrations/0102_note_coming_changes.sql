-- Changes of registers that begin on a day to come: docs/registers.md. On the day each is entered as every change is, and
-- the row says when; one that could not be entered stays, with the reason.
CREATE TABLE coming_change (
    id             uuid    PRIMARY KEY,
    kind           text    NOT NULL CHECK (
        kind IN ('organisation', 'organisation_end', 'cadre', 'cadre_departure', 'category')),
    code           text    NOT NULL CHECK (length(code) BETWEEN 1 AND 200), -- of the entry
    from_on        day     NOT NULL,
    content        jsonb   NOT NULL,
    correlation_id text    NOT NULL,
    recorded_at    instant NOT NULL,
    recorded_by    uuid    DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid,
    entered_at     instant,
    refusal        code,
    CHECK (entered_at IS NULL OR refusal IS NULL)
);
CREATE UNIQUE INDEX coming_change_waiting ON coming_change (kind, code, from_on) WHERE entered_at IS NULL;
CREATE INDEX coming_change_day ON coming_change (from_on, recorded_at, id) WHERE entered_at IS NULL;
ALTER TABLE coming_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON coming_change USING ((SELECT reaches_everything()));
